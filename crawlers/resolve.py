"""Names to addresses, judged before any socket is opened, and judged again when one is."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from aiohttp.abc import AbstractResolver, ResolveResult

from crawlers.address import Network, Verdict, judge

#: Gives the addresses of a name; raises OSError when there are none.
Lookup = Callable[[str], Awaitable[Sequence[str]]]

#: Look-ups in flight; getaddrinfo of a dead name server holds its thread for half a minute.
_LOOKUPS = threading.BoundedSemaphore(64)


class ForbiddenAddressError(OSError):
    """A connection would have left the public internet or the list of ports."""


class Guard:
    """The operator's word on where connections may go.

    Knows addresses and ports only; names are the resolver's.
    """

    def __init__(self, allow_networks: Sequence[Network], ports: frozenset[int]) -> None:
        self._allow_networks = tuple(allow_networks)
        self._ports = ports

    def judge(self, address: str) -> Verdict:
        """Whether the address may be connected to."""
        return judge(address, self._allow_networks)

    def check_port(self, port: int) -> None:
        """Raises ForbiddenAddressError unless the port is permitted."""
        if port not in self._ports:
            raise ForbiddenAddressError(f"port {port} is not among the permitted ones")

    def check(self, address: str, port: int) -> None:
        """Raises ForbiddenAddressError unless both address and port are permitted."""
        self.check_port(port)
        verdict = self.judge(address)
        if not verdict.permitted:
            raise ForbiddenAddressError(f"{address} is not a public address ({verdict.range})")

    def open_socket(self, info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """The socket for one address, made right before it connects (aiohttp's socket factory)."""
        family, kind, protocol, _, place = info
        self.check(str(place[0]), int(str(place[1])))
        return socket.socket(family, kind, protocol)


async def system_lookup(host: str) -> list[str]:
    """The addresses that the operating system's resolver gives.

    Runs in a daemon thread: a look-up cannot be interrupted, and must not hold up the end of the process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(result: list[str] | OSError) -> None:
        if answer.done():
            return
        if isinstance(result, OSError):
            answer.set_exception(result)
        else:
            answer.set_result(result)

    def look_up() -> None:
        result: list[str] | OSError
        try:
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            result = list(dict.fromkeys(str(info[4][0]) for info in infos))
        except (OSError, UnicodeError) as error:
            result = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, str(error))
        finally:
            _LOOKUPS.release()
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(settle, result)

    if not _LOOKUPS.acquire(blocking=False):
        raise socket.gaierror(socket.EAI_AGAIN, "too many name look-ups wait for an answer")
    threading.Thread(target=look_up, name="warta-dns", daemon=True).start()
    return await answer


class Resolver(AbstractResolver):
    """Resolves through the operator's overrides, then a look-up; gives permitted addresses only."""

    def __init__(self, overrides: Sequence[tuple[str, str]], guard: Guard, lookup: Lookup = system_lookup) -> None:
        self._exact = {name.lower(): address for name, address in overrides if not name.startswith("*.")}
        self._suffixes = [(name[1:].lower(), address) for name, address in overrides if name.startswith("*.")]
        self._guard = guard
        self._lookup = lookup

    def override(self, host: str) -> str | None:
        """The address that the configuration gives a name."""
        host = host.lower().rstrip(".")
        if host in self._exact:
            return self._exact[host]
        return next((address for suffix, address in self._suffixes if host.endswith(suffix)), None)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The permitted addresses of a name.

        Raises ForbiddenAddressError when no address is permitted, another OSError when there is none.
        """
        address = self.override(host)
        addresses = [address] if address is not None else await self._lookup(host)
        if not addresses:
            raise socket.gaierror(socket.EAI_NODATA, "the name has no address")
        verdicts = [(text, self._guard.judge(text)) for text in addresses]
        permitted = [text for text, verdict in verdicts if verdict.permitted]
        if not permitted:
            text, verdict = verdicts[0]
            raise ForbiddenAddressError(f"{host} resolves to {text}, not a public address ({verdict.range})")
        return [_result(host, text, port) for text in permitted]

    async def close(self) -> None:
        """Nothing is held."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST,
    )
