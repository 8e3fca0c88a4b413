"""What was served in place of a source, kept small with the run that saw it."""

from __future__ import annotations

import re
from typing import Any

from crawlers.decode import to_text
from crawlers.plain import plain

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
