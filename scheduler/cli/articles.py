"""`warta articles`, `show`, `explain`, `export`: what was stored, and where a story went."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from json import dumps
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

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
from scheduler.cli.output import Output, local, plain
from storage.articles import ArticleFilter
from storage.model import BlockKind, Fate, StoredArticle
from storage.storage import Storage

FIELDS = ("outlet", "language", "section")


class Format(StrEnum):
    """File formats of `warta export`."""

    JSONL = "jsonl"
    CSV = "csv"


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (articles, show, explain, export):
        app.command(rich_help_panel="Look")(command)


def articles(
    words: Annotated[
        list[str] | None,
        typer.Argument(help='Filter words: outlet:kontan since:2h "words in title or body".', show_default=False),
    ] = None,
    limit: LimitOption = 20,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List or search stored articles, the newest first."""
    settings = settings_from(config, data, lenient=True)
    try:
        wanted = parse(words or (), names=("outlet",), now=utc_now())
    except FilterError as error:
        fail(Exit.USAGE, str(error))

    async def work(storage: Storage, out: Output) -> None:
        chosen = ArticleFilter(
            outlet_id=wanted.one("outlet"), since=wanted.since, until=wanted.until,
            query=" ".join(wanted.text) or None,
        )  # fmt: skip
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
            out.record(record(stored))
        else:
            _print_article(out, stored)

    query(settings, work, json=json)


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
        if not fates:
            fail(Exit.NOT_FOUND, f"{url!r} was never discovered by a source of this installation")

    query(settings, work, json=json)


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


def export(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; standard output by default.", show_default=False),
    ] = None,
    form: Annotated[Format, typer.Option("--format", "-f", help="jsonl or csv.")] = Format.JSONL,
    outlet: Annotated[str | None, typer.Option(help="Only this outlet.", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(help="First seen since: 2h, 3d, or a moment.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Write stored articles to a file, oldest first; the file appears whole or not at all."""
    settings = settings_from(config, data, lenient=True)
    try:
        wanted = parse([f"since:{since}"] if since else (), names=(), now=utc_now())
    except FilterError as error:
        fail(Exit.USAGE, str(error))

    async def work(storage: Storage, out: Output) -> None:
        chosen = ArticleFilter(outlet_id=outlet, since=wanted.since)
        found = storage.articles.iterate(chosen)
        if output is None:
            await _write(found, form, sys.stdout, None)
            return
        total = await storage.articles.count(chosen)
        part = output.with_name(output.name + ".part")
        with part.open("w", encoding="utf-8", newline="") as file:
            written = await _write(found, form, file, total)
        part.replace(output)
        out.line(f"{written:,} articles written to {output}")

    query(settings, work, json=False)


async def _write(found: AsyncIterator[tuple[int, StoredArticle]], form: Format, file: TextIO, total: int | None) -> int:
    columns = (TextColumn("articles"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    count = 0
    with Progress(*columns, disable=total is None or not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("export", total=total)
        if form is Format.CSV:
            file.write(csv_line(CSV_COLUMNS))
        async for _, stored in found:
            file.write(json_line(stored) if form is Format.JSONL else csv_line(csv_row(stored)))
            count += 1
            progress.advance(task)
    return count


def record(stored: StoredArticle) -> dict[str, Any]:
    """An article as consumers get it: flat, documented in docs/articles.md."""
    fields = plain(stored.article)
    fields["provenance"] = dict(stored.article.provenance)
    return {
        "id": stored.id,
        "revision": stored.revision,
        "first_seen": plain(stored.first_seen),
        "revised_at": plain(stored.revised_at),
        "copy_of": stored.copy_of,
        "cluster": stored.cluster,
        **fields,
    }


def json_line(stored: StoredArticle) -> str:
    """One JSON object and a newline."""
    return dumps(record(stored), ensure_ascii=False) + "\n"


CSV_COLUMNS = (
    "id", "revision", "outlet_id", "url", "title", "subtitle", "authors", "editor", "agency", "places", "published",
    "published_from", "updated", "section", "tags", "language", "word_count", "first_seen", "copy_of", "text",
)  # fmt: skip


def csv_row(stored: StoredArticle) -> list[str]:
    """The values of CSV_COLUMNS; lists are joined by ``; ``."""
    fields = record(stored)
    return [_csv_value(fields[name]) for name in CSV_COLUMNS]


def csv_line(values: list[str] | tuple[str, ...]) -> str:
    """One line of RFC 4180 CSV."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()


def _csv_value(value: object) -> str:
    """Text that no spreadsheet takes for a formula (OWASP: leading = + - @ tab and carriage return)."""
    if isinstance(value, list):
        value = "; ".join(map(str, value))
    if isinstance(value, datetime):
        value = plain(value)
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
