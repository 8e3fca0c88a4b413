"""Who is told of trouble, of which, and when: the resolved form of `alerts:`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Severity(StrEnum):
    """How bad it is, the mildest first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Grouping(StrEnum):
    """What of a rule's trouble is one incident."""

    SOURCE = "source"
    OUTLET = "outlet"
    RULE = "rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where messages go."""

    name: str
    #: An address of apprise (https://github.com/caronc/apprise); secret.
    url: str
    #: Milder trouble is not told here.
    least: Severity = Severity.INFO
    #: Hours (0-23) on its clock in which only critical trouble is told; the rest waits.
    quiet_hours: frozenset[int] = frozenset()
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """An outlet brings less than a share of what is usual for it in the same hours."""

    below: float
    over: timedelta = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is trouble; exactly one of the conditions is set."""

    name: str
    #: Sources in one of these states.
    states: tuple[str, ...] = ()
    #: p95 of publication to storage beyond this.
    freshness: timedelta | None = None
    #: Articles of the last hour below this share of the usual for that hour.
    volume: float | None = None
    #: Articles of one outlet below a share of its own usual.
    outlet_volume: Fall | None = None
    #: Share of the last hour's runs that ended with one of `reasons` beyond this.
    errors: float | None = None
    reasons: tuple[str, ...] = ()
    #: Free space below this share of the disk.
    disk: float | None = None
    #: The oldest event still to be delivered is older than this, or one was given up.
    delivery: timedelta | None = None
    #: A source is overdue by more than this.
    overdue: timedelta | None = None
    #: Our own network is down.
    own_outage: bool = False
    #: A changed configuration is refused.
    configuration: bool = False
    severity: Severity = Severity.WARNING
    #: Only sources of these outlets; empty: of all.
    outlets: tuple[str, ...] = ()
    #: How long it has to last before it is an incident.
    hold: timedelta = timedelta(0)
    group: Grouping = Grouping.OUTLET
    #: Channels; empty: all.
    notify: tuple[str, ...] = ()
    #: Others that are told when it goes on for that long.
    escalate_after: timedelta | None = None
    escalate_to: tuple[str, ...] = ()
    #: Told again after each such time; None: never.
    repeat: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadMan:
    """An outside address that is called while articles flow; somebody else notices when it is not."""

    url: str
    every: timedelta = timedelta(minutes=5)
    #: Only while an article was stored within this time.
    within: timedelta = timedelta(hours=1)


_MINUTES = timedelta(minutes=1)

#: Rules that hold without being written; one of the same name takes the place of each.
DEFAULT_RULES = (
    Rule(name="sources", states=("gone", "blocked", "failing", "empty", "silent"), hold=5 * _MINUTES),
    Rule(name="drift", states=("drifting",), hold=5 * _MINUTES),
    Rule(name="own-outage", own_outage=True, severity=Severity.CRITICAL, hold=5 * _MINUTES),
    Rule(name="overdue", overdue=15 * _MINUTES, severity=Severity.CRITICAL, hold=5 * _MINUTES),
    Rule(name="volume", volume=0.3, hold=30 * _MINUTES),
    Rule(name="freshness", freshness=timedelta(hours=2), hold=30 * _MINUTES),
    Rule(name="disk", disk=0.05, severity=Severity.CRITICAL, hold=_MINUTES),
    Rule(name="delivery", delivery=10 * _MINUTES, hold=5 * _MINUTES),
    Rule(name="configuration", configuration=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """All of it."""

    channels: tuple[Channel, ...] = ()
    rules: tuple[Rule, ...] = DEFAULT_RULES
    dead_man: DeadMan | None = None

    def channel(self, name: str) -> Channel | None:
        """The channel of that name, or None."""
        return next((channel for channel in self.channels if channel.name == name), None)
