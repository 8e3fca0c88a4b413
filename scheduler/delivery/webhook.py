"""Events as signed POSTs, by the Standard Webhooks specification (https://www.standardwebhooks.com).

Headers ``webhook-id`` (the event's key, the same for every attempt), ``webhook-timestamp`` (seconds) and
``webhook-signature`` (``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import ssl
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import aiohttp
from aiohttp.typedefs import LooseHeaders

from config.model import Webhook
from crawlers.address import Network, parse_target
from crawlers.resolve import Guard, Lookup, Resolver, system_lookup
from scheduler.delivery.target import Accepted, Answer, Held, Refused
from storage.events import Event

#: Of an answer's body, for the reason of a refusal.
_READ_BYTES = 300


def signing_key(secret: str) -> bytes:
    """The key of a secret: the bytes behind ``whsec_``, or the text itself."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(signing_key(secret), signed, hashlib.sha256)).decode()


class WebhookTarget:
    """One address; connects to permitted addresses only and follows no redirect."""

    batch = 100
    patience = timedelta(0)

    def __init__(
        self,
        webhook: Webhook,
        *,
        allow_networks: Sequence[Network],
        resolve: Sequence[tuple[str, str]],
        now: Callable[[], datetime],
        lookup: Lookup = system_lookup,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._webhook = webhook
        self._now = now
        self._target = parse_target(webhook.url)
        # The port is the operator's word; what stands to question is where the name leads.
        guard = Guard(allow_networks, frozenset({self._target.port}))
        self._guard = guard
        self._slots = asyncio.Semaphore(webhook.concurrency)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=tls or ssl.create_default_context(),
                resolver=Resolver(resolve, guard, lookup),
                socket_factory=guard.open_socket,
                limit=webhook.concurrency,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=webhook.timeout.total_seconds()),
            trust_env=False,
            headers={"User-Agent": f"warta/{version('warta')}"},
        )

    async def send(self, events: Sequence[Event], *, replayed: bool) -> list[Answer]:
        """One request an event; articles side by side, the events of one in order."""
        by_article: dict[str, list[Event]] = defaultdict(list)
        for event in events:
            by_article[event.article_id].append(event)
        answers: dict[int, Answer] = {}
        async with asyncio.TaskGroup() as group:
            for queue in by_article.values():
                group.create_task(self._one_article(queue, answers))
        return [answers[event.id] for event in events]

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _one_article(self, queue: Sequence[Event], answers: dict[int, Answer]) -> None:
        refused = False
        for event in queue:
            if refused:
                answers[event.id] = Held()
                continue
            async with self._slots:
                answer = await self._post(event)
            answers[event.id] = answer
            refused = isinstance(answer, Refused)

    async def _post(self, event: Event) -> Answer:
        body = json.dumps(event.envelope(), ensure_ascii=False).encode()
        timestamp = int(self._now().timestamp())
        headers: LooseHeaders = {
            "Content-Type": "application/json",
            "webhook-id": event.key,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._webhook.secret, event.key, timestamp, body),
        }
        try:
            if self._target.literal is not None:  # aiohttp asks no resolver for these
                self._guard.check(self._target.host, self._target.port)
            async with self._session.post(
                self._target.href, data=body, headers=headers, allow_redirects=False
            ) as answer:
                if 200 <= answer.status < 300:
                    return Accepted()
                said = await answer.content.read(_READ_BYTES)
                return Refused(_reason(answer.status, said), retry_after(answer.headers, self._now()))
        except TimeoutError:
            return Refused(f"no answer within {self._webhook.timeout.total_seconds():g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            cause = f"; {error.__cause__}" if isinstance(error.__cause__, OSError) else ""
            return Refused(f"{type(error).__name__}: {error}{cause}"[:300])


def _reason(status: int, said: bytes) -> str:
    text = " ".join(said.decode("utf-8", "replace").split())
    hint = "; redirects are not followed, give the final address" if 300 <= status < 400 else ""
    return f"HTTP {status}{hint}" + (f": {text[:200]}" if text else "")


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """What an answer says of when to come again (RFC 9110 section 10.2.3), None when it says nothing of use."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 9:
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta(0))
