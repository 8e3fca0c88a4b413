from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import zlib
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import brotli
import pytest
from backports import zstd

from config.model import Limits
from crawlers.model import FailureKind, Fetched, FetchFailed, NotModified, Purpose, Redirect
from storage.hosts import TurnRefusedError


def failed(result: object, kind: FailureKind) -> FetchFailed:
    assert isinstance(result, FetchFailed), result
    assert result.kind is kind, result
    assert result.message
    return result


# What a good answer becomes


async def test_a_good_answer_is_given_whole(web, visitor):
    web.says("/feed", web.reply("200 OK", b"<rss/>", "Content-Type: text/xml", 'ETag: "a"', "X-Two: 1", "X-Two: 2"))
    result = await visitor.get(web.url("/feed"))
    assert isinstance(result, Fetched)
    assert result.body == b"<rss/>"
    assert result.content_type == "text/xml"
    assert result.etag == '"a"'
    assert [value for name, value in result.headers if name == "x-two"] == ["1", "2"]
    assert result.wire_bytes == len(
        web.reply("200 OK", b"<rss/>", "Content-Type: text/xml", 'ETag: "a"', "X-Two: 1", "X-Two: 2")
    )
    assert result.fetched_at == visitor.clock()
    assert result.final_url == web.url("/feed")


async def test_validators_are_kept_and_sent_byte_for_byte(web, visitor):
    etag = 'W/"é;' + "a\tb" + '"'
    web.says(
        "/feed",
        b'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nETag: W/"\xe9;a\tb"\r\nLast-Modified: yesterday, WIB\r\n\r\nx',
    )
    first = await visitor.get(web.url("/feed"))
    assert first.etag == 'W/"\xe9;a\tb"' == etag
    assert first.last_modified == "yesterday, WIB"

    web.says("/feed", b'HTTP/1.1 304 Not Modified\r\nETag: W/"\xc3\xa9"\r\n\r\n')
    second = await visitor.get(web.url("/feed"), etag='W/"\xc3\xa9"', last_modified="yesterday, WIB")
    assert isinstance(second, NotModified)
    assert second.etag == 'W/"\xc3\xa9"'
    assert b'If-None-Match: W/"\xc3\xa9"\r\n' in web.asked[-1].raw
    assert web.asked[-1].header("if-modified-since") == "yesterday, WIB"


async def test_a_304_nobody_asked_for_is_an_error(web, visitor):
    web.says("/feed", web.reply("304 Not Modified", length=False))
    failed(await visitor.get(web.url("/feed")), FailureKind.PROTOCOL)


async def test_we_say_who_we_are_and_what_we_read(web, visitor):
    web.says("/feed", web.reply("200 OK", b"x"))
    await visitor.get(web.url("/feed"))
    asked = web.asked[-1]
    assert asked.header("user-agent") == visitor.polite.user_agent
    assert "application/rss+xml" in asked.header("accept")
    assert asked.header("accept-encoding") == "gzip, deflate, br, zstd"
    assert asked.header("cookie") is None


async def test_cookies_are_never_sent_back(web, visitor):
    web.says("/feed", web.reply("200 OK", b"x", "Set-Cookie: id=1"))
    await visitor.get(web.url("/feed"))
    await visitor.get(web.url("/feed"))
    assert web.asked[-1].header("cookie") is None


async def test_tracking_parameters_are_not_asked_for(web, visitor):
    web.says("/a", web.reply("200 OK", b"x"))
    result = await visitor.get(web.url("/a?utm_source=rss&id=7&fbclid=x"), Purpose.ARTICLE)
    assert web.paths()[-1] == "/a?id=7"
    assert result.url == web.url("/a?utm_source=rss&id=7&fbclid=x")
    assert result.final_url == web.url("/a?id=7")


