from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawlers.model import FailureKind
from crawlers.outage import OutageDetector, registrable

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOSTS = [f"www.koran{n}.test" for n in range(10)]


def feed(detector: OutageDetector, failure: FailureKind | None, hosts: list[str], now: datetime = NOW) -> None:
    for host in hosts:
        detector.record(host, failure, now)


def test_unrelated_hosts_that_cannot_be_reached_are_our_own_outage() -> None:
    detector = OutageDetector()

    feed(detector, FailureKind.DNS, HOSTS)

    assert detector.since == NOW


def test_one_dead_outlet_is_its_own_fault_however_many_feeds_it_has() -> None:
    detector = OutageDetector()

    feed(detector, FailureKind.TIMEOUT, [f"kanal{n}.koran.co.id" for n in range(50)])

    assert detector.since is None


def test_errors_that_servers_answer_prove_that_the_network_is_there() -> None:
    detector = OutageDetector()

    feed(detector, FailureKind.HTTP_5XX, HOSTS)

    assert detector.since is None


def test_a_few_dead_hosts_among_living_ones_are_no_outage() -> None:
    detector = OutageDetector()

    feed(detector, None, HOSTS[:7])
    feed(detector, FailureKind.CONNECT, HOSTS[7:])

    assert detector.since is None


def test_the_outage_ends_with_the_first_answer() -> None:
    detector = OutageDetector()
    feed(detector, FailureKind.DNS, HOSTS)

    changed = detector.record(HOSTS[3], None, NOW + timedelta(minutes=5))

    assert changed
    assert detector.since is None


def test_after_an_outage_the_failures_in_it_do_not_begin_another() -> None:
    detector = OutageDetector()
    feed(detector, FailureKind.DNS, HOSTS)
    detector.record(HOSTS[0], None, NOW + timedelta(seconds=1))

    detector.record(HOSTS[1], FailureKind.TIMEOUT, NOW + timedelta(seconds=2))

    assert detector.since is None


def test_it_is_dated_when_it_began_not_when_it_was_noticed() -> None:
    detector = OutageDetector()
    for minutes, host in enumerate(HOSTS[:4]):
        detector.record(host, FailureKind.DNS, NOW + timedelta(minutes=minutes))

    assert detector.since == NOW


def test_what_happened_long_ago_proves_nothing() -> None:
    detector = OutageDetector()
    feed(detector, None, HOSTS)

    feed(detector, FailureKind.DNS, HOSTS[:3], NOW + timedelta(hours=1))

    assert detector.since is not None


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("nasional.kontan.co.id", "kontan.co.id"),
        ("www.bbc.co.uk", "bbc.co.uk"),
        ("feeds.bbci.co.uk", "bbci.co.uk"),
        ("rss.tempo.co", "tempo.co"),
        ("www.detik.com", "detik.com"),
        ("localhost", "localhost"),
    ],
)
def test_hosts_of_one_owner_count_once(host: str, owner: str) -> None:
    assert registrable(host) == owner


def test_what_began_before_the_end_of_an_outage_is_excused_and_what_began_later_is_not() -> None:
    detector = OutageDetector()
    feed(detector, FailureKind.DNS, HOSTS)
    assert detector.is_ours(FailureKind.TIMEOUT, NOW)
    assert not detector.is_ours(FailureKind.HTTP_5XX, NOW)

    end = NOW + timedelta(minutes=5)
    detector.record(HOSTS[0], None, end)

    assert detector.is_ours(FailureKind.TIMEOUT, end - timedelta(seconds=20))
    assert not detector.is_ours(FailureKind.TIMEOUT, end + timedelta(seconds=1))
