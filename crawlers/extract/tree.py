"""A page's tree as an outlet's selectors ask it.

Selectors are compiled once per process. Most of what outlets need names a class (``h1.detail__title``,
``.byline a``); the elements of a page are therefore put in order by class once, which costs what one such XPath
over the whole tree costs, and is then asked by all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from lxml import cssselect, etree

from config.model import Selector, SelectorKind, Selectors
from crawlers.extract.parse import Element

#: Matches of one selector that are looked at.
_MAX_MATCHES: Final = 500
#: Elements from which a page is asked by XPath alone, each selector looking at all of them; real ones have some
#: thousands, five megabytes of markup 100,000.
_MAX_CLASSED: Final = 200_000

Find = Callable[["Tree"], Any]
_Number = tuple[int, Element]


class Tree:
    """The elements of one page. Subtrees leave it by :meth:`remove` only."""

    __slots__ = ("_by_class", "_counted", "_gone", "_metas", "root")

    def __init__(self, root: Element) -> None:
        self.root = root
        self._by_class: dict[str, list[_Number]] = {}
        self._counted = False
        self._metas: list[Element] | None = None
        #: Elements that were removed.
        self._gone: set[Element] = set()

    def select(self, selector: Selector) -> list[Any]:
        """Elements (or strings, of an XPath that selects text) that match, in the order of the page.

        A selector that fails on a page (an XPath function over odd input) gives nothing there, as if it had not
        matched.
        """
        find = _compile(selector)
        if find is None:
            return []
        try:
            found = find(self)
        except etree.LxmlError:
            return []
        if isinstance(found, str):
            return [found] if found else []
        return list(found[:_MAX_MATCHES]) if isinstance(found, list) else []

    def remove(self, selectors: Selectors) -> list[Element]:
        """Take the matching subtrees out (the text that follows them stays) and return the outermost of them."""
        taken: list[Element] = []
        for selector in selectors:
            tails = _Tails()
            for match in self.select(selector):
                parent = None if isinstance(match, str) else match.getparent()
                if parent is None or match in self._gone:
                    continue
                tails.keep(match, parent)
                parent.remove(match)
                self._gone.update(match.iter())
                taken.append(match)
            tails.put()
        return taken

    def metas(self) -> list[Element]:
        """The page's ``meta`` elements."""
        if self._metas is None:
            self._metas = list(self.root.iter("meta"))
        return [meta for meta in self._metas if meta not in self._gone]

    def by_class(self, fits: Callable[[str], bool]) -> list[Element] | None:
        """The elements whose ``class`` fits; None when there are too many to be put in order."""
        if not self._counted:
            self._count()
        if not self._by_class:
            return None
        found = [one for value, some in self._by_class.items() if fits(value) for one in some]
        if len(found) > 1:
            found.sort(key=_place)
        return [element for _, element in found if element not in self._gone]

    def _count(self) -> None:
        self._counted = True
        known = self._by_class
        for place, element in enumerate(self.root.iter("*")):
            if (value := element.get("class")) is not None:
                if (some := known.get(value)) is None:
                    known[value] = [(place, element)]
                else:
                    some.append((place, element))
            if place > _MAX_CLASSED:
                known.clear()
                return


def _place(one: _Number) -> int:
    return one[0]


class _Tails:
    """The texts behind removed elements, each to be put behind what stood before them.

    They are put there once, not one by one: hundreds of removed elements in a row, with megabytes of text between
    them, would copy what has gathered so far hundreds of times.
    """

    __slots__ = ("_behind", "_first")

    def __init__(self) -> None:
        #: By the element that they follow, and by the parent that they begin.
        self._behind: dict[Element, list[str]] = {}
        self._first: dict[Element, list[str]] = {}

    def keep(self, element: Element, parent: Element) -> None:
        tails = [element.tail or "", *self._behind.pop(element, ())]
        before = element.getprevious()
        places, place = (self._first, parent) if before is None else (self._behind, before)
        places.setdefault(place, []).extend(tails)
        element.tail = None

    def put(self) -> None:
        for before, tails in self._behind.items():
            before.tail = _settable((before.tail or "", *tails))
        for parent, tails in self._first.items():
            parent.text = _settable((parent.text or "", *tails))


def _settable(pieces: Iterable[str]) -> str:
    """The pieces as one, without the control characters that lxml reads from a page but refuses to be given."""
    return _NO_XML.sub("", "".join(pieces))


_NO_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@lru_cache(maxsize=8_192)
def _compile(selector: Selector) -> Find | None:
    try:
        if selector.kind is SelectorKind.XPATH:
            return _everywhere(
                etree.XPath(selector.expression, namespaces={"re": "http://exslt.org/regular-expressions"})
            )
        whole = cssselect.CSSSelector(selector.expression, translator="html")
        return _quick(selector.expression.strip(), whole) or _everywhere(whole)
    except (etree.XPathError, cssselect.SelectorError, ValueError):
        return None  # config.load has told the operator; a page must not fail over it


def _everywhere(xpath: etree.XPath) -> Find:
    return lambda tree: xpath(tree.root)


#: ``h1.detail__title``, ``.byline``, and either before a descendant (``.byline a:last-child``).
_CLASSES: Final = re.compile(r"([A-Za-z][A-Za-z0-9]*|)((?:\.[A-Za-z_][\w-]*)+)(?:\s+([A-Za-z.#\[][^,>+~]*))?")
#: ``[class^=inject-baca-juga]``.
_PARTLY: Final = re.compile(r"\[class([*^]?)=['\"]?([\w-]+)['\"]?\]")
#: ``meta[property='og:title']``.
_META: Final = re.compile(r"meta\[(name|property|itemprop)=['\"]?([\w:.-]+)['\"]?\]")


def _quick(expression: str, whole: etree.XPath) -> Find | None:
    """How to find the commonest kinds of selectors without looking at every element once more."""
    if meta := _META.fullmatch(expression):
        name, wanted = meta.groups()
        return lambda tree: [m for m in tree.metas() if m.get(name) == wanted]
    if part := _PARTLY.fullmatch(expression):
        return _Classed("", _part(*part.groups()), None, whole)
    if (named := _CLASSES.fullmatch(expression)) is None:
        return None
    below = None
    if named[3]:
        translator = cssselect.LxmlHTMLTranslator()
        below = etree.XPath(translator.css_to_xpath(named[3], prefix="descendant::"))
    return _Classed(named[1].lower(), _all_of(named[2][1:].split(".")), below, whole)


def _part(where: str, text: str) -> Callable[[str], bool]:
    if where == "^":
        return lambda value: value.startswith(text)
    return (lambda value: text in value) if where == "*" else (lambda value: value == text)


def _all_of(classes: list[str]) -> Callable[[str], bool]:
    first, wanted = classes[0], set(classes)
    return lambda value: first in value and wanted.issubset(value.split())


@dataclass(frozen=True, slots=True)
class _Classed:
    """A selector that begins with a class."""

    tag: str
    fits: Callable[[str], bool]
    #: What is looked for below the elements; None where they are what is asked for.
    below: etree.XPath | None
    whole: etree.XPath

    def __call__(self, tree: Tree) -> Any:
        classed = tree.by_class(self.fits)
        if classed is None:
            return self.whole(tree.root)
        if self.tag:
            classed = [element for element in classed if element.tag == self.tag]
        if self.below is None:
            return classed
        return list(dict.fromkeys(self._below(classed)))

    def _below(self, classed: list[Element]) -> Iterator[Element]:
        assert self.below is not None
        for element in classed[:_MAX_MATCHES]:
            yield from self.below(element)
