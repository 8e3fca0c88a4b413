"""The ground truth: everything published, what it truly says, and where it is listed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from newsroom.press import Newsroom
from newsroom.shapes.house import House, SourceSpec
from newsroom.story import Kind, Story


@dataclass(frozen=True, slots=True)
class Listing:
    """A stay of a story in a source."""

    #: ``outlet/source``.
    source: str
    since: datetime
    #: When it was pushed out or aged out; None while it is still listed.
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One published story as a perfect reader would know it."""

    #: ``outlet:number``.
    key: str
    outlet: str
    number: int
    channel: str
    url: str
    #: Other URLs of the same article.
    aliases: tuple[str, ...]
    #: As it stands now.
    title: str
    #: As it stands now: no dateline, links, byline or sign-off.
    paragraphs: tuple[str, ...]
    subheads: tuple[str, ...]
    authors: tuple[str, ...]
    editor: str
    agency: str | None
    place: str
    tags: tuple[str, ...]
    published: datetime
    #: (when, what changed, title from then on).
    revisions: tuple[tuple[datetime, str, str], ...]
    retracted: datetime | None
    #: Keys of the stories it repeats, by how.
    rerun_of: str | None
    duplicate_of: str | None
    copy_of: str | None
    listed: tuple[Listing, ...]


def records(newsroom: Newsroom, outlet: str | None = None, since: datetime | None = None) -> list[Record]:
    """Every story published by now, oldest first: of the named outlets, or of one.

    Stories from before the clock's start, which feeds still list, are included; ``since`` leaves
    out what is older.
    """
    now = newsroom.clock.now()
    houses = [newsroom.house(outlet)] if outlet else list(newsroom.houses.values())
    return [record for house in houses for record in _of_house(newsroom, house, now, since)]


def _of_house(newsroom: Newsroom, house: House, now: datetime, since: datetime | None) -> Iterator[Record]:
    stories = sorted(_all_published(house, now), key=lambda s: (s.published, s.number))
    stays = _stays(newsroom, house, stories, now)
    for story in stories:
        if since is None or story.published >= since:
            yield _record(newsroom, house, story, now, tuple(stays[story.key]))


def _all_published(house: House, now: datetime) -> Iterator[Story]:
    """Also those that were taken back, which `Desk.published` hides."""
    day = house.desk.opened
    while True:
        stories = house.desk.on_day(day)
        yield from (s for s in stories if s.published <= now)
        if (stories and stories[-1].published > now) or day > now.date() + timedelta(days=1):
            return
        day += timedelta(days=1)


def _record(newsroom: Newsroom, house: House, story: Story, now: datetime, listed: tuple[Listing, ...]) -> Record:
    desk = house.desk
    words = desk.words(story, now)
    parent = story.parent.key if story.parent else None
    revisions = tuple((r.at, r.change.value, desk.title(story, r.at)) for r in desk.revisions(story, now))
    return Record(
        key=story.key,
        outlet=story.outlet,
        number=story.number,
        channel=story.channel.slug,
        url=house.url(story),
        aliases=house.aliases(story),
        title=words.title,
        paragraphs=words.paragraphs,
        subheads=tuple(t for _, t in words.subheads),
        authors=words.authors,
        editor=words.editor,
        agency=words.agency,
        place=words.place,
        tags=words.tags,
        published=story.published,
        revisions=revisions,
        retracted=newsroom.orders.retraction(story.key) if desk.retracted(story, now) else None,
        rerun_of=parent if story.kind is Kind.RERUN else None,
        duplicate_of=parent if story.kind is Kind.DUPLICATE else None,
        copy_of=parent if story.kind is Kind.COPY else None,
        listed=listed,
    )


def _stays(newsroom: Newsroom, house: House, stories: list[Story], now: datetime) -> Mapping[str, list[Listing]]:
    out: dict[str, list[Listing]] = defaultdict(list)
    for source in house.sources:
        mine = [s for s in stories if source.channel in (None, s.channel.slug) and _host_fits(source, s)]
        for at, story in enumerate(mine):
            until = _pushed_out(source, mine, at)
            taken = newsroom.orders.retraction(story.key)
            ends = [t for t in (until, taken) if t is not None and t <= now]
            out[story.key].append(
                Listing(f"{house.masthead.id}/{source.name}", story.published, min(ends, default=None))
            )
    return out


def _host_fits(source: SourceSpec, story: Story) -> bool:
    """An index on a channel's host lists that host's stories only."""
    return source.kind != "listing" or not source.own_host_only or source.host == story.channel.host


def _pushed_out(source: SourceSpec, mine: list[Story], at: int) -> datetime | None:
    """When later stories (or age) end a stay; a later retraction elsewhere may bring it back, which is not told."""
    if source.keeps is not None:
        return mine[at].published + source.keeps
    if source.limit is not None and at + source.limit < len(mine):
        return mine[at + source.limit].published
    return None


def as_plain(record: Record) -> dict[str, object]:
    """A record as JSON takes it: moments in ISO 8601, UTC."""
    return {k: _plain(v) for k, v in asdict(record).items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (tuple, list)) else value