async def test_credentials_in_the_address_become_a_header_and_nothing_else(web, visitor):
    web.says("/feed", web.reply("200 OK", b"x"))
    result = await visitor.get(f"http://us%65r:p%40ss@press.test:{web.port}/feed")
    assert web.asked[-1].header("authorization") == "Basic dXNlcjpwQHNz"
    assert "p%40ss" not in result.final_url


# Connections


async def test_polls_let_go_of_their_connection_and_pages_keep_it(web, visitor):
    async def page(reader, writer, asked):
        writer.write(web.reply("200 OK", b"x"))

    page.keep = True
    web.acts["/page"] = web.acts["/feed"] = page
    web.acts["/robots.txt"] = page
    await visitor.get(web.url("/feed"))
    before = web.connections
    await visitor.get(web.url("/feed"))
    assert web.connections == before + 1
    assert web.asked[-1].header("connection") == "close"
    for _ in range(3):
        await visitor.get(web.url("/page"), Purpose.ARTICLE)
    assert web.connections == before + 2
    assert web.asked[-1].header("connection") is None


# Redirects


async def test_hops_are_recorded_and_told_apart(web, visitor):
    web.says("/1", web.reply("301 Moved", b"", "Location: /2"))
    web.says("/2", web.reply("302 Found", b"", "Location: /3"))
    web.says("/3", web.reply("308 Permanent", b"", f"Location: {web.url('/4', 'other.test')}"))
    web.says("/4", web.reply("200 OK", b"x"))
    result = await visitor.get(web.url("/1"))
    assert isinstance(result, Fetched)
    assert result.url == web.url("/1")
    assert result.final_url == web.url("/4", "other.test")
    assert result.redirects == (
        Redirect(301, web.url("/2")),
        Redirect(302, web.url("/3")),
        Redirect(308, web.url("/4", "other.test")),
    )
    assert [hop.permanent for hop in result.redirects] == [True, False, True]
    assert [host for host, _ in visitor.turns.taken] == ["press.test"] * 4 + ["other.test"] * 2


async def test_secrets_and_extra_headers_stay_with_the_first_host(web, visitor):
    web.says("/1", web.reply("302 Found", b"", f"Location: {web.url('/2', 'other.test')}"))
    web.says("/2", web.reply("302 Found", b"", f"Location: {web.url('/3')}"))
    web.says("/3", web.reply("200 OK", b"x"))
    await visitor.get(f"http://u:p@press.test:{web.port}/1", headers=(("X-Api-Key", "s3cret"),))
    first, second, third = (asked for asked in web.asked if asked.path != "/robots.txt")
    assert first.header("x-api-key") == "s3cret"
    assert first.header("authorization") is not None
    assert second.header("x-api-key") is None
    assert second.header("authorization") is None
    assert third.header("x-api-key") == "s3cret"


async def test_a_loop_is_refused(web, visitor):
    web.says("/1", web.reply("302 Found", b"", "Location: /2"))
    web.says("/2", web.reply("302 Found", b"", "Location: /1"))
    result = failed(await visitor.get(web.url("/1")), FailureKind.REDIRECT)
    assert "loop" in result.message
    assert web.paths().count("/1") <= 2


async def test_a_redirect_to_itself_is_a_loop(web, visitor):
    web.says("/1", web.reply("301 Moved", b"", "Location: /1"))
    assert "loop" in failed(await visitor.get(web.url("/1")), FailureKind.REDIRECT).message


async def test_ten_redirects_are_followed_and_an_eleventh_is_not(web, visitor):
    for number in range(20):
        web.says(f"/{number}", web.reply("302 Found", b"", f"Location: /{number + 1}"))
    web.says("/10", web.reply("200 OK", b"x"))
    assert isinstance(await visitor.get(web.url("/0")), Fetched)
    web.says("/10", web.reply("302 Found", b"", "Location: /11"))
    failed(await visitor.get(web.url("/0")), FailureKind.REDIRECT)


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://press.test/x",
        "javascript:alert(1)",
        "http://[::1",
        "data:,x",
        "gopher://x/",
    ],
)
async def test_redirects_to_other_schemes_are_refused(web, visitor, location):
    web.says("/1", web.reply("302 Found", b"", f"Location: {location}"))
    failed(await visitor.get(web.url("/1")), FailureKind.REDIRECT)


