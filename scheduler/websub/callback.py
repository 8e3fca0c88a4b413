"""Where hubs reach us: each subscription has an address of its own, and nothing else is here.

The last part of the path names the subscription; what stands before it is the business of the proxy in front.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from scheduler.websub import policy
from storage.errors import StorageError
from storage.hubs import HubState, HubSubscription
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: Bodies that are received at a time, and time for one.
_AT_ONCE = 8
_SECONDS = 30.0
#: Longest challenge and reason that are answered or kept.
_MOST_CHARS = 2_000

#: Told the source of a subscription whose hub will push no more.
Lost = Callable[[str], Awaitable[None]]


class Callbacks:
    """Answers hubs; what they push is stored before it is acknowledged."""

    def __init__(
        self,
        storage: Storage,
        *,
        lease: timedelta,
        most_bytes: int,
        lost: Lost,
        now: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._lease = lease
        self._most_bytes = most_bytes
        self._lost = lost
        self._now = now
        self._room = asyncio.Semaphore(_AT_ONCE)

    def app(self) -> Starlette:
        """The application to serve."""
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])

    async def _answer(self, request: Request) -> Response:
        try:
            subscription = await self._storage.hubs.get(request.url.path.rpartition("/")[2][:100])
            if subscription is None:
                return _plain(404, "no such subscription")
            with structlog.contextvars.bound_contextvars(source=subscription.source_id, hub=subscription.hub):
                if request.method == "POST":
                    return await self._pushed(subscription, request)
                return await self._asked(subscription, request)
        except StorageError as error:
            log.warning("hub not answered", reason=str(error))
            return _plain(503, "try again later")

    # -- verification (section 5.3) -----------------------------------------------------------

    async def _asked(self, subscription: HubSubscription, request: Request) -> Response:
        said = request.query_params
        mode, topic, challenge = said.get("hub.mode"), said.get("hub.topic", ""), said.get("hub.challenge", "")
        if mode == "denied":
            return await self._denied(subscription, topic, said.get("hub.reason", "")[:_MOST_CHARS])
        if not challenge or len(challenge) > _MOST_CHARS:
            return _plain(404, "nothing was asked for")
        if mode == "unsubscribe" and subscription.state is HubState.LEAVING and topic == subscription.topic:
            await self._storage.hubs.drop(subscription.id)
            log.info("hub left")
            return _plain(200, challenge)
        seconds = said.get("hub.lease_seconds", "")
        granted = int(seconds[:12]) if seconds.isascii() and seconds.isdigit() else None
        changes = (
            policy.verified(subscription, topic, granted, self._lease, self._now()) if mode == "subscribe" else None
        )
        if changes is None or not await self._storage.hubs.change(subscription.id, **changes):
            return _plain(404, "nothing of the kind was asked for")
        log.info("hub pushes", topic=topic, until=changes["lease_until"].isoformat())
        return _plain(200, challenge)

    async def _denied(self, subscription: HubSubscription, topic: str, reason: str) -> Response:
        changes = policy.denied(subscription, topic, reason, self._now())
        if changes is None:
            return _plain(404, "nothing of the kind was asked for")
        other = policy.elsewhere(
            replace(subscription, state=HubState.DENIED), changes["message"], self._now(), policy.LAST_RETRY
        )
        if other is None:
            await self._storage.hubs.change(subscription.id, **changes)
        else:
            await self._storage.hubs.turn(subscription.id, **other)
        log.warning("hub denied", reason=changes["message"])
        await self._lost(subscription.source_id)
        return _plain(200, "")

    # -- content (section 7) ------------------------------------------------------------------

    async def _pushed(self, subscription: HubSubscription, request: Request) -> Response:
        if subscription.state is not HubState.ACTIVE:
            return _plain(410, "there is no such subscription any more")
        async with self._room:
            try:
                async with asyncio.timeout(_SECONDS):
                    body = await self._body(request)
            except (TimeoutError, ClientDisconnect):
                return _plain(408, "the body did not come in time")
            if body is None:
                log.warning("push not taken", reason=f"more than {self._most_bytes} bytes")
                return _plain(413, "more than is taken")
            if not policy.is_signed(subscription, request.headers.get("x-hub-signature"), body):
                # Acknowledged, so that nobody learns by trying what a right signature is.
                log.warning("push ignored", reason="its signature is missing or wrong")
                await self._storage.hubs.ignored(subscription.id)
                return _plain(202, "")
            kept = await self._storage.hubs.push(subscription, body, request.headers.get("content-type"), self._now())
        log.info("push taken", bytes=len(body), kept=kept)
        return _plain(202, "")

    async def _body(self, request: Request) -> bytes | None:
        """The body, None when it is too long."""
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced[:18]) > self._most_bytes:
            return None
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._most_bytes:
                return None
        return bytes(body)


def _plain(status: int, text: str) -> Response:
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Security-Policy": "sandbox"}
    return Response(text, status_code=status, media_type="text/plain", headers=headers)
