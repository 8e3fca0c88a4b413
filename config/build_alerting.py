"""`alerts:`, from the document to the model."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from config.alerting import DEFAULT_RULES, Alerts, Channel, DeadMan, Fall, Grouping, Rule, Severity
from config.alerting_document import CONDITIONS, AlertsPart, RulePart


def alerts(said: AlertsPart | None) -> Alerts:
    """Channels, the built-in rules with what takes their place, the others, and the dead man's switch."""
    if said is None:
        return Alerts()
    channels = tuple(
        Channel(
            name=part.name, url=part.url, least=Severity(part.least), quiet_hours=part.quiet_hours or frozenset(),
            timezone=ZoneInfo(part.timezone),
        )
        for part in said.channels
    )  # fmt: skip
    written = {part.name: part for part in said.rules}
    rules = [rule for rule in DEFAULT_RULES if rule.name not in written]
    rules += [_rule(part) for part in said.rules if part.enabled]
    dead_man = None
    if said.dead_man is not None:
        dead_man = DeadMan(url=said.dead_man.url, **said.dead_man.model_dump(exclude_none=True, exclude={"url"}))
    return Alerts(channels=channels, rules=tuple(rules), dead_man=dead_man)


def secrets_of(said: AlertsPart | None) -> frozenset[str]:
    """Addresses of channels and of the dead man's switch: whoever knows one can write there."""
    if said is None:
        return frozenset()
    found = {channel.url for channel in said.channels}
    return frozenset(found | ({said.dead_man.url} if said.dead_man else set()))


def _rule(part: RulePart) -> Rule:
    conditions = part.model_dump(include=set(CONDITIONS), exclude_none=True)
    if "states" in conditions:
        conditions["states"] = tuple(conditions["states"])
    if part.outlet_volume is not None:
        conditions["outlet_volume"] = Fall(**part.outlet_volume.model_dump(exclude_none=True))
    if part.hold is not None:
        conditions["hold"] = part.hold
    return Rule(
        name=part.name, severity=Severity(part.severity), outlets=tuple(part.outlets), group=Grouping(part.group),
        notify=tuple(part.notify), reasons=tuple(part.reasons), repeat=part.repeat,
        escalate_after=part.escalate.after if part.escalate else None,
        escalate_to=tuple(part.escalate.notify) if part.escalate else (), **conditions,
    )  # fmt: skip