async def test_a_redirect_without_a_place_to_go_is_a_failure(web, visitor):
    web.says("/1", web.reply("302 Found", b"x"))
    result = failed(await visitor.get(web.url("/1")), FailureKind.REDIRECT)
    assert result.status == 302


# Statuses


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("400 Bad", FailureKind.HTTP_4XX),
        ("401 No", FailureKind.BLOCKED),
        ("403 No", FailureKind.BLOCKED),
        ("404 No", FailureKind.NOT_FOUND),
        ("410 Gone", FailureKind.GONE),
        ("418 Tea", FailureKind.HTTP_4XX),
        ("429 Slow", FailureKind.RATE_LIMITED),
        ("451 Law", FailureKind.BLOCKED),
        ("500 Oops", FailureKind.HTTP_5XX),
        ("503 Busy", FailureKind.HTTP_5XX),
        ("599 What", FailureKind.HTTP_5XX),
        ("206 Part", FailureKind.TRUNCATED),
        ("204 None", FailureKind.EMPTY),
    ],
)
async def test_statuses_are_told_apart(web, visitor, status, kind):
    body = b"" if status.startswith("204") else b"<p>no</p>"
    web.says("/feed", web.reply(status, body))
    result = failed(await visitor.get(web.url("/feed")), kind)
    assert result.status == int(status[:3])
    assert "press.test" in result.message
    assert result.evidence == body


async def test_a_200_without_a_byte_is_empty(web, visitor):
    web.says("/feed", web.reply("200 OK", b""))
    failed(await visitor.get(web.url("/feed")), FailureKind.EMPTY)


async def test_retry_after_blocks_the_host_for_everyone(web, visitor):
    web.says("/feed", web.reply("429 Slow", b"", "Retry-After: 90"))
    result = failed(await visitor.get(web.url("/feed")), FailureKind.RATE_LIMITED)
    assert result.retry_after == timedelta(seconds=90)
    assert visitor.turns.blocked == [("press.test", visitor.clock() + timedelta(seconds=90))]


async def test_retry_after_is_read_as_a_date_too(web, visitor):
    when = visitor.clock() + timedelta(minutes=7)
    web.says("/feed", web.reply("503 Busy", b"", f"Retry-After: {format_datetime(when, usegmt=True)}"))
    result = failed(await visitor.get(web.url("/feed")), FailureKind.RATE_LIMITED)
    assert result.retry_after == timedelta(minutes=7)


async def test_a_block_is_capped_though_the_word_is_recorded(web, visitor):
    web.says("/feed", web.reply("429 Slow", b"", "Retry-After: 31536000"))
    result = failed(await visitor.get(web.url("/feed")), FailureKind.RATE_LIMITED)
    assert result.retry_after == timedelta(days=365)
    assert visitor.turns.blocked == [("press.test", visitor.clock() + timedelta(hours=24))]


@pytest.mark.parametrize("status", ["200 OK", "403 No", "503 Busy"])
async def test_a_challenge_page_is_a_block_whatever_its_status(web, visitor, status):
    page = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"
    web.says("/feed", web.reply(status, page, "Content-Type: text/html; charset=UTF-8"))
    result = failed(await visitor.get(web.url("/feed")), FailureKind.BLOCKED)
    assert "Cloudflare" in result.message
    assert result.evidence == page


async def test_a_page_that_only_talks_about_challenges_is_a_page(web, visitor):
    page = b"<html><title>Why it says just a moment</title><script src='/cdn-cgi/challenge-platform/x.js'></script>"
    web.says("/page", web.reply("200 OK", page, "Content-Type: text/html"))
    assert isinstance(await visitor.get(web.url("/page"), Purpose.ARTICLE), Fetched)


