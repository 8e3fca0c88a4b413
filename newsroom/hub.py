"""The press's own hub (https://www.w3.org/TR/websub/): takes subscriptions, verifies them, pushes what is ordered.

Stories that come by the clock alone are not pushed. Reaches callbacks on this machine only.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from newsroom.web import Answer

LEASE_SECONDS = 864_000
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who is told of a topic."""

    callback: str
    topic: str
    secret: str | None
    lease: int


class Hub:
    """Knows subscribers; asks and tells them from a thread of its own."""

    def __init__(self, content: Callable[[str], Answer | None]) -> None:
        """`content` gives what is pushed of a topic, None for what is none."""
        self._content = content
        self._lock = threading.Lock()
        self._subscribers: dict[tuple[str, str], Subscriber] = {}
        self._work = ThreadPoolExecutor(1, thread_name_prefix="hub")

    @property
    def subscribers(self) -> list[Subscriber]:
        """Those who were verified."""
        with self._lock:
            return list(self._subscribers.values())

    def take(self, form: Mapping[str, str]) -> tuple[int, str]:
        """Status and text for a request; what it asks for is verified afterwards."""
        mode, topic, callback = (form.get(f"hub.{name}", "") for name in ("mode", "topic", "callback"))
        if mode not in {"subscribe", "unsubscribe"}:
            return 400, "hub.mode is neither subscribe nor unsubscribe"
        if urlsplit(callback).hostname not in {"127.0.0.1", "localhost"}:
            return 400, "hub.callback is not on this machine"
        if self._content(topic) is None:
            return 404, f"{topic} is nothing that is pushed here"
        lease = form.get("hub.lease_seconds", "")
        seconds = int(lease) if lease.isdigit() and 0 < len(lease) < 9 else LEASE_SECONDS
        subscriber = Subscriber(callback, topic, form.get("hub.secret"), seconds)
        self._work.submit(self._verify, mode, subscriber)
        return 202, ""

    def tell(self, topics: Iterable[str]) -> None:
        """Push these topics to everybody who subscribed to one of them."""
        wanted = set(topics)
        for subscriber in self.subscribers:
            if subscriber.topic in wanted:
                self._work.submit(self._push, subscriber)

    def _verify(self, mode: str, subscriber: Subscriber) -> None:
        challenge = secrets.token_hex(16)
        query = {"hub.mode": mode, "hub.topic": subscriber.topic, "hub.challenge": challenge}
        if mode == "subscribe":
            query["hub.lease_seconds"] = str(subscriber.lease)
        status, body = _send(Request(f"{subscriber.callback}?{urlencode(query)}"))  # noqa: S310 - http by take()
        if status != 200 or body != challenge.encode():
            return
        with self._lock:
            if mode == "subscribe":
                self._subscribers[subscriber.callback, subscriber.topic] = subscriber
            else:
                self._subscribers.pop((subscriber.callback, subscriber.topic), None)

    def _push(self, subscriber: Subscriber) -> None:
        answer = self._content(subscriber.topic)
        if answer is None:
            return
        headers = {"Content-Type": answer.headers["content-type"], "Link": answer.headers["link"]}
        if subscriber.secret:
            digest = hmac.new(subscriber.secret.encode(), answer.body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature"] = f"sha256={digest}"
        status, _ = _send(Request(subscriber.callback, data=answer.body, headers=headers))  # noqa: S310
        if status == 410:
            with self._lock:
                self._subscribers.pop((subscriber.callback, subscriber.topic), None)


def _send(request: Request) -> tuple[int, bytes]:
    """Status and body; 0 when there is no answer."""
    try:
        with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return answer.status, answer.read(10_000)
    except HTTPError as error:
        return error.code, b""
    except (URLError, OSError):
        return 0, b""
