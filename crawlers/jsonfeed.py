"""JSON Feed 1.0 and 1.1 (jsonfeed.org) into :class:`~crawlers.model.FeedEntry`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any, Final

from config.model import Limits
from crawlers.dates import read_date
from crawlers.feed import MAX_GUID, MAX_LINKS, MAX_WORDS, judge, read_each
from crawlers.identity import absolute
from crawlers.model import Discovered, DiscoveryFailed, FailureKind, FeedEntry, Problem
from crawlers.plain import MAX_SUMMARY, MAX_TITLE, first_image, plain, verbatim

_VERSION: Final = "jsonfeed.org/version/"


def read_jsonfeed(
    text: str, *, url: str, now: datetime, timezone: tzinfo, limits: Limits
) -> Discovered | DiscoveryFailed:
    """What the JSON document `text`, fetched from `url`, announces."""
    try:
        document = json.loads(text, parse_int=_short_int)
    except (ValueError, RecursionError) as error:
        return DiscoveryFailed(kind=FailureKind.PARSE, message=f"{url} is not JSON: {str(error)[:200]}")
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        return DiscoveryFailed(kind=FailureKind.NOT_A_FEED, message=f"{url} answers JSON that is no JSON Feed.")
    items = document["items"]
    problems = []
    if _VERSION not in str(document.get("version")):
        problems.append(Problem(code="no_version", message="The document does not call itself a JSON Feed."))
    if len(items) > limits.items:
        message = f"the newest {limits.items} items were read; {len(items) - limits.items} more were left out"
        problems.append(Problem(code="too_many_items", message=message))
        items = items[: limits.items]
    language = verbatim(document.get("language"), 35)
    base = absolute(verbatim(document.get("feed_url"), 4096) or url, url) or url
    read = read_each(items, lambda item: _entry(item, base, now, timezone, language))
    problems += judge(read, len(items))
    return Discovered(
        entries=read.entries,
        unlinked=read.unlinked,
        format="jsonfeed",
        problems=tuple(problems),
        title=plain(verbatim(document.get("title"), 5_000) or "", limit=MAX_TITLE),
        follow=(following,) if (following := absolute(verbatim(document.get("next_url"), 4096) or "", url)) else (),
        hubs=_hubs(document.get("hubs"), url),
        self_url=absolute(verbatim(document.get("feed_url"), 4096) or "", url),
    )


def _hubs(listed: Any, url: str) -> tuple[str, ...]:
    """Addresses of the hubs that speak WebSub (JSON Feed 1.1, ``hubs``)."""
    named = [hub for hub in listed[:MAX_LINKS] if isinstance(hub, dict)] if isinstance(listed, list) else []
    spoken = [hub for hub in named if str(hub.get("type")).lower() == "websub"]
    found = [absolute(verbatim(hub.get("url"), 4096) or "", url) for hub in spoken]
    return tuple(hub for hub in found if hub)


def _short_int(digits: str) -> int | float:
    """Numbers are not needed; one of a million digits must not be computed."""
    return int(digits) if len(digits) <= 20 else float("inf")


def _entry(item: Any, base: str, now: datetime, timezone: tzinfo, language: str | None) -> FeedEntry | None:
    if not isinstance(item, dict):
        return None
    guid = _identifier(item.get("id"))
    url = next(
        (
            found
            for value in (item.get("url"), item.get("external_url"), guid if guid and "://" in guid else None)
            if isinstance(value, str) and (found := absolute(value, base))
        ),
        None,
    )
    markup = verbatim(item.get("content_html"), 50_000) or ""
    summary = verbatim(item.get("summary"), 50_000) or verbatim(item.get("content_text"), 50_000)
    image = verbatim(item.get("image"), 4096) or verbatim(item.get("banner_image"), 4096) or first_image(markup)
    return FeedEntry(
        url=url or "",
        guid=guid,
        title=plain(verbatim(item.get("title"), 5_000) or "", limit=MAX_TITLE, tags=False),
        published=_date(item.get("date_published"), timezone, now),
        updated=_date(item.get("date_modified"), timezone, now),
        summary=plain(summary, limit=MAX_SUMMARY, tags=False) if summary else plain(markup, limit=MAX_SUMMARY),
        authors=_authors(item),
        tags=_words(item.get("tags")),
        image=absolute(image, base) if image else None,
        language=verbatim(item.get("language"), 35) or language,
    )


def _identifier(value: object) -> str | None:
    """Version 1.1 asks to take numbers for strings."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return verbatim(value, MAX_GUID)


def _date(value: object, timezone: tzinfo, now: datetime) -> datetime | None:
    return read_date(value, timezone=timezone, now=now) if isinstance(value, str) else None


def _authors(item: dict[str, Any]) -> tuple[str, ...]:
    people = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    return _words(person.get("name") for person in people or () if isinstance(person, dict))


def _words(values: object) -> tuple[str, ...]:
    if not isinstance(values, Iterable) or isinstance(values, str | dict):
        return ()
    found = (plain(v, limit=200) for v in values if isinstance(v, str))
    return tuple(dict.fromkeys(text for text in found if text))[:MAX_WORDS]
