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

from cssselect import parser
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
        if selector.kind is SelectorKind.CSS:
            return _css(selector.expression.strip())
        return _everywhere(etree.XPath(selector.expression, namespaces={"re": "http://exslt.org/regular-expressions"}))
    except (etree.XPathError, cssselect.SelectorError, ValueError):
        return None  # config.load has told the operator; a page must not fail over it


def _everywhere(xpath: etree.XPath) -> Find:
    return lambda tree: xpath(tree.root)


#: ``[class^=inject-baca-juga]``.
_PARTLY: Final = re.compile(r"\[class([*^]?)=['\"]?([\w-]+)['\"]?\]")
#: ``meta[property='og:title']``.
_META: Final = re.compile(r"meta\[(name|property|itemprop)=['\"]?([\w:.-]+)['\"]?\]")


def _css(expression: str) -> Find:
    """How to find what a CSS selector names. Raises SelectorError."""
    whole = cssselect.CSSSelector(expression, translator="html")
    if meta := _META.fullmatch(expression):
        name, wanted = meta.groups()
        return lambda tree: [m for m in tree.metas() if m.get(name) == wanted]
    if part := _PARTLY.fullmatch(expression):
        return _Classed("", _part(*part.groups()), whole)
    several = parser.parse(expression)
    if len(several) != 1:
        return _everywhere(whole)
    first, *below = _steps(several[0].parsed_tree)
    start = _classed(first) or _everywhere(_xpath(first, "descendant-or-self::"))
    return _Below(start, tuple(_xpath(step, "descendant::") for step in below)) if below else start


def _steps(tree: parser.Tree) -> list[parser.Tree]:
    """``div.a p > b i`` as ``div.a``, ``p > b`` and ``i``: each is looked for below the one before."""
    if not isinstance(tree, parser.CombinedSelector):
        return [tree]
    *before, last = _steps(tree.selector)
    if tree.combinator == " ":
        return [*before, last, tree.subselector]
    return [*before, parser.CombinedSelector(last, tree.combinator, tree.subselector)]


def _xpath(step: parser.Tree, prefix: str) -> etree.XPath:
    return etree.XPath(cssselect.LxmlHTMLTranslator().selector_to_xpath(parser.Selector(step), prefix=prefix))


def _classed(step: parser.Tree) -> _Classed | None:
    """``h1.detail__title`` and ``.byline`` without looking at every element once more."""
    whole, classes = step, []
    while isinstance(step, parser.Class):
        classes.append(step.class_name)
        step = step.selector
    if not classes or not isinstance(step, parser.Element) or step.namespace:
        return None
    return _Classed((step.element or "").lower(), _all_of(classes), _xpath(whole, "descendant-or-self::"))


def _part(where: str, text: str) -> Callable[[str], bool]:
    if where == "^":
        return lambda value: value.startswith(text)
    return (lambda value: text in value) if where == "*" else (lambda value: value == text)


def _all_of(classes: list[str]) -> Callable[[str], bool]:
    first, wanted = classes[0], set(classes)
    return lambda value: first in value and wanted.issubset(value.split())


@dataclass(frozen=True, slots=True)
class _Classed:
    """A selector that is a class."""

    tag: str
    fits: Callable[[str], bool]
    whole: etree.XPath

    def __call__(self, tree: Tree) -> Any:
        classed = tree.by_class(self.fits)
        if classed is None:
            return self.whole(tree.root)
        return [element for element in classed if element.tag == self.tag] if self.tag else classed


@dataclass(frozen=True, slots=True)
class _Below:
    """What is found below what is found.

    Of matches within one another the outermost is asked: all that is below the others is below it. XPath asks each,
    and takes quadratic time for it: ``#isi p`` took 7 s on a page of five megabytes whose ``#isi`` were never closed.
    """

    first: Find
    below: tuple[etree.XPath, ...]

    def __call__(self, tree: Tree) -> Any:
        found = self.first(tree)
        for xpath in self.below:
            found = [match for element in _outermost(found) for match in xpath(element)]
        return found


def _outermost(found: Iterable[Element]) -> Iterator[Element]:
    """Of elements in the order of the page those that are not within another of them."""
    last = None
    for element in found:
        if last is None or all(above is not last for above in element.iterancestors()):
            last = element
            yield element
