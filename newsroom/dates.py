"""Dates as Indonesian outlets print them."""

from __future__ import annotations

from datetime import datetime

from newsroom.clock import WIB
from newsroom.text.compose import DAYS, MONTHS

SHORT_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agt", "Sep", "Okt", "Nov", "Des")


def long_date(moment: datetime) -> str:
    """``Jumat, 15 Agustus 2025``."""
    t = moment.astimezone(WIB)
    return f"{DAYS[t.weekday()]}, {t.day} {MONTHS[t.month - 1]} {t.year}"


def short_date(moment: datetime) -> str:
    """``Jumat, 15 Agt 2025``."""
    t = moment.astimezone(WIB)
    return f"{DAYS[t.weekday()]}, {t.day:02d} {SHORT_MONTHS[t.month - 1]} {t.year}"


def clock_time(moment: datetime, dot: str = ":") -> str:
    """``12:48``, in WIB."""
    t = moment.astimezone(WIB)
    return f"{t.hour:02d}{dot}{t.minute:02d}"


def naive(moment: datetime) -> str:
    """``2025-08-15 12:48:10``, WIB without saying so."""
    return moment.astimezone(WIB).strftime("%Y-%m-%d %H:%M:%S")


def iso_wib(moment: datetime) -> str:
    """``2025-08-15T12:48:10+07:00``."""
    return moment.astimezone(WIB).isoformat(timespec="seconds")
