"""Sources that move, vanish, or answer something else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from storage.model import RunStatus

HTML = "Content-Type: text/html"


def moves(press: Any, status: str, to: str = "/new.xml") -> None:
    press.serves("/feed.xml", b"", f"Location: {to}", status=status)
    press.serves("/new.xml", press.rss())


@pytest.mark.parametrize("status", ["301 Moved Permanently", "308 Permanent Redirect"])
async def test_a_permanent_redirect_is_adopted_after_a_week_of_agreement(press: Any, status: str) -> None:
    press.publish("satu")
    moves(press, status)
    for _ in range(7):
        await press.poll(days=1)
        assert (await press.state()).adopted_url is None
    assert (await press.state()).moved_to == press.url("/new.xml")
    await press.poll(days=1)
    assert (await press.state()).adopted_url == press.url("/new.xml")
    before = len(press.asked("/feed.xml"))
    press.publish("dua")
    press.serves("/new.xml", press.rss())
    run = await press.poll()
    assert run.counts.stored == 1
    assert len(press.asked("/feed.xml")) == before


@pytest.mark.parametrize("status", ["302 Found", "303 See Other", "307 Temporary Redirect"])
async def test_a_temporary_redirect_is_never_adopted(press: Any, status: str) -> None:
    press.publish("satu")
    moves(press, status)
    for _ in range(12):
        await press.poll(days=1)
    state = await press.state()
    assert (state.adopted_url, state.moved_to) == (None, None)
    assert state.last_success is not None


async def test_a_run_tells_over_which_redirects_it_went(press: Any) -> None:
    press.publish("satu")
    moves(press, "301 Moved Permanently")
    assert (await press.poll()).exchange["redirects"] == [[301, press.url("/new.xml")]]


async def test_only_the_permanent_part_of_a_way_is_adopted(press: Any) -> None:
    press.publish("satu")
    moves(press, "301 Moved Permanently", "/middle.xml")
    press.serves("/middle.xml", b"", "Location: /new.xml", status="302 Found")
    for _ in range(9):
        await press.poll(days=1)
    assert (await press.state()).adopted_url == press.url("/middle.xml")


async def test_a_redirect_that_changes_its_target_starts_again(press: Any) -> None:
    press.publish("satu")
    moves(press, "301 Moved Permanently")
    for _ in range(6):
        await press.poll(days=1)
    moves(press, "301 Moved Permanently", "/other.xml")
    press.serves("/other.xml", press.rss())
    for _ in range(6):
        await press.poll(days=1)
    state = await press.state()
    assert (state.adopted_url, state.moved_to) == (None, press.url("/other.xml"))


async def test_a_redirect_to_the_home_page_is_never_adopted(press: Any) -> None:
    moves(press, "301 Moved Permanently", "/")
    press.serves("/", "<html><head><title>Beranda</title></head><body>Selamat datang</body></html>", HTML)
    for _ in range(10):
        run = await press.poll(days=1)
        assert (run.status, run.reason) == (RunStatus.FAILED, "not_a_feed")
    assert (await press.state()).adopted_url is None


async def test_an_adopted_address_that_fails_is_given_up_for_the_configured_one(press: Any) -> None:
    press.publish("satu")
    await press.storage.sources.adopt("kabar/main", press.url("/new.xml"), press.clock())
    press.serves("/feed.xml", press.rss())
    assert (await press.poll()).reason == "not_found"
    assert (await press.poll(days=2)).reason == "not_found"
    assert (await press.poll()).status is RunStatus.OK


async def test_what_the_operator_gave_for_one_host_is_not_sent_to_another(make_press: Any) -> None:
    press = await make_press({"headers": (("X-Token", "rahasia"),)})
    press.publish("satu")
    await press.storage.sources.adopt("kabar/main", press.url("/new.xml", "other.test"), press.clock())
    press.serves("/new.xml", press.rss())
    await press.poll()
    assert press.asked("/new.xml")[0].header("x-token") is None
    await press.storage.sources.adopt("kabar/main", None, press.clock())
    await press.poll()
    assert press.asked("/feed.xml")[0].header("x-token") == "rahasia"


async def test_three_days_of_410_mean_gone_and_a_monthly_probe(press: Any) -> None:
    press.serves("/feed.xml", b"", status="410 Gone")
    for _ in range(5):  # many on one day are one day
        await press.poll()
    assert (await press.state()).gone_at is None
    await press.poll(days=1)
    await press.poll(days=1)
    state = await press.state()
    assert state.gone_at == press.clock()
    assert state.next_attempt - press.clock() >= timedelta(days=30)
    press.publish("satu")
    press.serves("/feed.xml", press.rss())
    await press.poll(days=30)
    state = await press.state()
    assert (state.gone_at, state.gone_days, state.missing_since) == (None, 0, None)
    assert state.next_attempt - press.clock() < timedelta(hours=1)


async def test_a_missing_feed_gets_a_replacement_proposed_that_shares_items_and_is_never_applied(press: Any) -> None:
    press.publish("satu", "dua")
    press.serves("/feed.xml", press.rss())
    await press.poll()
    press.web.acts.pop("/feed.xml")
    links = (
        "<link rel='alternate' type='application/rss+xml' href='/olahraga.xml'>"
        "<link type=application/atom+xml rel=alternate href='/baru.xml?a=1&amp;b=2'>"
        "<link rel='stylesheet' href='/style.css'><link rel='alternate' hreflang='en' href='/en'>"
    )
    press.serves("/", f"<html><head>{links}</head><body>Beranda</body></html>", HTML)
    press.serves("/olahraga.xml", press.rss(["lain"]))
    press.serves("/baru.xml?a=1&b=2", press.rss())
    await press.poll()
    await press.poll(days=2)
    assert not press.asked("/")
    await press.poll(days=2)
    state = await press.state()
    assert state.proposal is not None
    assert state.proposal["url"] == press.url("/baru.xml?a=1&b=2")
    assert state.proposal["known"] == 2
    await press.poll(days=2)
    assert len(press.asked("/")) == 1  # searched once a week
    assert state.adopted_url is None
    assert press.asked("/feed.xml")


async def test_a_feed_that_shares_nothing_is_not_proposed(press: Any) -> None:
    press.publish("satu")
    press.serves("/feed.xml", press.rss())
    await press.poll()
    press.serves("/feed.xml", b"", status="404 Not Found")
    press.serves("/", "<link rel=alternate type=application/rss+xml href=/lain.xml>", HTML)
    press.serves("/lain.xml", press.rss(["lain"]))
    await press.poll()
    await press.poll(days=4)
    assert press.asked("/lain.xml")
    assert (await press.state()).proposal is None


CONSENT = "<form action='/consent'><h1>Kami menghargai privasi Anda</h1><button>Setuju</button></form>"
LOGIN = "<form><input name=email><input type='password' name=password></form>"
CHALLENGE = "<script src='/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1'></script>"


@pytest.mark.parametrize(
    ("title", "body", "reason"),
    [
        ("Beranda", "<h1>Selamat datang</h1>", "not_a_feed"),
        ("Persetujuan privasi", CONSENT, "blocked"),
        ("Masuk", LOGIN, "blocked"),
        ("Just a moment...", CHALLENGE, "blocked"),
    ],
)
async def test_a_200_that_is_no_feed_is_told_apart_and_its_evidence_kept(
    press: Any, title: str, body: str, reason: str
) -> None:
    press.serves("/feed.xml", f"<html><head><title>{title}</title></head><body>{body}</body></html>", HTML)
    run = await press.poll()
    assert (run.status, run.reason) == (RunStatus.FAILED, reason)
    assert run.evidence is not None
    assert run.evidence["title"] == title
    assert run.evidence["start"].startswith("<html>")
    assert len(str(run.evidence)) < 1000


async def test_evidence_of_a_200_without_an_item_and_of_an_error_page_is_kept_too(press: Any) -> None:
    press.serves("/feed.xml", press.rss([]), "Content-Type: application/rss+xml")
    run = await press.poll()
    assert run.reason == "empty"
    assert run.evidence is not None
    assert run.evidence["type"] == "application/rss+xml"
    press.serves("/feed.xml", "<title>Akses \x07ditolak</title>", status="403 Forbidden")
    run = await press.poll()
    assert run.evidence is not None
    assert "\x07" not in run.evidence["start"]
