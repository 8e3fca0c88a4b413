"""`warta hubs`: who pushes news, and who was asked to."""

from __future__ import annotations

import typer

from scheduler.cli.context import ConfigOption, DataOption, JsonOption, query, settings_from, utc_now
from scheduler.cli.output import Output, ago
from storage.hubs import HubSubscription
from storage.storage import Storage

#: What is told of a subscription; its callback and secret are between us and the hub.
_TOLD = (
    "source_id", "state", "hub", "topic", "lease_until", "verified_at", "pushed_at", "missed_at", "pushes", "ignored",
    "attempts", "act_at", "message",
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Look")(hubs)


def hubs(config: ConfigOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """List the hubs that feeds name (WebSub), and how far the subscriptions there are."""
    settings = settings_from(config, data)

    async def work(storage: Storage, out: Output) -> None:
        found, now = await storage.hubs.all(), utc_now()
        if json:
            for one in found:
                out.record({name: getattr(one, name) for name in _TOLD} | {"proven": one.is_proven(now)})
            return
        rows = (
            (
                one.source_id, str(one.state), one.hub, str(one.pushes), str(one.ignored), ago(one.pushed_at, now),
                ago(one.lease_until, now), _said(one),
            )
            for one in found
        )  # fmt: skip
        names = ("source", "state", "hub", "pushes", "ignored", "last push", "lease until", "said")
        out.table(names, rows, empty="no feed has named a hub yet", grow="said")

    query(settings, work, json=json)


def _said(one: HubSubscription) -> str:
    if one.message is not None:
        return one.message
    return "" if one.missed_at is None else f"kept news back at {one.missed_at:%F %T}Z"
