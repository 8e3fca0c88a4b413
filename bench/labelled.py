"""Texts of which it is known which are versions of one another.

Two origins: newsroom text, written here; and, when WARTA_SHARED names a directory with ``samples/text``,
real articles, whose own near-duplicates are found by comparing all pairs of them.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from random import Random

from newsroom.text import compose

FIRST_DAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat")
_SAME = 0.55


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text in order of arrival."""

    text: str
    #: Texts of one story's versions share it.
    group: str
    #: What kind of text it is: original, identical, rerun, agency, next_day, quotes.
    kind: str


def build(count: int, seed: int = 7) -> list[Labelled]:
    """`count` originals of the newsroom and all real texts there are, with versions and look-alikes of each."""
    originals = [*newsroom_texts(count, seed), *_real()]
    chance, made = Random(seed), []
    for place, (group, text) in enumerate(originals):
        made.append(Labelled(text, group, "original"))
        if len(text.split()) < 60:
            continue
        made += _versions(text, group, chance)
        other = originals[chance.randrange(len(originals))][1]
        if other != text:
            made.append(Labelled(_with_quotes(other, text, str(place), chance), f"quotes {place}", "quotes"))
        if len({found for found in _FIGURE.findall(text) if len(found) > 1}) >= 6:
            made.append(Labelled(next_day(text, chance), f"next day {place}", "next_day"))
    return made


def newsroom_texts(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Group and text of that many stories, half of them market reports."""
    topics = sorted(compose.TOPICS)
    for n in range(count):
        # A report of each market day from the same template makes every second text.
        topic = "markets" if n % 2 else topics[n % len(topics)]
        brief = compose.Brief(seed * 100_003 + n, topic, FIRST_DAY + timedelta(hours=n), "Kabarniaga.co.id")
        yield f"newsroom {n}", "\n\n".join(compose.body(brief, compose.head(brief)).paragraphs)


def _versions(text: str, group: str, chance: Random) -> Iterator[Labelled]:
    """The ways in which outlets publish a text again."""
    yield Labelled(text, group, "identical")
    yield Labelled(_rerun(text, chance), group, "rerun")
    yield Labelled(_agency(text, chance), group, "agency")


def _rerun(text: str, chance: Random) -> str:
    """A few words changed, a link line more: the ``-1`` of the same story."""
    words = text.split(" ")
    for place in chance.sample(range(len(words)), max(1, len(words) // 60)):
        if not _FIGURE.search(words[place]):
            words[place] = chance.choice(("kemudian", "juga", "namun", "tersebut", "pihaknya"))
    return " ".join(words) + "\n\nBaca juga: " + " ".join(chance.sample(words, min(6, len(words))))


def _agency(text: str, chance: Random) -> str:
    """Another dateline, the last paragraph cut as often as not, another sign-off."""
    paragraphs = text.split("\n\n")
    if len(paragraphs) > 5 and chance.random() < 0.5:
        paragraphs = paragraphs[:-1]
    town = chance.choice(("Jakarta", "Surabaya", "Medan"))
    return f"{town} (WARTA DUNIA) - " + "\n\n".join(paragraphs) + f"\n\nPewarta: Sinta {town}\nEditor: Bayu P."


def next_day(text: str, chance: Random) -> str:
    """The same report of another day: every sentence stands, every figure and day is another."""

    def other(found: re.Match[str]) -> str:
        digits = "".join(chance.choice("123456789") if c.isdigit() else c for c in found[0])
        return digits if digits != found[0] else digits + "1"

    changed = _FIGURE.sub(other, text)
    for day in _DAYS:
        changed = changed.replace(day, chance.choice([d for d in _DAYS if d != day]))
    return changed


def _with_quotes(text: str, source: str, salt: str, chance: Random) -> str:
    """Another story that repeats a fifth of this one."""
    own, theirs = text.split(), source.split()
    size = max(10, min(len(own), len(theirs)) // 5)
    start = chance.randrange(max(1, len(theirs) - size))
    # Rearranged by sentences with words of its own, so that it is no version of the text it is made from.
    body = [f"{word}{salt}" if n % 4 == 0 else word for n, word in enumerate(own)]
    place = chance.randrange(len(body))
    return " ".join([*body[:place], *theirs[start : start + size], *body[place:]])


# -- real texts -------------------------------------------------------------------------------


def _real() -> list[tuple[str, str]]:
    shared = os.environ.get("WARTA_SHARED") or str(Path(__file__).resolve().parents[2] / "shared")
    folder = Path(shared) / "samples" / "text"
    texts = [text for path in sorted(folder.glob("*/*")) for text in _texts(path) if len(text.split()) >= 25]
    return list(zip(_groups(texts), texts, strict=True))


def _texts(path: Path) -> Iterator[str]:
    csv.field_size_limit(sys.maxsize)
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            yield from (row.get("content") or row.get("isi") or "" for row in csv.DictReader(file))
    elif path.suffix == ".json":
        for row in json.loads(path.read_text(encoding="utf-8")):
            content = row.get("content") or ""
            yield content if isinstance(content, str) else "\n\n".join(map(str, content))


def _groups(texts: list[str]) -> list[str]:
    """Labels by brute force, without any of the program's own code: sets of word 5-grams, all pairs."""
    grams = []
    for text in texts:
        words = text.lower().split()
        grams.append({tuple(words[i : i + 5]) for i in range(len(words) - 4)})
    group = list(range(len(texts)))
    for one, two in combinations(range(len(texts)), 2):
        shared = len(grams[one] & grams[two])
        if shared and shared / (len(grams[one]) + len(grams[two]) - shared) >= _SAME:
            keep, drop = group[one], group[two]
            group = [keep if g == drop else g for g in group]
    return [f"real {g}" for g in group]
