"""Which texts are nearly one text: word 5-grams, their MinHash in bands, and what verifies a candidate. Pure.

Two texts of Jaccard similarity J share at least one of the 32 bands of 4 rows with probability
1 - (1 - J^4)^32: 0.95 at 0.55, 1.00 from 0.75 on (Leskovec, Rajaraman, Ullman, Mining of Massive
Datasets, section 3.4). A shared band proves nothing; :func:`same_text` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

WORDS: Final = 5
BANDS: Final = 32
ROWS: Final = 4
#: Bytes of one band in a signature.
BAND_BYTES: Final = 5
#: Texts with fewer words than this are never near another: a caption or a notice says the same every day.
LEAST_WORDS: Final = 25
#: Words read of one text; what follows changes nothing any more.
MOST_WORDS: Final = 20_000
#: Share of the figures of the text with fewer that may be missing in its other version; one always may.
OTHER_FIGURES: Final = 0.2

_WORD: Final = re.compile(r"[^\W_]+")
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]")
_MOST_MARKS: Final = 16
_BREAKS: Final = {code: " " for code in range(128) if not chr(code).isalnum()}
# Single digits are shared by chance and say nothing.
_FIGURE: Final = re.compile(r"\d(?:[.,:/]?\d)+")
_DIGITS_ALONE: Final = str.maketrans("", "", ".,:/")
_CACHE_WORDS: Final = 200_000
_CHUNK: Final = 2048


class _WordHashes(dict[str, bytes]):
    """8 bytes for each word, kept because a language has few; emptied when outsiders fill it."""

    def __missing__(self, word: str) -> bytes:
        if len(self) >= _CACHE_WORDS:
            self.clear()
        made = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self[word] = made
        return made


_words = _WordHashes()


def _constants(name: str, count: int) -> Hashes:
    """Odd 64-bit numbers that are the same in every process and version."""
    digest = b"".join(blake2b(f"{name} {n}".encode(), digest_size=8).digest() for n in range(count))
    return np.frombuffer(digest, dtype="<u8").astype(np.uint64) | np.uint64(1)


_PLACES: Final = _constants("place", WORDS)
# 32 bits suffice to rank some thousand shingles, and processors multiply eight of them at a time.
_FACTORS: Final = (_constants("factor", BANDS * ROWS) >> np.uint64(32)).astype(np.uint32).reshape(-1, 1) | np.uint32(1)
_OFFSETS: Final = (_constants("offset", BANDS * ROWS) >> np.uint64(32)).astype(np.uint32).reshape(-1, 1)
_ROW_FACTORS: Final = _constants("row", ROWS)
_BAND_OFFSETS: Final = _constants("band", BANDS)


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """A text as far as nearness is concerned."""

    #: Hashes of its word 5-grams, sorted, each once.
    shingles: Hashes
    text: str

    @property
    def figures(self) -> frozenset[str]:
        """Its figures, each once, as digits alone ("624846"): an agency writes 6,248.46 for 6.248,46."""
        return frozenset(figure.translate(_DIGITS_ALONE) for figure in _FIGURE.findall(self.text))


def fingerprint(text: str) -> Fingerprint | None:
    """The fingerprint of a text, or None for one that is too short to be near anything."""
    words = _tokens(text.casefold())
    if len(words) < LEAST_WORDS:
        return None
    words = words[:MOST_WORDS]
    hashes = np.frombuffer(b"".join(map(_words.__getitem__, words)), dtype="<u8").astype(np.uint64)
    size = len(words) - WORDS + 1
    mixed = hashes[:size] * _PLACES[0]
    for place in range(1, WORDS):
        mixed += hashes[place : place + size] * _PLACES[place]
    return Fingerprint(_each_once(_stirred(mixed)), text)


def _tokens(text: str) -> list[str]:
    """The words of a text: what stands between characters that are no letters or digits.

    Most texts are ASCII but for quotation marks and dashes; without these they are parted in a third of the time.
    """
    if not text.isascii():
        marks = set(_FOREIGN.findall(text))
        for mark in marks if len(marks) <= _MOST_MARKS else ():
            if not mark.isalnum():
                text = text.replace(mark, " ")
    return text.translate(_BREAKS).split() if text.isascii() else _WORD.findall(text)


def _each_once(values: Hashes) -> Hashes:
    """Sorted, without repeats: np.unique at a quarter of its cost for some hundred values."""
    values = np.sort(values)
    first = np.empty(len(values), dtype=np.bool_)
    first[0] = True
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return values[first]


def _stirred(values: Hashes) -> Hashes:
    """Every bit depends on every other (the finalizer of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    stirred: Hashes = values ^ (values >> np.uint64(31))
    return stirred


def signature(found: Fingerprint) -> bytes:
    """32 bands of 5 bytes; equal bands at one place make two texts candidates."""
    least = np.full(BANDS * ROWS, 0xFFFFFFFF, dtype=np.uint32)
    short = (found.shingles >> np.uint64(32)).astype(np.uint32)
    for start in range(0, len(short), _CHUNK):
        ranks = short[start : start + _CHUNK] * _FACTORS
        ranks += _OFFSETS
        np.minimum(least, ranks.min(axis=1), out=least)
    rows = least.astype(np.uint64).reshape(BANDS, ROWS)
    bands = _stirred((_stirred(rows) * _ROW_FACTORS).sum(axis=1, dtype=np.uint64) + _BAND_OFFSETS)
    whole = np.frombuffer(bands.astype(">u8").tobytes(), dtype=np.uint8).reshape(BANDS, 8)
    return whole[:, :BAND_BYTES].tobytes()


def jaccard(one: Fingerprint, other: Fingerprint) -> float:
    """Shared word 5-grams over all word 5-grams, 0 to 1."""
    shared = len(np.intersect1d(one.shingles, other.shingles, assume_unique=True))
    return shared / (len(one.shingles) + len(other.shingles) - shared)


def figures_agree(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether nearly all figures of the text with fewer stand in the other.

    The market report of the next day, or of the next hour, repeats the sentences of the former and changes what they
    say. Of the real pairs above 0.5, versions share 0.9 of their figures and more, reports 0.7 and less.
    """
    ours, theirs = one.figures, other.figures
    fewer = min(len(ours), len(theirs))
    return fewer - len(ours & theirs) <= max(1, fewer * OTHER_FIGURES)


def same_text(one: Fingerprint, other: Fingerprint, near: float) -> float | None:
    """Their Jaccard similarity if they are two versions of one text, else None; symmetric."""
    found = jaccard(one, other)
    return found if found >= near and figures_agree(one, other) else None
