"""IANA time zones by name, with a guess for names that are not."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from config.errors import closest

#: What people call zones that IANA names by a city.
_SPOKEN = {
    "WIB": "Asia/Jakarta",
    "WITA": "Asia/Makassar",
    "WIT": "Asia/Jayapura",
    "SGT": "Asia/Singapore",
    "MYT": "Asia/Kuala_Lumpur",
    "JST": "Asia/Tokyo",
    "PST": "America/Los_Angeles",
    "CST": "America/Chicago",
    "IST": "Asia/Kolkata",
    "CET": "Europe/Berlin",
    "BST": "Europe/London",
    "Z": "UTC",
}


class UnknownZoneError(ValueError):
    """No such zone; ``suggestion`` is the likeliest one or empty."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.suggestion = _likeliest(name)


@lru_cache(maxsize=1_000)
def _known(name: str) -> ZoneInfo | None:
    if name != "UTC" and "/" not in name:
        # EST, WET and their like exist in the database but never mean summer time: cities do.
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # the last is ZoneInfoNotFoundError
        return None


def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name; raises :class:`UnknownZoneError`."""
    found = _known(name)
    if found is None:
        raise UnknownZoneError(name)
    return found


def _likeliest(name: str) -> str:
    if name.upper() in _SPOKEN:
        return _SPOKEN[name.upper()]
    zones = available_timezones()
    by_city = {zone_name.rpartition("/")[2]: zone_name for zone_name in sorted(zones) if "/" in zone_name}
    city = closest(name.rpartition("/")[2].replace(" ", "_"), by_city, cutoff=0.8)
    return closest(name, zones, cutoff=0.75) or (by_city[city] if city else "")
