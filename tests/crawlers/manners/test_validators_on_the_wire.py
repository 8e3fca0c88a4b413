"""The lying-server matrix: whatever a server says of its validators, no item is lost for long."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from storage.model import RunStatus


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:12]}"'


class Server:
    """Answers for the feed; each method is one way to treat validators."""

    def __init__(self, press: Any) -> None:
        self.press = press
        self.first: str | None = None
        self.count = 0

    def _full(self, *headers: str, body: bytes | None = None) -> bytes:
        data = self.press.rss() if body is None else body
        return bytes(self.press.web.reply("200 OK", data, "Content-Type: application/rss+xml", *headers))

    def _same(self, *headers: str) -> bytes:
        return bytes(self.press.web.reply("304 Not Modified", b"", *headers, length=False))

    def honest(self, asked: Any) -> bytes:
        tag = _etag(self.press.rss())
        return self._same(f"ETag: {tag}") if asked.header("if-none-match") == tag else self._full(f"ETag: {tag}")

    def honest_by_date_alone(self, asked: Any) -> bytes:
        moment = f"Mon, 02 Mar 2026 {len(self.press.items) // 60:02}:{len(self.press.items) % 60:02}:00 GMT"
        same = asked.header("if-modified-since") == moment
        return self._same() if same else self._full(f"Last-Modified: {moment}")

    def weak(self, asked: Any) -> bytes:
        tag = "W/" + _etag(self.press.rss())
        return self._same(f"ETag: {tag}") if asked.header("if-none-match") == tag else self._full(f"ETag: {tag}")

    def never_304(self, asked: Any) -> bytes:
        return self._full(f"ETag: {_etag(self.press.rss())}")

    def another_etag_each_time(self, asked: Any) -> bytes:
        self.count += 1
        return self._full(f'ETag: "{self.count}"')

    def no_validators(self, asked: Any) -> bytes:
        return self._full()

    def always_304(self, asked: Any) -> bytes:
        return self._same() if asked.header("if-none-match") else self._full('ETag: "1"')

    def always_304_by_date(self, asked: Any) -> bytes:
        if asked.header("if-modified-since"):
            return self._same()
        return self._full("Last-Modified: Mon, 02 Mar 2026 00:00:00 GMT")

    def one_etag_for_ever(self, asked: Any) -> bytes:
        return self._same('ETag: "v1"') if asked.header("if-none-match") == '"v1"' else self._full('ETag: "v1"')

    def a_304_of_another_body(self, asked: Any) -> bytes:
        tag = _etag(self.press.rss())
        return self._same(f"ETag: {tag}") if asked.header("if-none-match") else self._full(f"ETag: {tag}")

    def torn_under_the_etag_of_the_whole(self, asked: Any) -> bytes:
        self.count += 1
        whole = self.press.rss()
        tag = _etag(whole)
        if asked.header("if-none-match") == tag:
            return self._same(f"ETag: {tag}")
        return self._full(f"ETag: {tag}", body=whole[: len(whole) // 2] if self.count % 2 else whole)

    def empty_under_the_etag_of_the_full(self, asked: Any) -> bytes:
        self.count += 1
        tag = _etag(self.press.rss())
        if asked.header("if-none-match") == tag:
            return self._same(f"ETag: {tag}")
        return self._full(f"ETag: {tag}", body=self.press.rss([]) if self.count % 2 else None)


LIARS = ("always_304", "always_304_by_date", "one_etag_for_ever", "a_304_of_another_body")
MATRIX = [name for name in vars(Server) if not name.startswith("_")]


@pytest.mark.parametrize("way", MATRIX)
async def test_no_item_is_lost_whatever_the_server_says_of_its_validators(press: Any, way: str) -> None:
    press.answers("/feed.xml", getattr(Server(press), way))
    for number in range(10):
        press.publish(f"s{number}")
        await press.poll()
    for _ in range(3):  # what was published last is seen within three more polls, or by the next audit
        await press.poll()
    state = await press.state()
    assert (state.distrusted_at is not None) == (way in LIARS)
    assert await press.discovered() == {f"s{number}" for number in range(10)}


async def test_validators_travel_byte_for_byte_and_both(press: Any) -> None:
    press.publish("satu")
    press.serves("/feed.xml", press.rss(), 'ETag: W/"a b;,\xc3\xa9"', "Last-Modified: Sunday, 01-Mar-26 12:00:00 WIB")
    await press.poll()
    await press.poll()
    again = press.asked("/feed.xml")[1]
    assert again.header("if-none-match") == 'W/"a b;,\xc3\xa9"'
    assert again.header("if-modified-since") == "Sunday, 01-Mar-26 12:00:00 WIB"


async def test_each_run_tells_which_validators_it_sent_and_was_given(press: Any) -> None:
    press.publish("satu")
    press.serves("/feed.xml", press.rss(), 'ETag: "1"')
    first = await press.poll()
    again = await press.poll()
    assert (first.exchange, again.exchange) == ({"given": {"etag": '"1"'}}, {"sent": {"etag": '"1"'}})


async def test_a_200_without_validators_forgets_the_old_ones(press: Any) -> None:
    press.publish("satu")
    press.serves("/feed.xml", press.rss(), 'ETag: "1"')
    await press.poll()
    press.serves("/feed.xml", press.rss())
    run = await press.poll()
    assert run.status is RunStatus.NOT_MODIFIED  # the same bytes
    assert (await press.state()).etag is None


async def test_audits_become_rarer_as_evidence_grows(press: Any) -> None:
    server = Server(press)
    press.publish("satu")
    press.answers("/feed.xml", server.honest)
    for _ in range(40):
        await press.poll()
    plain = [n for n, asked in enumerate(press.asked("/feed.xml")) if asked.header("if-none-match") is None]
    # The first poll, then after 4, 8 and 16 of them taken on trust.
    assert plain == [0, 5, 14, 31]
    assert (await press.state()).audits == 3


async def test_distrusted_validators_get_another_chance_after_a_month(press: Any) -> None:
    server = Server(press)
    press.publish("satu")
    press.answers("/feed.xml", server.always_304)
    for number in range(6):
        press.publish(f"s{number}")
        await press.poll()
    assert (await press.state()).distrusted_at is not None
    press.answers("/feed.xml", server.honest)
    await press.poll(days=31)
    assert (await press.state()).distrusted_at is None
    await press.poll()
    assert press.asked("/feed.xml")[-1].header("if-none-match") is not None


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error", "403 Forbidden"])
async def test_a_failure_leaves_the_validators_alone(press: Any, status: str) -> None:
    press.publish("satu")
    press.serves("/feed.xml", press.rss(), 'ETag: "1"')
    await press.poll()
    press.serves("/feed.xml", b"no", 'ETag: "error page"', status=status)
    await press.poll()
    assert (await press.state()).etag == '"1"'
