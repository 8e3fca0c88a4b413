"""Single values of the documents: what each accepts, and what it says when it does not.

Every type here is an ``Annotated`` for pydantic: a function that turns a plain YAML value into what
the model holds, beside the JSON Schema that editors check the same value by.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from config.model import Selector, SelectorKind
from config.selectors import SelectorRefusedError, check_pattern, check_selector
from config.units import duration, likely_duration, likely_size, share, size
from config.zones import UnknownZoneError, zone

DURATION_EXAMPLE = "a duration with its unit, such as 500ms, 2s, 10m or 1h30m"
SIZE_EXAMPLE = "a size with its unit, such as 512KiB or 8MiB"


def wrong(message: str, expected: str = "", suggestion: str = "") -> PydanticCustomError:
    """An error that carries what :class:`config.errors.ConfigProblem` shows."""
    context = {"said": message, "expected": expected, "suggestion": suggestion}
    return PydanticCustomError("warta", "{said}", context)


def kind_of(value: object) -> str:
    """What a YAML value is, for people."""
    if value is None:
        return "nothing"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "a mapping")


def text_of(value: object, expected: str) -> str:
    """The value if it is text; `expected` is told otherwise."""
    if not isinstance(value, str):
        raise wrong(f"{kind_of(value)} stands here", expected)
    return value


def schema(**keywords: Any) -> WithJsonSchema:
    """What an editor checks a value by."""
    return WithJsonSchema(keywords)


def _duration(value: object) -> timedelta:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise wrong(f"{value} has no unit", DURATION_EXAMPLE)
    text = text_of(value, DURATION_EXAMPLE)
    try:
        return duration(text)
    except ValueError:
        raise wrong(f"{text[:80]!r} is not a duration", DURATION_EXAMPLE, likely_duration(text[:80])) from None


def _interval(value: object) -> timedelta:
    found = _duration(value)
    if not timedelta(seconds=1) <= found <= timedelta(days=366):
        raise wrong("this interval is out of range", "between 1s and 366d")
    return found


def _age(value: object) -> timedelta:
    found = _duration(value)
    if found < timedelta(hours=1):
        raise wrong("nothing is let go so soon", "1h or more")
    return found


def _stretch(value: object) -> timedelta:
    found = _duration(value)
    if not timedelta(hours=1) <= found <= timedelta(days=1):
        raise wrong("this stretch of the day is out of range", "between 1h and 1d, such as 6h")
    return found


def _seconds(value: object) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    found = float(str(value)) if number else _duration(value).total_seconds()
    if not 0 < found <= 3_600:
        raise wrong("this limit is out of range", "more than 0s, at most 1h")
    return found


def _size(value: object) -> int:
    number = isinstance(value, int) and not isinstance(value, bool)
    text = f"{value}B" if number else text_of(value, SIZE_EXAMPLE)
    try:
        found = size(text)
    except ValueError:
        raise wrong(f"{text[:80]!r} is not a size", SIZE_EXAMPLE, likely_size(text[:80])) from None
    if not 2**10 <= found <= 2**40:
        raise wrong("this size is out of range", "between 1KiB and 1024GiB")
    return found


def _jitter(value: object) -> float | timedelta:
    expected = "a share such as 10% (intervals) or a duration such as 30s (cron)"
    if isinstance(value, float) or value == 0:
        found: float | timedelta = float(str(value))
    else:
        text = text_of(value, expected)
        try:
            found = share(text) if text.endswith("%") else duration(text)
        except ValueError:
            raise wrong(f"{text[:80]!r} is not a jitter", expected, likely_duration(text[:80])) from None
    if isinstance(found, float) and not 0 <= found <= 0.5:
        raise wrong("this jitter is out of range", "between 0% and 50%")
    return found


_PER = {"hour": 24.0, "day": 1.0, "week": 1 / 7}
_PER_DAY = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?/ ?(hour|day|week)")


def _per_day(value: object) -> float:
    expected = "a number of items an hour, day or week, such as 5/day"
    found = _PER_DAY.fullmatch(text_of(value, expected))
    if not found or float(found[1]) == 0:
        raise wrong(f"{str(value)[:80]!r} is not a number of items in a time", expected)
    return float(found[1]) * _PER[found[2]]


def _hours(value: object) -> frozenset[int]:
    expected = "hours from 0 to 23 as from-until, such as 22-5; several in a list"
    found: set[int] = set()
    for part in value if isinstance(value, list) else [value]:
        text = text_of(part, expected)
        match = re.fullmatch(r"(\d\d?)-(\d\d?)", text)
        first, end = (int(match[1]), int(match[2])) if match else (-1, -1)
        if not (0 <= first <= 23 and 0 <= end <= 24 and first != end):
            raise wrong(f"{text[:80]!r} is no span of hours", expected)
        found |= {hour % 24 for hour in range(first, end if end > first else end + 24)}
    return frozenset(found)


def _day(value: object) -> date:
    text = text_of(value, "a day such as 2026-01-31")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise wrong(f"{text[:80]!r} is not a day", "a day such as 2026-01-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong(f"there is no {text}", "a day such as 2026-01-31") from None


def _zone(value: object) -> str:
    text = text_of(value, "an IANA time zone such as Asia/Jakarta")
    try:
        zone(text)
    except UnknownZoneError as error:
        expected = "an IANA time zone such as Asia/Jakarta"
        raise wrong(f"time zone {text[:80]!r} is not known", expected, error.suggestion) from None
    return text


_ID = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
ID_EXAMPLE = "lower-case letters, digits, - and _, at most 64"


def is_id(text: str) -> bool:
    """Whether a text may name an outlet, a source or a group."""
    return _ID.fullmatch(text) is not None


def _id(value: object) -> str:
    text = text_of(value, ID_EXAMPLE)
    if not is_id(text):
        raise wrong(
            f"{text[:80]!r} cannot be a name",
            ID_EXAMPLE,
            re.sub(r"[^a-z0-9]+", "-", text.lower()[:64]).strip("-"),
        )
    return text


def _selector(value: object) -> Selector:
    expected = 'CSS as text, or {xpath: "..."}'
    if isinstance(value, dict):
        if len(value) != 1 or next(iter(value)) not in ("css", "xpath"):
            wrong_keys = ", ".join(sorted(str(k)[:40] for k in value)) or "nothing"
            raise wrong(f"a selector of {wrong_keys}", expected)
        kind, expression = next(iter(value.items()))
        selector = Selector(text_of(expression, expected), SelectorKind(kind))
    else:
        selector = Selector(text_of(value, expected))
    try:
        check_selector(selector)
    except SelectorRefusedError as error:
        guess = f'{{xpath: "{selector.expression}"}}' if selector.expression.startswith(("//", "./")) else ""
        raise wrong(str(error), expected, guess if selector.kind is SelectorKind.CSS else "") from None
    return selector


def _pattern(value: object) -> str:
    text = text_of(value, "a regular expression")
    try:
        check_pattern(text)
    except SelectorRefusedError as error:
        raise wrong(str(error), "a regular expression of Python's re, in single quotes") from None
    return text


def _key_pattern(value: object) -> str:
    text = _pattern(value)
    if not check_pattern(text).groupindex:
        raise wrong("the pattern has no named group", r"groups that make the identity, such as (?P<id>\d+)")
    return text


def listed(value: object) -> object:
    """One written alone is a list of one."""
    return value if isinstance(value, list) else [value]


_DURATION_SCHEMA = schema(type="string", pattern=r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$", examples=["10m"])
_SIZE_SCHEMA = schema(type="string", pattern=r"^[0-9]+(\.[0-9]+)? ?(B|[kK]B|MB|GB|KiB|MiB|GiB)$", examples=["8MiB"])


def _keyed(key: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {key: {"type": "string"}},
        "required": [key],
        "additionalProperties": False,
    }


_SELECTOR = {"anyOf": [{"type": "string", "description": "CSS"}, _keyed("xpath"), _keyed("css")]}

Duration = Annotated[timedelta, PlainValidator(_duration), _DURATION_SCHEMA]
Age = Annotated[timedelta, PlainValidator(_age), _DURATION_SCHEMA]
Interval = Annotated[timedelta, PlainValidator(_interval), _DURATION_SCHEMA]
Stretch = Annotated[timedelta, PlainValidator(_stretch), schema(type="string", examples=["6h"])]
Seconds = Annotated[
    float,
    PlainValidator(_seconds),
    schema(anyOf=[{"type": "string"}, {"type": "number", "exclusiveMinimum": 0}], examples=["30s"]),
]
Size = Annotated[int, PlainValidator(_size), _SIZE_SCHEMA]
Jitter = Annotated[
    float | timedelta,
    PlainValidator(_jitter),
    schema(anyOf=[{"type": "string"}, {"type": "number", "minimum": 0, "maximum": 0.5}]),
]
PerDay = Annotated[
    float, PlainValidator(_per_day), schema(type="string", pattern=f"^{_PER_DAY.pattern}$", examples=["5/day"])
]
_SPAN = {"type": "string", "pattern": r"^\d\d?-\d\d?$", "examples": ["22-5"]}
Hours = Annotated[frozenset[int], PlainValidator(_hours), schema(anyOf=[_SPAN, {"type": "array", "items": _SPAN}])]
Day = Annotated[date, PlainValidator(_day), schema(type="string", format="date")]
ZoneName = Annotated[str, PlainValidator(_zone), schema(type="string", examples=["Asia/Jakarta"])]
Id = Annotated[str, PlainValidator(_id), schema(type="string", pattern=f"^{_ID.pattern}$")]
OneSelector = Annotated[Selector, PlainValidator(_selector), schema(**_SELECTOR)]
SelectorList = Annotated[
    list[OneSelector],
    BeforeValidator(listed),
    schema(anyOf=[*_SELECTOR["anyOf"], {"type": "array", "items": _SELECTOR}]),
]
Pattern = Annotated[str, PlainValidator(_pattern), schema(type="string", format="regex")]
PatternList = Annotated[
    list[Pattern],
    BeforeValidator(listed),
    schema(anyOf=[{"type": "string"}, {"type": "array", "items": {"type": "string"}}]),
]
KeyPattern = Annotated[str, PlainValidator(_key_pattern), schema(type="string", format="regex")]
