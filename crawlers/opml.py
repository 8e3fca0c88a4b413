"""Subscription lists of feed readers (OPML, and what else listparser reads) as outlets for the configuration.

A list names feeds; an outlet is who publishes them. Feeds of one registrable domain become the sources of one outlet.
What a list does not say (time zone, language, rules for pages) is left to the defaults.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import listparser
import yaml
from pydantic import TypeAdapter, ValidationError

from config.addresses import HomeUrl
from crawlers.plain import plain
from storage.domains import registrable

#: Bytes of a list, and feeds in it, that are read.
MAX_BYTES = 16 * 2**20
MAX_FEEDS = 50_000
#: Characters of a name that is made of a title.
_NAME = 40
_SCHEME = re.compile(r"feed:(?://)?(?=https?://)|feed://", re.IGNORECASE)
#: An address as it stands: what looks like a template belongs to listings.
_URL = TypeAdapter(HomeUrl)


class ListError(ValueError):
    """The file is no subscription list."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One feed of a list."""

    title: str
    url: str
    #: The folder that it is in, outermost first.
    folder: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """A feed that is not taken over, and why."""

    subscription: Subscription
    why: str


@dataclass(slots=True)
class NewOutlet:
    """An outlet to be written."""

    id: str
    domain: str
    sources: dict[str, Subscription] = field(default_factory=dict)

    def as_yaml(self, origin: str) -> str:
        """Its file."""
        first = next(iter(self.sources.values()))
        parts = urlsplit(first.url)
        folders = sorted({" / ".join(s.folder) for s in self.sources.values() if s.folder})
        document: dict[str, Any] = {"name": self.domain, "homepage": f"{parts.scheme}://{parts.netloc}"}
        if folders:
            document["notes"] = "In " + "; ".join(folders)[:1_000]
        document["sources"] = [
            {"name": name, "kind": "feed", "url": subscription.url} for name, subscription in self.sources.items()
        ]
        said = f"# From {origin}. Say its timezone and language, too; docs/add-an-outlet.md tells what else.\n"
        return said + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def subscriptions(raw: bytes) -> list[Subscription]:
    """The feeds of a list in its order, each once. Raises ListError for what is none, or lists nothing."""
    if len(raw) > MAX_BYTES:
        raise ListError(f"larger than {MAX_BYTES // 2**20} MiB")
    try:
        found = listparser.parse(raw)
    except Exception as error:  # a parser over somebody's bytes
        raise ListError(f"cannot be read: {type(error).__name__}: {error}") from error
    feeds = [
        Subscription(_line(feed.get("title")), _SCHEME.sub(_web, feed["url"].strip()), _folder(feed))
        for feed in found["feeds"][:MAX_FEEDS]
    ]
    if not feeds:
        raise ListError("no feed is listed" if found["version"] else "no subscription list (OPML)")
    return list({feed.url: feed for feed in reversed(feeds)}.values())[::-1]


def _web(match: re.Match[str]) -> str:
    """``feed:https://…`` is that address, ``feed://…`` one of http."""
    return "http://" if match[0].lower() == "feed://" else ""


def _folder(feed: Any) -> tuple[str, ...]:
    categories = feed.get("categories") or [[]]
    return tuple(text for part in categories[0] if (text := _line(part)))


def outlets(
    feeds: Iterable[Subscription], *, known: Collection[str], taken: Collection[str]
) -> tuple[list[NewOutlet], list[Left]]:
    """Outlets out of feeds, and what is left.

    `known` addresses are configured already, `taken` ids are those of other outlets.
    """
    made: dict[str, NewOutlet] = {}
    left: list[Left] = []
    ids = set(taken)
    for feed in feeds:
        if feed.url in known:
            left.append(Left(feed, "already configured"))
            continue
        try:
            _URL.validate_python(feed.url)
        except ValidationError as error:
            left.append(Left(feed, error.errors()[0]["msg"]))
            continue
        domain = registrable(urlsplit(feed.url).hostname or "")
        outlet = made.get(domain)
        if outlet is None:
            outlet = made[domain] = NewOutlet(_free(_word(domain.partition(".")[0], "outlet"), domain, ids), domain)
            ids.add(outlet.id)
        outlet.sources[_name(feed, outlet.sources)] = feed
    return list(made.values()), left


def _free(short: str, domain: str, ids: Collection[str]) -> str:
    """The short id, else the one of the whole domain, else a numbered one."""
    wanted = [short, _word(domain, "outlet"), *(f"{short}-{n}" for n in range(2, MAX_FEEDS))]
    return next(one for one in wanted if one not in ids)


def _name(feed: Subscription, names: Collection[str]) -> str:
    """A name of its title, else of its path, that no other source of the outlet has."""
    path = [part for part in urlsplit(feed.url).path.split("/") if part]
    name = _word(feed.title, "") or _word(path[-1] if path else "", "feed")
    return next(one for one in (name, *(f"{name}-{n}" for n in range(2, MAX_FEEDS))) if one not in names)


def _word(text: str, otherwise: str) -> str:
    """Text as a name: letters without their marks, digits and hyphens."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:_NAME].strip("-") or otherwise


def _line(text: str | None) -> str:
    return plain(text or "", limit=300, tags=False) or ""
