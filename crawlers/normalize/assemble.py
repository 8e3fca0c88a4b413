"""From what a page says to the article it is, or the reason why it is none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from config.model import Outlet
from crawlers.identity import absolute, body_hash, canonicalize, content_hash, host_of, url_key
from crawlers.model import DateCandidate, Extraction, FeedEntry, Normalized, PageKind, Rejected
from crawlers.normalize.authors import read_persons
from crawlers.normalize.body import Body, read_body
from crawlers.normalize.byline import Byline, read_byline
from crawlers.normalize.images import clean_images
from crawlers.normalize.language import choose_language
from crawlers.normalize.text import clean_line, clean_optional
from crawlers.normalize.times import ChosenTime, choose, first_seen, url_candidate
from storage.model import Article, Link

#: Letters and digits below which a body is a caption or a teaser, not a story.
_SHORTEST = 50
_TITLE = 500
_TAGS, _TAG = 50, 100
_LINKS = 50
_CLAIMS = 12

_LABELS = {
    PageKind.PAYWALL: "the page shows only the beginning of the story",
    PageKind.PHOTO: "a page of photographs",
    PageKind.VIDEO: "a page around a video",
    PageKind.LIVE: "a live blog that changes under one address",
    PageKind.INDEX: "a page of links",
    PageKind.EMPTY: "no text to speak of",
}
_PAGE_NUMBER = re.compile(
    r"\s*[-–—|]?\s*\(?\b(?:halaman|page|hal)\s(?:\d{1,3}|all)\)?(?=\s*(?:[-–—|]|$))", re.IGNORECASE
)
_TITLE_SEPARATOR = re.compile(r"\s+(?:[-–—|:»·•]|::)\s+")


def normalize(
    extraction: Extraction,
    *,
    outlet: Outlet,
    entry: FeedEntry | None,
    fetched_url: str,
    fetched_at: datetime,
    now: datetime,
) -> Normalized | Rejected:
    """Clean, choose and put together.

    `entry` is what the source said of the page, `fetched_url` the address after redirects, `fetched_at` and `now`
    are aware. Pure; raises on no extraction.
    """
    if extraction.kind is not PageKind.ARTICLE:
        return Rejected(rule=extraction.kind.value, detail=_LABELS[extraction.kind], url=fetched_url)
    title = _title(extraction, entry, outlet)
    if not title:
        return Rejected(rule="no_title", detail="neither the page nor its source gives a title", url=fetched_url)
    body = read_body(
        extraction.blocks,
        rules=outlet.boilerplate,
        brands=outlet.brands,
        title=title,
        related=[link.title for link in extraction.related],
        captions=[image.caption for image in extraction.images if image.caption],
    )
    body = _unsigned(body, extraction.authors)
    text = "\n\n".join(block.text for block in body.blocks)
    letters = sum(map(str.isalnum, text[: 20 * _SHORTEST]))
    if letters < _SHORTEST:
        return Rejected(rule="empty", detail=f"{letters} letters are left of the body", url=fetched_url)
    article = _article(extraction, entry, outlet, title, body, text, fetched_url)
    article = _timed(article, extraction, entry, outlet, fetched_at, now)
    return Normalized(article=article, aliases=_aliases(article.url, extraction, fetched_url, entry))


def _unsigned(body: Body, authors: Iterable[str]) -> Body:
    """Without a last line that is the writer's name and nothing else (``BUDI HARTAWAN``, ``(Budi Hartawan)``)."""
    names = {clean_line(name).casefold() for name in authors}
    signed = len(body.blocks) > 1 and body.blocks[-1].text.strip("()").casefold() in names
    return replace(body, blocks=body.blocks[:-1]) if signed else body


def _article(
    extraction: Extraction,
    entry: FeedEntry | None,
    outlet: Outlet,
    title: str,
    body: Body,
    text: str,
    fetched_url: str,
) -> Article:
    url = _url(extraction, outlet, fetched_url)
    people = _people(extraction, entry, outlet, body)
    subtitle = clean_optional(extraction.subtitle)
    repeated = {title.casefold(), body.blocks[0].text.casefold()}
    return Article(
        outlet_id=outlet.id,
        url=url,
        url_key=url_key(url, outlet),
        title=title,
        subtitle=None if subtitle is None or subtitle.casefold() in repeated else subtitle,
        body=body.blocks,
        text=text,
        language=choose_language(
            text, outlet=outlet.language, declared=extraction.language or (entry.language if entry else None)
        ),
        authors=people.authors,
        editor=people.editor,
        agency=people.agency,
        brand=body.dateline.brand,
        places=body.dateline.places,
        section=clean_optional(extraction.section),
        tags=_tags(extraction.tags or (entry.tags if entry else ())),
        images=clean_images(extraction.images, base=fetched_url),
        related=_related(extraction.related, body.related, fetched_url),
        word_count=len(text.split()),
        provenance=_provenance(extraction, entry, body, people),
        content_hash=content_hash(title, text),
        body_hash=body_hash(text),
    )


