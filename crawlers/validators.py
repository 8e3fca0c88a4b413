"""Which validators a poll sends, and whether they are still believed. Pure.

A 304 says that nothing is new, and a server or a cache in front of it may be wrong about that for months. So
now and then a poll goes without validators; when it brings news although the same validators still get a 304,
that 304 hid articles, and the validators are not sent any more::

    trusted --n 304s--> audit --same or no news------------> trusted, and the next audit comes later
                              --news, and a 304 beside it--> distrusted for a month, then audited early
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage.model import SourceState

#: 304s taken on trust before the first audit; each audit that is passed doubles it.
FIRST_AUDIT = 4
LAST_AUDIT = 256

#: Time after which validators that were contradicted get another chance: servers are repaired.
DISTRUST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Sent:
    """The validators that a request carries, byte for byte as they were received (RFC 9110 section 13.1)."""

    etag: str | None = None
    last_modified: str | None = None
    #: Whether they were left out on purpose, to see what a 304 would have hidden.
    audit: bool = False


def to_send(state: SourceState, now: datetime) -> Sent:
    """Both validators, or none for an audit, or while they are distrusted."""
    if state.etag is None and state.last_modified is None:
        return Sent()
    if state.distrusted_at is not None and now < state.distrusted_at + DISTRUST:
        return Sent()
    if state.unaudited >= audit_after(state.audits):
        return Sent(audit=True)
    return Sent(state.etag, state.last_modified)


def audit_after(audits: int) -> int:
    """The number of 304s taken on trust after so many audits that were passed in a row."""
    return min(FIRST_AUDIT << min(audits, 20), LAST_AUDIT)


def taken_on_trust(state: SourceState, etag: str | None) -> dict[str, Any]:
    """The state after one more 304; one that names another ETag than ours speaks of a body we never had."""
    if etag is not None and state.etag is not None and _opaque(etag) != _opaque(state.etag):
        return {"unaudited": LAST_AUDIT}
    return {"unaudited": state.unaudited + 1}


def _opaque(etag: str) -> str:
    """The tag for weak comparison (RFC 9110 section 8.8.3.2)."""
    return etag.strip().removeprefix("W/")


def passed(state: SourceState) -> dict[str, Any]:
    """The state after an audit that agrees with the 304s before it."""
    return {"unaudited": 0, "audits": state.audits + 1, "distrusted_at": None}


def contradicted(now: datetime) -> dict[str, Any]:
    """The state after an audit that found news which a 304 denied; the next chance is audited at once."""
    return {"unaudited": FIRST_AUDIT, "audits": 0, "distrusted_at": now}


#: What a document ends with that came whole.
_END = re.compile(rb"</(?:[a-z0-9_]+:)?(?:rss|feed|rdf|channel|urlset|sitemapindex)\s*>", re.IGNORECASE)

#: Problems of a document that may have been cut off.
_TORN = frozenset({"not_well_formed", "repaired"})


def is_whole(body: bytes, problems: Collection[str]) -> bool:
    """Whether the answer's validators may be kept: under those of a torn document the rest would never come.

    `problems` are the codes of what its reader had to forgive.
    """
    if "items_lost" in problems:
        return False
    return _TORN.isdisjoint(problems) or _END.search(body[-2048:]) is not None
