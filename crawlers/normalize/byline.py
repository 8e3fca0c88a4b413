"""Lines that say who wrote, edited and supplied a story.

``Reporter: A, B | Editor: C``, the doubled ``Reporter: X Editor: X | Editor: X``, ``Sumber: Reuters``,
``Penulis:``, ``Pewarta:``, ``Rep: A / Red: B``, the last line ``Editor: C``, and sign-offs such as
``(vyp/kna)``, ``(abc/jpnn)`` and ``(H-2)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WRITERS = (
    "reporter|penulis|pewarta|jurnalis|wartawan|kontributor|laporan|rep|oleh|writer|written by|reported by|by|author"
    "|penulis/reporter|reporter/penulis|koresponden"
)
_EDITORS = "editor|redaktur|penyunting|red|editing by|edited by|editor/redaktur|video editor"
_SOURCES = "sumber|source|dikutip dari"
_OTHERS = "penerjemah|translator|fotografer|foto|photographer|uploader|pengunggah|copyright|kamera|kreatif"

#: A label with its colon; ``Rep`` and ``Oleh`` only with one.
_LABEL = re.compile(
    rf"(?:^|(?<=[\s|/,;.\"”’)])|(?-i:(?<=[a-z\d])(?=[A-Z])))"
    rf"(?P<label>{_WRITERS}|{_EDITORS}|{_SOURCES}|{_OTHERS})\s?:\s*",
    re.IGNORECASE,
)
_IS_WRITER = re.compile(rf"(?:{_WRITERS})", re.IGNORECASE)
_IS_EDITOR = re.compile(rf"(?:{_EDITORS})", re.IGNORECASE)
_IS_SOURCE = re.compile(rf"(?:{_SOURCES})", re.IGNORECASE)

#: A line longer than this is no byline.
_LINE = 300
#: A name or a list of names: no sentence inside. Initials and degrees keep their dots.
_SENTENCE = re.compile(r"[a-z]{4,}[.!?] +[A-Z]|[.!?][\"”]|\d{3,}|https?://")
#: Antara ends a byline with it.
_COPYRIGHT = re.compile(r"\s*(?:Copyright|Hak [Cc]ipta)?\s*(?:©|\([cC]\)).{0,80}$")
_EDGES = " |/,;:-–—·•"

#: At the end of the last paragraph: initials of reporter and editor, or a page code.
_SIGN_OFF = re.compile(
    r"(?:(?<=[.!?\"”’')\]])|(?<=[.!?\"”’')\]] )|^)\s*"
    r"(?:\((?:[a-z]{2,8}(?:[/\-][a-z]{2,8}){1,3}|[A-Z]{1,2}-\d{1,2}|[a-z]{2,5}|[A-Z]{2,4}/[A-Za-z]{1,8}(?:-\d)?)\)\s*)+$"
)
_TRIBUN = re.compile(
    r"(?:^|(?<=\s)|(?<=[.!?\"”]))\((?:Tribun[\w-]*|[\w-]+)\.(?:com|co\.id|id)\s*/\s*(?P<name>[^()]{2,80})\)\s*$"
)


@dataclass(frozen=True, slots=True)
class Byline:
    """Who a line names, as written; lists not yet split."""

    writers: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.writers or self.editors or self.sources)

    def __add__(self, other: Byline) -> Byline:
        return Byline(
            _merge(self.writers, other.writers),
            _merge(self.editors, other.editors),
            _merge(self.sources, other.sources),
        )


def read_byline(line: str) -> Byline | None:
    """The names of a clean line that is a byline as a whole, else None."""
    line = _COPYRIGHT.sub("", line)
    if len(line) > _LINE or not (first := _LABEL.match(line)) or first.start():
        return None
    found: dict[str, list[str]] = {"writers": [], "editors": [], "sources": []}
    labels = list(_LABEL.finditer(line))
    for label, following in zip(labels, [*labels[1:], None], strict=True):
        names = line[label.end() : following.start() if following else len(line)].strip(_EDGES)
        if len(names) > 120 or len(names.split()) > 20 or _SENTENCE.search(names):
            return None
        role = _role(label["label"])
        if names and role and names not in found[role]:
            found[role].append(names)
    return Byline(tuple(found["writers"]), tuple(found["editors"]), tuple(found["sources"]))


def _role(label: str) -> str | None:
    if _IS_EDITOR.fullmatch(label):
        return "editors"
    if _IS_WRITER.fullmatch(label):
        return "writers"
    return "sources" if _IS_SOURCE.fullmatch(label) else None


def label_starts(text: str) -> list[int]:
    """Where byline labels stand in a text, for splitting lines that ran together."""
    return [match.start("label") for match in _LABEL.finditer(text)]


def strip_sign_off(text: str) -> tuple[str, str | None]:
    """The last paragraph without its sign-off, and the person a ``(Site.com/Name)`` names."""
    tail_at = max(len(text) - 120, 0)
    head, tail = text[:tail_at], text[tail_at:]
    if match := _TRIBUN.search(tail):
        return (head + tail[: match.start()]).rstrip(), match["name"].strip()
    return (head + _SIGN_OFF.sub("", tail)).rstrip(), None


def _merge(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(first + second))
