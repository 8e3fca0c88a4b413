"""The story that is stored already under another address or at another outlet: found, verified, and whose it is.

Candidates come from :class:`storage.bands.Bands`, or, while Redis is away, full or read-only, from a
:class:`crawlers.scan.Scan` of the database; either way the texts decide. An empty Redis is filled again
from the database before the first answer is believed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from crawlers.minhash import Fingerprint, fingerprint, same_text, signature
from crawlers.scan import Scan
from storage.bands import REFERENCE, Bands, Entry
from storage.content import article_id
from storage.model import Article
from storage.texts import StoredText, Texts

log = structlog.get_logger(__name__)

#: Candidates whose texts are compared; those with fewest shared bands are left out.
MOST_CANDIDATES = 8
#: Of these, those that are read before the others.
LIKELY = 2
#: Stored articles entered again at the start: Redis may have lost its last second in a crash.
TOP_UP = timedelta(minutes=10)
#: Waits for a candidate that another worker is just storing.
_STORING = (0.05, 0.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A stored article with the same text."""

    #: ``body``: the same to the letter; ``near``: nearly.
    rule: str
    #: The article it matched, and that one's parent (itself when it has none).
    of: str
    parent: str
    outlet_id: str
    jaccard: float
    #: Whether this article is the original, and the parent its copy.
    takes_over: bool = False


class Near:
    """Finds the article that another one copies. Enters every text it is asked about."""

    def __init__(
        self,
        texts: Texts,
        bands: Bands,
        *,
        look_back: timedelta,
        near: float,
        agencies: Callable[[], frozenset[str]],
        now: Callable[[], datetime],
    ) -> None:
        self._texts = texts
        self._bands = bands
        self._look_back = look_back
        self._near = near
        #: Outlets that are news agencies: their texts are the originals of what others run.
        self._agencies = agencies
        self._now = now
        self._scan = Scan(texts)
        self._lock = asyncio.Lock()
        #: Articles stored since then may be missing in Redis; None: none is.
        self._missing_since: datetime | None = now() - TOP_UP

    async def find(self, article: Article) -> Match | None:
        """The stored article with the same text, judged by shared bands the nearest; None for a text of its own."""
        own_id = article_id(article.outlet_id, article.url_key)
        print_ = fingerprint(article.text)
        if print_ is None:
            return None
        candidates = await self._candidates(print_, own_id)
        # One of the first is the one, mostly; a text of many versions would have eight read for it.
        for some in (candidates[:LIKELY], candidates[LIKELY:]):
            for stored in await self._stored(some, own_id) if some else ():
                score = self._compare(print_, stored)
                if score is not None:
                    rule = "body" if stored.body_hash == article.body_hash else "near"
                    return await self._match(article, stored, rule, score)
        return None

    def _compare(self, own: Fingerprint, stored: StoredText) -> float | None:
        other = fingerprint(stored.text)
        return None if other is None else same_text(own, other, self._near)

    async def _match(self, article: Article, stored: StoredText, rule: str, score: float) -> Match:
        root = stored
        if stored.copy_of is not None:
            root = await self._texts.by_id(stored.copy_of) or stored
        takes_over = self._is_original(article, root)
        matched = root if takes_over else stored
        return Match(
            rule=rule,
            of=matched.id,
            parent=root.id,
            outlet_id=matched.outlet_id,
            jaccard=score,
            takes_over=takes_over,
        )

    def _is_original(self, article: Article, stored: StoredText) -> bool:
        """Whether `article` is the original although it came later: the agency's, else the earlier published."""
        agencies = self._agencies()
        ours, theirs = article.outlet_id in agencies, stored.outlet_id in agencies
        if ours != theirs:
            return ours
        if article.published is None or stored.published is None:
            return False
        return article.published < stored.published

    # -- candidates ---------------------------------------------------------------------------

    async def _candidates(self, own: Fingerprint, own_id: str) -> tuple[str, ...]:
        key = signature(own)
        for _ in range(2):
            if not await self._repaired():
                break
            answer = await self._bands.ask(key, own_id, self._now())
            if answer is None or not answer.added:
                self._lost(self._now() - TOP_UP)
                break
            if answer.filled:
                return answer.references[:MOST_CANDIDATES]
            self._lost(self._now() - self._look_back)
        await self._scan.catch_up(self._now() - self._look_back)
        return self._scan.near(key)[:MOST_CANDIDATES]

    def _lost(self, since: datetime) -> None:
        self._missing_since = min(since, self._missing_since or since)

    async def _repaired(self) -> bool:
        """Whether Redis holds all it should, after entering what it misses."""
        if self._missing_since is None:
            return True
        async with self._lock:
            return await self._repair(self._missing_since)

    async def _repair(self, missing: datetime | None) -> bool:
        if missing is None:  # another task was faster
            return True
        now = self._now()
        filled = await self._bands.is_filled()
        if filled is None:
            return False
        since = missing if filled else now - self._look_back
        entered = await self._bands.fill(self._entries(since), now, whole=not filled)
        if entered is None:
            return False
        self._missing_since = None
        self._scan.clear()
        if not filled:
            log.info("near-duplicate index rebuilt", articles=entered, since=since.isoformat())
        return True

    async def _entries(self, since: datetime) -> AsyncIterator[Entry]:
        async for stored in self._texts.window(since):
            found = fingerprint(stored.text)
            if found is not None:
                yield Entry(stored.id, signature(found), stored.first_seen)

    async def _stored(self, references: tuple[str, ...], own_id: str) -> list[StoredText]:
        """Their texts; what is not stored yet gets a moment, for its worker may be about to."""
        found = await self._texts.by_reference(references)
        for pause in _STORING:
            if {text.id[:REFERENCE] for text in found} >= set(references):
                break
            await asyncio.sleep(pause)
            found = await self._texts.by_reference(references)
        order = {reference: place for place, reference in enumerate(references)}
        found.sort(key=lambda text: (order.get(text.id[:REFERENCE], len(order)), text.seq))
        return [text for text in found if text.id != own_id]
