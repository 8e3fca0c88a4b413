"""Public conformance suites, end to end: ``python -m bench.conformance``.

Each file is served over HTTP on loopback with the headers its case asks for, fetched by the daemon's fetcher and
read by the daemon's readers; what comes out is held against what the suite expects. Prints one line a suite:
cases, passed, and with ``-v`` each that did not pass. The suites are not part of this repository: `WARTA_SHARED`
names the directory they are in (``suites/feedparser`` …), otherwise ``../shared``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from config.model import Limits, Politeness, RobotsPolicy, Settings, SourceKind
from crawlers.address import parse_target
from crawlers.discover import discover
from crawlers.fetch import Fetcher
from crawlers.model import (
    Discovered,
    DiscoveryFailed,
    FailureKind,
    FeedEntry,
    Fetched,
    FetchFailed,
    FetchRequest,
    FetchResult,
    Purpose,
)
from crawlers.plain import plain
from crawlers.robots import Robots
from scheduler.cli.dryrun import SoloBudget

NOW: Final = datetime(2026, 11, 23, 3, tzinfo=UTC)
ROOT: Final = Path(__file__).resolve().parent.parent

#: What warta reads otherwise on purpose, and why; such a case counts as passed only by what is said here.
OTHERWISE: Final = {
    "feedparser/encoding/bozo_linenoise": "bytes that are nearly UTF-8 are read as damaged UTF-8",
    "feedparser/wellformed/atom/entry_title_base64_2": "a plain title keeps its angle brackets",
    "feedparser/wellformed/atom10/entry_category_term": "a category's label is for people, its term is not",
    "feedparser/wellformed/atom10/entry_category_term_non_ascii": "a category's label is for people, its term is not",
    "feedparser/wellformed/base/http_entry_id_base_content_location": "an id is no address and is kept as written",
    "feedparser/wellformed/base/http_entry_id_base_docuri": "an id is no address and is kept as written",
    "feedparser/wellformed/base/http_item_link_base_content_location": "browsers give Content-Location no say",
    "feedparser/wellformed/base/http_item_link_base_docuri": "the suite's server stands at another port",
    "feedparser/wellformed/rss/item_image_link_conflict": "a host is written in lower case",
    "feedparser/wellformed/sanitize/entry_summary_iframe": "what an iframe holds is no text",
    "feedparser/wellformed/sgml/charref_uppercase_x": "the text stays as it was written",
    "gofeed/translator/rss/feed_item_links_-_rss_channel_item_links": "of several links the first counts",
    "big5": "one rare character in ninety that browsers know and Python's codec does not",
    "gb18030": "19 characters that the 2022 edition moved",
}


@dataclass(slots=True)
class Tally:
    """How one suite went."""

    suite: str
    cases: int = 0
    passed: int = 0
    #: Read otherwise on purpose.
    otherwise: int = 0
    failed: list[str] = field(default_factory=list)

    def note(self, case: str, good: bool, detail: object = "") -> None:
        """One check of a case more."""
        self.cases += 1
        self.passed += good
        if good:
            return
        if case in OTHERWISE:
            self.otherwise += 1
        else:
            self.failed.append(f"{case}: {detail}"[:300])


class Press:
    """Serves whatever bytes stand under a path, with the headers given."""

    def __init__(self) -> None:
        self.port = 0
        self.answers: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def put(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        """Serve `body` at `path`."""
        self.answers[path] = body, headers

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one answer."""
        try:
            raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            asked = {k.lower(): v for k, _, v in (line.partition(": ") for line in raw[1:] if line)}
            path = raw[0].split(" ")[1]
            self.asked.append((path, asked))
            body, headers = self.answers.get(asked.get("host", "").partition(":")[0] + path) or self.answers.get(
                path, (b"", {})
            )
            lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            writer.write("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@dataclass(frozen=True, slots=True)
class Road:
    """A press, and the fetcher that reads it."""

    press: Press
    fetcher: Fetcher
    politeness: Politeness

    async def get(self, path: str, *, host: str = "press.test", robots: bool = False, **more: Any) -> FetchResult:
        """Fetch what is served at `path`."""
        manners = self.politeness
        if robots:
            manners = Politeness(user_agent=manners.user_agent, delay=timedelta(0), domain_delay=timedelta(0))
        purpose = more.pop("purpose", Purpose.FEED)
        url = f"http://{host}:{self.press.port}{path}"
        return await self.fetcher.fetch(FetchRequest(url=url, purpose=purpose, outlet_id="suite", **more), manners)

    async def read(self, path: str) -> Discovered | DiscoveryFailed | FetchFailed:
        """Fetch and read a feed."""
        answer = await self.get(path)
        if not isinstance(answer, Fetched):
            assert isinstance(answer, FetchFailed)
            return answer
        return discover(
            SourceKind.FEED, answer.body, url=answer.final_url, content_type=answer.content_type, now=NOW,
            timezone=ZoneInfo("UTC"),
        )  # fmt: skip


@asynccontextmanager
async def road() -> AsyncIterator[Road]:
    """A press on loopback and a fetcher that may reach it, robots.txt aside."""
    press = Press()
    server = await asyncio.start_server(press.serve, "127.0.0.1", 0)
    press.port = server.sockets[0].getsockname()[1]
    politeness = Politeness(
        user_agent="warta-suite/1.0 (+https://warta.example/bot)", robots=RobotsPolicy.IGNORE, delay=timedelta(0)
    )
    settings = Settings(
        path=Path("warta.yaml"), data_dir=Path("data"), redis="embedded", database="embedded", outlets=(),
        limits=Limits(ports=frozenset({press.port})), politeness=politeness,
        allow_networks=(ip_network("127.0.0.0/8"),), resolve=(("*.test", "127.0.0.1"),),
    )  # fmt: skip
    fetcher = Fetcher(settings, SoloBudget(), Robots(now=lambda: NOW), lambda: NOW)
    await fetcher.start()
    try:
        yield Road(press, fetcher, politeness)
    finally:
        await fetcher.stop()
        server.close()


def cases_of(folder: Path, name: str = "cases.jsonl") -> Iterator[dict[str, Any]]:
    """The cases of a suite."""
    for line in (folder / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def items_of(found: Discovered) -> list[FeedEntry]:
    """All items in their order, those without an address among them."""
    items = list(found.entries)
    for at, entry in found.unlinked:
        items.insert(at, entry)
    return items


# -- feedparser -----------------------------------------------------------------------------------

_TEXTS: Final = {
    ("title",): "title", ("title_detail", "value"): "title", ("description",): "summary", ("summary",): "summary",
    ("summary_detail", "value"): "summary",
}  # fmt: skip
_MOMENTS: Final = {
    ("published_parsed",): "published", ("updated_parsed",): "updated", ("created_parsed",): "published",
}  # fmt: skip


def _agrees(entry: FeedEntry, path: tuple[Any, ...], value: Any) -> bool | None:
    """Whether the entry says what feedparser's field says; None for a field that warta does not keep."""
    if path in _TEXTS:
        have = getattr(entry, _TEXTS[path]) or ""
        return have in {plain(str(value), limit=10_000) or "", " ".join(str(value).split())}
    if path in _MOMENTS and isinstance(value, list):
        moment = datetime(*value[:6], tzinfo=UTC)  # type: ignore[misc]
        # dc:date and a lone Atom date are the publication here, the update there.
        return moment in {entry.published, entry.updated}
    if path == ("link",):
        return not str(value).startswith("http") or entry.url == value or entry.url == f"{value}/"
    if path in {("id",), ("guid",)}:
        return bool(entry.guid == value)
    if path in {("author",), ("authors", 0, "name"), ("author_detail", "name")}:
        return any(name in str(value) for name in entry.authors)
    if len(path) == 3 and path[0] == "tags" and path[2] == "term":
        return bool(value in entry.tags)
    return None


async def feedparser_suite(road: Road, folder: Path) -> Tally:
    """Fields of entries, where warta keeps the field."""
    tally = Tally("feedparser: fields of entries")
    for case in cases_of(folder):
        checks = [
            (c["path"][1], tuple(c["path"][2:]), c.get("value"))
            for c in case["checks"]
            if c["op"] == "eq" and len(c["path"]) > 2 and c["path"][0] == "entries" and isinstance(c["path"][1], int)
        ]
        if not case["fully_portable"] or not checks:
            continue
        headers = {"Content-Type": "text/xml"} if case["serve_over_http"] else {"Content-Type": "application/xml"}
        given = {k: v for k, v in case["headers"].items() if k.lower() != "content-location"}
        if any(k.lower() == "content-type" for k in given):
            headers = {}
        path = "/" + re.sub(r"[^A-Za-z0-9/._-]", "_", case["file"])
        road.press.put(path, (folder / case["file"]).read_bytes(), headers | given)
        found = await road.read(path)
        items = items_of(found) if isinstance(found, Discovered) else []
        for index, name, value in checks:
            good = _agrees(items[index], name, value) if index < len(items) else _known(name, value)
            if good is not None:
                have = getattr(items[index], _TEXTS.get(name, str(name[0])), items[index]) if items else found
                tally.note(case["id"], good, f"{name}: want {value!r}, have {have!r}")
    return tally


def _known(name: tuple[Any, ...], value: Any) -> bool | None:
    """False for a field that is kept, of an item that is not there."""
    return None if _agrees(FeedEntry(url=""), name, value) is None else False


# -- gofeed ---------------------------------------------------------------------------------------


async def gofeed_suite(road: Road, folder: Path) -> Tally:
    """Number of items and, of the universal model, their fields."""
    tally = Tally("gofeed: items and universal fields")
    for case in cases_of(folder):
        if not str(case.get("input", "")).endswith((".xml", ".json")) or not isinstance(case.get("expect"), dict):
            continue
        expected = case["expect"].get("items", case["expect"].get("entries"))
        if expected is None:
            continue
        path = f"/{case['id']}"
        road.press.put(path, (folder / case["input"]).read_bytes(), {"Content-Type": "application/xml"})
        found = await road.read(path)
        items = items_of(found) if isinstance(found, Discovered) else []
        empty = not expected and not items
        tally.note(case["id"], empty or len(items) == len(expected), f"{len(items)} of {len(expected)}")
        if case.get("model") == "universal" and len(items) == len(expected):
            for item, want in zip(items, expected, strict=True):
                for name, good, have in _universal(item, want):
                    tally.note(case["id"], good, f"{name}: want {want.get(name)!r}, have {have!r}")
    return tally


def _universal(item: FeedEntry, want: dict[str, Any]) -> Iterator[tuple[str, bool, object]]:
    for name, have in (("title", item.title), ("description", item.summary)):
        if name in want:
            yield name, (plain(want[name], limit=10_000) or "") == (have or ""), have
    if str(want.get("link", "")).startswith("http"):
        yield "link", item.url.rstrip("/") == want["link"].rstrip("/"), item.url
    if "guid" in want:
        yield "guid", item.guid == want["guid"], item.guid
    for name in ("publishedParsed", "updatedParsed"):
        if name in want:
            moment = datetime.fromisoformat(want[name])
            yield name, moment in {item.published, item.updated}, (item.published, item.updated)
    if "categories" in want:
        yield "categories", set(want["categories"]) <= set(item.tags), item.tags
    if "authors" in want and want["authors"] and want["authors"][0].get("name"):
        author = want["authors"][0]["name"]
        yield "authors", any(n in author or author in n for n in item.authors), item.authors


# -- W3C ------------------------------------------------------------------------------------------

_ITEM: Final = re.compile(rb"<(?!content:)(?:[A-Za-z0-9_]+:)?(?:item|entry)[\s>]")


async def w3c_suite(road: Road, folder: Path) -> Tally:
    """Valid feeds give all their items; invalid ones are read or turned away, and nothing breaks."""
    tally = Tally("W3C: valid feeds whole, invalid ones survived")
    for case in cases_of(folder):
        body = (folder / case["file"]).read_bytes()
        path = f"/{case['id']}"
        road.press.put(path, body, {"Content-Type": "application/xml"})
        found = await road.read(path)
        if case["valid"] and case["format"] in {"atom", "rss", "rss20", "rss11"} and isinstance(found, Discovered):
            count = len(_ITEM.findall(re.sub(rb"<!--.*?-->", b"", body, flags=re.DOTALL)))
            tally.note(case["id"], len(items_of(found)) == count, f"{len(items_of(found))} of {count} items")
        elif isinstance(found, Discovered):
            tally.note(case["id"], True)
        else:
            broken = found.kind in {FailureKind.PARSE, FailureKind.PROTOCOL, FailureKind.TRUNCATED}
            tally.note(case["id"], not broken, found.message)
    return tally


# -- robots, caching, JSON, encodings -------------------------------------------------------------


_TOKEN: Final = re.compile(r"[A-Za-z_-]+")


async def robots_suite(road: Road, folder: Path) -> Tally:
    """Each robots.txt served by a host of its own, each URL asked for under the agent of the case."""
    tally = Tally("robots.txt: Google's two sets, the RFC's cases")
    number = 0
    for name in ("google_robots_test.jsonl", "google_spec_test.jsonl"):
        for case in cases_of(folder, name):
            number += 1
            # No URL or no product token (RFC 9309 section 2.2.1) is never asked for: test_robots_rules.py has those.
            if case["google_only"] or not case["url_latin1"].isascii() or not _TOKEN.fullmatch(case["ua"]):
                continue
            host = f"r{number}.test"
            body = case["robots_latin1"].encode("latin-1")
            road.press.put(f"{host}/robots.txt", body, {"Content-Type": "text/plain"})
            tally.note(case["id"], await _allowed(road, host, case) == case["allowed"], case.get("why", case))
    return tally


async def _allowed(road: Road, host: str, case: dict[str, Any]) -> bool:
    where = f"http://{host}:{road.press.port}"
    target = parse_target(re.sub(r"^https?://[^/]*", where, case["url_latin1"]))

    async def ask(url: str) -> FetchResult:
        return await road.get(url.removeprefix(where), host=host, purpose=Purpose.ROBOTS)

    return (await Robots(now=lambda: NOW).check(target, case["ua"], ask)).allowed


async def caching_suite(road: Road, folder: Path) -> Tally:
    """Validators of an answer come back with the next request, byte for byte."""
    tally = Tally("HTTP caching: validators that are sent")
    for case in cases_of(folder):
        first, *rest = case["requests"]
        kinds = {"etag_validated": "if-none-match", "lm_validated": "if-modified-since"}
        wanted = next((kinds[r["expected_type"]] for r in rest if r.get("expected_type") in kinds), None)
        given = {k: _moment(v) for k, v, *_ in first.get("response_headers", ())}
        if wanted is None or case.get("kind") == "check" or any(k.lower() == "vary" for k in given):
            continue
        if first.get("response_status", [200])[0] != 200 or any("request_headers" in r for r in rest):
            continue
        headers = {k: v for k, v in given.items() if k.lower() != "content-length"}
        road.press.put(f"/{case['id']}", b"<rss><channel/></rss>", headers)
        answer = await road.get(f"/{case['id']}")
        if isinstance(answer, Fetched):
            await road.get(f"/{case['id']}", etag=answer.etag, last_modified=answer.last_modified)
        sent = road.press.asked[-1][1].get(wanted)
        source = {"if-none-match": "etag", "if-modified-since": "last-modified"}[wanted]
        said = next((v for k, v in given.items() if k.lower() == source), None)
        tally.note(case["id"], sent == said, f"sent {sent!r}, the answer had {said!r}")
    return tally


def _moment(value: object) -> str:
    """The suite writes dates as seconds from now."""
    if isinstance(value, int):
        return (NOW + timedelta(seconds=value)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return str(value)


async def json_suite(road: Road, folder: Path) -> Tally:
    """No JSON Feed among them: each is turned away in words, whatever it is."""
    tally = Tally("JSON: hostile documents turned away")
    for file in sorted((folder / "test_parsing").iterdir()):
        path = f"/json/{abs(hash(file.name))}"
        road.press.put(path, file.read_bytes(), {"Content-Type": "application/feed+json"})
        found = await road.read(path)
        kinds = {FailureKind.PARSE, FailureKind.NOT_A_FEED, FailureKind.EMPTY}
        good = isinstance(found, DiscoveryFailed | FetchFailed) and found.kind in kinds
        good = good and "cannot be read" not in found.message  # type: ignore[union-attr]
        tally.note(file.name, good, found)
    return tally


async def encoding_suite(road: Road, folder: Path) -> Tally:
    """Text of multi-byte encodings in a feed whose HTTP header names the encoding."""
    tally = Tally("encodings: multi-byte text in feeds")
    for file in sorted(folder.glob("*_in.txt")):  # noqa: ASYNC240 - nothing else runs in this loop
        label = file.name.removesuffix("_in.txt").replace("_", "-").replace("jis0208", "euc-jp")
        reference = file.with_name(file.name.replace("_in.txt", "_in_ref.txt"))
        lines = list(zip(file.read_bytes().split(b"\n"), reference.read_text("utf-8").split("\n"), strict=False))
        good = total = 0
        for chunk in range(0, len(lines), 500):
            part = [(a, b) for a, b in lines[chunk : chunk + 500] if b.strip() and "\ufffd" not in b and "<" not in b]
            part = [(a, b) for a, b in part if "&" not in b and "\x1b" not in b]
            titles = b"".join(b"<item><title>%b</title><link>http://a/</link></item>" % a for a, _ in part)
            body = b'<?xml version="1.0"?><rss version="2.0"><channel>' + titles + b"</channel></rss>"
            road.press.put(f"/{label}/{chunk}", body, {"Content-Type": f"text/xml; charset={label}"})
            found = await road.read(f"/{label}/{chunk}")
            have = [e.title or "" for e in found.entries] if isinstance(found, Discovered) else []
            total += len(part)
            good += sum(plain(b, limit=500, tags=False) == h for (_, b), h in zip(part, have, strict=False))
        tally.note(label, good == total, f"{good} of {total} lines")
    return tally


SUITES: Final[dict[str, tuple[str, Callable[[Road, Path], Awaitable[Tally]]]]] = {
    "feedparser": ("feedparser", feedparser_suite),
    "gofeed": ("gofeed", gofeed_suite),
    "w3c": ("w3c-feedvalidator", w3c_suite),
    "robots": ("robots", robots_suite),
    "caching": ("http-caching", caching_suite),
    "json": ("json", json_suite),
    "encoding": ("encoding", encoding_suite),
}


def shared() -> Path:
    """Where the suites are."""
    return Path(os.environ.get("WARTA_SHARED", ROOT.parent / "shared")) / "suites"


async def run(names: list[str]) -> list[Tally]:
    """Run the suites of these names, one after the other."""
    tallies = []
    async with road() as open_road:
        for name in names:
            folder, suite = SUITES[name]
            tallies.append(await suite(open_road, shared() / folder))
    return tallies


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; exit code 1 when a case failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.conformance", description=__doc__)
    parser.add_argument("suite", nargs="*", choices=[*SUITES, []], help="default: all")
    parser.add_argument("-v", action="store_true", help="name what did not pass")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if not shared().is_dir():
        print(f"no suites in {shared()}; WARTA_SHARED names the directory above them", file=sys.stderr)
        return 2
    tallies = asyncio.run(run(options.suite or list(SUITES)))
    for tally in tallies:
        if options.json:
            print(
                json.dumps(
                    {
                        "suite": tally.suite,
                        "cases": tally.cases,
                        "passed": tally.passed,
                        "otherwise": tally.otherwise,
                        "failed": len(tally.failed),
                    }
                )
            )
        else:
            counts = f"{tally.passed:>5} of {tally.cases:>5}, {tally.otherwise} otherwise on purpose"
            print(f"{tally.suite:<50} {counts}, {len(tally.failed)} failed")
        for failed in tally.failed if options.v else ():
            print(f"    {failed}")
    return int(any(tally.failed for tally in tallies))


if __name__ == "__main__":
    sys.exit(main())
