"""What is known of a source beside its failures, in words: moved, gone, distrusted, replaceable. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from config.model import RobotsPolicy, Source
from crawlers.whereabouts import AGREEMENT
from storage.facts import DRIFT
from storage.model import SourceState


def standing(state: SourceState, source: Source | None, now: datetime) -> list[str]:
    """Sentences without full stops, those that ask for a person first; empty for an ordinary source."""
    return [*_asks(state), *_tells(state, source, now)]


def drifting(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The outlets that drift, with the evidence in one sentence; from all facts."""
    found = {name.removeprefix(DRIFT): fact for name, fact in sorted(facts.items()) if name.startswith(DRIFT)}
    return {outlet: str(fact["evidence"]) for outlet, fact in found.items()}


def _asks(state: SourceState) -> Iterator[str]:
    if state.proposal is not None:
        known, items = state.proposal.get("known"), state.proposal.get("items")
        yield f"may be {state.proposal['url']} now, which shares {known} of {items} items: warta adopt {state.id}"
    if state.gone_at is not None:
        yield f"gone since {state.gone_at:%Y-%m-%d} (410 on {state.gone_days} days), probed monthly"
    elif state.missing_since is not None:
        yield f"missing since {state.missing_since:%Y-%m-%d %H:%M}"


def _tells(state: SourceState, source: Source | None, now: datetime) -> Iterator[str]:
    if state.moved_to is not None and state.moved_since is not None:
        left = max(state.moved_since + AGREEMENT - now, AGREEMENT * 0)
        yield f"moved to {state.moved_to}, adopted in {left.days} days if that holds"
    if state.adopted_url is not None:
        yield f"polled at {state.adopted_url}"
    if state.distrusted_at is not None:
        yield f"validators distrusted since {state.distrusted_at:%Y-%m-%d}: a 304 hid news"
    if state.gap_since is not None:
        yield f"looks back to {state.gap_since:%Y-%m-%d %H:%M} for a gap"
    if source is not None and source.politeness.robots is RobotsPolicy.IGNORE:
        yield "robots.txt is ignored"
