"""RSS 0.9x-2.0, RDF, Atom, CDF and JSON Feed into :class:`~crawlers.model.FeedEntry`.

feedparser reads the XML: ``bozo`` is no reject, and what makes it raise is repaired or, at
the worst, costs the one item that holds it. Links are made absolute and dates read here;
nothing is cleaned for identity, that is :mod:`crawlers.identity`.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any, Final

import feedparser

from config.model import Limits
from crawlers.dates import read_date
from crawlers.fence import fence
from crawlers.identity import absolute, is_homepage
from crawlers.model import Discovered, DiscoveryFailed, FailureKind, FeedEntry, Problem
from crawlers.plain import MAX_SUMMARY, MAX_TITLE, first_image, plain, verbatim

MAX_GUID: Final = 1_000
MAX_WORDS: Final = 30
MAX_LINKS: Final = 50
_ROOT: Final = re.compile(r"<(?:[A-Za-z0-9_]+:)?(?:rss|feed|rdf|channel)[\s>]", re.IGNORECASE)
_ITEM_START: Final = re.compile(r"<((?:[A-Za-z0-9_]+:)?(?:item|entry))[\s>]", re.IGNORECASE)
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^<>]*\?>")
_CHARREF: Final = re.compile(r"&#(?:x([0-9a-fA-F]+)|([0-9]+));?")
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
#: Markup whose only use in a feed has been to crash parsers (positions of places).
_GEO: Final = re.compile(r"<(/?)(?:gml|georss):[^<>]*>", re.IGNORECASE)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: sy:updatePeriod by its beginning, so that ``hourley`` and ``day`` are understood; hours.
_PERIODS: Final = (
    ("ho", 1),
    ("hr", 1),
    ("da", 24),
    ("di", 24),
    ("we", 168),
    ("mo", 730),
    ("ye", 8766),
    ("an", 8766),
)
_MAX_INTERVAL: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a feed comes from and how its dates are to be read."""

    url: str
    now: datetime
    timezone: tzinfo

    def date(self, text: object) -> datetime | None:
        """The date a field holds, or None."""
        return read_date(text, timezone=self.timezone, now=self.now) if isinstance(text, str) else None

    def link(self, text: object) -> str | None:
        """The absolute address a field holds, or None."""
        return absolute(text, self.url) if isinstance(text, str) else None


def read_feed(text: str, *, url: str, now: datetime, timezone: tzinfo, limits: Limits) -> Discovered | DiscoveryFailed:
    """What the XML feed `text`, fetched from `url`, announces."""
    fenced = fence(_NOT_XML.sub("", text), items=limits.items)
    parsed, problems = _parse(fenced.text)
    if parsed is None:
        return DiscoveryFailed(kind=FailureKind.PARSE, message=f"{url}: {problems[-1].message}")
    version = str(parsed.get("version") or "")
    if not version and not parsed["entries"]:
        return DiscoveryFailed(kind=FailureKind.NOT_A_FEED, message=f"{url} answers XML that is no feed.")
    place = _Place(url, now, timezone)
    feed = parsed["feed"]
    language = verbatim(feed.get("language"), 35)
    rels = _rels(feed, place)
    read = read_each(
        parsed["entries"][: limits.items],
        lambda entry: _entry(entry, place, language, atom=version.startswith("atom")),
    )
    return Discovered(
        entries=read.entries,
        unlinked=read.unlinked,
        format=_format(version),
        problems=(*fenced.problems, *problems, *judge(read, len(parsed["entries"]))),
        min_interval=_interval(feed),
        skip_hours=_skip_hours(fenced.text),
        skip_days=_skip_days(fenced.text),
        title=plain(str(feed.get("title") or ""), limit=MAX_TITLE),
        follow=(*rels.get("prev-archive", ()), *rels.get("next", ()))[:1],
        hubs=rels.get("hub", ()),
        self_url=next(iter(rels.get("self", ())), None),
        paged="wordpress" in str(feed.get("generator") or "").lower(),
    )


