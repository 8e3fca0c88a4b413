"""What is wrong with a configuration: every problem, each with its place and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigProblem:
    """One thing that is wrong at one place of one file."""

    file: str
    #: Both count from 1; characters, not bytes.
    line: int = 1
    column: int = 1
    #: Place in the document, such as ``sources[2].schedule.every``; empty for the document itself.
    path: str = ""
    message: str
    #: What would have been right; empty when the message says it.
    expected: str = ""
    #: The nearest right value; empty when there is none.
    suggestion: str = ""

    def __str__(self) -> str:
        hints = []
        if self.expected:
            hints.append(f"expected {self.expected}")
        if self.suggestion:
            hints.append(f"did you mean {self.suggestion}?")
        hint = f" ({'; '.join(hints)})" if hints else ""
        place = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {place}{self.message}{hint}"


class ConfigError(Exception):
    """The configuration cannot be used; holds all of its problems, in reading order."""

    def __init__(self, problems: Iterable[ConfigProblem]) -> None:
        self.problems: tuple[ConfigProblem, ...] = tuple(
            sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.path, p.message))
        )
        super().__init__("\n".join(map(str, self.problems)))


def closest(word: str, candidates: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The candidate that a mistyped `word` most likely meant, or an empty string."""
    by_folded = {candidate.lower(): candidate for candidate in candidates}
    matches = get_close_matches(word.lower()[:100], by_folded, n=1, cutoff=cutoff)
    return by_folded[matches[0]] if matches else ""


def dotted(path: tuple[str | int, ...]) -> str:
    """A path as people write it: ``("sources", 2, "url")`` is ``sources[2].url``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
