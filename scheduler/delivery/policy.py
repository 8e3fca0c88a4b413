"""When to try again: pure, `now` and the dice are arguments."""

from __future__ import annotations

from datetime import datetime, timedelta

#: Wait after the first refusal; it triples up to the longest.
FIRST = timedelta(seconds=5)
LONGEST = timedelta(hours=1)


def wait(failures: int, dice: float) -> timedelta:
    """How long to wait after that many refusals in a row (from 1); `dice` in [0, 1) spreads it by half."""
    whole = min(FIRST.total_seconds() * 3.0 ** min(failures - 1, 10), LONGEST.total_seconds())
    return timedelta(seconds=whole * (0.75 + 0.5 * dice))


def next_attempt(
    attempts: int,
    first_failed: datetime,
    now: datetime,
    *,
    give_up: timedelta,
    dice: float,
    retry_after: timedelta | None = None,
) -> datetime | None:
    """When an event that was refused `attempts` times is tried again; None: it is a dead letter.

    The last attempt is made when the time to give up has come, not one wait before. A consumer's own
    word (Retry-After) is heeded up to an hour.
    """
    end = first_failed + give_up
    if now >= end:
        return None
    pause = wait(attempts, dice)
    if retry_after is not None:
        pause = max(pause, min(retry_after, LONGEST))
    return min(now + pause, end)
