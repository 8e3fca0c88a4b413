"""The article as the page describes it to search engines (schema.org in JSON-LD).

Present on four of five news pages and the best single source of headline, persons and instant, when its
parts are checked: pages also carry the organisation, bread crumbs, and the items of "read next" lists.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from crawlers.extract.meta import line

_MAX_SCRIPT: Final = 2 * 2**20
_MAX_NODES: Final = 3_000
_MAX_DEPTH: Final = 12

_ARTICLE: Final = re.compile(
    r"(?:article|posting|report|review|newsstory|opinion|blogpost|recipe|howto)$", re.IGNORECASE
)
_PAGE: Final = frozenset({"WebPage", "ItemPage", "FAQPage", "MedicalWebPage", "AboutPage", "QAPage"})
_COMMENT: Final = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*.{0,40}?\*/)|(?:-->|//\s*\]\]>|\]\]>)\s*$", re.DOTALL
)
_TRAILING_COMMA: Final = re.compile(r",(\s*[}\]])")
_TAG: Final = re.compile(r"<[^<>]{0,500}>")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Described:
    """The JSON-LD of one page."""

    #: The node that describes this article, or None.
    article: Json | None
    #: The web page's node, which carries dates and author on some blogs (``@graph`` of SEO plug-ins).
    page: Json | None
    #: Nodes by ``@id``.
    ids: dict[str, Json]
    #: Every type named.
    types: frozenset[str]

    def value(self, *keys: str) -> Any:
        """The first value present under one of these keys of the article node."""
        if self.article is not None:
            for key in keys:
                if self.article.get(key) not in (None, "", [], {}):
                    return self.article[key]
        return None

    def text(self, *keys: str) -> str | None:
        """The first of these keys that holds text, on one line."""
        return text_of(self.value(*keys))

    def resolve(self, value: Any) -> Any:
        """The node that a bare ``{"@id": …}`` points to."""
        if isinstance(value, dict) and "name" not in value and isinstance(key := value.get("@id"), str):
            return self.ids.get(key, value)
        return value


def read_jsonld(scripts: Iterable[str], titles: Iterable[str]) -> Described:
    """Parse the scripts and pick the article's node: the one whose headline the page shows, else the fullest."""
    nodes: list[Json] = []
    for script in scripts:
        data = load(script)
        nodes.extend(_nodes(data))
        if len(nodes) >= _MAX_NODES:
            break
    ids: dict[str, Json] = {}
    for node in nodes:
        key = node.get("@id")
        if isinstance(key, str) and len(node) > len(ids.get(key, ())):
            ids[key] = node
    wanted = {_letters(t) for t in titles if t}
    articles = [n for n in nodes if any(_ARTICLE.search(t) for t in types_of(n))]
    best = max(articles, key=lambda n: _fitness(n, wanted), default=None)
    page = next((n for n in nodes if _PAGE.intersection(types_of(n))), None)
    return Described(best, page, ids, frozenset(t for n in nodes for t in types_of(n)))


def load(script: str) -> Any:
    """The JSON of one script with the usual mistakes mended, or None."""
    if len(script) > _MAX_SCRIPT:
        return None
    text = script.strip().rstrip(";")
    for attempt in (str, _mend, html.unescape):
        text = attempt(text)
        try:
            return json.loads(text, strict=False, parse_int=_whole)
        except (ValueError, RecursionError):
            continue
    return None


def _whole(digits: str) -> int | float:
    """A number of a million digits is refused by int() with a ValueError; no field of ours needs one."""
    return int(digits) if len(digits) < 40 else 0


def _mend(text: str) -> str:
    """Comments around, commas before a closing bracket."""
    for _ in range(2):
        text = _COMMENT.sub("", text).strip()
    return _TRAILING_COMMA.sub(r"\1", text).rstrip(";")


def _nodes(data: Any) -> Iterator[Json]:
    """Every object with a type, outermost first, the article inside a page's ``mainEntity`` included."""
    stack = [(data, 0)]
    seen = 0
    while stack and seen < _MAX_NODES:
        value, depth = stack.pop()
        seen += 1
        if isinstance(value, list):
            if depth < _MAX_DEPTH:
                stack.extend((v, depth + 1) for v in reversed(value[:200]))
        elif isinstance(value, dict):
            if "@type" in value or "@id" in value:
                yield value
            if depth < _MAX_DEPTH:
                inner = (value.get(key) for key in _INSIDE)
                stack.extend((v, depth + 1) for v in inner if isinstance(v, list | dict))


#: Where an article's node hides inside a page's.
_INSIDE: Final = (
    "mainEntityOfPage",
    "mainEntity",
    "hasPart",
    "isPartOf",
    "liveBlogUpdate",
    "@graph",
    "author",
)


def types_of(node: Json) -> tuple[str, ...]:
    """The node's types without their vocabulary's address."""
    types = node.get("@type")
    if isinstance(types, str):
        types = [types]
    if not isinstance(types, list):
        return ()
    return tuple(t.rsplit("/", 1)[-1].rsplit(":", 1)[-1] for t in types if isinstance(t, str))


_TELLING: Final = (
    "headline",
    "datePublished",
    "author",
    "articleBody",
    "mainEntityOfPage",
    "image",
    "dateModified",
)


def _fitness(node: Json, wanted: set[str]) -> tuple[int, int]:
    headline = _letters(text_of(node.get("headline") or node.get("name")) or "")
    shown = 0
    if headline:
        shown = max(
            (3 if headline == w else 2 if headline in w or w in headline else 0 for w in wanted if w),
            default=0,
        )
    return shown, sum(1 for key in _TELLING if node.get(key))


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", text.casefold())


_NO_LETTER: Final = re.compile(r"[\W_]+")


def text_of(value: Any) -> str | None:
    """A text value on one line, entities and stray tags resolved; None for anything else."""
    if isinstance(value, list):
        value = next((v for v in value if isinstance(v, str | dict)), None)
    if isinstance(value, dict):
        value = value.get("@value") or value.get("name") or value.get("text")
    if not isinstance(value, str):
        return None
    if "&" in value:
        value = html.unescape(value)
    if "<" in value:
        value = _TAG.sub(" ", value)
    return line(value[:200_000]) or None
