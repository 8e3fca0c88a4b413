"""Which element holds the article: the deepest one with nearly all of the page's prose."""

from __future__ import annotations

from typing import Final

from crawlers.extract.blocks import Node, Walked

#: Share of a node's prose that a child must hold to be entered. Below it the rest (a lede in a box of its own,
#: one section among equals) is part of the article.
_ENTER: Final = 0.7


def choose(walked: Walked) -> Node:
    """The container of the article's body; the root when nothing on the page is prose."""
    _rescue(walked)
    node = walked.root
    while True:
        heavy = max((c for c in node.children if not c.junk), key=lambda c: c.mass, default=None)
        if heavy is None or heavy.mass < _ENTER * node.mass or heavy.mass == 0:
            return node
        node = heavy


def _rescue(walked: Walked) -> None:
    """Names lie: a "junk" subtree that holds most of the prose of the page is the article."""
    while walked.junk:
        heavy = max(walked.junk, key=lambda n: n.whole)
        if heavy.whole <= walked.root.mass or heavy.whole == 0:
            return
        walked.junk.remove(heavy)
        heavy.junk = False
        walked.junk.extend(_outermost_junk(heavy))
        up = heavy.parent
        while up is not None:
            up.mass += heavy.mass
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
