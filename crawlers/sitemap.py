"""Sitemaps (sitemaps.org 0.9 with the news and image extensions) and lists of addresses.

XML is read as a stream: 50,000 addresses cost the memory of the newest ``limits.items`` of them.
No entity is expanded, nothing is loaded from elsewhere, and what is broken ends the reading
where it is broken, not before.
"""

from __future__ import annotations

import heapq
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from lxml import etree

from config.model import Limits
from crawlers.dates import read_date
from crawlers.identity import absolute
from crawlers.model import Discovered, FeedEntry, ListedSitemap, Problem
from crawlers.plain import MAX_TITLE, plain, verbatim

MAX_TAGS: Final = 30
#: Locations read from one file; the protocol allows 50,000.
MAX_LOCATIONS: Final = 100_000
#: Children of an index that are remembered, the newest.
MAX_CHILDREN: Final = 5_000
_OLDEST: Final = datetime.min.replace(tzinfo=UTC)
_DATE_IN_URL: Final = re.compile(r"(20\d\d)[-_/]?(0[1-9]|1[0-2])(?:[-_/]?([0-3]\d))?(?!\d)")
_NEWS_EXTENSION: Final = "sitemap-news"


#: Whether it comes first, its date, its place from the end, and what the index says.
_Child = tuple[bool, datetime, int, ListedSitemap]


@dataclass(frozen=True, slots=True)
class _Place:
    url: str
    now: datetime
    timezone: tzinfo

    def date(self, text: str | None) -> datetime | None:
        return read_date(text, timezone=self.timezone, now=self.now) if text else None


@dataclass(slots=True)
class _Newest:
    """Keeps the `size` newest of all that come by; equal ones in order of arrival."""

    size: int
    heap: list[tuple[datetime, int, FeedEntry]] = field(default_factory=list)
    count: int = 0

    def add(self, entry: FeedEntry) -> None:
        self.count += 1
        item = (entry.published or entry.updated or _OLDEST, -self.count, entry)
        if len(self.heap) < self.size:
            heapq.heappush(self.heap, item)
        else:
            heapq.heappushpop(self.heap, item)

    def entries(self) -> tuple[FeedEntry, ...]:
        return tuple(entry for _, _, entry in sorted(self.heap, key=lambda item: item[:2], reverse=True))


def read_sitemap(
    body: bytes, *, url: str, now: datetime, timezone: tzinfo, limits: Limits, follow: str | None = None
) -> Discovered:
    """What the XML sitemap or sitemap index `body`, fetched from `url`, lists, newest first.

    Children of an index whose address matches the expression `follow` (None: all) are given to
    be followed, news and newest first, at most ``limits.sitemap_children``.
    """
    place = _Place(url, now, timezone)
    newest = _Newest(limits.items)
    children: list[_Child] = []
    bad = 0
    stream = _Elements(body)
    for number, (name, element) in enumerate(stream):
        if number == MAX_LOCATIONS:
            stream.error = f"it lists more than {MAX_LOCATIONS} locations"
            break
        fields = _fields(element)
        location = absolute(fields.get("loc", ""), url)
        if location is None:
            bad += 1
        elif name == "sitemap":
            children.append(_child(location, fields, place, len(children)))
        else:
            newest.add(_entry(location, fields, place))
    problems = list(_problems(stream, newest, children, bad))
    wanted = _wanted(children, follow)
    return Discovered(
        entries=newest.entries(),
        format="sitemapindex" if children and not newest.count else "urlset",
        follow=_follow(wanted, limits, problems),
        children=tuple(child[-1] for child in wanted[:MAX_CHILDREN]),
        problems=tuple(problems),
    )


def read_list(text: str, *, url: str, limits: Limits) -> Discovered:
    """What a plain text sitemap lists: an address a line."""
    entries, bad = [], 0
    for line in text.splitlines():
        if not line.strip():
            continue
        location = absolute(line)
        if location is None:
            bad += 1
        else:
            entries.append(FeedEntry(url=location))
    problems = []
    if bad:
        problems.append(Problem(code="items_without_link", message=f"{bad} lines of {url} are no http(s) address."))
    if len(entries) > limits.items:
        problems.append(_too_many(len(entries), limits.items))
    return Discovered(entries=tuple(entries[: limits.items]), format="text", problems=tuple(problems))


