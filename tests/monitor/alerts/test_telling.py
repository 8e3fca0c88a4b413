from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from config.alerting import Alerts, Channel, Rule, Severity
from monitor.alerts.telling import GIVE_UP, bundle, due, is_quiet, outgoing, plain, wait_after
from storage.alerts import Incident, Message, Silence, StoredMessage

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OPS = Channel(name="ops", url="json://ops.test")
PHONE = Channel(name="phone", url="json://phone.test")
RULE = Rule(name="sick", states=("silent",))


def incident(**more: Any) -> Incident:
    values: dict[str, Any] = {
        "id": 1, "rule": "sick", "key": "a", "outlet_id": "a", "severity": "warning", "title": "a/1 is silent",
        "sentence": "no item", "sources": ("a/1",), "source_count": 1, "path": "/sources/a/1", "began_at": NOW - HOUR,
        "noticed_at": NOW, "seen_at": NOW, "ended_at": None,
    }  # fmt: skip
    return Incident(**values | more)


def told(message: Message, number: int = 1, **more: Any) -> StoredMessage:
    values: dict[str, Any] = {
        "id": number, "created_at": NOW, "not_before": None, "attempts": 0, "last_error": None, "sent_at": NOW,
        "dropped_at": None,
    }  # fmt: skip
    fields = {name: getattr(message, name) for name in Message.__dataclass_fields__}
    return StoredMessage(**fields | values | more)


def said(rule: Rule = RULE, *, at: datetime = NOW, past: list[StoredMessage] | None = None, **more: Any) -> list[str]:
    channels = more.pop("channels", (OPS, PHONE))
    silences = more.pop("silences", [])
    found = due(Alerts(channels=channels, rules=(rule,)), [incident(**more)], past or [], silences, at)
    return [f"{m.channel} {m.kind} {m.number}" for m in found]


def opened(channel: str = "ops", **more: Any) -> StoredMessage:
    first = due(Alerts(channels=(replace(OPS, name=channel),), rules=(RULE,)), [incident()], [], [], NOW)[0]
    return told(first, **more)


def test_an_incident_is_told_once_to_every_channel() -> None:
    assert said() == ["ops opened 0", "phone opened 0"]
    assert said(past=[opened()]) == ["phone opened 0"]
    assert said(past=[opened(), opened("phone", sent_at=None)]) == []  # written is as good as sent


def test_a_rule_names_who_is_told_and_a_channel_how_bad_it_has_to_be() -> None:
    assert said(replace(RULE, notify=("phone",))) == ["phone opened 0"]
    assert said(channels=(replace(OPS, least=Severity.CRITICAL), PHONE)) == ["phone opened 0"]


def test_what_goes_on_is_escalated_to_others_once() -> None:
    rule = replace(RULE, escalate_after=2 * HOUR, escalate_to=("phone",))

    assert said(rule) == ["ops opened 0"]
    assert said(rule, at=NOW + HOUR, past=[opened()]) == []
    assert said(rule, at=NOW + 2 * HOUR, past=[opened()]) == ["phone escalated 0"]
    escalated = replace(opened("phone"), kind="escalated")
    assert said(rule, at=NOW + 9 * HOUR, past=[opened(), escalated]) == []


def test_what_goes_on_may_be_told_again_each_day() -> None:
    rule, day = replace(RULE, repeat=24 * HOUR), 24 * HOUR

    assert said(rule, at=NOW + HOUR, past=[opened()], channels=(OPS,)) == []
    assert said(rule, at=NOW + day, past=[opened()], channels=(OPS,)) == ["ops repeated 0"]
    again = replace(opened(), kind="repeated", created_at=NOW + day)
    assert said(rule, at=NOW + 2 * day, past=[opened(), again], channels=(OPS,)) == ["ops repeated 1"]


def test_who_heard_of_it_hears_that_it_is_over() -> None:
    over = {"ended_at": NOW + HOUR}

    assert said(past=[opened()], **over) == ["ops recovered 0"]
    assert said(past=[opened(sent_at=None)], **over) == []
    assert said(past=[opened(), replace(opened(), kind="recovered")], **over) == []


