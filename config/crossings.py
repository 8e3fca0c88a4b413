"""Keys that contradict each other, in one document or between two.

Looked for in the plain data, apart from the validation of single values: a typo in one key does not
put off the news that two others do not fit together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from config.addresses import templates_of
from config.crossings_alerting import in_alerts
from config.errors import ConfigProblem, closest
from config.loopback import is_loopback
from config.yaml_reader import Document, Path


def in_warta(document: Document) -> Iterator[ConfigProblem]:
    """What does not fit together in warta.yaml."""
    data = _mapping(document.data)
    yield from _schedule(document, ("defaults", "schedule"), _mapping(data.get("defaults")).get("schedule"))
    for name, group in _mapping(data.get("groups")).items():
        yield from _schedule(document, ("groups", name, "schedule"), _mapping(group).get("schedule"))
    yield from _redis(document, data)
    yield from _deliver(document, _list(data.get("deliver")))
    yield from _api(document, _mapping(data.get("api")))
    yield from _monitor(document, _mapping(data.get("monitor")))
    yield from in_alerts(document, data.get("alerts"))


def in_outlet(document: Document, main: Document | None) -> Iterator[ConfigProblem]:
    """What does not fit together in an outlet's file, or between it and warta.yaml."""
    data = _mapping(document.data)
    if main is not None:
        yield from _group(document, data.get("group"), main)
    yield from _schedule(document, ("schedule",), data.get("schedule"))
    for index, source in enumerate(_list(data.get("sources"))):
        path: Path = ("sources", index)
        yield from _schedule(document, (*path, "schedule"), _mapping(source).get("schedule"))
        yield from _kind(document, path, _mapping(source))
    yield from _rules(document, _list(data.get("article")))


def _mapping(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}


def _list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else []


def _schedule(document: Document, path: Path, schedule: Any) -> Iterator[ConfigProblem]:
    said = {key for key, value in _mapping(schedule).items() if value is not None}
    if "adaptive" in said and said & {"every", "cron", "jitter", "timezone"}:
        other = min(said & {"every", "cron", "jitter", "timezone"})
        message = f"both adaptive and {other} are set"
        yield document.problem((*path, other), message, expected="adaptive alone, or without it", key=True)
    elif {"every", "cron"} <= said:
        yield document.problem((*path, "cron"), "both every and cron are set", expected="one of them", key=True)
    elif {"every", "timezone"} <= said:
        message = "an interval has no time zone"
        yield document.problem((*path, "timezone"), message, expected="timezone beside cron only", key=True)


def _kind(document: Document, path: Path, source: dict[str, Any]) -> Iterator[ConfigProblem]:
    kind, url = source.get("kind"), source.get("url")
    if kind == "listing" and source.get("listing") is None:
        message = "a listing needs to know its links"
        yield document.problem((*path, "kind"), message, expected="listing: {link: …} beside it")
    if kind in ("feed", "sitemap"):
        if source.get("listing") is not None:
            message = f"a {kind} has no listing"
            yield document.problem((*path, "listing"), message, expected="kind: listing", key=True)
        if isinstance(url, str) and "${" not in url and templates_of(url):
            message = f"a {kind} cannot have templates in its address"
            yield document.problem((*path, "url"), message, expected="a plain address, or kind: listing")
    if kind in ("feed", "listing") and source.get("sitemap_follow") is not None:
        message = f"a {kind} follows no sitemaps"
        yield document.problem((*path, "sitemap_follow"), message, expected="kind: sitemap", key=True)


def _rules(document: Document, rules: list[Any]) -> Iterator[ConfigProblem]:
    """Rules are told apart by their last day: one set has none, and no two have the same."""
    first_with: dict[str | None, int] = {}
    for index, rule in enumerate(rules):
        day = _mapping(rule).get("valid_until")
        if not isinstance(day, str | None) or not isinstance(rule, dict):
            continue
        if day in first_with:
            first = f"article[{first_with[day]}]"
            message = f"{first} is already in force" if day is None else f"{first} ends on the same day"
            expected = "valid_until on all rules but one" if day is None else "another day"
            yield document.problem(("article", index, "valid_until"), message, expected=expected)
        first_with.setdefault(day, index)


