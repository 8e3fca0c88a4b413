from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config.alerting import DEFAULT_RULES, Fall, Severity
from config.errors import ConfigError
from config.load import load
from config.model import Settings

from .conftest import Problems

OUTLET = "name: A\nhomepage: https://a.test\nsources:\n  - {name: u, kind: feed, url: 'https://a.test/rss'}\n"


def loaded(directory: Path, text: str, **environ: str) -> Settings:
    (directory / "outlets").mkdir(exist_ok=True)
    (directory / "outlets" / "a.yaml").write_text(OUTLET)
    (directory / "warta.yaml").write_text(text)
    return load(directory / "warta.yaml", environ)


def test_without_a_word_the_built_in_rules_hold_and_nobody_is_told(tmp_path: Path) -> None:
    alerts = loaded(tmp_path, "{}\n").alerts

    assert alerts.rules == DEFAULT_RULES
    assert (alerts.channels, alerts.dead_man) == ((), None)


def test_addresses_of_channels_are_secret_and_may_come_from_the_environment(tmp_path: Path) -> None:
    text = """
alerts:
  channels:
    - {name: ops, url: "${OPS}", quiet_hours: 22-6, timezone: Asia/Jakarta, least: warning}
  dead_man: {url: "${PING}", every: 1m}
"""
    settings = loaded(tmp_path, text, OPS="json://ops.test/token123", PING="https://ping.test/abc")
    (channel,) = settings.alerts.channels

    assert channel.url == "json://ops.test/token123"
    assert {22, 23, 0, 5} <= channel.quiet_hours
    assert settings.alerts.dead_man is not None
    assert settings.alerts.dead_man.every == timedelta(minutes=1)
    assert {"json://ops.test/token123", "https://ping.test/abc"} <= settings.secrets


def test_a_rule_of_a_built_in_name_takes_its_place_and_one_can_be_turned_off(tmp_path: Path) -> None:
    text = """
alerts:
  rules:
    - {name: disk, disk: 10%, severity: warning, repeat: 1d}
    - {name: volume, enabled: false}
    - {name: kontan, states: [late, silent], outlets: [a], group: source, hold: 0s}
"""
    rules = {rule.name: rule for rule in loaded(tmp_path, text).alerts.rules}

    assert (rules["disk"].disk, rules["disk"].severity) == (0.1, Severity.WARNING)
    assert "volume" not in rules
    assert rules["kontan"].states == ("late", "silent")
    assert len(rules) == len(DEFAULT_RULES)


def test_a_fall_of_an_outlets_volume_is_a_share_over_a_stretch_of_the_day(tmp_path: Path) -> None:
    text = """
alerts:
  rules:
    - {name: fall, outlet_volume: {below: 50%}, outlets: [a]}
    - {name: deep, outlet_volume: {below: 10%, over: 2h}}
"""
    rules = {rule.name: rule for rule in loaded(tmp_path, text).alerts.rules}

    assert rules["fall"].outlet_volume == Fall(below=0.5, over=timedelta(hours=6))
    assert rules["fall"].outlets == ("a",)
    assert rules["deep"].outlet_volume == Fall(below=0.1, over=timedelta(hours=2))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("outlet_volume: 50%", "outlet_volume"),
        ("outlet_volume: {over: 6h}", "below"),
        ("outlet_volume: {below: 50%, over: 2d}", "out of range"),
        ("outlet_volume: {below: 50%, over: 6 hours}", "did you mean 6h"),
        ("disk: 5%, outlets: [a]", "outlets says nothing without states or outlet_volume"),
    ],
)
def test_a_fall_that_makes_no_sense_is_told(tmp_path: Path, rule: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, f"alerts: {{rules: [{{name: fall, {rule}}}]}}")

    assert words in "\n".join(map(str, caught.value.problems))


def test_all_that_is_wrong_is_told_at_once_with_its_place_and_no_secret(tmp_path: Path) -> None:
    text = """
alerts:
  channels:
    - {name: ops, url: "hunter2-without-scheme"}
    - {name: ops, url: "json://x.test"}
  rules:
    - {name: both, disk: 5%, freshness: 1h}
    - {name: none}
    - {name: who, disk: 5%, notify: [opps]}
    - {name: odd, disk: 120%, reasons: [dns]}
    - {name: mine, enabled: false}
    - {name: bad, states: [sleepy]}
"""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    told = [str(problem) for problem in caught.value.problems]
    whole = "\n".join(told)

    assert len(told) == 9
    assert "hunter2" not in whole
    assert any("warta.yaml:5:" in line and "another channel" in line for line in told)
    assert any("did you mean ops" in line for line in told)
    assert any("both freshness and disk" in line for line in told)
    for words in ("no condition", "out of range", "only a built-in rule", "reasons says nothing without errors"):
        assert words in whole


def test_whatever_stands_in_place_of_rules_and_channels_is_a_problem_and_no_accident(problems: Problems) -> None:
    found = problems(
        "alerts:\n  channels: [7, {name: 8}, {name: ops, url: 'json://127.0.0.1/x'}]\n"
        "  rules: [5, {name: [a]}, {name: x, disk: 5%, notify: [3], escalate: {after: 1h, notify: [nobody]}}]\n"
    )
    assert any("channel 'nobody' is not declared" in line for line in found)
    assert len(found) >= 5