def _timed(
    article: Article,
    extraction: Extraction,
    entry: FeedEntry | None,
    outlet: Outlet,
    fetched_at: datetime,
    now: datetime,
) -> Article:
    claims = [*extraction.dates, *_claims(entry)]
    if (dated := url_candidate(article.url)) and not any(claim.source == "url" for claim in claims):
        claims.append(dated)
    published = choose(claims, timezone=outlet.timezone, now=now) or first_seen(min(fetched_at, now))
    updated = choose(claims, timezone=outlet.timezone, now=now, role="updated")
    if updated is not None and updated.value < published.value and published.source != "first_seen":
        updated = None  # some templates write the day of their own last change
    provenance = [pair for pair in article.provenance if pair[0] not in {"published", "updated"}]
    return replace(
        article,
        published=published.value,
        published_from=published.source,
        updated=updated.value if updated else None,
        updated_from=updated.source if updated else None,
        provenance=(*provenance, *_time_provenance("published", published), *_time_provenance("updated", updated)),
    )


def _claims(entry: FeedEntry | None) -> list[DateCandidate]:
    if entry is None:
        return []
    times = (("published", entry.published), ("updated", entry.updated))
    return [DateCandidate(at.astimezone(UTC).isoformat(), "feed", role) for role, at in times if at is not None]


def _time_provenance(role: str, chosen: ChosenTime | None) -> list[tuple[str, str]]:
    """The source, the confidence, and every claim as it was read."""
    if chosen is None:
        return []
    lines = [(role, chosen.source), (f"{role}.confidence", f"{chosen.confidence:.2f}")]
    for reading in chosen.candidates[:_CLAIMS]:
        claim = reading.candidate
        read_as = reading.value.isoformat() if reading.value else "-"
        where = f"{claim.source} {claim.where}".strip()
        note = f" ({reading.note})" if reading.note else ""
        lines.append((f"{role}.claim", f"{where}: {clean_line(claim.text[:80])} = {read_as}{note}"))
    return lines


def _title(extraction: Extraction, entry: FeedEntry | None, outlet: Outlet) -> str:
    for candidate in (extraction.title, entry.title if entry else None):
        title = clean_line(candidate[: 2 * _TITLE]) if candidate else ""
        if title:
            return _without_site(title, _site_names(outlet, extraction.site_name))[:_TITLE].strip()
    return ""


def _without_site(title: str, names: frozenset[str]) -> str:
    """``Judul - Kompas.com``, ``Judul | Republika Online`` and ``Judul Halaman 2`` without what is no headline."""
    for _ in range(3):
        shorter = _PAGE_NUMBER.sub("", title).strip() or title
        parts = list(_TITLE_SEPARATOR.finditer(shorter))
        if parts and shorter[parts[-1].end() :].casefold() in names and parts[-1].start() >= 10:
            shorter = shorter[: parts[-1].start()]
        if shorter == title:
            break
        title = shorter
    return title


@lru_cache(maxsize=512)
def _site_names_of(outlet_name: str, homepage: str, brands: tuple[str, ...], site: str) -> frozenset[str]:
    host = host_of(homepage).removeprefix("www.")
    names = {outlet_name, site, host, *brands}
    names |= {f"{name} {suffix}" for name in tuple(names) for suffix in ("Online", "News", "Indonesia", ".com")}
    names |= {f"{name}.com" for name in tuple(names)}
    return frozenset(name.casefold().strip() for name in names if name.strip())


def _site_names(outlet: Outlet, site: str | None) -> frozenset[str]:
    return _site_names_of(outlet.name, outlet.homepage, outlet.brands, clean_line((site or "")[:100]))


def _url(extraction: Extraction, outlet: Outlet, fetched_url: str) -> str:
    """The canonical address, believed only where it names the same site and the article, not the home page."""
    if outlet.urls.full_page and outlet.urls.full_page.startswith("/"):
        fetched_url = fetched_url.removesuffix(outlet.urls.full_page)
    fetched = canonicalize(fetched_url, outlet.urls)
    named = canonicalize(absolute(extraction.canonical_url or "", fetched_url) or "", outlet.urls)
    if named and fetched and _same_article(named, fetched, outlet):
        return named
    return fetched or named or fetched_url


def _same_article(named: str, fetched: str, outlet: Outlet) -> bool:
    if url_key(named, outlet) == url_key(fetched, outlet):
        return True
    path = named.partition("://")[2].partition("/")[2]
    last = fetched.rstrip("/").rpartition("/")[2].partition("?")[0]
    return bool(path) and host_of(named) == host_of(fetched) and bool(last) and last in named


def _aliases(url: str, extraction: Extraction, fetched_url: str, entry: FeedEntry | None) -> tuple[str, ...]:
    """Other addresses of the article; http(s) only, the article's own left out."""
    named = (extraction.canonical_url, extraction.amp_url, fetched_url, entry.url if entry else None)
    found = (absolute(address, fetched_url) for address in named if address)
    return tuple(dict.fromkeys(address for address in found if address and address != url))


@dataclass(frozen=True, slots=True)
class _People:
    """Who made the article, and which of the possible places named them."""

    authors: tuple[str, ...]
    editor: str | None
    agency: str | None
    #: Field to place, for those that normalization found itself.
    origins: tuple[tuple[str, str], ...]


def _people(extraction: Extraction, entry: FeedEntry | None, outlet: Outlet, body: Body) -> _People:
    """Authors, editor and agency: the byline on the page before its metadata before the feed."""
    said = _raw_byline(extraction.byline) + body.byline
    organisations = _site_names(outlet, extraction.site_name)
    candidates: tuple[tuple[str, Iterable[str]], ...] = (
        ("byline", said.writers),
        ("", extraction.authors),
        ("sign-off", [body.signed] if body.signed else []),
        ("feed", entry.authors if entry else ()),
    )
    read = ((origin, read_persons(names, organisations)) for origin, names in candidates)
    origin, authors = next(((origin, found) for origin, found in read if found), ("", ()))
    editors = read_persons([*said.editors, extraction.editor or ""], organisations)
    if not editors and extraction.editor:
        editors = tuple(filter(None, [clean_optional(extraction.editor[:100])]))
    agency = body.dateline.agency or (clean_line(said.sources[0])[:100] if said.sources else None)
    origins = (
        ("authors", origin),
        ("editor", "byline" if said.editors and editors else ""),
        ("agency", "dateline" if body.dateline.agency else "byline" if agency else ""),
    )
    found = tuple(pair for pair in origins if pair[1])
    return _People(authors, ", ".join(editors) or None, agency or None, found)


def _provenance(
    extraction: Extraction, entry: FeedEntry | None, body: Body, people: _People
) -> tuple[tuple[str, str], ...]:
    """Field to place: what extraction noted, corrected by what was decided here."""
    pairs = (
        *people.origins,
        ("title", "feed" if entry and not extraction.title else ""),
        ("brand", "dateline" if body.dateline.brand else ""),
        ("places", "dateline" if body.dateline.places else ""),
        ("tags", "feed" if entry and entry.tags and not extraction.tags else ""),
        ("language", "text"),
    )
    decided = {name: origin for name, origin in pairs if origin}
    unnamed = set() if people.authors else {"authors"}
    kept = (pair for pair in extraction.provenance if pair[0] not in decided and pair[0] not in unnamed)
    return (*kept, *decided.items())


def _raw_byline(text: str | None) -> Byline:
    found = Byline()
    for line in (text or "")[:2000].split("\n")[:20]:
        found = found + (read_byline(clean_line(line)) or Byline())
    return found


def _tags(tags: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for tag in tags:
        name = clean_line(tag[: 2 * _TAG]).lstrip("#").strip(" ,;")
        if name and len(name) <= _TAG:
            found.setdefault(name.casefold(), name)
        if len(found) >= _TAGS:
            break
    return tuple(found.values())


def _related(links: Iterable[Link], inline: Iterable[str], base: str) -> tuple[Link, ...]:
    """Links of the page and titles found in its text, each title once, with its address where one is known."""
    found: dict[str, Link] = {}
    for link in (*links, *(Link(title, None) for title in inline)):
        title = clean_line(link.title)[:_TITLE]
        url = absolute(link.url, base) if link.url else None
        known = found.get(title.casefold())
        if title and (known is None or (known.url is None and url)):
            found[title.casefold()] = Link(title, url)
        if len(found) >= _LINKS:
            break
    return tuple(found.values())
