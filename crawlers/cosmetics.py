"""What may change on a page without the story having changed: counters, relative times, promotions, dress. Pure.

:func:`essence` leaves these out, so two states of an article with one essence are one state. It is used to compare,
never to store: the text itself is kept as the outlet shows it.
"""

from __future__ import annotations

import re
import unicodedata

#: Lines up to this many words and characters may be taken out whole; a counter or a promotion is no paragraph.
SHORT, NARROW = 25, 300

_NUMBER = r"\d[\d.,]*(?:\s?(?:k|rb|ribu|jt|juta|m|b))?"
_SMALL_UNIT = r"(?:detik|menit|jam|sec(?:ond)?s?|min(?:ute)?s?|hours?|hrs?)"
_LARGE_UNIT = r"(?:hari|minggu|pekan|bulan|tahun|days?|weeks?|months?|years?)"
#: "5 menit lalu", "2 jam yang lalu", "3 hours ago" wherever they stand; days and more may be what a story says.
_RELATIVE = re.compile(
    rf"\b(?:(?:\d+|one|an?)\s{_SMALL_UNIT}|se(?:jam|menit))\s(?:yang\s)?(?:lalu|ago)\b", re.IGNORECASE
)
#: The same as a line of its own, of any length; "baru saja", "just now".
_RELATIVE_LINE = re.compile(
    rf"(?:(?:\d+|one|an?)\s(?:{_SMALL_UNIT}|{_LARGE_UNIT})|se(?:jam|hari|menit|minggu|pekan|bulan|tahun))"
    r"\s(?:yang\s)?(?:lalu|ago)|baru\ssaja|just\snow",
    re.IGNORECASE,
)
_COUNTED = (
    r"(?:kali(?:\s(?:dibaca|dilihat|dibagikan))?|x\s?dibaca|pembaca|views?|reads?|komentar|comments?"
    r"|share[sd]?|dibagikan|likes?|suka|tayangan|pengunjung)"
)
#: A whole line that counts: "Dibaca 1.234 kali", "Views: 3,210", "12 Komentar", "Bagikan 45".
_COUNTER = re.compile(
    rf"(?:(?:telah\s|sudah\s)?(?:dibaca|dilihat|diakses|dibagikan|views?|reads?|hits?|shares?|likes?|komentar|comments?"
    rf"|bagikan|pembaca|pengunjung)\s?[:(]?\s?{_NUMBER}\)?(?:\s?{_COUNTED})?|{_NUMBER}\s?{_COUNTED})[.!]?",
    re.IGNORECASE,
)
_MONTH = r"(?:jan|feb|mar|apr|mei|may|jun|jul|agu|aug|sep|okt|oct|nov|des|dec)[a-z]*"
_DATE = (
    rf"(?:\d{{1,2}}[/\s.-](?:\d{{1,2}}|{_MONTH})[/\s.,-]+\d{{2,4}}|\d{{4}}-\d\d-\d\d|{_MONTH}\s\d{{1,2}},?\s\d{{4}})"
)
#: A whole line that says when: "Diperbarui: Senin, 23 November 2026 10:05 WIB", "Last updated 10:05 AM".
_STAMP = re.compile(
    rf"(?:(?:terakhir\s)?(?:diperbarui|diperbaharui|dimutakhirkan|di-?update|update[d]?|last\supdate[d]?|published"
    rf"|terbit|tayang|dipublikasikan|posted|modified)(?:\s(?:pada|on|at|terakhir))?\s?[:|-]?\s?)?"
    rf"(?:(?:\w+,\s?)?{_DATE}(?:\s?[,|/-]?\s?(?:pukul\s|at\s|jam\s)?\d{{1,2}}[:.]\d\d(?:[:.]\d\d)?)?"
    rf"|(?:pukul\s)?\d{{1,2}}[:.]\d\d(?:[:.]\d\d)?)(?:\s?(?:am|pm|wib|wita|wit|gmt|utc|sgt|myt)(?:[+-]\d+)?)*[.]?",
    re.IGNORECASE,
)
#: Beginnings of lines that lead elsewhere.
_PROMOTION = re.compile(
    r"(?:baca|lihat|simak|tonton|cek|ikuti)\s(?:juga|pula|selengkapnya|video|berita|artikel)\b|selengkapnya\b|selanjutnya\s?:"
    r"|(?:berita|artikel)\s(?:terkait|lainnya|terpopuler|pilihan)\b|pilihan\seditor\b|menarik\sdibaca\b|tonton\s?:"
    r"|\[?gambas\s?:|read\s(?:also|more|next)\b|see\salso\b|also\sread\b|related\s?:|more\son\b|most\sread\b"
    r"|(?:dapatkan|ikuti|follow|download|unduh|subscribe|langganan|gabung|join)\b.*"
    r"\b(?:whatsapp|telegram|google\snews|aplikasi|app|channel|kanal|newsletter|update)\b",
    re.IGNORECASE,
)
_AD = re.compile(
    r"(?:advertisement|iklan|sponsored|promoted|scroll\s(?:to\scontinue|untuk\s(?:melanjutkan|membaca)).*"
    r"|adsense|halaman\s(?:selanjutnya|berikutnya|\d+)|loading.*|memuat.*)[.:…]*",
    re.IGNORECASE,
)

#: Typographic forms of one sign.
_DRESS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        "\u2026": "...",
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", None),
    }
)
_SPACE = re.compile(r"\s+")
_SPACED_SIGN = re.compile(r"\s+([,.;:!?)\]])|([(\[])\s+")
_DASHES = re.compile(r"\s?-{1,3}\s|\s-{1,3}\s?")


def essence(title: str, text: str) -> str:
    """Title and text without what is cosmetic: equal for two states of one content.

    Blocks of `text` are parted by line breaks. Capitals and punctuation count: correcting them is an edit.
    """
    lines = (_plain(line) for line in text.splitlines())
    return "\n".join([_plain(title), *(line for line in lines if line and not is_cosmetic(line))])


def is_cosmetic(line: str) -> bool:
    """Whether a whole line is no part of the story: a counter, a time stamp, an advertisement, a way elsewhere."""
    line = line.strip()
    if len(line) > NARROW or len(line.split()) > SHORT:
        return False
    if _PROMOTION.match(line):
        return True
    return any(pattern.fullmatch(line) for pattern in (_COUNTER, _STAMP, _AD, _RELATIVE_LINE))


def only_cosmetic(old_title: str, old_text: str, new_title: str, new_text: str) -> bool:
    """Whether nothing but cosmetics sets two states of an article apart."""
    return essence(old_title, old_text) == essence(new_title, new_text)


def _plain(line: str) -> str:
    """One line in plain dress, relative times left out."""
    line = unicodedata.normalize("NFKC", line).translate(_DRESS)
    line = _RELATIVE.sub("", line)
    line = _SPACED_SIGN.sub(r"\1\2", _SPACE.sub(" ", line))
    return _DASHES.sub(" - ", line).strip()
