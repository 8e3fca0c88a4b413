"""An outlet's own selectors, applied to a parsed page.

Selectors are compiled once per process. One that fails on a page (an XPath function over odd input) gives
nothing there, as if it had not matched; what it should have found is then looked for generically.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from lxml import cssselect, etree

from config.model import ArticleRules, Selector, SelectorKind, Selectors
from crawlers.extract.meta import absolute, line
from crawlers.extract.parse import Element
from crawlers.model import DateCandidate
from storage.model import Image

#: Matches of one selector that are looked at.
_MAX_MATCHES: Final = 500
_MAX_TEXT: Final = 5_000
_CLOCK: Final = re.compile(r"\d{1,2}[:.]\d{2}(?!\d)")

Select = Callable[[Element], Any]


@lru_cache(maxsize=8_192)
def _compile(selector: Selector) -> Select | None:
    try:
        if selector.kind is SelectorKind.XPATH:
            compiled: Select = etree.XPath(
                selector.expression, namespaces={"re": "http://exslt.org/regular-expressions"}
            )
            return compiled
        return _by_class(selector.expression) or cssselect.CSSSelector(selector.expression, translator="html")
    except (etree.XPathError, cssselect.SelectorError, ValueError):
        return None  # config.load has told the operator; a page must not fail over it


#: ``h1.detail__title``, ``.byline``: most of what outlets need.
_CLASSES: Final = re.compile(r"([A-Za-z][A-Za-z0-9]*|)((?:\.[A-Za-z_][\w-]*)+)")


def _by_class(expression: str) -> Select | None:
    """A selector of an element by its classes, in a third of the time that a normalizing XPath takes."""
    simple = _CLASSES.fullmatch(expression.strip())
    if simple is None:
        return None
    classes = simple[2][1:].split(".")
    tests = "".join(f"[contains(@class, '{name}')]" for name in classes)
    candidates = etree.XPath(f"descendant-or-self::{simple[1].lower() or '*'}{tests}")
    wanted = set(classes)

    def find(root: Element) -> list[Element]:
        return [element for element in candidates(root) if wanted.issubset(element.get("class").split())]

    return find


def select(root: Element, selector: Selector) -> list[Any]:
    """Elements (or strings, of an XPath that selects text) that match, in the order of the page."""
    compiled = _compile(selector)
    if compiled is None:
        return []
    try:
        found = compiled(root)
    except etree.LxmlError:
        return []
    if isinstance(found, str):
        return [found] if found else []
    return list(found[:_MAX_MATCHES]) if isinstance(found, list) else []


def texts(root: Element, selectors: Selectors) -> list[str]:
    """The texts under the first selector that yields any."""
    for selector in selectors:
        found = [t for match in select(root, selector) if (t := _text(match))]
        if found:
            return found
    return []


def text(root: Element, selectors: Selectors) -> str | None:
    """The first of these texts."""
    return next(iter(texts(root, selectors)), None)


def names(root: Element, selectors: Selectors) -> list[str]:
    """Texts as from `texts`; where an element holds several links, each of them is a name."""
    for selector in selectors:
        found = [t for match in select(root, selector) for t in _linked(match) or [_text(match)] if t]
        if found:
            return found
    return []


def _linked(match: Any) -> list[str]:
    links = [] if isinstance(match, str) else [t for a in match.iter("a") if (t := _text(a))]
    return links if len(links) > 1 else []


def tags(root: Element, selectors: Selectors) -> tuple[str, ...]:
    """The names under the first selector that yields any; the words of a meta tag one by one."""
    for selector in selectors:
        names: list[str] = []
        for match in select(root, selector):
            found = _text(match)
            names += keywords((found,)) if _tag(match) == "meta" else [found]
        if any(names):
            return tuple(name for name in names if name)
    return ()


def keywords(values: Sequence[str]) -> tuple[str, ...]:
    """``stroke,kardiovaskular; penyakit`` as the three words it holds."""
    return tuple(word for value in values for part in re.split("[,;]", value[:_MAX_TEXT]) if (word := part.strip()))


def dates(root: Element, rules: ArticleRules) -> tuple[DateCandidate, ...]:
    """What stands where the outlet prints its dates."""
    found = []
    for role, selectors in (("published", rules.published), ("updated", rules.updated)):
        for selector in selectors:
            for match in select(root, selector)[:3]:
                stamp = _stamp(match)
                if stamp:
                    source = "meta" if _tag(match) == "meta" else "visible"
                    found.append(DateCandidate(stamp[:200], source, role, f"rules {selector.expression}"[:200]))
    return tuple(found)


def image(root: Element, rules: ArticleRules, base: str) -> Image | None:
    """The picture and caption where the outlet puts them."""
    for selector in rules.image:
        for match in select(root, selector)[:10]:
            if url := absolute(_source(match), base):
                return Image(url=url, caption=text(root, rules.caption))
    return None


def body(root: Element, selectors: Selectors) -> list[Element]:
    """The elements of the first body selector that holds text; nested matches count once.

    A selector may name the container or, where there is none, each paragraph.
    """
    for selector in selectors:
        matches = [m for m in select(root, selector) if not isinstance(m, str)]
        inside = set(matches)
        outer = [m for m in matches if not any(a in inside for a in m.iterancestors())]
        if any(t.strip() for m in outer for t in m.itertext()):
            return outer
    return []


def remove(root: Element, selectors: Selectors) -> list[Element]:
    """Take the matching subtrees out of the tree (the text that follows them stays) and return them."""
    taken: list[Element] = []
    for selector in selectors:
        for match in select(root, selector):
            parent = None if isinstance(match, str) else match.getparent()
            if parent is None:
                continue
            _keep_tail(match, parent)
            parent.remove(match)
            taken.append(match)
    return taken


def _keep_tail(element: Element, parent: Element) -> None:
    tail = element.tail
    if not tail:
        return
    before = element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    element.tail = None


def _tag(match: Any) -> str:
    return "" if isinstance(match, str) or not isinstance(match.tag, str) else match.tag


def _text(match: Any) -> str:
    if isinstance(match, str):
        return line(match[:_MAX_TEXT])
    if _tag(match) == "meta":
        return line((match.get("content") or "")[:_MAX_TEXT])
    return line(joined(match)[:_MAX_TEXT])


def joined(element: Element) -> str:
    """The element's text; block elements inside part words (``<p>A</p><p>B</p>``)."""
    return " ".join(t for t in element.itertext() if t.strip()) if len(element) else (element.text or "")


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
