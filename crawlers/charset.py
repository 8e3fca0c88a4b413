"""The encoding that an HTML page says it is in (HTML standard section 13.2.3.2, prescan a byte stream).

What a page says is the last thing to be believed: ``crawlers.decode`` looks at the bytes and at HTTP first.
Labels are those of the WHATWG Encoding standard.
"""

from __future__ import annotations

import re

import webencodings  # type: ignore[import-untyped]

#: Bytes looked through. Browsers stop at 1,024 and start over when a later ``meta`` speaks; we look once.
PRESCAN_BYTES = 16 * 1024

_SPACE = b"\t\n\x0c\r "
_ATTRIBUTE = re.compile(
    rb"([^\t\n\x0c\r />][^\t\n\x0c\r />=]*)"
    rb"(?:[\t\n\x0c\r ]*=[\t\n\x0c\r ]*(?:\"([^\"]*)\"|'([^']*)'|([^\t\n\x0c\r >]*)))?"
)
_CONTENT_CHARSET = re.compile(
    rb"charset[\t\n\x0c\r ]*=[\t\n\x0c\r ]*(?:\"([^\"]*)\"|'([^']*)'|([^\t\n\x0c\r ;\"']+))", re.IGNORECASE
)
_META = re.compile(rb"<meta[\t\n\x0c\r /]", re.IGNORECASE)
_TAG = re.compile(rb"</?[a-z]", re.IGNORECASE)


def lookup(label: str) -> str | None:
    """The WHATWG name of a label, or None."""
    found = webencodings.lookup(label)
    return str(found.name) if found is not None else None


def prescan(body: bytes) -> str | None:
    """The WHATWG name of the encoding that the first ``meta`` to do so declares, or None."""
    head, at = body[:PRESCAN_BYTES], 0
    while (at := head.find(b"<", at)) >= 0:
        if head.startswith(b"<!--", at):
            at = _after(head, b"-->", at + 2)
        elif _META.match(head, at):
            attributes, at = _attributes(head, at + 5)
            found = _declared(attributes)
            if found is not None:
                return found
        elif _TAG.match(head, at):
            _, at = _attributes(head, _tag_name_end(head, at + 1))
        elif head[at + 1 : at + 2] in {b"!", b"/", b"?"}:
            at = _after(head, b">", at)
        else:
            at += 1
    return None


def _after(head: bytes, end: bytes, at: int) -> int:
    """Behind the next ``end``, or the end of what is read."""
    found = head.find(end, at)
    return len(head) if found < 0 else found + len(end)


def _tag_name_end(head: bytes, at: int) -> int:
    while at < len(head) and head[at] not in _SPACE + b">":
        at += 1
    return at


def _attributes(head: bytes, at: int) -> tuple[dict[bytes, bytes], int]:
    """Attributes up to the end of the tag, the first of a name counting; and where the tag ends."""
    found: dict[bytes, bytes] = {}
    while at < len(head):
        while at < len(head) and head[at] in _SPACE + b"/":
            at += 1
        if at >= len(head) or head[at : at + 1] == b">":
            return found, at + 1
        match = _ATTRIBUTE.match(head, at)
        if match is None or match.end() == at:
            return found, at + 1
        value = next((group for group in match.groups()[1:] if group is not None), b"")
        found.setdefault(match.group(1).lower(), value)
        at = match.end()
    return {}, at  # the tag does not end within what is read


def _declared(attributes: dict[bytes, bytes]) -> str | None:
    label = attributes.get(b"charset")
    if label is None and attributes.get(b"http-equiv", b"").lower() == b"content-type":
        match = _CONTENT_CHARSET.search(attributes.get(b"content", b""))
        label = next((group for group in match.groups() if group is not None), None) if match else None
    name = lookup(label.decode("latin-1")) if label is not None else None
    # Bytes in which a meta can be found are not UTF-16.
    return {"utf-16le": "utf-8", "utf-16be": "utf-8", "x-user-defined": "windows-1252"}.get(name or "", name)
