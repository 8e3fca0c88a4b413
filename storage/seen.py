"""What has been seen, answered from memory: the fast path before the database.

An entry is written after the commit of what it stands for and lives until `ttl` after its last
sighting. The database stays the truth: a miss here means "ask there", and when Redis is away,
full, read-only or empty every look-up is a miss. Nothing here raises for Redis's sake.

Layout: one string key per identity, ``ws:`` + 4 bytes of the epoch + 16 bytes of
blake2b(kind, scope, key), holding a JSON array; ``ws:epoch:<hex>`` says that the index is filled;
``ws:window:<hex>:<source>`` holds the digests of a source's last window.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis

from storage.content import bounded
from storage.model import FateKind, Identity, IdentityKey
from storage.redis import FAILURES, reason_of

_T = TypeVar("_T")

_log = structlog.get_logger("storage.seen")

#: Keys handled by one script call: a few hundred microseconds during which the server does nothing else.
_BATCH = 500
_DIGEST = 16

_LETTER = {
    FateKind.STORED: "s",
    FateKind.REVISED: "r",
    FateKind.UNCHANGED: "u",
    FateKind.DUPLICATE: "d",
    FateKind.FILTERED: "f",
    FateKind.FAILED: "x",
    FateKind.PENDING: "p",
}
_FATE = {letter: fate for fate, letter in _LETTER.items()}

# A sighting renews a key only once a tenth of its time is gone: for 60 days that is one write in six
# days instead of one per poll. pcall, because a read-only server can still answer the look-up.
_TOUCH = """
local function touch(key, ttl)
  local left = redis.call('PTTL', key)
  if left >= 0 and left < ttl * 0.9 then
    local r = redis.pcall('PEXPIRE', key, ttl)
    if type(r) == 'table' and r.err then return r.err end
  end
  return false
end
"""

_LOOKUP = (
    _TOUCH
    + """
local ttl = tonumber(ARGV[1])
local out = {redis.call('EXISTS', KEYS[1]), false}
for i = 2, #KEYS do
  local value = redis.call('GET', KEYS[i])
  out[i + 1] = value
  if value and ttl > 0 then out[2] = touch(KEYS[i], ttl) or out[2] end
end
return out
"""
)

_REFRESH = (
    _TOUCH
    + """
local failed = false
for i = 1, #KEYS do failed = touch(KEYS[i], tonumber(ARGV[1])) or failed end
return failed
"""
)

_WINDOW = (
    _TOUCH
    + """
