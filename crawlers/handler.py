"""Scrapy's download handler with fences: HTTP over aiohttp, every connection and every byte counted.

What Scrapy's own handlers lack, and what is here: the address is judged on the socket that is about to
connect; header bytes are capped; decompression happens while streaming, under limits; the deadline is for
the whole answer; a short answer is an error; TLS certificates are verified.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import yarl
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import LineTooLong
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.http import Request, Response

from crawlers.exchange import Answer, Exchange, ExchangeFailedError
from crawlers.fences import fences_of
from crawlers.inflate import STEP_BYTES, BombError, InflateError, Inflater
from crawlers.model import FailureKind
from crawlers.resolve import ForbiddenAddressError, Guard, Resolver

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

#: Key under which a Scrapy request carries its exchange.
EXCHANGE = "warta_exchange"

#: Header lines of one answer; their bytes are limited as well.
_MAX_HEADERS = 1000
#: Room for status line, chunk sizes and trailers when the bytes of a connection are counted.
_FRAMING_BYTES = 64 * 1024
_KEEPALIVE_SECONDS = 15.0
_DNS_TTL_SECONDS = 60
_READ_BYTES = 64 * 1024


class _HeadersTooLargeError(aiohttp.ClientError):
    pass


class _TooManyBytesError(aiohttp.ClientError):
    pass


class _FencedProtocol(ResponseHandler):
    """Counts what a connection receives and cuts it off past the limits."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, guard: Guard, header_bytes: int) -> None:
        super().__init__(loop)
        self._guard = guard
        self._header_bytes = header_bytes
        self._in_head = True
        self.received = 0
        #: Bytes of one answer, head included; set once its headers are known.
        self.limit: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        try:
            self._guard.check(str(peer[0]), int(peer[1]))
        except (ForbiddenAddressError, TypeError, ValueError) as error:
            self._cut(aiohttp.ClientOSError(f"connected to {peer}: {error}"))

    def set_response_params(self, **params: Any) -> None:
        self._in_head, self.received, self.limit = True, 0, None
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        super().data_received(data)
        if self._in_head and self.received > self._header_bytes:
            self._cut(_HeadersTooLargeError())
        elif self.limit is not None and self.received > self.limit:
            self._cut(_TooManyBytesError())

    def feed_data(self, data: Any, size: int = 0) -> None:
        # 1xx answers come before the real one, any number of them: still the head.
        if data[0].code >= 200:
            self._in_head = False
        super().feed_data(data, size)

    def connection_lost(self, exc: BaseException | None) -> None:
        # A body that lasts until the connection ends is whole only if it ends in peace.
        if exc is not None and self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(aiohttp.ClientPayloadError(f"connection lost: {exc}"))
        super().connection_lost(exc)

    def _cut(self, error: aiohttp.ClientError) -> None:
        payload = self._payload
        self.set_exception(error)
        if payload is not None:
            payload.set_exception(error)
        if self.transport is not None:
            self.transport.abort()


class _FencedResponse(aiohttp.ClientResponse):
    """Keeps its connection's protocol, and gives the connection up when that was asked for."""

    protocol: _FencedProtocol | None = None

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        protocol = connection.protocol
        if isinstance(protocol, _FencedProtocol):
            self.protocol = protocol
            if self.request_info.headers.get("Connection") == "close":
                protocol.force_close()
        return await super().start(connection)


