"""As many texts as are read, of what may be endless on a hostile page."""

from __future__ import annotations

from collections.abc import Iterable


def enough(texts: Iterable[str], characters: int) -> list[str]:
    """The texts that are not empty, up to the one with which they have so many characters together."""
    found, size = [], 0
    for text in texts:
        if text:
            found.append(text)
            size += len(text)
        if size >= characters:
            break
    return found
