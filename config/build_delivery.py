"""Consumers, the API and retention, from the document to the model."""

from __future__ import annotations

from pathlib import Path

from config.addresses import password_of
from config.document import DeliverPart, WartaDocument
from config.model import Api, Files, OutletRetention, Retention, Stream, Subscription, Webhook, WebSub


def subscriptions(said: WartaDocument) -> tuple[Subscription, ...]:
    """Who is told of events; entries that :mod:`config.crossings` finds fault with are left out."""
    return tuple(
        Subscription(
            name=part.name,
            target=target,
            outlets=tuple(part.outlets),
            copies=part.copies,
            events=tuple(part.events),
            backfilled=part.backfilled,
            materiality=part.materiality,
            from_beginning=part.start == "beginning",
        )
        for part in said.deliver
        if (target := _target(part)) is not None
    )


def api(said: WartaDocument) -> Api | None:
    """Where the API listens, if it does."""
    if said.api is None:
        return None
    host, port = said.api.listen
    return Api(host=host, port=port, tokens=tuple(said.api.tokens), hosts=tuple(said.api.hosts))


def websub(said: WartaDocument) -> WebSub | None:
    """Where hubs push news to, if they are to."""
    if said.websub is None:
        return None
    host, port = said.websub.listen
    written = said.websub.model_dump(include={"lease"}, exclude_none=True)
    return WebSub(callback=said.websub.callback, host=host, port=port, **written)


def retention(said: WartaDocument) -> Retention:
    """How long things are kept."""
    part = said.retention
    own = tuple((name, OutletRetention(**keep.model_dump())) for name, keep in part.outlets.items())
    return Retention(**part.model_dump(exclude={"outlets"}, exclude_none=True), outlets=own)


def secrets_of(said: WartaDocument) -> frozenset[str]:
    """Secrets and tokens, however they were written."""
    found = {part.secret for part in said.deliver}
    found |= {password_of(part.redis) for part in said.deliver if part.redis}
    found |= set(said.api.tokens if said.api else ())
    return frozenset(text for text in found if text)


def _target(part: DeliverPart) -> Webhook | Stream | Files | None:
    if part.webhook is not None and part.secret is not None:
        written = part.model_dump(include={"timeout", "concurrency", "give_up"}, exclude_none=True)
        return Webhook(url=part.webhook, secret=part.secret, **written)
    if part.stream is not None:
        redis = None if part.redis == "embedded" else part.redis
        written = part.model_dump(include={"length"}, exclude_none=True)
        return Stream(key=part.stream, redis=redis, **written)
    if part.files is not None:
        written = part.model_dump(include={"format", "every"}, exclude_none=True)
        return Files(directory=Path(part.files).expanduser().absolute(), **written)
    return None
