"""From one answer of a source to what it announces, whatever the answer turns out to be.

:func:`discover` is what runs in a child process: plain values in, plain values out, no exception.
An answer is read as what it is, not as what it was asked for: a sitemap at a feed's address is
read as a sitemap. HTTP 200 is not "the feed is fine".
"""

from __future__ import annotations

import re
import zlib
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from config.model import Limits, Listing, SourceKind
from crawlers.decode import to_text
from crawlers.feed import read_feed
from crawlers.jsonfeed import read_jsonfeed
from crawlers.listing import read_listing
from crawlers.model import Discovered, DiscoveryFailed, FailureKind
from crawlers.plain import plain
from crawlers.sitemap import read_list, read_sitemap

#: Bytes in which the root of a document must show up.
HEAD: Final = 65_536
_GZIP: Final = b"\x1f\x8b"
_ROOT: Final = re.compile(r"<((?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*))[\s/>]")
_BLANK: Final = re.compile(r"\s*")
_FEEDS: Final = re.compile(r"<(?:rdf:RDF|rss|feed|urlset|sitemapindex)[\s>]", re.IGNORECASE)
#: An Atom document may be one entry (RFC 4287 section 2).
_FEED_ROOTS: Final = frozenset({"rss", "rdf", "feed", "channel", "entry"})
_SITEMAP_ROOTS: Final = frozenset({"urlset", "sitemapindex"})
_PAGE: Final = re.compile(r"<!doctype html|<html[\s>]|<head[\s>]|<body[\s>]", re.IGNORECASE)
_TITLE: Final = re.compile(r"<title[^<>]*>([^<]{0,300})", re.IGNORECASE)
_PASSWORD: Final = re.compile(r"<input[^<>]{0,300}type\s*=\s*[\"']?password", re.IGNORECASE)
_URL_LINE: Final = re.compile(r"\s*https?://\S+\s*$")

#: Words of pages that stand between a reader and the answer, and what to call them.
_WALLS: Final = (
    (
        re.compile(
            r"_cf_chl_|cf-browser-verification|challenge-platform|just a moment\.\.\."
            r"|attention required! \| cloudflare"
            r"|px-captcha|captcha-delivery|geo\.captcha|g-recaptcha|h-captcha|hcaptcha\.com|cf-turnstile|ddos-guard"
            r"|_incapsula_resource|imperva|aws-waf-token|awswafintegration|sucuri website firewall"
            r"|checking your browser"
            r"|verifying you are human|are you a robot|unusual traffic|bot verification",
            re.IGNORECASE,
        ),
        "a challenge page",
    ),
    (
        re.compile(
            r"access denied|akses ditolak|request unsuccessful|403 forbidden|you have been blocked"
            r"|request blocked|not available in your (?:country|region)|pardon our interruption",
            re.IGNORECASE,
        ),
        "a refusal",
    ),
    (
        re.compile(
            r"consent\.(?:google|yahoo|youtube)|sp_message_container|consensu\.org/|before you continue"
            r"|<form[^<>]{0,300}action=[\"']?[^\"'\s<>]{0,200}consent"
            r"|cookie[ -]?wall|id=[\"']?(?:consent|onetrust-consent)-?(?:wall|page)",
            re.IGNORECASE,
        ),
        "a consent page",
    ),
)


def discover(
    kind: SourceKind,
    body: bytes,
    *,
    url: str,
    content_type: str | None = None,
    now: datetime,
    timezone: ZoneInfo,
    listing: Listing | None = None,
    sitemap_follow: str | None = None,
    limits: Limits | None = None,
) -> Discovered | DiscoveryFailed:
    """What the answer `body` of `url` (after redirects) announces; never raises.

    A well-formed feed without items is :class:`Discovered` with the problem ``empty_feed``: the
    caller knows whether that is usual.
    """
    limits = limits or Limits()
    try:
        body = _unpacked(body, limits)
        if not body.strip(b"\xef\xbb\xbf\0 \t\r\n"):
            return DiscoveryFailed(kind=FailureKind.EMPTY, message=f"{url} answers nothing at all.")
        return _Reader(kind, url, content_type, now, timezone, listing, sitemap_follow, limits).read(body)
    except _TooLargeError as error:
        return DiscoveryFailed(kind=FailureKind.TOO_LARGE, message=f"{url} {error}.")
    except RecursionError:
        return DiscoveryFailed(kind=FailureKind.PARSE, message=f"{url} is nested too deep to be read.")
    except Exception as error:  # the last fence between a stranger's bytes and the run
        message = f"{url} cannot be read: {type(error).__name__}: {str(error)[:200]}"
        return DiscoveryFailed(kind=FailureKind.PARSE, message=message)


class _TooLargeError(Exception):
    """A compressed file that is a bomb."""


