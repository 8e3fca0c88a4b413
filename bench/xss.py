"""Markup of outlets, through everything that shows what outlets wrote: ``python -m bench.xss``.

Thousands of payloads (:mod:`bench.payloads`) become titles, authors, summaries, addresses, images and bodies: of feed
items and of pages, through the readers, and straight into the database, as if a reader had let them pass. Then every
page of the monitor is rendered and parsed as a browser parses it. Nothing may be in it but the elements and attributes
that harmless words give, no active element more than those give, and no address but http, https and our own. The same
texts go through the tables of the CLI, CSV and JSON exports, and alerts.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import html
import io
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from bench.payloads import payloads
from bench.shape import Shape, against, shape, unsafe
from config.load import load
from config.model import Limits, Monitor
from crawlers.extract.page import extract
from crawlers.feed import read_feed
from crawlers.model import Discovered
from monitor.alerts.telling import bundle
from monitor.controls import CONTROLS
from monitor.web.app import create
from monitor.web.site import Site
from scheduler.cli.output import Output
from storage.alerts import StoredMessage, Trouble
from storage.export import CSV_COLUMNS, csv_line, csv_row, json_line, record
from storage.health import Change
from storage.model import (
    Article,
    Block,
    BlockKind,
    Decided,
    Discovery,
    FateKind,
    Image,
    RawPage,
    RunStatus,
    Trigger,
)  # fmt: skip
from storage.sources import SourceDefinition
from storage.storage import Storage

#: Times that something must be there for every list to go on on another page.
LONG: Final = 60
#: Payloads that share an article.
TOGETHER: Final = 25
HARMLESS: Final = "kata"
SOURCE: Final = "kabar/utama"


# -- where they go in -----------------------------------------------------------------------------


def _direct(number: int, words: Sequence[str]) -> Article:
    """In every field, as if nobody had read them."""
    text = "\n\n".join(words)
    kinds = itertools.cycle((BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.QUOTE, BlockKind.LIST))
    return Article(
        outlet_id="kabar", url=words[0], url_key=f"direct-{number}", title=" ".join(words)[:900], subtitle=words[-1],
        body=tuple(Block(kind, word) for kind, word in zip(kinds, words, strict=False)), text=text, language="id",
        authors=tuple(words), editor=words[0], agency=words[1 % len(words)], brand=words[0], places=tuple(words[:5]),
        section=words[0], tags=tuple(words), images=tuple(Image(url=word, caption=word) for word in words),
        provenance=(("title", words[0]), (words[1 % len(words)], "rules")), word_count=len(words),
    )  # fmt: skip


def _from_feed(number: int, words: Sequence[str]) -> Article:
    """As the reader of feeds gives them: escaped in titles, bare in CDATA, in addresses."""
    items = "".join(
        f"<item><title>{html.escape(word)}</title><dc:creator><![CDATA[{word.replace(']]>', '')}]]></dc:creator>"
        f"<description><![CDATA[<p>{word.replace(']]>', '')}</p>]]></description><guid>{number}-{n}</guid>"
        f"<link>{html.escape(word if ':' in word[:30] else f'https://kabar.test/{quote(word)}')}</link>"
        f"<category>{html.escape(word)}</category></item>"
        for n, word in enumerate(words)
    )
    feed = f'<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>K</title>{items}</channel></rss>'
    read = read_feed(feed, url="https://kabar.test/rss", now=_now(), timezone=UTC, limits=Limits())
    entries = read.entries if isinstance(read, Discovered) else ()
    texts = [entry.summary or "" for entry in entries]
    return replace(
        _direct(number, [entry.title or "-" for entry in entries] or ["-"]), url_key=f"feed-{number}",
        url=entries[0].url if entries else "https://kabar.test/", text="\n\n".join(texts),
        authors=tuple(author for entry in entries for author in entry.authors),
        body=tuple(Block(BlockKind.PARAGRAPH, text) for text in texts),
        images=tuple(Image(url=entry.url, caption=entry.title) for entry in entries),
    )  # fmt: skip


def _page(words: Sequence[str]) -> str:
    filler = "Harga beras medium di pasar induk naik tipis sejak awal pekan, kata pedagang di sana. " * 3
    inside = "".join(f"<p>{filler}{word}</p>" for word in words)
    return (
        f"<!doctype html><html lang=id><head><title>{html.escape(words[0])}</title>"
        f'<meta name=author content="{html.escape(words[0])}">'
        f'<meta property=og:image content="{html.escape(words[-1])}">'
        f"</head><body><article><h1>{html.escape(' '.join(words[:3]))}</h1>{inside}</article></body></html>"
    )


def _from_page(number: int, words: Sequence[str]) -> Article:
    """As extraction gives them."""
    found = extract(_page(words), f"https://kabar.test/{number}")
    return replace(
        _direct(number, [found.title or "-", *words[:1]]), url_key=f"page-{number}", url=f"https://kabar.test/{number}",
        title=found.title or "-", subtitle=found.subtitle, authors=found.authors, tags=found.tags,
        body=tuple(Block(BlockKind.PARAGRAPH, block.text) for block in found.blocks),
        text="\n\n".join(block.text for block in found.blocks),
        images=tuple(Image(url=image.url, caption=image.caption) for image in found.images),
    )  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)


# -- where they come out --------------------------------------------------------------------------


@dataclass(slots=True)
class Findings:
    """What came of it."""

    payloads: int = 0
    pages: int = 0
    texts: int = 0
    seconds: float = 0.0
    #: Place to what was wrong there, the first few.
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def add(self, place: str, problems: Iterable[str]) -> None:
        """Note what is wrong at a place."""
        for problem in problems:
            known = self.wrong.setdefault(place, [])
            if len(known) < 5:
                known.append(problem[:200])


@dataclass(slots=True)
class House:
    """A monitor over a database, asked without a socket."""

    storage: Storage
    app: Any
    log: Path
    token: int = 0

    async def ask(self, path: str) -> str:
        """The page at a path."""
        path, _, query = path.partition("?")
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(b"host", b"127.0.0.1")], "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
            "scheme": "http", "http_version": "1.1", "root_path": "", "asgi": {"version": "3.0"}, "state": {},
        }  # fmt: skip
        parts: list[bytes] = []
        status = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            parts.append(message.get("body", b""))

        await self.app(scope, receive, send)
        text = b"".join(parts).decode()
        if status != 200:
            raise RuntimeError(f"{path} answers {status}: {text[:300]}")
        return text

    async def fill(self, number: int, words: Sequence[str]) -> dict[str, str]:
        """Put the words wherever words of outlets are kept; the pages that show them, by kind."""
        storage, now = self.storage, _now()
        self.token += 1
        run = await storage.runs.begin(SOURCE, "kabar", Trigger.SCHEDULE, now, self.token, "bench", now)
        assert run is not None
        made = {"direct": _direct(number, words), "feed": _from_feed(number, words), "page": _from_page(number, words)}
        found = await storage.runs.discovered(
            run.id,
            self.token,
            [Discovery(url=a.url, url_key=a.url_key, title=a.title) for a in made.values()],
            0,
            [],
            now,
        )
        pages: dict[str, str] = {}
        for fate, (kind, article) in zip(found, made.items(), strict=True):
            raw = RawPage(
                url=article.url, body=_page(words).encode("utf-8", "replace"), content_type=None, fetched_at=now
            )
            article = replace(article, content_hash=f"1{article.url_key}", body_hash=f"1{article.url_key}")
            done = await storage.writer.commit(
                Decided(
                    fate_id=fate.id, run_id=run.id, source_id=SOURCE, outlet_id="kabar", token=self.token,
                    kind=FateKind.STORED, now=now, article=article, raw=raw,
                )
            )  # fmt: skip
            pages[f"article, {kind}"] = f"/articles/{done.article_id}"
        pages["original"] = f"{pages['article, page']}/original"
        said = " ".join(words)
        await storage.runs.finish(
            run.id, self.token, RunStatus.FAILED, now=now, reason="http_5xx", message=said, http_status=500,
            state={"failures": 1.0, "last_failure": "http_5xx", "last_failure_message": said},
        )  # fmt: skip
        change = Change(
            source_id=SOURCE,
            outlet_id="kabar",
            flips=0,
            was="ok",
            became="failing",
            sentence=said,
            evidence={},
            began_at=now,
        )
        await storage.health.write([change], now)
        trouble = Trouble(
            rule="sources", key=f"{number}", severity="warning", title=said[:500], sentence=said, began_at=now, path="/"
        )
        (incident,), _ = await storage.alerts.step(now, troubles=[trouble])
        line = {
            "time": now.isoformat(),
            "level": "error",
            "logger": "bench",
            "event": said,
            "reason": words[0],
            "url": words[-1],
        }
        self.log.write_text(json.dumps(line) + "\n", encoding="utf-8")
        return pages | {
            "articles": "/articles", "items": "/items", "runs": "/runs", "run": f"/runs/{run.id}",
            "sources": "/sources",
            "source": f"/sources/{SOURCE}", "incident": f"/alerts/{incident.id}", "logs": "/logs",
            "search": f"/articles?q={quote(words[0], safe='')}",
        }  # fmt: skip


async def _opened(place: Path) -> House:
    (place / "outlets").mkdir(parents=True)
    (place / "warta.yaml").write_text(f"data_dir: {place}\noutlets: [outlets/*.yaml]\n", encoding="utf-8")
    (place / "outlets" / "kabar.yaml").write_text(
        "name: Kabar\nhomepage: https://kabar.test/\nsources: [{name: utama, kind: feed, url: 'https://kabar.test/rss'}]\n",
        encoding="utf-8",
    )
    settings = load(place, {})
    storage = await Storage.open(f"sqlite:///{place / 'warta.db'}", now=_now)
    definition = SourceDefinition(id=SOURCE, outlet_id="kabar", kind="feed", url="https://kabar.test/rss")
    await storage.sources.upsert([definition], {SOURCE: _now() + timedelta(hours=1)}, _now())
    log = place / "logs" / "warta.jsonl"
    log.parent.mkdir()
    site = Site(
        storage=storage, settings=lambda: settings, monitor=Monitor(), now=_now, log=log, alive=place / "warta.alive"
    )
    return House(storage, create(site), log)


def _console(words: Sequence[str]) -> list[str]:
    """What a table in a terminal would obey."""
    out = Output(json=False)
    out.console.file = io.StringIO()
    out.table(("title", "author"), [(word, word) for word in words], empty="-", grow="title")
    out.line(" ".join(words))
    printed = out.console.file.getvalue()
    return [f"steers: {sign!r}" for sign in CONTROLS.findall(printed.replace("\n", ""))]


def _exported(stored: Any) -> list[str]:
    """Cells that are formulas, or lines that do not say what was stored."""
    fields = record(stored)
    line = json_line(fields)
    same = line.count("\n") == 1 and json.loads(line)["title"] == stored.article.title
    (cells,) = csv.reader(io.StringIO(csv_line(csv_row(fields, CSV_COLUMNS)), newline=""))
    formulas = [f"formula: {cell[:40]!r}" for cell in cells if cell[:1] in set("=+-@\t\r")]
    return formulas if same else ["JSON is not the article", *formulas]


def _alerted(words: Sequence[str]) -> list[str]:
    """Elements that a channel of HTML would get."""
    from apprise.conversion import convert_between

    said = " ".join(words)
    message = StoredMessage(
        id=1, incident_id=1, channel="mail", kind="opened", number=0, severity="warning", title=said[:400], body=said,
        created_at=_now(), not_before=None, attempts=0, last_error=None, sent_at=None, dropped_at=None,
    )  # fmt: skip
    _, title, body = bundle([message])
    told = convert_between("text", "html", f"{title} {body}")  # type: ignore[no-untyped-call]
    shown = shape(f"<!doctype html><body>{told}")
    return [
        f"<{tag} {name}>" for tag, name in sorted(shown.pairs) if name or tag not in {"html", "head", "body", "br", "p"}
    ]


async def _plain(house: House, rounds: int) -> dict[str, Shape]:
    """What the pages are made of with harmless words: at first, and when lists have grown too long for one page."""
    harmless: dict[str, Shape] = {}
    for number in range(min(rounds, LONG)):
        words = (
            [HARMLESS, *[f"https://kabar.test/harmless/{number}"] * (TOGETHER - 1)] if number else [HARMLESS] * TOGETHER
        )
        pages = await house.fill(-number, words)
        if number in (0, 1, LONG - 1):
            for kind, path in [*pages.items(), ("search", "/articles?q=kind:none"), ("search", "/articles?q=nothing")]:
                found = shape(await house.ask(path))
                harmless[kind] = found | harmless[kind] if kind in harmless else found
    return harmless


async def run(chosen: Sequence[str], place: Path) -> Findings:
    """Send the payloads through everything, in a directory of one's own."""
    findings, began = Findings(payloads=len(chosen)), time.monotonic()
    house = await _opened(place)
    try:
        chunks = list(_chunks(chosen))
        harmless = await _plain(house, len(chunks))
        for number, words in enumerate(chunks, 1):
            pages = await house.fill(number, words)
            for kind, path in pages.items():
                found = shape(await house.ask(path))
                findings.add(kind, unsafe(found) if kind == "original" else against(found, harmless[kind]))
            findings.pages += len(pages)
            stored = await house.storage.articles.get(pages["article, direct"].rpartition("/")[2])
            findings.add("export", _exported(stored))
            findings.add("CLI", _console(words))
            findings.add("alert", _alerted(words))
            findings.texts += 3 * len(words)
    finally:
        await house.storage.close()
    findings.seconds = round(time.monotonic() - began, 1)
    return findings


def _chunks(words: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(words), TOGETHER):
        yield words[start : start + TOGETHER]


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; exit code 1 when anything got through."""
    parser = argparse.ArgumentParser(prog="python -m bench.xss", description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="file", type=Path, help="payloads of a file, one a line, in place of our own")
    parser.add_argument("--each", type=int, default=1, help="only every so many")
    options = parser.parse_args(arguments)
    chosen = payloads() if options.file is None else options.file.read_text("utf-8", "replace").split("\n")
    with tempfile.TemporaryDirectory(prefix="warta-payloads-") as directory:
        found = asyncio.run(run([one for one in chosen if one][:: options.each], Path(directory)))
    print(f"{found.payloads} payloads, {found.pages} pages rendered, {found.texts} texts, {found.seconds} s")
    for place, problems in found.wrong.items():
        print(f"{place}: " + "; ".join(problems))
    print("nothing got through" if not found.wrong else f"got through in {len(found.wrong)} places")
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main())
