"""Where a redirect may lead, and what a request may carry there: pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from crawlers.address import Target, UnfetchableUrlError, parse_target
from crawlers.exchange import Answer
from crawlers.model import FetchRequest, Purpose, Redirect

#: Statuses that send elsewhere when they come with a Location (RFC 9110 section 15.4).
REDIRECTS = frozenset({301, 302, 303, 307, 308})

#: Query parameters that say where a reader came from and never what is shown.
_TRACKING = re.compile(
    r"(?:utm|mtm|pk|piwik|matomo|itm|hsa|vero|oly|mkt)_\w+"
    r"|(?:fbc|gc|dc|twc|yc|ysc|msclk|igsh|wbra|gbra)(?:l)?id|gclsrc|igshi?d?|mc_[ce]id|_ga|_gl|_hsenc|_hsmi|xtor",
    re.IGNORECASE,
)

_ACCEPT = {
    Purpose.FEED: "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, */*;q=0.5",
    Purpose.SITEMAP: "application/xml, text/xml, text/plain;q=0.8, */*;q=0.5",
    Purpose.LISTING: "text/html, application/xhtml+xml, */*;q=0.5",
    Purpose.ARTICLE: "text/html, application/xhtml+xml, */*;q=0.5",
    Purpose.ROBOTS: "text/plain, */*;q=0.5",
}


class RedirectRefusedError(Exception):
    """The redirect is not followed, and why."""


def next_target(answer: Answer, here: Target, before: Sequence[Redirect], *, limit: int, loops: bool) -> Target | None:
    """Where the answer sends us; None when it is no redirect.

    ``before`` are the hops made so far. Raises RedirectRefusedError for more than ``limit`` hops, a loop
    (unless ``loops``), another scheme, or https to http.
    """
    location = answer.header("location")
    if answer.status not in REDIRECTS or not location:
        return None
    try:
        there = parse_target(_as_text(location), base=here.href)
    except UnfetchableUrlError as error:
        raise RedirectRefusedError(f"{here.href} redirects to what is not fetched: {error}") from error
    if here.scheme == "https" and there.scheme == "http":
        raise RedirectRefusedError(f"{here.href} redirects from https down to {there.href}")
    if len(before) >= limit:
        raise RedirectRefusedError(f"{here.href} redirects once more after {limit} redirects")
    if not loops and (there.href == here.href or any(hop.url == there.href for hop in before)):
        raise RedirectRefusedError(f"{here.href} redirects in a loop to {there.href}")
    return there


def request_headers(request: FetchRequest, user_agent: str, first: Target, here: Target) -> tuple[tuple[str, str], ...]:
    """Headers for one hop: the outlet's own headers and credentials go to the first host only."""
    headers = {
        "user-agent": ("User-Agent", user_agent),
        "accept": ("Accept", _ACCEPT[request.purpose]),
        "accept-encoding": ("Accept-Encoding", "gzip, deflate, br, zstd"),
    }
    if request.etag is not None:
        headers["if-none-match"] = ("If-None-Match", request.etag)
    if request.last_modified is not None:
        headers["if-modified-since"] = ("If-Modified-Since", request.last_modified)
    if _same_site(first, here):
        if first.credentials is not None:
            headers["authorization"] = ("Authorization", _basic(*first.credentials))
        headers.update({name.lower(): (name, value) for name, value in request.headers})
    sent = ((name, _octets(value)) for name, value in headers.values())
    return tuple((name, value) for name, value in sent if value is not None)


def without_tracking(target: Target) -> Target:
    """The target without tracking parameters, the order of the others kept."""
    path, question, query = target.href.partition("?")
    if not question:
        return target
    kept = [pair for pair in query.split("&") if not _TRACKING.fullmatch(pair.partition("=")[0])]
    if len(kept) == query.count("&") + 1:
        return target
    href = f"{path}?{'&'.join(kept)}" if kept else path
    return Target(href=href, scheme=target.scheme, host=target.host, port=target.port, credentials=target.credentials)


def _same_site(first: Target, here: Target) -> bool:
    """The same host and port; from http to https on the default ports counts as the same."""
    if first.host != here.host:
        return False
    return first.origin == here.origin or (
        first.scheme == "http" and first.port == 80 and here.scheme == "https" and here.port == 443
    )


def _basic(user: str, password: str) -> str:
    """RFC 7617, from the percent-encoded user information of a URL."""
    pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return "Basic " + base64.b64encode(pair).decode("ascii")


def _as_text(location: str) -> str:
    """A Location's octets as the UTF-8 that browsers take them for."""
    try:
        return location.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return location


def _octets(value: str) -> str | None:
    """A header value in the form that travels as the octets it stands for, or None when it cannot be sent.

    Values taken from answers are latin-1, one character an octet; the client library encodes as UTF-8.
    Control characters are never sent (RFC 9110 section 5.5).
    """
    if any((char < " " and char != "\t") or char == "\x7f" for char in value):
        return None
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeEncodeError:
        return value
    except UnicodeDecodeError:
        return None
