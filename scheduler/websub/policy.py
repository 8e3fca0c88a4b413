"""When hubs are asked, and what their words change: pure functions of a subscription and `now`.

::

    offered ─ask─► asked ─verified─► active ─0.8 of the lease─► asked for again, active meanwhile
       ▲  refused or silent: later and later │ lease over: offered again
       └──────────── denied: after a week ◄──┘
    not taken, not verified or denied, and the source names other hubs ─► offered at the next of them, in its order
    leaving ─ask─► verified, or asked three times ─► forgotten

W3C Recommendation https://www.w3.org/TR/websub/, sections 5.1 to 5.3 and 8.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from config.model import Adaptive, Every
from scheduler.policy import Decision, PublisherWord, decide
from storage.hubs import HubState, HubSubscription

#: A hub that took a request verifies it within this.
VERIFICATION = timedelta(minutes=10)
#: Waits after refusals: doubled each time, up to a day.
FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(days=1)
#: Who denied is asked again after this.
AFTER_DENIAL = timedelta(days=7)
#: Share of a lease after which it is renewed.
RENEWAL = 0.8
#: Bounds of what a hub may grant.
LONGEST_LEASE = timedelta(days=365)
#: Requests to end a subscription before it is forgotten; pushes to it are answered 410.
FAREWELLS = 3

_METHODS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}

Changes = dict[str, Any]


def is_signed(subscription: HubSubscription, header: str | None, body: bytes) -> bool:
    """Whether ``X-Hub-Signature`` proves that the body comes from who knows the secret (section 7.1)."""
    method, _, digest = (header or "").strip().partition("=")
    algorithm = _METHODS.get(method.strip().lower())
    if algorithm is None:
        return False
    expected = hmac.new(subscription.secret.encode(), body, algorithm).hexdigest()
    return hmac.compare_digest(expected.encode(), digest.strip().lower().encode("utf-8", "replace"))


def before_asking(subscription: HubSubscription, callback: str, now: datetime) -> Changes:
    """What is written before the request goes out: the hub may verify before it answers."""
    attempts = subscription.attempts + 1
    # With several hubs the waits are between rounds.
    again = now + max(VERIFICATION, _retry(attempts) if len(subscription.hubs) < 2 else timedelta(0))
    changes: Changes = {"callback": callback, "attempts": attempts, "act_at": again}
    if subscription.state is HubState.ACTIVE and subscription.lease_until is not None:
        changes["act_at"] = min(again, subscription.lease_until)
    elif subscription.state is not HubState.LEAVING:
        changes["state"] = HubState.ASKED.value
    return changes


def refused(subscription: HubSubscription, message: str, wait: timedelta | None, now: datetime) -> Changes:
    """The hub did not take the request."""
    again = now + max(_retry(subscription.attempts), min(wait or timedelta(0), LAST_RETRY))
    changes: Changes = {"message": message, "act_at": again}
    if subscription.state is HubState.ACTIVE and subscription.lease_until is not None:
        changes["act_at"] = min(again, max(subscription.lease_until, now))
    elif subscription.state is not HubState.LEAVING:
        changes["state"] = HubState.OFFERED.value
    return changes


def elsewhere(
    subscription: HubSubscription, message: str, now: datetime, wait: timedelta = timedelta(0)
) -> Changes | None:
    """The next hub that the source names, after this one did not take, verify or grant it; None: there is no other.

    Once all were asked, the first waits: `wait` at least, and longer with each round.
    """
    hubs = subscription.hubs
    ours = subscription.state in {HubState.ACTIVE, HubState.LEAVING}
    if ours or len(hubs) < 2 or subscription.hub not in hubs:
        return None
    attempts = max(subscription.attempts, 1)
    rounds, rest = divmod(attempts, len(hubs))
    return {
        "hub": hubs[(hubs.index(subscription.hub) + 1) % len(hubs)], "state": HubState.OFFERED.value,
        "attempts": attempts, "act_at": now if rest else now + max(_retry(rounds), min(wait, LAST_RETRY)),
        "message": message,
    }  # fmt: skip


def verified(
    subscription: HubSubscription, topic: str, seconds: int | None, asked: timedelta, now: datetime
) -> Changes | None:
    """The hub asks whether we mean it; None: we do not. `seconds` is the lease it grants."""
    if subscription.state not in {HubState.ASKED, HubState.ACTIVE} or topic != subscription.topic:
        return None
    lease = asked if seconds is None else min(timedelta(seconds=max(1, min(seconds, 10**9))), LONGEST_LEASE)
    return {
        "state": HubState.ACTIVE.value, "lease_until": now + lease, "verified_at": now, "attempts": 0,
        "act_at": now + lease * RENEWAL, "message": None,
    }  # fmt: skip


def denied(subscription: HubSubscription, topic: str, reason: str, now: datetime) -> Changes | None:
    """The hub will not push, or no longer; None: it speaks of something else."""
    if topic != subscription.topic or subscription.state is HubState.LEAVING:
        return None
    return {
        "state": HubState.DENIED.value, "lease_until": None, "act_at": now + AFTER_DENIAL, "attempts": 0,
        "message": f"the hub denies it: {reason}" if reason else "the hub denies it and does not say why",
    }  # fmt: skip


def lapsed(subscription: HubSubscription, now: datetime) -> Changes | None:
    """The lease of an active subscription is over; None: it is not."""
    if subscription.state is not HubState.ACTIVE or subscription.is_active(now):
        return None
    return {"state": HubState.OFFERED.value, "lease_until": None, "act_at": now, "message": "its lease ran out"}


def is_over(subscription: HubSubscription) -> bool:
    """Whether a subscription that is being ended can be forgotten."""
    never_asked = subscription.callback is None
    return subscription.state is HubState.LEAVING and (never_asked or subscription.attempts >= FAREWELLS)


def safety_poll(
    schedule: Adaptive, source_id: str, *, now: datetime, failures: float, worked_once: bool, word: PublisherWord | None
) -> Decision:
    """When a source is polled next whose hub is relied upon: at the slowest pace that its schedule allows."""
    slowest = Every(interval=schedule.ceiling * 0.95, jitter=0.05)
    found = decide(slowest, source_id, now=now, failures=failures, worked_once=worked_once, word=word)
    text = "its hub pushes news as they come; this is the poll that makes sure of it"
    first = replace(found.terms[0], name="push", text=text)
    return Decision(found.at, (first, *found.terms[1:]))


def _retry(attempts: int) -> timedelta:
    return min(FIRST_RETRY * float(2 ** min(max(attempts - 1, 0), 20)), LAST_RETRY)
