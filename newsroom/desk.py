"""One outlet's desk: which stories exist at a moment, and their words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from newsroom import chance
from newsroom.orders import Orders
from newsroom.rhythm import day_of, publication_times
from newsroom.story import Change, Channel, Kind, Masthead, Revision, Story, Words, slugify
from newsroom.text import compose, names

#: The first day that story numbers count from.
FIRST_DAY = date(2020, 1, 1).toordinal()
PER_DAY = 100_000
#: Numbers within a day from which stories ordered by hand, and copies of the agency's, count.
ORDERED = 50_000
COPIED = 90_000
#: Share of stories that change after publication, most of them within hours.
REVISED = 1 / 6
#: A story ordered to run again may run many times: each time under another title.
_PREFIXES = (
    *("Terungkap: ", "Rangkuman: ", "Ulasan: ", "Sorotan: ", "Catatan: ", "Simak: ", "Kilas Balik: "),
    *("Pilihan Editor: ", "Fakta: ", "Analisis: ", "Terpopuler: "),
)
_NOTICES = {
    "id": "Ralat: angka dalam berita ini sebelumnya keliru dan telah diperbaiki oleh redaksi.",
    "en": "Correction: a figure in an earlier version of this story was wrong and has been put right.",
}
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")


class Desk:
    """The stories of one masthead: a function of seed and day, plus what was ordered by hand.

    Knows no addresses and no HTML. Everything is computed when asked and may be forgotten.
    """

    def __init__(
        self,
        seed: int,
        masthead: Masthead,
        opened: date,
        orders: Orders,
        wire: Desk | None = None,
        since: datetime | None = None,
    ) -> None:
        """``opened`` is the first day with stories, ``since`` the first moment of that day (None: midnight).

        ``wire`` is the agency whose stories may be copied.
        """
        self.seed = seed
        self.masthead = masthead
        self.opened = opened
        self.orders = orders
        self._wire = wire
        self._since = since
        self._channels = [c for c in masthead.channels for _ in range(c.weight)]
        self._merged = lru_cache(maxsize=64)(self._with_orders)
        self._base = lru_cache(maxsize=64)(self._of_itself)
        self._changes = lru_cache(maxsize=8192)(self._own_revisions)
        self.fresh = lru_cache(maxsize=64)(self._fresh_of)
        self.head = lru_cache(maxsize=4096)(self._head)
        self._original = lru_cache(maxsize=1024)(self._compose)
        self._slugs: dict[date, tuple[int, Mapping[str, Story]]] = {}

    # -- which stories

    def on_day(self, day: date) -> tuple[Story, ...]:
        """Every story of a WIB day, ascending, published yet or not."""
        return self._merged(day, self.orders.generation(self.masthead.id))

    def published(self, now: datetime, channel: str | None = None, since: datetime | None = None) -> Iterator[Story]:
        """Stories out by ``now`` and not taken back, newest first, all the way to the opening day."""
        day = day_of(now)
        first = max(self.opened, day_of(since)) if since else self.opened
        while day >= first:
            stories = self.on_day(day)
            for story in reversed(stories[: bisect_right(stories, now, key=lambda s: s.published)]):
                if since and story.published < since:
                    return
                if (channel is None or story.channel.slug == channel) and not self.retracted(story, now):
                    yield story
            day -= timedelta(days=1)

    def latest(self, now: datetime, limit: int, channel: str | None = None) -> list[Story]:
        """The newest stories of the outlet or of one channel."""
        out: list[Story] = []
        for story in self.published(now, channel):
            out.append(story)
            if len(out) == limit:
                break
        return out

    def by_slug(self, slug: str, now: datetime) -> Story | None:
        """The story of that slug, if it is out by now (taken back or not)."""
        day = day_of(now)
        while day >= self.opened:
            story = self._slugs_of(day).get(slug)
            if story is not None and story.published <= now:
                return story
            day -= timedelta(days=1)
        return None

    def by_number(self, number: int, now: datetime) -> Story | None:
        """The story of that number, if it is out by now; derived stories come out days after their number."""
        try:
            day = date.fromordinal(FIRST_DAY + number // PER_DAY)
        except (ValueError, OverflowError):
            return None
        last = min(day + timedelta(days=7), day_of(now))
        while day <= last:
            for story in self.on_day(day):
                if story.number == number:
                    return story if story.published <= now else None
            day += timedelta(days=1)
        return None

    def _slugs_of(self, day: date) -> Mapping[str, Story]:
        generation = self.orders.generation(self.masthead.id)
        known = self._slugs.get(day)
        if known is None or known[0] != generation:
            stories = self.on_day(day)
            known = (generation, {self.first_slug(s): s for s in stories} | {self.slug(s): s for s in stories})
            self._slugs[day] = known
        return known[1]

    def _with_orders(self, day: date, generation: int) -> tuple[Story, ...]:
        ordered = self.orders.stories(self.masthead.id, day)
        return _by_time([*self._base(day), *ordered]) if ordered else self._base(day)

    def _of_itself(self, day: date) -> tuple[Story, ...]:
        stories = list(self.fresh(day))
        if self.masthead.reruns or self.masthead.duplicates:
            for back in range(8):
                for parent in self.fresh(day - timedelta(days=back)):
                    stories += [s for s in self._derived(parent) if day_of(s.published) == day]
        if self._wire is not None and self.masthead.wire:
            stories += self._copies(self._wire, day)
        return _by_time(stories)

    def _fresh_of(self, day: date) -> tuple[Story, ...]:
        if day < self.opened:
            return ()
        base = (day.toordinal() - FIRST_DAY) * PER_DAY
        times = publication_times(self.seed, self.masthead.id, day, self.masthead.per_day)
        return tuple(
            self.new_story(base + index * 4, moment)
            for index, moment in enumerate(times)
            if self._since is None or moment >= self._since
        )

    def new_story(self, number: int, moment: datetime, channel: Channel | None = None) -> Story:
        """A story of that number and moment; the channel falls out of the seed unless given."""
        seed = chance.number(self.seed, self.masthead.id, number)
        return Story(self.masthead.id, number, channel or self._channels[seed % len(self._channels)], moment, seed)

    def _derived(self, parent: Story) -> Iterator[Story]:
        rng = chance.dice(parent.seed, "again")
        draw = rng.random()
        if draw < self.masthead.reruns and parent.published.hour >= 5:
            yield self.again(parent, parent.published + timedelta(hours=rng.uniform(13, 18)), Kind.RERUN)
        elif draw > 1 - self.masthead.duplicates:
            yield self.again(
                parent,
                parent.published + timedelta(hours=rng.choice((rng.uniform(6, 30), rng.uniform(6, 144)))),
                Kind.DUPLICATE,
            )

    def again(self, parent: Story, moment: datetime, kind: Kind, number: int | None = None) -> Story:
        """The parent once more, as a re-run or under another title."""
        number = parent.number + (1 if kind is Kind.RERUN else 2) if number is None else number
        return Story(
            self.masthead.id,
            number,
            parent.channel,
            moment.replace(microsecond=0),
            chance.number(parent.seed, kind, number),
            kind,
            parent,
        )

    def _copies(self, wire: Desk, day: date) -> Iterator[Story]:
        base = (day.toordinal() - FIRST_DAY) * PER_DAY + COPIED
        count = 0
        for source_day in (day - timedelta(days=1), day):
            for parent in wire.fresh(source_day):
                rng = chance.dice(parent.seed, "copied", self.masthead.id)
                moment = (parent.published + timedelta(minutes=rng.uniform(15, 200))).replace(microsecond=0)
                if rng.random() >= self.masthead.wire or day_of(moment) != day:
                    continue
                same = [c for c in self.masthead.channels if c.topic == parent.channel.topic] or self.masthead.channels
                yield Story(
                    self.masthead.id,
                    base + count,
                    rng.choice(same),
                    moment,
                    chance.number(parent.seed, self.masthead.id),
                    Kind.COPY,
                    parent,
                )
                count += 1

    # -- their words

    def _brief(self, story: Story) -> compose.Brief:
        return compose.Brief(story.seed, story.channel.topic, story.published, self.masthead.body_brand)

    def _head(self, story: Story) -> compose.Head:
        if story.parent is None:
            return compose.head(self._brief(story))
        return self._of(story.parent).head(story.parent)

    def _of(self, story: Story) -> Desk:
        return self._wire if self._wire is not None and story.outlet == self._wire.masthead.id else self

    def _first_title(self, story: Story) -> str:
        if story.kind is Kind.DUPLICATE:
            ordered = ORDERED <= story.number % PER_DAY < COPIED
            return (_PREFIXES[story.number % len(_PREFIXES)] if ordered else "") + self._other_title(story, 0)
        if story.kind is Kind.COPY and story.seed % 2:
            return self._other_title(story, 1)
        return self.head(story).title

    def _other_title(self, story: Story, which: int) -> str:
        """Another headline of the story that this one repeats."""
        origin = _origin(story)
        return compose.other_titles(self._of(origin)._brief(origin), self.head(story))[which]

    def slug(self, story: Story) -> str:
        """The story's slug: fixed at publication, unless it was moved."""
        slug = self.first_slug(story)
        return f"{slug}-terbaru" if self.orders.moved(story.key) is not None else slug

    def first_slug(self, story: Story) -> str:
        """The slug that the story was published under."""
        slug = slugify(self._first_title(story))
        return f"{slug}-1" if story.kind is Kind.RERUN else slug

    def title(self, story: Story, now: datetime) -> str:
        """The headline as it stands; cheaper than `words`."""
        title = self._first_title(story)
        for revision in self.revisions(story, now):
            if revision.change is Change.TITLE:
                title = _retitled(title, self.masthead.language)
        return title

    def summary(self, story: Story) -> str:
        """The lead as feeds give it; cheaper than `words`. Revisions leave leads alone."""
        lead = self.head(story).lead
        return lead if len(lead) <= 152 else lead[:149].rsplit(" ", 1)[0] + "..."

    def words(self, story: Story, now: datetime) -> Words:
        """The story's words as they stand."""
        words = self._original(story)
        for index, revision in enumerate(self.revisions(story, now)):
            words = self._revise(story, words, revision.change, index)
        return words

    def revisions(self, story: Story, now: datetime | None = None) -> list[Revision]:
        """Changes by ``now`` (all there will be, if None), ascending."""
        out = list(self._changes(story)) + self.orders.revisions(story.key)
        return sorted((r for r in out if now is None or r.at <= now), key=lambda r: r.at)

    def updated(self, story: Story, now: datetime) -> datetime:
        """When the story last changed by the outlet's word: its publication if it never did."""
        revisions = [r for r in self.revisions(story, now) if r.change is not Change.COUNTER]
        return revisions[-1].at if revisions else story.published

    def retracted(self, story: Story, now: datetime) -> bool:
        """Whether the story has been taken back by ``now``."""
        at = self.orders.retraction(story.key)
        return at is not None and at <= now

    def _own_revisions(self, story: Story) -> tuple[Revision, ...]:
        if story.kind in (Kind.RERUN, Kind.DUPLICATE) or chance.share(story.seed, "revised") >= REVISED:
            return ()
        out = []
        rng = chance.dice(story.seed, "revisions")
        at = story.published
        for _ in range(rng.choices((1, 2), (9, 1))[0]):
            at = (at + timedelta(minutes=10 * 1.8 ** rng.uniform(0, 8))).replace(microsecond=0)
            out.append(Revision(at, rng.choices((Change.TITLE, Change.NUMBER, Change.APPEND), (25, 35, 40))[0]))
        return tuple(out)

    def _compose(self, story: Story) -> Words:
        top = self.head(story)
        if story.parent is not None:
            return self._recompose(story, self._of(story.parent)._original(story.parent))
        rest = compose.body(self._brief(story), top)
        rng = chance.dice(story.seed, "byline")
        authors = tuple(names.person(rng) for _ in range(rng.choice((1, 1, 1, 2))))
        return Words(
            top.title,
            rest.paragraphs,
            rest.subheads,
            top.place,
            authors,
            names.person(rng),
            None,
            rest.tags,
            rest.caption,
        )

    def _recompose(self, story: Story, parent: Words) -> Words:
        title = self._first_title(story)
        rng = chance.dice(story.seed, "byline")
        if story.kind is Kind.DUPLICATE:
            return replace(parent, title=title)
        if story.kind is Kind.COPY:
            agency = self._of(story.parent).masthead.brand if story.parent else None
            cut = parent.paragraphs[:-1] if rng.random() < 0.3 and len(parent.paragraphs) > 6 else parent.paragraphs
            subheads = tuple(s for s in parent.subheads if s[0] < len(cut))
            return replace(
                parent,
                title=title,
                paragraphs=cut,
                subheads=subheads,
                agency=agency,
                authors=(),
                editor=names.person(rng),
            )
        return replace(parent, title=title, paragraphs=self._lightly_edited(story, parent.paragraphs))

    def _lightly_edited(self, story: Story, paragraphs: tuple[str, ...]) -> tuple[str, ...]:
        assert story.parent is not None
        rng = chance.dice(story.seed, "edit")
        out = list(paragraphs)
        at = rng.randrange(1, len(out))
        out[at] += " " + compose.extra_sentence(self._brief(story.parent), self.head(story.parent), story.seed % 1000)
        other = rng.randrange(1, len(out))
        for old, new in (
            ("Selain itu,", "Di luar itu,"),
            ("sebesar", "sekitar"),
            ("menyebut", "mengatakan"),
            (" dan ", " serta "),
        ):
            if old in out[other]:
                out[other] = out[other].replace(old, new, 1)
                break
        return tuple(out)

    def _revise(self, story: Story, words: Words, change: Change, index: int) -> Words:
        if change is Change.TITLE:
            return replace(words, title=_retitled(words.title, self.masthead.language))
        if change is Change.APPEND:
            origin = _origin(story)
            extra = compose.extra_sentence(self._of(origin)._brief(origin), self.head(origin), story.seed % 997 + index)
            return replace(words, paragraphs=(*words.paragraphs, extra))
        if change is Change.COUNTER:
            counted = "Dibaca" if self.masthead.language == "id" else "Views:"
            kept = tuple(p for p in words.paragraphs if not p.startswith(counted))
            return replace(words, paragraphs=(*kept, f"{counted} {story.seed % 900 + 100 + index} kali"))
        for step in range(len(words.paragraphs) - 1):
            at = 1 + (story.seed + index + step) % (len(words.paragraphs) - 1)
            corrected = _DIGITS.sub(lambda m: _corrected(m[0], story.seed + index), words.paragraphs[at], count=1)
            if corrected != words.paragraphs[at]:
                break
        else:
            corrected += " (Koreksi)" if self.masthead.language == "id" else " (Corrected)"
        notice = (_NOTICES[self.masthead.language],) if change is Change.CORRECTION else ()
        return replace(words, paragraphs=(*words.paragraphs[:at], corrected, *words.paragraphs[at + 1 :], *notice))


def _origin(story: Story) -> Story:
    """The story at the start of a chain of repeats."""
    while story.parent is not None:
        story = story.parent
    return story


def _by_time(stories: list[Story]) -> tuple[Story, ...]:
    return tuple(sorted(stories, key=lambda s: (s.published, s.number)))


def _corrected(number: str, salt: int) -> str:
    """The number with its first digit changed."""
    return str((int(number[0]) + salt % 8) % 9 + 1) + number[1:]


def _retitled(title: str, language: str) -> str:
    """A headline after the sub-editors had another look."""
    suffix = " (Diperbarui)" if language == "id" else " (Updated)"
    return title.removesuffix(suffix) if title.endswith(suffix) else title + suffix
