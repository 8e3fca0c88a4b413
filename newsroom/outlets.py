"""A complete warta configuration for a press that is being served."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from newsroom.shapes import antara, detik, english, jsonfeed, kabarniaga, kompas, ladang, rdf
from newsroom.shapes.house import House
from newsroom.story import Masthead
from newsroom.web import Addresses

Values = dict[str, Any]

USER_AGENT = "warta-newsroom/1.0 (+http://127.0.0.1/; a reader of fictional news)"


def _kabarniaga() -> Values:
    return {
        "brands": ["KABARNIAGA.CO.ID"],
        "article": {
            "title": "h1.detail-desk",
            "body": "div.tmpt-desk-kon[itemprop=articleBody]",
            "body_stop_comment": "pagination end",
            "remove": ["div.pagination", "div.tags-related", "script"],
            "published": "div.fs14.ff-opensans.font-gray",
            "section": "div.breadcumb a",
            "tags": 'a[href*="/tag/"]',
            "image": "div.img-detail-desk img",
            "caption": "div.img-detail-desk .caption",
        },
        "boilerplate": {
            "line_start": [
                "Baca Juga:",
                "Selanjutnya:",
                "Menarik Dibaca:",
                "Tonton:",
                "Halaman Selanjutnya:",
                "ILUSTRASI.",
            ],
            "line_exact": ["INDEKS BERITA", "Berita Terkait"],
            "contains": ["Cek Berita dan Artikel yang lain di Google News"],
        },
        "urls": {
            "article": "/news/[^/?#]+",
            "key": "/news/(?P<slug>[^/?#]+)",
            "full_page": "?page=all",
            "host_aliases": {"amp.kabarniaga.test": "www.kabarniaga.test"},
        },
    }


def _lintasmenit() -> Values:
    return {
        "brands": ["lintasmenit"],
        "article": {
            "title": "h1.detail__title",
            "body": ".itp_bodycontent",
            "published": ".detail__date",
            "authors": ".detail__author",
            "remove": [
                ".parallaxindetail",
                "table.linksisip",
                ".detail__body-tag",
                "style",
                "script",
                ".detail__label",
            ],
            "tags": ".detail__body-tag a",
            "image": ".detail__media-image img",
            "caption": ".detail__media-caption",
        },
        "boilerplate": {
            "line_start": ["Baca juga:", "Simak Video", "[Gambas:", "Artikel ini bersumber dari"],
            "line_exact": ["ADVERTISEMENT", "SCROLL TO CONTINUE WITH CONTENT"],
        },
        "urls": {"article": "/d-\\d+/", "key": "/d-(?P<id>\\d+)/", "full_page": "?single=1"},
    }


def _arahpena() -> Values:
    return {
        "brands": ["ARAHPENA.com"],
        "article": {
            "title": "h1.read__title",
            "body": ".read__content",
            "published": ".read__time",
            "remove": [".ads-on-body", "script"],
            "editor": ".credit-title-name h6:last-child",
            "tags": ".tag__article__wrap a",
            "image": ".photo img",
            "caption": ".photo__caption",
        },
        "boilerplate": {"line_start": ["Baca juga:", "Dapatkan update"], "line_exact": ["Kirimkan komentar Anda"]},
        "urls": {
            "article": "/read/\\d{4}/",
            "key": "/read/\\d{4}/\\d\\d/\\d\\d/(?P<id>\\d+)/",
            "full_page": "?page=all",
            "keep_query": [],
        },
    }


def _kantorberita() -> Values:
    return {
        "brands": ["KANTORBERITA"],
        "article": {
            "title": ".wrap__article-detail-title h1",
            "body": ".wrap__article-detail-content",
            "published": ".wrap__article-detail-info .date",
            "remove": ["span.baca-juga", "script"],
            "image": ".wrap__article-detail-image img",
            "caption": ".wrap__article-detail-image figcaption",
        },
        "boilerplate": {"line_start": ["Baca juga:", "Copyright ©"]},
        "urls": {
            "article": "/berita/\\d+/",
            "key": "/berita/(?P<id>\\d+)/",
            "host_aliases": {"m.kantorberita.test": "www.kantorberita.test"},
        },
    }


def _archipelagopost() -> Values:
    return {
        "article": {
            "title": "h1.headline",
            "body": "div.article-body",
            "remove": ["aside.newsletter", "p.editor"],
            "caption": "figcaption",
        },
        "urls": {"article": "/\\d{4}/\\d\\d/\\d\\d/[^/]+\\.html$"},
    }


def _plain() -> Values:
    return {
        "article": {"title": "article h1", "body": "div.entry-content", "authors": "p.author"},
        "urls": {"article": "/berita/\\d+"},
    }


#: What each shape's readers must know beyond its sources.
RULES: dict[type[House], Values] = {
    kabarniaga.Kabarniaga: _kabarniaga(),
    detik.Lintasmenit: _lintasmenit(),
    kompas.Arahpena: _arahpena(),
    antara.Kantorberita: _kantorberita(),
    english.ArchipelagoPost: _archipelagopost(),
    jsonfeed.Datakini: _plain(),
    rdf.Gemanusa: _plain(),
}

#: (query template, listing rules) of each listing, by outlet and source.
LISTINGS: dict[str, tuple[str, Values]] = {
    "kabarniaga/indeks": (
        "?kanal=&tanggal={date:%d}&bulan={date:%m}&tahun={date:%Y}&pos=indeks&per_page={offset}",
        {
            "item": "div.list-berita li[data-offset]",
            "link": "h1 > a",
            "title": "h1 > a",
            "date": "span.font-gray",
            "pages": 2,
            "first": 0,
            "step": 20,
        },
    ),
    "lintasmenit/indeks": (
        "?date={date:%m}%2F{date:%d}%2F{date:%Y}&page={page}",
        {"item": "article.list-content__item", "link": "a.media__link", "title": "a.media__link", "pages": 2},
    ),
    "arahpena/indeks": (
        "?site=all&date={date:%Y-%m-%d}&page={page}",
        {
            "item": "div.articleItem",
            "link": "a.article-link",
            "title": "h2.articleTitle",
            "date": "div.articlePost-date",
            "pages": 2,
        },
    ),
    "kantorberita/halaman": (
        "?page={page}",
        {"item": "div.card__post", "link": "h2.post_title a", "title": "h2.post_title a"},
    ),
}


def settings(port: int, every: str, delay: str = "50ms") -> Values:
    """``warta.yaml`` as plain values."""
    return {
        "data_dir": "data",
        "redis": "embedded",
        "database": "embedded",
        "outlets": ["outlets/*.yaml"],
        "user_agent": USER_AGENT,
        "allow_networks": ["127.0.0.0/8"],
        "resolve": {"*.test": "127.0.0.1"},
        "limits": {"ports": [port]},
        "defaults": {
            "schedule": {"every": every},
            "politeness": {"delay": delay, "domain_delay": delay, "concurrency": 4},
        },
    }


def outlet(shape: type[House], addresses: Addresses) -> Values:
    """One outlet's file as plain values."""
    masthead = shape.masthead_of()
    sources = []
    for source in shape.sources:
        template, listing = LISTINGS.get(f"{masthead.id}/{source.name}", ("", None))
        row: Values = {
            "name": source.name,
            "kind": source.kind,
            "url": addresses.url(source.host, source.path) + template,
        }
        if listing:
            row["listing"] = listing
        sources.append(row)
    return {
        **_face(masthead, f"www.{masthead.domain}", addresses),
        "hosts": [f"*.{masthead.domain}"],
        "sources": sources,
        **RULES[shape],
    }


