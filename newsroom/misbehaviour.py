"""The open table of everything a server may do wrong, each by name and in one sentence.

What is wrong with whole answers stands here; with documents in :mod:`newsroom.misbehaving_feeds`,
on the wire in :mod:`newsroom.misbehaving_wire`. :mod:`newsroom.rules` says who misbehaves when.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from newsroom import chance
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


# -- a site that changes


_NAMED = re.compile(rb'\b(class|id)="([^"]*)"')


@misbehaviour(Stage.CONTENT)
def redesign(case: Case) -> Answer:
    """Gives pages other class names and ids, as a new design of the site does; feeds stay as they are."""
    if not case.answer.headers.get("content-type", "").startswith("text/html"):
        return case.answer

    def renamed(match: re.Match[bytes]) -> bytes:
        names = b" ".join(name + b"-v2" for name in match[2].split())
        return match[1] + b'="' + names + b'"'

    return replace(case.answer, body=_NAMED.sub(renamed, case.answer.body))


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