class _Elements:
    """The ``url`` and ``sitemap`` elements of a document, one at a time, each forgotten after its turn."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        #: Set at the end: what the parser had to forgive.
        self.error: str | None = None

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        events = etree.iterparse(
            io.BytesIO(self.body.lstrip(b"\xef\xbb\xbf \t\r\n")),
            events=("end",),
            tag=("{*}url", "{*}sitemap"),
            recover=True,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            for _, element in events:
                yield etree.QName(element).localname, element
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
        except (etree.XMLSyntaxError, ValueError) as error:
            self.error = str(error)
        if self.error is None and events.error_log:
            self.error = str(events.error_log[0].message)


def _fields(element: Any) -> dict[str, str]:
    """Local names to texts; parts of extensions get their namespace's name in front (``news:title``)."""
    found: dict[str, str] = {}
    for part in element.iter(etree.Element):
        if part is element or not isinstance(part.tag, str):
            continue
        namespace, _, local = part.tag.rpartition("}")
        local = local.rpartition(":")[2]
        if part.getparent() is not element:
            local = ("news:" if _NEWS_EXTENSION in namespace or "news" in str(part.getparent().tag) else "in:") + local
        if part.text and local not in found:
            found[local] = part.text.strip()
        if local == "in:loc" and "image" in part.tag:
            found.setdefault("image", (part.text or "").strip())
    return found


def _entry(location: str, fields: dict[str, str], place: _Place) -> FeedEntry:
    keywords = (plain(word, limit=200) for word in fields.get("news:keywords", "").split(","))
    image = fields.get("image")
    return FeedEntry(
        url=location,
        title=plain(fields.get("news:title", ""), limit=MAX_TITLE, tags=False),
        published=place.date(fields.get("news:publication_date")),
        updated=place.date(fields.get("lastmod")),
        tags=tuple(dict.fromkeys(word for word in keywords if word))[:MAX_TAGS],
        image=absolute(image, place.url) if image else None,
        language=verbatim(fields.get("news:language"), 35),
    )


def _child(location: str, fields: dict[str, str], place: _Place, index: int) -> _Child:
    """A child and its place in the order: news sitemaps without a date first, then the newest."""
    lastmod = verbatim(fields.get("lastmod"), 64)
    date = place.date(lastmod)
    if date is None and (found := _DATE_IN_URL.search(location)):
        date = place.date("-".join(part for part in found.groups() if part))
    fresh = date is None and "news" in location.rpartition("/")[2].lower()
    return fresh, date or _OLDEST, -index, ListedSitemap(url=location, lastmod=lastmod, date=date)


def _wanted(children: list[_Child], follow: str | None) -> list[_Child]:
    """The children whose address matches, each once, those to look at first in front."""
    pattern = re.compile(follow) if follow else None
    chosen: dict[str, _Child] = {}
    for child in sorted(children, key=lambda child: child[:3], reverse=True):
        if pattern is None or pattern.search(child[-1].url):
            chosen.setdefault(child[-1].url, child)
    return list(chosen.values())


def _follow(wanted: list[_Child], limits: Limits, problems: list[Problem]) -> tuple[str, ...]:
    newest = [child[-1].url for child in wanted]
    if len(newest) > limits.sitemap_children:
        message = f"The newest {limits.sitemap_children} of {len(newest)} child sitemaps are followed."
        problems.append(Problem(code="too_many_children", message=message))
    return tuple(newest[: limits.sitemap_children])


def _problems(stream: _Elements, newest: _Newest, children: list[Any], bad: int) -> Iterator[Problem]:
    if stream.error:
        yield Problem(code="not_well_formed", message=f"The sitemap is not as it should be: {stream.error[:200]}")
    if bad:
        yield Problem(code="items_without_link", message=f"{bad} locations are no http(s) address.")
    if newest.count > newest.size:
        yield _too_many(newest.count, newest.size)
    if not newest.count and not children:
        yield Problem(code="empty_feed", message="The sitemap is well-formed and lists nothing.")


def _too_many(count: int, limit: int) -> Problem:
    return Problem(code="too_many_items", message=f"{limit} of {count} locations were read; the rest was left out.")