def _rels(feed: Mapping[str, Any], place: _Place) -> dict[str, tuple[str, ...]]:
    """The feed's own links by relation, prev-archive and next (RFC 5005) among them."""
    found: dict[str, tuple[str, ...]] = {}
    for link in list(feed.get("links") or ())[:MAX_LINKS]:
        if isinstance(link, Mapping) and (url := place.link(link.get("href"))):
            rel = str(link.get("rel") or "alternate").lower()
            found[rel] = (*found.get(rel, ()), url)
    return found


def _format(version: str) -> str:
    if version.startswith("atom"):
        return "atom"
    if version in {"rss090", "rss10"}:
        return "rdf"
    return "cdf" if version == "cdf" else "rss"


# -- containment ------------------------------------------------------------------------------


def _parse(text: str) -> tuple[dict[str, Any] | None, list[Problem]]:
    """Feedparser's result, by whatever it takes to get one."""
    attempts: tuple[Callable[[str], str], ...] = (_settle, _repair)
    message = ""
    for attempt in attempts:
        try:
            parsed = _feedparser(attempt(text))
        except Exception as error:  # feedparser lets a dozen kinds of them through
            message = f"feedparser failed: {type(error).__name__}: {str(error)[:200]}"
            continue
        problems = [Problem(code="repaired", message=message)] if message else []
        if parsed.get("bozo"):
            reason = str(parsed.get("bozo_exception") or "")[:200]
            problems.append(Problem(code="not_well_formed", message=f"The XML is not well-formed: {reason}"))
        return parsed, problems
    return _by_item(_repair(text), message)


def _feedparser(text: str) -> dict[str, Any]:
    # A stream, because feedparser takes plain bytes for a file name first. The feed's address is kept
    # from it, for it would make bare guids into addresses; relative links are resolved here.
    headers = {"content-type": "application/xml; charset=utf-8"}
    found: dict[str, Any] = feedparser.parse(
        io.BytesIO(text.encode("utf-8", "replace")),
        response_headers=headers,
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    return found


def _settle(text: str) -> str:
    """`text` with no blank before the XML declaration and no encoding in it: it is UTF-8 by now."""
    return _DECLARATION.sub("", text, count=1).lstrip("\ufeff \t\r\n")


def _repair(text: str) -> str:
    """`text` without DOCTYPE, impossible character references and geographic markup."""
    text = _settle(text)
    if root := _ROOT.search(text):
        text = text[root.start() :]
    return _GEO.sub("", _CHARREF.sub(_charref, text))


def _charref(found: re.Match[str]) -> str:
    digits = (found[1] or found[2]).lstrip("0") or "0"
    if len(digits) > 7:
        return "\ufffd"
    code = int(digits, 16 if found[1] else 10)
    if code in (0x22, 0x26, 0x27, 0x3C, 0x3E):
        return html.escape(chr(code))
    usable = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0x110000
    return chr(code) if usable else "\ufffd"


#: Items of a feed that breaks the parser that are read one by one, the newest first, and how often each, on average.
_MAX_SALVAGED: Final = 500
_TRIES: Final = 6


def _by_item(text: str, message: str) -> tuple[dict[str, Any] | None, list[Problem]]:
    """Parse the items in halves, and halves of those that fail, until each bad item is alone."""
    starts = [found.start() for found in _ITEM_START.finditer(text)]
    if not starts:
        return None, [Problem(code="parser_failed", message=message)]
    head, chunks = (
        text[: starts[0]],
        [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)],
    )
    result: dict[str, Any] = {"entries": [], "feed": {}, "version": ""}
    lost, pending = max(0, len(chunks) - _MAX_SALVAGED), [chunks[:_MAX_SALVAGED]]
    tries = _TRIES * len(pending[0])
    while pending:
        batch = pending.pop()
        tries -= len(batch)
        if tries < 0:
            lost += len(batch)
            continue
        try:
            parsed = _feedparser(head + "".join(batch))
        except Exception:  # the same dozen kinds
            if len(batch) == 1:
                lost += 1
            else:
                middle = len(batch) // 2
                pending += [batch[middle:], batch[:middle]]
            continue
        result["entries"] += parsed["entries"]
        result["feed"] = result["feed"] or parsed["feed"]
        result["version"] = result["version"] or parsed["version"]
    problems = [Problem(code="items_lost", message=f"{lost} items could not be read. {message}")]
    return (result if result["entries"] else None), problems


