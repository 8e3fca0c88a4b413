"""Keeping to the request budgets: every few minutes the price of a request is found anew and told to the workers.

The price lives as the fact ``prices``; without a budget there is none, and a request costs what it always does.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from config.model import Settings
from scheduler.budget import Prices, corrected, price
from scheduler.rhythm import PRICE
from storage.storage import Storage

FACT = "prices"

#: Stands for all outlets together where outlets are keys.
TOTAL = ""

#: Workers read the price again after so many seconds.
FRESH_SECONDS = 60.0

_DAY = timedelta(days=1)


async def reprice(storage: Storage, settings: Settings, now: datetime) -> Prices:
    """Find the prices that the budgets ask for and tell them."""
    budgets = {o.id: o.requests_per_day for o in settings.outlets if o.requests_per_day}
    if not budgets and settings.requests_per_day is None:
        if await storage.facts.get(FACT) is not None:
            await storage.facts.drop(FACT)
        return Prices()
    curves: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for outlet, curve in await storage.rhythms.demands():
        curves[outlet].append(curve)
        curves[TOTAL].append(curve)
    if settings.requests_per_day is not None:
        budgets[TOTAL] = settings.requests_per_day
    before = await storage.facts.get(FACT)
    corrections = await _corrections(storage, budgets, before, now)
    at = {key: price(curves[key], budget, correction=corrections[key]) for key, budget in budgets.items()}
    found = Prices(at.pop(TOTAL, PRICE), at, corrections)
    fact = {"total": found.total, "outlets": found.outlets, "corrections": corrections, "at": now.isoformat()}
    await storage.facts.put(FACT, fact, now)
    return found


async def _corrections(
    storage: Storage, budgets: Mapping[str, int], before: Mapping[str, Any] | None, now: datetime
) -> dict[str, float]:
    """What the last day taught of each price; nothing before there was a whole one."""
    former: Mapping[str, float] = before["corrections"] if before else {}
    since = datetime.fromisoformat(before["at"]) if before else now
    spent = await storage.rhythms.polls(now - _DAY)
    whole = sum((await storage.rhythms.polls(now - 2 * _DAY)).values()) > sum(spent.values())
    for outlet_id, visits in (await storage.visits.spent(now - _DAY)).items():
        spent[outlet_id] = spent.get(outlet_id, 0) + visits
    spent[TOTAL] = sum(spent.values())
    elapsed = (now - since) / _DAY if whole else 0.0
    return {
        key: corrected(former.get(key, 1.0), spent=spent.get(key, 0), per_day=budget, elapsed=elapsed)
        for key, budget in budgets.items()
    }


def prices_from(fact: Mapping[str, Any] | None) -> Prices:
    """The prices that were told; the usual ones when none were."""
    return Prices() if fact is None else Prices(float(fact["total"]), dict(fact["outlets"]))


class PriceList:
    """The prices as last told, read again now and then."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._read_at = float("-inf")
        self.prices = Prices()

    async def refresh(self) -> None:
        """Read the prices if they may have changed."""
        if time.monotonic() - self._read_at >= FRESH_SECONDS:
            self._read_at = time.monotonic()
            self.prices = prices_from(await self._storage.facts.get(FACT))
