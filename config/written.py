"""A source as it stands after inheritance, written as the YAML that it could be read from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import yaml

from config.model import Adaptive, Cron, Every, Expectation, Listing, Schedule, SelectorKind, Selectors, Source

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def as_yaml(source: Source) -> str:
    """Everything that is in force, whether it was said or is a default. Values of headers are replaced by ``***``."""
    document: dict[str, Any] = {
        "name": source.name, "kind": str(source.kind), "url": source.url, "enabled": source.enabled,
        "priority": source.priority, "schedule": _schedule(source.schedule),
    }  # fmt: skip
    manners = source.politeness
    document["politeness"] = {
        "user_agent": manners.user_agent, "robots": str(manners.robots),
        "delay": _length(manners.delay), "concurrency": manners.concurrency,
        "domain_delay": _length(manners.domain_delay), "domain_concurrency": manners.domain_concurrency,
        "outlet_delay": _length(manners.outlet_delay), "outlet_concurrency": manners.outlet_concurrency,
    }  # fmt: skip
    if expect := _expectation(source.expect):
        document["expect"] = expect
    if source.headers:
        document["headers"] = {name: "***" for name, _ in source.headers}
    if source.section is not None:
        document["section"] = source.section
    if source.listing is not None:
        document["listing"] = _listing(source.listing)
    if source.sitemap_follow is not None:
        document["sitemap_follow"] = source.sitemap_follow
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _schedule(schedule: Schedule) -> dict[str, Any]:
    match schedule:
        case Adaptive(floor=floor, ceiling=ceiling):
            return {"adaptive": {"floor": _length(floor), "ceiling": _length(ceiling)}}
        case Every(interval=interval, jitter=jitter):
            return {"every": _length(interval), "jitter": f"{100 * jitter:g}%"}
        case Cron(expression=expression, timezone=timezone, jitter=jitter):
            written = {"cron": expression, "timezone": timezone.key}
            return written if jitter is None else written | {"jitter": _length(jitter)}


def _expectation(expect: Expectation) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if expect.at_least is not None:
        number, unit = (expect.at_least, "day") if expect.at_least >= 1 else (7 * expect.at_least, "week")
        found["at_least"] = f"{round(number, 3):g}/{unit}"
    if expect.max_silence is not None:
        found["max_silence"] = _length(expect.max_silence)
    if expect.quiet_hours:
        found["quiet_hours"] = [f"{first}-{last + 1}" for first, last in _stretches(sorted(expect.quiet_hours))]
    return found


def _stretches(hours: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of each run of hours that follow one another."""
    found: list[tuple[int, int]] = []
    for hour in hours:
        if found and found[-1][1] == hour - 1:
            found[-1] = (found[-1][0], hour)
        else:
            found.append((hour, hour))
    return found


def _listing(listing: Listing) -> dict[str, Any]:
    selectors = {name: _selectors(getattr(listing, name)) for name in ("item", "link", "title", "date", "next")}
    counts = {"pages": listing.pages, "first": listing.first, "step": listing.step}
    return {name: value for name, value in selectors.items() if value} | counts


def _selectors(selectors: Selectors) -> list[Any]:
    return [s.expression if s.kind is SelectorKind.CSS else {"xpath": s.expression} for s in selectors]


def _length(length: timedelta) -> str:
    """As the configuration reads it: ``1h30m``."""
    left = length // timedelta(milliseconds=1)
    parts = []
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"
