"""What is kept with a run of what it was answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crawlers.evidence import exchange_of
from crawlers.model import FailureKind, Fetched, FetchFailed, NotModified, Redirect
from crawlers.validators import Sent

NOW = datetime(2026, 3, 2, tzinfo=UTC)
URL = "https://pagi.example/feed.xml"
BOTH = Sent('"a"', "Mon, 02 Mar 2026 00:00:00 GMT")
SENT = {"etag": '"a"', "last_modified": "Mon, 02 Mar 2026 00:00:00 GMT"}


def _body(**more: Any) -> Fetched:
    return Fetched(url=URL, final_url=URL, status=200, headers=(), body=b"x", fetched_at=NOW, **more)


def _same(**more: Any) -> NotModified:
    return NotModified(url=URL, final_url=URL, headers=(), fetched_at=NOW, **more)


@pytest.mark.parametrize(
    ("sent", "result", "kept"),
    [
        (Sent(), _body(), None),
        (Sent(), _body(etag='"a"'), {"given": {"etag": '"a"'}}),
        (BOTH, _same(), {"sent": SENT}),
        (BOTH, _same(etag='"a"'), {"sent": SENT}),
        (BOTH, _same(etag='"b"'), {"sent": SENT, "given": {"etag": '"b"'}}),
        (BOTH, _body(etag='"b"'), {"sent": SENT, "given": {"etag": '"b"'}}),
        (BOTH, _body(), {"sent": SENT, "given": {}}),
        (Sent(audit=True), _body(etag='"a"'), {"audit": True, "given": {"etag": '"a"'}}),
        (BOTH, FetchFailed(url=URL, kind=FailureKind.TIMEOUT, message="late", fetched_at=NOW), {"sent": SENT}),
    ],
)
def test_validators_are_told_as_sent_and_as_given_where_that_differs(sent: Sent, result: Any, kept: Any) -> None:
    assert exchange_of(sent, result) == kept


def test_redirects_are_told_hop_by_hop() -> None:
    hops = (Redirect(301, "https://www.pagi.example/feed.xml"), Redirect(302, "https://www.pagi.example/rss"))
    assert exchange_of(Sent(), _body(redirects=hops)) == {
        "redirects": [[301, "https://www.pagi.example/feed.xml"], [302, "https://www.pagi.example/rss"]]
    }


def test_what_a_server_calls_a_validator_is_kept_small_and_on_one_line() -> None:
    kept = exchange_of(Sent(), _body(etag='"' + "\x00\u202e\ud800" + "x" * 10_000 + '"'))
    assert kept is not None
    etag = kept["given"]["etag"]
    assert len(etag) <= 300
    assert etag.startswith('" ?xxx')
