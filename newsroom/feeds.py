"""Feeds of every kind, rendered from the same entries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from newsroom.clock import WIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One story as a feed shows it."""

    title: str
    url: str
    guid: str
    published: datetime
    updated: datetime
    summary: str
    author: str | None
    categories: tuple[str, ...] = ()
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a feed says of itself."""

    title: str
    home: str
    url: str
    description: str
    language: str
    updated: datetime
    #: Minutes that readers are asked to wait (RSS ``ttl``).
    ttl: int | None = None


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(WIB))


def _iso(moment: datetime) -> str:
    return moment.astimezone(WIB).isoformat()


def _image_summary(entry: Entry) -> str:
    image = f'<img src="{entry.image}" align="left" border="0">' if entry.image else ""
    return f"<![CDATA[{image}{entry.summary}]]>"


def rss(channel: Channel, entries: Sequence[Entry]) -> bytes:
    """RSS 2.0 with dates in +0700; a revised item says so in ``atom:updated``."""
    ttl = f"<ttl>{channel.ttl}</ttl>" if channel.ttl else ""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">\n<channel>'
        f"<title>{escape(channel.title)}</title><link>{escape(channel.home)}</link>"
        f"<description>{escape(channel.description)}</description><language>{channel.language}</language>{ttl}"
        f'<lastBuildDate>{_rfc822(channel.updated)}</lastBuildDate><atom:link href={quoteattr(channel.url)} rel="self"'
        ' type="application/rss+xml"/>'
    )
    out = [head]
    for e in entries:
        author = f"<dc:creator>{escape(e.author)}</dc:creator>" if e.author else ""
        image = f"<media:thumbnail url={quoteattr(e.image)}/>" if e.image else ""
        changed = f"<atom:updated>{_iso(e.updated)}</atom:updated>" if e.updated > e.published else ""
        categories = "".join(f"<category>{escape(c)}</category>" for c in e.categories)
        out.append(
            f"<item><title>{escape(e.title)}</title><link>{escape(e.url)}</link>"
            f'<guid isPermaLink="{"true" if e.guid == e.url else "false"}">{escape(e.guid)}</guid>'
            f"<pubDate>{_rfc822(e.published)}</pubDate>{changed}{author}{categories}"
            f"<description>{_image_summary(e)}</description>{image}</item>"
        )
    out.append("</channel></rss>\n")
    return "\n".join(out).encode()


def atom(channel: Channel, entries: Sequence[Entry]) -> bytes:
    """Atom 1.0 (RFC 4287)."""
    head = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{channel.language}">'
        f"<title>{escape(channel.title)}</title>"
        f'<link href={quoteattr(channel.home)}/><link rel="self" href={quoteattr(channel.url)}/>'
        f"<id>{escape(channel.home)}</id><updated>{_iso(channel.updated)}</updated>"
    )
    out = [head]
    for e in entries:
        author = f"<author><name>{escape(e.author)}</name></author>" if e.author else ""
        categories = "".join(f"<category term={quoteattr(c)}/>" for c in e.categories)
        out.append(
            f"<entry><title>{escape(e.title)}</title><link href={quoteattr(e.url)}/><id>{escape(e.guid)}</id>"
            f"<published>{_iso(e.published)}</published><updated>{_iso(e.updated)}</updated>{author}{categories}"
            f'<summary type="text">{escape(e.summary)}</summary></entry>'
        )
    out.append("</feed>\n")
    return "\n".join(out).encode()


def rdf(channel: Channel, entries: Sequence[Entry]) -> bytes:
    """RSS 1.0 with Dublin Core dates."""
    listed = "".join(f"<rdf:li rdf:resource={quoteattr(e.url)}/>" for e in entries)
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:dcterms="http://purl.org/dc/terms/">'
        f"<channel rdf:about={quoteattr(channel.url)}><title>{escape(channel.title)}</title>"
        f"<link>{escape(channel.home)}</link><description>{escape(channel.description)}</description><dc:date>{_iso(channel.updated)}</dc:date>"
        f"<items><rdf:Seq>{listed}</rdf:Seq></items></channel>"
    )
    out = [head]
    for e in entries:
        first, last = _iso(e.published), _iso(e.updated)
        dates = f"<dcterms:issued>{first}</dcterms:issued><dcterms:modified>{last}</dcterms:modified>"
        changed = dates if e.updated > e.published else ""
        out.append(
            f"<item rdf:about={quoteattr(e.url)}><title>{escape(e.title)}</title><link>{escape(e.url)}</link>"
            f"<description>{escape(e.summary)}</description><dc:date>{_iso(e.published)}</dc:date>{changed}</item>"
        )
    out.append("</rdf:RDF>\n")
    return "\n".join(out).encode()


def json_feed(channel: Channel, entries: Sequence[Entry]) -> bytes:
    """JSON Feed 1.1."""
    items = []
    for e in entries:
        item: dict[str, object] = {
            "id": e.guid,
            "url": e.url,
            "title": e.title,
            "summary": e.summary,
            "content_text": e.summary,
            "date_published": _iso(e.published),
            "tags": list(e.categories),
        }
        if e.updated > e.published:
            item["date_modified"] = _iso(e.updated)
        if e.author:
            item["authors"] = [{"name": e.author}]
        if e.image:
            item["image"] = e.image
        items.append(item)
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": channel.title,
        "home_page_url": channel.home,
        "feed_url": channel.url,
        "description": channel.description,
        "language": channel.language,
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()
