"""What an outlet publishes: stories, their words, and how both change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """How a story came to be."""

    FRESH = "fresh"
    RERUN = "rerun"  # same title, slug with -1, light edits, the next morning
    DUPLICATE = "duplicate"  # same body, another title and slug, hours or days later
    COPY = "copy"  # an agency's story on another outlet


class Change(StrEnum):
    """What a revision does to a story's words."""

    TITLE = "title"
    NUMBER = "number"
    APPEND = "append"
    #: A figure is put right, and a notice at the end says so.
    CORRECTION = "correction"
    #: Nothing a reader would call a change: a counter of readers.
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Channel:
    """A section of an outlet, often with a host of its own."""

    slug: str
    host: str
    topic: str
    label: str
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Masthead:
    """Who publishes, how much of what."""

    id: str
    name: str
    domain: str
    #: As it opens datelines (``KABARNIAGA.CO.ID``).
    brand: str
    #: As it calls itself inside a body (``Kabarniaga.co.id``).
    body_brand: str
    channels: tuple[Channel, ...]
    #: Mean number of fresh stories on a working day.
    per_day: float
    language: str = "id"
    #: Shares of fresh stories that run again, under the same title or under another.
    reruns: float = 0.0
    duplicates: float = 0.0
    #: Share of the agency's stories that this outlet copies.
    wire: float = 0.0


@dataclass(frozen=True, slots=True)
class Story:
    """One publication, before any words: who, when, and from what it derives."""

    outlet: str
    #: Unique within the outlet; its digits stand in the addresses of outlets that number theirs.
    number: int
    channel: Channel
    #: Aware UTC.
    published: datetime
    seed: int
    kind: Kind = Kind.FRESH
    parent: Story | None = None

    @property
    def key(self) -> str:
        """``outlet:number``, the story's name in the ledger."""
        return f"{self.outlet}:{self.number}"


@dataclass(frozen=True, slots=True)
class Revision:
    """A change of a story that has been published."""

    at: datetime
    change: Change


@dataclass(frozen=True, slots=True)
class Words:
    """A story's words at one moment, clean of any outlet's noise."""

    title: str
    paragraphs: tuple[str, ...]
    #: (index of the paragraph it stands before, text).
    subheads: tuple[tuple[int, str], ...]
    place: str
    authors: tuple[str, ...]
    editor: str
    #: Where it was taken from (``Reuters`` in the real world), None when the outlet's own.
    agency: str | None
    tags: tuple[str, ...]
    caption: str

    @property
    def summary(self) -> str:
        """The lead, cut at a word to the 108 to 152 characters that outlets give."""
        lead = self.paragraphs[0]
        return lead if len(lead) <= 152 else lead[:149].rsplit(" ", 1)[0] + "..."


_NOT_SLUG = re.compile(r"[^a-z0-9\s-]")


def slugify(title: str) -> str:
    """A title as Indonesian outlets write it into addresses: ``Kamis (17/4)`` becomes ``kamis-174``."""
    return "-".join(_NOT_SLUG.sub("", title.lower().replace("/", "")).replace("-", " ").split())
