"""The whole press: outlets, their clock, what was ordered, and who misbehaves."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from newsroom import chance
from newsroom.clock import Clock
from newsroom.desk import FIRST_DAY, ORDERED, PER_DAY, Desk
from newsroom.hub import Hub
from newsroom.misbehaviour import TABLE, Stage
from newsroom.orders import Orders
from newsroom.rhythm import day_of
from newsroom.rules import Rule, Rules, applied
from newsroom.shapes import antara, detik, english, jsonfeed, kabarniaga, kompas, ladang, rdf
from newsroom.shapes.house import House, SourceSpec
from newsroom.story import Change, Kind, Revision, Story
from newsroom.web import Addresses, Answer, Moved, Page, Request, etag_of, http_date, is_unchanged, packed

#: Where the clock stands unless told: a Friday morning of office hours.
DEFAULT_START = datetime(2026, 8, 14, 1, 0, tzinfo=UTC)
#: Days of stories that exist before the clock's start.
BACKLOG_DAYS = 3
NOT_FOUND = b"<!DOCTYPE html><html><head><title>404</title></head><body><h1>Halaman tidak ditemukan</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request that was answered, for judging manners."""

    #: Real seconds, monotonic.
    tick: float
    #: Newsroom time.
    at: datetime
    method: str
    host: str
    path: str
    status: int
    conditional: bool
    user_agent: str
    misbehaved: tuple[str, ...]