def small_outlet(number: int, addresses: Addresses) -> Values:
    """The file of one outlet of the field."""
    masthead = ladang.masthead(number)
    source = {"name": "rss", "kind": "feed", "url": addresses.url(masthead.domain, "/rss")}
    return {**_face(masthead, masthead.domain, addresses), "hosts": [masthead.domain], "sources": [source], **_plain()}


def _face(masthead: Masthead, home: str, addresses: Addresses) -> Values:
    return {
        "name": masthead.name,
        "homepage": addresses.url(home),
        "language": masthead.language,
        "timezone": "Asia/Jakarta",
        "notes": "Fictional; served by the newsroom.",
    }


def write_config(
    directory: Path,
    port: int,
    *,
    feeds: int = 0,
    every: str = "5s",
    delay: str = "50ms",
    extra: Mapping[str, Values] | None = None,
) -> None:
    """Write ``warta.yaml`` and ``outlets/*.yaml`` for a press at ``port``.

    ``feeds`` adds that many small outlets of the field (0 to 99,999); ``every`` is how often a
    source is polled, ``delay`` the time between two requests to a host or its domain, ``extra``
    further keys of an outlet's file, by outlet. The data directory is ``data`` beside the files.
    Files of the same names are overwritten.
    """
    if not 0 <= feeds <= 99_999:
        raise ValueError(f"feeds is {feeds}; the field has 0 to 99999 small outlets")
    addresses = Addresses(port)
    folder = directory / "outlets"
    folder.mkdir(parents=True, exist_ok=True)
    whole = settings(port, every, delay) | {"data_dir": str((directory / "data").absolute())}
    _write(directory / "warta.yaml", whole)
    for shape in RULES:
        outlet_id = shape.masthead_of().id
        _write(folder / f"{outlet_id}.yaml", outlet(shape, addresses) | (extra or {}).get(outlet_id, {}))
    for number in range(1, feeds + 1):
        _write(folder / f"{ladang.outlet_id(number)}.yaml", small_outlet(number, addresses))


def _write(path: Path, values: Values) -> None:
    path.write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
