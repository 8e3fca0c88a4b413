"""How values look on a page: short times, counts, bars, safe links, word differences. All of it escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from config.units import span as written
from monitor.controls import CONTROLS
from storage.differences import differences as word_differences

#: What a terminal or a bidirectional renderer would obey: shown as a mark.


def plain(text: object) -> str:
    """Text from outside without control characters."""
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", str(text))


def span(seconds: float | None) -> str:
    """``45s``, ``12m``, ``7h``, ``3d``; a dash for nothing."""
    if seconds is None:
        return "–"
    for limit, unit, size in ((90, "s", 1), (5400, "m", 60), (172_800, "h", 3600)):
        if abs(seconds) < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def ago(moment: datetime | None, now: datetime) -> Markup:
    """How long ago, or in how long; the exact moment as title and machine-readable."""
    if moment is None:
        return Markup('<span class="dim">–</span>')
    seconds = (now - moment).total_seconds()
    text = f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, stamp.replace("T", " "), text)


def moment_text(moment: datetime | None) -> str:
    """``2026-11-23 08:00:05 UTC``."""
    return "–" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def count(number: float | None) -> str:
    """With a blank between thousands that does not break."""
    return "–" if number is None else f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def size(number: int | None) -> str:
    """Bytes as a person reads them."""
    if number is None:
        return "–"
    amount = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return ""


def breakable(text: str) -> Markup:
    """Text that may be broken behind a slash, as ids of sources are."""
    return Markup("/<wbr>").join(escape(part) for part in text.split("/"))


def value(thing: object) -> str:
    """A value of the configuration as a person would write it."""
    if thing is None:
        return "–"
    if isinstance(thing, bool):
        return "true" if thing else "false"
    if isinstance(thing, timedelta):
        return written(thing)
    if isinstance(thing, tuple | list | set | frozenset):
        parts = [value(part) for part in thing]
        return ", ".join(parts if isinstance(thing, tuple | list) else sorted(parts)) or "none"
    return str(thing)


def link(url: str | None, text: str | None = None) -> Markup:
    """A link out, for http and https only; any other address is shown as text."""
    if not url:
        return Markup('<span class="dim">–</span>')
    shown = plain(text or url)
    try:
        scheme = urlsplit(url.strip()).scheme.lower()
    except ValueError:
        scheme = ""
    if scheme not in {"http", "https"} or CONTROLS.search(url):
        return escape(shown)
    return Markup('<a href="{}" rel="noopener noreferrer nofollow external" target="_blank">{}</a>').format(
        url.strip(), shown
    )


def bar(counts: Mapping[str, int], *, width: int = 120, label: str = "") -> Markup:
    """Counts side by side as one bar; the numbers are in its name for those who do not see it."""
    shown = [(name, number) for name, number in counts.items() if number]
    total = sum(number for _, number in shown)
    words = ", ".join(f"{number} {name}" for name, number in shown) or "nothing"
    if not total:
        return Markup('<span class="dim">–</span>')
    parts, x = [], 0.0
    for name, number in shown:
        # What is there is seen, however little it is.
        wide = max(2.0, number / total * width)
        parts.append(
            Markup('<rect class="fate-{}" x="{:.1f}" y="0" width="{:.1f}" height="12"></rect>').format(name, x, wide)
        )
        x += wide
    return Markup(
        '<svg class="bar" role="img" aria-label="{}" viewBox="0 0 {:.1f} 12" width="{}" height="12" '
        'preserveAspectRatio="none"><title>{}</title>{}</svg>'
    ).format(f"{label} {words}".strip(), x, width, words, Markup("").join(parts))


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def heat(
    came: Sequence[Sequence[float]], expected: Sequence[Sequence[float]] | None, *, says: str, zone: str
) -> Markup:
    """Seven rows of 24 hours, the darker the more; framed where far fewer, or far more, came than expected.

    Shades are on one scale, that of `expected` where there is any, so that two maps can be compared.
    """
    most = max((max(row) for grid in (came, expected or came) for row in grid), default=0)
    cells: list[Markup] = []
    for day, row in enumerate(came):
        cells.append(Markup('<text x="0" y="{}">{}</text>').format(day * 18 + 13, _DAYS[day]))
        for hour, number in enumerate(row):
            level = 0 if number <= 0 else max(1, min(5, 1 + round(number / most * 4)))
            word, frame = f"{_DAYS[day]} {hour:02d}:00 {zone}: {number:.3g}", ""
            if expected is not None:
                usual = expected[day][hour]
                word += f", expected {usual:.1f}"
                frame = {-1: " short", 0: "", 1: " plenty"}[unlikely(number, usual)]
            cells.append(
                Markup(
                    '<rect class="heat-{}{}" x="{}" y="{}" width="16" height="16" rx="2"><title>{}</title></rect>'
                ).format(level, frame, 34 + hour * 18, day * 18 + 1, word)
            )
    cells += [Markup('<text x="{}" y="142">{:02d}</text>').format(34 + hour * 18, hour) for hour in range(0, 24, 3)]
    return Markup('<svg class="heat" role="img" aria-label="{}" viewBox="0 0 470 148">{}</svg>').format(
        says, Markup("").join(cells)
    )


def unlikely(came: float, expected: float) -> int:
    """-1 when so few (or fewer), 1 when so many (or more) come in fewer than one of 200 such hours, else 0.

    Arrivals are taken for a Poisson process; past 30 its square root is nearly normal with a deviation of a half.
    """
    if expected <= 0:
        return 1 if came >= 3 else 0
    if expected > 30:
        apart = 2 * (math.sqrt(came) - math.sqrt(expected))
        return -1 if apart < -2.6 else 1 if apart > 2.6 else 0
    term, below = math.exp(-expected), 0.0
    for number in range(int(came) + 1):
        at_most = below + term
        if number < int(came):
            below = at_most
            term *= expected / (number + 1)
    if at_most < 0.005:
        return -1
    return 1 if 1 - below < 0.005 else 0


def differences(old: str, new: str) -> Markup:
    """What went (``del``) and what came (``ins``), word by word, in words for those who do not see colours."""
    parts: list[Markup] = []
    for op, text in word_differences(old, new):
        shown = plain_lines(text)
        if op == "-":
            parts.append(Markup('<del><span class="hidden">removed: </span>{}</del>').format(shown))
        elif op == "+":
            parts.append(Markup('<ins><span class="hidden">added: </span>{}</ins>').format(shown))
        else:
            parts.append(escape(shown))
    return Markup("").join(parts)


def plain_lines(text: str) -> str:
    """The same as :func:`plain`, line by line."""
    return "\n".join(plain(line) for line in text.split("\n"))


@dataclass(frozen=True, slots=True)
class Pair:
    """A name and its value, for lists of both."""

    name: str
    value: Any


def pairs(values: Mapping[str, Any], *, without: Iterable[str] = ()) -> list[Pair]:
    """What is set and not nothing, but for some names."""
    hidden = set(without)
    return [Pair(k, v) for k, v in values.items() if k not in hidden and v not in (None, "", [], (), 0)]