# Servers that do not hold to HTTP


async def test_a_refused_connection_names_the_host_and_port(web, make_visitor):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    visitor = await make_visitor(ports=(port,))
    result = failed(await visitor.get(f"http://press.test:{port}/"), FailureKind.CONNECT)
    assert f"press.test port {port}" in result.message


@pytest.mark.parametrize(
    "junk",
    [
        b"ICY 200 OK\r\n\r\nx",
        b"HTTP/9.9 two hundred\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"<html>no head at all</html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello",
    ],
)
async def test_junk_for_an_answer_is_a_failure_and_nothing_else(web, visitor, junk):
    web.says("/feed", junk)
    result = await visitor.get(web.url("/feed"))
    assert isinstance(result, FetchFailed)
    assert result.kind in {FailureKind.PROTOCOL, FailureKind.TRUNCATED, FailureKind.CONNECT}


async def test_a_connection_closed_without_a_word_is_a_connect_failure(web, visitor):
    web.says("/feed", b"")
    failed(await visitor.get(web.url("/feed")), FailureKind.CONNECT)


async def test_a_reset_connection_is_a_connect_failure(web, visitor):
    @web.does("/feed")
    async def reset(reader, writer, asked):
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    failed(await visitor.get(web.url("/feed")), FailureKind.CONNECT)


# Short answers


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhello",
    ],
)
async def test_fewer_bytes_than_promised_is_truncated(web, visitor, data):
    web.says("/feed", data)
    failed(await visitor.get(web.url("/feed")), FailureKind.TRUNCATED)


async def test_a_body_without_length_that_ends_in_a_reset_is_truncated(web, visitor):
    @web.does("/feed")
    async def half(reader, writer, asked):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000)
        await writer.drain()
        await asyncio.sleep(0.05)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    failed(await visitor.get(web.url("/feed")), FailureKind.TRUNCATED)


TEXT = b"".join(b"<item>%d</item>" % number for number in range(5000))
RAW_DEFLATE = zlib.compressobj(wbits=-15)
CODED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstd.compress(TEXT),
    "raw": RAW_DEFLATE.compress(TEXT) + RAW_DEFLATE.flush(),
    "members": gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
    "gzip, br": brotli.compress(gzip.compress(TEXT)),
}


@pytest.mark.parametrize("coding", CODED)
async def test_compressed_answers_are_decoded(web, visitor, coding):
    name = {"raw": "deflate", "members": "gzip"}.get(coding, coding)
    web.says("/feed", web.reply("200 OK", CODED[coding], f"Content-Encoding: {name}"))
    result = await visitor.get(web.url("/feed"))
    assert isinstance(result, Fetched), result
    assert result.body == TEXT


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "raw", "gzip, br"])
async def test_a_compressed_answer_cut_short_is_truncated(web, visitor, coding):
    name = {"raw": "deflate"}.get(coding, coding)
    web.says("/feed", web.reply("200 OK", CODED[coding][:-40], f"Content-Encoding: {name}"))
    failed(await visitor.get(web.url("/feed")), FailureKind.TRUNCATED)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
