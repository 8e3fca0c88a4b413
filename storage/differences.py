"""What changed between two texts, word by word, in bounded time. Pure.

Lines are compared first, then the words of those that changed. What is too long for words is told by lines, and what
is too long for lines as a whole. difflib leaves words that stand everywhere out as anchors (``autojunk``): with them
a text of one word repeated takes minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

#: Words of two changed passages together that are compared word by word, and lines of two texts line by line.
WORDS = 3_000
LINES = 4_000
#: Words of all changed passages that are compared word by word.
ALL_WORDS = 30_000

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


class Piece(NamedTuple):
    """A run of text."""

    #: ``=`` stands in both, ``-`` went, ``+`` came.
    op: str
    text: str


def differences(old: str, new: str) -> tuple[Piece, ...]:
    """How `old` became `new`; the pieces without ``+`` give `old` again, those without ``-`` give `new`."""
    if old == new:
        return (Piece("=", old),) if old else ()
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    if len(before) + len(after) > LINES:
        return tuple(_merged([Piece("-", old), Piece("+", new)]))
    return tuple(_merged(_by_lines(before, after)))


def _by_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[Piece]:
    left = ALL_WORDS
    for tag, a, b, c, d in SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            yield Piece("=", "".join(before[a:b]))
            continue
        was, now = _WORDS.findall("".join(before[a:b])), _WORDS.findall("".join(after[c:d]))
        yield from _by_words(was, now, min(WORDS, left))
        left -= min(left, len(was) + len(now))


def _by_words(before: Sequence[str], after: Sequence[str], most: int) -> Iterator[Piece]:
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    yield Piece("=", "".join(before[:start]))
    was, now = before[start : len(before) - end], after[start : len(after) - end]
    if was and now and len(was) + len(now) <= most:
        for tag, a, b, c, d in SequenceMatcher(_is_blank, was, now).get_opcodes():
            if tag == "equal":
                yield Piece("=", "".join(was[a:b]))
            else:
                yield Piece("-", "".join(was[a:b]))
                yield Piece("+", "".join(now[c:d]))
    else:
        yield Piece("-", "".join(was))
        yield Piece("+", "".join(now))
    yield Piece("=", "".join(before[len(before) - end :]))


def _is_blank(word: str) -> bool:
    """Whether a token anchors no match by itself: every two texts share blanks."""
    return word.isspace()


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many tokens both begin with."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length


def _merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one, a blank between two changes as part of both; empty ones left out."""
    went, came, same = "", "", ""
    for op, text in pieces:
        if not text:
            continue
        if op == "=" and not (text.isspace() and "\n" not in text and (went or came)):
            if went or came:
                yield from _changed(went, came)
                went = came = ""
            same += text
            continue
        if same:
            yield Piece("=", same)
            same = ""
        went += text if op in "-=" else ""
        came += text if op in "+=" else ""
    yield from _changed(went, came)
    if same:
        yield Piece("=", same)


def _changed(went: str, came: str) -> Iterator[Piece]:
    if went == came:
        if went:
            yield Piece("=", went)
        return
    if went:
        yield Piece("-", went)
    if came:
        yield Piece("+", came)


def shortened(pieces: Sequence[Piece], around: int) -> tuple[Piece, ...]:
    """The same with what stands in both cut to `around` characters beside a change, at words."""
    out = []
    for position, (op, text) in enumerate(pieces):
        first, last = position == 0, position == len(pieces) - 1
        if op != "=" or len(text) <= around * (1 if first or last else 2) + 3:
            out.append(Piece(op, text))
            continue
        head = "" if first else text[:around].rsplit(" ", 1)[0] + " "
        tail = "" if last else " " + text[-around:].split(" ", 1)[-1]
        out.append(Piece("=", f"{head}…{tail}"))
    return tuple(out)
