"""Texts of which it is known which are versions of one another.

Two origins: newsroom text, written here; and, when WARTA_SHARED names a directory with ``samples/text``, real articles.
Real pairs are found by comparing all of them; the few between a copy and a story of its own were read and judged.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import sys
from collections import defaultdict
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
#: Pairs above _SAME, by the hash of their texts, that a reader calls two reports: gold of another day, rupiah of
#: another hour.
_TWO_REPORTS = frozenset(
    frozenset(pair.split())
    for pair in (
        "826b9a97 f9f8b388",
        "c9f71686 826b9a97",
        "4b66979b 65e5452a",
        "a44d24ee 27c985d7",
        "6eef01e7 f4f6c458",
        "b0f11c49 f0fca059",
    )
)
#: A pair just below it that is one list of recommendations, run twice.
_ONE_TEXT = frozenset({frozenset(["90346c0f", "25d866b6"])})


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text in order of arrival."""

    text: str
    #: Texts of one story's versions share it.
    group: str
    #: What kind of text it is: original; identical, rerun, agency, edited, truncated, introduced, short (versions);
    #: next_day, next_hour, quotes (other stories).
    kind: str


def build(count: int, seed: int = 7, *, every: int = 1) -> list[Labelled]:
    """`count` originals of the newsroom and all real texts there are, with versions and look-alikes of each.

    The rougher versions, and the reports of the next hour, are made of each `every`-th.
    """
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
        if place % every == 0:
            made += [rough for rough in _rough_versions(text, group, chance) if _similarity(rough.text, text) >= _SAME]
            if group not in [former for former, _ in originals[:place]]:
                made += _shortened(text, f"short {place}", chance)
        if len({found for found in _FIGURE.findall(text) if len(found) > 1}) >= 6:
            made.append(Labelled(next_day(text, chance), f"next day {place}", "next_day"))
            if place % every == 0:
                made.append(Labelled(next_day(text, chance, share=0.6), f"next hour {place}", "next_hour"))
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


def _rough_versions(text: str, group: str, chance: Random) -> Iterator[Labelled]:
    """Versions that change more: a word in thirty, a word in fifteen, the last quarter gone, an opening more."""
    yield Labelled(_substituted(text, chance, 0.03), group, "edited")
    yield Labelled(_substituted(text, chance, 0.06), group, "edited more")
    yield Labelled(_truncated(text, chance), group, "truncated")
    if len(text.split()) >= 100:
        yield Labelled(_introduced(text, chance), group, "introduced")


def _shortened(text: str, group: str, chance: Random) -> Iterator[Labelled]:
    """60 to 100 words with words of its own, and its versions."""
    words = text.split()[: chance.randint(60, 100)]
    short = " ".join(
        f"{word}{chr(97 + n % 7)}x" if n % 3 == 0 and word.isalpha() else word for n, word in enumerate(words)
    )
    yield Labelled(short, group, "original")
    yield Labelled(_substituted(short, chance, 0.03), group, "short")
    yield Labelled(_agency(short, chance), group, "short")


def _substituted(text: str, chance: Random, share: float) -> str:
    """That share of the words replaced by others of the text, figures as they come."""
    words = text.split(" ")
    for place in chance.sample(range(len(words)), max(1, round(len(words) * share))):
        words[place] = words[chance.randrange(len(words))]
    return " ".join(words)


def _truncated(text: str, chance: Random) -> str:
    """Cut at three quarters, with lines of links between the paragraphs."""
    words = text.split(" ")
    cut = " ".join(words[: len(words) * 3 // 4])
    at = cut.find(" ", chance.randrange(len(cut) // 2, len(cut)))
    link = "\n\nBaca Juga: " + " ".join(chance.sample(words, min(7, len(words)))) + "\n\n"
    return cut if at < 0 else cut[:at] + link + cut[at + 1 :]


def _introduced(text: str, chance: Random) -> str:
    """Behind an opening paragraph of the outlet's own."""
    own = ("Redaksi", "merangkum", "kembali", "laporan", "berikut", "untuk", "pembaca", "setia", "pekan", "ini", "dari",
           "berbagai", "sumber", "yang", "layak", "disimak", "sebelum", "memulai", "hari")  # fmt: skip
    return " ".join(chance.choices(own, k=22)) + ".\n\n" + text


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


def next_day(text: str, chance: Random, share: float = 1.0) -> str:
    """The same report of another day: every sentence stands, every figure and day is another.

    With `share` only that part of the figures: of another hour of the same day.
    """

    def other(found: re.Match[str]) -> str:
        if chance.random() >= share:
            return found[0]
        digits = "".join(chance.choice("123456789") if c.isdigit() else c for c in found[0])
        return digits if digits != found[0] else digits + "1"

    changed = _FIGURE.sub(other, text)
    for day in _DAYS if share == 1.0 else ():
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
    """Labels by brute force, without any of the program's own code: sets of word 5-grams, all pairs that share one."""
    grams = [_grams(text) for text in texts]
    names = [hashlib.blake2b(text.encode(), digest_size=4).hexdigest() for text in texts]
    group = list(range(len(texts)))
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, own in enumerate(grams):
        for gram in own:
            holders[gram].append(number)
    sharing = {tuple(who) for who in holders.values()}
    for one, two in sorted({pair for who in sharing for pair in combinations(who, 2)}):
        pair = frozenset({names[one], names[two]})
        near = _jaccard(grams[one], grams[two]) >= _SAME
        if (near and pair not in _TWO_REPORTS) or pair in _ONE_TEXT:
            keep, drop = group[one], group[two]
            group = [keep if g == drop else g for g in group]
    return [f"real {g}" for g in group]


def _grams(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def _jaccard(one: set[tuple[str, ...]], two: set[tuple[str, ...]]) -> float:
    shared = len(one & two)
    return shared / max(1, len(one) + len(two) - shared)


def _similarity(one: str, two: str) -> float:
    return _jaccard(_grams(one), _grams(two))
