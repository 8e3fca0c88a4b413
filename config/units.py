"""Durations, sizes and shares as people write them: ``1h30m``, ``8MiB``, ``10%``."""

from __future__ import annotations

import re
from datetime import timedelta

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_PART = r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d|w)"
_DURATION = re.compile(rf"(?:{_PART})+")
_BYTES = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,3})?)\s?(B|[kK]B|MB|GB|KiB|MiB|GiB)")
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)\s?%")
_SPOKEN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]+)")
_LONGEST = timedelta(days=3650)


def duration(text: str) -> timedelta:
    """A duration of one or more parts with units ms, s, m, h, d, w; raises ValueError otherwise."""
    if not _DURATION.fullmatch(text):
        raise ValueError(text)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in re.findall(_PART, text))
    if seconds > _LONGEST.total_seconds():
        raise ValueError(text)
    return timedelta(seconds=seconds)


def size(text: str) -> int:
    """A number of bytes with its unit (B, kB, MB, GB, KiB, MiB, GiB); raises ValueError otherwise."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(text)
    return int(float(found[1]) * _BYTES[found[2]])


def share(text: str) -> float:
    """A percentage as a share of one; raises ValueError otherwise."""
    found = _SHARE.fullmatch(text)
    if not found:
        raise ValueError(text)
    return float(found[1]) / 100


def likely_duration(text: str) -> str:
    """What somebody who wrote ``10 minutes`` or ``1 Hr`` meant, or an empty string."""
    found = _SPOKEN.fullmatch(text.strip())
    if not found:
        return ""
    word = found[2].lower()
    if word.startswith(("ms", "mil")):
        return f"{found[1]}ms"
    if word[0] in "smhdw" and not word.startswith("mo"):
        return f"{found[1]}{word[0]}"
    return ""


def likely_size(text: str) -> str:
    """What somebody who wrote ``8M`` or ``8 mib`` meant, or an empty string."""
    found = _SPOKEN.fullmatch(text.strip())
    if not found or found[2][0].upper() not in "KMG":
        return ""
    return f"{found[1]}{found[2][0].upper()}iB"


def span(length: timedelta) -> str:
    """A length of time for a person, of two units at most: ``1 h 30 min``."""
    seconds = round(length.total_seconds())
    parts = []
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"
