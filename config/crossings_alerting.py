"""What does not fit together in `alerts:`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from config.alerting import DEFAULT_RULES
from config.alerting_document import CONDITIONS
from config.errors import ConfigProblem, closest
from config.yaml_reader import Document, Path

#: Keys that only mean something beside one of some conditions.
_BESIDE = {"reasons": ("errors",), "outlets": ("states", "outlet_volume"), "group": ("states",)}


def in_alerts(document: Document, alerts: Any) -> Iterator[ConfigProblem]:
    """Names that are taken or unknown, and rules that are not one condition each."""
    alerts = alerts if isinstance(alerts, dict) else {}
    for kind in ("channel", "rule"):
        taken: set[str] = set()
        for index, name in _names(alerts.get(f"{kind}s")):
            if name in taken:
                message = f"{name!r} is the name of another {kind}"
                yield document.problem(("alerts", f"{kind}s", index, "name"), message, expected="another")
            taken.add(name)
    channels = [name for _, name in _names(alerts.get("channels"))]
    for index, rule in enumerate(_list(alerts.get("rules"))):
        if isinstance(rule, dict):
            yield from _rule(document, ("alerts", "rules", index), rule, channels)


def _rule(document: Document, path: Path, rule: dict[str, Any], channels: list[str]) -> Iterator[ConfigProblem]:
    said = [name for name in CONDITIONS if rule.get(name) is not None]
    if rule.get("enabled") is False:
        if rule.get("name") not in {known.name for known in DEFAULT_RULES}:
            message = "only a built-in rule can be turned off"
            expected = "one of " + ", ".join(known.name for known in DEFAULT_RULES)
            yield document.problem((*path, "enabled"), message, expected=expected)
    elif len(said) != 1:
        message = "both " + " and ".join(said) + " are set" if said else "this rule has no condition"
        yield document.problem(path, message, expected="one of " + ", ".join(CONDITIONS))
    for key, needed in _BESIDE.items():
        if rule.get(key) and not set(needed) & set(said):
            names = " or ".join(needed)
            yield document.problem((*path, key), f"{key} says nothing without {names}", expected=names, key=True)
    yield from _known(document, (*path, "notify"), rule.get("notify"), channels)
    escalate = rule.get("escalate")
    if isinstance(escalate, dict):
        yield from _known(document, (*path, "escalate", "notify"), escalate.get("notify"), channels)


def _known(document: Document, path: Path, names: Any, channels: list[str]) -> Iterator[ConfigProblem]:
    for index, name in enumerate(_list(names)):
        if isinstance(name, str) and name not in channels:
            expected = f"one of {', '.join(channels)}" if channels else "a channel of alerts.channels"
            message = f"channel {name[:80]!r} is not declared"
            yield document.problem((*path, index), message, expected=expected, suggestion=closest(name, channels))


def _names(entries: Any) -> Iterator[tuple[int, str]]:
    for index, entry in enumerate(_list(entries)):
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            yield index, entry["name"]


def _list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else []