class _Reader:
    """Knows what was asked; finds out what came and hands it to the reader for that."""

    def __init__(
        self,
        kind: SourceKind,
        url: str,
        content_type: str | None,
        now: datetime,
        timezone: ZoneInfo,
        listing: Listing | None,
        follow: str | None,
        limits: Limits,
    ) -> None:
        self.kind, self.url, self.content_type = kind, url, content_type
        self.now, self.timezone, self.limits = now, timezone, limits
        self.listing, self.follow = listing, follow

    def read(self, body: bytes) -> Discovered | DiscoveryFailed:
        head = to_text(body[:HEAD], self.content_type).lstrip("\ufeff \t\r\n\0")
        root = _root(head)
        if root in _SITEMAP_ROOTS:
            return self._sitemap(body)
        if root in _FEED_ROOTS:
            return self._feed(body)
        if head[:1] in {"{", "["}:
            return self._json(body)
        if self.kind is SourceKind.LISTING:
            return self._listing(body, head)
        if not _PAGE.search(head[:4096]):
            if found := _FEEDS.search(head):  # warnings of a script stand before the feed
                return self._after_garbage(body, found[0])
            if _URL_LINE.match(head.split("\n", 1)[0]):
                return read_list(to_text(body, self.content_type), url=self.url, limits=self.limits)
        return self._no_feed(head)

    def _feed(self, body: bytes) -> Discovered | DiscoveryFailed:
        text = to_text(body, self.content_type)
        return read_feed(text, url=self.url, now=self.now, timezone=self.timezone, limits=self.limits)

    def _json(self, body: bytes) -> Discovered | DiscoveryFailed:
        text = to_text(body, None).lstrip("\ufeff")
        return read_jsonfeed(text, url=self.url, now=self.now, timezone=self.timezone, limits=self.limits)

    def _sitemap(self, body: bytes) -> Discovered:
        return read_sitemap(
            body, url=self.url, now=self.now, timezone=self.timezone, limits=self.limits, follow=self.follow
        )

    def _listing(self, body: bytes, head: str) -> Discovered | DiscoveryFailed:
        found = read_listing(
            body,
            url=self.url,
            content_type=self.content_type,
            now=self.now,
            timezone=self.timezone,
            limits=self.limits,
            listing=self.listing,
        )
        wall = None if found.entries else _wall(head)
        return self._blocked(wall, head) if wall else found

    def _after_garbage(self, body: bytes, start: str) -> Discovered | DiscoveryFailed:
        text = to_text(body, self.content_type)
        text = text[text.find(start) :]
        if start[1:].lower().startswith(("urlset", "sitemapindex")):
            return self._sitemap(text.encode("utf-8", "replace"))
        return read_feed(text, url=self.url, now=self.now, timezone=self.timezone, limits=self.limits)

    def _no_feed(self, head: str) -> DiscoveryFailed:
        if wall := _wall(head):
            return self._blocked(wall, head)
        what = "a web page" if _PAGE.search(head) else f"something else ({self.content_type or 'no type'})"
        return DiscoveryFailed(
            kind=FailureKind.NOT_A_FEED,
            message=f"{self.url} answers {what}{_titled(head)}, where a {self.kind.value} was expected.",
        )

    def _blocked(self, wall: str, head: str) -> DiscoveryFailed:
        return DiscoveryFailed(
            kind=FailureKind.BLOCKED,
            message=f"{self.url} answers {wall}{_titled(head)}, where a {self.kind.value} was expected.",
        )


def _root(head: str) -> str | None:
    """The local name of the document's first element, lower-case."""
    text = _without_prolog(head)
    start = _doctype_end(text) if text[:9].lower() == "<!doctype" else 0
    found = _ROOT.search(text, start) if start else _ROOT.match(text)
    return found[2].lower() if found else None


def _without_prolog(head: str) -> str:
    """`head` from the document type or the first element on."""
    position = 0
    while True:
        position += len(_BLANK.match(head, position)[0])  # type: ignore[index]
        closing = "?>" if head.startswith("<?", position) else "-->" if head.startswith("<!--", position) else None
        if closing is None:
            return head[position:]
        end = head.find(closing, position)
        if end < 0:
            return ""
        position = end + len(closing)


def _doctype_end(text: str) -> int:
    """Where the document type ends, its internal subset included."""
    bracket, end = text.find("["), text.find(">")
    if 0 <= bracket < end:
        end = text.find("]", bracket)
    return max(end, 0)


def _wall(head: str) -> str | None:
    for words, name in _WALLS:
        if words.search(head):
            return name
    return "a login page" if _PASSWORD.search(head) else None


def _titled(head: str) -> str:
    found = _TITLE.search(head)
    title = plain(found[1], limit=100) if found else None
    return f' titled "{title}"' if title else ""


def _unpacked(body: bytes, limits: Limits) -> bytes:
    """`body` out of the gzip a ``.gz`` file is in; a damaged end gives what came before it.

    Raises _TooLargeError past ``limits.decompressed_bytes`` or ``limits.compression_ratio``.
    """
    if not body.startswith(_GZIP):
        return body
    most = min(limits.decompressed_bytes, max(len(body) * limits.compression_ratio, 2**20))
    pieces, room, rest = [], most + 1, body
    while rest.startswith(_GZIP) and room > 0:
        member = zlib.decompressobj(31)
        try:
            piece = member.decompress(rest, room)
        except zlib.error:
            break
        pieces.append(piece)
        room -= len(piece)
        if not member.eof:
            break
        rest = member.unused_data
    if room <= 0:
        raise _TooLargeError(f"unpacks to more than {most} bytes")
    return b"".join(pieces)
