"""Inheritance: defaults, then group, outlet and source, the most specific level that says it wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.document import Inherited
from config.yaml_reader import Document, Path


@dataclass(frozen=True, slots=True)
class Level:
    """One place where inheritable keys may be written."""

    document: Document
    #: Where the level stands in its document: ``("groups", "world")``.
    path: Path
    said: Inherited


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an effective value was written."""

    document: Document
    path: Path

    def __str__(self) -> str:
        return self.document.declared_at(self.path)


@dataclass(frozen=True, slots=True)
class Chosen:
    """An effective value; the origin is None when it is the product's default."""

    value: Any
    origin: Origin | None = None

    def __str__(self) -> str:
        return str(self.value)


def choose(levels: Sequence[Level], *keys: str, default: Any = None) -> Chosen:
    """The value of a key (or of a key in a mapping) at the first level, most specific first, that has it."""
    for level in levels:
        here: Any = level.said
        for key in keys:
            here = getattr(here, key, None)
            if here is None:
                break
        else:
            return Chosen(here, Origin(level.document, (*level.path, *keys)))
    return Chosen(default)
