"""Passwords as they may stand in a file: hashed with scrypt (RFC 7914), so that reading the file opens nothing.

``scrypt:<log2 N>:<r>:<p>:<salt>:<hash>``, the last two in base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

PREFIX = "scrypt:"
#: What a guess costs: 32 MiB and some 0.2 s, as OWASP's password storage page advises for scrypt.
COST, BLOCK, PARALLEL = 15, 8, 3
#: A hash that asks for more than this would be a way to hold the monitor up.
_MOST_COST, _MOST_BLOCK, _MOST_PARALLEL = 18, 16, 8
_MEMORY = 512 * 2**20


class BadHash(ValueError):
    """Begins like a hash of ours and is none."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """A hash, read."""

    cost: int
    block: int
    parallel: int
    salt: bytes
    digest: bytes

    @classmethod
    def read(cls, text: str) -> Hashed:
        """Raises BadHash."""
        try:
            name, cost, block, parallel, salt, digest = text.split(":")
            found = cls(int(cost), int(block), int(parallel), _decoded(salt), _decoded(digest))
        except (ValueError, binascii.Error):
            raise BadHash("not a hash as `warta monitor password` prints it") from None
        within = 1 <= found.cost <= _MOST_COST and 1 <= found.block <= _MOST_BLOCK
        if name + ":" != PREFIX or not within or not 1 <= found.parallel <= _MOST_PARALLEL:
            raise BadHash("this hash asks for more work than a login may cost")
        if len(found.salt) < 8 or len(found.digest) < 16:
            raise BadHash("this hash is too short")
        return found

    def fits(self, password: str) -> bool:
        """Whether it is the hash of that password, compared in constant time."""
        return hmac.compare_digest(_digest(password, self), self.digest)


def hashed(password: str) -> str:
    """The hash of a password, with a salt of its own."""
    salt = secrets.token_bytes(16)
    digest = _digest(password, Hashed(COST, BLOCK, PARALLEL, salt, b"\0" * 32))
    return f"{PREFIX}{COST}:{BLOCK}:{PARALLEL}:{_encoded(salt)}:{_encoded(digest)}"


def _digest(password: str, how: Hashed) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "replace"), salt=how.salt, n=1 << how.cost, r=how.block, p=how.parallel,
        maxmem=_MEMORY, dklen=len(how.digest),
    )  # fmt: skip


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
