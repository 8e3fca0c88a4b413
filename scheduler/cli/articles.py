"""`warta articles`, `show`, `explain`: what was stored, and where a story went."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Any

import typer

from monitor.articles import NAMES, wish
from monitor.filters import FilterError, parse
from scheduler.cli.context import (
    ConfigOption,
    DataOption,
    Exit,
    JsonOption,
    LimitOption,
    fail,
    query,
    settings_from,
    utc_now,
)  # fmt: skip
from scheduler.cli.output import Output, local
from storage.articles import ArticleFilter
from storage.differences import Piece, differences, shortened
from storage.events import EventFilter
from storage.export import record
from storage.model import BlockKind, Fate, StoredArticle
from storage.storage import Storage

FIELDS = ("outlet", "language", "section")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (articles, show, explain):
        app.command(rich_help_panel="Look")(command)


def articles(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help='Filter words: outlet:kontan section:ekonomi since:2h "words in title or body".', show_default=False
        ),
    ] = None,
    limit: LimitOption = 20,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List or search stored articles, the newest first."""
    settings = settings_from(config, data, lenient=True)
    try:
        wanted = wish(parse(words or (), names=NAMES, now=utc_now()))
    except FilterError as error:
        fail(Exit.USAGE, str(error))

    async def work(storage: Storage, out: Output) -> None:
        chosen = ArticleFilter(
            since=wanted.since, until=wanted.until, query=wanted.query, having=wanted.having, without=wanted.without
        )
        found = (await storage.articles.list(chosen, limit=limit)).articles
        if json:
            out.records(record(a) for a in found)
            return
        out.table(
            ("published", "outlet", "id", "title"),
            ((local(a.article.published)[:16], a.article.outlet_id, a.id, _title(a)) for a in found),
            empty="no article fits", grow="title",
        )  # fmt: skip

    query(settings, work, json=json)


def _title(stored: StoredArticle) -> str:
    marks = [f"r{stored.revision}"] if stored.revision > 1 else []
    marks += ["copy"] if stored.copy_of else []
    return stored.article.title + (f"  [{', '.join(marks)}]" if marks else "")


