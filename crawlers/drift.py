"""Does an outlet's page still give what it used to? The last pages against the weeks before. Pure.

A field has fallen when its share is well below what it was and chance does not explain that: with p the former
share, that few of n pages or fewer come by chance less than once in a million times. So a field that one page in
three had must be missing longer than one that every page had, and a desk with an odd morning drifts not.
What has fallen counts as risen again only when it is near its former share: between the two nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from storage.coverage import Coverage
from storage.model import FIELDS, Measured

#: Days of the past that make the baseline, and its fewest pages.
BASELINE: Final = timedelta(days=28)
FEWEST: Final = 60
#: Numbers of newest pages that are looked at, the fewest first; so many readings are kept.
WINDOWS: Final = (12, 20, 40)
KEPT: Final = WINDOWS[-1]
#: A share, or the median length, below this part of the former one may be a fall; above that one it is none any more.
FALL: Final = 0.6
RISE: Final = 0.8
#: How often chance may look like a fall.
CHANCE: Final = 1e-6
#: The body's length, beside the fields found by anything and by the rules.
LENGTH: Final = "length"
_RULED: Final = " by the rules"


@dataclass(frozen=True, slots=True)
class Fall:
    """One thing that fell."""

    #: A field, a field and `` by the rules``, or ``length``.
    what: str
    #: Shares between 0 and 1, or median characters.
    before: float
    after: float
    #: Pages it was seen over.
    pages: int

    def __str__(self) -> str:
        if self.what == LENGTH:
            change = f"median body length fell from {self.before:,.0f} to {self.after:,.0f} characters"
        else:
            change = f"{self.what} fell from {self.before:.0%} to {self.after:.0%} of pages"
        return change


@dataclass(frozen=True, slots=True)
class Drift:
    """What has fallen at an outlet; empty for one that is as it was."""

    falls: tuple[Fall, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.falls)

    @property
    def evidence(self) -> str:
        """One sentence."""
        told = "; ".join(map(str, self.falls[:3]))
        more = f"; and {len(self.falls) - 3} more" if len(self.falls) > 3 else ""
        return f"{told}{more}, over the last {max((f.pages for f in self.falls), default=0)} pages"


def judge(
    baseline: Coverage,
    last: Sequence[Measured],
    asked: frozenset[str],
    former: Drift,
    *,
    since: datetime,
    now: datetime,
) -> Drift:
    """The drift of an outlet.

    `baseline` are the pages before the last ones, `last` these, the newest first, `asked` the fields that the
    rules have selectors for, `former` the drift it was in since `since`; its baseline is that of its beginning.
    """
    if baseline.pages < FEWEST or len(last) < WINDOWS[0]:
        return former
    held = {fall.what: fall for fall in former.falls}
    falls = []
    for what in _watched(asked):
        fall = _fallen(what, baseline, last)
        if fall is None and what in held:
            fall = _not_risen(what, baseline, last)
        if fall is not None:
            falls.append(fall)
    if former and now - since > BASELINE:
        # Rules that find nothing stay wrong; an outlet that has long stopped printing tags is another outlet.
        falls = [fall for fall in falls if fall.what.endswith(_RULED) or fall.what in {LENGTH, "body"}]
    return Drift(tuple(falls))


def _watched(asked: frozenset[str]) -> list[str]:
    """The body first, because it matters most."""
    ordered = sorted(FIELDS, key=lambda name: name != "body")
    ruled = [name + _RULED for name in ordered if name in asked]
    return [*ruled[:1], LENGTH, *ruled[1:], *ordered]


def _fallen(what: str, baseline: Coverage, last: Sequence[Measured]) -> Fall | None:
    for size in WINDOWS:
        if len(last) < size:
            return None
        now = Coverage.of(last[:size])
        before, after = _value(what, baseline), _value(what, now)
        if after >= FALL * before:
            continue
        if what == LENGTH:
            # A quarter of the pages was shorter than this; now it is most of them.
            short = baseline.length(0.25)
            odds = _tail(sum(page.characters >= 0.9 * short for page in last[:size]), size, 0.75)
        else:
            odds = _tail(round(after * size), size, before)
        if odds < CHANCE:
            return Fall(what, before, after, size)
    return None


def _not_risen(what: str, baseline: Coverage, last: Sequence[Measured]) -> Fall | None:
    """The fall that still holds, although it is no longer as clear as it was."""
    size = WINDOWS[0]
    before, after = _value(what, baseline), _value(what, Coverage.of(last[:size]))
    return Fall(what, before, after, size) if after < RISE * before else None


def _value(what: str, pages: Coverage) -> float:
    if what == LENGTH:
        return pages.length(0.5)
    counts = pages.ruled if what.endswith(_RULED) else pages.found
    return counts.get(what.removesuffix(_RULED), 0) / pages.pages


def _tail(hits: int, size: int, share: float) -> float:
    """The probability of at most `hits` of `size` where each comes with probability `share` (binomial)."""
    p = min(max(share, 0.0), 0.99)  # nothing is sure: one page in a hundred has an excuse
    return math.fsum(math.comb(size, k) * p**k * (1 - p) ** (size - k) for k in range(hits + 1))