def _group(document: Document, group: Any, main: Document) -> Iterator[ConfigProblem]:
    declared = _mapping(_mapping(main.data).get("groups"))
    if not isinstance(group, str) or group in declared:
        return
    expected = f"one of {', '.join(declared)}" if declared else f"groups: in {main.file}"
    message = f"group {group[:80]!r} is not declared"
    yield document.problem(("group",), message, expected=expected, suggestion=closest(group, declared))


def _redis(document: Document, data: dict[str, Any]) -> Iterator[ConfigProblem]:
    """A Redis without a password on another machine: whoever reaches it decides what is crawled."""
    url = data.get("redis")
    if not isinstance(url, str) or "${" in url or data.get("allow_insecure_redis") is True:
        return
    try:
        parts = urlsplit(url)
        host, password = parts.hostname, parts.password
    except ValueError:
        return
    if parts.scheme in ("redis", "rediss") and host and not password and not is_loopback(host):
        message = f"Redis on {host} has no password, so anybody who reaches it rules this crawler"
        expected = "redis://:${REDIS_PASSWORD}@host, or allow_insecure_redis: true"
        yield document.problem(("redis",), message, expected=expected)


#: What belongs to which kind of consumer.
_OF_KIND = {
    "webhook": ("secret", "timeout", "concurrency", "give_up"),
    "stream": ("length", "redis"),
    "files": ("format", "every"),
}


def _deliver(document: Document, entries: list[Any]) -> Iterator[ConfigProblem]:
    names: set[str] = set()
    for index, entry in enumerate(entries):
        path: Path = ("deliver", index)
        said = {key for key, value in _mapping(entry).items() if value is not None}
        kinds = [kind for kind in _OF_KIND if kind in said]
        name = _mapping(entry).get("name")
        if len(kinds) != 1:
            message = "both " + " and ".join(kinds) if kinds else "nowhere to deliver to"
            yield document.problem(path, message, expected="one of webhook, stream or files")
            continue
        for kind, keys in _OF_KIND.items():
            for key in keys if kind != kinds[0] else ():
                if key in said:
                    yield document.problem((*path, key), f"a {kinds[0]} has no {key}", expected=kind, key=True)
        if kinds == ["webhook"] and "secret" not in said:
            message = "without a secret a webhook cannot tell our events from anybody's"
            yield document.problem((*path, "webhook"), message, expected="secret: ${NAME} beside it")
        if isinstance(name, str) and name in names:
            yield document.problem((*path, "name"), f"{name!r} is the name of another consumer", expected="another")
        elif isinstance(name, str):
            names.add(name)


def _api(document: Document, api: dict[str, Any]) -> Iterator[ConfigProblem]:
    """Articles are for whoever may read them: without a token only this machine."""
    listen = api.get("listen")
    if not isinstance(listen, str) or api.get("tokens"):
        return
    host = listen.rpartition(":")[0].strip("[]")
    if host and not is_loopback(host):
        message = f"an API on {host} without a token is open to everybody"
        yield document.problem(("api", "listen"), message, expected="tokens: [${NAME}] beside it, or 127.0.0.1")


def _monitor(document: Document, monitor: dict[str, Any]) -> Iterator[ConfigProblem]:
    """Whoever reaches the pages can pause sources: without a password only this machine."""
    listen = monitor.get("listen")
    if not isinstance(listen, str) or listen == "off" or monitor.get("password"):
        return
    host = listen.rpartition(":")[0].strip("[]")
    if host and not is_loopback(host):
        message = f"a monitor on {host} without a password is open to everybody"
        yield document.problem(("monitor", "listen"), message, expected="password: ${NAME} beside it, or 127.0.0.1")
