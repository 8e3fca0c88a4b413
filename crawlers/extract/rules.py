"""An outlet's own selectors, applied to a parsed page: what each field's selectors find."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from config.model import ArticleRules, Selectors
from crawlers.extract.enough import enough
from crawlers.extract.meta import absolute, line
from crawlers.extract.parse import Element
from crawlers.extract.tree import Tree
from crawlers.model import DateCandidate
from storage.model import Image

_MAX_TEXT: Final = 5_000
#: Characters under one selector after which no further match is read.
_ENOUGH: Final = 20_000
#: Matches of a selector, links of one match, and pieces of its text, that are read; hostile ones are nested, and each
#: would be read whole.
_MAX_TEXTS: Final = 50
_MAX_LINKS: Final = 50
_MAX_TAGS: Final = 200
_MAX_PIECES: Final = 1_000
_CLOCK: Final = re.compile(r"\d{1,2}[:.]\d{2}(?!\d)")


def texts(tree: Tree, selectors: Selectors) -> list[str]:
    """The texts under the first selector that yields any."""
    for selector in selectors:
        if found := enough(map(_text, tree.select(selector)[:_MAX_TEXTS]), _ENOUGH):
            return found
    return []


def text(tree: Tree, selectors: Selectors) -> str | None:
    """The first of these texts."""
    return next(iter(texts(tree, selectors)), None)


def names(tree: Tree, selectors: Selectors) -> list[str]:
    """Texts as from `texts`; where an element holds several links, each of them is a name."""
    for selector in selectors:
        matches = tree.select(selector)[:_MAX_LINKS]
        if found := enough((t for match in matches for t in _linked(match) or [_text(match)]), _ENOUGH):
            return found
    return []


def _linked(match: Any) -> list[str]:
    links = [] if isinstance(match, str) else enough(map(_text, islice(match.iter("a"), _MAX_LINKS)), _ENOUGH)
    return links if len(links) > 1 else []


def tags(tree: Tree, selectors: Selectors) -> tuple[str, ...]:
    """The names under the first selector that yields any; the words of a meta tag one by one."""
    for selector in selectors:
        if found := enough((tag for match in tree.select(selector)[:_MAX_TAGS] for tag in _tags(match)), _ENOUGH):
            return tuple(found)
    return ()


def _tags(match: Any) -> Sequence[str]:
    return keywords((_text(match),)) if _tag(match) == "meta" else [_text(match)]


def keywords(values: Sequence[str]) -> tuple[str, ...]:
    """``stroke,kardiovaskular; penyakit`` as the three words it holds."""
    return tuple(word for value in values for part in re.split("[,;]", value[:_MAX_TEXT]) if (word := part.strip()))


def dates(tree: Tree, rules: ArticleRules) -> tuple[DateCandidate, ...]:
    """What stands where the outlet prints its dates."""
    found = []
    for role, selectors in (("published", rules.published), ("updated", rules.updated)):
        for selector in selectors:
            for match in tree.select(selector)[:3]:
                stamp = _stamp(match)
                if stamp:
                    source = "meta" if _tag(match) == "meta" else "visible"
                    found.append(DateCandidate(stamp[:200], source, role, f"rules {selector.expression}"[:200]))
    return tuple(found)


def image(tree: Tree, rules: ArticleRules, base: str) -> Image | None:
    """The picture and caption where the outlet puts them."""
    for selector in rules.image:
        for match in tree.select(selector)[:10]:
            if url := absolute(_source(match), base):
                return Image(url=url, caption=text(tree, rules.caption))
    return None


def body(tree: Tree, selectors: Selectors) -> list[Element]:
    """The elements of the first body selector that holds text; nested matches count once.

    A selector may name the container or, where there is none, each paragraph.
    """
    for selector in selectors:
        matches = [m for m in tree.select(selector) if not isinstance(m, str)]
        inside = set(matches)
        outer = [m for m in matches if not any(a in inside for a in m.iterancestors())]
        if any(t.strip() for m in outer for t in m.itertext()):
            return outer
    return []


def _tag(match: Any) -> str:
    return "" if isinstance(match, str) or not isinstance(match.tag, str) else match.tag


def _text(match: Any) -> str:
    if isinstance(match, str):
        return line(match[:_MAX_TEXT])
    if _tag(match) == "meta":
        return line((match.get("content") or "")[:_MAX_TEXT])
    return line(_beginning(match)[:_MAX_TEXT])


def _beginning(element: Element) -> str:
    """The element's text as far as it is read; block elements inside part words (``<p>A</p><p>B</p>``)."""
    if not len(element):
        return element.text or ""
    pieces = (piece for piece in islice(element.itertext(), _MAX_PIECES) if not piece.isspace())
    return " ".join(enough(pieces, _MAX_TEXT))


def _stamp(match: Any) -> str:
    text = _text(match)
    stamp = "" if isinstance(match, str) else line(match.get("datetime") or "")
    # Some templates give the day to machines and the time of day to readers.
    if stamp and (":" in stamp or not _CLOCK.search(text)):
        return stamp
    return text


def _source(match: Any) -> str | None:
    if isinstance(match, str):
        return match
    for name in ("data-src", "data-original", "src", "content", "href"):
        value: str | None = match.get(name)
        if value and not value.startswith("data:"):
            return value
    return None