class FencedDownloadHandler(BaseDownloadHandler):
    """Handles http and https for the daemon's engine and for plain ``scrapy crawl``."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        fences = fences_of(crawler)
        limits = fences.settings.limits
        guard = Guard(fences.settings.allow_networks, limits.ports)
        self._header_bytes = limits.header_bytes
        connector = aiohttp.TCPConnector(
            ssl=fences.tls or ssl.create_default_context(),
            resolver=Resolver(fences.settings.resolve, guard, fences.lookup),
            socket_factory=guard.open_socket,
            limit=0,  # the host budget stands in front
            keepalive_timeout=_KEEPALIVE_SECONDS,
            ttl_dns_cache=_DNS_TTL_SECONDS,
        )
        # aiohttp has no public place for a protocol class of one's own.
        connector._factory = partial(  # type: ignore[assignment]
            _FencedProtocol, asyncio.get_running_loop(), guard=guard, header_bytes=limits.header_bytes
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            response_class=_FencedResponse,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.idle_seconds, sock_read=limits.idle_seconds),
            trust_env=False,
            max_line_size=limits.header_bytes,
            max_field_size=limits.header_bytes,
            max_headers=_MAX_HEADERS,
            read_bufsize=_READ_BYTES,
        )

    async def download_request(self, request: Request) -> Response:
        """Do the exchange that the request carries; the Scrapy response is only its shell."""
        exchange: Exchange = request.meta[EXCHANGE]
        try:
            exchange.enter()
            async with asyncio.timeout(exchange.seconds):
                exchange.answer = await self._exchange(exchange)
        except asyncio.CancelledError:
            if not exchange.aborted:
                raise
            # Scrapy's downloader lets no cancellation through; as an error it unwinds cleanly.
            raise ExchangeFailedError(FailureKind.TIMEOUT, f"{exchange.target.href} was given up") from None
        except ExchangeFailedError:
            raise
        except Exception as error:
            raise _failure(error, exchange) from error
        finally:
            exchange.leave()
        return Response(request.url, status=exchange.answer.status, body=exchange.answer.body)

    async def _exchange(self, exchange: Exchange) -> Answer:
        url = yarl.URL(exchange.target.href, encoded=True)
        if (url.raw_host or "").rstrip(".") != exchange.target.host or url.port != exchange.target.port:
            # Two readings of one URL: the parser differential that SSRF lives on.
            raise ExchangeFailedError(FailureKind.PROTOCOL, f"{exchange.target.href} can be read in two ways")
        headers = list(exchange.headers)
        if exchange.close:
            headers.append(("Connection", "close"))
        response = await self._session.get(url, headers=headers, allow_redirects=False)
        whole = False
        try:
            answer = await self._read(response, exchange)
            whole = True
        finally:
            # A connection with unread bytes on it is of no use to anyone.
            if whole and not exchange.close:
                response.release()
            else:
                response.close()
        return answer

    async def _read(self, response: aiohttp.ClientResponse, exchange: Exchange) -> Answer:
        raw = response.raw_headers
        if sum(len(name) + len(value) + 4 for name, value in raw) > self._header_bytes:
            raise _HeadersTooLargeError
        protocol = response.protocol if isinstance(response, _FencedResponse) else None
        if protocol is not None:
            protocol.limit = protocol.received + exchange.max_bytes * 2 + _FRAMING_BYTES
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw)
        body = b"" if response.status in {204, 304} else await _read_body(response, exchange, headers)
        return Answer(
            status=response.status,
            headers=headers,
            body=body,
            wire_bytes=protocol.received if protocol is not None else len(body),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


async def _read_body(
    response: aiohttp.ClientResponse, exchange: Exchange, headers: tuple[tuple[str, str], ...]
) -> bytes:
    coding = ",".join(value for name, value in headers if name == "content-encoding")
    href = exchange.target.href
    length = response.content_length
    if length is not None and length > exchange.max_bytes and not exchange.keep_start:
        raise ExchangeFailedError(
            FailureKind.TOO_LARGE,
            f"{href} announces {length} bytes, more than the {exchange.max_bytes} permitted",
            status=response.status,
        )
    inflater = Inflater(coding, max_bytes=exchange.max_decoded, max_ratio=exchange.max_ratio)
    body = bytearray()
    async for chunk in response.content.iter_any():
        if inflater.taken + len(chunk) > exchange.max_bytes and not exchange.keep_start:
            raise ExchangeFailedError(
                FailureKind.TOO_LARGE,
                f"{href} sends more than {exchange.max_bytes} bytes",
                status=response.status,
            )
        for piece in inflater.feed(chunk):
            body += piece
            if len(piece) == STEP_BYTES:
                await asyncio.sleep(0)  # a bomb must not stall the other fetches
            if exchange.keep_start and len(body) >= exchange.max_bytes:
                return bytes(body[: exchange.max_bytes])
    if not inflater.finished():
        raise ExchangeFailedError(
            FailureKind.TRUNCATED, f"{href} ends in the middle of its {coding} data", status=response.status
        )
    return bytes(body)


def _failure(error: Exception, exchange: Exchange) -> ExchangeFailedError:
    """What went wrong, in our terms."""
    host, href = exchange.target.host, exchange.target.href
    forbidden = _cause(error, ForbiddenAddressError)
    if forbidden is not None:
        return ExchangeFailedError(FailureKind.FORBIDDEN_ADDRESS, f"{href} is not fetched: {forbidden}")
    kind, message = _classify(error, host, href, exchange)
    return ExchangeFailedError(kind, message)


def _classify(error: Exception, host: str, href: str, exchange: Exchange) -> tuple[FailureKind, str]:
    match error:
        case TimeoutError():
            silent = isinstance(error, aiohttp.ServerTimeoutError)
            late = f"{href} did not answer whole within {exchange.seconds:.0f} s"
            return FailureKind.TIMEOUT, f"{host} fell silent, for longer than limits.idle_seconds" if silent else late
        case aiohttp.ClientConnectorDNSError():
            return FailureKind.DNS, f"the host name {host} cannot be resolved"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError() | ssl.SSLError():
            return FailureKind.TLS, f"no secure connection to {host}: {_brief(error)}"
        case aiohttp.ClientConnectorError():
            return (
                FailureKind.CONNECT,
                f"cannot connect to {host} port {exchange.target.port}: {_brief(error)}",
            )
        case _HeadersTooLargeError():
            return FailureKind.TOO_LARGE, f"{host} sends more header bytes than permitted"
        case _TooManyBytesError() | BombError():
            return FailureKind.TOO_LARGE, f"{href} sends too much: {_brief(error) or 'past the limit'}"
        case InflateError():
            return FailureKind.TRUNCATED, f"{href} sends broken compressed data: {_brief(error)}"
        case aiohttp.ClientPayloadError():
            return FailureKind.TRUNCATED, f"{href} sent less than it promised"
        case aiohttp.ClientResponseError() if _head_too_large(error):
            return FailureKind.TOO_LARGE, f"{host} sends more header bytes than permitted"
        case aiohttp.ClientResponseError():
            return FailureKind.PROTOCOL, f"{host} does not answer in HTTP: {_brief(error)}"
        case aiohttp.ClientConnectionError() | OSError():
            return FailureKind.CONNECT, f"{host} closed the connection before it answered"
        case _:
            return FailureKind.PROTOCOL, f"{href} cannot be fetched: {type(error).__name__}: {_brief(error)}"


def _head_too_large(error: aiohttp.ClientResponseError) -> bool:
    """Whether the parser gave up on the size of the head before its bytes were counted."""
    return _cause(error, LineTooLong) is not None or "too many headers" in str(error).lower()


def _cause(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """The first error of that kind in a chain of causes; aiohttp wraps what its hooks raise."""
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None or isinstance(seen, kind):
            return seen
        seen = getattr(seen, "os_error", None) or seen.__cause__ or seen.__context__
    return None


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
