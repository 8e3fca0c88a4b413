"""`warta fetch URL`: one address through the whole pipeline, with nothing stored unless asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Any

import typer

from config.model import Outlet, RobotsPolicy, Settings, Source
from crawlers.address import UnfetchableUrlError, parse_target
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
    Normalized,
    Purpose,
    Rejected,
)
from crawlers.pages import Fetch
from crawlers.pool import ParsePool
from crawlers.robots import Robots
from crawlers.single import Place, Single, place_of, read_single
from scheduler.cli.context import (
    ConfigOption,
    DataOption,
    Exit,
    JsonOption,
    fail,
    finish,
    settings_from,
    utc_now,
)  # fmt: skip
from scheduler.cli.dryrun import SoloBudget
from scheduler.cli.output import Output, local
from scheduler.logs import Mask, configure
from scheduler.once import store_here
from scheduler.places import log_file
from storage.export import content_of
from storage.model import CrawlRun, Fate, FateKind, RunStatus

#: Fates of items that were to be stored and were not.
UNDONE = frozenset({FateKind.FAILED, FateKind.PENDING})


class As(StrEnum):
    """What an address is read as."""

    FEED = "feed"
    SITEMAP = "sitemap"
    LISTING = "listing"
    ARTICLE = "article"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Daemon")(fetch)


def fetch(
    urls: Annotated[list[str], typer.Argument(metavar="URL...", help="Addresses to fetch, one after the other.")],
    kind: Annotated[
        As | None, typer.Option("--as", help="What it is; by default what is configured there, else what it shows.")
    ] = None,
    outlet: Annotated[
        str | None, typer.Option(help="Outlet whose rules apply; by default the one whose host it is.")
    ] = None,
    store: Annotated[
        bool, typer.Option("--store", help="Store what it gives, entries with their pages, as a crawl does.")
    ] = False,
    ignore_robots: Annotated[bool, typer.Option("--ignore-robots", help="Do not ask robots.txt.")] = False,
    allow_network: Annotated[
        list[str] | None,
        typer.Option(metavar="NETWORK", help="A private network that may be reached this once: 127.0.0.0/8."),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Fetch addresses and show what warta makes of them: entries of a feed, or the article of a page.

    The same fences, manners and readers as in the daemon. Exit code 1 when one of them gave nothing.
    """
    settings = _widened(settings_from(config, data), allow_network or (), urls)
    places = [_place(url, settings, kind, outlet, ignore_robots=ignore_robots) for url in urls]
    out = Output(json=json)

    if store and any(place.purpose is None for place in places):
        fail(Exit.USAGE, "--store needs --as feed, sitemap, listing or article for an address that is not configured")

    async def look() -> bool:
        well = True
        async with _reader(settings) as (ask, pool):
            for place in places:
                found = await read_single(place, settings, fetch=ask, pool=pool, now=utc_now)
                well = found.ok and well
                if json:
                    out.record(record(found))
                else:
                    show(found, out)
        return well

    async def keep() -> bool:
        well = True
        configure(path=log_file(settings), level=settings.log_level, mask=Mask(settings.secrets), console=None)
        async for run, fates in store_here(settings, places, now=utc_now):
            well = run.status is not RunStatus.FAILED and not any(f.kind in UNDONE for f in fates) and well
            _tell(run, fates, out)
        return well

    raise typer.Exit(Exit.OK if finish(keep() if store else look()) else Exit.FOUND)


def _widened(settings: Settings, networks: Sequence[str], urls: Sequence[str]) -> Settings:
    """The settings with `networks` allowed; with them the ports that were typed are, too."""
    if not networks:
        return settings
    try:
        allowed = tuple(ip_network(text) for text in networks)
    except ValueError as error:
        fail(Exit.USAGE, f"--allow-network: {error}; write it as 127.0.0.0/8 or ::1/128")
    ports = {port for port in map(_port, urls) if port is not None}
    limits = dataclasses.replace(settings.limits, ports=settings.limits.ports | ports)
    return dataclasses.replace(settings, allow_networks=(*settings.allow_networks, *allowed), limits=limits)


def _port(url: str) -> int | None:
    try:
        return parse_target(url).port
    except UnfetchableUrlError:
        return None


def _place(url: str, settings: Settings, kind: As | None, outlet: str | None, *, ignore_robots: bool) -> Place:
    purpose = None if kind is None else Purpose(kind.value)
    place = place_of(url, settings, purpose=purpose, outlet_id=outlet)
    if place is None:
        fail(Exit.NOT_FOUND, f"no outlet {outlet!r} in {settings.path}; `warta outlets` lists them")
    if not ignore_robots:
        return place
    politeness = dataclasses.replace(place.source.politeness, robots=RobotsPolicy.IGNORE)
    return dataclasses.replace(
        place,
        source=dataclasses.replace(place.source, politeness=politeness),
        outlet=dataclasses.replace(place.outlet, politeness=politeness),
    )