local blob = redis.call('GET', KEYS[1])
if not blob then return {0, false} end
local failed = touch(KEYS[1], tonumber(ARGV[1]))
local first, last = tonumber(ARGV[3]), tonumber(ARGV[4])
for i = first, math.min(#blob, last), 16 do
  failed = touch(ARGV[2] .. string.sub(blob, i, i + 15), tonumber(ARGV[1])) or failed
end
return {#blob, failed}
"""
)

_MARK = """
for i = 1, #KEYS do
  if ARGV[2] == '1' then redis.call('SET', KEYS[i], ARGV[i + 2], 'PX', ARGV[1], 'NX')
  else redis.call('SET', KEYS[i], ARGV[i + 2], 'PX', ARGV[1]) end
end
return #KEYS
"""


@dataclass(frozen=True, slots=True)
class SeenState:
    """How the index is doing; None means well."""

    #: Why look-ups find nothing.
    read_error: str | None = None
    #: Why marks are dropped.
    write_error: str | None = None
    #: The index is empty or was never filled for this database: rebuild it.
    cold: bool = False

    @property
    def degraded(self) -> str | None:
        """The reason in one line, None when all is well."""
        return self.read_error or self.write_error


class Seen:
    """The index of seen identities. Knows nothing of the database; the caller asks there on a miss.

    `epoch` names the database the index belongs to (an id written at its creation), so that a Redis
    filled for another database is never believed. `changed` hears each change of :class:`SeenState`.
    """

    def __init__(
        self,
        redis: Redis,
        ttl: timedelta,
        *,
        epoch: str = "",
        changed: Callable[[SeenState], None] | None = None,
        pause: timedelta = timedelta(seconds=1),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._ttl = max(1, int(ttl.total_seconds() * 1000))
        tag = blake2b(epoch.encode(), digest_size=4)
        self._prefix = b"ws:" + tag.digest()
        self._marker = f"ws:epoch:{tag.hexdigest()}".encode()
        self._windows = f"ws:window:{tag.hexdigest()}:".encode()
        self._changed = changed
        self._pause = pause.total_seconds()
        self._monotonic = monotonic
        self._resume_at = float("-inf")
        self._state = SeenState()
        self._lookup = redis.register_script(_LOOKUP)
        self._refresh = redis.register_script(_REFRESH)
        self._window = redis.register_script(_WINDOW)
        self._mark = redis.register_script(_MARK)

    @property
    def state(self) -> SeenState:
        """As of the last call."""
        return self._state

    @property
    def degraded(self) -> str | None:
        """Why answers are slow at the moment, None when they are not."""
        return self._state.degraded

    async def lookup(self, keys: Sequence[IdentityKey], *, sighted: bool = True) -> dict[IdentityKey, Identity]:
        """The identities known among `keys`; `sighted` renews their time. Empty when Redis fails."""
        found: dict[IdentityKey, Identity] = {}
        ttl = self._ttl if sighted else 0
        for batch in _batches(keys):
            names = [self._marker, *(self.name(key) for key in batch)]
            reply = await self._try("look up what was seen", self._lookup, names, [ttl], write=False)
            if reply is None:
                break
            self._note(cold=not reply[0], write_error=_text(reply[1]) or self._state.write_error)
            for key, value in zip(batch, reply[2:], strict=True):
                identity = None if value is None else _decode(key, value)
                if identity is not None:
                    found[key] = identity
        return found

    async def mark(self, identities: Sequence[Identity]) -> bool:
        """Remember what was committed; later marks win. False when Redis dropped some of them.

        Those of one call are written together (per 500), so an article's keys never part.
        """
        return await self._write(identities, keep=False)

    async def refresh(self, keys: Sequence[IdentityKey], *, source_id: str | None = None) -> bool:
        """Renew the time of `keys`; with `source_id`, remember them as that source's window."""
        for batch in _batches(keys):
            names = [self.name(key) for key in batch]
            reply = await self._try("renew what was seen", self._refresh, names, [self._ttl], nil=b"")
            if reply is None:
                return False
            self._note(write_error=_text(reply))
        if source_id is not None:
            blob = b"".join(_digest(key) for key in keys)
            name = self._windows + source_id.encode()
            if await self._try("keep a window", self._redis.set, name, blob, px=self._ttl) is None:
                return False
        return self._state.write_error is None

    async def refresh_window(self, source_id: str) -> int:
        """Renew everything that the source listed at its last reading (304, same body); how many keys.

        0 when no window is known or Redis fails.
        """
        name = self._windows + source_id.encode()
        first, step = 1, _BATCH * _DIGEST
        while True:
            arguments = [self._ttl, self._prefix, first, first + step - 1]
            reply = await self._try("renew a window", self._window, [name], arguments)
            if reply is None:
                return 0
            self._note(write_error=_text(reply[1]))
            first += step
            if first > reply[0]:
                return int(reply[0]) // _DIGEST

    async def forget(self, keys: Sequence[IdentityKey]) -> bool:
        """Drop `keys`; False when Redis could not."""
        for batch in _batches(keys):
            names = [self.name(key) for key in batch]
            if await self._try("forget what was seen", self._redis.unlink, *names) is None:
                return False
        return True

    async def names(self) -> set[bytes]:
        """Every mark of this database there is, under its name. Raises what the client raises when Redis is away."""
        size = len(self._prefix) + _DIGEST
        found = self._redis.scan_iter(match="ws:*", count=5_000)
        return {name async for name in found if len(name) == size and name.startswith(self._prefix)}

    async def is_cold(self) -> bool:
        """Whether Redis answers and holds no index for this database."""
        reply = await self._try("tell whether the index is filled", self._redis.exists, self._marker, write=False)
        if reply is None:
            return False
        self._note(cold=not reply)
        return not reply

    async def rebuild(self, identities: AsyncIterator[Identity]) -> int:
        """Fill the index from the database; how many were written.

        What is marked meanwhile is newer and stays. The index counts as filled only when all of it
        was written; after a failure it stays cold and can be rebuilt again.
        """
        batch: list[Identity] = []
        total = 0
        async for identity in identities:
            batch.append(identity)
            if len(batch) == _BATCH:
                if not await self._write(batch, keep=True):
                    return total
                total += len(batch)
                batch = []
        if not await self._write(batch, keep=True):
            return total
        total += len(batch)
        if await self._try("call the index filled", self._redis.set, self._marker, b"1") is not None:
            self._note(cold=False)
            _log.info("seen index rebuilt", identities=total)
        return total

    async def _write(self, identities: Sequence[Identity], *, keep: bool) -> bool:
        for batch in _batches(identities):
            names = [self.name(identity.key) for identity in batch]
            values = [_encode(identity) for identity in batch]
            arguments = [self._ttl, int(keep), *values]
            if await self._try("mark what was stored", self._mark, names, arguments) is None:
                return False
        return True

    def name(self, key: IdentityKey) -> bytes:
        """The key in Redis under which an identity is marked."""
        return self._prefix + _digest(key)

    async def _try(
        self,
        action: str,
        call: Callable[..., Awaitable[_T]],
        *args: Any,
        write: bool = True,
        nil: Any = None,
        **kwargs: Any,
    ) -> _T | Any | None:
        """The reply, or None on any failure; `nil` stands for a reply that is None itself.

        After a failure Redis is left alone for `pause`, so that a server that answers nothing costs
        one time-out now and then and not one per call. A refused write does not stop look-ups.
        """
        if self._monotonic() < self._resume_at:
            return None
        try:
            reply = await call(*args, **kwargs)
        except FAILURES as error:
            why = f"could not {action}: {reason_of(error)}"
            if write and await self._answers():
                self._note(write_error=why)
            else:
                self._resume_at = self._monotonic() + self._pause
                self._note(read_error=why)
            return None
        self._note(read_error=None, **({"write_error": None} if write else {}))
        return nil if reply is None else reply

    async def _answers(self) -> bool:
        try:
            await self._redis.exists(self._marker)
        except FAILURES:
            return False
        return True

    def _note(self, **changes: Any) -> None:
        values = {
            "read_error": self._state.read_error,
            "write_error": self._state.write_error,
            "cold": self._state.cold,
        } | changes
        state = SeenState(**values)
        if state == self._state:
            return
        before, self._state = self._state, state
        if state.degraded is None and before.degraded is not None:
            _log.info("seen index answers again", cold=state.cold)
        elif state.degraded is not None and before.degraded is None:
            _log.warning("seen index degraded; the database answers instead", reason=state.degraded)
        if state.cold and not before.cold:
            _log.warning("seen index is empty; it is to be rebuilt from the database")
        if self._changed is not None:
            self._changed(state)


def _batches(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (values[i : i + _BATCH] for i in range(0, len(values), _BATCH))


def _digest(key: IdentityKey) -> bytes:
    """Of the key as the database keeps it; scopes hold no NUL (they are ids)."""
    text = f"{key.kind.value}\0{key.scope}\0{bounded(key.key)}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()


def _encode(identity: Identity) -> bytes:
    """JSON array: fate, article id, entry hash, URL key; the last is 1 when it is the key itself."""
    url_key: str | int = 1 if identity.url_key == identity.key.key else identity.url_key
    fields: list[str | int] = [
        _LETTER[identity.fate],
        identity.article_id or "",
        identity.entry_hash,
        url_key,
    ]
    while fields[-1] == "":
        fields.pop()
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=True).encode()


def _decode(key: IdentityKey, value: bytes) -> Identity | None:
    """The boundary: anything that is not ours is a miss."""
    try:
        fields = json.loads(value)
        if not isinstance(fields, list):
            return None
        letter, article_id, entry_hash, url_key = [*fields, "", "", ""][:4]
        fate = _FATE[letter]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    url_key = key.key if url_key == 1 else url_key
    if not (isinstance(article_id, str) and isinstance(entry_hash, str) and isinstance(url_key, str)):
        return None
    return Identity(key=key, article_id=article_id or None, fate=fate, entry_hash=entry_hash, url_key=url_key)


def _text(value: bytes | None) -> str | None:
    return value.decode("utf-8", "replace") if value else None
