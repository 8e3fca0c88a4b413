"""Who may read: the right Host, and a token where one is asked for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from config.loopback import is_loopback
from config.model import Api

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class OpenToEverybody(ValueError):
    """An API that others could read without a token; it is not started."""

    def __init__(self, host: str) -> None:
        super().__init__(f"the API on {host} would be open to everybody: set api.tokens, or listen on 127.0.0.1")


def hashed(token: str) -> str:
    """A token as it is compared: the digits behind ``sha256:``, or the hash of the text."""
    if token.startswith("sha256:") and len(token) == 71:
        return token.removeprefix("sha256:").lower()
    return hashlib.sha256(token.encode()).hexdigest()


class Gate:
    """Middleware in front of everything the API answers.

    The Host header is checked against a list, so that a page in somebody's browser cannot read a local
    API through a name of its own (DNS rebinding). A token comes as ``Bearer``, or as the password of ``Basic`` for
    feed readers that know nothing else. Raises OpenToEverybody.
    """

    def __init__(self, app: ASGIApp, api: Api) -> None:
        if not api.tokens and not is_loopback(api.host):
            raise OpenToEverybody(api.host)
        self._app = app
        self._tokens = tuple(map(hashed, api.tokens))
        self._hosts: tuple[str, ...] = (*LOOPBACK_NAMES, api.host.lower(), *(host.lower() for host in api.hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = _host(headers.get("host", ""))
        if not _listed(host, self._hosts):
            message = f"this API does not answer to the host {host[:100]!r}; list it in api.hosts"
            await JSONResponse({"error": message}, 421)(scope, receive, send)
        elif self._tokens and not self._opens(headers.get("authorization", "")):
            refusal = JSONResponse(
                {"error": "a token is needed: Authorization: Bearer TOKEN"},
                401,
                {"WWW-Authenticate": 'Bearer realm="warta", Basic realm="warta"'},
            )
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _opens(self, authorization: str) -> bool:
        scheme, _, value = authorization.partition(" ")
        shown = value.strip()
        if scheme.lower() == "basic":
            try:
                shown = base64.b64decode(shown, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif scheme.lower() != "bearer":
            return False
        digest = hashlib.sha256(shown.encode()).hexdigest()
        return any(hmac.compare_digest(digest, token) for token in self._tokens)


def _host(header: str) -> str:
    """The host without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower().rstrip(".")


def _listed(host: str, hosts: Sequence[str]) -> bool:
    return any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in hosts)
