"""Sitemaps: index, urlset and the news extension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from newsroom.clock import WIB


@dataclass(frozen=True, slots=True)
class Location:
    """One address of a sitemap; the title makes it a news entry."""

    url: str
    modified: datetime
    published: datetime | None = None
    title: str = ""
    tags: tuple[str, ...] = ()


def _loc(url: str, cdata: bool) -> str:
    return f"<loc><![CDATA[{url}]]></loc>" if cdata else f"<loc>{escape(url)}</loc>"


def index(children: Sequence[Location], *, cdata: bool = False) -> bytes:
    """A sitemap index."""
    rows = "\n".join(
        f"<sitemap>{_loc(c.url, cdata)}<lastmod>{c.modified.astimezone(WIB).isoformat()}</lastmod></sitemap>"
        for c in children
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{rows}\n</sitemapindex>\n"
    ).encode()


def news(locations: Sequence[Location], name: str, language: str, *, cdata: bool = False) -> bytes:
    """A urlset with Google's news extension."""
    rows = []
    for place in locations:
        assert place.published is not None
        title = f"<![CDATA[{place.title}]]>" if cdata else escape(place.title)
        rows.append(
            f"<url>{_loc(place.url, cdata)}<lastmod>{place.modified.astimezone(WIB).isoformat()}</lastmod>"
            f"<news:news><news:publication><news:name>{escape(name)}</news:name><news:language>{language}</news:language>"
            "</news:publication>"
            f"<news:publication_date>{place.published.astimezone(WIB).isoformat()}</news:publication_date>"
            f"<news:title>{title}</news:title>"
            f"<news:keywords>{escape(', '.join(place.tags))}</news:keywords></news:news></url>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">\n' + "\n".join(rows) + "\n</urlset>\n"
    ).encode()
