"""Alerting, wired: looks at everything, keeps incidents, tells channels, and calls the dead man's switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from config.alerting import Alerts, Channel
from config.model import Settings
from monitor.alerts.picture import read
from monitor.alerts.rules import evaluate, held
from monitor.alerts.telling import bundle, due, outgoing, wait_after
from scheduler.alerting.sender import Sender, SendError
from storage.alerts import Incident, Message, StoredMessage, Trouble
from storage.articles import ArticleFilter
from storage.storage import Storage

log = structlog.get_logger(__name__)

#: How often the daemon looks.
EVERY_SECONDS = 30
#: An incident is over when it was not found for this long; states of sources bring their own patience.
CLEAR = timedelta(minutes=3)
#: Recovery is told of incidents that ended within this time.
LATELY = timedelta(days=7)
#: Messages that are remembered of one look.
MOST = 5000


class AlertOffice:
    """One process tells; that is the leader."""

    def __init__(
        self, storage: Storage, settings: Callable[[], Settings], *, sender: Sender | None = None
    ) -> None:  # fmt: skip
        self._storage = storage
        self._settings = settings
        self._sender = sender
        self._first_seen: dict[tuple[str, str], datetime] = {}
        self._called: datetime | None = None

    async def look(self, now: datetime) -> None:
        """One look: incidents, messages, channels, the dead man's switch."""
        settings = self._settings()
        alerts = settings.alerts
        await self._incidents(alerts, await self._troubles(settings, now), now)
        if alerts.channels:
            await self._tell(settings, now)
        await self._call(settings, now)

    # -- incidents ----------------------------------------------------------------------------

    async def _troubles(self, settings: Settings, now: datetime) -> list[Trouble]:
        picture = await read(self._storage, settings.data_dir, now, settings.alerts.rules)
        troubles = evaluate(settings.alerts.rules, picture, now)
        keys = {(t.rule, t.key) for t in troubles}
        self._first_seen = {key: self._first_seen.get(key, now) for key in keys}
        return troubles

    async def _incidents(self, alerts: Alerts, troubles: Sequence[Trouble], now: datetime) -> None:
        going_on = {(i.rule, i.key): i for i in await self._storage.alerts.open()}
        ready = held(alerts.rules, troubles, self._first_seen, now)
        wanted = [t for t in troubles if (t.rule, t.key) in going_on or t in ready]
        found = {(t.rule, t.key) for t in troubles}
        patient = {rule.name for rule in alerts.rules if not rule.states}
        over = [
            (incident.id, now)
            for key, incident in going_on.items()
            if key not in found and (key[0] not in patient or now - incident.seen_at >= CLEAR)
        ]
        opened, ended = await self._storage.alerts.step(now, troubles=wanted, ended=over)
        for incident in opened:
            _say("incident began", incident)
        for incident in ended:
            _say("incident over", incident)

    # -- messages -----------------------------------------------------------------------------

    async def _tell(self, settings: Settings, now: datetime) -> None:
        book, alerts = self._storage.alerts, settings.alerts
        incidents = [*await book.open(), *await book.ended(now - LATELY)]
        told = await book.messages(incident_ids=[i.id for i in incidents], limit=MOST)
        base = settings.monitor.url if settings.monitor else None
        await book.tell(due(alerts, incidents, told, await book.silences(now), now, base), now)
        over = frozenset(i.id for i in incidents if i.ended_at is not None)
        for channel in alerts.channels:
            waiting = await book.messages(channel=channel.name, waiting=True, limit=MOST)
            now_out, dropped = outgoing(channel, waiting, over, now)
            if dropped:
                await book.dropped([m.id for m in dropped], "no longer worth telling", now)
            if now_out:
                await self._send(settings, channel, now_out, now)

    async def _send(
        self, settings: Settings, channel: Channel, messages: Sequence[StoredMessage], now: datetime
    ) -> bool:
        severity, title, body = bundle(messages)
        ids = [m.id for m in messages]
        try:
            await self._sender_for(settings).send(channel.url, severity, title, body)
        except SendError as error:
            attempts = max(m.attempts for m in messages)
            await self._storage.alerts.refused(ids, str(error), now + wait_after(attempts))
            self._say(log.warning, "channel refuses alerts", messages, reason=str(error))
            return False
        await self._storage.alerts.sent(ids, now)
        self._say(log.info, "alerts sent", messages)
        return True

    def _say(self, say: Callable[..., object], event: str, messages: Sequence[StoredMessage], **more: str) -> None:
        """A person who tests a channel is told by the command itself."""
        if any(message.kind != "test" for message in messages):
            say(event, channel=messages[0].channel, alerts=len(messages), **more)

    async def test(self, channel: Channel, now: datetime) -> StoredMessage:
        """Send a test to one channel, whatever the hour, and say how it went."""
        message = Message(
            incident_id=None, channel=channel.name, kind="test", number=0, severity="info",
            title="warta: a test", body="This channel gets alerts of warta. Nothing is wrong.",
        )  # fmt: skip
        book = self._storage.alerts
        await book.tell([message], now)
        (stored,) = await book.messages(channel=channel.name, limit=1)
        if not await self._send(self._settings(), channel, [stored], now):
            (failed,) = await book.messages(channel=channel.name, limit=1)
            await book.dropped([stored.id], failed.last_error or "", now)
        (after,) = await book.messages(channel=channel.name, limit=1)
        return after

    def _sender_for(self, settings: Settings) -> Sender:
        return self._sender or Sender(allow_networks=settings.allow_networks, resolve=settings.resolve)

    # -- dead man's switch --------------------------------------------------------------------

    async def _call(self, settings: Settings, now: datetime) -> None:
        switch = settings.alerts.dead_man
        if switch is None or (self._called is not None and timedelta(0) <= now - self._called < switch.every):
            return
        if not await self._storage.articles.count(ArticleFilter(since=now - switch.within)):
            return
        try:
            await self._sender_for(settings).call(switch.url)
        except SendError as error:
            log.warning("dead man's switch not reached", reason=str(error))
        # Tried again at its next time either way: a switch that is away is not worth hurry.
        self._called = now


def _say(event: str, incident: Incident) -> None:
    log.warning(
        event, rule=incident.rule, about=incident.key, severity=incident.severity, title=incident.title,
        began=incident.began_at.isoformat(), incident=incident.id,
    )  # fmt: skip