async def test_a_compressed_answer_with_a_broken_middle_is_truncated(web, visitor, coding):
    data = bytearray(CODED[coding])
    for at in range(len(data) // 2, len(data) // 2 + 32):
        data[at] ^= 0xFF
    web.says("/feed", web.reply("200 OK", bytes(data), f"Content-Encoding: {coding}"))
    failed(await visitor.get(web.url("/feed")), FailureKind.TRUNCATED)


async def test_a_plain_body_labelled_gzip_is_read_as_it_is(web, visitor):
    web.says("/feed", web.reply("200 OK", b"<rss>plain</rss>", "Content-Encoding: gzip"))
    result = await visitor.get(web.url("/feed"))
    assert isinstance(result, Fetched)
    assert result.body == b"<rss>plain</rss>"


# Too much


async def test_an_announced_size_past_the_limit_is_not_read(web, make_visitor):
    visitor = await make_visitor(limits=replace(Limits(), feed_bytes=1000))
    web.says("/feed", b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")
    failed(await visitor.get(web.url("/feed")), FailureKind.TOO_LARGE)


async def test_each_purpose_has_its_own_limit(web, make_visitor):
    visitor = await make_visitor(limits=replace(Limits(), feed_bytes=1000, page_bytes=100_000))
    web.says("/x", b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 50_000)
    failed(await visitor.get(web.url("/x"), Purpose.FEED), FailureKind.TOO_LARGE)
    assert isinstance(await visitor.get(web.url("/x"), Purpose.ARTICLE), Fetched)


async def test_an_endless_body_is_cut_off(web, make_visitor):
    visitor = await make_visitor(limits=replace(Limits(), feed_bytes=2**20))

    @web.does("/feed")
    async def endless(reader, writer, asked):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(10_000):
            writer.write(b"x" * 65536)
            await writer.drain()

    failed(await visitor.get(web.url("/feed")), FailureKind.TOO_LARGE)


@pytest.mark.parametrize("line", [b"X-%d: " + b"y" * 4000 + b"\r\n", b"X-%d: y\r\n"])
async def test_endless_headers_are_cut_off(web, visitor, line):
    @web.does("/feed")
    async def endless(reader, writer, asked):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1_000_000):
            writer.write(line % number)
            await writer.drain()

    result = failed(await visitor.get(web.url("/feed")), FailureKind.TOO_LARGE)
    assert "header" in result.message


async def test_one_endless_header_is_cut_off(web, visitor):
    @web.does("/feed")
    async def endless(reader, writer, asked):
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(100_000):
            writer.write(b"y" * 65536)
            await writer.drain()

    failed(await visitor.get(web.url("/feed")), FailureKind.TOO_LARGE)


async def test_a_flood_of_100_continue_is_cut_off(web, visitor):
    @web.does("/feed")
    async def endless(reader, writer, asked):
        for _ in range(1_000_000):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
            await writer.drain()

    failed(await visitor.get(web.url("/feed")), FailureKind.TOO_LARGE)


async def test_endless_trailers_are_cut_off(web, make_visitor):
    visitor = await make_visitor(limits=replace(Limits(), feed_bytes=2**16))

    @web.does("/feed")
    async def endless(reader, writer, asked):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
        for number in range(1_000_000):
            writer.write(b"X-%d: y\r\n" % number)
            await writer.drain()

    result = await visitor.get(web.url("/feed"))
    assert isinstance(result, FetchFailed)
    assert result.kind in {FailureKind.TOO_LARGE, FailureKind.TRUNCATED, FailureKind.PROTOCOL}


ZEROS = b"\0" * (64 * 2**20)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
async def test_a_bomb_is_stopped(web, make_visitor, coding):
    visitor = await make_visitor(limits=replace(Limits(), decompressed_bytes=8 * 2**20, feed_bytes=2**20))
    bomb = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}[coding](
        ZEROS
    )
    web.says("/feed", web.reply("200 OK", bomb, f"Content-Encoding: {coding}"))
    result = failed(await visitor.get(web.url("/feed")), FailureKind.TOO_LARGE)
    assert "limit" in result.message or "decompression" in result.message or " to 1" in result.message


# Time


async def test_a_server_that_never_answers_is_given_up(web, make_visitor):
    visitor = await make_visitor(limits=replace(Limits(), feed_seconds=0.3))

    @web.does("/feed")
    async def silent(reader, writer, asked):
        await asyncio.sleep(30)

    failed(await visitor.get(web.url("/feed")), FailureKind.TIMEOUT)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n\r\n<rss"])
async def test_a_connection_that_fell_silent_is_given_up_before_the_deadline(web, make_visitor, head):
    visitor = await make_visitor(limits=replace(Limits(), feed_seconds=3600.0, idle_seconds=0.2))

    @web.does("/feed")
    async def dead(reader, writer, asked):
        writer.write(head)
        await asyncio.sleep(30)

    result = failed(await visitor.get(web.url("/feed")), FailureKind.TIMEOUT)
    assert "silent" in result.message


