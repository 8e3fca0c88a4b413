"""Plain text out of the markup that feeds put into titles and summaries. Time is linear."""

from __future__ import annotations

import html
import re
from typing import Final

#: Markup looked at for one field; what follows cannot matter to a title or a summary.
MAX_MARKUP: Final = 20_000
MAX_TITLE: Final = 500
MAX_SUMMARY: Final = 2_000

_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*+|!--|[!?])([^<>]*+)>")
_SPACE: Final = re.compile(r"\s+")
#: C0 and C1 controls, halves of surrogate pairs, and characters that reorder the line they are shown in.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_INLINE_WORDS = "a abbr acronym b bdi bdo big cite code em font i ins mark q s small span strong sub sup u"
_INLINE: Final = frozenset(_INLINE_WORDS.split())
_SILENT: Final = frozenset(["script", "style", "template", "noscript", "iframe"])
_IMAGE: Final = re.compile(
    r"<img\b[^<>]{0,2000}?\ssrc\s*=\s*(?:\"([^\"<>]{1,2000})\"|'([^'<>]{1,2000})')", re.IGNORECASE
)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")


def plain(markup: str, *, limit: int, tags: bool = True) -> str | None:
    """`markup` as one line of at most `limit` characters, or None when nothing is left.

    With ``tags=False`` the text is known to be plain: ``<`` stays. Entities are resolved once
    more where the publisher escaped twice (``AT&amp;amp;T``).
    """
    text = markup[:MAX_MARKUP]
    if tags and "<" in text:
        text = strip_tags(text)
    if _ENTITY.search(text):
        text = html.unescape(text)
        if tags and _ENTITY.search(text):
            text = html.unescape(text)
    text = _SPACE.sub(" ", _UNSEEN.sub("", text)).strip()
    if len(text) > limit:
        text = text[:limit].rsplit(" ", 1)[0].rstrip() + "…"
    return text or None


def verbatim(value: object, limit: int) -> str | None:
    """A field that is no markup (an id, a language tag), without the characters no database takes."""
    if not isinstance(value, str):
        return None
    return _UNSEEN.sub("", value[: limit * 2]).strip()[:limit] or None


def strip_tags(markup: str) -> str:
    """The text between the tags; block tags part words, scripts and styles leave nothing."""
    pieces: list[str] = []
    end, silent = 0, ""
    for tag in _TAG.finditer(markup):
        name = tag[2].lower()
        if silent:
            if tag[1] and name == silent:
                silent, end = "", tag.end()
            continue
        pieces.append(markup[end : tag.start()])
        if name not in _INLINE:
            pieces.append(" ")
        if name in _SILENT and not tag[1] and not tag[3].endswith("/"):
            silent = name
        end = tag.end()
    if not silent:
        pieces.append(markup[end:])
    return "".join(pieces)


def first_image(markup: str) -> str | None:
    """The address of the first ``<img>``, as written, or None."""
    found = _IMAGE.search(markup[:MAX_MARKUP])
    return html.unescape(found[1] or found[2]).strip() if found else None
