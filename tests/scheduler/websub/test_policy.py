"""The pace of a source whose hub is relied upon, and of requests to hubs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import Adaptive
from scheduler.policy import PublisherWord
from scheduler.websub import policy
from storage.explanation import pushed_by
from storage.hubs import PROBATION, HubState, HubSubscription

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SLOW = Adaptive(floor=timedelta(minutes=5), ceiling=timedelta(hours=6))


def subscription(**changes: object) -> HubSubscription:
    given = {"state": HubState.ACTIVE, "lease_until": NOW + timedelta(days=1), "verified_at": NOW} | changes
    return HubSubscription(id="i", source_id="s", hub="h", topic="t", secret="k", created_at=NOW, **given)  # type: ignore[arg-type]


def test_the_safety_poll_is_at_the_slowest_pace_and_obeys_the_publisher() -> None:
    def poll(word: PublisherWord | None = None, failures: float = 0.0) -> datetime:
        return policy.safety_poll(SLOW, "s", now=NOW, failures=failures, worked_once=True, word=word).at

    assert timedelta(hours=5) < poll() - NOW <= SLOW.ceiling
    assert poll(PublisherWord(min_interval=timedelta(hours=9))) >= NOW + timedelta(hours=9)
    assert poll(PublisherWord(skip_hours=frozenset({12, 13, 14}))).hour >= 15
    assert poll(failures=2.0) > poll()


def test_a_hub_is_relied_upon_once_it_has_pushed_and_while_it_keeps_nothing_back() -> None:
    pushed = subscription(pushed_at=NOW)
    later = NOW + PROBATION + timedelta(minutes=1)
    long = {"lease_until": NOW + timedelta(days=9)}

    assert not subscription().is_proven(NOW)
    assert pushed.is_proven(NOW)
    assert not pushed.is_proven(NOW + timedelta(days=1))
    assert not subscription(pushed_at=NOW, state=HubState.DENIED).is_proven(NOW)
    assert not subscription(pushed_at=NOW, missed_at=NOW).is_proven(NOW)
    assert not subscription(pushed_at=NOW, missed_at=NOW, **long).is_proven(later)
    assert subscription(pushed_at=later, missed_at=NOW, **long).is_proven(later)


@given(st.integers(-5, 2**40), st.sampled_from(HubState))
def test_no_lease_is_endless_or_over_at_once(seconds: int, state: HubState) -> None:
    changes = policy.verified(subscription(state=state), "t", seconds, timedelta(days=10), NOW)

    if changes is None:
        assert state in {HubState.OFFERED, HubState.DENIED, HubState.LEAVING}
    else:
        assert NOW < changes["act_at"] < changes["lease_until"] <= NOW + policy.LONGEST_LEASE


@given(st.integers(0, 10_000), st.sampled_from(HubState))
def test_requests_become_rarer_and_never_stop(attempts: int, state: HubState) -> None:
    asked = subscription(attempts=attempts, state=state, lease_until=None)
    before = policy.before_asking(asked, "https://c.test/", NOW)
    after = policy.refused(asked, "no", None, NOW)

    assert policy.VERIFICATION <= before["act_at"] - NOW <= policy.LAST_RETRY
    assert policy.FIRST_RETRY <= after["act_at"] - NOW <= policy.LAST_RETRY


@given(st.text(max_size=60))
def test_no_header_but_the_right_one_is_a_signature(header: str) -> None:
    assert not policy.is_signed(subscription(), header, b"news")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": HubState.OFFERED}, "makes warta ask for it"),
        ({"state": HubState.OFFERED, "callback": "c", "message": "HTTP 500"}, "offers to push news; HTTP 500"),
        ({"state": HubState.ASKED}, "has still to confirm"),
        ({}, "polled as usual until it first does"),
        ({"pushed_at": NOW}, "a safety poll is made at 2026-11-23 14:00:00Z"),
        ({"pushed_at": NOW, "missed_at": NOW}, "kept some back"),
        ({"pushed_at": NOW, "lease_until": NOW}, "offers to push news"),
        ({"state": HubState.DENIED, "message": "the hub denies it: no"}, "does not push news: the hub denies it: no"),
    ],
)
def test_what_is_expected_of_a_hub_is_said_in_a_sentence(changes: dict[str, object], said: str) -> None:
    told = pushed_by(subscription(**changes), NOW + timedelta(hours=6), NOW)

    assert said in told["text"]
    assert (told["safety_poll"] is not None) == ("safety poll" in said)