async def test_who_stands_in_a_line_of_hours_leaves_the_loop_to_others(web, make_visitor):
    visitor = await make_visitor()
    asked = 0

    class Line:
        """A host that is free in an hour, as it is known without asking anybody."""

        @asynccontextmanager
        async def turn(self, host, outlet, politeness, *, patience=None):
            nonlocal asked
            asked += 1
            if asked > 1000:
                pytest.fail("it asks again and again without letting go")
            raise TurnRefusedError(host, timedelta(hours=1), "delay")
            yield

    visitor.fetcher._budget = Line()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await visitor.get(web.url("/feed"))
    assert asked == 1


async def test_the_deadline_is_for_the_whole_answer_not_for_each_byte(web, make_visitor):
    visitor = await make_visitor(limits=replace(Limits(), feed_seconds=0.4))

    @web.does("/feed")
    async def drip(reader, writer, asked):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    failed(await visitor.get(web.url("/feed")), FailureKind.TIMEOUT)


async def test_the_deadline_spans_redirects(web, make_visitor):
    visitor = await make_visitor(limits=replace(Limits(), feed_seconds=0.5))
    for number in range(10):

        async def slow(reader, writer, asked, number=number):
            await asyncio.sleep(0.2)
            writer.write(web.reply("302 Found", b"", f"Location: /{number + 1}"))

        web.acts[f"/{number}"] = slow
    failed(await visitor.get(web.url("/0")), FailureKind.TIMEOUT)


async def test_a_slow_host_does_not_hold_up_another(web, visitor):
    gate = asyncio.Event()

    @web.does("/slow")
    async def slow(reader, writer, asked):
        await gate.wait()
        writer.write(web.reply("200 OK", b"late"))

    web.says("/fast", web.reply("200 OK", b"x"))
    waiting = [asyncio.create_task(visitor.get(web.url(f"/slow?{n}", "slow.test"))) for n in range(60)]
    for number in range(50):
        assert isinstance(await visitor.get(web.url(f"/fast?{number}", "fast.test")), Fetched)
    assert not any(task.done() for task in waiting)
    gate.set()
    assert all(isinstance(result, Fetched) for result in await asyncio.gather(*waiting))


# Being given up


async def test_a_cancelled_fetch_leaves_nothing(web, visitor):
    arrived, left = asyncio.Event(), asyncio.Event()

    @web.does("/feed")
    async def silent(reader, writer, asked):
        arrived.set()
        assert await reader.read() == b""
        left.set()

    await visitor.get(web.url("/other"))
    before = asyncio.all_tasks()
    task = asyncio.create_task(visitor.get(web.url("/feed")))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(left.wait(), 5)
    assert visitor.turns.held == 0
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before <= web.open
    web.says("/feed", web.reply("200 OK", b"x"))
    assert isinstance(await visitor.get(web.url("/feed")), Fetched)


async def test_cancelling_before_the_engine_has_begun_leaves_nothing(web, visitor):
    web.says("/feed", web.reply("200 OK", b"x"))
    await visitor.get(web.url("/feed"))
    for turns in range(12):
        task = asyncio.create_task(visitor.get(web.url("/feed")))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert visitor.turns.held == 0
    assert isinstance(await visitor.get(web.url("/feed")), Fetched)


# Where no request may go


async def test_nothing_but_http_is_fetched(web, visitor):
    for url in ("file:///etc/passwd", "ftp://press.test/", "data:,x", "not a url", "http://", "http://a b/"):
        failed(await visitor.get(url), FailureKind.PROTOCOL)


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "169.254.169.254",
        "0x7f.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "0",
    ],
)
async def test_literal_addresses_are_judged(web, make_visitor, host):
    visitor = await make_visitor(allow_networks=())
    result = failed(await visitor.get(f"http://{host}:{web.port}/"), FailureKind.FORBIDDEN_ADDRESS)
    assert "public" in result.message
    assert web.connections == 0


