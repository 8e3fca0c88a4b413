from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawlers.absence import Absence, is_notice, is_retracted, is_trouble_of_the_site, missed, next_return
from storage.model import Visit

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
THERE = Visit(article_id="a", outlet_id="koran", url="https://koran.test/a", due_at=NOW)


def _looks(how: Absence) -> tuple[int, timedelta]:
    """Looks and time from the first that missed it until it counts as taken back, each look made when it is due."""
    visit, now = THERE, NOW
    for looks in range(1, 10):
        visit = missed(visit, how, now, span=DAY)
        if is_retracted(visit, now, span=DAY):
            return looks, now - NOW
        assert visit.due_at is not None
        assert visit.due_at > now
        now = visit.due_at
    raise AssertionError("never")


def test_a_404_must_be_seen_again_and_again_for_a_day() -> None:
    looks, lasted = _looks(Absence.NOT_FOUND)

    assert looks >= 3
    assert lasted >= DAY


def test_a_410_is_meant_and_takes_less() -> None:
    looks, lasted = _looks(Absence.GONE)

    assert looks >= 2
    assert DAY / 4 <= lasted <= DAY / 2


@pytest.mark.parametrize("how", list(Absence))
def test_one_look_is_never_enough(how: Absence) -> None:
    assert not is_retracted(missed(THERE, how, NOW, span=DAY), NOW + 30 * DAY, span=DAY)


def test_an_article_that_is_there_is_not_taken_back() -> None:
    assert not is_retracted(THERE, NOW + DAY, span=DAY)


def test_many_pages_missing_at_once_are_the_trouble_of_the_site() -> None:
    assert is_trouble_of_the_site(8, 10)
    assert not is_trouble_of_the_site(3, 3)
    assert not is_trouble_of_the_site(8, 100)


def test_what_was_taken_back_is_looked_for_three_times_more() -> None:
    now, taken_back, times = NOW, NOW, 0
    while (again := next_return(now - taken_back, now)) is not None:
        now, times = again, times + 1
    assert (times, now - taken_back) == (3, 30 * DAY)


@pytest.mark.parametrize(
    "text",
    [
        "Artikel ini telah ditarik.", "Berita ini sudah dihapus", "Halaman tidak ditemukan", "404 Not Found",
        "Halaman yang Anda cari tidak ditemukan", "This article has been removed", "Redaksi mencabut artikel tersebut",
    ],
)  # fmt: skip
def test_words_in_place_of_an_article(text: str) -> None:
    assert is_notice(text)


@pytest.mark.parametrize(
    "text",
    ["Menteri menarik pernyataannya", "Obat ini ditarik dari peredaran", "Artikel ini telah ditarik. " + "kata " * 300],
)
def test_a_story_is_no_notice(text: str) -> None:
    assert not is_notice(text)
