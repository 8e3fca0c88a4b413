"""What is kept with a run of what it was answered, small: what stood in the source's place, validators, redirects."""

from __future__ import annotations

import re
from typing import Any

from crawlers.decode import to_text
from crawlers.model import Fetched, FetchFailed, FetchResult, NotModified
from crawlers.plain import plain
from crawlers.validators import Sent

#: Bytes that are looked at, and characters of each part that are kept.
_LOOKED_AT = 16_384
_KEPT = 300
_TITLE = re.compile(r"<title[^<>]*>([^<]{0,500})", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def evidence_of(body: bytes, content_type: str | None) -> dict[str, Any] | None:
    """Title, type and first characters of the answer; None for one without a byte."""
    if not body:
        return None
    head = to_text(body[:_LOOKED_AT], content_type)
    title = _TITLE.search(head)
    found = {
        "title": plain(title[1], limit=_KEPT) if title else None,
        "type": content_type[:100] if content_type else None,
        "start": _CONTROL.sub(" ", head).strip()[:_KEPT],
    }
    return {name: value for name, value in found.items() if value}


def exchange_of(sent: Sent, result: FetchResult) -> dict[str, Any] | None:
    """Validators and redirects of one request for a source, None when there were none.

    ``sent`` and ``given`` are objects of ``etag`` and ``last_modified``; ``given`` is left out where an answer names no
    others than were sent, and is empty where a body came without any. ``audit`` is true when validators were left out
    on purpose. ``redirects`` are pairs of status and address.
    """
    kept: dict[str, Any] = {}
    if sent.audit:
        kept["audit"] = True
    asked = _named(sent)
    if asked:
        kept["sent"] = asked
    if not isinstance(result, FetchFailed):
        given = _named(result)
        if (given.items() - asked.items()) or (asked and not given and isinstance(result, Fetched)):
            kept["given"] = given
    if result.redirects:
        kept["redirects"] = [[hop.status, _line(hop.url)] for hop in result.redirects]
    return kept or None


def _named(holder: Sent | Fetched | NotModified) -> dict[str, str]:
    found = {"etag": holder.etag, "last_modified": holder.last_modified}
    return {name: _line(value) for name, value in found.items() if value is not None}


def _line(text: str) -> str:
    """As much of it as is kept, fit for any database and for one line of a screen."""
    return _CONTROL.sub(" ", text[:_KEPT]).encode("utf-8", "replace").decode("utf-8")
