"""The body of a story out of the raw blocks of its page: clean, in order, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.model import Boilerplate
from crawlers.normalize.boilerplate import cut_tail, sift
from crawlers.normalize.byline import Byline, read_byline, strip_sign_off
from crawlers.normalize.dateline import Dateline, read_dateline
from crawlers.normalize.joined import split_front, split_glued, split_tail, strip_links
from crawlers.normalize.text import clean_line, clean_lines
from storage.model import Block, BlockKind

#: Bylines stand among the first or last blocks; ``Sumber:`` in the middle names the source of a table.
_FIRST, _LAST = 4, 10
#: Bounds on what is read of one page; the longest transcripts have half a million characters.
_MOST_BLOCKS, _MOST_TEXT = 10_000, 1_000_000
#: A paragraph of this length does not rightly occur twice.
_LONG_ENOUGH = 60


@dataclass(frozen=True, slots=True)
class Body:
    """What a reader reads, and what stood around it."""

    blocks: tuple[Block, ...]
    dateline: Dateline
    byline: Byline
    #: Titles of links that stood among the paragraphs.
    related: tuple[str, ...] = ()
    #: Person named in a sign-off of the form ``(Site.com/Name)``.
    signed: str | None = None


def read_body(
    blocks: Sequence[Block],
    *,
    rules: Boilerplate,
    brands: tuple[str, ...] = (),
    title: str = "",
    related: Iterable[str] = (),
    captions: Iterable[str] = (),
) -> Body:
    """Clean blocks without byline, boilerplate, links, dateline and sign-off.

    `related` and `captions` are lines known to be links and captions; a block that is one of them is dropped.
    """
    links = [line for line in map(clean_line, related) if line]
    lines = _split(_clean(blocks), brands)
    byline = _byline(lines)
    known = frozenset(line.casefold() for line in (*links, *map(clean_line, captions), title) if line)
    # Before the links: in one long line a title would run on into the words that end the text.
    found: list[str] = []
    sifted = sift(_without_links(cut_tail(lines, rules), links, found), rules, titles=known)
    story, dateline = _take_dateline(list(sifted.blocks), brands)
    story, signed = _take_sign_off(_each_once(story))
    return Body(tuple(_trim(story)), dateline, byline, tuple(dict.fromkeys((*found, *sifted.related))), signed)


def _clean(blocks: Sequence[Block]) -> list[Block]:
    cleaned: list[Block] = []
    room = _MOST_TEXT
    for block in blocks[:_MOST_BLOCKS]:
        clean = clean_lines if block.kind is BlockKind.LIST else clean_line
        text = clean(block.text[:room])
        room -= len(block.text)
        if text:
            cleaned.append(Block(block.kind, text))
        if room <= 0:
            break
    return cleaned


def _split(blocks: list[Block], brands: tuple[str, ...]) -> list[Block]:
    """Lines that ran together, apart."""
    parts: list[Block] = []
    last = len(blocks) - 1
    for index, block in enumerate(blocks):
        texts = [block.text]
        if block.kind is BlockKind.PARAGRAPH:
            texts = split_front(block.text, brands) if index < _FIRST else texts
            texts = [part for text in texts for part in split_glued(text)]
            texts = texts[:-1] + split_tail(texts[-1]) if index > last - _LAST else texts
        parts.extend(Block(block.kind, text) for text in texts)
    return parts


def _byline(blocks: list[Block]) -> Byline:
    found = Byline()
    for index, block in enumerate(blocks):
        if index < _FIRST or index >= len(blocks) - _LAST:
            found = found + (read_byline(block.text.replace("\n", " ")) or Byline())
    return found


def _without_links(blocks: list[Block], known: list[str], found: list[str]) -> list[Block]:
    """Paragraphs without the links inside them; their titles are added to `found`."""
    kept: list[Block] = []
    for block in blocks:
        # "Sumber: Reuters | Editor: …" is no link, and a name may end with a dot.
        if block.kind in {BlockKind.PARAGRAPH, BlockKind.QUOTE} and read_byline(block.text) is None:
            text, titles = strip_links(block.text, known)
            found.extend(titles)
            block = Block(block.kind, text)
        if block.text:
            kept.append(block)
    return kept


def _take_dateline(blocks: list[Block], brands: tuple[str, ...]) -> tuple[list[Block], Dateline]:
    """The dateline of the first paragraph; an element that is a dateline alone leaves no block."""
    first = next((i for i, block in enumerate(blocks) if block.kind is not BlockKind.HEADING), None)
    if first is None or blocks[first].kind is BlockKind.LIST:
        return blocks, Dateline("")
    dateline = read_dateline(blocks[first].text, brands)
    rest = [Block(blocks[first].kind, dateline.rest)] if dateline.rest else []
    blocks = blocks[:first] + rest + blocks[first + 1 :]
    if not rest and first < len(blocks) and blocks[first].kind is BlockKind.PARAGRAPH:
        # The dash, and at times the place, went into the next element.
        following = read_dateline(blocks[first].text, brands)
        if not (following.found and dateline.places):
            blocks[first] = Block(BlockKind.PARAGRAPH, following.rest or blocks[first].text)
            dateline = Dateline(
                following.rest,
                dateline.brand or following.brand,
                dateline.places or following.places,
                dateline.agency or following.agency,
            )
    return blocks, dateline


def _take_sign_off(blocks: list[Block]) -> tuple[list[Block], str | None]:
    last = next((i for i in range(len(blocks) - 1, -1, -1) if blocks[i].kind is not BlockKind.HEADING), None)
    if last is None:
        return blocks, None
    text, signed = strip_sign_off(blocks[last].text)
    rest = [Block(blocks[last].kind, text)] if text else []
    return blocks[:last] + rest + blocks[last + 1 :], signed


def _each_once(blocks: list[Block]) -> list[Block]:
    kept: dict[object, Block] = {}
    for index, block in enumerate(blocks):
        key: object = block.text if len(block.text) >= _LONG_ENOUGH else index
        kept.setdefault(key, block)
    return list(kept.values())


def _trim(blocks: list[Block]) -> list[Block]:
    """Headings that nothing follows belonged to what was taken away."""
    while blocks and blocks[-1].kind is BlockKind.HEADING:
        blocks = blocks[:-1]
    return blocks
