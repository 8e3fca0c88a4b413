"""From the bytes of an XML or plain text answer to UTF-8, whatever they were labelled.

Labels lie: Kapanlagi's feed says iso-8859-1 and is UTF-8. So a byte order mark is believed first,
then bytes that are valid UTF-8, then the XML declaration, then the HTTP charset. Only encodings of
the WHATWG list are used: Python's own codecs also answer to ``idna``, ``zip`` and ``undefined``.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

import webencodings  # type: ignore[import-untyped]

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
    "iso8859-10 iso8859-13 iso8859-14 iso8859-15 iso8859-16 koi8-r koi8-u mac-roman mac-cyrillic gb18030 big5 "
    "big5hkscs euc_jp iso2022_jp"
)
_ALLOWED: Final = frozenset(_ALLOWED_WORDS.split())
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Characters of JIS X 0208 that the web takes for their wide forms (WHATWG, index jis0208).
_WIDE: Final = str.maketrans("\u301c\u2016\u2212\u00a2\u00a3\u00ac", "\uff5e\u2225\uff0d\uffe0\uffe1\uffe2")
#: Share of undecodable sequences up to which bytes are damaged UTF-8 rather than another encoding.
_DAMAGE: Final = 0.1


def codec_of(label: str) -> str | None:
    """The codec for an encoding label of the web, or None when it is none."""
    standard = webencodings.lookup(label)
    try:
        # Labels of the standard first; Python knows some more that are met ("cp1252", "sjis").
        name = standard.codec_info.name if standard is not None else codecs.lookup(label.strip()).name
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
                return _decoded(body, codec)
            except UnicodeDecodeError:
                continue
    damaged = body.decode("utf-8", "replace")
    high = len(damaged) - len(damaged.encode("ascii", "ignore"))
    if damaged.count("\ufffd") <= max(3, high * _DAMAGE):
        return damaged
    fallback = next((codec for codec in labels if codec != "utf-8"), "cp1252")
    return body.decode(fallback, "replace")


def _decoded(body: bytes, codec: str) -> str:
    """`body` in that encoding. Raises UnicodeDecodeError."""
    if codec not in {"euc_jp", "iso2022_jp"}:
        return body.decode(codec)
    return body.decode(codec, _VENDORS).translate(_WIDE)


def _vendors(error: UnicodeError) -> tuple[str, int]:
    """A pair of bytes that only NEC's and IBM's rows of JIS X 0208 have, read by its place in Shift_JIS."""
    assert isinstance(error, UnicodeDecodeError)
    pair = error.object[error.start : error.start + 2]
    if len(pair) < 2 or pair[0] >> 7 != pair[1] >> 7 or not all(0x21 <= byte & 0x7F <= 0x7E for byte in pair):
        raise error
    row, cell = pair[0] & 0x7F, pair[1] & 0x7F
    lead = ((row - 0x21) >> 1) + 0x81
    trail = cell + (0x1F + (cell >= 0x60) if row & 1 else 0x7E)
    return bytes((lead + 0x40 if lead > 0x9F else lead, trail)).decode("cp932"), error.start + 2


_VENDORS: Final = "warta.vendors"
codecs.register_error(_VENDORS, _vendors)
