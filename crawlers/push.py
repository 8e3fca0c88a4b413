"""What a hub pushed, read like the answer of a poll: in a child process, within the same limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from crawlers.model import Discovered, DiscoveryFailed, FeedEntry, Fetched
from storage.hubs import Push

log = structlog.get_logger(__name__)

#: Pushes that one run reads; the rest is the business of the next.
AT_ONCE = 50


async def entries_of(
    push: Push, read: Callable[[Fetched], Awaitable[Discovered | DiscoveryFailed]]
) -> tuple[FeedEntry, ...] | None:
    """The items of a push; None, and a line in the log, when it is nothing to read."""
    answer = Fetched(
        url=push.topic, final_url=push.topic, status=200, headers=(), body=push.body, fetched_at=push.received_at,
        content_type=push.content_type,
    )  # fmt: skip
    found = await read(answer)
    if isinstance(found, Discovered) and found.entries:
        return found.entries
    why = found.message if isinstance(found, DiscoveryFailed) else "it lists nothing"
    log.warning("push not read", topic=push.topic, message=why)
    return None
