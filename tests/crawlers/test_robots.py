from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from datetime import timedelta

import pytest

from config.model import RobotsPolicy
from crawlers.model import FailureKind, Fetched, FetchFailed, Purpose
from crawlers.robots import LIFETIME, SHORTEST_LIFETIME, lifetime


@pytest.fixture
async def robots(web, make_visitor):
    """A visitor that finds whatever robots.txt the test puts there, and one page."""
    web.says("/page", web.reply("200 OK", b"x"))
    web.says("/private/page", web.reply("200 OK", b"x"))
    return await make_visitor(robots=True)


def of(web, text: str, *headers: str) -> None:
    web.says("/robots.txt", web.reply("200 OK", text.encode(), "Content-Type: text/plain", *headers))


async def test_a_forbidden_page_is_not_asked_for(web, robots):
    of(web, "User-agent: *\nDisallow: /private/\n")
    result = await robots.get(web.url("/private/page"))
    assert isinstance(result, FetchFailed)
    assert result.kind is FailureKind.ROBOTS
    assert "Disallow: /private/" in result.message
    assert "press.test" in result.message
    assert web.paths() == ["/robots.txt"]


@pytest.mark.parametrize("purpose", [Purpose.FEED, Purpose.SITEMAP, Purpose.LISTING, Purpose.ARTICLE])
async def test_feeds_and_pages_are_judged_alike(web, robots, purpose):
    of(web, "User-agent: *\nDisallow: /private/\n")
    assert isinstance(await robots.get(web.url("/private/page"), purpose), FetchFailed)
    assert isinstance(await robots.get(web.url("/page"), purpose), Fetched)


async def test_our_own_group_counts_and_the_others_do_not(web, robots):
    of(web, "User-agent: *\nDisallow: /\n\nUser-agent: Warta\nDisallow: /private/\n")
    assert isinstance(await robots.get(web.url("/page")), Fetched)
    assert isinstance(await robots.get(web.url("/private/page")), FetchFailed)


async def test_the_operator_may_ignore_it(web, robots):
    of(web, "User-agent: *\nDisallow: /\n")
    robots.polite = replace(robots.polite, robots=RobotsPolicy.IGNORE)
    assert isinstance(await robots.get(web.url("/page")), Fetched)
    assert "/robots.txt" not in web.paths()


@pytest.mark.parametrize("status", ["400 Bad", "401 No", "403 No", "404 No", "410 Gone", "418 Tea"])
async def test_4xx_allows_all(web, robots, status):
    web.says("/robots.txt", web.reply(status, b"User-agent: *\nDisallow: /\n"))
    assert isinstance(await robots.get(web.url("/page")), Fetched)


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad", "503 Busy", "504 Late"])
async def test_5xx_forbids_all_for_a_while(web, robots, status):
    web.says("/robots.txt", web.reply(status, b""))
    result = await robots.get(web.url("/page"))
    assert isinstance(result, FetchFailed)
    assert result.kind is FailureKind.ROBOTS_UNREADABLE
    assert status[:3] in result.message
    await robots.get(web.url("/page"))
    assert web.paths() == ["/robots.txt"]
    of(web, "User-agent: *\nAllow: /\n")
    robots.clock.forward(minutes=11)
    assert isinstance(await robots.get(web.url("/page")), Fetched)


async def test_an_error_stands_for_half_a_minute_and_each_further_one_for_twice_as_long(web, robots):
    web.says("/robots.txt", web.reply("503 Busy", b""))
    asked = []
    for second in range(0, 3000, 10):
        before = len(web.paths())
        await robots.get(web.url("/page"))
        if len(web.paths()) > before:
            asked.append(second)
        robots.clock.forward(seconds=10)
    assert asked == [0, 30, 90, 210, 450, 930, 1530, 2130, 2730]

    of(web, "User-agent: *\nAllow: /\n")
    robots.clock.forward(minutes=11)
    assert isinstance(await robots.get(web.url("/page")), Fetched)


async def test_429_is_no_permission(web, robots):
    web.says("/robots.txt", web.reply("429 Slow", b"", "Retry-After: 40"))
    result = await robots.get(web.url("/page"))
    assert isinstance(result, FetchFailed)
    assert result.kind is FailureKind.RATE_LIMITED
    assert result.retry_after == timedelta(seconds=40)
    assert "/page" not in web.paths()


async def test_a_reset_forbids_all(web, robots):
    web.says("/robots.txt", b"")
    result = await robots.get(web.url("/page"))
    assert isinstance(result, FetchFailed)
    assert result.kind is FailureKind.CONNECT
    assert "/page" not in web.paths()


