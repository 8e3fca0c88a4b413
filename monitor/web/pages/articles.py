"""Articles: search, and one of them with its revisions, copies and original."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import pairwise

import nh3
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from monitor.articles import NAMES, wish
from monitor.filters import Filter, FilterError, parse, with_word
from monitor.web.delivered import told_of
from monitor.web.face import lost, page, site_of
from monitor.web.found import Hits, article_page, copies_of
from monitor.web.guard import FOREIGN_CSP
from monitor.web.show import differences, pairs
from storage.articles import Revision
from storage.events import EventFilter

PAGE = 40
#: Facets in the order in which they are shown.
HEADINGS = {
    "outlet": "Outlets", "kind": "Kinds", "language": "Languages", "section": "Sections", "tag": "Tags", "day": "Days",
}  # fmt: skip
#: Revisions compared on one page, the newest.
COMPARED = 10


async def articles(request: Request) -> Response:
    """``/articles?q=WORDS&after=SEQ``."""
    site = site_of(request)
    now = site.now()
    words, after = request.query_params.get("q", "")[:500], request.query_params.get("after", "")
    try:
        wanted, problem = parse(words, names=NAMES, now=now), None
        asked = wish(wanted)
    except FilterError as error:
        wanted, problem = Filter(), str(error)
        asked = wish(wanted)
    hits = await article_page(
        site.storage, asked, after=int(after) if after.isdecimal() and len(after) < 19 else None, limit=PAGE
    )
    return page(
        request, "articles.html", now, words=words, problem=problem, hits=hits,
        facets=_facets(hits, wanted, "" if problem else words),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value of a facet to choose."""

    value: str
    count: int
    #: Filter words that ask for it besides the others; None: words cannot say it.
    words: str | None
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetView:
    """What articles can be told apart by, as it is shown."""

    heading: str
    choices: tuple[Choice, ...]
    #: Filter words without any choice; None: nothing is chosen.
    everything: str | None


def _facets(hits: Hits, wanted: Filter, words: str) -> list[FacetView]:
    """Every facet that has a value; each choice keeps the other filter words."""
    found = []
    for name, heading in HEADINGS.items():
        chosen = [value.casefold() for value in wanted.fields.get(name, ())]
        choices = tuple(
            Choice(
                value=facet.value, count=facet.count, words=with_word(words, name, facet.value),
                chosen=facet.value.casefold() in chosen,
            )
            for facet in hits.facets
            if facet.name == name
        )  # fmt: skip
        if choices or chosen:
            everything = with_word(words, name, None) if chosen else None
            found.append(FacetView(heading=heading, choices=choices, everything=everything))
    return found


async def article(request: Request) -> Response:
    """``/articles/ID``."""
    site = site_of(request)
    now = site.now()
    article_id = request.path_params["id"][:40]
    stored = await site.storage.articles.get(article_id)
    if stored is None:
        return lost(request, f"There is no article {article_id}.")
    content = stored.article
    revisions = await site.storage.articles.revisions(article_id)
    raw = await site.storage.articles.raw(article_id)
    facts = {
        "authors": ", ".join(content.authors), "editor": content.editor, "agency": content.agency,
        "brand": content.brand, "places": ", ".join(content.places), "section": content.section,
        "tags": ", ".join(content.tags), "language": content.language, "words": content.word_count,
        "published": content.published, "published from": content.published_from, "updated": content.updated,
        "first seen": stored.first_seen, "URL key": content.url_key,
    }  # fmt: skip
    return page(
        request, "article.html", now, stored=stored, article=content, facts=pairs(facts),
        changes=await asyncio.to_thread(_changes, revisions), revisions=revisions, raw=raw,
        copies=await copies_of(site.storage, article_id, stored.cluster) if stored.cluster else [],
        history=(await site.storage.events.after(0, 100, EventFilter(article_id=article_id, backfilled=True))).events,
        told=await told_of(site.storage.database, article_id),
        fates=await site.storage.fates.explain(article_id, content.outlet_id, limit=10),
    )  # fmt: skip


def _changes(revisions: list[Revision]) -> list[tuple[Revision, object, object]]:
    """Each revision after the first with what it changed in title and text, the newest first."""
    steps = list(pairwise(revisions))[-COMPARED:]
    return [
        (new, differences(old.article.title, new.article.title), differences(old.article.text, new.article.text))
        for old, new in reversed(steps)
    ]


async def original(request: Request) -> Response:
    """``/articles/ID/original``: the page as fetched, without anything that runs or fetches."""
    site = site_of(request)
    article_id = request.path_params["id"][:40]
    raw = await site.storage.articles.raw(article_id)
    if raw is None:
        return lost(request, "The original of this article is not kept.")
    html = await asyncio.to_thread(_harmless, raw.body)
    headers = {"Content-Security-Policy": FOREIGN_CSP, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(f"<!doctype html><meta charset=utf-8><title>Original</title>{html}", headers=headers)


def _harmless(body: bytes) -> str:
    """Structure and text only; pictures would tell the outlet who looks, so they go too."""
    text = body[: 2 * 2**20].decode("utf-8", "replace")
    return nh3.clean(
        text, tags=nh3.ALLOWED_TAGS - {"img"}, clean_content_tags={"script", "style", "noscript", "title", "template"},
        link_rel="noopener noreferrer nofollow",
    )  # fmt: skip
