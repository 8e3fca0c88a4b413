"""Where a source is: moved for good, missing, or gone. Pure.

What is seen, and what follows from it::

    301/308 on every poll for a week, and a source there ──► its address is adopted
    302, 303, 307                                        ──► never
    410 on three days                                    ──► gone: probed once a month
    404, 410 or another page for three days              ──► a replacement is searched for, once a week
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from crawlers.model import FailureKind, Redirect
from storage.model import SourceState

#: A permanent redirect is believed after it has held for so long.
AGREEMENT = timedelta(days=7)

#: Days with a 410 after which a source is gone, and the least time between two that count.
GONE_DAYS = 3
_A_DAY = timedelta(hours=20)

#: How often a source that is gone is looked at.
GONE_PROBE = timedelta(days=30)

#: Time without a source at its address after which a replacement is searched for, and again.
SEARCH_AFTER = timedelta(days=3)
SEARCH_AGAIN = timedelta(days=7)

#: An adopted address without a source for so long is given up for the configured one.
WITHDRAW_AFTER = timedelta(days=1)

#: Failures that say: there is no source here. Networks, overload and walls say nothing of the kind.
ABSENCE = frozenset({FailureKind.NOT_FOUND, FailureKind.GONE, FailureKind.NOT_A_FEED})


def target(redirects: Sequence[Redirect]) -> str | None:
    """Where the permanent redirects lead that stand before the first temporary one."""
    lasting = list(takewhile(lambda hop: hop.permanent, redirects))
    return lasting[-1].url if lasting else None


def found(state: SourceState, redirects: Sequence[Redirect], now: datetime) -> dict[str, Any]:
    """The state after a poll that found the source, straight or by redirects."""
    changes: dict[str, Any] = {
        "missing_since": None,
        "searched_at": None,
        "proposal": None,
        "gone_days": 0,
        "gone_counted_at": None,
        "gone_at": None,
    }
    return {name: value for name, value in changes.items() if getattr(state, name) != value} | _moved(
        state, redirects, now, adopt=True
    )


def failed(state: SourceState, kind: FailureKind, redirects: Sequence[Redirect], now: datetime) -> dict[str, Any]:
    """The state after a poll that did not find it."""
    changes = _moved(state, redirects, now, adopt=False) if redirects else {}
    if kind not in ABSENCE:
        return changes
    since = state.missing_since or now
    changes["missing_since"] = since
    if state.adopted_url is not None and now - since >= WITHDRAW_AFTER:
        changes |= {"adopted_url": None, "missing_since": None}
    if kind is FailureKind.GONE and (state.gone_counted_at is None or now - state.gone_counted_at >= _A_DAY):
        days = state.gone_days + 1
        changes |= {"gone_days": days, "gone_counted_at": now}
        if days >= GONE_DAYS and state.gone_at is None:
            changes["gone_at"] = now
    return changes


def _moved(state: SourceState, redirects: Sequence[Redirect], now: datetime, *, adopt: bool) -> dict[str, Any]:
    there = target(redirects)
    if there is None:
        return {"moved_to": None, "moved_since": None}
    since = state.moved_since if state.moved_to == there and state.moved_since is not None else now
    if adopt and now - since >= AGREEMENT:
        return {"adopted_url": there, "moved_to": None, "moved_since": None}
    return {"moved_to": there, "moved_since": since}


def is_search_due(state: SourceState, missing_since: datetime | None, now: datetime) -> bool:
    """Whether a replacement is searched for now."""
    if missing_since is None or now - missing_since < SEARCH_AFTER:
        return False
    return state.searched_at is None or now - state.searched_at >= SEARCH_AGAIN


def not_before(gone_at: datetime | None, now: datetime) -> datetime | None:
    """The earliest next poll of a source that is gone; None for others."""
    return None if gone_at is None else now + GONE_PROBE
