"""Which element holds the article: the deepest one with nearly all of the page's prose."""

from __future__ import annotations

import re
from typing import Final

from crawlers.extract.blocks import DOUBTFUL, Node, Walked

#: Share of a node's prose that a child must hold to be entered. Below it the rest (a lede in a box of its own,
#: one section among equals) is part of the article.
_ENTER: Final = 0.7
#: Elements that hold a piece of text, not a text: a page of one paragraph and a table is more than its paragraph.
_PARTS: Final = frozenset({"p", "li", "ul", "ol", "dl", "dd", "tr", "tbody", "blockquote", "pre", "h1", "h2", "h3"})
#: Junk inside junk inside junk is looked into this often.
_LAYERS: Final = 4
#: A comment thread, or the small print, may well be longer than the article above it.
_THREAD: Final = re.compile(r"comment|komentar|kommentar|disqus|respond|cookie|consent|gdpr", re.IGNORECASE)
_BESIDE: Final = re.compile(r"footer|related", re.IGNORECASE)
#: How much more prose than all the rest a named or headed subtree must hold, and one without either.
_TIMES: Final = 1.5
_MANY_TIMES: Final = 8
_NEARLY_ALL: Final = 0.8


def choose(walked: Walked) -> Node:
    """The container of the article's body; the root when nothing on the page is prose."""
    _rescue(walked)
    node = walked.root
    while True:
        heavy = max((c for c in node.children if not c.junk), key=lambda c: c.mass, default=None)
        if heavy is None or heavy.mass < _ENTER * node.mass or heavy.mass == 0 or heavy.tag in _PARTS:
            return node
        node = heavy


#: Prose, in characters and as a share of what is outside junk, from which a doubtful name is not believed.
_PROSE: Final = 200
_PROSE_SHARE: Final = 0.08
#: A page with less prose outside junk than this has its article inside it.
_BARE: Final = 250


def _rescue(walked: Walked) -> None:
    """Names lie: take back what is the article after all.

    That is a doubtful "junk" subtree full of prose, and the heaviest one of any name on a page with no prose
    elsewhere (a layout grid called ``sidebar-grid``, in several pieces).
    """
    for node in walked.junk:
        if node.junk == DOUBTFUL and node.whole >= max(_PROSE, _PROSE_SHARE * walked.root.mass):
            _believe(node)
    for _ in range(_LAYERS):
        heavy = max((n for n in _outermost_junk(walked.root)), key=lambda n: n.whole, default=None)
        if heavy is None or not heavy.whole or not _outweighs(heavy, walked):
            return
        for node in _outermost_junk(walked.root):
            if node is heavy or (node.label == heavy.label and node.tag == heavy.tag and node.depth == heavy.depth):
                _believe_within(node)


def _outweighs(heavy: Node, walked: Walked) -> bool:
    outside, blocks = walked.root.mass, walked.blocks
    if heavy.whole < _PROSE:
        return False
    if outside < _BARE:
        return True
    if _THREAD.search(heavy.label):
        return False
    if heavy.whole > _MANY_TIMES * outside:
        return True
    if heavy.whole <= _TIMES * outside or _BESIDE.search(heavy.label):
        return False
    return heavy.named or any(b.tag == "h1" for b in blocks[heavy.start : heavy.end])


def _believe_within(node: Node) -> None:
    """Believe it and what holds nearly all of it inside."""
    for inner in _outermost_junk(node):
        if inner.whole >= _NEARLY_ALL * node.whole:
            _believe_within(inner)
    _believe(node)


def _believe(node: Node) -> None:
    """Make it count as article."""
    node.junk = 0
    up = node.parent
    while up is not None:
        up.mass += node.mass
        if up.junk:
            break
        up = up.parent


def _outermost_junk(node: Node) -> list[Node]:
    found: list[Node] = []
    stack = list(node.children)
    while stack:
        each = stack.pop()
        if each.junk:
            found.append(each)
        else:
            stack.extend(each.children)
    return found
