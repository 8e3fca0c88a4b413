"""Seeded chance: the same words always give the same dice."""

from __future__ import annotations

import random
from hashlib import blake2b


def number(*words: object) -> int:
    """A 64-bit number that depends on the words alone, over runs and machines."""
    text = "\x1f".join(map(str, words))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def dice(*words: object) -> random.Random:
    """A generator seeded with the words."""
    return random.Random(number(*words))


def share(*words: object) -> float:
    """A number in [0, 1) that depends on the words alone."""
    return number(*words) / 2**64
