"""From the bytes of an XML or plain text answer to UTF-8, whatever they were labelled.

Labels lie: Kapanlagi's feed says iso-8859-1 and is UTF-8. So a byte order mark is believed first,
then bytes that are valid UTF-8, then the XML declaration, then the HTTP charset. Only encodings of
the WHATWG list are used: Python's own codecs also answer to ``idna``, ``zip`` and ``undefined``.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

_DECLARED: Final = re.compile(rb"^\s*<\?xml[^<>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)

#: Python codec to the one that browsers use for its labels.
_WHATWG: Final = {
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "tis-620": "cp874",
}
_ALLOWED_WORDS = (
    "utf-8 utf-16-le utf-16-be cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp866 "
    "cp874 cp932 cp949 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 "
    "iso8859-10 iso8859-13 iso8859-14 iso8859-15 iso8859-16 koi8-r koi8-u mac-roman gb18030 big5 "
    "big5hkscs euc_jp iso2022_jp"
)
_ALLOWED: Final = frozenset(_ALLOWED_WORDS.split())
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Share of undecodable sequences up to which bytes are damaged UTF-8 rather than another encoding.
_DAMAGE: Final = 0.1


def codec_of(label: str) -> str | None:
    """The codec for an encoding label of the web, or None when it is none."""
    try:
        name = codecs.lookup(label.strip()).name
    except (LookupError, ValueError):
        return None
    name = _WHATWG.get(name, name)
    if name == "utf-16":
        return "utf-16-le"
    return name if name in _ALLOWED else None


def to_text(body: bytes, content_type: str | None = None) -> str:
    """`body` as text; never fails, undecodable bytes become U+FFFD."""
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(codec, "replace")
    if body[:2] == b"<\0":
        return body.decode("utf-16-le", "replace")
    if body[:2] == b"\0<":
        return body.decode("utf-16-be", "replace")
    labels = _labels(body, content_type)
    stateful = "iso2022_jp" in labels and b"\x1b" in body
    if not stateful:
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return _by_label(body, labels)


def _labels(body: bytes, content_type: str | None) -> list[str]:
    found = []
    if declared := _DECLARED.match(body[:512]):
        found.append(codec_of(declared[1].decode("ascii")))
    if content_type and (charset := _CHARSET.search(content_type[:300])):
        found.append(codec_of(charset[1]))
    return [codec for codec in found if codec and not codec.startswith("utf-16")]


def _by_label(body: bytes, labels: list[str]) -> str:
    for codec in labels:
        if codec != "utf-8":
            try:
                return body.decode(codec)
            except UnicodeDecodeError:
                continue
    damaged = body.decode("utf-8", "replace")
    high = sum(1 for c in damaged if c > "\x7f")
    if damaged.count("\ufffd") <= max(3, high * _DAMAGE):
        return damaged
    fallback = next((codec for codec in labels if codec != "utf-8"), "cp1252")
    return body.decode(fallback, "replace")
