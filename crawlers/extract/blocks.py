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

from crawlers.extract.parse import Element
from storage.model import BlockKind

#: Depth at which the rest of a branch is read as one run of text; real pages stay below 100.
MAX_DEPTH: Final = 180
#: Blocks read from one page.
MAX_BLOCKS: Final = 20_000

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
        "rt",
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
        "amp-ad",
        "amp-sidebar",
        "amp-analytics",
        "amp-img",
        "amp-video",
    ]
)
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})

#: Words of class and id that name what is not the article. Learned from pages whose text came out with
#: share bars, newsletter forms, comment threads, author boxes and "more on this" lists in it.
_JUNK: Final = re.compile(
    r"""(?:^|[\s_-])(?:
      share|sharing|shares|social|sosmed|socials|sharebar|addtoany|sharedaddy|
      comments?|komentar|disqus|kommentare|reactions?|respond|
      related|relateds?|recirc\w*|recommend\w*|outbrain|taboola|mgid|dable|jp-relatedposts|
      read-?more|readmore|baca-?juga|bacajuga|lihatjuga|terkait|terkini|terpopuler|more-?(?:on|news|stories|from|articles)|
      most-?(?:read|popular|viewed)|popular|trending|teasers?|
      newsletter\w*|subscri(?:be|ption)\w*|signup|sign-up|paywall-?(?:banner|box|cta|message)|donat(?:e|ion)\w*|
      advert\w*|ads?|adslot|adbox|ad-?(?:container|wrapper|unit|slot|banner|placeholder)|iklan|banner|promo\w*|sponsor\w*|
      breadcrumbs?|breadcumb|pagination|pager|paging|
      side-?bar|footer|foot|masthead|navbar|navigation|nav|menu|toolbar|
      cookie\w*|consent|gdpr|modal|popup|pop-?up|overlay|lightbox|
      tags?|tag-?(?:list|cloud|s)|keywords|topics?-?list|
      caption\w*|wp-caption-text|credits?|copyright|
      author-?(?:box|bio|info|card|profile|about)|about-?(?:the-?)?author|bio|biography|
      byline|by-line|dateline-?time|timestamp|publish\w*-?date|post-?(?:meta|date|tags|nav|author|footer)|entry-?(?:meta|footer)|
      skip-?link|visually-?hidden|sr-only|screen-reader\w*|hidden|print-?only|noprint|no-print|
      toc|table-of-contents|ez-toc\w*|rating\w*|widget\w*|poll|quiz|gallery|slideshow|carousel|player|video-?player|
      login|register|search\w*|feedback|app-?(?:promo|download)|disclaimer|infobox-?links|jump-?links
    )(?:$|[\s_-])""",
    re.IGNORECASE | re.VERBOSE,
)
#: The page's own words for the article win over the list above (``article-body related-topics``).
_KEEP: Final = re.compile(
    r"article-?_?(?:body|content|text|main)|articlebody|post-?_?(?:body|content)|entry-?_?content|story-?_?(?:body|content)|"
    r"main-?_?content|content-?_?body|page-?_?content",
    re.IGNORECASE,
)
_HIDDEN_STYLE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"[.!?…।。！？؟][\"'”’»)\]]*(?:\s|$)")
_JUNK_TAGS: Final = frozenset({"aside", "footer", "form", "address", "figure"})
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
    #: True when tag, class or style say it is not the article.
    junk: bool = False
    #: Mass inside, junk or not.
    whole: int = 0
    children: list[Node] = field(default_factory=list)
    element: Element = None

    def within(self, other: Node) -> bool:
        """Whether this node is `other` or lies inside it."""
        node: Node | None = self
        while node is not None and node.depth >= other.depth:
            if node is other:
                return True
            node = node.parent
        return False


@dataclass(slots=True)
class Walked:
    """All blocks of a page in reading order and the tree over them."""

    blocks: list[TextBlock]
    root: Node
    #: Junk nodes, outermost only.
    junk: list[Node]


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

    def run(self, elements: Sequence[Element]) -> Walked:
        node = Node(tag="", label="", parent=None, depth=0, start=0, element=elements[0])
        for element in elements:
            if not self._done:
                self._block(element, "", node, 0)
        node.end = len(self._blocks)
        return Walked(self._blocks, node, self._junk)

    def _inside(self, element: Element, node: Node, depth: int) -> None:
        text = element.text
        if text and (self._run or not text.isspace()):
            self._text(text)
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
            if text and (self._run or not text.isspace()):
                self._text(text)

    def _text(self, text: str) -> None:
        self._run.append(text)
        if self._link:
            self._linked += len(text.strip())

    def _inline(self, element: Element, tag: str, node: Node, depth: int) -> None:
        if element.attrib and (_is_hidden(element) or (tag != "a" and _junk_label(element.get("class") or ""))):
            return
        if depth >= MAX_DEPTH:
            self._text("".join(element.itertext()))
        elif tag == "a":
            self._link += 1
            if self._href is None:
                self._href = element.get("href") or ""
            self._inside(element, node, depth + 1)
            self._link -= 1
        else:
            self._inside(element, node, depth + 1)

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
        label = ""
        junk = tag in _JUNK_TAGS
        # the element that was asked for is read whatever it is called, and so is a body that a script shows later
        if tag and tag != "body" and element.attrib:
            if _is_hidden(element):
                return
            label = f"{element.get('class') or ''} {element.get('id') or ''}".strip()
            if label and not junk:
                junk = _junk_label(label)
        node = Node(tag, label, parent, parent.depth + 1, len(self._blocks), junk=junk, element=element)
        outermost = junk and not self._junk_depth
        self._junk_depth += junk
        self._quote += tag == "blockquote"
        self._inside(element, node, depth + 1)
        if self._run:
            self._flush(node)
        self._quote -= tag == "blockquote"
        self._junk_depth -= junk
        node.end = len(self._blocks)
        if node.end == node.start:
            return
        parent.children.append(node)
        parent.whole += node.whole
        if outermost:
            self._junk.append(node)
        if not junk:
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


_labels: dict[str, bool] = {}


def _junk_label(label: str) -> bool:
    known = _labels.get(label)
    if known is None:
        if len(_labels) > 20_000:
            _labels.clear()
        short = label[:400]
        known = _labels[label] = bool(_JUNK.search(short)) and not _KEEP.search(short)
    return known


def _is_hidden(element: Element) -> bool:
    get = element.get
    if get("hidden") is not None or get("aria-hidden") == "true":
        return True
    style = get("style")
    return style is not None and _HIDDEN_STYLE.search(style) is not None
