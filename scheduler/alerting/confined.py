"""Connections of foreign code, judged where they are made.

apprise opens its own connections, looks names up by itself and follows redirects, in threads of its own, which get
the context of who called. Python tells its auditors of every connection before it is made, with the address: there
it is judged, for every hop, whatever a name said a moment ago.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import cache
from typing import TypeVar

from crawlers.address import Network, judge
from crawlers.resolve import ForbiddenAddressError

T = TypeVar("T")

#: Networks that may be connected to besides public ones; None where nobody is confined.
_networks: ContextVar[tuple[Network, ...] | None] = ContextVar("networks", default=None)


def confined(networks: Sequence[Network], work: Callable[[], T]) -> T:
    """Do `work` in this context, in which only public addresses and those in `networks` can be connected to.

    A connection to another raises ForbiddenAddressError, an OSError, inside `work`.
    """
    _listen()
    before = _networks.set(tuple(networks))
    try:
        return work()
    finally:
        _networks.reset(before)


@cache
def _listen() -> None:
    """Once a process: an auditor cannot be taken away again."""
    sys.addaudithook(_judge)


def _judge(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect" or (networks := _networks.get()) is None:
        return
    place = arguments[1]
    if not isinstance(place, tuple):
        return  # a path of this machine's file system
    verdict = judge(str(place[0]), networks)
    if not verdict.permitted:
        raise ForbiddenAddressError(f"{place[0]} is not a public address ({verdict.range})")