@asynccontextmanager
async def _reader(settings: Settings) -> AsyncIterator[tuple[Fetch, ParsePool]]:
    """An engine and one parsing child for the length of the block."""
    fetcher = Fetcher(settings, SoloBudget(), Robots(now=utc_now), utc_now)
    limits = settings.limits
    pool = ParsePool(
        processes=1, memory_bytes=limits.parse_bytes, seconds=limits.parse_seconds,
        preload=("crawlers.discover", "crawlers.page"),
    )  # fmt: skip

    async def ask(request: FetchRequest, source: Source | Outlet) -> FetchResult:
        return await fetcher.fetch(request, source.politeness)

    await fetcher.start()
    try:
        yield ask, pool
    finally:
        await fetcher.stop()
        await pool.stop()


# -- what came of it ----------------------------------------------------------------------------


def record(found: Single) -> dict[str, Any]:
    """What one address gave, as JSON types; docs/cli.md describes it."""
    place, result = found.place, found.result
    said: dict[str, Any] = {
        "url": place.url,
        "final_url": result.final_url or place.url,
        "as": found.purpose.value,
        "outlet": place.outlet.id if place.configured else None,
        "source": place.source.id if place.source in place.outlet.sources else None,
        "robots": place.source.politeness.robots.value,
        **_exchange(result),
    }
    if isinstance(result, FetchFailed):
        return {**said, "failure": result.kind, "message": result.message}
    if isinstance(found.discovered, DiscoveryFailed):
        return {**said, "failure": found.discovered.kind, "message": found.discovered.message}
    if isinstance(found.discovered, Discovered):
        return {**said, **_announced(found.discovered)}
    if isinstance(found.read, Rejected):
        return {**said, "rejected": {"rule": found.read.rule, "detail": found.read.detail}}
    if isinstance(found.read, Normalized):
        return {**said, "article": content_of(found.read.article), "aliases": found.read.aliases}
    return {**said, "failure": "protocol", "message": "304 to a request without validators"}


def _exchange(result: FetchResult) -> dict[str, Any]:
    whole = result if isinstance(result, Fetched) else None
    return {
        "status": getattr(result, "status", 304),
        "content_type": whole.content_type if whole else None,
        "etag": whole.etag if whole else None,
        "last_modified": whole.last_modified if whole else None,
        "redirects": result.redirects,
        "bytes": len(whole.body) if whole else 0,
        "wire_bytes": result.wire_bytes,
        "seconds": round(result.elapsed, 3),
    }


def _announced(found: Discovered) -> dict[str, Any]:
    entries: list[FeedEntry] = list(found.entries)
    for at, entry in found.unlinked:
        entries.insert(at, entry)
    return {
        "format": found.format,
        "title": found.title,
        "entries": [_entry(entry) for entry in entries],
        "children": found.children,
        "follow": found.follow,
        "min_interval": found.min_interval,
        "problems": found.problems,
    }


def _entry(entry: FeedEntry) -> dict[str, Any]:
    fields = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
    return {**fields, "url": entry.url or None}


def show(found: Single, out: Output) -> None:
    """The same for a person."""
    said = record(found)
    owner = said["outlet"] or "no configured outlet"
    out.line(f"{said['url']}", style="bold")
    out.line(f"  {said['as']} of {owner}, robots.txt: {said['robots']}", style="dim")
    if said["final_url"] != said["url"]:
        out.line(f"  leads to {said['final_url']}", style="dim")
    if "failure" in said:
        out.line(f"  failed   {said['failure']}: {said['message']}", style="red")
        if said["failure"] == FailureKind.FORBIDDEN_ADDRESS:
            out.line("           --allow-network NETWORK permits a private network this once", style="dim")
    elif isinstance(found.discovered, Discovered):
        _show_entries(found.discovered, out)
    elif isinstance(found.read, Rejected):
        out.line(f"  rejected {found.read.rule}: {found.read.detail}", style="yellow")
    elif isinstance(found.read, Normalized):
        article = found.read.article
        out.line(f"  {article.title}")
        out.line(f"  {local(article.published)}  {', '.join(article.authors)}  {article.word_count} words", style="dim")
        out.line(f"  {article.text[:300]}…", style="dim")


def _show_entries(found: Discovered, out: Output) -> None:
    out.line(f"  {found.format}: {found.title or 'without a title'}")
    for entry in found.entries:
        out.line(f"  {local(entry.published)[:16]:<16}  {entry.title or ''}")
        out.line(f"  {'':<16}  {entry.url}", style="dim")
    if found.unlinked:
        out.line(f"  {len(found.unlinked)} without an address", style="yellow")
    for child in found.children:
        out.line(f"  child    {child.url}")
    for problem in found.problems:
        out.line(f"  problem  {problem.code}: {problem.message}", style="yellow")


def _tell(run: CrawlRun, fates: Sequence[Fate], out: Output) -> None:
    if out.json:
        out.record({"run": run, "fates": fates})
        return
    out.line(f"run {run.id}: {run.status} {run.reason or ''} {run.message or ''}".rstrip())
    for fate in fates:
        out.line(f"  {fate.kind:>10}  {fate.url}" + (f"  ({fate.rule})" if fate.rule else ""))
