"""Named crash points, so that tests can kill the process exactly at a commit boundary.

Off unless the environment variable ``WARTA_FAULT_AT`` is set to ``name`` or ``name:count`` when the
process starts; then the process kills itself with SIGKILL at the count-th passing of that point.
Points: ``before_commit`` and ``after_commit`` (the article writer), and the same two prefixed with
``begin.``, ``discovered.`` and ``finish.`` (the run ledger).
"""

from __future__ import annotations

import os
import signal
from functools import cache
from itertools import count

_passings = count(1)


@cache
def _armed() -> tuple[str, int] | None:
    name, _, number = os.environ.get("WARTA_FAULT_AT", "").partition(":")
    return (name, int(number or 1)) if name else None


def point(name: str) -> None:
    """Kill this process if this is the armed point and its count has come."""
    armed = _armed()
    if armed is not None and armed[0] == name and next(_passings) == armed[1]:
        os.kill(os.getpid(), signal.SIGKILL)
