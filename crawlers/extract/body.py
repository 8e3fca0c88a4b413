"""From the container's blocks to the body: what stays, what is dropped, and what kind it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from crawlers.extract.blocks import SURE, Node, TextBlock, Walked
from crawlers.extract.title import letters
from storage.model import Block, BlockKind


def body_blocks(walked: Walked, container: Node, descriptions: Iterable[str] = ()) -> list[TextBlock]:
    """The blocks of the container that are the article's own, the lede above it first.

    `descriptions` are the page's own summaries (meta, JSON-LD): the paragraph that repeats one is the lede.
    """
    kept = _once(b for b in _outside_junk(walked.blocks, container) if not _is_scrap(b))
    while kept and kept[-1].kind is BlockKind.HEADING:
        kept.pop()
    if kept:
        kept[:0] = _lede(walked.blocks[: container.start], descriptions)
    return kept


def _once(blocks: Iterable[TextBlock]) -> list[TextBlock]:
    """Without repetitions: pull quotes, captions printed for two screen widths, the lede again."""
    kept: list[TextBlock] = []
    seen: set[str] = set()
    for block in blocks:
        if len(block.text) < _SHORTEST or block.text not in seen:
            kept.append(block)
            seen.add(block.text)
    return kept


#: Blocks looked at above the container, and the size of a lede.
_ABOVE: Final = 25
_SHORTEST: Final = 40
#: Letters of a description that tell it from a name, and those of a dateline before its words (``Essen. Drei …``).
_TELLING: Final = 30
_BEFORE_LEDE: Final = 25
_LONGEST: Final = 1_500


def _lede(above: list[TextBlock], descriptions: Iterable[str]) -> list[TextBlock]:
    """The paragraphs between headline and container that belong to the text."""
    start = next((i for i in range(len(above) - 1, -1, -1) if above[i].tag == "h1"), None)
    low = start + 1 if start is not None else max(0, len(above) - _ABOVE)
    told = [words[:40] for words in map(letters, descriptions) if len(words) >= _TELLING]
    found = []
    for block in above[low:][-_ABOVE:]:
        if not _SHORTEST <= len(block.text) <= _LONGEST or block.linked > 0.3 * len(block.text):
            continue
        begins = letters(block.text[:160])
        repeats = any(0 <= begins.find(words) <= _BEFORE_LEDE for words in told)
        if repeats or (start is not None and _is_lede(block)):
            found.append(block)
    return found[:6]


def _is_lede(block: TextBlock) -> bool:
    node: Node | None = block.node
    named = False
    for _ in range(4):
        if node is None:
            break
        if node.junk == SURE:
            return False
        named = named or node.lede
        node = node.parent
    return named or (
        block.tag in {"p", "h2", "div"} and bool(block.mass or block.kind is BlockKind.HEADING) and _ends(block.text)
    )


def _ends(text: str) -> bool:
    return text.rstrip("\"'”’»)")[-1:] in {".", "!", "?", "…", "。"}


def _outside_junk(blocks: list[TextBlock], node: Node) -> Iterator[TextBlock]:
    """The container's blocks without those of junk subtrees."""
    junk: list[tuple[int, int]] = []
    stack = list(node.children)
    while stack:
        each = stack.pop()
        if each.junk:
            junk.append((each.start, each.end))
        else:
            stack += each.children
    at = node.start
    for start, end in sorted(junk):
        yield from blocks[at:start]
        at = end
    yield from blocks[at : node.end]


def _is_scrap(block: TextBlock) -> bool:
    """A list of links, a label, a button."""
    size = len(block.text)
    if block.kind is BlockKind.HEADING:
        return block.tag == "h1" or block.linked > 0.8 * size
    if block.linked > 0.6 * size:
        return block.linked > 0.85 * size or not _ends(block.text)
    if size <= _NOTICE and _is_notice(block.text):
        return True
    if block.tag in {"p", "td", "th", "pre"}:
        return False
    return block.kind is BlockKind.PARAGRAPH and block.mass == 0 and size < 40 and not _is_dateline(block.text)


def _is_dateline(text: str) -> bool:
    return text[-1] in "-–—" and _DATELINE.fullmatch(text) is not None


#: ``<strong>Jakarta</strong> -`` before the first paragraph, in no element of its own (Detik, CNN Indonesia).
_DATELINE: Final = re.compile(r"[A-Z][\w .,'/()]{2,60} ?(?:--|[-–—])")


#: What outlets print under their articles, in so many words, and its greatest length.
_NOTICE: Final = 400
_NOTICES: Final = re.compile(
    r"sign up (?:for|to|here)|subscribe to (?:our|the)|(?:our|free|daily|weekly) newsletters?\b|follow us on|"
    r"download (?:our|the) (?:free )?app\b|click here to (?:sign|subscribe|read|join)|all rights reserved|"
    r"(?:story|article|post|piece) (?:was )?(?:originally |first )?(?:appeared|published) (?:on|in|at)\b|"
    r"independently (?:selected|chosen|reviewed)|"
    r"we may (?:earn|receive|get) (?:a |an )?(?:small )?(?:affiliate )?(?:commission|payment)|"
    r"may not be (?:reproduced|published, broadcast)|for informational purposes only|"
    r"comments on this (?:piece|article)|"
    r"^(?:copyright )?(?:©|\(c\)|copyright) ?(?:\d{4}|by )|our standards: the thomson reuters|"
    r"can be reached (?:at|on) \S+@|skip past newsletter|^follow your favorites|"
    r"^(?:thanks|thank you) for (?:contacting|subscribing|signing up)|we(?:'|’)ve received your submission|"
    r"this video has failed to load|try refreshing your browser|"
    r"create (?:a free |an )?account or sign in|sign in (?:to|or) (?:unlock|create)|"
    r"^recommended (?:by our editors|videos|reading)$|"
    r"abonnieren sie|melden sie sich .{0,30}newsletter an|google news (?:dan|&) |"
    r"ikuti .{0,40}(?:whatsapp|telegram|google news)|"
    r"s'abonner à|inscrivez-vous à|suscríbete|inscreva-se|iscriviti alla",
    re.IGNORECASE,
)


#: One of these stands in every notice; looking for them first is ten times cheaper.
_TELLTALES: Final = (
    "sign up",
    "subscribe to",
    "newsletter",
    "follow us",
    "download",
    "click here",
    "rights reserved",
    "appeared",
    "published",
    "independently",
    "commission",
    "affiliate",
    "reproduced",
    "informational",
    "comments on",
    "copyright",
    "©",
    "(c)",
    "our standards",
    "reached",
    "thank",
    "submission",
    "skip past",
    "favorites",
    "failed to load",
    "refreshing",
    "sign in",
    "account",
    "recommended",
    "abonn",
    "google news",
    "ikuti",
    "inscri",
    "suscr",
    "inscrev",
    "iscriv",
)


def _is_notice(text: str) -> bool:
    folded = text.lower()
    for word in _TELLTALES:  # a loop: it is asked of every block, and a generator takes twice the time
        if word in folded:
            return bool(_NOTICES.search(text))
    return False


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
