"""robots.txt of every origin we visit (RFC 9309): fetched by our own fetcher, kept for a day at most, for all workers.

Knows when rules are good and what their absence means; what they say is ``crawlers.robots_rules``.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from crawlers.address import Target
from crawlers.model import FailureKind, Fetched, FetchFailed, FetchResult
from crawlers.robots_note import Note, from_json, to_json
from crawlers.robots_rules import ALLOW_ALL, Rules, parse, path_of, product_token

#: Gets the robots.txt at a URL.
Fetch = Callable[[str], Awaitable[FetchResult]]

#: Longest life of rules (RFC 9309 section 2.4), and of an absence of rules.
LIFETIME = timedelta(hours=24)
#: Shortest life, whatever Cache-Control says: robots.txt is not asked for with every page.
SHORTEST_LIFETIME = timedelta(minutes=10)
#: How long a first server error stands for "everything is forbidden" before it is tried again; each further one in
#: a row stands for twice as long. Most are over in seconds, and a feed may list an article for minutes only.
FIRST_ERROR_LIFETIME = timedelta(seconds=30)
#: Longest such time.
ERROR_LIFETIME = timedelta(minutes=10)
#: The same for a network that does not reach the host; always short, for it may be our own.
NETWORK_LIFETIME = timedelta(seconds=30)
#: Rules that were once read are kept in force this long while robots.txt cannot be reached.
STALE_LIFETIME = timedelta(days=30)
#: Redirects followed (RFC 9309 section 2.3.1.2); past them robots.txt counts as absent.
MAX_REDIRECTS = 5

#: One worker asks for a robots.txt within this; the others wait for what it learns for as long as they have patience.
CLAIM = timedelta(seconds=60)
_PATIENCE_SECONDS = 20.0
_PAUSE_SECONDS = 0.2

_MAX_ENTRIES = 20_000
_MAX_PATTERN_CHARS = 16 * 2**20
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)

_NETWORK = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS, FailureKind.TIMEOUT, FailureKind.STORAGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsVerdict:
    """What robots.txt says about one URL."""

    allowed: bool
    #: Seconds between requests that the publisher asks for.
    delay: float | None = None
    #: The line that forbids, as written.
    rule: str | None = None
    #: Why robots.txt could not be read, when that is what forbids.
    failure: FetchFailed | None = None


@dataclass(slots=True)
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Rules | None = None
    #: When the rules were read.
    read_at: datetime | None = None
    #: Why the last attempt failed; None when it did not.
    failure: FetchFailed | None = None
    #: Failures in a row, the network's not counted.
    errors: int = 0
    #: When to ask again; None means at once.
    until: datetime | None = None
    weight: int = 0


class Shelf(Protocol):
    """Where workers share notes, by name; see `storage.robots.RobotsShelf`."""

    async def get(self, name: str) -> bytes | None:
        """The note, None when there is none."""

    async def put(self, name: str, note: bytes, life: timedelta) -> None:
        """Replace the note."""

    async def claim(self, name: str, life: timedelta) -> bool:
        """Whether the caller is the one to write the note now."""

    async def release(self, name: str) -> None:
        """Somebody else may write it."""


class Robots:
    """Rules by origin and product token, bounded, the least recently used forgotten first.

    With a shelf, of all workers one asks for each robots.txt.
    """

    def __init__(self, now: Callable[[], datetime], shelf: Shelf | None = None) -> None:
        self._now = now
        self._shelf = shelf
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._weight = 0

    async def check(self, target: Target, user_agent: str, fetch: Fetch) -> RobotsVerdict:
        """Whether the URL may be fetched; asks for robots.txt first when it is not known or too old."""
        token = product_token(user_agent)
        entry = self._entry((target.origin, token))
        if not self._good(entry):
            async with entry.lock:
                if not self._good(entry):
                    await self._refresh(entry, target, token, fetch)
        return _verdict(entry, path_of(target.href))

    async def _refresh(self, entry: _Entry, target: Target, token: str, fetch: Fetch) -> None:
        """Ask for robots.txt, unless another worker has or is about to."""
        if self._shelf is None:
            self._learn(entry, await fetch(robots_url(target)), token)
            return
        name = f"{target.origin} {token}"
        for _ in range(round(_PATIENCE_SECONDS / _PAUSE_SECONDS)):
            if await self._adopt(entry, name, self._shelf):
                return
            if await self._shelf.claim(name, CLAIM):
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        try:
            if await self._adopt(entry, name, self._shelf):
                return
            self._learn(entry, await fetch(robots_url(target)), token)
            if entry.until is not None:
                note = Note(
                    rules=entry.rules,
                    read_at=entry.read_at,
                    until=entry.until,
                    failure=entry.failure,
                    errors=entry.errors,
                )
                await self._shelf.put(name, to_json(note), STALE_LIFETIME)
        finally:
            await self._shelf.release(name)

    async def _adopt(self, entry: _Entry, name: str, shelf: Shelf) -> bool:
        """Take over what another worker has learned; whether it still holds. What no longer does is a reserve."""
        text = await shelf.get(name)
        note = from_json(text) if text is not None else None
        if note is None or (entry.until is not None and note.until <= entry.until):
            return False
        if note.rules is not None or entry.rules is None:
            entry.rules, entry.read_at = note.rules, note.read_at
        entry.until, entry.failure, entry.errors = note.until, note.failure, note.errors
        self._weigh(entry)
        return self._good(entry)

    def _entry(self, key: tuple[str, str]) -> _Entry:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry()
        self._entries.move_to_end(key)
        while len(self._entries) > _MAX_ENTRIES or self._weight > _MAX_PATTERN_CHARS:
            oldest = next(iter(self._entries))
            if oldest == key:
                break
            self._weight -= self._entries.pop(oldest).weight
        return entry

    def _good(self, entry: _Entry) -> bool:
        return entry.until is not None and self._now() < entry.until

    def _learn(self, entry: _Entry, result: FetchResult, token: str) -> None:
        now = self._now()
        entry.failure, errors, entry.errors = None, entry.errors, 0
        if isinstance(result, Fetched):
            entry.rules = parse(result.body, token)
            entry.read_at, entry.until = now, now + lifetime(result.header("cache-control"))
        elif isinstance(result, FetchFailed) and not is_absent(result):
            entry.failure = result
            if entry.read_at is not None and now - entry.read_at > STALE_LIFETIME:
                entry.rules = entry.read_at = None
            entry.errors = errors + (result.kind not in _NETWORK)
            entry.until = now + _until_next(result, entry.errors)
        else:
            entry.rules, entry.read_at, entry.until = ALLOW_ALL, now, now + LIFETIME
        self._weigh(entry)

    def _weigh(self, entry: _Entry) -> None:
        weight = 64 + sum(len(rule.pattern) + len(rule.text) for rule in entry.rules.rules) if entry.rules else 64
        self._weight += weight - entry.weight
        entry.weight = weight


def robots_url(target: Target) -> str:
    """The address of the robots.txt that speaks for a URL."""
    return f"{target.origin}/robots.txt"


def is_absent(failure: FetchFailed) -> bool:
    """Whether the failure means that there are no rules (RFC 9309 sections 2.3.1.2 and 2.3.1.3).

    429 is left out: who asks us to slow down has not said that all is allowed.
    """
    if failure.kind is FailureKind.EMPTY:
        return True
    if failure.kind is FailureKind.REDIRECT:
        return len(failure.redirects) >= MAX_REDIRECTS
    return failure.status is not None and 400 <= failure.status < 500 and failure.status != 429


def lifetime(cache_control: str | None) -> timedelta:
    """How long rules hold, from Cache-Control within our own bounds."""
    match = _MAX_AGE.search(cache_control or "")
    if match is None:
        return LIFETIME
    return min(max(timedelta(seconds=int(match.group(1))), SHORTEST_LIFETIME), LIFETIME)


def _until_next(failure: FetchFailed, errors: int) -> timedelta:
    if failure.retry_after is not None:
        return min(max(failure.retry_after, NETWORK_LIFETIME), LIFETIME)
    if failure.kind in _NETWORK:
        return NETWORK_LIFETIME
    # More doublings than reach the longest time would only overflow.
    return min(FIRST_ERROR_LIFETIME * 2.0 ** min(errors - 1, 16), ERROR_LIFETIME)


def _verdict(entry: _Entry, path: str) -> RobotsVerdict:
    if entry.rules is None:
        return RobotsVerdict(allowed=False, failure=entry.failure)
    rule = entry.rules.deciding(path)
    if rule is None or rule.allow:
        return RobotsVerdict(allowed=True, delay=entry.rules.delay)
    return RobotsVerdict(allowed=False, delay=entry.rules.delay, rule=f"Disallow: {rule.text}")
