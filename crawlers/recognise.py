"""Which of the items that a source announces have to be looked at.

Redis answers first; what it does not know the database is asked; what neither knows is new.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from config.model import Outlet, Source
from crawlers.identity import url_key
from crawlers.model import FeedEntry
from crawlers.revisits import heeds_sign
from storage.articles import Articles
from storage.model import Discovery, FateKind, Identity, IdentityKey, IdentityKind
from storage.seen import Seen
from storage.visits import Visits


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """One answer of a source, sorted."""

    #: To be looked at.
    discoveries: tuple[Discovery, ...]
    #: Number of items known already, of which the source says nothing else than before.
    known: int
    #: New ones that were not entered, because the outlet had its share for today.
    left: int = 0


@dataclass(frozen=True, slots=True)
class _Item:
    entry: FeedEntry
    #: Identity by address, within the outlet.
    place: IdentityKey
    #: Identity by what the source calls it, within the source.
    name: IdentityKey
    hash: str


def entry_to_json(entry: FeedEntry) -> str:
    """The entry as it is kept beside a pending item."""
    return json.dumps(asdict(entry), default=datetime.isoformat, ensure_ascii=False, separators=(",", ":"))


def entry_from_json(text: str) -> FeedEntry:
    """The entry back from storage."""
    data = json.loads(text)
    for name in ("published", "updated"):
        if data.get(name):
            data[name] = datetime.fromisoformat(data[name])
    for name in ("authors", "tags"):
        data[name] = tuple(data.get(name) or ())
    return FeedEntry(**data)


async def recognise(
    entries: Sequence[FeedEntry],
    outlet: Outlet,
    source: Source,
    *,
    seen: Seen,
    articles: Articles,
    now: datetime,
    whole: bool = True,
    visits: Visits | None = None,
) -> Recognised:
    """Sort the entries into those to look at and those known; every sighting refreshes the memory.

    `whole` says that they are all that the source lists, which a later 304 stands for. With `visits`, signs of a
    change that meant nothing time and again are heeded less often.
    """
    items = _items(entries, outlet, source)
    keys = [key for item in items for key in (item.place, item.name)]
    memory = await seen.lookup(keys)
    missing = [key for key in keys if key not in memory]
    remembered = await articles.identities(missing) if missing else {}
    found = {**memory, **remembered}

    discoveries: list[Discovery] = []
    sightings: list[Identity] = list(remembered.values())
    known_keys: list[IdentityKey] = []
    reasons = {item.place: _why_look(item, found) for item in items}
    idle = await _idle(items, reasons, found, visits, now)
    for item in items:
        reason = reasons[item.place]
        if reason is not None and item.place not in idle:
            discoveries.append(_discovery(item, reason))
            continue
        known_keys += [item.place, item.name]
        if item.name not in found:
            # Known through another source of the outlet: remember what this one says of it.
            sightings.append(replace(found[item.place], key=item.name, entry_hash=item.hash))
        elif _is_of_another_version(found[item.name].entry_hash, item.hash):
            sightings.append(replace(found[item.name], entry_hash=item.hash))
    await seen.mark(sightings)
    await seen.refresh(keys, source_id=source.id if whole else None)
    await articles.touch(known_keys, now)
    return Recognised(discoveries=tuple(discoveries), known=len(items) - len(discoveries))


async def _idle(
    items: Sequence[_Item],
    reasons: dict[IdentityKey, str | None],
    found: dict[IdentityKey, Identity],
    visits: Visits | None,
    now: datetime,
) -> set[IdentityKey]:
    """Items that say once more that they changed, when saying so meant nothing before."""
    said = {item.place: found[item.place].article_id for item in items if reasons[item.place] == "changed"}
    ids = {article_id for article_id in said.values() if article_id is not None}
    known = await visits.of(ids) if visits is not None and ids else {}
    return {
        place
        for place, article_id in said.items()
        if article_id in known and not heeds_sign(known[article_id].idle, known[article_id].visited_at, now)
    }


def _is_of_another_version(old: str, new: str) -> bool:
    """Whether two hashes of entries were made in different ways and so say nothing of each other."""
    return old[:1] != new[:1] and bool(old)


def _items(entries: Sequence[FeedEntry], outlet: Outlet, source: Source) -> list[_Item]:
    """One item per address; a GUID given to several addresses is no name."""
    places: dict[str, FeedEntry] = {}
    for entry in entries:
        places.setdefault(url_key(entry.url, outlet), entry)
    uses = Counter(entry.guid for entry in places.values() if entry.guid)
    return [
        _Item(
            entry=entry,
            place=IdentityKey(IdentityKind.URL, outlet.id, key),
            name=_name(entry, key, source, uses),
            hash=entry.source_hash(),
        )
        for key, entry in places.items()
    ]


def _name(entry: FeedEntry, key: str, source: Source, uses: Counter[str]) -> IdentityKey:
    own = entry.guid if entry.guid and uses[entry.guid] == 1 else key
    return IdentityKey(IdentityKind.GUID, source.id, own)


def _why_look(item: _Item, found: dict[IdentityKey, Identity]) -> str | None:
    place, name = found.get(item.place), found.get(item.name)
    if place is None:
        return "moved" if name is not None and name.article_id is not None else "new"
    if name is None or not name.entry_hash or name.url_key != item.place.key:
        return None
    if name.entry_hash == item.hash or place.fate is FateKind.FILTERED:
        return None
    if _is_of_another_version(name.entry_hash, item.hash):
        return None
    return "changed"


def _discovery(item: _Item, reason: str) -> Discovery:
    return Discovery(
        url=item.entry.url,
        url_key=item.place.key,
        guid=item.name.key,
        title=item.entry.title,
        published=item.entry.published,
        entry_hash=item.hash,
        entry=entry_to_json(item.entry),
        reason=reason,
    )


def keys_of(urls: Iterable[str], outlet: Outlet) -> list[IdentityKey]:
    """The identities of an article's addresses, without repeats."""
    return list(dict.fromkeys(IdentityKey(IdentityKind.URL, outlet.id, url_key(url, outlet)) for url in urls))
