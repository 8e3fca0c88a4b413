"""Clean text: what a reader sees, without what only a browser or a copyist put there.

All functions are pure, linear in the length of the text and idempotent on ordinary text;
none raises on any string, lone surrogates included.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

import ftfy

#: Only references with their semicolon: ``?a=1&copy=2`` is an address, not a copyright sign.
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ESCAPED_AMPERSAND = re.compile(r"&(?:amp;|#38;|#x26;)+", re.IGNORECASE)

#: UTF-8 read as Latin-1 or Windows-1252: a lead byte followed by a continuation byte of either table.
_MOJIBAKE = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]"
)
#: A no-break space after an ASCII letter is no half of a letter, and keeps ftfy from seeing those that are.
_NO_BREAK = re.compile(r"(?:(?<=[\x00-\x7f])|^)\xa0+")
#: ftfy tries many decodings; a block this long is no paragraph, and is left as it is.
_MOJIBAKE_LIMIT = 20_000

_LINE_BREAK = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
#: No glyph, no use in news text: controls, soft hyphen, zero width space, word joiner, BOM, bidi
#: marks, interlinear and object characters, private use (icon fonts), tags, noncharacters, surrogates.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffc"
    "\ufffe\uffff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
#: ZWNJ and ZWJ shape Persian, Indic scripts and emoji; between Latin letters they are litter.
_JOINERS = re.compile("(?:(?<=[\x00-\u036f])|^)[\u200c\u200d]+|[\u200c\u200d]+(?=[\x00-\u036f]|$)")
_SPACES = re.compile(r"[^\S\n]+")
_SPACED_BREAKS = re.compile(r" ?\n[ \n]*")


def clean_line(text: str) -> str:
    """One line of clean text: every run of white space, line breaks included, becomes one space."""
    return _settled(text, _one_line)


def clean_lines(text: str) -> str:
    """Clean text that keeps its line breaks, without empty lines; for lists."""
    return _settled(text, _many_lines)


def clean_optional(text: str | None) -> str | None:
    """The clean line, or None when nothing readable is left."""
    return (clean_line(text) or None) if text else None


def _settled(text: str, clean: Callable[[str], str]) -> str:
    """Clean until nothing changes; only wrongly decoded text needs a second look, when its neighbours have gone."""
    text = clean(text)
    for _ in range(4):
        if text.isascii() or not _MOJIBAKE.search(text):
            break
        before, text = text, clean(text)
        if before == text:
            break
    return text


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", _readable(text).replace("\n", " ")).strip()


def _many_lines(text: str) -> str:
    return _SPACED_BREAKS.sub("\n", _SPACES.sub(" ", _readable(text))).strip()


def _readable(text: str) -> str:
    """Decode leftovers, drop what has no glyph, compose (NFC)."""
    text = _unescape(text)
    if not text.isascii():
        text = _repair(text)
    text = _LINE_BREAK.sub("\n", text)
    text = _INVISIBLE.sub("", text)
    if not text.isascii():
        text = _JOINERS.sub("", text)
        text = unicodedata.normalize("NFC", text)
    return text


def _unescape(text: str) -> str:
    """Resolve character references, also ones escaped twice (feeds and JSON-LD do)."""
    for _ in range(4):
        if "&" not in text:
            return text
        plain = _REFERENCE.sub(_character, _ESCAPED_AMPERSAND.sub("&", text))
        if plain == text:
            return text
        text = plain
    return text


def _character(match: re.Match[str]) -> str:
    return html.unescape(match.group())


def _repair(text: str) -> str:
    """Undo a wrong decoding, only where the text carries its marks and the repair removes them."""
    if len(text) > _MOJIBAKE_LIMIT or not _MOJIBAKE.search(text):
        return text
    return ftfy.fix_encoding(_NO_BREAK.sub(" ", text))
