"""Articles on several pages, over a press that is served."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from config.load import load
from crawlers.fetch import Fetcher
from crawlers.model import FailureKind, Fetched, FetchFailed, Normalized
from crawlers.pages import fetch_article, read_article, whole_page
from crawlers.robots import Robots
from newsroom.ledger import records
from newsroom.outlets import write_config
from newsroom.press import Newsroom
from newsroom.serve import running
from scheduler.cli.dryrun import SoloBudget


def now() -> datetime:
    return datetime.now(UTC)


class Inline:
    """Runs the reader in this process."""

    async def run(self, call, *args):
        return call(*args)


@pytest.fixture
def press(tmp_path):
    with running(Newsroom(seed=5)) as served:
        write_config(tmp_path, served.port)
        yield served, load(tmp_path / "warta.yaml", {})


async def read(settings, outlet, url):
    asked: list[str] = []
    fetcher = Fetcher(settings, SoloBudget(), Robots(now=now), now)
    await fetcher.start()

    async def fetch(request, source):
        asked.append(request.url)
        return await fetcher.fetch(request, replace(source.politeness, delay=source.politeness.delay * 0))

    try:
        result, whole = await fetch_article(fetch, url, outlet)
        assert isinstance(result, Fetched), result
        found = await read_article(
            result, outlet, None, fetch=fetch, pool=Inline(), now=now, follow=not whole, patient=True
        )
        return found, asked
    finally:
        await fetcher.stop()


@pytest.mark.parametrize("shape", ["kompas", "kabarniaga"])
async def test_following_the_pages_gives_what_the_whole_form_gives(press, shape):
    served, settings = press
    house = next(h for h in served.newsroom.houses.values() if type(h).__module__.endswith(shape))
    outlet = settings.outlet(house.masthead.id)
    assert outlet is not None
    assert outlet.urls.full_page
    plain = replace(outlet, urls=replace(outlet.urls, full_page=None))
    joined = 0
    for record in records(served.newsroom, outlet.id)[-200:]:
        followed, asked = await read(settings, plain, record.url)
        if len(asked) < 2:
            continue
        joined += 1
        assert [page.url for page in followed.further] == asked[1:]
        whole, _ = await read(settings, outlet, record.url)
        assert isinstance(whole, Normalized)
        assert isinstance(followed, Normalized)
        assert [b.text for b in followed.article.body] == [b.text for b in whole.article.body], record.url
        assert (followed.article.url, followed.article.url_key) == (record.url, whole.article.url_key)
        if joined >= 2:
            break
    assert joined, "no story of this press has two pages"


async def test_a_page_that_cannot_be_had_now_makes_the_patient_wait(press):
    served, settings = press
    house = next(h for h in served.newsroom.houses.values() if type(h).__module__.endswith("kompas"))
    outlet = settings.outlet(house.masthead.id)
    plain = replace(outlet, urls=replace(outlet.urls, full_page=None))
    for record in records(served.newsroom, outlet.id)[-40:]:
        first, asked = await read(settings, plain, record.url)
        if len(asked) < 2:
            continue
        fetcher = Fetcher(settings, SoloBudget(), Robots(now=now), now)
        await fetcher.start()

        async def fetch(request, source, fetcher=fetcher):
            if "page=2" in request.url:
                return FetchFailed(url=request.url, kind=FailureKind.TIMEOUT, message="slow", fetched_at=now())
            return await fetcher.fetch(request, replace(source.politeness, delay=source.politeness.delay * 0))

        result, _ = await fetch_article(fetch, record.url, plain)
        said = {"fetch": fetch, "pool": Inline(), "now": now, "follow": True}
        patient = await read_article(result, plain, None, patient=True, **said)
        last = await read_article(result, plain, None, patient=False, **said)
        await fetcher.stop()
        assert isinstance(patient, FetchFailed)
        assert patient.kind is FailureKind.TIMEOUT
        assert isinstance(last, Normalized)
        assert len(last.article.body) < len(first.article.body)
        return
    pytest.fail("no story of this press has two pages")


def test_the_whole_form_is_the_plain_address_with_its_suffix(press):
    outlet = press[1].outlets[0]
    for suffix, url, whole in (
        ("?page=all", "http://a.id/x", "http://a.id/x?page=all"),
        ("?page=all", "http://a.id/x?id=1", "http://a.id/x?id=1&page=all"),
        ("/all", "http://a.id/x/", "http://a.id/x/all"),
        (None, "http://a.id/x", "http://a.id/x"),
    ):
        assert whole_page(url, replace(outlet, urls=replace(outlet.urls, full_page=suffix))) == whole
