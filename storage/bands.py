"""Which stored articles share a band of their MinHash with a text: candidates, to be verified elsewhere.

Layout: ``wb:`` + 4 bytes of the epoch + ``:`` + segment + ``:`` + 2 bytes of the band is one small hash;
its field is the rest of the band (3 bytes), its value the first 5 bytes of up to eight article ids.
Small hashes stay listpacks (12 bytes an entry, not 70), which up to two million articles in the window
hold. A segment is half of the look-back, so that one question is three look-ups a band, and whole
segments expire. ``wb:full:<epoch>`` says that the index is filled.

The database stays the truth. Nothing here raises for Redis's sake.
"""

from __future__ import annotations

import base64
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import structlog
from redis.asyncio import Redis

from storage.redis import FAILURES, reason_of

_log = structlog.get_logger("storage.bands")

SEGMENTS = 2
#: Characters of an article id that a reference keeps: 40 bits, unpacked from 5 bytes.
REFERENCE = 8
_REF_BYTES = 5
_BAND_BYTES = 5
_BATCH = 100

_SCRIPT = """
local prefix, blob, ref, ttl = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local call, sub = redis.call, string.sub
local current = prefix .. ARGV[4] .. ':'
local former = {}
for s = 5, #ARGV do former[#former + 1] = prefix .. ARGV[s] .. ':' end
local found, failed = {}, false
for i = 1, #blob, 5 do
  local bucket, field = sub(blob, i, i + 1), sub(blob, i + 2, i + 4)
  for s = 1, #former do
    local v = call('HGET', former[s] .. bucket, field)
    if v then found[#found + 1] = v end
  end
  local key = current .. bucket
  local v = call('HGET', key, field)
  if v then found[#found + 1] = v else v = '' end
  if ref ~= '' and not failed then
    local there = false
    for j = 1, #v, 5 do
      if sub(v, j, j + 4) == ref then there = true end
    end
    if not there then
      if #v >= 40 then v = sub(v, 6) end
      local r = redis.pcall('HSET', key, field, v .. ref)
      if type(r) == 'table' and r.err then failed = r.err
      elseif v == '' and call('HLEN', key) == 1 then call('PEXPIRE', key, ttl) end
    end
  end
end
return {redis.call('EXISTS', KEYS[2]), failed, table.concat(found)}
"""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What Redis answered."""

    #: First 8 characters of article ids, those with most shared bands first.
    references: tuple[str, ...]
    #: The text itself is in the index now.
    added: bool
    #: The index holds all that the database does, as far as Redis knows.
    filled: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One article for the index."""

    article_id: str
    signature: bytes
    first_seen: datetime


class Bands:
    """The index. Knows nothing of the database or of texts."""

    def __init__(
        self,
        redis: Redis,
        look_back: timedelta,
        *,
        epoch: str = "",
        pause: timedelta = timedelta(seconds=1),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._segment = max(look_back.total_seconds() / SEGMENTS, 1.0)
        self._ttl = int((look_back.total_seconds() + 2 * self._segment) * 1000)
        tag = blake2b(epoch.encode(), digest_size=4)
        self._prefix = b"wb:" + tag.digest() + b":"
        self._marker = f"wb:full:{tag.hexdigest()}".encode()
        self._script = redis.register_script(_SCRIPT)
        self._pause = pause.total_seconds()
        self._monotonic = monotonic
        self._resume_at = float("-inf")
        #: Why it gives no answer; None while it does.
        self.trouble: str | None = None

    async def ask(self, signature: bytes, article_id: str, now: datetime) -> Candidates | None:
        """Articles that share a band, the article itself entered in the same step; None when Redis is away.

        `article_id` "" asks without entering.
        """
        if self._monotonic() < self._resume_at:
            return None
        try:
            reply = await self._script(
                keys=[self._prefix, self._marker], args=self._arguments(signature, article_id, now)
            )
        except FAILURES as error:
            self._away(error)
            return None
        filled, failed, blob = reply
        self._say(failed.decode("utf-8", "replace") if failed else None)
        votes = Counter(blob[i : i + _REF_BYTES] for i in range(0, len(blob), _REF_BYTES))
        votes.pop(_packed(article_id), None)
        ordered = sorted(votes, key=lambda ref: (-votes[ref], ref))
        names = tuple(base64.b32encode(ref).decode("ascii").lower() for ref in ordered)
        return Candidates(names, added=not failed, filled=bool(filled))

    async def is_filled(self) -> bool | None:
        """Whether all of the database's window is in the index; None when Redis is away."""
        try:
            return bool(await self._redis.exists(self._marker))
        except FAILURES as error:
            self._away(error)
            return None

    async def fill(self, entries: AsyncIterator[Entry], now: datetime, *, whole: bool) -> int | None:
        """Enter stored articles; how many, or None when Redis did not take them all.

        With `whole` the index counts as filled from then on.
        """
        total, batch = 0, list[Entry]()
        try:
            async for entry in entries:
                batch.append(entry)
                if len(batch) == _BATCH:
                    await self._enter(batch)
                    total, batch = total + len(batch), []
            await self._enter(batch)
            if whole:
                await self._redis.set(self._marker, b"1")
        except FAILURES as error:
            self._away(error)
            return None
        self._resume_at = float("-inf")
        self._say(None)
        return total + len(batch)

    async def _enter(self, entries: Sequence[Entry]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for entry in entries:
            arguments = self._arguments(entry.signature, entry.article_id, entry.first_seen, ask=False)
            await self._script(keys=[self._prefix, self._marker], args=arguments, client=pipeline)
        for _, failed, _ in await pipeline.execute():
            if failed:
                raise _Refused(failed.decode("utf-8", "replace"))

    def _arguments(self, signature: bytes, article_id: str, moment: datetime, *, ask: bool = True) -> list[Any]:
        number = int(moment.timestamp() // self._segment)
        former = [number - back for back in range(1, SEGMENTS + 1)] if ask else []
        return [signature, _packed(article_id), self._ttl, number, *former]

    def _away(self, error: BaseException) -> None:
        self._resume_at = self._monotonic() + self._pause
        self._say(reason_of(error))

    def _say(self, trouble: str | None) -> None:
        if trouble is not None and self.trouble is None:
            _log.warning("near-duplicate index degraded; the database answers instead", reason=trouble)
        elif trouble is None and self.trouble is not None:
            _log.info("near-duplicate index answers again")
        self.trouble = trouble


class _Refused(OSError):
    """Redis did not take an entry: it is full or read-only."""


def _packed(article_id: str) -> bytes:
    return base64.b32decode(article_id[:REFERENCE].upper()) if article_id else b""
