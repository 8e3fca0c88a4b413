"""`warta deliver`: how far consumers have got, what they refused, and sending it again."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, NoReturn

import typer

from config.model import Settings
from monitor.filters import FilterError, parse
from scheduler.cli.context import (
    ConfigOption,
    DataOption,
    Exit,
    JsonOption,
    LimitOption,
    fail,
    query,
    settings_from,
    utc_now,
)
from scheduler.cli.output import Output, ago, short_span
from scheduler.delivery.office import filter_of
from storage.delivery import Lag
from storage.events import EventFilter
from storage.storage import Storage

NameArgument = Annotated[str, typer.Argument(metavar="CONSUMER", help="Name of a consumer in `deliver`.")]

deliver = typer.Typer(
    name="deliver", help="Consumers: how far each has got, what it refused, and sending it again.", no_args_is_help=True
)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(deliver, rich_help_panel="Look")


@deliver.command()
def status(config: ConfigOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """Show how far each consumer has got; exit code 1 when one refuses events or has dead letters."""
    settings = settings_from(config, data)
    filters = {subscription.name: filter_of(subscription) for subscription in settings.deliver}

    async def work(storage: Storage, out: Output) -> bool:
        lags = await storage.deliveries.lag(utc_now(), filters)
        if json:
            out.records(_plain(lag) for lag in lags)
        else:
            out.table(
                ("consumer", "kind", "#delivered", "#behind", "#waiting", "#dead", "age", "last", "trouble"),
                (_row(lag) for lag in lags),
                empty="no consumer has been told of anything; `deliver:` in warta.yaml lists them", grow="trouble",
            )  # fmt: skip
        return not any(lag.dead or lag.consumer.failures for lag in lags)

    raise typer.Exit(Exit.OK if query(settings, work, json=json) else Exit.FOUND)


def _plain(lag: Lag) -> dict[str, object]:
    consumer = lag.consumer
    return {
        "consumer": consumer.name, "kind": consumer.kind, "cursor": consumer.cursor, "delivered": consumer.delivered,
        "behind": lag.behind, "waiting": lag.waiting, "dead": lag.dead, "age": lag.age, "failures": consumer.failures,
        "not_before": consumer.not_before, "last_delivered": consumer.last_delivered,
        "last_error": consumer.last_error if consumer.failures else None,
    }  # fmt: skip


def _row(lag: Lag) -> tuple[object, ...]:
    consumer = lag.consumer
    return (
        consumer.name, consumer.kind, f"{consumer.delivered:,}", f"{lag.behind:,}", f"{lag.waiting:,}",
        f"{lag.dead:,}", short_span(lag.age.total_seconds()), ago(consumer.last_delivered, utc_now()),
        consumer.last_error if consumer.failures else None,
    )  # fmt: skip


@deliver.command()
def dead(
    consumer: Annotated[
        str | None, typer.Argument(metavar="CONSUMER", help="Only this consumer.", show_default=False)
    ] = None,
    limit: LimitOption = 50,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List events that were given up: who refused them, how often, and why."""
    settings = settings_from(config, data)

    async def work(storage: Storage, out: Output) -> None:
        rows = await storage.deliveries.pending(consumer, status="dead", limit=limit)
        if json:
            out.records(rows)
            return
        out.table(
            ("consumer", "#event", "article", "#attempts", "first refused", "reason"),
            ((r.consumer, r.event_id, r.article_id, r.attempts, ago(r.first_failed, utc_now()), r.last_error)
             for r in rows),
            empty="no dead letter", grow="reason",
        )  # fmt: skip

    query(settings, work, json=json)


@deliver.command()
def replay(
    consumer: NameArgument,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Which: outlet:kontan since:2d until:1d article:ID event:57,58", show_default=False),
    ] = None,
    dead_letters: Annotated[bool, typer.Option("--dead", help="Only dead letters.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Everything it was ever told of.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Send events again that a consumer accepted or refused, under the same keys; the daemon does the sending."""
    settings = settings_from(config, data)
    if not (words or dead_letters or everything):
        fail(Exit.USAGE, "say what to send again: filter words, --dead or --all")
    where, ids = _chosen(words or [], _filter(settings, consumer))

    async def work(storage: Storage, out: Output) -> None:
        if await storage.deliveries.get(consumer) is None:
            fail(
                Exit.NOT_FOUND, f"no consumer {consumer!r} has been told of anything; `warta deliver status` lists them"
            )
        count = await storage.deliveries.replay(consumer, utc_now(), where, ids=ids, dead_only=dead_letters)
        if json:
            out.record({"consumer": consumer, "events": count})
        else:
            out.line(f"{count:,} events will be sent again to {consumer}")

    query(settings, work, json=json)


@deliver.command()
def forget(
    consumer: NameArgument, config: ConfigOption = None, data: DataOption = None, json: JsonOption = False
) -> None:
    """Drop a consumer that is no longer configured, with its place and all it had still to get."""
    settings = settings_from(config, data)
    if any(subscription.name == consumer for subscription in settings.deliver):
        fail(Exit.USAGE, f"{consumer} is still in `deliver`; take it out first, or its next start begins afresh")

    async def work(storage: Storage, out: Output) -> None:
        if not await storage.deliveries.forget(consumer):
            fail(Exit.NOT_FOUND, f"no consumer {consumer!r}; `warta deliver status` lists them")
        if json:
            out.record({"ok": True, "consumer": consumer})
        else:
            out.line(f"{consumer} is forgotten")

    query(settings, work, json=json)


def _filter(settings: Settings, name: str) -> EventFilter:
    found = next((s for s in settings.deliver if s.name == name), None)
    return EventFilter() if found is None else filter_of(found)


def _chosen(words: list[str], configured: EventFilter) -> tuple[EventFilter, list[int]]:
    """What the words ask for, within what the consumer is told of at all."""
    try:
        wanted = parse(words, names=("outlet", "article", "event"), now=utc_now())
    except FilterError as error:
        fail(Exit.USAGE, str(error))
    if wanted.text or wanted.without:
        _not_understood(" ".join(words))
    outlets = wanted.fields.get("outlet", ())
    if configured.outlets and outlets and not set(outlets) <= set(configured.outlets):
        fail(Exit.USAGE, f"the consumer is told of {', '.join(configured.outlets)} only")
    numbers = wanted.fields.get("event", ())
    if not all(number.isascii() and number.isdigit() and len(number) < 19 for number in numbers):
        _not_understood(",".join(numbers))
    where = replace(
        configured, outlets=outlets or configured.outlets, since=wanted.since, until=wanted.until,
        article_id=wanted.one("article"),
    )  # fmt: skip
    return where, [int(number) for number in numbers]


def _not_understood(text: str) -> NoReturn:
    fail(Exit.USAGE, f"{text!r} is not understood; use outlet:, since:, until:, article: or event:NUMBER")