def show(
    article_id: Annotated[str, typer.Argument(metavar="ID", help="Id of an article, or its URL.")],
    diff: Annotated[bool, typer.Option("--diff", help="What each revision changed, word by word.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Show one article: text, fields, where each field came from."""
    settings = settings_from(config, data, lenient=True)

    async def work(storage: Storage, out: Output) -> None:
        stored = await storage.articles.get(article_id)
        if stored is None:
            fates = await storage.fates.explain(article_id)
            known = next((f.article_id for f in fates if f.article_id), None)
            stored = await storage.articles.get(known) if known else None
        if stored is None:
            fail(Exit.NOT_FOUND, f"no article {article_id!r}; `warta explain URL` tells where a story went")
        if json:
            out.record(record(stored) | ({"changes": await _changes(storage, stored.id)} if diff else {}))
        elif diff:
            await _print_changes(storage, out, stored)
        else:
            _print_article(out, stored)

    query(settings, work, json=json)


async def _changes(storage: Storage, article_id: str) -> list[dict[str, Any]]:
    """Each revision after the first with its differences and what consumers were told of it."""
    told = await storage.events.after(0, 500, EventFilter(article_id=article_id, backfilled=True))
    events = {event.revision: event for event in told.events if event.event != "retracted"}
    found = []
    for old, new in pairwise(await storage.articles.revisions(article_id)):
        event = events.get(new.revision)
        found.append(
            {
                "revision": new.revision, "reason": new.reason, "created_at": new.created_at,
                "materiality": event.materiality if event else None, "detail": event.detail if event else None,
                "title": differences(old.article.title, new.article.title),
                "text": differences(old.article.text, new.article.text),
            }
        )  # fmt: skip
    return found


async def _print_changes(storage: Storage, out: Output, stored: StoredArticle) -> None:
    out.line(f"{stored.article.title}  ({stored.article.url})", style="bold")
    changes = await _changes(storage, stored.id)
    if not changes:
        out.line("it has not changed since it was stored", style="dim")
    for change in changes:
        weight = "" if change["materiality"] is None else f", materiality {change['materiality']:.2f}"
        out.line()
        out.line(
            f"revision {change['revision']}, {change['reason']} {local(change['created_at'])}{weight}", style="bold"
        )
        for name, value in (change["detail"] or {}).items():
            if name in _TOLD and value:
                shown = ", ".join(value) if isinstance(value, list) else value
                out.line(f"{name:>10}  {shown}", style="dim")
        for name in ("title", "text"):
            pieces = change[name]
            if any(op != "=" for op, _ in pieces):
                out.line(f"{name:>10}  {_marked(shortened(pieces, 60))}")
    if stored.retracted_at is not None:
        out.line(f"the outlet took it back; noticed {local(stored.retracted_at)}", style="yellow")


#: What of an event's detail stands beside its differences.
_TOLD = ("from", "to", "notice", "restored", "fields")


def _marked(pieces: Iterable[Piece]) -> str:
    """As ``wdiff`` writes it: ``[-went-]{+came+}``."""
    marks = {"=": "{}", "-": "[-{}-]", "+": "{{+{}+}}"}
    return "".join(marks[op].format(text) for op, text in pieces)


def _print_article(out: Output, stored: StoredArticle) -> None:
    article = stored.article
    out.line(article.title, style="bold")
    if article.subtitle:
        out.line(article.subtitle, style="italic")
    origin = dict(article.provenance)
    fields: tuple[tuple[str, object, str | None], ...] = (
        ("id", f"{stored.id}, revision {stored.revision}", None),
        ("url", article.url, None),
        ("published", local(article.published), article.published_from),
        ("updated", local(article.updated) if article.updated else None, article.updated_from),
        ("authors", ", ".join(article.authors), origin.get("authors")),
        ("editor", article.editor, origin.get("editor")),
        ("agency", article.agency, origin.get("agency")),
        ("dateline", " ".join(filter(None, (article.brand, "/".join(article.places)))), origin.get("places")),
        ("section", article.section, origin.get("section")),
        ("tags", ", ".join(article.tags), origin.get("tags")),
        ("language", article.language, origin.get("language")),
        ("words", article.word_count, None),
        ("copy of", stored.copy_of, None),
        ("retracted", local(stored.retracted_at) if stored.retracted_at else None, None),
    )
    for name, value, source in fields:
        if value not in (None, "", "-"):
            out.line(f"{name:>10}  {value}" + (f"   ({source})" if source else ""), style="dim")
    for block in article.body:
        out.line()
        out.line(block.text, style="bold" if block.kind is BlockKind.HEADING else None)
    if article.related:
        out.line()
        for link in article.related:
            out.line(f"   related  {link.title}" + (f"  {link.url}" if link.url else ""), style="dim")


def explain(
    url: Annotated[str, typer.Argument(help="URL, GUID, or id of an article.")],
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Say where a story went: every time it was discovered, what was decided, and by which rule."""
    settings = settings_from(config, data, lenient=True)

    async def work(storage: Storage, out: Output) -> None:
        fates = await storage.fates.explain(url)
        if json:
            out.records(fates)
        for fate in () if json else fates:
            _print_fate(out, fate)
        if not json:
            await _print_history(storage, out, {fate.article_id: None for fate in fates if fate.article_id})
            await _print_coverage(storage, out, {fate.article_id: None for fate in fates if fate.article_id})
        if not fates:
            fail(Exit.NOT_FOUND, f"{url!r} was never discovered by a source of this installation")

    query(settings, work, json=json)


async def _print_history(storage: Storage, out: Output, ids: Iterable[str]) -> None:
    """What consumers were told of these articles, and when their pages are looked at again."""
    known = list(ids)
    visits = await storage.visits.of(known)
    for article_id in known:
        told = await storage.events.after(0, 500, EventFilter(article_id=article_id, backfilled=True))
        if told.events:
            out.line(f"article {article_id}: what consumers were told", style="bold")
        for event in told.events:
            weight = "" if event.materiality is None else f", materiality {event.materiality:.2f}"
            out.line(f"{event.event:>11}  {local(event.created_at)}  revision {event.revision}{weight}")
        visit = visits.get(article_id)
        if visit is not None:
            missing = f"; missing since {local(visit.absent_since)} ({visit.absence})" if visit.absent_since else ""
            due = local(visit.due_at) if visit.due_at else "not planned"
            out.line(f"{'next look':>11}  {due}{missing}")


async def _print_coverage(storage: Storage, out: Output, ids: Iterable[str]) -> None:
    """The clusters these articles belong to: the original, and who else runs the text."""
    found = [await storage.articles.get(article_id) for article_id in ids]
    for cluster in dict.fromkeys(stored.cluster for stored in found if stored and stored.cluster):
        page = await storage.articles.list(ArticleFilter(cluster=cluster), limit=200)
        out.line(f"cluster {cluster}: one text, {len(page.articles)} articles", style="bold")
        for stored in sorted(page.articles, key=lambda a: (a.copy_of is not None, a.first_seen)):
            role = f"copy of {stored.copy_of}" if stored.copy_of else "original"
            out.line(f"{role:>25}  {local(stored.first_seen)}  {stored.article.outlet_id}  {stored.id}")
            out.line(f"{'':>25}  {stored.article.url}")


def _print_fate(out: Output, fate: Fate) -> None:
    out.line(f"{local(fate.discovered_at)}  {fate.kind}", style="bold")
    lines = (
        ("url", fate.url),
        ("title", fate.title),
        ("found by", f"{fate.source_id} in run {fate.run_id} ({fate.reason})"),
        ("decided", local(fate.decided_at) if fate.decided_at else None),
        ("rule", fate.rule),
        ("because", fate.detail),
        ("copy of", fate.of),
        ("article", f"{fate.article_id} revision {fate.revision}" if fate.article_id else None),
        ("next try", f"{local(fate.retry_at)}, after {fate.attempts} attempts" if fate.retry_at else None),
    )
    for name, value in lines:
        if value:
            out.line(f"{name:>10}  {value}")
