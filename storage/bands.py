"""Which stored articles share a band of their MinHash with a text: candidates, to be verified elsewhere.

Layout: ``wn:`` + 4 bytes of the epoch + ``:`` + 2 bytes of the band is one small string of records of 8 bytes: the
rest of the band (3 bytes), 35 bits of an article id, and the number of a quarter of the look-back (modulo 32). What is
longer ago than the look-back is not found, and drops out of its string when that is written next. One MGET reads all
that a question needs and an APPEND enters a band, for the server's time goes into looking up names.
``wn:full:<epoch>`` says that the index is filled.

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
from redis.exceptions import NoScriptError

from storage.redis import FAILURES, eviction, reason_of
from storage.together import Together

_log = structlog.get_logger("storage.bands")

#: Parts of the look-back that are forgotten whole.
SEGMENTS = 4
#: Characters of an article id that a reference keeps: 35 bits of base32, above the 5 of a segment.
REFERENCE = 7
_REF_BYTES = 5
_STAMPS = 32
_BATCH = 100
#: The server's eviction policy is looked at again after so many seconds.
_POLICY_SECONDS = 60.0

_SCRIPT = """
local blob, ref, ttl, keep = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local sub, find, byte, floor, call = string.sub, string.find, string.byte, math.floor, redis.pcall
local keys, n = {}, 0
for i = 1, #blob, 5 do
  n = n + 1
  keys[n] = KEYS[1] .. sub(blob, i, i + 1)
end
local values = redis.call('MGET', unpack(keys))
local head, tail = sub(ref, 1, 4), byte(ref, 5)
local now, rest = tail % 32, floor(tail / 32)
local function gone(stamp)
  local age = (now - stamp) % 32  -- 16 and more: entered by somebody who is ahead
  return age > keep and age < 16
end
local met, found, failed = {}, {}, false
for k = 1, n do
  local key, v, tag = keys[k], values[k], sub(blob, k * 5 - 2, k * 5)
  if met[key] then v = call('GET', key) end
  met[key] = true
  local there, places = false, nil
  local at = v and find(v, tag, 1, true)
  while at do
    if at % 8 == 1 then
      local last = byte(v, at + 7)
      if not gone(last) then
        found[#found + 1] = sub(v, at + 3, at + 7)
        there = there or floor(last / 32) == rest and sub(v, at + 3, at + 6) == head
        places = places or {}
        places[#places + 1] = at
      end
      at = at + 7
    end
    at = find(v, tag, at + 1, true)
  end
  if ARGV[5] == '1' and not there and not failed then
    local record, r = tag .. ref, nil
    if places and #places >= 8 then
      r = call('SET', key, sub(v, 1, places[1] - 1) .. sub(v, places[1] + 8) .. record, 'PX', ttl)
    elseif v and gone(byte(v, 8)) then
      local from = 9
      while from < #v and gone(byte(v, from + 7)) do from = from + 8 end
      r = call('SET', key, sub(v, from) .. record, 'PX', ttl)
    else
      r = call('APPEND', key, record)
      if r == 8 or v and byte(v, -1) % 32 ~= now then call('PEXPIRE', key, ttl) end
    end
    if type(r) == 'table' and r.err then failed = r.err end
  end
end
return {call('EXISTS', KEYS[2]), failed, table.concat(found)}
"""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What Redis answered."""

    #: First characters of article ids, those with most shared bands first.
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
        # Set again whenever a record of another segment is entered, so that the last one lasts the look-back.
        self._ttl = int((look_back.total_seconds() + 2 * self._segment) * 1000)
        tag = blake2b(epoch.encode(), digest_size=4)
        self._prefix = b"wn:" + tag.digest() + b":"
        self._marker = f"wn:full:{tag.hexdigest()}".encode()
        self._script = redis.register_script(_SCRIPT)
        self._questions = Together[list[Any], Any](self._run, most=_BATCH)
        self._pause = pause.total_seconds()
        self._monotonic = monotonic
        self._resume_at = float("-inf")
        self._asked_at = float("-inf")
        self._evicts = False
        #: Why it gives no answer; None while it does.
        self.trouble: str | None = None

    async def ask(self, signature: bytes, article_id: str, now: datetime) -> Candidates | None:
        """Articles that share a band, the article itself entered in the same step; None when Redis is away.

        `article_id` "" asks without entering.
        """
        if self._monotonic() < self._resume_at or await self._forgets():
            return None
        try:
            reply = await self._questions.answer(self._arguments(signature, article_id, now))
        except FAILURES as error:
            self._away(error)
            return None
        filled, failed, blob = reply
        self._say(failed.decode("utf-8", "replace") if failed else None)
        shared = Counter(blob[i : i + _REF_BYTES] for i in range(0, len(blob), _REF_BYTES))
        votes = Counter[str]()
        for packed, bands in shared.items():  # an article entered twice may stand in two segments
            votes[_reference(packed)] += bands
        votes.pop(article_id[:REFERENCE], None)
        names = tuple(sorted(votes, key=lambda ref: (-votes[ref], ref)))
        return Candidates(names, added=not failed, filled=bool(filled))

    async def is_filled(self) -> bool | None:
        """Whether all of the database's window is in the index; None when Redis is away or forgets."""
        if await self._forgets():
            return None
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

    async def _run(self, questions: Sequence[list[Any]]) -> list[Any]:
        """Replies or errors, one a question, by one round trip; two when the server does not know the script."""
        for _ in range(2):
            pipeline = self._redis.pipeline(transaction=False)
            for arguments in questions:
                pipeline.evalsha(self._script.sha, 2, self._prefix, self._marker, *arguments)
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
            if not any(isinstance(reply, NoScriptError) for reply in replies):
                break
            await self._redis.script_load(_SCRIPT)
        return replies

    async def _enter(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        for reply in await self._run([self._arguments(e.signature, e.article_id, e.first_seen) for e in entries]):
            if isinstance(reply, Exception):
                raise reply
            if reply[1]:
                raise _Refused(reply[1].decode("utf-8", "replace"))

    def _arguments(self, signature: bytes, article_id: str, moment: datetime) -> list[Any]:
        number = int(moment.timestamp() // self._segment)
        return [signature, _packed(article_id, number), self._ttl, SEGMENTS, int(bool(article_id))]

    async def _forgets(self) -> bool:
        """Whether the server drops keys by itself: what it does not find may have been there. Asked once a minute.

        The index counts as empty from then on, so that it is filled anew once the server keeps what it is given.
        """
        if self._monotonic() >= self._asked_at + _POLICY_SECONDS:
            try:
                evicts = eviction(await self._redis.info("memory"))
                if evicts is not None:
                    await self._redis.unlink(self._marker)
            except FAILURES as error:
                self._away(error)
                return True
            self._asked_at = self._monotonic()
            if evicts is not None or self._evicts:
                self._say(evicts)
            self._evicts = evicts is not None
        return self._evicts

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


def _packed(article_id: str, segment: int) -> bytes:
    """35 bits of the id and 5 of the segment; those of no article are zero."""
    reference = _bits(article_id[:REFERENCE]) if article_id else 0
    return (reference << 5 | segment % _STAMPS).to_bytes(_REF_BYTES, "big")


def _bits(reference: str) -> int:
    return int.from_bytes(base64.b32decode((reference + "a").upper()), "big") >> 5


def _reference(packed: bytes) -> str:
    return base64.b32encode(packed)[:REFERENCE].decode("ascii").lower()
