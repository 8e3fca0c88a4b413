"""The surroundings of an article on its page, where its byline and its date stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crawlers.extract.blocks import Marked, TextBlock
from crawlers.extract.parse import Element
from crawlers.extract.title import letters

#: Blocks before the headline, after it, after the start and around the end of the text that are looked at.
_BEFORE: Final = 8
_AFTER_HEADLINE: Final = 20
_AFTER_START: Final = 4
_BEFORE_END: Final = 3
_AFTER_END: Final = 8


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Ranges of block numbers.

    Cards of other articles carry bylines and dates too; where one stands tells whose it is.
    """

    low: int
    high: int
    end: int

    def near(self, marked: Sequence[Marked]) -> list[Element]:
        """Those between headline and text, else those about the end of the text."""
        return [m.element for m in marked if self.low <= m.at <= self.high] or self.late(marked)

    def late(self, marked: Sequence[Marked]) -> list[Element]:
        """Those about the end of the text."""
        return [m.element for m in marked if self.end - _BEFORE_END <= m.at <= self.end + _AFTER_END]

    def lines(self, blocks: Sequence[TextBlock]) -> list[TextBlock]:
        """The blocks between headline and text, then those about its end."""
        high = max(0, self.high)
        low = max(high, self.end - _BEFORE_END)
        return [*blocks[max(0, self.low) : high], *blocks[low : max(low, self.end + _AFTER_END)]]


def surroundings(blocks: Sequence[TextBlock], title: str | None, start: int, end: int) -> Surroundings:
    """Around the heading that is the title and the text in ``blocks[start:end]``."""
    wanted = letters(title or "")
    heads = [i for i, b in enumerate(blocks) if b.tag == "h1"]
    headline = next((i for i in heads if letters(blocks[i].text) == wanted), heads[0] if heads else None)
    if headline is None or headline > end:
        headline = max(0, start - _AFTER_HEADLINE)
    return Surroundings(headline - _BEFORE, max(start + _AFTER_START, headline + _AFTER_HEADLINE), end)
