"""A delivery office as the daemon runs it, on a clock that runs faster.

Arguments: database URL, Redis URL, webhook URL, secret, stream key, directory of files, seconds of its clock a second.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

from config.load import load
from config.model import Files, Stream, Subscription, Webhook
from scheduler import holder
from scheduler.delivery.office import DeliveryOffice
from storage.leases import Leases
from storage.redis import connect
from storage.storage import Storage

database, redis_url, url, secret, key, directory, speed = sys.argv[1:8]
START = datetime(2026, 11, 23, tzinfo=UTC)


def now() -> datetime:
    return START + (datetime.now(UTC) - START) * float(speed)


async def main() -> None:
    warta = Path(directory).parent / "warta.yaml"
    settings = replace(
        load(warta, {}),
        allow_networks=(ip_network("127.0.0.0/8"),),
        deliver=(
            Subscription(name="hook", target=Webhook(url=url, secret=secret, timeout=timedelta(seconds=2))),
            Subscription(name="stream", target=Stream(key=key, length=1_000_000)),
            Subscription(name="files", target=Files(directory=Path(directory), every=timedelta(seconds=1))),
        ),
    )
    storage = await Storage.open(database, now=now)
    redis = connect(redis_url)
    office = DeliveryOffice(
        storage=storage,
        leases=Leases(redis, is_dead=holder.is_dead),
        redis=redis,
        settings=lambda: settings,
        holder=holder.name(),
        now=now,
    )
    while True:
        await office.tick(leads=True)
        await asyncio.sleep(0.5)


asyncio.run(main())