class Newsroom:
    """Everything the fictional press knows. Same seed, same orders, same clock: same answers.

    Answers requests by value; does not know how they arrive.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        clock: Clock | None = None,
        backlog_days: int = BACKLOG_DAYS,
        port: int = 80,
        since: datetime | None = None,
    ) -> None:
        """``clock`` stands at `DEFAULT_START` and is paused unless given; ``port`` goes into every address.

        Of itself the press has the stories of the days before (``backlog_days``) and of its first day, or, where
        ``since`` is given, those published from that moment on.
        """
        self.seed = seed
        self.clock = clock or Clock(DEFAULT_START, speed=0)
        self.addresses = Addresses(port)
        self.orders = Orders()
        self.rules = Rules()
        self.visits: deque[Visit] = deque(maxlen=50_000)
        self.opened = day_of(self.clock.start if since is None else since) - timedelta(days=backlog_days)
        self.since = since
        agency = Desk(seed, antara.MASTHEAD, self.opened, self.orders, since=since)
        self.houses: dict[str, House] = {antara.MASTHEAD.id: antara.Kantorberita(agency, self.addresses)}
        for shape in (
            kabarniaga.Kabarniaga,
            detik.Lintasmenit,
            kompas.Arahpena,
            english.ArchipelagoPost,
            jsonfeed.Datakini,
            rdf.Gemanusa,
        ):
            masthead = shape.masthead_of()
            self.houses[masthead.id] = shape(
                Desk(seed, masthead, self.opened, self.orders, agency, since), self.addresses
            )
        self._domains = {house.masthead.domain: house for house in self.houses.values()}
        self._field = lru_cache(maxsize=64)(self._field_house)
        self._rendered = RenderCache(256)
        self.hub = Hub(self._topic)

    # -- who is who

    def house(self, outlet: str) -> House:
        """An outlet by id; a KeyError names the ids there are."""
        if outlet in self.houses:
            return self.houses[outlet]
        number = ladang.number_of(outlet)
        if number is None:
            raise KeyError(
                f"no outlet is called {outlet!r}; there are: {', '.join(self.houses)} and feed-00001 to feed-99999"
            )
        return self._field(number)

    def _field_house(self, number: int) -> House:
        desk = Desk(self.seed, ladang.masthead(number), self.opened, self.orders, since=self.since)
        return ladang.Ladang(desk, self.addresses)

    def house_at(self, host: str) -> House | None:
        """The outlet whose host this is."""
        number = ladang.number_at(host)
        if number is not None:
            return self._field(number)
        parts = host.split(".")
        return self._domains.get(".".join(parts[-2:])) if len(parts) >= 2 else None

    def sources(self, outlet: str | None = None) -> Iterator[tuple[House, SourceSpec]]:
        """Every source of the named outlets, or of one outlet."""
        for house in [self.house(outlet)] if outlet else self.houses.values():
            for source in house.sources:
                yield house, source

    # -- answering

    def respond(self, request: Request) -> Answer:
        """The answer to a request, with whatever misbehaviour strikes it; records the visit."""
        striking = self.rules.striking(request)
        answer = self._answer(request, striking)
        answer = applied(Stage.ANSWER, striking, request, answer)
        answer = applied(Stage.FINAL, striking, request, packed(request, answer))
        answer = applied(Stage.WIRE, striking, request, answer)
        self._record(request, answer, striking)
        return answer

    def _answer(self, request: Request, striking: list[tuple[Rule, int]]) -> Answer:
        house = self.house_at(request.host)
        shown = house.answer(request) if house else None
        if isinstance(shown, Moved):
            return Answer(shown.status, b"", {"location": shown.location})
        if shown is None:
            return Answer(404, NOT_FOUND, {"content-type": "text/html; charset=utf-8"})
        return self._of_page(request, shown, striking)

    def _of_page(self, request: Request, page: Page, striking: list[tuple[Rule, int]]) -> Answer:
        headers = {"content-type": page.content_type, "last-modified": http_date(page.modified), **dict(page.headers)}
        if page.status != 200:
            return Answer(page.status, page.render(), {"content-type": page.content_type})
        query = tuple(sorted(request.query.items()))
        plain = not any(_is_content(rule.name) for rule, _ in striking)
        if plain:
            headers["etag"] = etag_of(f"{request.host}{request.path}{query}{page.version}")
            if is_unchanged(request, headers["etag"], headers["last-modified"]):
                return Answer(304, b"", headers)
        body = self._rendered.get((request.host, request.path, query, page.version), page)
        answer = Answer(200, body, headers)
        if plain:
            return answer
        answer = applied(Stage.CONTENT, striking, request, answer)
        answer = answer.having(etag=etag_of(answer.body))
        # What was changed by a rule has no honest date: the tag alone decides.
        if is_unchanged(request, answer.headers["etag"], None):
            return Answer(304, b"", answer.headers)
        return answer

    def _record(self, request: Request, answer: Answer, striking: list[tuple[Rule, int]]) -> None:
        conditional = bool({"if-none-match", "if-modified-since"} & set(request.headers))
        self.visits.append(
            Visit(
                self.clock.tick(),
                request.now,
                request.method,
                request.host,
                request.path,
                answer.status,
                conditional,
                request.headers.get("user-agent", ""),
                tuple(rule.name for rule, _ in striking),
            )
        )

    # -- ordering

    def publish(
        self, outlet: str, count: int = 1, *, over: timedelta = timedelta(), channel: str | None = None
    ) -> list[Story]:
        """Publish stories now, or spread evenly over a while that begins now."""
        house, now = self.house(outlet), self.clock.now().replace(microsecond=0)
        by_slug = {c.slug: c for c in house.masthead.channels}
        if channel is not None and channel not in by_slug:
            raise KeyError(f"{outlet} has no channel {channel!r}; it has: {', '.join(by_slug)}")
        out = []
        for index in range(count):
            moment = now + over * index / count
            story = house.desk.new_story(self._ordered_number(house.desk, moment), moment, by_slug.get(channel or ""))
            self.orders.publish(story)
            out.append(story)
        if house.pushes:
            self.hub.tell(self.addresses.url(source.host, source.path) for source in house.sources)
        return out

    def _topic(self, url: str) -> Answer | None:
        """What the hub pushes of a feed as it stands now; None for an address that is none."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        house = self.house_at(host)
        if house is None or not house.pushes:
            return None
        source = next((s for s in house.sources if (s.host, s.path) == (host, parts.path)), None)
        if source is None:
            return None
        page = house.feed(source, self.clock.now())
        return Answer(200, page.render(), {"content-type": page.content_type, "link": house.links(source)})

    def republish(self, outlet: str, number: int, kind: Kind) -> Story:
        """Run a story again now: `Kind.RERUN` or `Kind.DUPLICATE`."""
        house, now = self.house(outlet), self.clock.now().replace(microsecond=0)
        parent = self.story(outlet, number)
        story = house.desk.again(parent, now, kind, self._ordered_number(house.desk, now))
        if kind is Kind.RERUN and house.desk.by_slug(house.desk.slug(story), now) is not None:
            raise ValueError(f"{parent.key} has been re-run already; a slug takes one -1")
        self.orders.publish(story)
        return story

    def copy(self, outlet: str, agency_number: int) -> Story:
        """Let an outlet carry an agency's story now."""
        house, now = self.house(outlet), self.clock.now().replace(microsecond=0)
        parent = self.story(antara.MASTHEAD.id, agency_number)
        same = [c for c in house.masthead.channels if c.topic == parent.channel.topic] or list(house.masthead.channels)
        number = self._ordered_number(house.desk, now)
        story = Story(outlet, number, same[0], now, chance.number(parent.seed, outlet, number), Kind.COPY, parent)
        self.orders.publish(story)
        return story

    def revise(self, outlet: str, number: int, change: Change = Change.TITLE) -> Revision:
        """Change a published story now."""
        revision = Revision(self.clock.now(), change)
        self.orders.revise(self.story(outlet, number).key, revision)
        return revision

    def retract(self, outlet: str, number: int) -> None:
        """Take a published story back now: unlisted, and 410 at its addresses."""
        self.orders.retract(self.story(outlet, number).key, self.clock.now())

    def restore(self, outlet: str, number: int) -> None:
        """Show a story again that was taken back."""
        self.orders.restore(self.story(outlet, number).key)

    def move(self, outlet: str, number: int) -> str:
        """Give a published story another address now, to which its old ones redirect for good; returns it."""
        story = self.story(outlet, number)
        self.orders.move(story.key, self.clock.now())
        return self.house(outlet).url(story)

    def story(self, outlet: str, number: int) -> Story:
        """A published story; a KeyError if there is none of that number yet."""
        story = self.house(outlet).desk.by_number(number, self.clock.now())
        if story is None:
            raise KeyError(f"{outlet} has published no story numbered {number}")
        return story

    def _ordered_number(self, desk: Desk, moment: datetime) -> int:
        day = day_of(moment)
        return (day.toordinal() - FIRST_DAY) * PER_DAY + ORDERED + len(self.orders.stories(desk.masthead.id, day))

    def misbehave(self, name: str, *, source: str | None = None, **scope: object) -> Rule:
        """Put a misbehaviour in force; ``source`` is ``outlet/source name`` in place of host and path."""
        if source is not None:
            outlet, _, wanted = source.partition("/")
            found = next((s for _, s in self.sources(outlet) if s.name == wanted), None)
            if found is None:
                raise KeyError(
                    f"{outlet} has no source {wanted!r}; it has: {', '.join(s.name for _, s in self.sources(outlet))}"
                )
            scope |= {"host": found.host, "path": found.path, "exact": True}
        return self.rules.add(name, **{"seed": self.seed, **scope})

    def state(self) -> Mapping[str, object]:
        """Clock, speed, outlets and rules, as plain values."""
        return {
            "now": self.clock.now().isoformat(),
            "speed": self.clock.speed,
            "seed": self.seed,
            "port": self.addresses.port,
            "opened": self.opened.isoformat(),
            "outlets": list(self.houses),
            "visits": len(self.visits),
            "rules": [
                {"id": r.id, "name": r.name, "host": r.host, "path": r.path, "share": r.share, "struck": n}
                for r, n in self.rules.all()
            ],
        }


class RenderCache:
    """The bytes of pages that were asked for lately, by everything that decides them."""

    def __init__(self, size: int) -> None:
        """``size`` is a number of pages."""
        self._size = size
        self._bodies: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._bodies)

    def get(self, key: tuple[object, ...], page: Page) -> bytes:
        """The page's bytes, rendered if they are not at hand."""
        body = self._bodies.pop(key, None)
        if body is None:
            body = page.render()
            if len(self._bodies) >= self._size:
                self._bodies.popitem(last=False)
        self._bodies[key] = body
        return body


def _is_content(name: str) -> bool:
    return TABLE[name].stage is Stage.CONTENT
