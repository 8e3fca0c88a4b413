"""The filter words that the CLI, the web and the API share: ``outlet:kontan status:failed since:2h "some text"``.

A filter is words separated by blanks. ``name:value`` matches a field, ``-name:value`` its opposite, commas in the
value mean "one of", a bare or quoted word is text to be found. ``since`` and ``until`` take a span (``2h``, ``3d``)
or a moment (ISO 8601).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

_SPAN = re.compile(r"(?P<n>\d{1,6})(?P<unit>[smhdw])")
#: A word as it was typed, quotation marks included.
_WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

#: Least levels first; ``level:warning`` means that and all above.
LEVELS = ("debug", "info", "warning", "error", "critical")


class FilterError(ValueError):
    """A filter that cannot be understood; says which word and what would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A parsed filter; empty matches everything."""

    #: Field to the values any of which it may have.
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Field to the values it must not have.
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Each of these must be found in some value, whatever their case.
    text: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def one(self, name: str) -> str | None:
        """The single value asked for that field, or None."""
        values = self.fields.get(name, ())
        return values[0] if len(values) == 1 else None

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Whether a log record (or any flat mapping) fits."""
        return (
            all(_fits(name, values, record) for name, values in self.fields.items())
            and not any(_fits(name, values, record) for name, values in self.without.items())
            and self._in_time(record)
            and self._has_text(record)
        )

    def _in_time(self, record: Mapping[str, Any]) -> bool:
        if self.since is None and self.until is None:
            return True
        moment = read_moment(str(record.get("time", "")))
        if moment is None:
            return False
        return (self.since is None or moment >= self.since) and (self.until is None or moment <= self.until)

    def _has_text(self, record: Mapping[str, Any]) -> bool:
        if not self.text:
            return True
        values = [str(value).casefold() for value in record.values()]
        return all(any(word.casefold() in value for value in values) for word in self.text)


def parse(words: Iterable[str] | str, *, names: Iterable[str], now: datetime) -> Filter:
    """Read filter words; `names` are the fields that exist, besides since and until.

    Raises FilterError that names the word.
    """
    known = {*names, "since", "until"}
    found: dict[str, list[str]] = {}
    without: dict[str, list[str]] = {}
    text: list[str] = []
    times: dict[str, datetime] = {}
    for word in _split(words):
        name, colon, value = word.partition(":")
        negative, name = name.startswith("-"), name.removeprefix("-").lower()
        if not colon or not name.isidentifier() or value.startswith("//"):
            text.append(word)
        elif name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean {close[0]}:?" if close else f"; there are {', '.join(sorted(known))}"
            raise FilterError(f"{word!r}: no field {name!r}{hint} (quote it to search for the text)")
        elif not value:
            raise FilterError(f"{word!r}: a value must follow the colon, as in {name}:something")
        elif name in {"since", "until"}:
            times[name] = _moment_or_span(word, value, now)
        else:
            (without if negative else found).setdefault(name, []).extend(v for v in value.split(",") if v)
    return Filter(
        fields={k: tuple(v) for k, v in found.items()},
        without={k: tuple(v) for k, v in without.items()},
        text=tuple(text),
        since=times.get("since"),
        until=times.get("until"),
    )


def with_word(words: str, name: str, value: str | None) -> str | None:
    """The filter words with ``name:value`` in place of what they ask of that field; `value` None: with nothing of it.

    None for a value that filter words cannot say: with a comma, a quotation mark or a backslash, or none at all.
    """
    kept = [word for word in _WORD.findall(words) if not word.lower().startswith(f"{name}:")]
    if value is None:
        return " ".join(kept)
    if not value.strip() or re.search(r"[,\"\\]|^//", value) or value.endswith("*"):
        return None
    plain = value if re.fullmatch(r"[^\s']+", value) else f'"{value}"'
    return " ".join([f"{name}:{plain}", *kept])


def read_moment(text: str) -> datetime | None:
    """An ISO 8601 moment, UTC when it names no zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_span(text: str) -> timedelta | None:
    """``90s``, ``15m``, ``2h``, ``3d``, ``1w``; None for anything else."""
    found = _SPAN.fullmatch(text)
    return timedelta(**{_UNITS[found["unit"]]: int(found["n"])}) if found else None


def _split(words: Iterable[str] | str) -> list[str]:
    if not isinstance(words, str):
        return [word for word in words if word.strip()]
    try:
        return shlex.split(words)
    except ValueError:
        raise FilterError(f"{words!r}: a quotation mark is not closed") from None


def _moment_or_span(word: str, value: str, now: datetime) -> datetime:
    span = read_span(value)
    if span is not None:
        return now - span
    moment = read_moment(value)
    if moment is None:
        raise FilterError(f"{word!r}: expected a span such as 2h or 3d, or a moment such as 2026-11-23T08:00")
    return moment


def _fits(name: str, values: tuple[str, ...], record: Mapping[str, Any]) -> bool:
    have = str(record.get(name, "")).casefold()
    if name == "level":
        least = min((LEVELS.index(v) for v in values if v in LEVELS), default=0)
        return have in LEVELS and LEVELS.index(have) >= least
    return any(have == value.casefold() or _starred(value.casefold(), have) for value in values)


def _starred(pattern: str, have: str) -> bool:
    return pattern.endswith("*") and have.startswith(pattern[:-1])
