"""WebSub as a feed speaks of it: which hubs push its changes, under what name, and whether one kept its word. Pure.

W3C Recommendation https://www.w3.org/TR/websub/, section 4: links of the HTTP header come before those of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawlers.address import UnfetchableUrlError, parse_target
from crawlers.model import Discovered, Fetched
from crawlers.whereabouts import target
from storage.hubs import HubSubscription

#: Longest address that is remembered, and hubs of one feed.
MAX_URL = 2_000
MAX_HUBS = 5

#: News that a poll finds so soon after it was published may still be on its way from the hub.
GRACE = timedelta(minutes=10)

#: One link of RFC 8288; what follows the address, up to the next one.
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offer:
    """Where changes can be subscribed to; no hubs: nowhere."""

    hubs: tuple[str, ...]
    topic: str


def offer(answer: Fetched, found: Discovered) -> Offer:
    """What a whole answer of a feed offers."""
    linked = links((value for name, value in answer.headers if name == "link"), answer.final_url)
    hubs = linked.get("hub") or found.hubs
    named = next(iter(linked.get("self", ())), None) or found.self_url
    # Without a name of its own a feed goes by the address that it was asked for, or has moved to for good.
    topic = named or target(answer.redirects) or answer.url
    if len(topic) > MAX_URL:
        return Offer((), answer.url)
    return Offer(tuple(dict.fromkeys(hub for hub in hubs if len(hub) <= MAX_URL))[:MAX_HUBS], topic)


def links(values: Iterable[str], base: str) -> dict[str, tuple[str, ...]]:
    """Absolute http addresses of Link headers by relation (RFC 8288)."""
    found: dict[str, tuple[str, ...]] = {}
    for value in values:
        for link in _LINK.finditer(value):
            rel = _REL.search(link[2])
            try:
                url = parse_target(link[1].strip(), base=base).href
            except UnfetchableUrlError:
                continue
            for name in (rel[1] or rel[2] or "").lower().split() if rel else ():
                found[name] = (*found.get(name, ()), url)
    return found


def withheld(subscription: HubSubscription | None, news: Sequence[datetime | None], now: datetime) -> int:
    """How many of the news that a poll found, by their times, a hub that is relied upon should have pushed."""
    if subscription is None or subscription.verified_at is None or not subscription.is_proven(now):
        return 0
    first = subscription.verified_at
    return sum(published is None or first < published < now - GRACE for published in news)
