"""What robots.txt says is matched against what is really requested, and every run tells of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from config.model import RobotsPolicy
from storage.model import RunStatus


async def test_the_delay_that_robots_txt_asks_for_is_recorded_on_the_run(press: Any) -> None:
    press.publish("satu")
    press.serves("/feed.xml", press.rss())
    press.serves("/robots.txt", "User-agent: *\nCrawl-delay: 7\nDisallow: /private")
    run = await press.poll()
    assert (run.robots, run.crawl_delay) == (None, 7.0)


async def test_an_ignored_robots_txt_is_recorded_on_every_run_and_never_asked_for(make_press: Any) -> None:
    press = await make_press({})
    source = press.outlet.sources[0]
    heedless = replace(source, politeness=replace(source.politeness, robots=RobotsPolicy.IGNORE))
    press.crawler._lookup = lambda _: (replace(press.outlet, politeness=heedless.politeness), heedless)
    press.serves("/robots.txt", "User-agent: *\nDisallow: /")
    press.publish("satu")
    press.serves("/feed.xml", press.rss())
    for _ in range(2):
        assert (await press.poll()).robots == "ignored"
    assert not press.asked("/robots.txt")


async def test_rules_are_matched_without_tracking_parameters_for_feeds_and_pages(make_press: Any) -> None:
    press = await make_press({"path": "/feed.xml?utm_source=x"})
    press.serves("/robots.txt", "User-agent: *\nDisallow: /*utm_source\nDisallow: /a/rahasia$")
    press.publish("satu", "rahasia")
    body = press.rss().replace(b"/a/satu<", b"/a/satu?utm_source=rss<").replace(b"/a/rahasia<", b"/a/rahasia?fbclid=1<")
    press.serves("/feed.xml", body)
    run = await press.poll()
    assert run.status is RunStatus.OK
    assert press.asked("/a/satu")
    assert not press.asked("/a/rahasia")
    assert {fate.rule for fate in await press.storage.fates.search(limit=10) if "rahasia" in fate.url} == {"robots"}


async def test_a_forbidden_source_is_skipped_and_says_by_which_line(press: Any) -> None:
    press.serves("/robots.txt", "User-agent: *\nDisallow: /feed")
    run = await press.poll()
    assert (run.status, run.reason) == (RunStatus.SKIPPED, "robots")
    assert "Disallow: /feed" in run.message
