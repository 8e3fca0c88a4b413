"""What a consumer is to the courier: something that takes events and answers for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from storage.events import Event


@dataclass(frozen=True, slots=True)
class Accepted:
    """The consumer has the event."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It answered that it has not, or did not answer."""

    #: One sentence.
    reason: str
    #: When it wants to be asked again.
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Not sent, because an earlier event of the same article was refused."""


Answer = Accepted | Refused | Held


class TargetDown(Exception):
    """The whole consumer cannot take anything now; nothing of the batch is blamed. One sentence."""


class Target(Protocol):
    """A consumer's end of the wire."""

    #: Events handed over at once, at most.
    batch: int
    #: How old the first event becomes before fewer than a batch are handed over.
    patience: timedelta

    async def send(self, events: Sequence[Event], *, replayed: bool) -> list[Answer]:
        """Hand over events, in order per article, and give an answer for each.

        `replayed` events were refused or accepted before; others are met for the first time, unless a crash
        repeats them. Raises TargetDown.
        """
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...
