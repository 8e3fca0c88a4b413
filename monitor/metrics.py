"""Metrics in Prometheus' text format. Labels are of closed sets: no outlet, source or address is one.

Every name is described in docs/metrics.md; deploy/grafana.json and deploy/alerts.yml use no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from storage.hubs import HubState
from storage.model import FateKind, RunStatus

#: Why a run failed, was skipped or missed; anything else counts as ``other``.
REASONS = (
    "dns", "connect", "tls", "timeout", "truncated", "too_large", "protocol", "redirect",
    "forbidden_address", "robots", "robots_unreadable", "rate_limited", "blocked", "not_found", "gone", "http_4xx",
    "http_5xx", "not_a_feed", "empty", "parse", "storage", "overlap", "paused", "outage",
    "budget", "interrupted", "shutdown", "resume", "push", "revisit", "clock_jump", "downtime",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is measured, at one moment; None for what cannot be known, which is then left out."""

    version: str
    articles: int
    items: int
    events: int
    articles_hour: int
    fresh_p50: float | None
    fresh_p95: float | None
    states: Mapping[str, int]
    runs_hour: Mapping[str, int]
    fates_hour: Mapping[str, int]
    reasons_hour: Mapping[str, int]
    pending: int
    pending_seconds: float
    overdue: int
    overdue_seconds: float
    outage: bool
    refused: bool
    heartbeat: float | None
    database_seconds: float
    redis: bool | None
    #: Of each consumer its name, its kind (webhook, stream, files), the age of the oldest event that it has still to
    #: get, and how many these are.
    lags: tuple[tuple[str, str, float, int], ...]
    delivery_dead: int
    #: Subscriptions at hubs by state, and pushes that no run has read.
    hubs: Mapping[str, int]
    pushes: int
    disk_free: int
    disk_total: int


class _Collector:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterable[Metric]:
        """Every metric family."""
        r = self._reading
        info = GaugeMetricFamily("warta_build_info", "Always 1; the version is the label", labels=["version"])
        info.add_metric([r.version], 1)
        yield info
        yield _counter("warta_articles_stored", "Articles ever stored", r.articles)
        yield _counter("warta_items_looked_at", "Discovered items that got a fate of their own, ever", r.items)
        yield _counter("warta_events", "Events written for consumers, ever", r.events)
        yield _gauge("warta_articles_last_hour", "Articles stored in the last hour", r.articles_hour)
        fresh = {"0.5": r.fresh_p50, "0.95": r.fresh_p95}
        yield _labelled(
            "warta_freshness_seconds", "From publication to storage, newest 500 articles of the last day", "quantile",
            {name: value for name, value in fresh.items() if value is not None},
        )  # fmt: skip
        yield _labelled("warta_sources", "Sources in service, by state", "state", r.states)
        runs = {str(status): r.runs_hour.get(str(status), 0) for status in RunStatus}
        yield _labelled("warta_runs_last_hour", "Runs begun in the last hour, by status", "status", runs)
        fates = {str(kind): r.fates_hour.get(str(kind), 0) for kind in FateKind}
        yield _labelled("warta_items_last_hour", "Items of the runs of the last hour, by fate", "kind", fates)
        reasons = {name: r.reasons_hour.get(name, 0) for name in REASONS}
        reasons["other"] = sum(number for name, number in r.reasons_hour.items() if name not in REASONS)
        yield _labelled("warta_run_reasons_last_hour", "Runs of the last hour that give a reason", "reason", reasons)
        yield from self._alarms()

    def _alarms(self) -> Iterable[Metric]:
        r = self._reading
        yield _gauge("warta_pending_items", "Items that wait for a decision", r.pending)
        yield _gauge("warta_pending_oldest_seconds", "How long the oldest of them has waited", r.pending_seconds)
        yield _gauge("warta_overdue_sources", "Sources whose attempt is five minutes overdue", r.overdue)
        yield _gauge("warta_overdue_seconds", "How long the most overdue has waited", r.overdue_seconds)
        yield _gauge("warta_own_outage", "1 while no host answers and nobody is blamed", r.outage)
        yield _gauge("warta_configuration_refused", "1 while a changed configuration is refused", r.refused)
        if r.heartbeat is not None:
            yield _gauge("warta_heartbeat_seconds", "Since the daemon's last sign of life", r.heartbeat)
        yield _gauge("warta_database_seconds", "Time of a trivial query", r.database_seconds)
        if r.redis is not None:
            yield _gauge("warta_redis_up", "1 while Redis answers", r.redis)
        yield from self._deliveries()
        yield _gauge("warta_delivery_dead", "Events that could not be delivered and wait for a person", r.delivery_dead)
        hubs = {str(state): r.hubs.get(str(state), 0) for state in HubState}
        yield _labelled("warta_hub_subscriptions", "Subscriptions at hubs, by state", "state", hubs)
        yield _gauge("warta_pushes_waiting", "Pushes of hubs that wait for a run", r.pushes)
        yield _gauge("warta_disk_free_bytes", "Free space where the data directory is", r.disk_free)
        yield _gauge("warta_disk_size_bytes", "All space where the data directory is", r.disk_total)

    def _deliveries(self) -> Iterable[Metric]:
        lags = self._reading.lags
        yield _gauge("warta_consumers", "Consumers that are told of events", len(lags))
        labels = ["consumer", "kind"]
        age = GaugeMetricFamily("warta_delivery_lag_seconds", "Age of the oldest event to be delivered", labels=labels)
        behind = GaugeMetricFamily("warta_delivery_behind", "Events still to be delivered", labels=labels)
        for name, kind, seconds, events in lags:
            age.add_metric([name, kind], seconds)
            behind.add_metric([name, kind], events)
        yield age
        yield behind


def render(reading: Reading) -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(reading))
    return generate_latest(registry)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=float(value))


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family
