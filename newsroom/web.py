"""What is asked and what is answered, before anything is put on a wire."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b
from urllib.parse import urlencode

from newsroom.hostile import Connection

#: Host of the press's hub.
HUB = "hub.newsroom.test"


class Addresses:
    """Builds absolute URLs for virtual hosts that all listen on one port."""

    def __init__(self, port: int = 80) -> None:
        #: The port in every address; set once the socket is bound.
        self.port = port

    def url(self, host: str, path: str = "/", **query: object) -> str:
        """``http://host:port/path?query``; a port of 80 is left out."""
        port = "" if self.port == 80 else f":{self.port}"
        return f"http://{host}{port}{path}" + (f"?{urlencode(query)}" if query else "")


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one address, with what matters of its headers."""

    host: str
    path: str
    #: Newsroom time of the request, aware UTC.
    now: datetime
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    #: Lower-case names.
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """Something an outlet shows; rendered only if somebody needs its bytes."""

    content_type: str
    #: Changes whenever the bytes would.
    version: str
    modified: datetime
    render: Callable[[], bytes]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """A redirect."""

    location: str
    status: int = 301


Shown = Page | Moved | None  # None: there is no such page


Wire = Callable[[Connection, "Answer"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer: what goes out unless something misbehaves."""

    status: int
    body: bytes = b""
    #: Lower-case names; content-length is added when it is sent.
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Puts the answer on the wire in a way that no HTTP server would; None sends it properly.
    wire: Wire | None = None

    def having(self, **headers: str) -> Answer:
        """With these headers set; underscores stand for hyphens."""
        return replace(self, headers={**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}})

    def without(self, *names: str) -> Answer:
        """With these headers gone."""
        return replace(self, headers={k: v for k, v in self.headers.items() if k not in names})


def etag_of(text: str | bytes) -> str:
    """A strong entity tag."""
    raw = text.encode() if isinstance(text, str) else text
    return f'"{blake2b(raw, digest_size=9).hexdigest()}"'


def http_date(moment: datetime) -> str:
    """An IMF-fixdate (RFC 9110, section 5.6.7)."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def is_unchanged(request: Request, etag: str | None, modified: str | None) -> bool:
    """RFC 9110, section 13.2.2: If-None-Match decides when it is there, If-Modified-Since else."""
    wanted = request.headers.get("if-none-match")
    if wanted is not None:
        if etag is None:
            return False
        tags = [t.strip().removeprefix("W/") for t in wanted.split(",")]
        return "*" in tags or etag.removeprefix("W/") in tags
    since = request.headers.get("if-modified-since")
    if since is None or modified is None:
        return False
    try:
        return parsedate_to_datetime(modified) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False


def packed(request: Request, answer: Answer) -> Answer:
    """Gzip if the client takes it and the type gains by it."""
    kind = answer.headers.get("content-type", "")
    textual = any(word in kind for word in ("text", "xml", "json", "javascript"))
    if not textual or len(answer.body) < 256 or "gzip" not in request.headers.get("accept-encoding", ""):
        return answer
    if "content-encoding" in answer.headers:
        return answer
    body = gzip.compress(answer.body, 5, mtime=0)
    return replace(answer, body=body).having(content_encoding="gzip", vary="Accept-Encoding")