def test_of_what_is_silenced_nobody_is_told_until_the_silence_ends() -> None:
    quiet = Silence(
        id=1, rule=None, outlet_id="a", source_id=None, until=NOW + HOUR, who="siti", reason="", created_at=NOW,
        ended_at=None,
    )  # fmt: skip

    assert said(silences=[quiet]) == []
    assert said(silences=[quiet], at=NOW + HOUR) == ["ops opened 0", "phone opened 0"]


def test_messages_say_what_since_when_and_where_to_look() -> None:
    channel = replace(OPS, timezone=ZoneInfo("Asia/Jakarta"))
    alerts = Alerts(channels=(channel,), rules=(RULE,))
    (message,) = due(alerts, [incident()], [], [], NOW, "https://news.test/warta/")

    assert message.title == "a/1 is silent"
    assert message.body.splitlines() == [
        "no item", "began Mon 23 Nov 14:00 (Asia/Jakarta)", "https://news.test/warta/sources/a/1",
        "https://news.test/warta/alerts/1",
    ]  # fmt: skip


def test_hostile_words_in_alerts_are_text() -> None:
    words = "\x1b[2J\x07<script>alert(1)</script> @everyone <!channel> [x](http://evil.test)\u202e"
    (message,) = due(
        Alerts(channels=(OPS,), rules=(RULE,)), [incident(title=words, sentence=words)], [], [], NOW
    )  # fmt: skip

    for text in (message.title, message.body):
        assert not set(text) & {"\x1b", "\x07", "\u202e"}
        assert "<script>alert(1)</script>" in text  # as text: channels are told that it is
        assert "@everyone" not in text
        assert "<!channel>" not in text
        assert "](http" not in text
    assert plain("warta@example.test") != "warta@example.test"


# -- quiet hours ----------------------------------------------------------------------------------


def waiting(number: int, **more: Any) -> StoredMessage:
    return opened(number=number, sent_at=None, **more)


def test_at_night_only_critical_trouble_goes_out_and_the_rest_in_the_morning() -> None:
    night = replace(OPS, quiet_hours=frozenset({22, 23, 0, 1, 2, 3, 4, 5}), timezone=ZoneInfo("Asia/Jakarta"))
    messages = [waiting(1), replace(waiting(2), severity="critical")]
    late = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)  # three in Jakarta

    assert [m.id for m in outgoing(night, messages, frozenset(), late)[0]] == [2]
    assert [m.id for m in outgoing(night, messages, frozenset(), late + 4 * HOUR)[0]] == [1, 2]


def test_quiet_hours_follow_the_clock_over_summer_time() -> None:
    berlin = replace(OPS, quiet_hours=frozenset({2, 3, 4, 5}), timezone=ZoneInfo("Europe/Berlin"))
    found = [is_quiet(berlin, datetime(2026, 3, 28, 23, 30, tzinfo=UTC) + n * HOUR) for n in range(6)]
    again = [is_quiet(berlin, datetime(2026, 10, 24, 22, 30, tzinfo=UTC) + n * HOUR) for n in range(7)]

    # 00:30, 01:30, then 03:30: two o'clock does not exist that night, and in autumn it comes twice.
    assert found == [False, False, True, True, True, False]
    assert again == [False, False, True, True, True, True, True]


def test_what_was_over_before_it_could_be_told_is_not_told() -> None:
    now_out, dropped = outgoing(OPS, [waiting(1)], frozenset({1}), NOW)

    assert (now_out, [m.id for m in dropped]) == ([], [1])


def test_a_channel_that_refused_is_left_alone_for_a_while_and_given_up_after_days() -> None:
    refused = waiting(1, not_before=NOW + HOUR, attempts=3)

    assert outgoing(OPS, [refused, waiting(2)], frozenset(), NOW) == ([], [])
    assert [m.id for m in outgoing(OPS, [refused, waiting(2)], frozenset(), NOW + HOUR)[0]] == [1, 2]
    assert [m.id for m in outgoing(OPS, [refused], frozenset(), NOW + GIVE_UP + HOUR)[1]] == [1]
    assert [wait_after(n).total_seconds() for n in (0, 1, 2, 99)] == [30, 60, 120, 3600]


def test_alerts_that_wait_together_go_out_as_one() -> None:
    severity, title, body = bundle([waiting(1), replace(waiting(2), severity="critical", title="the disk is full")])

    assert severity == "critical"
    assert title == "[critical] 2 alerts: a/1 is silent …"
    assert body.count("no item") == 2
    assert "the disk is full" in body
