"""What every outlet's web presence has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from html import escape
from itertools import islice
from urllib.parse import urlsplit

from newsroom import chance, feeds
from newsroom.chrome import Frame, Link, document
from newsroom.desk import Desk
from newsroom.rhythm import day_of, midnight
from newsroom.story import Masthead, Story, Words
from newsroom.web import HUB, Addresses, Moved, Page, Request, Shown

Renderer = Callable[[feeds.Channel, Sequence[feeds.Entry]], bytes]

CONTENT_TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "rdf": "application/rdf+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "gz": "application/x-gzip",
    "txt": "text/plain; charset=utf-8",
}
RENDERERS: dict[str, Renderer] = {"rss": feeds.rss, "atom": feeds.atom, "rdf": feeds.rdf, "json": feeds.json_feed}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """One address where an outlet announces stories, and which of them it lists."""

    name: str
    #: ``feed``, ``sitemap`` or ``listing``.
    kind: str
    host: str
    path: str
    #: ``rss``, ``atom``, ``rdf`` or ``json`` for feeds.
    format: str = ""
    #: Stories listed at once; None means all within `keeps`.
    limit: int | None = None
    #: Channel listed; None means all.
    channel: str | None = None
    #: How long a story stays; None means until pushed out, or for ever.
    keeps: timedelta | None = None
    #: A listing that shows only the stories whose channel lives on its host.
    own_host_only: bool = False


class House:
    """An outlet's hosts, sources and pages over the stories of its desk.

    Subclasses give the shape: addresses, markup, sources. Keeps nothing between requests.
    """

    #: robots.txt after the first line; ``{home}`` is the outlet's address.
    robots = "User-agent: *\nDisallow:\n"
    sources: tuple[SourceSpec, ...] = ()
    #: Whether its feeds name the press's hub (WebSub).
    pushes = False

    def __init__(self, desk: Desk, addresses: Addresses) -> None:
        """``desk`` says what there is, ``addresses`` how URLs are written."""
        self.desk = desk
        self.addresses = addresses
        self.masthead = desk.masthead

    @classmethod
    def masthead_of(cls) -> Masthead:
        """Who publishes here; outlets of a family have theirs from their number instead."""
        raise NotImplementedError

    @property
    def home(self) -> str:
        """Host of the front page."""
        return f"www.{self.masthead.domain}"

    def url(self, story: Story) -> str:
        """The story's canonical URL."""
        raise NotImplementedError

    def aliases(self, story: Story) -> tuple[str, ...]:
        """Other URLs that answer with the same story."""
        return ()

    def answer(self, request: Request) -> Shown:
        """What stands at an address of this outlet; None for nothing."""
        if request.path == "/robots.txt":
            text = self.robots.format(home=self.addresses.url(self.home, "").rstrip("/"))
            return Page(CONTENT_TYPES["txt"], text, midnight(self.desk.opened), text.encode)
        for source in self.sources:
            if source.kind == "feed" and (source.host, source.path) == (request.host, request.path):
                return self.feed(source, request.now)
        if request.path == "/":
            return self.front_page(request)
        return self.page(request)

    def page(self, request: Request) -> Shown:
        """Articles, listings, sitemaps: all but feeds, robots.txt and the front page."""
        raise NotImplementedError

    # -- feeds

    def feed(self, source: SourceSpec, now: datetime) -> Page:
        """The feed of a source as it stands."""
        desk = self.desk
        stories = desk.latest(now, source.limit or 25, source.channel)
        marks = [(s, desk.updated(s, now)) for s in stories]
        changed = self.changed((at for _, at in marks), now)
        version = fingerprint(f"{s.number}@{at.timestamp()}" for s, at in marks)

        def render() -> bytes:
            channel = feeds.Channel(
                title=f"{self.masthead.name} - {source.name}",
                home=self.addresses.url(self.home),
                url=self.addresses.url(source.host, source.path),
                description=f"Berita terkini {self.masthead.name}",
                language=self.masthead.language,
                updated=changed,
            )
            return RENDERERS[source.format](channel, [self.entry(s, at, now) for s, at in marks])

        linked = (("link", self.links(source)),) if self.pushes else ()
        return Page(CONTENT_TYPES[source.format], f"{source.path}:{version}", changed, render, headers=linked)

    def links(self, source: SourceSpec) -> str:
        """The Link header of a feed whose changes are pushed (WebSub, section 4)."""
        hub, own = self.addresses.url(HUB), self.addresses.url(source.host, source.path)
        return f'<{hub}>; rel="hub", <{own}>; rel="self"'

    def changed(self, moments: Iterable[datetime], now: datetime) -> datetime:
        """When a list of stories last changed: by a story's own change, or by one taken back."""
        taken = self.desk.orders.last_retraction(self.masthead.id, now)
        return max([*moments, *([taken] if taken else [])], default=midnight(self.desk.opened))

    def entry(self, story: Story, updated: datetime, now: datetime) -> feeds.Entry:
        """A story as this outlet's feeds show it."""
        url = self.url(story)
        return feeds.Entry(
            title=self.desk.title(story, now),
            url=url,
            guid=url,
            published=story.published,
            updated=updated,
            summary=self.desk.summary(story),
            author=None,
            categories=(story.channel.label,),
            image=self.image(story),
        )

    # -- pages

    def image(self, story: Story) -> str:
        """Address of a story's picture."""
        return self.addresses.url(f"foto.{self.masthead.domain}", f"/{story.number}.jpg")

    def linked(self, stories: Iterable[Story], now: datetime) -> list[Link]:
        """Headlines with their addresses."""
        return [Link(self.desk.title(s, now), self.url(s)) for s in stories]

    def related(self, story: Story, count: int) -> list[Link]:
        """Earlier stories of the channel, the same ones whenever asked."""
        before = [
            s for s in islice(self.desk.published(story.published, story.channel.slug), 30) if s.number != story.number
        ]
        rng = chance.dice(story.seed, "related")
        return self.linked(rng.sample(before, min(count, len(before))), story.published)

    def frame(self, now: datetime) -> Frame:
        """The site's surroundings; they change every hour."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        recent = self.desk.latest(hour, 40)
        rng = chance.dice(self.desk.seed, self.masthead.id, hour.timestamp())
        menu = [Link(c.label, self.addresses.url(c.host)) for c in self.masthead.channels]
        return Frame(
            name=self.masthead.name,
            language=self.masthead.language,
            menu=menu,
            popular=self.linked(rng.sample(recent, min(10, len(recent))), hour),
            latest=self.linked(recent[:8], hour),
        )

    def html(
        self,
        now: datetime,
        version: str,
        modified: datetime,
        render: Callable[[], tuple[str, str, str]],
        status: int = 200,
    ) -> Page:
        """A page in the site's frame; ``render`` gives title, head and main."""
        hour = now.replace(minute=0, second=0, microsecond=0)

        def whole() -> bytes:
            title, head, main = render()
            return document(self.frame(now), title=title, head=head, main=main)

        return Page(CONTENT_TYPES["html"], f"{version}@{hour.timestamp()}", max(hour, modified), whole, status)

    def article(
        self, request: Request, story: Story | None, render: Callable[[Story, Words, datetime], tuple[str, str, str]]
    ) -> Shown:
        """An article page, or its gravestone."""
        if story is None:
            return None
        now = request.now
        if self.desk.orders.moved(story.key) is not None:
            url = self.url(story)
            if urlsplit(url).path != request.path:
                return Moved(url)
        if self.desk.retracted(story, now):
            return self.html(
                now,
                f"{story.key}:gone",
                now,
                lambda: ("Tidak ditemukan", "", "<h1>Artikel ini telah ditarik.</h1>"),
                410,
            )
        updated = self.desk.updated(story, now)
        changes = len(self.desk.revisions(story, now))
        version = f"{story.key}:{updated.timestamp()}:{changes}:{sorted(request.query.items())}:{request.host}"
        return self.html(now, version, updated, lambda: render(story, self.desk.words(story, now), updated))

    def front_page(self, request: Request) -> Page:
        """The newest headlines."""
        now = request.now

        def render() -> tuple[str, str, str]:
            rows = "".join(
                f'<li><h2><a href="{escape(x.url)}">{escape(x.title)}</a></h2></li>'
                for x in self.linked(self.desk.latest(now, 30), now)
            )
            return self.masthead.name, "", f'<section class="headline"><ul>{rows}</ul></section>'

        newest = self.desk.latest(now, 30)
        return self.html(
            now, fingerprint(f"{s.number}" for s in newest), newest[0].published if newest else now, render
        )

    def day_list(self, day: date, now: datetime, channel: str | None = None) -> list[Story]:
        """Stories of a WIB day that are out, newest first."""
        return [
            s
            for s in reversed(self.desk.on_day(day))
            if s.published <= now and channel in (None, "", s.channel.slug) and not self.desk.retracted(s, now)
        ]

    def recent(self, now: datetime, keeps: timedelta, channel: str | None = None) -> list[Story]:
        """Stories of the last while, newest first."""
        return list(self.desk.published(now, channel, now - keeps))


def fingerprint(words: Iterable[str]) -> str:
    """A short digest of a sequence of words."""
    return blake2b("|".join(words).encode(), digest_size=9).hexdigest()


def asked_day(text: str | None, now: datetime, pattern: str) -> date:
    """The day a listing was asked for, today if none or nonsense."""
    try:
        return datetime.strptime(text or "", pattern).date()  # noqa: DTZ007 - a WIB calendar day
    except ValueError:
        return day_of(now)


def asked_number(text: str | None, default: int) -> int:
    """A non-negative query parameter."""
    return int(text) if text and text.isdigit() and len(text) < 10 else default
