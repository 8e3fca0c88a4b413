"""Who is to be told what of which incident, and which of the waiting messages go out now. Pure.

What was told is remembered as messages in storage; from these, the incidents and the rules it follows what is still
to be told. So nothing is forgotten over a restart, and nothing told twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from config.alerting import Alerts, Channel, Rule, Severity
from config.units import span
from monitor.controls import CONTROLS
from storage.alerts import Incident, Message, Silence, StoredMessage

_RANK = {str(severity): rank for rank, severity in enumerate(Severity)}

#: Messages that go out as one.
BUNDLE = 20
#: Waits between tries of a channel that does not take a message, and when it is given up.
FIRST_WAIT, LONGEST_WAIT, GIVE_UP = timedelta(seconds=30), timedelta(hours=1), timedelta(days=3)

_LONGEST = 3500


def plain(text: str) -> str:
    """Foreign words as text: nothing in it steers a terminal, and nobody is called by an ``@`` or a ``<!…>``."""
    shown = CONTROLS.sub("�", text)
    return shown.replace("@", "@\u200b").replace("<!", "<\u200b!").replace("](", "]\u200b(")


def due(
    alerts: Alerts,
    incidents: Sequence[Incident],
    told: Sequence[StoredMessage],
    silences: Sequence[Silence],
    now: datetime,
    base_url: str | None = None,
) -> list[Message]:
    """Messages to be written at `now`: of incidents that go on, and of those that ended lately."""
    history: dict[tuple[int | None, str], list[StoredMessage]] = defaultdict(list)
    for message in told:
        history[message.incident_id, message.channel].append(message)
    rules = {rule.name: rule for rule in alerts.rules}
    found: list[Message] = []
    for incident in incidents:
        rule = rules.get(incident.rule)
        if any(silence.covers(incident, now) for silence in silences):
            continue
        for channel in alerts.channels:
            past = history[incident.id, channel.name]
            found += _for_channel(incident, rule, channel, past, now, base_url)
    return found


def _for_channel(
    incident: Incident, rule: Rule | None, channel: Channel, past: Sequence[StoredMessage], now: datetime,
    base_url: str | None,
) -> Iterator[Message]:  # fmt: skip
    kinds = [message.kind for message in past]
    if incident.ended_at is not None:
        # Who heard of it hears that it is over; who did not need not.
        if any(m.sent_at is not None for m in past) and "recovered" not in kinds:
            yield _message(incident, channel, "recovered", 0, now, base_url)
        return
    if rule is None or _RANK[incident.severity] < _RANK[str(channel.least)]:
        return
    if _hears(rule, channel) and "opened" not in kinds:
        yield _message(incident, channel, "opened", 0, now, base_url)
        return
    if _hears_later(rule, channel, now - incident.noticed_at) and "escalated" not in kinds:
        yield _message(incident, channel, "escalated", 0, now, base_url)
        return
    last = max((message.created_at for message in past), default=None)
    if rule.repeat is not None and last is not None and now - last >= rule.repeat:
        yield _message(incident, channel, "repeated", kinds.count("repeated"), now, base_url)


def _hears(rule: Rule, channel: Channel) -> bool:
    """Whether the channel is told at once: those that are named, else all that are not kept for later."""
    return channel.name in rule.notify if rule.notify else channel.name not in rule.escalate_to


def _hears_later(rule: Rule, channel: Channel, lasted: timedelta) -> bool:
    return rule.escalate_after is not None and channel.name in rule.escalate_to and lasted >= rule.escalate_after


_WORDS = {"opened": "", "escalated": "still: ", "repeated": "still: ", "recovered": "over: "}


def _message(
    incident: Incident, channel: Channel, kind: str, number: int, now: datetime, base_url: str | None
) -> Message:
    zone = channel.timezone
    until = incident.ended_at or now
    began = f"began {incident.began_at.astimezone(zone):%a %d %b %H:%M} ({zone.key})"
    if kind == "recovered":
        said = f"{began}, lasted {span(max(until - incident.began_at, timedelta(0)))}"
    else:
        said = f"{incident.sentence}\n{began}"
    body = plain(said)[:_LONGEST]
    if base_url is not None:
        place = base_url.rstrip("/")
        body += f"\n{place}{incident.path}\n{place}/alerts/{incident.id}"
    return Message(
        incident_id=incident.id, channel=channel.name, kind=kind, number=number, severity=incident.severity,
        title=plain(f"{_WORDS[kind]}{incident.title}")[:200], body=body,
    )  # fmt: skip


def is_quiet(channel: Channel, now: datetime) -> bool:
    """Whether only critical trouble is told there at `now`."""
    return now.astimezone(channel.timezone).hour in channel.quiet_hours


def outgoing(
    channel: Channel, waiting: Sequence[StoredMessage], over: frozenset[int], now: datetime
) -> tuple[list[StoredMessage], list[StoredMessage]]:
    """Of a channel's waiting messages those that go out now, as one, and those that are dropped.

    `over` are the incidents that have ended: what was to be told of them while they went on is no longer worth it.
    """
    stale = [m for m in waiting if m.incident_id in over and m.kind != "recovered"]
    old = [m for m in waiting if now - m.created_at > GIVE_UP and m not in stale]
    left = [m for m in waiting if m not in stale and m not in old]
    if is_quiet(channel, now):
        left = [m for m in left if m.severity == Severity.CRITICAL or m.kind == "test"]
    # A channel that refused is left alone as a whole.
    if any(m.not_before is not None and m.not_before > now for m in left):
        left = []
    return sorted(left, key=lambda m: m.id)[:BUNDLE], stale + old


def bundle(messages: Sequence[StoredMessage]) -> tuple[str, str, str]:
    """Severity, title and body of one notification that tells all of them."""
    worst = max((m.severity for m in messages), key=lambda severity: _RANK[severity])
    if len(messages) == 1:
        return worst, f"[{worst}] {messages[0].title}", messages[0].body
    title = f"[{worst}] {len(messages)} alerts: {messages[0].title} …"
    return worst, title[:200], "\n\n".join(f"{m.title}\n{m.body}" for m in messages)[: 4 * _LONGEST]


def wait_after(attempts: int) -> timedelta:
    """The pause after that many tries that failed."""
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(attempts, 10)))
