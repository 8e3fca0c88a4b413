"""What is in force and what this is: the configuration with its origins, versions, limits and manners."""

from __future__ import annotations

import asyncio
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from config.errors import ConfigError
from config.load import explain, load
from config.model import Settings
from monitor.web import show
from monitor.web.face import page, site_of
from monitor.web.pages.source import masked
from monitor.web.reload import Difference, differences
from storage.redis import masked as masked_address

PAGE = 100
PARTS = ("warta", "scrapy", "apscheduler", "feedparser", "redis", "dramatiq", "sqlalchemy", "starlette", "textual")


async def config(request: Request) -> Response:
    """``/config?q=TEXT&page=N``."""
    site = site_of(request)
    now, settings = site.now(), site.settings()
    words = request.query_params.get("q", "")[:200].strip().casefold()
    asked = request.query_params.get("page", "1")
    number = max(1, int(asked)) if asked.isdecimal() and len(asked) < 6 else 1
    problems: list[str] = []
    pending: list[Difference] = []
    values: list[tuple[str, str, str]] = []
    try:
        found = await site.remembered("config", 20.0, lambda: asyncio.to_thread(explain, settings.path, os.environ))
        values = [(key, masked(settings, show.value(value)), origin) for key, (value, origin) in found.items()]
        on_disk = await site.remembered("files", 20.0, lambda: asyncio.to_thread(load, settings.path, os.environ))
        pending = [_masked(settings, on_disk, found) for found in differences(settings, on_disk)]
    except ConfigError as error:
        problems = [masked(settings, str(problem)) for problem in error.problems]
    refused = (await site.storage.facts.get("configuration refused") or {}).get("problems", [])
    fitting = [row for row in values if all(word in " ".join(row).casefold() for word in words.split())]
    return page(
        request, "config.html", now, words=words, problems=problems or refused, path_of_file=settings.path,
        rows=fitting[(number - 1) * PAGE : number * PAGE], total=len(fitting), number=number,
        pages=max(1, -(-len(fitting) // PAGE)), main=_main(settings),
        pending=pending[:PAGE], pending_total=len(pending),
    )  # fmt: skip


def _masked(running: Settings, files: Settings, found: Difference) -> Difference:
    """Secrets of both readings are masked; a changed one shows as such."""
    if found.running is None or found.files is None:
        return found
    before, after = (masked(files, masked(running, text)) for text in (found.running, found.files))
    return Difference(found.key, before, after if after != before else "*** (another)")


def _main(settings: Settings) -> list[tuple[str, str]]:
    """The keys of warta.yaml as they are in force; nothing that opens a door."""
    names = (
        "data_dir", "worker_concurrency", "parse_processes", "reactor", "shutdown_grace", "seen_ttl", "log_level",
        "allow_networks", "resolve",
    )  # fmt: skip
    values: list[tuple[str, Any]] = [(name, getattr(settings, name)) for name in names]
    values.insert(1, ("redis", settings.redis if settings.redis == "embedded" else masked_address(settings.redis)))
    place = settings.database
    values.insert(2, ("database", place if place == "embedded" else masked_address(place)))
    return [(name, masked(settings, show.value(value))) for name, value in values]


async def about(request: Request) -> Response:
    """``/about``."""
    site = site_of(request)
    settings = site.settings()
    health = await site.storage.database.health()
    limits = settings.limits
    return page(
        request, "about.html", site.now(), versions=[(name, _version(name)) for name in PARTS],
        python=platform.python_version(), health=health, politeness=settings.politeness,
        limits=[(name.replace("_", " "), _limit(name, getattr(limits, name))) for name in limits.__dataclass_fields__],
        ignoring=[s.id for o in settings.outlets for s in o.sources if s.politeness.robots == "ignore"][:50],
    )  # fmt: skip


def _limit(name: str, value: Any) -> str:
    if name.endswith("_bytes"):
        return show.size(value)
    return f"{value:g} s" if name.endswith("_seconds") else show.value(value)


async def deliveries(request: Request) -> Response:
    """``/deliveries``: how far each consumer is, and what could not be delivered."""
    site = site_of(request)
    now = site.now()
    lags = await site.storage.deliveries.lag(now)
    dead = await site.storage.deliveries.pending(status="dead", limit=50)
    return page(request, "deliveries.html", now, lags=lags, dead=dead)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"
