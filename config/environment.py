"""``${NAME}`` in the few places that may hold a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from config.errors import ConfigProblem, closest
from config.yaml_reader import Document, Path

_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

MayHoldSecret = Callable[[Path], bool]


def in_warta(path: Path) -> bool:
    """Whether a place of warta.yaml may hold a secret."""
    if len(path) == 3 and path[0] == "deliver":
        return path[2] in ("secret", "webhook", "redis")
    if path[:1] == ("alerts",):
        return path == ("alerts", "dead_man", "url") or (len(path) == 4 and path[1] == "channels" and path[3] == "url")
    return path in (("redis",), ("database",), ("monitor", "password")) or (
        len(path) == 3 and path[:2] == ("api", "tokens")
    )


def in_outlet(path: Path) -> bool:
    """Whether a place of an outlet's file may hold a secret."""
    return len(path) == 4 and path[0] == "sources" and path[2] == "headers"


def fill_in(
    document: Document, may_hold_secret: MayHoldSecret, environ: Mapping[str, str]
) -> tuple[frozenset[str], list[ConfigProblem]]:
    """Put the values of variables in their places; the values are returned, for masking.

    A value that could not be filled in stays as it is; what else would be said of its place only
    repeats the problem told here.
    """
    secrets: set[str] = set()
    problems: list[ConfigProblem] = []
    for container, key, path in list(_places(document)):
        text = container[key]
        names = _PLACEHOLDER.findall(text)
        wrong = _refusals(document, path, names, environ) if may_hold_secret(path) else [_misplaced(document, path)]
        if wrong:
            problems.extend(wrong)
            continue
        secrets.update(environ[name] for name in names)
        container[key] = _PLACEHOLDER.sub(lambda found: environ[found[1]], text)
    return frozenset(secrets), problems


def _misplaced(document: Document, path: Path) -> ConfigProblem:
    expected = (
        "the value itself; ${NAME} works in redis, database, headers, api.tokens, monitor.password, deliver and alerts"
    )
    return document.problem(path, "${…} is for secrets only", expected=expected)


def _refusals(document: Document, path: Path, names: list[str], environ: Mapping[str, str]) -> list[ConfigProblem]:
    if not names:
        return [document.problem(path, "this ${ is not closed", expected="${NAME}")]
    return [problem for name in names if (problem := _missing(document, path, name, environ))]


def _places(document: Document) -> Iterator[tuple[Any, str | int, Path]]:
    """Every container and key whose value is text with ``${`` in it; shared parts once."""
    pending: list[tuple[Any, Path]] = [(document.data, ())] if document.has_placeholders else []
    visited: set[int] = set()
    while pending:
        here, path = pending.pop()
        if not isinstance(here, dict | list) or id(here) in visited:
            continue
        visited.add(id(here))
        for key, value in here.items() if isinstance(here, dict) else enumerate(here):
            if isinstance(value, str) and "${" in value:
                yield here, key, (*path, key)
            pending.append((value, (*path, key)))


def _missing(document: Document, path: Path, name: str, environ: Mapping[str, str]) -> ConfigProblem | None:
    if not _NAME.fullmatch(name):
        return document.problem(path, f"${{{name[:40]}}} is not a variable's name", expected="${NAME}")
    if environ.get(name):
        return None
    said = f"environment variable {name} is {'empty' if name in environ else 'not set'}"
    return document.problem(
        path, said, expected="a value in the environment", suggestion=closest(name, environ, cutoff=0.75)
    )
