"""Messages on their way out: apprise for channels, a plain request for the dead man's switch.

Where a channel's address names a host, that host has to be public or in `allow_networks`, as for every other
connection. It is looked up before each message, for a clear word; what apprise then really connects to, after its
own look-up and any redirect, is judged again (:mod:`scheduler.alerting.confined`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from typing import Any

import aiohttp

from crawlers.address import Network, parse_target
from crawlers.resolve import Guard, Lookup, Resolver, system_lookup
from scheduler.alerting.confined import confined

#: Time for one message or one call, everything included.
SECONDS = 30.0
#: Plugins that talk to one service, whose `host` is no host of the network.
_NAMED_HOSTS = ("json", "jsons", "xml", "xmls", "form", "forms")

_TYPES = {"info": "info", "warning": "warning", "critical": "failure"}


class SendError(Exception):
    """A channel did not take a message: one sentence, without the address."""


class Sender:
    """Sends to any channel. Knows nothing of incidents."""

    def __init__(
        self,
        *,
        allow_networks: Sequence[Network],
        resolve: Sequence[tuple[str, str]] = (),
        lookup: Lookup = system_lookup,
    ) -> None:
        self._allow_networks = allow_networks
        self._resolve = resolve
        self._lookup = lookup

    async def send(self, url: str, severity: str, title: str, body: str) -> None:
        """Send one message to an address of apprise. Raises SendError."""
        try:
            async with asyncio.timeout(SECONDS):
                service = await asyncio.to_thread(_service, url)
                if service is None:
                    raise SendError("the address is of no kind that apprise knows, or lacks a part")
                await self._permit(service)
                send = partial(_notify, service, severity, title, body)
                if not await asyncio.to_thread(confined, self._allow_networks, send):
                    raise SendError("the channel did not take it")
        except TimeoutError:
            raise SendError(f"no answer within {SECONDS:g} s") from None
        except OSError as error:
            raise SendError(f"{type(error).__name__}: {error}") from error

    async def call(self, url: str) -> None:
        """GET an address and take any 2xx for good. Raises SendError."""
        target = parse_target(url)
        guard = Guard(self._allow_networks, frozenset({target.port}))
        connector = aiohttp.TCPConnector(
            resolver=Resolver(self._resolve, guard, self._lookup), socket_factory=guard.open_socket
        )
        try:
            if target.literal is not None:
                guard.check(target.host, target.port)
            timeout = aiohttp.ClientTimeout(total=SECONDS)
            headers = {"User-Agent": f"warta/{version('warta')}"}
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session,
                session.get(target.href, allow_redirects=False) as answer,
            ):
                if not 200 <= answer.status < 300:
                    raise SendError(f"HTTP {answer.status}")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise SendError(f"{type(error).__name__}: {error}") from error
        finally:
            await connector.close()

    async def _permit(self, service: Any) -> None:
        """Raises an OSError when the service's host is not to be reached."""
        host = getattr(service, "host", None)
        if not isinstance(host, str) or ("." not in host and host != "localhost" and not _is_generic(service)):
            return  # a service with an address of its own; the word in the host's place is a token
        port = getattr(service, "port", None) or 443
        guard = Guard(self._allow_networks, frozenset({port}))
        await Resolver(self._resolve, guard, self._lookup).resolve(host, port)


def _is_generic(service: Any) -> bool:
    protocols = []
    for name in ("protocol", "secure_protocol"):
        value = getattr(service, name, None)
        protocols += list(value) if isinstance(value, tuple | list) else [value]
    return any(protocol in _NAMED_HOSTS for protocol in protocols)


def _service(url: str) -> Any:
    """The plugin for an address, or None. Importing apprise takes a second: only where something is sent."""
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines would show the address
    return apprise.Apprise.instantiate(url, suppress_exceptions=True)


def _notify(service: Any, severity: str, title: str, body: str) -> bool:
    """Send by one plugin, in this thread."""
    import apprise

    everybody = apprise.Apprise()
    everybody.add(service)
    kind = apprise.NotifyType(_TYPES.get(severity, "info"))
    return bool(everybody.notify(body=body, title=title, notify_type=kind, body_format="text"))
