"""Runs that fit a filter: by the database as far as it can tell, the rest by looking."""

from __future__ import annotations

from monitor.filters import Filter, FilterError
from storage.model import CrawlRun, RunStatus
from storage.runs import Runs

#: Names that a filter of runs may use.
NAMES = ("outlet", "source", "status", "reason")
#: Runs looked through for what the database was not asked, before a page ends, found or not.
LOOKED_THROUGH = 2_000
#: Runs read at once meanwhile.
BATCH = 500


async def find(
    runs: Runs, wanted: Filter, *, before: str | None = None, limit: int = 50
) -> tuple[list[CrawlRun], str | None]:
    """The newest runs that fit, and the id to go on behind; None at the end. Raises FilterError."""
    try:
        statuses = [RunStatus(value) for value in wanted.fields.get("status", ())]
    except ValueError as error:
        raise FilterError(f"{error}; a status is one of {', '.join(RunStatus)}") from None
    found: list[CrawlRun] = []
    looked = 0
    size = limit if _asked_all(wanted) else BATCH
    while looked < max(LOOKED_THROUGH, limit):
        batch = await runs.list(
            source_id=_exact(wanted, "source"), outlet_id=_exact(wanted, "outlet"), statuses=statuses,
            reason=_exact(wanted, "reason"), since=wanted.since, until=wanted.until, before=before, limit=size + 1,
        )  # fmt: skip
        for run in batch[:size]:
            looked, before = looked + 1, run.id
            if _fits(wanted, run):
                found.append(run)
                if len(found) == limit:
                    return found, before
        if len(batch) <= size:
            return found, None
    return found, before


def _asked_all(wanted: Filter) -> bool:
    said = all(_exact(wanted, name) is not None for name in wanted.fields if name != "status")
    return said and not wanted.text and not wanted.without


def _exact(wanted: Filter, name: str) -> str | None:
    value = wanted.one(name)
    return None if value is None or value.endswith("*") else value


def _fits(wanted: Filter, run: CrawlRun) -> bool:
    """What the database was not asked: lists of values, opposites, text."""
    record = {
        "outlet": run.outlet_id, "source": run.source_id, "status": str(run.status), "reason": run.reason or "",
        "message": run.message or "", "id": run.id,
    }  # fmt: skip
    return Filter(fields=wanted.fields, without=wanted.without, text=wanted.text).matches(record)
