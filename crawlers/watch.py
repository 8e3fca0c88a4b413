"""Which outlets drift: judged from what their pages gave, kept as facts for everyone to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import structlog

from config.model import Outlet
from crawlers.drift import BASELINE, KEPT, Drift, Fall, judge
from crawlers.measure import CURRENT, asked_of
from storage.coverage import Coverage
from storage.facts import DRIFT
from storage.storage import Storage

log = structlog.get_logger(__name__)


class DriftWatch:
    """Judges outlets after their runs. Knows nothing of pages; what these gave is in storage."""

    def __init__(self, storage: Storage, now: Callable[[], datetime]) -> None:
        self._storage = storage
        self._now = now
        self._drifting: set[str] = set()

    def doubts(self, outlet_id: str) -> bool:
        """Whether the outlet's rules are to be held against generic extraction; as of the last look."""
        return outlet_id in self._drifting

    async def look(self, outlet_id: str) -> None:
        """Learn what is known of the outlet: another worker may have judged it."""
        known = await self._storage.facts.get(DRIFT + outlet_id)
        self._keep(outlet_id, drifts=known is not None)

    async def judge(self, outlet: Outlet) -> Drift:
        """Judge the outlet by its last pages and state what was found, where that is another thing than before."""
        storage, now, name = self._storage, self._now(), DRIFT + outlet.id
        fact = await storage.facts.get(name)
        former, baseline = drift_of(fact), _baseline_of(fact)
        last = await storage.coverage.last(outlet.id, CURRENT, KEPT)
        if baseline is None:
            total = await storage.coverage.total(outlet.id, CURRENT, (now - BASELINE).date(), now.date())
            baseline = total.without(Coverage.of(last))
        since = datetime.fromisoformat(str(fact["since"])) if fact else now
        drift = judge(baseline, last, asked_of(outlet), former, since=since, now=now)
        if drift and not former:
            log.warning("outlet drifting", outlet=outlet.id, message=drift.evidence)
        if former and not drift:
            log.info("outlet recovered", outlet=outlet.id, message=f"no longer: {former.evidence}")
            await storage.facts.drop(name)
        elif drift and drift != former:
            await storage.facts.put(name, _fact(drift, since, baseline), now)
        await storage.coverage.trim(outlet.id, CURRENT, KEPT)
        self._keep(outlet.id, drifts=bool(drift))
        return drift

    def _keep(self, outlet_id: str, *, drifts: bool) -> None:
        if drifts:
            self._drifting.add(outlet_id)
        else:
            self._drifting.discard(outlet_id)


def drift_of(fact: Mapping[str, Any] | None) -> Drift:
    """The drift that a fact states."""
    return Drift(tuple(Fall(**fall) for fall in fact["falls"])) if fact else Drift()


def _fact(drift: Drift, since: datetime, baseline: Coverage) -> dict[str, Any]:
    """The baseline stays with it: pages read in drift must not become what is usual."""
    return {
        "since": since.isoformat(),
        "evidence": drift.evidence,
        "falls": [asdict(fall) for fall in drift.falls],
        "baseline": {
            "pages": baseline.pages, "found": dict(baseline.found), "ruled": dict(baseline.ruled),
            "sizes": [[size, *sums] for size, sums in sorted(baseline.sizes.items())],
        },
    }  # fmt: skip


def _baseline_of(fact: Mapping[str, Any] | None) -> Coverage | None:
    if not fact:
        return None
    kept = fact["baseline"]
    sizes = {size: (pages, characters) for size, pages, characters in kept["sizes"]}
    return Coverage(kept["pages"], kept["found"], kept["ruled"], sizes)
