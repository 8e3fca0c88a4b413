"""A small template grammar: ``{slot}`` and ``[this|that]``, nested at will."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

#: A small letter where a sentence or a quote begins.
_SENTENCE_START = re.compile(r'(^"?|[.?!] "?|[,:] ")([a-z])')

#: What a slot may hold: a fixed text of this story, or a fresh draw at each use.
Filler = str | Callable[[Random], str]
Facts = Mapping[str, Filler]


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str


@dataclass(frozen=True, slots=True)
class _Choice:
    options: tuple[_Parts, ...]


_Part = str | _Slot | _Choice
_Parts = tuple[_Part, ...]


class Grammar:
    """Expands templates over named rules.

    A slot is looked up in the story's facts first, then in the rules. Does not know what the
    words mean and keeps no state: all chance comes in with the call.
    """

    def __init__(self, rules: Mapping[str, Sequence[str]]) -> None:
        """``rules`` maps a slot's name to its templates."""
        self._rules = rules

    def pick(self, rule: str, rng: Random, facts: Facts) -> str:
        """One template of a rule, expanded."""
        return self.expand(rng.choice(self._rules[rule]), rng, facts)

    def sample(self, rule: str, count: int, rng: Random) -> list[str]:
        """Different templates of a rule, not yet expanded."""
        templates = self._rules[rule]
        return rng.sample(templates, min(count, len(templates)))

    def expand(self, template: str, rng: Random, facts: Facts) -> str:
        """The template with every slot filled and every choice made."""
        out: list[str] = []
        self._write(_compiled(template), rng, facts, out)
        return "".join(out)

    def sentence(self, template: str, rng: Random, facts: Facts) -> str:
        """An expansion whose sentences and quotes begin with capitals."""
        text = self.expand(template, rng, facts)
        return _SENTENCE_START.sub(lambda m: m[1] + m[2].upper(), text)

    def _write(self, parts: _Parts, rng: Random, facts: Facts, out: list[str]) -> None:
        for part in parts:
            if isinstance(part, str):
                out.append(part)
            elif isinstance(part, _Choice):
                self._write(rng.choice(part.options), rng, facts, out)
            else:
                filler = facts.get(part.name)
                if filler is None:
                    self._write(_compiled(rng.choice(self._rules[part.name])), rng, facts, out)
                else:
                    out.append(filler if isinstance(filler, str) else filler(rng))


@lru_cache(maxsize=8192)
def _compiled(template: str) -> _Parts:
    parts, end = _parse(template, 0, "")
    if end != len(template):
        raise ValueError(f"unbalanced ']' or '|' at {end} in the template {template!r}")
    return parts


def _parse(template: str, at: int, stops: str) -> tuple[_Parts, int]:
    parts: list[_Part] = []
    text = at
    while at < len(template) and template[at] not in (stops or "]"):
        if template[at] not in "{[":
            at += 1
            continue
        if at > text:
            parts.append(template[text:at])
        part, at = _slot(template, at) if template[at] == "{" else _choice(template, at)
        parts.append(part)
        text = at
    if at > text:
        parts.append(template[text:at])
    return tuple(parts), at


def _slot(template: str, at: int) -> tuple[_Slot, int]:
    end = template.index("}", at)
    return _Slot(template[at + 1 : end]), end + 1


def _choice(template: str, at: int) -> tuple[_Choice, int]:
    options: list[_Parts] = []
    while True:
        parts, at = _parse(template, at + 1, "|]")
        options.append(parts)
        if at >= len(template):
            raise ValueError(f"a '[' is never closed in the template {template!r}")
        if template[at] == "]":
            return _Choice(tuple(options)), at + 1
