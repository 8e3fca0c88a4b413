"""The open table of everything a server may do wrong, each by name and in one sentence."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache

from newsroom import chance, dates, hostile
from newsroom.hostile import Connection
from newsroom.web import Answer, Request, Wire, http_date

Options = Mapping[str, str]


class Stage(StrEnum):
    """Where in the making of an answer a misbehaviour takes hold."""

    CONTENT = "content"  # the bytes, before validators are made from them
    ANSWER = "answer"  # status, headers and bytes
    FINAL = "final"  # after compression
    WIRE = "wire"  # how the bytes reach the client


@dataclass(frozen=True, slots=True)
class Case:
    """One answer about to go wrong."""

    request: Request
    answer: Answer
    options: Options
    #: How often the rule has struck before.
    times: int

    def number(self, name: str, default: float) -> float:
        """A numeric option."""
        return float(self.options.get(name, default))


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """A named way to go wrong."""

    name: str
    stage: Stage
    #: One sentence.
    says: str
    apply: Callable[[Case], Answer]


#: Every misbehaviour by name; add one by decorating a function with `misbehaviour` or `on_the_wire`.
TABLE: dict[str, Misbehaviour] = {}


def misbehaviour(stage: Stage) -> Callable[[Callable[[Case], Answer]], Callable[[Case], Answer]]:
    """Enter a function into the table under its own name; its docstring is the sentence."""

    def enter(function: Callable[[Case], Answer]) -> Callable[[Case], Answer]:
        name = function.__name__.strip("_")
        TABLE[name] = Misbehaviour(name, stage, (function.__doc__ or "").strip(), function)
        return function

    return enter


def on_the_wire(make: Callable[[Case], Wire]) -> Callable[[Case], Wire]:
    """Enter a function that gives the writer of the answer's bytes."""
    TABLE[make.__name__] = Misbehaviour(
        make.__name__, Stage.WIRE, (make.__doc__ or "").strip(), lambda case: replace(case.answer, wire=make(case))
    )
    return make


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who misbehaves, how, how often and when."""

    id: int
    #: A key of `TABLE`.
    name: str
    #: Host, or None for all; ``*.ladang.test`` covers subdomains.
    host: str | None = None
    #: Path prefix (``exact`` compares the whole path), or None for all, robots.txt included.
    path: str | None = None
    exact: bool = False
    #: Share of requests struck, drawn from the seed and the count of requests.
    share: float = 1.0
    #: Newsroom times between which the rule holds; None is open.
    since: datetime | None = None
    until: datetime | None = None
    seed: int = 0
    options: Options = field(default_factory=dict)

    def covers(self, request: Request) -> bool:
        """Whether the request is in the rule's scope and time; says nothing of its share."""
        if self.host is not None and not _host_matches(self.host, request.host):
            return False
        if self.path is not None and (
            request.path != self.path if self.exact else not request.path.startswith(self.path)
        ):
            return False
        return not ((self.since and request.now < self.since) or (self.until and request.now >= self.until))


