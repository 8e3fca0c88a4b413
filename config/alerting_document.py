"""`alerts:` as users write it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator

from config import addresses as a
from config import values as v
from config.part import Part, none
from config.units import share as share_of

SeverityName = Literal["info", "warning", "critical"]
StateName = Literal["gone", "blocked", "failing", "empty", "silent", "late", "drifting"]


def _share(value: object) -> float:
    expected = "a share of 1% to 100%, such as 20%"
    text = v.text_of(value, expected)
    try:
        found = share_of(text)
    except ValueError:
        raise v.wrong(f"{text[:80]!r} is not a share", expected) from None
    if not 0 < found <= 1:
        raise v.wrong("this share is out of range", expected)
    return found


def _channel_url(value: object) -> str:
    """The address may hold a token: nothing of it is repeated in messages."""
    expected = "an address of apprise, such as mailto://…, tgram://…, slack://… or json://…, as ${NAME}"
    text = v.text_of(value, expected)
    scheme, separator, rest = text.partition("://")
    if not separator or not rest or not scheme.replace("+", "").replace("-", "").isalnum() or len(text) > 2000:
        raise v.wrong("this is not an address", expected)
    if scheme.lower() in ("file", "syslog", "dbus", "glib", "qt", "kde", "gnome", "macosx", "windows"):
        raise v.wrong(f"{scheme.lower()}:// would act on this machine, not tell somebody", expected)
    return text


_SHARE = v.schema(type="string", pattern=r"^[0-9]+(\.[0-9]+)?%$", examples=["20%"])
Share = Annotated[float, PlainValidator(_share), _SHARE]
ChannelUrl = Annotated[str, PlainValidator(_channel_url), v.schema(type="string", examples=["${OPS_CHANNEL}"])]


class ChannelPart(Part):
    """Where messages go."""

    name: v.Id
    """Unique and stable: what was told hangs on it."""
    url: ChannelUrl
    """Address of apprise, as ${NAME}."""
    least: SeverityName = "info"
    """Milder trouble is not told here."""
    quiet_hours: v.Hours | None = None
    """Hours in which only critical trouble is told, such as 22-6; the rest waits."""
    timezone: v.ZoneName = "UTC"
    """Clock of the quiet hours."""


class EscalatePart(Part):
    """Who else is told of what goes on."""

    after: v.Interval
    """When it goes on for that long."""
    notify: Annotated[list[v.Id], Field(min_length=1)]
    """Channels."""


class FallPart(Part):
    """An outlet brings less than usual."""

    below: Share
    """Its articles are below this share of what is usual for it in the same hours."""
    over: v.Stretch | None = None
    """The stretch of the day that is looked back on."""


class RulePart(Part):
    """What is trouble: one of `states`, `freshness`, `volume`, `outlet_volume`, `errors`, `disk`, `overdue`, … ."""

    name: v.Id
    """Unique; the name of a built-in rule takes its place."""
    enabled: bool = True
    """false turns a built-in rule off."""
    states: Annotated[list[StateName], Field(min_length=1)] | None = None
    """Sources in one of these states."""
    freshness: v.Interval | None = None
    """One article in twenty is stored later than this after its publication."""
    volume: Share | None = None
    """Articles of the last hour below this share of the usual."""
    outlet_volume: FallPart | None = None
    """Articles of one outlet below a share of its own usual."""
    errors: Share | None = None
    """More than this share of the last hour's runs failed for one of `reasons`."""
    reasons: list[Annotated[str, Field(pattern=r"^[a-z0-9_]{2,40}$")]] = none()
    """With `errors`: reasons of runs; all when not set."""
    disk: Share | None = None
    """Free space below this share of the disk."""
    delivery: v.Interval | None = None
    """A consumer is behind by more than this, or has dead letters."""
    overdue: v.Interval | None = None
    """A source is overdue by more than this."""
    own_outage: Literal[True] | None = None
    """Our own network is down."""
    configuration: Literal[True] | None = None
    """A changed configuration is refused."""
    severity: SeverityName = "warning"
    """How bad it is."""
    outlets: list[v.Id] = none()
    """With `states` and `outlet_volume`: only these outlets."""
    hold: v.Duration | None = None
    """How long it has to last first."""
    group: Literal["source", "outlet", "rule"] = "outlet"
    """With `states`: what is one incident."""
    notify: list[v.Id] = none()
    """Channels; all when not set."""
    escalate: EscalatePart | None = None
    """Who else is told when it goes on."""
    repeat: v.Interval | None = None
    """Told again after each such time."""


class DeadManPart(Part):
    """An outside address that is called while articles flow."""

    url: a.HomeUrl
    """Called with GET; may be ${NAME}."""
    every: v.Interval | None = None
    """How often."""
    within: v.Interval | None = None
    """Only while an article was stored within this time."""


class AlertsPart(Part):
    """Who is told of trouble."""

    channels: Annotated[list[ChannelPart], Field(max_length=100)] = none()
    """Where messages go."""
    rules: Annotated[list[RulePart], Field(max_length=200)] = none()
    """What is trouble, besides the built-in rules."""
    dead_man: DeadManPart | None = None
    """Calls an outside address while articles flow."""


#: Conditions of which a rule has exactly one.
CONDITIONS = (
    "states", "freshness", "volume", "outlet_volume", "errors", "disk", "delivery", "overdue", "own_outage",
    "configuration",
)  # fmt: skip
