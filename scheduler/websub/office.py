"""Keeps subscriptions at hubs: asks, renews, ends them, and sends a source back to polling when its hub fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog

from config.model import Adaptive, Settings, WebSub
from scheduler.policy import first_attempt
from scheduler.websub import policy
from scheduler.websub.client import HubClient
from storage.hubs import HubState, HubSubscription
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: Requests of one round, and of these to one host: a hub of ten thousand sources is asked over hours.
_A_ROUND = 10
_A_HOST = 2


class SubscriptionOffice:
    """Does what is due about subscriptions, while this process leads."""

    def __init__(
        self,
        storage: Storage,
        settings: Callable[[], Settings],
        client: HubClient,
        websub: WebSub | None,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._settings = settings
        self._client = client
        #: Where hubs reach us; None: nowhere, so nothing is asked for.
        self._websub = websub
        self._now = now
        self._opened = False

    async def open(self) -> None:
        """Start anew what was asked under another address, or with nobody listening any more."""
        callback = self._websub.callback if self._websub else None
        for source_id in await self._storage.hubs.readdress(callback, self._now()):
            await self.lost(source_id)
        self._opened = True

    async def tick(self) -> None:
        """One round; the first one begins with what another configuration left behind."""
        if not self._opened:
            await self.open()
        now = self._now()
        await self._storage.hubs.retire(now)
        asked: Counter[str] = Counter()
        for subscription in await self._storage.hubs.due(now, 50):
            host = urlsplit(subscription.hub).hostname or ""
            if sum(asked.values()) >= _A_ROUND:
                break
            if asked[host] < _A_HOST:
                asked[host] += await self._attend(subscription, now)

    async def close(self) -> None:
        """Subscriptions stay: hubs try again while we are away."""
        await self._client.close()

    async def lost(self, source_id: str) -> None:
        """Its hub pushes no more: a source that relied on it is polled soon."""
        source = self._settings().source(source_id)
        state = await self._storage.sources.get(source_id)
        if source is None or state is None or not isinstance(source.schedule, Adaptive):
            return
        soon = first_attempt(source_id, self._now(), source.schedule)
        if state.next_attempt > soon and state.failures == 0 and state.gone_at is None:
            await self._storage.sources.reschedule(source_id, soon)

    async def _attend(self, subscription: HubSubscription, now: datetime) -> bool:
        """Do what is due about one; whether its hub was asked."""
        hubs = self._storage.hubs
        if policy.is_over(subscription):
            await hubs.drop(subscription.id)
            return False
        if (changes := policy.lapsed(subscription, now)) is not None:
            await hubs.change(subscription.id, **changes)
            log.warning("hub lease over", source=subscription.source_id, hub=subscription.hub)
            await self.lost(subscription.source_id)
            return False
        if subscription.state is HubState.ASKED and self._websub is not None:
            message = f"{subscription.hub} took the request and did not ask back within {policy.VERIFICATION}"
            if await self._went_elsewhere(subscription, message):
                return False
        callback = self._websub.callback if self._websub else subscription.callback
        if (self._websub is None and subscription.state is not HubState.LEAVING) or callback is None:
            await hubs.change(subscription.id, act_at=None)
            return False
        await self._ask(subscription, callback, now)
        return True

    async def _ask(self, subscription: HubSubscription, callback: str, now: datetime) -> None:
        hubs = self._storage.hubs
        leaving = subscription.state is HubState.LEAVING
        if not await hubs.change(subscription.id, **policy.before_asking(subscription, callback, now)):
            return
        form = {
            "hub.mode": "unsubscribe" if leaving else "subscribe",
            "hub.topic": subscription.topic,
            "hub.callback": f"{callback.rstrip('/')}/{subscription.id}",
        }
        if not leaving and self._websub is not None:
            form["hub.secret"] = subscription.secret
            form["hub.lease_seconds"] = str(int(self._websub.lease.total_seconds()))
        refusal = await self._client.ask(subscription.hub, form)
        asked = await hubs.get(subscription.id)
        if refusal is None or asked is None:
            return
        if asked.verified_at != subscription.verified_at:
            return  # verified all the same
        log.warning("hub refuses", source=asked.source_id, hub=asked.hub, reason=refusal.message)
        if not await self._went_elsewhere(asked, refusal.message, refusal.wait):
            await hubs.change(asked.id, **policy.refused(asked, refusal.message, refusal.wait, self._now()))

    async def _went_elsewhere(self, subscription: HubSubscription, message: str, wait: timedelta | None = None) -> bool:
        """Whether another hub of the source is asked in place of this one."""
        changes = policy.elsewhere(subscription, message, self._now(), wait or timedelta(0))
        if changes is None:
            return False
        await self._storage.hubs.turn(subscription.id, **changes)
        log.info("hub changed", source=subscription.source_id, hub=changes["hub"], reason=message)
        return True
