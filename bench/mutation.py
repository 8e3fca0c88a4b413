"""Damage done to documents at random, as a broken template, a cut connection or an attacker would."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

#: Bytes a mutated document may have; extraction looks at no more of a page.
MAX_BYTES: Final = 5 * 2**20
#: Mutations of one document, most often one or two.
_ROUNDS: Final = (1, 1, 1, 2, 2, 3, 5, 8)
#: How often a slice is repeated when it is; the large ones make pages of megabytes and deep nesting.
_TIMES: Final = (2, 3, 10, 100, 1_000, 20_000)
_DULL: Final = tuple(
    b"\0|\xff|\xef\xbb\xbf|\xe2\x80\x8b|\xc2\xa0|\xed\xa0\x80|&#0;|&#x110000;|&amp;amp;|&nbsp|<|>|\"|'|<!--|-->|]]>|"
    b"<![CDATA[|{|}|[|]|:|,|;|%|%00|%u1234|\\|/|//|?|#|@|..|-|--|0|-1|1e999|99999999999999999999|null|true|NaN|\r|\n|\t|"
    b"\x1b$B|\x0b|\xe2\x80\xae".split(b"|")
)

Mutate = Callable[[bytes, random.Random], bytes]


def _slice(data: bytes, rng: random.Random, longest: int = 2_000) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.randint(1, rng.choice((4, 40, 400, longest))))


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 4, 40))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _remove(data: bytes, rng: random.Random) -> bytes:
    start, end = _slice(data, rng)
    return data[:start] + data[end:]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    """Between two brackets as often as not: nesting, lists without end, a tag of a million attributes."""
    start, end = _slice(data, rng)
    if rng.random() < 0.5 and (opened := data.find(b"<", start)) >= 0 and (closed := data.find(b">", opened)) > 0:
        start, end = opened, min(closed + 1, opened + 2_000)
    times = min(rng.choice(_TIMES), max(1, (MAX_BYTES - len(data)) // max(1, end - start)))
    return data[:start] + data[start:end] * times + data[end:]


def _move(data: bytes, rng: random.Random) -> bytes:
    start, end = _slice(data, rng)
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[start:end] + data[at:]


def _blank(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return (
        data[:at] + rng.choice((b" ", b"\n", b"\0", b"a", b"\xc2\xa0")) * rng.choice((10, 1_000, 300_000)) + data[at:]
    )


class Mutator:
    """Mutants of some seeds; the same seed of randomness gives the same mutants."""

    def __init__(self, seeds: Sequence[bytes], words: Sequence[bytes], rng: random.Random) -> None:
        self._seeds = seeds
        self._words = (*_DULL, *words)
        self._rng = rng
        self._ways: tuple[Mutate, ...] = (_flip, _remove, _cut, _repeat, _repeat, _move, _blank, self._insert,
                                          self._insert, self._replace, self._splice)  # fmt: skip

    def next(self) -> bytes:
        """Another document."""
        data = self._rng.choice(self._seeds)
        for _ in range(self._rng.choice(_ROUNDS)):
            data = self._rng.choice(self._ways)(data, self._rng)[:MAX_BYTES]
        return data

    def _insert(self, data: bytes, rng: random.Random) -> bytes:
        for _ in range(rng.choice((1, 1, 10))):
            at = rng.randrange(len(data) + 1)
            data = data[:at] + rng.choice(self._words) + data[at:]
        return data

    def _replace(self, data: bytes, rng: random.Random) -> bytes:
        return data.replace(rng.choice(self._words), rng.choice(self._words), rng.choice((1, 10, -1)))

    def _splice(self, data: bytes, rng: random.Random) -> bytes:
        start, end = _slice(other := rng.choice(self._seeds), rng, 100_000)
        at = rng.randrange(len(data) + 1)
        return data[:at] + other[start:end] + data[at + end - start :]