async def test_a_host_without_an_address_is_a_matter_of_dns(web, make_visitor):
    async def lookup(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    visitor = await make_visitor(lookup=lookup)
    result = await visitor.get(web.url("/page", "gone.example"))
    assert isinstance(result, FetchFailed)
    assert result.kind is FailureKind.DNS
    assert result.message == "the host name gone.example cannot be resolved"


async def test_rules_once_read_hold_while_robots_txt_cannot_be_reached(web, robots):
    of(web, "User-agent: *\nDisallow: /private/\n")
    await robots.get(web.url("/page"))
    web.says("/robots.txt", web.reply("503 Busy", b""))
    robots.clock.forward(hours=25)
    assert isinstance(await robots.get(web.url("/page")), Fetched)
    assert isinstance(await robots.get(web.url("/private/page")), FetchFailed)
    robots.clock.forward(days=31)
    assert isinstance(await robots.get(web.url("/page")), FetchFailed)


async def test_rules_are_kept_for_a_day(web, robots):
    of(web, "User-agent: *\nDisallow: /private/\n")
    await robots.get(web.url("/page"))
    robots.clock.forward(hours=23)
    await robots.get(web.url("/page"))
    assert web.paths().count("/robots.txt") == 1
    robots.clock.forward(hours=2)
    await robots.get(web.url("/page"))
    assert web.paths().count("/robots.txt") == 2


def test_cache_control_shortens_the_day_within_reason():
    assert lifetime(None) == LIFETIME
    assert lifetime("no-cache") == LIFETIME
    assert lifetime("public, max-age=3600") == timedelta(hours=1)
    assert lifetime("max-age=0") == SHORTEST_LIFETIME
    assert lifetime("s-maxage=5, max-age=99999999") == LIFETIME


async def test_redirects_of_robots_txt_are_followed_five_times(web, robots):
    web.says("/robots.txt", web.reply("301 Moved", b"", "Location: /r1"))
    for number in range(1, 5):
        web.says(f"/r{number}", web.reply("302 Found", b"", f"Location: /r{number + 1}"))
    web.says("/r5", web.reply("200 OK", b"User-agent: *\nDisallow: /\n"))
    result = await robots.get(web.url("/page"))
    assert isinstance(result, FetchFailed)
    assert result.kind is FailureKind.ROBOTS


async def test_a_sixth_redirect_of_robots_txt_means_there_is_none(web, robots):
    web.says("/robots.txt", web.reply("301 Moved", b"", "Location: /robots.txt"))
    assert isinstance(await robots.get(web.url("/page")), Fetched)
    assert web.paths().count("/robots.txt") == 6


async def test_robots_txt_moved_to_another_host_still_speaks_for_the_first(web, robots):
    web.says("/robots.txt", web.reply("301 Moved", b"", f"Location: {web.url('/rules', 'other.test')}"))
    web.says("/rules", web.reply("200 OK", b"User-agent: *\nDisallow: /private/\n"))
    assert isinstance(await robots.get(web.url("/private/page")), FetchFailed)


async def test_each_hop_asks_the_robots_txt_of_its_host(web, robots):
    @web.does("/robots.txt")
    async def by_host(reader, writer, asked):
        closed = b"User-agent: *\nDisallow: /\n" if asked.host == "closed.test" else b""
        writer.write(web.reply("200 OK", closed))

    web.says("/go", web.reply("302 Found", b"", f"Location: {web.url('/page', 'closed.test')}"))
    result = await robots.get(web.url("/go"))
    assert isinstance(result, FetchFailed)
    assert result.kind is FailureKind.ROBOTS
    assert "closed.test" in result.message
    assert "/page" not in web.paths()


async def test_crawl_delay_slows_the_host_down_within_reason(web, robots):
    of(web, "User-agent: *\nCrawl-delay: 7\n")
    await robots.get(web.url("/page"))
    assert robots.turns.taken[-1] == ("press.test", timedelta(seconds=7))
    of(web, "User-agent: *\nCrawl-delay: 86400\n")
    robots.clock.forward(hours=25)
    await robots.get(web.url("/page"))
    assert robots.turns.taken[-1] == ("press.test", timedelta(seconds=60))


async def test_our_own_delay_is_kept_when_it_is_longer(web, robots):
    robots.polite = replace(robots.polite, delay=timedelta(seconds=20))
    of(web, "User-agent: *\nRequest-rate: 1/5\n")
    await robots.get(web.url("/page"))
    assert robots.turns.taken[-1] == ("press.test", timedelta(seconds=20))


async def test_tracking_parameters_are_stripped_before_the_question(web, robots):
    of(web, "User-agent: *\nDisallow: /*?utm_source=\nDisallow: /*&utm_source=\n")
    assert isinstance(await robots.get(web.url("/page?utm_source=rss&id=1"), Purpose.ARTICLE), Fetched)
    assert web.paths()[-1] == "/page?id=1"


async def test_only_the_first_500_kib_are_read(web, robots):
    text = "User-agent: *\nDisallow: /private/\n" + "# filler\n" * 100_000 + "Disallow: /page\n"
    of(web, text)
    assert isinstance(await robots.get(web.url("/page")), Fetched)
    assert isinstance(await robots.get(web.url("/private/page")), FetchFailed)


async def test_many_pages_at_once_ask_for_one_robots_txt(web, robots):
    of(web, "User-agent: *\nAllow: /\n")
    results = await asyncio.gather(*(robots.get(web.url(f"/page?{n}")) for n in range(30)))
    assert all(isinstance(result, Fetched) for result in results)
    assert web.paths().count("/robots.txt") == 1


async def test_who_gives_up_waiting_for_robots_txt_spoils_it_for_nobody(web, robots):
    arrived, gate = asyncio.Event(), asyncio.Event()

    @web.does("/robots.txt")
    async def slow(reader, writer, asked):
        arrived.set()
        await gate.wait()
        writer.write(web.reply("200 OK", b"User-agent: *\nAllow: /\n"))

    first = asyncio.create_task(robots.get(web.url("/page")))
    await arrived.wait()
    second = asyncio.create_task(robots.get(web.url("/page")))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert isinstance(await second, Fetched)
    assert first.cancelled() or isinstance(first.exception(), asyncio.CancelledError)


async def test_http_and_https_and_ports_have_their_own(web, robots):
    of(web, "User-agent: *\nDisallow: /private/\n")
    await robots.get(web.url("/page"))
    await robots.get(web.url("/page", "www.press.test"))
    assert [asked.host for asked in web.asked if asked.path == "/robots.txt"] == ["press.test", "www.press.test"]
