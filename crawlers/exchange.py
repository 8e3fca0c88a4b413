"""One request on the wire and its answer: what the fetcher hands to the engine and gets back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from crawlers.address import Target
from crawlers.model import FailureKind


class ExchangeFailedError(Exception):
    """No whole answer came, and why."""

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer to one request, redirects not followed."""

    status: int
    #: Lower-case names, values byte for byte as latin-1.
    headers: tuple[tuple[str, str], ...]
    #: After transfer and content decoding.
    body: bytes
    #: Everything received: status line, headers, body as it travelled.
    wire_bytes: int

    def header(self, name: str) -> str | None:
        """The first value of that header, or None."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(slots=True, kw_only=True, eq=False)
class Exchange:
    """One request under its limits. Mutable only in that it can be aborted."""

    target: Target
    headers: tuple[tuple[str, str], ...]
    #: From the first byte sent (and the name look-up before it) to the last received.
    seconds: float
    #: Body bytes as they travel.
    max_bytes: int
    #: Body bytes after decoding.
    max_decoded: int
    max_ratio: int
    #: Past ``max_bytes`` the rest is left unread instead of failing (robots.txt, RFC 9309 section 2.5).
    keep_start: bool = False
    #: Let the connection go afterwards instead of keeping it for the next request.
    close: bool = True
    answer: Answer | None = None
    _task: asyncio.Task[object] | None = field(default=None, repr=False)
    _aborted: bool = False

    def enter(self) -> None:
        """Called by the download handler in the task that does the work."""
        if self._aborted:
            raise asyncio.CancelledError
        self._task = asyncio.current_task()

    def leave(self) -> None:
        """Called by the download handler when it is done."""
        self._task = None

    @property
    def aborted(self) -> bool:
        """Whether the one who asked has gone."""
        return self._aborted

    def abort(self) -> None:
        """End the work at once; the connection is closed."""
        self._aborted = True
        if self._task is not None:
            self._task.cancel()
