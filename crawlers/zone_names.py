"""Names of time zones as news pages and feeds write them."""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

#: Abbreviation to minutes east of Greenwich. Where several places share one, the reading that news feeds
#: mean: IST is India, CST and EST are American, BST is British, GST the Gulf, MST American mountain time.
_MINUTES: Final[dict[str, int]] = {
    **dict.fromkeys(["z", "ut", "utc", "gmt", "wet", "zulu"], 0),
    **dict.fromkeys(["wib", "ict"], 7 * 60),
    **dict.fromkeys(["wita", "sgt", "myt", "hkt", "pht", "awst", "ulat"], 8 * 60),
    **dict.fromkeys(["wit", "jst", "kst"], 9 * 60),
    **dict.fromkeys(["cet", "mez", "met", "bst", "west", "wat"], 60),
    **dict.fromkeys(["cest", "mest", "mesz", "eet", "cat", "sast"], 120),
    **dict.fromkeys(["eest", "msk", "eat", "trt"], 180),
    **dict.fromkeys(["gst", "samt"], 240),
    **dict.fromkeys(["msd"], 240),
    "irst": 210,
    "aft": 270,
    **dict.fromkeys(["pkt", "uzt", "yekt"], 300),
    "ist": 330,
    "npt": 345,
    **dict.fromkeys(["bdt", "almt"], 360),
    "mmt": 390,
    "acst": 570,
    "acdt": 630,
    "aest": 600,
    "aedt": 660,
    "nzst": 720,
    "nzdt": 780,
    **dict.fromkeys(["brt", "art", "clst", "uyt", "adt"], -180),
    **dict.fromkeys(["ast", "clt", "bot", "vet", "edt"], -240),
    **dict.fromkeys(["est", "cdt", "cot", "pet", "hne"], -300),
    **dict.fromkeys(["cst", "mdt"], -360),
    **dict.fromkeys(["mst", "pdt"], -420),
    **dict.fromkeys(["pst", "akdt"], -480),
    "akst": -540,
    "hst": -600,
    "nst": -210,
    "ndt": -150,
}

#: Names that do not say whether summer time is meant (RSS of North America).
_PLACES: Final[dict[str, str]] = {
    "et": "America/New_York",
    "ct": "America/Chicago",
    "mt": "America/Denver",
    "pt": "America/Los_Angeles",
    "at": "America/Halifax",
}

#: Zones whose readers write the month before the day.
_MONTH_FIRST: Final = re.compile(
    r"America/(?:New_York|Chicago|Denver|Los_Angeles|Phoenix|Detroit|Anchorage|Boise|Indiana/.*|Kentucky/.*)"
    r"|US/.*|Pacific/Honolulu|Asia/Manila"
)
_AMERICAN_WORDS = "est edt cst cdt mst mdt pst pdt et ct mt pt akst akdt hst"
_AMERICAN: Final = frozenset(_AMERICAN_WORDS.split())
_KEY = re.compile(r"[A-Za-z]{2,20}(?:/[A-Za-z_+-]{2,30}){1,2}")

#: No place on Earth is further from Greenwich (Baker Island, Line Islands).
MAX_OFFSET_MINUTES: Final = 14 * 60


@lru_cache(maxsize=512)
def named_zone(name: str) -> tzinfo | None:
    """The zone of an abbreviation in any case, or None when the name is not known."""
    name = name.lower()
    if name in _PLACES:
        return ZoneInfo(_PLACES[name])
    minutes = _MINUTES.get(name)
    return None if minutes is None else timezone(timedelta(minutes=minutes))


@lru_cache(maxsize=512)
def tz_database_zone(key: str) -> ZoneInfo | None:
    """The zone of a key of the tz database ("America/Los_Angeles"), or None."""
    if not _KEY.fullmatch(key):
        return None
    area, *places = key.split("/")
    proper = "/".join([area.title(), *("_".join(p.capitalize() for p in x.split("_")) for x in places)])
    for candidate in (key, proper):
        try:
            return ZoneInfo(candidate)
        except (KeyError, ValueError, OSError):
            continue
    return None


def american(name: str) -> bool:
    """Whether the abbreviation is one of the United States."""
    return name in _AMERICAN


def month_first(zone: tzinfo | None) -> bool:
    """Whether dates such as 3/4/2026 mean March 4 where that zone is kept."""
    key = getattr(zone, "key", None)
    return isinstance(key, str) and _MONTH_FIRST.fullmatch(key) is not None
