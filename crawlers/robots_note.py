"""What workers tell each other of a robots.txt: rules, until when they hold, why it could not be read. Pure; JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crawlers.model import FailureKind, FetchFailed
from crawlers.robots_rules import Rule, Rules

_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The state of one robots.txt for one product token."""

    #: None: never read.
    rules: Rules | None
    read_at: datetime | None
    #: When to ask again.
    until: datetime
    #: Why the last attempt failed; None when it did not.
    failure: FetchFailed | None = None
    #: How many such failures there were in a row, the network's not counted.
    errors: int = 0


def to_json(note: Note) -> bytes:
    """The note as it is shared."""
    rules, failure = note.rules, note.failure
    told = {
        "version": _VERSION,
        "rules": None if rules is None else [[rule.allow, rule.pattern, rule.text] for rule in rules.rules],
        "delay": None if rules is None else rules.delay,
        "read_at": None if note.read_at is None else note.read_at.isoformat(),
        "until": note.until.isoformat(),
        "errors": note.errors,
        "failure": None if failure is None else {
            "url": failure.url, "kind": str(failure.kind), "message": failure.message, "status": failure.status,
            "retry_after": None if failure.retry_after is None else failure.retry_after.total_seconds(),
            "fetched_at": failure.fetched_at.isoformat(),
        },
    }  # fmt: skip
    return json.dumps(told, separators=(",", ":")).encode()


def from_json(text: bytes) -> Note | None:
    """The note back; None for anything that is none."""
    try:
        told = json.loads(text)
        if told["version"] != _VERSION:
            return None
        rules = None if told["rules"] is None else Rules(
            rules=tuple(Rule(allow=allow is True, pattern=str(pattern), text=str(as_written))
                        for allow, pattern, as_written in told["rules"]),
            delay=None if told["delay"] is None else float(told["delay"]),
        )  # fmt: skip
        return Note(
            rules=rules,
            read_at=None if told["read_at"] is None else _moment(told["read_at"]),
            until=_moment(told["until"]),
            failure=None if told["failure"] is None else _failure(told["failure"]),
            errors=max(0, int(told["errors"])),
        )
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None


def _failure(told: dict[str, Any]) -> FetchFailed:
    wait = told["retry_after"]
    return FetchFailed(
        url=str(told["url"]), kind=FailureKind(told["kind"]), message=str(told["message"]),
        status=None if told["status"] is None else int(told["status"]),
        retry_after=None if wait is None else timedelta(seconds=float(wait)), fetched_at=_moment(told["fetched_at"]),
    )  # fmt: skip


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment
