"""A linear look at a feed before a parser that takes quadratic time or deep recursion may see it.

feedparser needs 5.5 s for an element of 16,000 attributes, 5 s for 100,000 nested elements,
10 s for 100,000 ``<a`` without end, 26 s for 100,000 items and, where the XML is broken, 26 microseconds for each
tag: 35 s for 5 MiB of ``<a/>``. What is past a fence is cut out
or cut off, and said; what stands before it is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from crawlers.model import Problem

MAX_ATTRIBUTES: Final = 512
MAX_DEPTH: Final = 256
#: Attributes of all tags longer than 2 KiB together; only an attack has more than a few of those.
MAX_ATTRIBUTES_OF_LONG_TAGS: Final = 20_000
#: ``<`` that open nothing; a few are typing errors.
MAX_STRAY: Final = 100
#: ``&`` that begin no reference; addresses in feeds have some each.
MAX_STRAY_AMPERSANDS: Final = 20_000
#: Tags, comments and the like for each item that may be read, and the least for an answer: the time of a second.
TAGS_OF_ITEM: Final = 20
MIN_TAGS: Final = 20_000
#: Character references; 5 MiB of escaped HTML hold half as many.
MAX_REFERENCES: Final = 250_000
#: Bytes in one tag below which `MAX_ATTRIBUTES` cannot be reached (`` a=1``).
_LONG_TAG: Final = re.compile(r"<[^<>]{2048,}>?")
_STRAY: Final = re.compile(r"<(?!!)(?=[^<>]*+(?:<|\Z))")
_STRAY_AMPERSAND: Final = re.compile(r"&(?!#?[A-Za-z0-9]{1,32};)")
_TAG: Final = re.compile(r"<!\[CDATA\[|<!--|<[!?]|<(/?)([A-Za-z_][^\s/<>]*+)[^<>]*+>")
_ITEM: Final = re.compile(r"<(?:[A-Za-z0-9_]+:)?(?:item|entry)[\s>]", re.IGNORECASE)
#: HTML elements without an end tag, met where a publisher forgot to escape.
_VOID_WORDS = "br img hr input meta link area base col embed source track wbr p li"
_VOID: Final = frozenset(_VOID_WORDS.split())
_ITEM_NAMES: Final = frozenset({"item", "entry"})


@dataclass(frozen=True, slots=True)
class Fenced:
    """Text that is safe to parse, and what had to be done for it."""

    text: str
    problems: tuple[Problem, ...] = ()


def fence(text: str, *, items: int) -> Fenced:
    """`text` with at most `items` items, and nothing that makes a parser explode."""
    problems: list[Problem] = []
    text = _drop_long_tags(text, problems)
    text = _escape_strays(text, problems)
    text = _open_comments(text)
    text = _drop_late_references(text, problems)
    text = _cut(text, items, problems)
    return Fenced(text, tuple(problems))


def _drop_long_tags(text: str, problems: list[Problem]) -> str:
    dropped = total = 0

    def one(found: re.Match[str]) -> str:
        nonlocal dropped, total
        count = found[0].count("=")
        total += count
        if count <= MAX_ATTRIBUTES and total <= MAX_ATTRIBUTES_OF_LONG_TAGS:
            return found[0]
        dropped += 1
        return ""

    text = _LONG_TAG.sub(one, text)
    if dropped:
        message = f"{dropped} tags with more than {MAX_ATTRIBUTES} attributes were left out"
        problems.append(Problem(code="too_many_attributes", message=message))
    return text


def _escape_strays(text: str, problems: list[Problem]) -> str:
    if text.count("&") > MAX_STRAY_AMPERSANDS:
        escaped, count = _STRAY_AMPERSAND.subn("&amp;", text)
        text = escaped if count > MAX_STRAY_AMPERSANDS else text
    escaped, count = _STRAY.subn("&lt;", text)
    if count <= MAX_STRAY:
        return text
    problems.append(Problem(code="unclosed_tags", message=f"{count} tags without an end were read as text"))
    return escaped


def _open_comments(text: str) -> str:
    """`text` without comments that never end: each makes sgmllib look through all that follows."""
    end = text.rfind("-->") + 1
    return text[:end] + text[end:].replace("<!--", "")


def _cut(text: str, items: int, problems: list[Problem]) -> str:
    """`text` up to the first item or tag too many or the first element too deep, its elements closed."""
    stack: list[str] = []
    seen = position = tags = 0
    most = max(MIN_TAGS, TAGS_OF_ITEM * items)
    while tag := _TAG.search(text, position):
        tags += 1
        if tags > most:
            problems.append(Problem(code="too_much_markup", message=f"the answer was read up to its first {most} tags"))
            return text[: tag.start()] + _closing(stack)
        name = tag[2]
        if name is None:
            position = _after(text, tag)
            if position < 0:
                break
            continue
        position = tag.end()
        local = name.rpartition(":")[2].lower()
        if tag[1]:
            _close(stack, name)
        elif not tag[0].endswith("/>") and local not in _VOID:
            if local in _ITEM_NAMES and len(stack) <= 3:
                seen += 1
                if seen > items:
                    rest = 1 + sum(1 for _ in _ITEM.finditer(text, tag.end()))
                    message = f"the newest {items} items were read; about {rest} more were left out"
                    problems.append(Problem(code="too_many_items", message=message))
                    return text[: tag.start()] + _closing(stack)
            stack.append(name)
            if len(stack) > MAX_DEPTH:
                message = f"elements are nested deeper than {MAX_DEPTH}; the answer was read up to there"
                problems.append(Problem(code="nested_too_deep", message=message))
                return text[: tag.start()] + _closing(stack[:-1])
    return text


def _after(text: str, opening: re.Match[str]) -> int:
    """Where a CDATA section or a comment ends, -1 when it does not; behind the mark of anything else."""
    closing = {"<![CDATA[": "]]>", "<!--": "-->"}.get(opening[0])
    if closing is None:
        return opening.end()
    end = text.find(closing, opening.end())
    return end + 3 if end >= 0 else -1


def _drop_late_references(text: str, problems: list[Problem]) -> str:
    """`text` up to the first character reference too many."""
    if text.count("&") <= MAX_REFERENCES:
        return text
    at = -1
    for _ in range(MAX_REFERENCES + 1):
        at = text.find("&", at + 1)
    message = f"the answer was read up to its first {MAX_REFERENCES} character references"
    problems.append(Problem(code="too_much_markup", message=message))
    return text[:at]


def _close(stack: list[str], name: str) -> None:
    """Take `name` and what was left open inside it off the stack; an end tag of nothing is ignored."""
    for back in range(1, min(len(stack), 8) + 1):
        if stack[-back] == name:
            del stack[-back:]
            return


def _closing(stack: list[str]) -> str:
    return "".join(f"</{name}>" for name in reversed(stack))