@dataclass(frozen=True, slots=True)
class ReadItems:
    """Items of one answer, read one by one."""

    entries: tuple[FeedEntry, ...]
    #: Items without an address, their `url` empty, with their place among all.
    unlinked: tuple[tuple[int, FeedEntry], ...]
    #: Items that are none.
    lost: int
    #: Items that made the reader fail.
    broken: int


def read_each(items: Iterable[Any], read: Callable[[Any], FeedEntry | None]) -> ReadItems:
    """Read item by item; what one raises is counted and stops no other."""
    entries: list[FeedEntry] = []
    unlinked: list[tuple[int, FeedEntry]] = []
    lost, broken = 0, 0
    for item in items:
        try:
            entry = read(item)
        except Exception:  # the shape of an item is the publisher's
            broken += 1
            continue
        if entry is None:
            lost += 1
        elif not entry.url:
            unlinked.append((len(entries) + len(unlinked), entry))
        else:
            entries.append(entry)
    return ReadItems(tuple(entries), tuple(unlinked), lost, broken)


def judge(read: ReadItems, total: int) -> Iterable[Problem]:
    """What is wrong with the items of an answer as a whole."""
    entries = read.entries
    if not total:
        yield Problem(code="empty_feed", message="The feed is well-formed and holds no item.")
    if missing := read.lost + len(read.unlinked):
        yield Problem(code="items_without_link", message=f"{missing} of {total} items have no http(s) link.")
    if read.broken:
        yield Problem(code="items_lost", message=f"{read.broken} of {total} items could not be read.")
    if entries and all(is_homepage(entry.url) for entry in entries):
        message = f"Each of the {len(entries)} items links to the home page, {entries[0].url}."
        yield Problem(code="links_to_homepage", message=message)
    elif len(entries) > 1 and len({entry.url for entry in entries}) == 1:
        message = f"All {len(entries)} items link to one address, {entries[0].url}."
        yield Problem(code="links_to_one_page", message=message)


# -- one entry --------------------------------------------------------------------------------


def _entry(entry: Any, place: _Place, language: str | None, *, atom: bool) -> FeedEntry:
    """A feedparser entry; its `url` is empty when it has no address.

    In Atom the two dates and the type of a title mean what they say; elsewhere dc:date, which
    feedparser calls the update, is the publication, and any title may hold markup.
    """
    # dict's own get, because feedparser's answers for other keys too.
    raw = partial(dict.get, entry)
    guid = verbatim(raw("id"), MAX_GUID)
    published = place.date(raw("published")) or place.date(raw("created"))
    updated = place.date(raw("updated"))
    if published is None and not atom:
        published, updated = updated, None
    title_detail = raw("title_detail") or {}
    summary = _summary(raw)
    return FeedEntry(
        url=_link(entry, place, guid) or "",
        guid=guid,
        title=plain(
            str(raw("title") or ""), limit=MAX_TITLE, tags=not (atom and title_detail.get("type") == "text/plain")
        ),
        published=published,
        updated=updated,
        summary=plain(summary, limit=MAX_SUMMARY),
        authors=_authors(raw),
        tags=_words(t.get("label") or t.get("term") for t in raw("tags") or ()),
        image=_image(raw, summary, place),
        language=verbatim(title_detail.get("language"), 35) or language,
    )