def _host_matches(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


class Rules:
    """The misbehaviours in force, with how often each has been asked and has struck."""

    def __init__(self) -> None:
        self._rules: dict[int, Rule] = {}
        self._asked: dict[int, int] = {}
        self._struck: dict[int, int] = {}
        self._next = 1

    def add(self, name: str, **scope: object) -> Rule:
        """Put a misbehaviour in force; an unknown name is a ValueError that lists the known ones."""
        if name not in TABLE:
            raise ValueError(f"no misbehaviour is called {name!r}; there are: {', '.join(sorted(TABLE))}")
        rule = Rule(id=self._next, name=name, **scope)  # type: ignore[arg-type]
        self._rules[rule.id] = rule
        self._next += 1
        return rule

    def remove(self, rule_id: int) -> bool:
        """End one rule; False if there is none of that id."""
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        """Behave."""
        self._rules.clear()

    def all(self) -> list[tuple[Rule, int]]:
        """Every rule and how often it has struck."""
        return [(r, self._struck.get(r.id, 0)) for r in self._rules.values()]

    def striking(self, request: Request) -> list[tuple[Rule, int]]:
        """The rules that strike this request, each with its earlier strikes; counts the request."""
        out = []
        for rule in list(self._rules.values()):
            if not rule.covers(request):
                continue
            asked = self._asked[rule.id] = self._asked.get(rule.id, 0) + 1
            if rule.share < 1 and chance.share(rule.seed, rule.id, asked) >= rule.share:
                continue
            out.append((rule, self._struck.get(rule.id, 0)))
            self._struck[rule.id] = out[-1][1] + 1
        return out


def applied(stage: Stage, striking: list[tuple[Rule, int]], request: Request, answer: Answer) -> Answer:
    """The answer after all striking rules of one stage."""
    for rule, times in striking:
        what = TABLE[rule.name]
        if what.stage is stage:
            answer = what.apply(Case(request, answer, rule.options, times))
    return answer


# -- statuses


def _status(code: int, says: str) -> None:
    def apply(case: Case) -> Answer:
        body = f"<html><head><title>{code}</title></head><body><h1>{code}</h1></body></html>".encode()
        answer = Answer(code, body, {"content-type": "text/html; charset=utf-8"})
        wait = case.options.get("retry_after")
        if wait is None:
            return answer
        as_date = case.options.get("retry_form") == "date"
        value = http_date(datetime.now(UTC) + timedelta(seconds=float(wait))) if as_date else wait
        return answer.having(retry_after=value)

    TABLE[f"status_{code}"] = Misbehaviour(f"status_{code}", Stage.ANSWER, says, apply)


_status(500, "Answers 500, as a server with a bug does.")
_status(503, "Answers 503, with Retry-After in seconds if `retry_after` is set, as a date if `retry_form` is `date`.")
_status(429, "Answers 429, with Retry-After as for 503.")
_status(403, "Answers 403, as a server that dislikes the client's address does.")
_status(404, "Answers 404, as if the page had never been.")
_status(410, "Answers 410: gone, and not coming back.")
_status(401, "Answers 401, as a feed that wants a password does.")


# -- redirects

_MARK = "pindah"


def _redirect(code: int, says: str) -> None:
    def apply(case: Case) -> Answer:
        if _MARK in case.request.query:
            return case.answer
        location = case.options.get("to") or f"{case.request.path}?{_MARK}=1"
        return Answer(code, b"", {"location": location})

    TABLE[f"redirect_{code}"] = Misbehaviour(f"redirect_{code}", Stage.ANSWER, says, apply)


_redirect(301, "Moves for good (301) to `to`, by default to the same path with a mark that answers as before.")
_redirect(302, "Moves for now (302) to `to`, by default to the same path with a mark that answers as before.")
_redirect(307, "Moves for now (307) to `to`, by default to the same path with a mark that answers as before.")
_redirect(308, "Moves for good (308) to `to`, by default to the same path with a mark that answers as before.")


@misbehaviour(Stage.ANSWER)
def redirect_loop(case: Case) -> Answer:
    """Redirects for ever, to an address with a count that grows."""
    count = int(case.request.query.get("putaran", "0")) + 1
    return Answer(302, b"", {"location": f"{case.request.path}?putaran={count}"})


@misbehaviour(Stage.ANSWER)
def redirect_to_itself(case: Case) -> Answer:
    """Redirects to the very address that was asked."""
    return Answer(301, b"", {"location": case.request.path})


@misbehaviour(Stage.ANSWER)
def redirect_to_file(case: Case) -> Answer:
    """Redirects to a file of the client's own machine."""
    return Answer(302, b"", {"location": "file:///etc/hostname"})


@misbehaviour(Stage.ANSWER)
def redirect_to_private(case: Case) -> Answer:
    """Redirects to a cloud's metadata address, as an attacker would."""
    return Answer(302, b"", {"location": "http://169.254.169.254/latest/meta-data/"})


# -- the wrong thing with a good status


def _html(status: int, title: str, body: str, **headers: str) -> Answer:
    text = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>"
    return Answer(status, text.encode(), {"content-type": "text/html; charset=utf-8"}).having(**headers)


@misbehaviour(Stage.ANSWER)
def html_instead(case: Case) -> Answer:
    """Gives the home page with status 200 where a feed or an article was asked for."""
    return _html(200, "Beranda", "<h1>Beranda</h1><p>Selamat datang.</p>")


@misbehaviour(Stage.ANSWER)
def challenge(case: Case) -> Answer:
    """Gives a page that wants to see a browser, with status `status` (403 by default)."""
    body = (
        "<div id='challenge-running'>Checking if the site connection is secure</div><noscript>Enable JavaScript and"
        " cookies to continue</noscript><script src='/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1'></script>"
    )
    status = int(case.options.get("status", "403"))
    return _html(status, "Just a moment...", body, server="cloudflare", cf_mitigated="challenge")


@misbehaviour(Stage.ANSWER)
def consent_wall(case: Case) -> Answer:
    """Gives a page that asks for consent before anything else, with status 200."""
    form = "<form action='/consent' method='post'><h1>Kami menghargai privasi Anda</h1><button>Setuju</button></form>"
    return _html(200, "Persetujuan privasi", form)


@misbehaviour(Stage.ANSWER)
def login_page(case: Case) -> Answer:
    """Gives a log-in form with status 200."""
    fields = "<input name='email'><input type='password' name='password'><button>Masuk</button>"
    return _html(200, "Masuk", f"<form action='/login' method='post'>{fields}</form>")


@misbehaviour(Stage.ANSWER)
def empty_body(case: Case) -> Answer:
    """Answers 200 with no bytes at all."""
    return Answer(200, b"", case.answer.without("etag", "last-modified").headers)


# -- validators that lie


@misbehaviour(Stage.ANSWER)
def lying_304(case: Case) -> Answer:
    """Answers 304 to every conditional request, whatever has changed."""
    if {"if-none-match", "if-modified-since"} & set(case.request.headers):
        return Answer(304, b"", {k: v for k, v in case.answer.headers.items() if k in ("etag", "last-modified")})
    return case.answer


@misbehaviour(Stage.ANSWER)
def etag_changes(case: Case) -> Answer:
    """Gives another ETag each time for the same bytes, and so never a 304."""
    return case.answer.having(etag=f'"{chance.number("etag", case.times):x}"')


@misbehaviour(Stage.ANSWER)
def no_validators(case: Case) -> Answer:
    """Leaves ETag and Last-Modified out."""
    return case.answer.without("etag", "last-modified")


# -- what a publisher may say about when to come back: nothing wrong, but to be heeded


@misbehaviour(Stage.ANSWER)
def says_max_age(case: Case) -> Answer:
    """Asks by Cache-Control to be left alone for `seconds` (3600 by default)."""
    return case.answer.having(cache_control=f"max-age={case.options.get('seconds', '3600')}")


def _in_channel(case: Case, element: str) -> Answer:
    mark = b"<lastBuildDate>"
    return replace(case.answer, body=case.answer.body.replace(mark, element.encode() + mark, 1))


@misbehaviour(Stage.CONTENT)
def says_ttl(case: Case) -> Answer:
    """Asks by RSS ttl to be left alone for `minutes` (60 by default)."""
    return _in_channel(case, f"<ttl>{case.options.get('minutes', '60')}</ttl>")


@misbehaviour(Stage.CONTENT)
def says_skip_hours(case: Case) -> Answer:
    """Asks by RSS skipHours not to be read in `hours` (GMT, `0,1,2,3` by default)."""
    hours = "".join(f"<hour>{h}</hour>" for h in case.options.get("hours", "0,1,2,3").split(","))
    return _in_channel(case, f"<skipHours>{hours}</skipHours>")


# -- feeds that are not as they were

_GUID = re.compile(rb'(<guid[^>]*>)(.*?)(</guid>)|(<entry>.*?<id>)(.*?)(</id>)|("id": ")(.*?)(")', re.DOTALL)
_GUID_ATTRIBUTE = re.compile(rb'isPermaLink="true"')


def _with_guids(body: bytes, mark: bytes) -> bytes:
    def marked(found: re.Match[bytes]) -> bytes:
        before, middle, after = (g for g in found.groups() if g is not None)
        return before + middle + mark + after

    return _GUID_ATTRIBUTE.sub(b'isPermaLink="false"', _GUID.sub(marked, body))


@misbehaviour(Stage.CONTENT)
def new_guids(case: Case) -> Answer:
    """Republishes every item under a new GUID (`version` makes another set)."""
    mark = f"#v{case.options.get('version', '2')}".encode()
    return replace(case.answer, body=_with_guids(case.answer.body, mark))


@misbehaviour(Stage.CONTENT)
def random_guids(case: Case) -> Answer:
    """Gives every item another GUID at each poll."""
    return replace(case.answer, body=_with_guids(case.answer.body, f"#{chance.number('guid', case.times):x}".encode()))


_ITEMS = re.compile(rb'<item[ >].*</item>|<entry>.*</entry>|<url>.*</url>|(?<="items": )\[.*\]', re.DOTALL)


@misbehaviour(Stage.CONTENT)
def empty_feed(case: Case) -> Answer:
    """Gives a well-formed feed or sitemap without one item."""
    return replace(case.answer, body=_ITEMS.sub(lambda m: b"[]" if m[0].startswith(b"[") else b"", case.answer.body))


_PUBDATE = re.compile(rb"<pubDate>(.*?)</pubDate>")


@misbehaviour(Stage.CONTENT)
def indonesian_dates(case: Case) -> Answer:
    """Writes pubDate in Indonesian words without a zone."""

    def local(found: re.Match[bytes]) -> bytes:
        at = parsedate_to_datetime(found[1].decode())
        return f"<pubDate>{dates.long_date(at)} {dates.clock_time(at)} WIB</pubDate>".encode()

    return replace(case.answer, body=_PUBDATE.sub(local, case.answer.body))


@misbehaviour(Stage.CONTENT)
def relative_links(case: Case) -> Answer:
    """Writes links of items without scheme and host."""
    return replace(
        case.answer, body=re.sub(rb"(<item>.*?<link>)https?://[^/<]+", rb"\1", case.answer.body, flags=re.DOTALL)
    )


_TITLE = re.compile(rb"(<item>|<entry>)(\s*)<title>")


def _in_titles(case: Case, what: bytes) -> Answer:
    return replace(case.answer, body=_TITLE.sub(lambda m: m[0] + what, case.answer.body))


@misbehaviour(Stage.CONTENT)
def control_characters(case: Case) -> Answer:
    """Puts control characters, which XML forbids, into titles."""
    return _in_titles(case, b"\x0b\x1b[31m")


@misbehaviour(Stage.CONTENT)
def bare_ampersands(case: Case) -> Answer:
    """Puts unescaped ampersands into titles."""
    return _in_titles(case, b"Untung & Rugi &c: ")


@misbehaviour(Stage.CONTENT)
def undefined_entities(case: Case) -> Answer:
    """Uses HTML's named entities, which XML does not know, in titles."""
    return _in_titles(case, b"&nbsp;&rsaquo; ")


@misbehaviour(Stage.CONTENT)
def blank_before_declaration(case: Case) -> Answer:
    """Begins with a byte order mark and a blank line before the XML declaration."""
    return replace(case.answer, body=b"\xef\xbb\xbf\n" + case.answer.body)


@misbehaviour(Stage.CONTENT)
def cut_in_the_middle(case: Case) -> Answer:
    """Ends in the middle of the document, with a Content-Length that agrees."""
    return replace(case.answer, body=case.answer.body[: len(case.answer.body) // 2])


@misbehaviour(Stage.CONTENT)
def home_page_links(case: Case) -> Answer:
    """Gives every item the home page as its link and GUID."""
    home = f"http://{case.request.host}/".encode()
    body = re.sub(
        rb"(<item>.*?<link>).*?(</link>.*?<guid[^>]*>).*?(</guid>)",
        rb"\1" + home + rb"\2" + home + rb"\3",
        case.answer.body,
        flags=re.DOTALL,
    )
    return replace(case.answer, body=body)


# -- encodings

_LABELS = re.compile(rb"(encoding=\"|charset=\"?)utf-8", re.IGNORECASE)


@misbehaviour(Stage.ANSWER)
def wrong_label(case: Case) -> Answer:
    """Sends UTF-8 and calls it iso-8859-1, in the header and in the document."""
    if case.answer.status != 200:
        return case.answer
    kind = case.answer.headers.get("content-type", "").replace("utf-8", "iso-8859-1")
    return replace(case.answer, body=_LABELS.sub(rb"\1iso-8859-1", case.answer.body)).having(content_type=kind)


@misbehaviour(Stage.ANSWER)
def wrong_bytes(case: Case) -> Answer:
    """Sends windows-1252 and calls it UTF-8."""
    if case.answer.status != 200:
        return case.answer
    return replace(case.answer, body=case.answer.body.decode().encode("cp1252", "replace"))


@misbehaviour(Stage.ANSWER)
def unknown_label(case: Case) -> Answer:
    """Declares a charset that does not exist."""
    kind = case.answer.headers.get("content-type", "").replace("utf-8", "x-tidak-ada")
    return case.answer.having(content_type=kind)


# -- compression


@lru_cache(maxsize=2)
def _bomb(megabytes: int) -> bytes:
    return gzip.compress(b"\0" * (megabytes << 20), 9, mtime=0)


@misbehaviour(Stage.FINAL)
def gzip_bomb(case: Case) -> Answer:
    """Sends a small gzip body that unpacks to `megabytes` (200 by default)."""
    body = _bomb(int(case.number("megabytes", 200)))
    return replace(case.answer, status=200, body=body).having(content_encoding="gzip")


@misbehaviour(Stage.FINAL)
def truncated_gzip(case: Case) -> Answer:
    """Sends the first half of a gzip body, with a Content-Length that agrees."""
    if case.answer.status != 200:
        return case.answer
    packed = case.answer.body if "content-encoding" in case.answer.headers else gzip.compress(case.answer.body, mtime=0)
    return replace(case.answer, body=packed[: len(packed) // 2]).having(content_encoding="gzip")


@misbehaviour(Stage.FINAL)
def not_gzip(case: Case) -> Answer:
    """Declares gzip and sends plain bytes."""
    if "content-encoding" in case.answer.headers:
        return replace(case.answer, body=gzip.decompress(case.answer.body))
    return case.answer.having(content_encoding="gzip")


# -- the wire


def _head(answer: Answer, length: int | None) -> bytes:
    return hostile.head(answer.status, dict(answer.headers), length)


@on_the_wire
def slow_first_byte(case: Case) -> Wire:
    """Says nothing for `seconds` (10 by default), then answers properly."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.pause(case.number("seconds", 10))
        await connection.write(_head(answer, len(answer.body)) + answer.body)
        connection.close()

    return send


@on_the_wire
def drip(case: Case) -> Wire:
    """Sends the body in pieces of `bytes` (16) every `seconds` (0.5)."""

    async def send(connection: Connection, answer: Answer) -> None:
        step = max(1, int(case.number("bytes", 16)))
        await connection.write(_head(answer, len(answer.body)))
        for at in range(0, len(answer.body), step):
            if not await connection.write(answer.body[at : at + step]) or not await connection.pause(
                case.number("seconds", 0.5)
            ):
                return
        connection.close()

    return send


@on_the_wire
def stall(case: Case) -> Wire:
    """Sends half of the body, then nothing for `seconds` (300 by default), then closes."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.write(_head(answer, len(answer.body)) + answer.body[: len(answer.body) // 2])
        await connection.pause(case.number("seconds", 300))
        connection.close()

    return send


@on_the_wire
def truncated(case: Case) -> Wire:
    """Promises the whole body by Content-Length, sends half of it and closes."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.write(_head(answer, len(answer.body)) + answer.body[: len(answer.body) // 2])
        connection.close()

    return send


@on_the_wire
def reset(case: Case) -> Wire:
    """Resets the connection instead of an answer, or after `bytes` of it."""

    async def send(connection: Connection, answer: Answer) -> None:
        count = int(case.number("bytes", 0))
        if count:
            await connection.write((_head(answer, len(answer.body)) + answer.body)[:count])
            await connection.pause(0.05)
        connection.reset()

    return send


@on_the_wire
def hang_up(case: Case) -> Wire:
    """Closes the connection without a word."""

    async def send(connection: Connection, answer: Answer) -> None:
        connection.close()

    return send


@on_the_wire
def endless_body(case: Case) -> Wire:
    """Sends a body that does not end before `megabytes` (512 by default), without a length."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.write(_head(answer.without("content-encoding"), None) + answer.body)
        piece = b"<!-- iklan -->" * 4681
        for _ in range(int(case.number("megabytes", 512)) * 16):
            if not await connection.write(piece):
                return
        connection.close()

    return send


@on_the_wire
def endless_headers(case: Case) -> Wire:
    """Sends headers that do not end before `megabytes` (512 by default)."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(int(case.number("megabytes", 512)) * 64):
            lines = b"".join(b"x-iklan-%d-%d: %s\r\n" % (number, n, b"a" * 1000) for n in range(16))
            if not await connection.write(lines):
                return
        connection.close()

    return send


@on_the_wire
def bad_status_line(case: Case) -> Wire:
    """Answers with a first line that is not HTTP."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.write(b"BERITA 200 BAGUS\r\n\r\n" + answer.body)
        connection.close()

    return send
