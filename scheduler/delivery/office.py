"""All consumers of one configuration: a courier each, as long as this process leads.

A courier works under a lease of its consumer's name, whose token fences what it writes: while leadership
changes hands two processes may send the same event, but only one moves the cursor.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from redis.asyncio import Redis

from config.model import Files, Settings, Stream, Subscription, Webhook
from scheduler.delivery.courier import Courier
from scheduler.delivery.files import FilesTarget
from scheduler.delivery.stream import StreamTarget
from scheduler.delivery.target import Target
from scheduler.delivery.webhook import WebhookTarget
from storage.delivery import DeliveryLost
from storage.errors import StorageUnavailable
from storage.events import EventFilter
from storage.leases import Lease, LeaseLostError, Leases
from storage.redis import RedisUnavailableError, connect
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: Another process takes a consumer over this long after its courier died.
TERM = timedelta(seconds=15)
#: Pause of a courier that has nothing to do.
IDLE_SECONDS = 0.5
#: Pause after trouble of our own.
PAUSE_SECONDS = 5.0


def filter_of(subscription: Subscription) -> EventFilter:
    """What a consumer is told."""
    return EventFilter(
        outlets=subscription.outlets, copies=subscription.copies, events=subscription.events,
        backfilled=subscription.backfilled, materiality=subscription.materiality,
    )  # fmt: skip


def kind_of(subscription: Subscription) -> str:
    """webhook, stream or files."""
    return type(subscription.target).__name__.lower()


@dataclass(frozen=True, slots=True)
class _Courier:
    #: What it was started with; another configuration starts another.
    basis: object
    task: asyncio.Task[None]


class DeliveryOffice:
    """Keeps a courier at work for every consumer in the configuration."""

    def __init__(
        self,
        *,
        storage: Storage,
        leases: Leases,
        redis: Redis,
        settings: Callable[[], Settings],
        holder: str,
        now: Callable[[], datetime],
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._storage = storage
        self._leases = leases
        self._redis = redis
        self._settings = settings
        self._holder = holder
        self._now = now
        self._dice = dice
        self._couriers: dict[str, _Courier] = {}

    async def tick(self, *, leads: bool) -> None:
        """Start and end couriers, so that there is one for each consumer while this process leads, else none."""
        settings = self._settings()
        wanted = {s.name: (s, settings.allow_networks, settings.resolve) for s in settings.deliver} if leads else {}
        gone = [name for name, courier in self._couriers.items() if wanted.get(name) != courier.basis]
        await self._end(gone)
        for name, basis in wanted.items():
            if name not in self._couriers:
                task = asyncio.create_task(self._keep(basis[0]), name=f"courier {name}")
                self._couriers[name] = _Courier(basis, task)

    async def stop(self) -> None:
        """End every courier; what is on its way is sent again by the next."""
        await self._end(list(self._couriers))

    async def _end(self, names: list[str]) -> None:
        tasks = [self._couriers.pop(name).task for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, subscription: Subscription) -> None:
        """Work under a lease, again and again."""
        name = subscription.name
        while True:
            try:
                lease = await self._acquire(subscription)
                if lease is not None:
                    async with self._leases.held(lease, cancel=True):
                        await self._work(subscription, lease)
            except (DeliveryLost, LeaseLostError) as error:
                log.warning("courier steps back", consumer=name, reason=str(error))
            except (StorageUnavailable, RedisUnavailableError) as error:
                log.warning("courier cannot work", consumer=name, reason=str(error))
            except Exception:  # one consumer's bug is no other's
                log.exception("courier failed", consumer=name)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _acquire(self, subscription: Subscription) -> Lease | None:
        consumer = await self._storage.deliveries.declare(
            subscription.name, kind_of(subscription), self._now(), from_beginning=subscription.from_beginning
        )
        return await self._leases.acquire(f"deliver:{subscription.name}", self._holder, TERM, floor=consumer.fence)

    async def _work(self, subscription: Subscription, lease: Lease) -> None:
        target = self._target(subscription)
        try:
            courier = Courier(
                consumer=await self._storage.deliveries.take(subscription.name, lease.token),
                target=target,
                where=filter_of(subscription),
                give_up=give_up_of(subscription),
                events=self._storage.events,
                deliveries=self._storage.deliveries,
                now=self._now,
                dice=self._dice,
            )
            while True:
                if not await courier.round():
                    await asyncio.sleep(IDLE_SECONDS)
        finally:
            await target.close()

    def _target(self, subscription: Subscription) -> Target:
        settings = self._settings()
        match subscription.target:
            case Webhook() as webhook:
                return WebhookTarget(
                    webhook, allow_networks=settings.allow_networks, resolve=settings.resolve, now=self._now
                )
            case Stream(redis=None) as stream:
                return StreamTarget(stream, self._redis)
            case Stream() as stream:
                assert stream.redis is not None
                return StreamTarget(stream, connect(stream.redis, connections=2, name="warta-deliver"), owned=True)
            case Files() as files:
                return FilesTarget(files)


def give_up_of(subscription: Subscription) -> timedelta:
    """How long an event is tried; only webhooks refuse single events."""
    target = subscription.target
    return target.give_up if isinstance(target, Webhook) else timedelta(days=1)
