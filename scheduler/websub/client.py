"""Requests to hubs: a form by POST, to permitted addresses only."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp

from config.model import Settings
from crawlers.address import Target, UnfetchableUrlError, parse_target
from crawlers.resolve import ForbiddenAddressError, Guard, Lookup, Resolver, system_lookup
from scheduler.delivery.webhook import retry_after

#: Of an answer's body, for the reason of a refusal.
_READ_BYTES = 300
_SECONDS = 30.0
#: Redirects that are followed; only those that keep the method (section 5.1).
_HOPS = 5
_KEEPING = frozenset({307, 308})


@dataclass(frozen=True, slots=True)
class Refusal:
    """The hub did not take a request, and why."""

    message: str
    wait: timedelta | None = None


class HubClient:
    """Asks hubs. Keeps nothing between requests but connections."""

    def __init__(
        self,
        settings: Settings,
        *,
        now: Callable[[], datetime],
        lookup: Lookup = system_lookup,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._now = now
        self._guard = Guard(settings.allow_networks, settings.limits.ports)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=tls or ssl.create_default_context(),
                resolver=Resolver(settings.resolve, self._guard, lookup),
                socket_factory=self._guard.open_socket,
                limit=8,
                force_close=True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=_SECONDS),
            trust_env=False,
            headers={"User-Agent": settings.politeness.user_agent},
        )

    async def ask(self, hub: str, form: Mapping[str, str]) -> Refusal | None:
        """Send a request; None when the hub took it. Raises nothing for what hubs do."""
        try:
            here = parse_target(hub)
            for _ in range(_HOPS + 1):
                self._check(here)
                async with self._session.post(here.href, data=dict(form), allow_redirects=False) as answer:
                    if 200 <= answer.status < 300:
                        return None
                    location = answer.headers.get("Location")
                    if answer.status not in _KEEPING or not location:
                        said = await answer.content.read(_READ_BYTES)
                        return Refusal(_reason(here, answer.status, said), retry_after(answer.headers, self._now()))
                there = parse_target(location, base=here.href)
                if here.scheme == "https" and there.scheme == "http":
                    return Refusal(f"{here.host} redirects from https down to {there.href}")
                here = there
            return Refusal(f"{here.host} redirects once more after {_HOPS} redirects")
        except TimeoutError:
            return Refusal(f"{hub} did not answer within {_SECONDS:g} s")
        except (ForbiddenAddressError, UnfetchableUrlError) as error:
            return Refusal(f"{hub} is not asked: {error}"[:300])
        except (aiohttp.ClientError, OSError, ValueError) as error:
            cause = f"; {error.__cause__}" if isinstance(error.__cause__, OSError) else ""
            return Refusal(f"{hub}: {type(error).__name__}: {error}{cause}"[:300])

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    def _check(self, here: Target) -> None:
        self._guard.check_port(here.port)
        if here.literal is not None:  # aiohttp asks no resolver for these
            self._guard.check(here.host, here.port)


def _reason(here: Target, status: int, said: bytes) -> str:
    text = " ".join(said.decode("utf-8", "replace").split())
    return f"{here.host} answers HTTP {status}" + (f": {text[:200]}" if text else "")
