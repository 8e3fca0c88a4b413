from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from crawlers.model import FailureKind
from monitor.metrics import REASONS, Reading, render
from monitor.web.figures import STATES
from storage.hubs import HubState
from storage.model import FateKind, RunStatus

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\bwarta_[a-z0-9_]+")

READING = Reading(
    version="1.2.3", articles=10, items=20, events=30, articles_hour=4, fresh_p50=60.0, fresh_p95=600.0,
    states=dict.fromkeys(STATES, 1), runs_hour={"ok": 5}, fates_hour={"stored": 4}, reasons_hour={"dns": 2, "novel": 3},
    pending=7, pending_seconds=70.0, overdue=1, overdue_seconds=400.0, outage=False, refused=True, heartbeat=2.0,
    database_seconds=0.001, redis=True, lags=(("cms", "webhook", 5.0, 3),), delivery_dead=0,
    hubs={"active": 1}, pushes=0, disk_free=5, disk_total=10,
)  # fmt: skip


def samples(reading: Reading = READING):
    families = text_string_to_metric_families(render(reading).decode())
    return [sample for family in families for sample in family.samples]


NAMES = {sample.name for sample in samples()}


def value(name: str, reading: Reading = READING, **labels: str) -> float:
    (found,) = [s.value for s in samples(reading) if s.name == name and s.labels == labels]
    return found


def test_numbers_arrive_under_their_names():
    assert value("warta_articles_stored_total") == 10
    assert value("warta_freshness_seconds", quantile="0.95") == 600
    assert value("warta_configuration_refused") == 1
    assert value("warta_own_outage") == 0


def test_every_consumer_has_its_own_lag():
    assert value("warta_delivery_lag_seconds", consumer="cms", kind="webhook") == 5
    assert value("warta_delivery_behind", consumer="cms", kind="webhook") == 3
    assert value("warta_consumers") == 1


def test_labels_are_closed_sets_whatever_storage_holds():
    allowed = {
        "version": {"1.2.3"}, "quantile": {"0.5", "0.95"}, "state": {*STATES, *HubState}, "status": set(RunStatus),
        "kind": set(FateKind), "reason": {*REASONS, "other"},
    }  # fmt: skip
    for sample in samples():
        if "consumer" in sample.labels:  # as many as the operator configures
            continue
        for label, given in sample.labels.items():
            assert given in allowed[label], sample
    assert value("warta_run_reasons_last_hour", reason="other") == 3
    assert value("warta_run_reasons_last_hour", reason="dns") == 2


def test_every_failure_of_a_fetch_has_its_reason():
    assert set(map(str, FailureKind)) <= set(REASONS)


def test_what_cannot_be_known_is_left_out():
    unknown = replace(READING, heartbeat=None, redis=None, fresh_p50=None, fresh_p95=None)
    names = {sample.name for sample in samples(unknown)}
    assert NAMES - names == {"warta_heartbeat_seconds", "warta_redis_up", "warta_freshness_seconds"}


def test_every_metric_is_documented_and_nothing_else_is():
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert set(NAME.findall(page)) == NAMES


def test_the_dashboard_uses_metrics_and_labels_that_exist():
    dashboard = json.loads((ROOT / "deploy" / "grafana.json").read_text(encoding="utf-8"))
    used = {name for p in dashboard["panels"] for t in p["targets"] for name in NAME.findall(t["expr"])}
    assert used <= NAMES
    assert len(used) > 10
    labels = {sample.name: set(sample.labels) for sample in samples()}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert label in labels[NAME.findall(target["expr"])[0]]


@pytest.mark.parametrize(
    "rule", yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"],
    ids=lambda rule: rule["alert"],
)  # fmt: skip
def test_every_alert_rule_uses_metrics_and_labels_that_exist(rule):
    names = NAME.findall(rule["expr"])
    assert names
    assert set(names) <= NAMES
    for name, label, given in re.findall(r"(warta_\w+)\{(\w+)=\"([^\"]+)\"\}", rule["expr"]):
        assert any(s.name == name and s.labels.get(label) == given for s in samples())
    assert rule["annotations"]["summary"]