def _link(entry: Any, place: _Place, guid: str | None) -> str | None:
    """The article's address: FeedBurner's original, the alternate link, or a permalink guid."""
    for key in ("feedburner_origlink", "pheedo_origlink"):
        if url := place.link(dict.get(entry, key)):
            return url
    links = [link for link in dict.get(entry, "links") or () if isinstance(link, Mapping)]
    alternates = [link for link in links if link.get("rel", "alternate") == "alternate"]
    pages = [link for link in alternates if "html" in str(link.get("type") or "html")]
    for link in (*pages, *alternates):
        if url := place.link(link.get("href")):
            return url
    if url := place.link(dict.get(entry, "link")):
        return url
    if guid and guid.startswith(("http://", "https://")):
        return place.link(guid)
    # Atom content that stands elsewhere (RFC 4287 section 4.1.3.2).
    contents = (c for c in dict.get(entry, "content") or () if isinstance(c, Mapping))
    return next((url for c in contents if (url := place.link(c.get("src")))), None)


def _summary(raw: Callable[[str], Any]) -> str:
    if summary := raw("summary"):
        return str(summary)
    contents = (c for c in raw("content") or () if isinstance(c, Mapping))
    return next((str(c["value"]) for c in contents if c.get("value")), "")


def _authors(raw: Callable[[str], Any]) -> tuple[str, ...]:
    names = [a.get("name") for a in raw("authors") or () if isinstance(a, Mapping)]
    return _words(names) or _words([raw("author")])


def _words(values: Iterable[object]) -> tuple[str, ...]:
    """Short plain texts, each once, in order."""
    found = (plain(str(v), limit=200) for v in values if v)
    return tuple(dict.fromkeys(text for text in found if text))[:MAX_WORDS]


def _image(raw: Callable[[str], Any], summary: str, place: _Place) -> str | None:
    for media in (*(raw("media_content") or ()), *(raw("media_thumbnail") or ())):
        kind = str(media.get("medium") or media.get("type") or "image")
        if kind.startswith("image") and (url := place.link(media.get("url"))):
            return url
    for link in raw("links") or ():
        enclosed = link.get("rel") == "enclosure" and str(link.get("type") or "").startswith("image")
        if enclosed and (url := place.link(link.get("href"))):
            return url
    image = raw("image")
    if isinstance(image, Mapping) and (url := place.link(image.get("href"))):
        return url
    content = summary or ""
    return place.link(first_image(content)) if "<img" in content or "<IMG" in content else None


# -- the publisher's word ---------------------------------------------------------------------


def _interval(feed: Mapping[str, Any]) -> timedelta | None:
    """The longer of RSS ttl (minutes) and the Syndication module's period over frequency."""
    found = []
    if (ttl := _number(feed.get("ttl"))) is not None:
        found.append(timedelta(minutes=ttl))
    period = str(feed.get("sy_updateperiod") or "").strip().lower()
    hours = next((hours for start, hours in _PERIODS if period.startswith(start)), None)
    if hours is not None:
        frequency = _number(feed.get("sy_updatefrequency")) or 1
        found.append(timedelta(hours=hours) / frequency)
    longest = max(found, default=timedelta(0))
    return min(longest, _MAX_INTERVAL) if longest > timedelta(0) else None


def _number(value: object) -> int | None:
    text = str(value or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 7 else None


def _inside(text: str, name: str) -> str:
    """The text of the first element `name`, or nothing."""
    start = text.find(f"<{name}")
    end = text.find(f"</{name}>", start) if start >= 0 else -1
    return text[start:end] if end >= 0 and end - start < 5_000 else ""


def _skip_hours(text: str) -> frozenset[int]:
    hours = (int(h) % 24 for h in re.findall(r"<hour>\s*(\d{1,2})\s*</hour>", _inside(text, "skipHours")))
    return frozenset(hours)


def _skip_days(text: str) -> frozenset[int]:
    days = (day.lower() for day in re.findall(r"<day>\s*([A-Za-z]+)\s*</day>", _inside(text, "skipDays")))
    return frozenset(_DAYS.index(day) for day in days if day in _DAYS)
