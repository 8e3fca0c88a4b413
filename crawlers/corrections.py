"""Whether a revision says of itself that it corrects a mistake. Pure.

Outlets do so by a word before a line or in the headline ("Ralat: …", "(Koreksi)", "CORRECTION:") or by a sentence
("An earlier version of this article …"). On markets "koreksi" is also what prices do, so the bare word means nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

#: Words that announce a correction when a colon or a dash follows or brackets hold them.
WORDS = (
    "ralat", "koreksi", "pembetulan", "perbaikan berita", "hak koreksi", "catatan redaksi", "catatan koreksi",
    "correction", "corrections", "corrected", "corrects", "erratum", "clarification", "editor's note", "editors' note",
)  # fmt: skip

#: Phrases that tell it in a sentence.
PHRASES = (
    "artikel ini telah dikoreksi", "berita ini telah dikoreksi", "artikel ini telah diralat",
    "berita ini telah diralat",
    "artikel ini telah mengalami perubahan", "artikel ini telah diperbaiki", "berita ini telah diperbaiki",
    "mengalami koreksi pada bagian", "kesalahan dalam artikel ini", "kesalahan dalam berita ini",
    "redaksi mohon maaf atas kekeliruan", "redaksi mohon maaf atas kesalahan", "redaksi memohon maaf atas",
    "kami mohon maaf atas kekeliruan", "kami mohon maaf atas kesalahan", "versi sebelumnya dari artikel ini",
    "versi awal artikel ini", "this article has been corrected", "this story has been corrected",
    "this article was corrected", "this story was corrected", "an earlier version of this article",
    "an earlier version of this story", "a previous version of this article", "a previous version of this story",
    "this article has been amended", "this article was amended", "we regret the error", "we apologise for the error",
    "we apologize for the error", "corrects paragraph", "corrects headline", "corrects to",
)  # fmt: skip

#: Characters of a notice that are kept.
NOTICE = 300


def correction(
    old_title: str, old_text: str, new_title: str, new_text: str, *, phrases: Iterable[str] = ()
) -> str | None:
    """The notice that came with this revision, or None; `phrases` are further ones of the outlet.

    A notice that stood there before says nothing of this revision.
    """
    pattern = _pattern(tuple(phrases))
    before = set(_notices(pattern, old_title, old_text))
    for notice in _notices(pattern, new_title, new_text):
        if notice not in before:
            return notice[:NOTICE]
    return None


def _notices(pattern: re.Pattern[str], title: str, text: str) -> list[str]:
    """The lines that announce a correction, the headline first."""
    lines = (_plain(line) for line in (title, *text.splitlines()))
    return [line for line in lines if pattern.search(line)]


def _plain(line: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", line).replace("\u2019", "'").split())


@lru_cache(maxsize=256)
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    words = "|".join(re.escape(word) for word in sorted(WORDS, key=len, reverse=True))
    told = "|".join(re.escape(_plain(phrase)) for phrase in (*PHRASES, *phrases) if phrase.strip())
    return re.compile(
        rf"^\W{{0,3}}(?:{words})\s?(?::|\s[-\u2013\u2014]\s|[-\u2013\u2014]\s)"  # before a line
        rf"|[(\[](?:{words})[)\]:]"  # in brackets
        rf"|{told}",
        re.IGNORECASE,
    )
