"""From the container's blocks to the body: what stays, what is dropped, and what kind it is."""

from __future__ import annotations

from collections.abc import Iterator

from crawlers.extract.blocks import Node, TextBlock, Walked
from storage.model import Block, BlockKind


def body_blocks(walked: Walked, container: Node) -> list[TextBlock]:
    """The blocks of the container that are the article's own."""
    kept = [b for b in _outside_junk(walked.blocks, container) if not _is_scrap(b)]
    while kept and kept[-1].kind is BlockKind.HEADING:
        kept.pop()
    return kept


def _outside_junk(blocks: list[TextBlock], node: Node) -> Iterator[TextBlock]:
    at = node.start
    for child in node.children:
        yield from blocks[at : child.start]
        if not child.junk:
            yield from _outside_junk(blocks, child)
        at = child.end
    yield from blocks[at : node.end]


def _is_scrap(block: TextBlock) -> bool:
    """A list of links, a label, a button."""
    size = len(block.text)
    if block.kind is BlockKind.HEADING:
        return block.tag == "h1" or block.linked > 0.8 * size
    if block.linked > 0.6 * size:
        return block.linked > 0.85 * size or size < 80
    if block.tag in {"p", "td", "th", "pre"}:
        return False
    return block.kind is BlockKind.PARAGRAPH and block.mass == 0 and size < 40


def as_blocks(kept: list[TextBlock]) -> tuple[Block, ...]:
    """Blocks as storage keeps them; the items of one list become one block."""
    result: list[Block] = []
    last: TextBlock | None = None
    for block in kept:
        if (
            block.kind is BlockKind.LIST
            and last is not None
            and last.kind is BlockKind.LIST
            and _same_list(block, last)
        ):
            result[-1] = Block(BlockKind.LIST, f"{result[-1].text}\n{block.text}")
        else:
            result.append(Block(block.kind, block.text))
        last = block
    return tuple(result)


def _same_list(one: TextBlock, other: TextBlock) -> bool:
    return _list_of(one.node) is _list_of(other.node)


def _list_of(node: Node) -> Node | None:
    up: Node | None = node
    while up is not None and up.tag not in {"ul", "ol", "dl"}:
        up = up.parent
    return up
