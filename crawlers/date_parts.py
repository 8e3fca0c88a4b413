"""The parts of a written date: words and numbers in any order, put together at the end."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final

from crawlers.date_words import AFTERNOON, MONTH_PAIRS, MONTHS, MORNING, WEEKDAYS, ZONE_PHRASES
from crawlers.zone_names import MAX_OFFSET_MINUTES, american, named_zone, tz_database_zone

LETTER = r"[^\W\d_]"
MARK = "\u064b-\u065f\u0900-\u0963\u0970-\u0983\u0985-\u0dff\u0e31-\u0e4e"
_TOKEN: Final = re.compile(
    rf"""
    (?P<ymd>(?<!\d)\d{{4}}(?P<y_sep>[-/.])\d{{1,3}}(?P=y_sep)\d{{1,2}}(?!\d))
    |(?P<dmy>(?<!\d)\d{{1,2}}\s?(?P<d_sep>[-/.])\s?\d{{1,2}}\s?(?P=d_sep)\s?(?:\d{{4}}|\d{{2}})(?![\d:]))
    |(?P<ym>(?<!\d)\d{{4}}[-/]\d{{1,2}}(?![\d/-]))
    |(?P<time>(?<!\d)\d{{1,2}}(?P<t_sep>[:.h])\d{{2}}(?:[:.]\d{{2}}(?:[.,]\d+)?)?(?!\d))
    |(?P<hour>(?<!\d)\d{{1,2}}\s?(?:h(?=\W|\d|$)|uhr\b|[ap]m\b))
    |(?P<cjk>\d+\s?(?:年|月|日|号|號|時|时|点|點|分|秒|년|월|일|시|분|초))
    |(?P<offset>[+-]\d{{1,4}}(?::\d{{2}})?(?![\d/.]))
    |(?P<number>\d+)
    |(?P<word>{LETTER}(?:{LETTER}|[{MARK}])*)
    """,
    re.VERBOSE,
)
_KINDS: Final = ("ymd", "dmy", "ym", "time", "hour", "cjk", "offset", "number", "word")
_SPACES_IN_TIME: Final = re.compile(r"(?<=\d)\s+:\s+(?=\d)")
_DOT_IN_OFFSET: Final = re.compile(r"([+-]\d{2})\.(00|15|30|45)(?!\d)")
_HYPHENS_IN_TIME: Final = re.compile(r"(?<=\d)\s*t\s*(\d{2})-(\d{2})-(\d{2})(?!\d)")
_SPACED_AMPM: Final = re.compile(r"(?<![^\W_])([ap])\.?\s?m\.")
_VIETNAMESE_MONTH: Final = re.compile(r"\bth(?:ang|g)\s?(\d{1,2})\b")
_ZONE_KEY: Final = re.compile(r"\b[a-z]{2,20}(?:/[a-z_]{2,30}){1,2}\b")


@dataclass(frozen=True, slots=True)
class ReadDate:
    """A date as read: the instant, and how much of it the text itself said."""

    #: UTC. Without a time of day: midnight in the zone, or `now` less whole days.
    value: datetime
    has_time: bool
    #: False when the zone is the caller's.
    has_zone: bool


def full_year(digits: str) -> int:
    """Two digits mean 1969 to 2068 (POSIX strptime)."""
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (1900 if year >= 69 else 2000)


def at(day: date, clock: time | None, zone: tzinfo | None, own: tzinfo | None = None) -> ReadDate:
    """A day, a time of day or None, the caller's zone and the text's own."""
    local = datetime.combine(day, clock or time(), own or zone or UTC)
    return ReadDate(local.astimezone(UTC), has_time=clock is not None, has_zone=own is not None)


@dataclass(slots=True)
class Parts:
    """What the tokens of one text have said so far."""

    prefer_month: bool = False
    thai: bool = False
    year: int | None = None
    month: int | None = None
    day: int | None = None
    #: Month words, with the place among the numbers where each stood.
    month_words: list[tuple[str, int]] = field(default_factory=list)
    weekday_words: list[str] = field(default_factory=list)
    #: Year, month and day of a date of three numbers; the last two may be the other way round.
    numeric: tuple[int, int, int] | None = None
    #: `numeric` ended in the year, so day and month are open to doubt.
    year_last: bool = False
    #: Other numbers, in order.
    numbers: list[str] = field(default_factory=list)
    #: 24:00 is the next day's midnight.
    next_day: bool = False
    clock: time | None = None
    zone: tzinfo | None = None
    afternoon: bool | None = None
    american: bool = False
    #: The text holds a value that cannot be.
    broken: bool = False
    #: The last token was a time, a zone or part of one.
    after_time: bool = False
    korean: bool = False

    def take(self, text: str) -> None:
        """Read every token of `text`."""
        text = _HYPHENS_IN_TIME.sub(r"t\1:\2:\3", _SPACED_AMPM.sub(r"\1m ", text))
        text = _DOT_IN_OFFSET.sub(r"\1:\2", _SPACES_IN_TIME.sub(":", text))
        for words, abbreviation in ZONE_PHRASES.items():
            text = text.replace(words, abbreviation)
        for words, month in MONTH_PAIRS.items():
            if words in text:
                self.month = month
                text = text.replace(words, " ")
        if found := _VIETNAMESE_MONTH.search(text):
            self.month = int(found[1])
            text = text[: found.start()] + " " + text[found.end() :]
        for found in _ZONE_KEY.finditer(text):
            if zone := tz_database_zone(found[0]):
                self.zone = zone
                text = text[: found.start()] + " " + text[found.end() :]
                break
        for token in _TOKEN.finditer(text):
            self.token(_kind(token), token[0])

    def token(self, kind: str, text: str) -> None:
        """Read one token."""
        after_time, self.after_time = self.after_time, False
        match kind:
            case "ymd" | "dmy":
                self._date(text, year_first=kind == "ymd")
            case "ym":
                year, month = re.split("[-/]", text)
                self.year, self.month = int(year), int(month)
                self.broken = self.broken or not 1 <= self.month <= 12
            case "time" | "hour":
                self._time(text)
            case "cjk":
                self._cjk(text)
            case "offset":
                self._offset(text, after_time)
            case "number":
                self.numbers.append(text)
            case "word":
                self._word(text, after_time)

    def _date(self, text: str, *, year_first: bool) -> None:
        first, second, third = re.split(r"\s?[-/.]\s?", text)
        if self.numeric is not None or (self.month_words and not year_first):
            if "." in text and self.clock is None:  # 10.14.55 after a date
                self._time(text)
            return
        if year_first:
            self.numeric = (int(first), int(second), int(third))
        else:
            self.numeric = (full_year(third), int(second), int(first))
            if max(int(first), int(second)) > 31 or min(int(first), int(second)) == 0:
                self.broken = True
            self.year_last = True

    def _time(self, text: str) -> None:
        if self.clock is not None:
            return  # "10:00 - 11:30": the first is meant
        digits = re.findall(r"\d+", text)
        hour, minute, second = ([int(d) for d in digits[:3]] + [0, 0])[:3]
        if text.endswith("m"):
            self.afternoon = text.endswith("pm")
        if hour > 24 or minute > 59 or second > 61 or (hour == 24 and (minute or second)):
            self.broken = True
            return
        if hour == 24:
            hour, self.next_day = 0, True
        self.clock = time(hour, minute, min(second, 59))
        self.after_time = True

    def _cjk(self, text: str) -> None:
        number, unit = int(re.match(r"\d+", text)[0]), text[-1]  # type: ignore[index]
        self.korean = self.korean or unit in "년월일시분초"
        if unit in "年년":
            self.year = number if number > 99 else number + 2000
        elif unit in "月월":
            self.month = number
        elif unit in "日일号號":
            self.day = number
        elif unit in "時时点點시":
            self._time(f"{number}:00")
        elif unit in "分분" and self.clock is not None and number < 60:
            self.clock = self.clock.replace(minute=number)
            self.after_time = True
        elif unit in "秒초" and self.clock is not None and number < 60:
            self.clock = self.clock.replace(second=number)
            self.after_time = True

    def _offset(self, text: str, after_time: bool) -> None:
        if not after_time or self.zone_is_offset:
            self.numbers.extend(re.findall(r"\d+", text))
            return
        digits = text[1:]
        if ":" in digits:
            hours, minutes = (int(d) for d in digits.split(":"))
        else:
            hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
        total = hours * 60 + minutes
        if total > MAX_OFFSET_MINUTES or minutes > 59:
            self.broken = True
            return
        self.zone = timezone(timedelta(minutes=-total if text[0] == "-" else total))
        self.after_time = True

    @property
    def zone_is_offset(self) -> bool:
        """Whether an offset other than that of a bare GMT was read."""
        return self.zone is not None and self.zone != timezone(timedelta(0))

    def _word(self, word: str, after_time: bool) -> None:
        self.korean = self.korean or "\uac00" <= word[0] <= "\ud7a3"
        if word in AFTERNOON or word in MORNING:
            self.afternoon = word in AFTERNOON
            self.after_time = after_time
        elif after_time and self.zone is None and (zone := named_zone(word)):
            self.zone, self.after_time = zone, True
            self.american = american(word)
        elif word in MONTHS:
            self.month_words.append((word, len(self.numbers)))
        elif word in WEEKDAYS:
            self.weekday_words.append(word)
        elif word in {"gmt", "utc", "z"} and self.zone is None:
            self.zone, self.after_time = UTC, True
        else:
            self.after_time = after_time and word in {"t", "pukul", "klo", "hrs", "uhr"}

    # -- what it comes to --

    def result(self, zone: tzinfo | None, now: datetime | None) -> ReadDate | None:
        """The date that was read, or None."""
        if self.broken:
            return None
        clock = self.time_of_day()
        own = self.zone
        if own is None and zone is None and self.korean:
            own = timezone(timedelta(hours=9))  # one zone, one country: KST
        day = self._day(own or zone or UTC, now)
        if day is None:
            return None
        if self.next_day:
            day += timedelta(days=1)
        return at(day, clock, zone, own)

    @property
    def full(self) -> bool:
        """Whether a year and a month were read, so that the text is no mere span."""
        return self.numeric is not None or (
            (self.year is not None or any(len(n) == 4 for n in self.numbers))
            and (self.month is not None or bool(self.month_words))
        )

    def time_of_day(self) -> time | None:
        """The clock in 24 hours."""
        if self.clock is None or self.afternoon is None:
            return self.clock
        hour = self.clock.hour
        if self.afternoon and hour < 12:
            hour += 12
        elif not self.afternoon and hour == 12:
            hour = 0
        return self.clock.replace(hour=hour)

    def _day(self, zone: tzinfo, now: datetime | None) -> date | None:
        if self.numeric is not None:
            return self._numeric_day()
        plain = self.numbers
        month = self.month or self._month()
        if month is None and self.year is None:
            return self._three_numbers(plain) if len(plain) >= 3 else self._today(zone, now, plain)
        year, day = self.year, self.day
        for number in plain:
            value = int(number)
            if len(number) <= 2 and day is None and 1 <= value <= 31:
                day = value
            elif year is None and len(number) == 4:
                year = value
            elif year is None and len(number) == 2:
                year = full_year(number)
        if year is not None and self.thai and year > 2400:
            year -= 543
        if month is None or (day is None and self.clock is not None):
            return None  # a time of day in no day
        if year is None:
            return None if now is None or day is None else _nearest_year(month, day, now.astimezone(zone).date())
        return date(year, month, 1 if day is None else day)

    def _month(self) -> int | None:
        """The month word meant; ``mar., 01 déc.`` is a Tuesday in December."""
        words = self.month_words
        sure = [w for w, _ in words if w not in WEEKDAYS] or [w for w, n in words if n] or [w for w, _ in words]
        return MONTHS[sure[0]] if sure else None

    def _numeric_day(self) -> date | None:
        assert self.numeric is not None
        year, month, day = self.numeric
        if not self.year_last:
            return date(year, month, day)
        choices = [d for d in (_date_or_none(year, month, day), _date_or_none(year, day, month)) if d]
        if len(choices) < 2:
            return choices[0] if choices else None
        agreeing = [d for d in choices if any(WEEKDAYS[w] == d.weekday() for w in self._weekdays())]
        if len(agreeing) == 1:
            return agreeing[0]
        return choices[1 if self.prefer_month or self.american else 0]

    def _weekdays(self) -> list[str]:
        return self.weekday_words + [w for w, _ in self.month_words if w in WEEKDAYS]

    def _three_numbers(self, numbers: list[str]) -> date | None:
        """``Sat, 11 04 2020``."""
        first, second, third = numbers[:3]
        if len(first) == 4 and len(second) <= 2 and len(third) <= 2:
            return date(int(first), int(second), int(third))
        if len(third) == 4 and len(first) <= 2 and len(second) <= 2:
            self.numeric = (int(third), int(second), int(first))
            self.year_last = True
            return self._numeric_day()
        return None

    def _today(self, zone: tzinfo, now: datetime | None, numbers: list[str]) -> date | None:
        """A time alone (``07:08 WIB``) is the last time the clock showed it."""
        if now is None or self.clock is None or numbers or self.weekday_words:
            return None
        local = now.astimezone(zone)
        ahead = datetime.combine(local.date(), self.clock, zone) - local
        return local.date() - timedelta(days=1 if ahead > timedelta(hours=1) else 0)


def _kind(token: re.Match[str]) -> str:
    """The name of the alternative that matched."""
    return next(kind for kind in _KINDS if token[kind])


def _date_or_none(year: int, month: int, day: int) -> date | None:
    if not (1 <= month <= 12 and 1 <= year <= 9999 and 1 <= day <= monthrange(year, month)[1]):
        return None
    return date(year, month, day)


def _nearest_year(month: int, day: int, today: date) -> date | None:
    choices = [d for y in (-1, 0, 1) if (d := _date_or_none(today.year + y, month, day))]
    return min(choices, key=lambda d: abs(d - today), default=None)
