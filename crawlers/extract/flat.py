"""Markup nested deeper than the parsers go, made shallow enough to be read whole.

No page of a news outlet is nested so deep on purpose, yet templates that forget to close an element in each of their
two thousand items exist, and all that follows would be lost.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

#: Elements inside one another that are kept.
_DEPTH: Final = 150
#: Tags read; what follows is cut, so that five megabytes of tags cost no more than a second.
_MAX_TAGS: Final = 400_000
_TAG: Final = re.compile(rb"<(/?)([a-z][^\s/>]*)", re.IGNORECASE)
#: Elements that hold no others, or that the next of their kind closes.
_UNCOUNTED: Final = frozenset(
    b"area base br col embed hr img input link meta param source track wbr p html head body title".split()
)
#: Their content is no markup.
_RAW: Final = frozenset({b"script", b"style"})


def flattened(data: bytes) -> bytes:
    """The markup without the tags that stand deeper than 150 elements, and without the end tags of nothing.

    All text, paragraphs and attributes stay.
    """
    kept: list[bytes] = []
    opened: Counter[bytes] = Counter()
    depth = done = at = 0
    for _ in range(_MAX_TAGS):
        if (tag := _TAG.search(data, at)) is None:
            kept.append(data[done:])
            return b"".join(kept)
        at, name = tag.end(), tag[2].lower()
        if name in _RAW and not tag[1]:
            at = _after(data, b"</" + name, at)
        elif name not in _UNCOUNTED:
            is_stray = bool(tag[1]) and not opened[name]
            if not is_stray:
                step = -1 if tag[1] else 1
                depth, opened[name] = depth + step, opened[name] + step
            if is_stray or depth + bool(tag[1]) > _DEPTH:
                kept += (data[done : tag.start()], b" ")
                done = at = _after(data, b">", at)
    kept.append(data[done:at])
    return b"".join(kept)


def _after(data: bytes, mark: bytes, at: int) -> int:
    found = data.find(mark, at)
    return len(data) if found < 0 else found + len(mark)