async def test_a_port_off_the_list_is_refused(web, visitor):
    result = failed(await visitor.get("http://press.test:22/"), FailureKind.FORBIDDEN_ADDRESS)
    assert "22" in result.message


async def test_an_override_to_a_private_address_is_refused_like_any_other(web, make_visitor):
    visitor = await make_visitor(allow_networks=())
    failed(await visitor.get(web.url("/feed")), FailureKind.FORBIDDEN_ADDRESS)
    assert web.connections == 0


async def test_a_redirect_inside_is_refused(web, visitor):
    web.says("/feed", web.reply("302 Found", b"", f"Location: http://192.168.0.1:{web.port}/admin"))
    failed(await visitor.get(web.url("/feed")), FailureKind.FORBIDDEN_ADDRESS)


async def test_a_name_that_resolves_inside_is_refused(web, make_visitor):
    async def lookup(host: str) -> list[str]:
        return ["127.0.0.1"]

    visitor = await make_visitor(lookup=lookup, allow_networks=())
    result = failed(await visitor.get(web.url("/", "evil.example")), FailureKind.FORBIDDEN_ADDRESS)
    assert "evil.example" in result.message
    assert web.connections == 0


async def test_a_name_that_changes_its_mind_is_refused_when_it_does(web, make_visitor):
    answers = [["203.0.114.7"], ["127.0.0.1"]]
    asked: list[str] = []

    async def lookup(host: str) -> list[str]:
        asked.append(host)
        return answers[min(len(asked) - 1, 1)]

    visitor = await make_visitor(lookup=lookup, allow_networks=(), limits=replace(Limits(), feed_seconds=0.2))
    # The first answer is public (and unreachable here), the second is loopback: never connected to.
    for _ in range(3):
        result = await visitor.get(web.url("/", "rebind.example"))
        assert isinstance(result, FetchFailed)
    assert web.connections == 0


async def test_private_addresses_among_public_ones_are_left_out(web, make_visitor):
    async def lookup(host: str) -> list[str]:
        return ["10.0.0.1", "127.0.0.1", "192.168.1.1"]

    visitor = await make_visitor(lookup=lookup)
    web.says("/feed", web.reply("200 OK", b"x"))
    assert isinstance(await visitor.get(web.url("/feed", "mixed.example")), Fetched)


async def test_an_unknown_name_says_so(web, make_visitor):
    async def lookup(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    visitor = await make_visitor(lookup=lookup)
    result = failed(await visitor.get(web.url("/feed", "gone.example")), FailureKind.DNS)
    assert result.message == "the host name gone.example cannot be resolved"


# Whatever else happens


async def test_a_broken_budget_is_a_storage_failure(web, visitor):
    def broken(*args: Any, **more: Any) -> Any:
        raise ConnectionError("no Redis")

    visitor.turns.turn = broken
    result = failed(await visitor.get(web.url("/feed")), FailureKind.STORAGE)
    assert "no Redis" in result.message


async def test_a_thousand_odd_addresses_raise_nothing(web, visitor):
    odd = [
        "",
        " ",
        "\0",
        "http://\ud800/",
        "http://a" + "b" * 9000,
        "http://%00/",
        "//x",
        "http:///x",
        "http://xn--/",
    ]
    for url in odd:
        assert isinstance(await visitor.get(url), FetchFailed)


def test_dates_in_the_past_ask_for_no_wait():
    from crawlers.answer import retry_after

    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now) == timedelta(0)
    assert retry_after("0", now) == timedelta(0)
    assert retry_after("soon", now) is None
    assert retry_after("-5", now) is None
    assert retry_after("9" * 40, now) == timedelta(days=3660)
    assert retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now) is not None
    assert retry_after("\u0663", now) is None
