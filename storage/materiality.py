"""How much of a story a revision concerns: one number from 0 to 1, from title, figures and text. Pure.

    1 - (1 - 0.6 √title) (1 - 0.6 √figures) (1 - text)

`title` is the share of the headline's words that changed, `figures` that of the numbers in title and text, `text` that
of the text's words. The root lets one changed figure of many weigh: it is what readers act upon. A corrected comma is
about 0, one figure of ten about 0.3, another headline about 0.5, another text 1.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

#: Most that headline and figures alone can make of it.
WEIGHT = 0.6
#: A correction is material by the outlet's own word.
CORRECTED = 0.5

_WORD = re.compile(r"\w+(?:[.,]\w+)*")
_FIGURE = re.compile(r"\d+(?:[.,:/]\d+)*")


@dataclass(frozen=True, slots=True)
class Materiality:
    """The score and its parts."""

    score: float
    title: float
    figures: float
    text: float
    #: Words of the text more (or fewer) than before.
    words: int


def materiality(old_title: str, old_text: str, new_title: str, new_text: str) -> Materiality:
    """Judge a revision by what it was before and what it is now."""
    before, after = _WORD.findall(old_text), _WORD.findall(new_text)
    title = _changed(_WORD.findall(old_title), _WORD.findall(new_title))
    figures = _changed(_FIGURE.findall(f"{old_title}\n{old_text}"), _FIGURE.findall(f"{new_title}\n{new_text}"))
    text = _changed(before, after)
    kept = (1 - WEIGHT * math.sqrt(title)) * (1 - WEIGHT * math.sqrt(figures)) * (1 - text)
    return Materiality(round(1 - kept, 3), round(title, 3), round(figures, 3), round(text, 3), len(after) - len(before))


def _changed(old: Sequence[str], new: Sequence[str]) -> float:
    """Share of the tokens, repeats counted, that went or came; their order does not matter."""
    before, after = Counter(old), Counter(new)
    either = (before | after).total()
    return 1 - (before & after).total() / either if either else 0.0
