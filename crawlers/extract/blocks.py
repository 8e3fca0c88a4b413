"""One walk over a page: what its blocks of text are, and which element holds which of them.

The walk gives a flat list of blocks and a light tree of the elements that hold any, each with the range of
its blocks and the mass of its paragraphs. Everything later (container, cleaning) works on these, not on lxml.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from crawlers.extract.labels import BODY, BYLINE, DATED, JUNK, LEDE, MENU, WEAK, verdict
from crawlers.extract.parse import Element
from storage.model import BlockKind

#: Depth at which the rest of a branch is read as one run of text; real pages stay below 100.
MAX_DEPTH: Final = 180
#: Blocks read from one page.
MAX_BLOCKS: Final = 20_000
#: Elements kept for being named like a date or a byline.
_MAX_MARKED: Final = 60
#: Longer ids are made of a heading's words.
_MAX_ID: Final = 40

_INLINE: Final = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "label",
        "mark",
        "nobr",
        "q",
        "ruby",
        "rb",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
        "tag",
    ]
)
#: Never part of an article's words.
_SKIP: Final = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "canvas",
        "audio",
        "video",
        "map",
        "select",
        "option",
        "button",
        "textarea",
        "input",
        "nav",
        "menu",
        "dialog",
        "figcaption",
        "picture",
        "source",
        "track",
        "head",
        "meta",
        "link",
        "title",
        "base",
        "datalist",
        "progress",
        "meter",
        "rp",
        "rt",
        "amp-ad",
        "amp-sidebar",
        "amp-analytics",
        "amp-img",
        "amp-video",
    ]
)
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})

_HIDDEN_STYLE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
#: React sends late parts of a page hidden and moves them into place (``<div hidden id="S:1">``).
_STREAMED: Final = re.compile(r"S:[0-9a-f]")
_AUTHOR_PAGE: Final = re.compile(
    r"/(?:authors?|autor(?:en)?|auteur|penulis|profile|people|staff|columnists?|contributors?|writers?|by|journalist)/."
)
_SENTENCE: Final = re.compile(r"[.!?…।。！？؟][\"'”’»)\]]*(?:\s|$)")
_JUNK_TAGS: Final = {"aside": 2, "footer": 2, "form": 1, "address": 2, "figure": 1}
#: Degrees of :attr:`Node.junk`.
DOUBTFUL: Final = 1
SURE: Final = 2
_LINKY: Final = 0.5


@dataclass(slots=True)
class TextBlock:
    """A run of text between two block boundaries."""

    kind: BlockKind
    text: str
    #: Characters of `text` inside links.
    linked: int
    #: Name of the element that holds the run: p, div, li, td, h2, blockquote …
    tag: str
    #: The innermost node that holds it.
    node: Node
    #: Address of its first link.
    href: str | None = None
    #: Length of text that reads like prose; 0 for headings, link lists and scraps.
    mass: int = 0


@dataclass(slots=True, eq=False)
class Node:
    """An element that holds blocks."""

    tag: str
    #: Its ``class`` and ``id``, for the words in them.
    label: str
    parent: Node | None
    depth: int
    #: Its blocks are ``blocks[start:end]``.
    start: int
    end: int = 0
    #: Sum of its blocks' mass, junk subtrees left out.
    mass: int = 0
    #: `SURE` or `DOUBTFUL` when tag, class or style say it is not the article, else 0.
    junk: int = 0
    #: Its class names the lines between headline and text.
    lede: bool = False
    #: Its class names the article's text, or that of a node inside does.
    named: bool = False
    #: Mass inside, junk or not.
    whole: int = 0
    children: list[Node] = field(default_factory=list)
    element: Element = None


@dataclass(frozen=True, slots=True)
class Marked:
    """An element named like a date or a byline, and how many blocks stand before it."""

    element: Element
    at: int


@dataclass(slots=True)
class Walked:
    """All blocks of a page in reading order and the tree over them."""

    blocks: list[TextBlock]
    root: Node
    #: Junk nodes, outermost only.
    junk: list[Node]
    #: Elements named like dates, and ``time`` elements.
    dated: list[Marked]
    #: Elements named like bylines, and links to an author's page.
    bylines: list[Marked]


def walk(elements: Sequence[Element], stop_comment: str | None = None) -> Walked:
    """Collect the blocks of these elements in turn, up to the first comment that holds `stop_comment`."""
    return _Walker(stop_comment).run(elements)


#: Stands for ``<br>`` in an open run; no page text holds it (the parsers drop it).
_BREAK: Final = "\x0b"


class _Walker:
    """State of one walk: the run of text that is open, and where we are."""

    def __init__(self, stop_comment: str | None) -> None:
        self._stop = stop_comment.strip() if stop_comment else None
        self._done = False
        self._blocks: list[TextBlock] = []
        self._junk: list[Node] = []
        self._run: list[str] = []
        self._linked = 0
        self._href: str | None = None
        self._link = 0
        self._junk_depth = 0
        self._quote = 0
        self._dated: list[Marked] = []
        self._bylines: list[Marked] = []

    def run(self, elements: Sequence[Element]) -> Walked:
        node = Node(tag="", label="", parent=None, depth=0, start=0, element=elements[0])
        for element in elements:
            if not self._done:
                self._block(element, "", node, 0)
        node.end = len(self._blocks)
        return Walked(self._blocks, node, self._junk, self._dated, self._bylines)

    def _inside(self, element: Element, node: Node, depth: int) -> None:
        run = self._run
        text = element.text
        if text and (run or not text.isspace()):
            run.append(text)
            if self._link:
                self._linked += len(text.strip())
        for child in element:
            if self._done:
                return
            tag = child.tag
            if tag.__class__ is not str:
                if self._stop is not None and tag is etree.Comment and self._stop in (child.text or ""):
                    self._done = True
                    return
            elif tag in _INLINE:
                self._inline(child, tag, node, depth)
            elif tag == "br":
                self._line_break(node)
            elif tag not in _SKIP:
                self._block(child, tag, node, depth)
            text = child.tail
            if text and (run or not text.isspace()):
                run.append(text)
                if self._link:
                    self._linked += len(text.strip())

    def _text(self, text: str) -> None:
        self._run.append(text)
        if self._link:
            self._linked += len(text.strip())

    def _inline(self, element: Element, tag: str, node: Node, depth: int) -> None:
        if tag == "time":
            self._mark(element, DATED)
        if names := element.keys():
            if "class" in names and (flags := verdict(element.get("class"))):
                self._mark(element, flags)
                if flags & (JUNK | WEAK) == JUNK and tag != "a":
                    return
            if _is_hidden(element, names):
                return
        if depth >= MAX_DEPTH:
            self._text("".join(element.itertext()))
        elif tag == "a":
            href = element.get("href") or ""
            if self._href is None:
                self._href = href
            if _AUTHOR_PAGE.search(href) or element.get("rel") == "author":
                self._mark(element, BYLINE)
            # a heading that links to itself, so that readers can copy its address, is still a heading
            counts = not (href.startswith("#") and node.tag in _HEADINGS)
            self._link += counts
            self._inside(element, node, depth + 1)
            self._link -= counts
        else:
            self._inside(element, node, depth + 1)

    def _mark(self, element: Element, flags: int) -> None:
        if flags & DATED and len(self._dated) < _MAX_MARKED:
            self._dated.append(Marked(element, len(self._blocks)))
        if flags & BYLINE and len(self._bylines) < _MAX_MARKED:
            self._bylines.append(Marked(element, len(self._blocks)))

    def _line_break(self, node: Node) -> None:
        """Two in a row are a paragraph's end on pages without ``<p>``."""
        for piece in reversed(self._run):
            if piece == _BREAK:
                self._flush(node)
                return
            if not piece.isspace():
                break
        self._run.append(_BREAK)

    def _block(self, element: Element, tag: str, parent: Node, depth: int) -> None:
        if self._run:
            self._flush(parent)
        if depth >= MAX_DEPTH:
            self._run.append(" ".join(element.itertext()))
            self._flush(parent)
            return
        names = element.keys()
        if not names and not len(element) and not element.text:
            return
        node = Node(tag, "", parent, parent.depth + 1, len(self._blocks), 0, 0, _JUNK_TAGS.get(tag, 0))
        node.element = element
        # the element that was asked for is read whatever it is called, and so is a body that a script shows later
        if names and tag and tag != "body" and not self._named(element, tag, node, names):
            return
        junk = node.junk > 0
        outermost = junk and not self._junk_depth
        self._junk_depth += junk
        self._quote += tag == "blockquote"
        self._inside(element, node, depth + 1)
        if self._run:
            self._flush(node)
        self._quote -= tag == "blockquote"
        self._junk_depth -= junk
        node.end = len(self._blocks)
        if node.end > node.start:
            self._keep(node, parent, outermost)

    def _named(self, element: Element, tag: str, node: Node, names: list[str]) -> bool:
        """Judge an element by its names, of these attributes; False for a menu, which is not entered."""
        if _is_hidden(element, names):
            node.junk = SURE
        label = element.get("class") if "class" in names else ""
        # a heading's id is made of its words: "share-ware-on-sale" is no share bar
        if "id" in names and tag not in _HEADINGS and len(name := element.get("id")) <= _MAX_ID and name:
            label = f"{label} {name}"
        if label and (flags := verdict(label)):
            if flags & MENU and tag in {"ul", "ol"}:
                return False
            if flags & JUNK and not node.junk:
                node.junk = DOUBTFUL if flags & (WEAK | LEDE) else SURE
            node.lede = bool(flags & LEDE)
            node.named = bool(flags & BODY)
            self._mark(element, flags)
        node.label = label
        return True

    def _keep(self, node: Node, parent: Node, outermost: bool) -> None:
        parent.children.append(node)
        parent.named = parent.named or node.named
        parent.whole += node.whole
        if outermost:
            self._junk.append(node)
        if not node.junk:
            parent.mass += node.mass

    def _flush(self, node: Node) -> None:
        text = " ".join("".join(self._run).split())
        self._run.clear()
        linked, self._linked = self._linked, 0
        href, self._href = self._href, None
        if not text:
            return
        linked = min(linked, len(text))
        kind = self._kind(node.tag, node)
        block = TextBlock(kind, text, linked, node.tag, node, href)
        if kind is not BlockKind.HEADING:
            block.mass = _mass(text, linked, node.tag)
            node.mass += block.mass
            node.whole += block.mass
        self._blocks.append(block)
        if len(self._blocks) >= MAX_BLOCKS:
            self._done = True

    def _kind(self, tag: str, node: Node) -> BlockKind:
        if tag in _HEADINGS:
            return BlockKind.HEADING
        if self._quote:
            return BlockKind.QUOTE
        up = node
        for _ in range(3):
            if up.tag in {"li", "dd", "dt"}:
                return BlockKind.LIST
            if up.parent is None:
                break
            up = up.parent
        return BlockKind.PARAGRAPH


def _mass(text: str, linked: int, tag: str) -> int:
    """How much prose a run is: its length outside links, nothing for scraps without a sentence."""
    size = len(text)
    if linked > _LINKY * size:
        return 0
    if tag == "p":
        return size - linked if size >= 25 or _SENTENCE.search(text) else 0
    if size >= 60 and _SENTENCE.search(text):
        return size - linked
    return 0


def _is_hidden(element: Element, names: list[str]) -> bool:
    """Whether its attributes, of these names, say that a reader does not see it."""
    if not _HIDING.isdisjoint(names):
        return _hides(element)
    return False


#: Asking an element for its attributes one by one costs more than all else that is done with most elements.
_HIDING: Final = frozenset({"hidden", "aria-hidden", "style"})


def _hides(element: Element) -> bool:
    get = element.get
    if (get("hidden") is not None and not _STREAMED.match(get("id") or "")) or get("aria-hidden") == "true":
        return True
    style = get("style")
    return style is not None and _HIDDEN_STYLE.search(style) is not None
