"""Misbehaviour of documents: identifiers, dates, markup, encodings, compression."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from email.utils import parsedate_to_datetime
from functools import lru_cache

from newsroom import chance, dates
from newsroom.misbehaviour import Case, Stage, misbehaviour
from newsroom.web import Answer

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


@lru_cache(maxsize=4)
def _bomb_file(megabytes: int, layers: int) -> bytes:
    """Members of 16 MiB of zeros, one after the other (RFC 1952 section 2.2), packed again for each further layer."""
    packed = gzip.compress(b"\0" * (16 << 20), 9, mtime=0) * max(1, megabytes // 16)
    for _ in range(layers - 1):
        packed = gzip.compress(packed, 9, mtime=0)
    return packed


@misbehaviour(Stage.FINAL)
def gzip_file_bomb(case: Case) -> Answer:
    """Gives a .gz file that unpacks to `megabytes` (1024 by default), packed `layers` times over (1 by default)."""
    body = _bomb_file(int(case.number("megabytes", 1024)), int(case.number("layers", 1)))
    return replace(case.answer.without("content-encoding"), status=200, body=body).having(
        content_type="application/x-gzip"
    )


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
