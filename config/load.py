"""The one door of the configuration: files on disk to frozen :class:`config.model.Settings`.

::

    warta.yaml ── outlets: globs ──► files          config.files
      each: bytes ► plain data with positions        config.yaml_reader
                  ► ${NAME} filled in                config.environment
                  ► document models                  config.findings, config.document
      together:   ► duplicates, contradictions       config.duplicates, config.crossings
                  ► inheritance, Settings            config.build

Every stage adds its problems to one list, and only the end raises: what is wrong in one file hides
nothing in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from config import crossings
from config.build import OutletFile, build_outlets, build_settings, described
from config.collection import without_collection
from config.document import OutletDocument, WartaDocument
from config.duplicates import duplicates
from config.environment import MayHoldSecret, fill_in, in_outlet, in_warta
from config.errors import ConfigError, ConfigProblem, closest
from config.files import (
    DEFAULT_GLOBS,
    FileBytes,
    Watched,
    fingerprint,
    fingerprint_of,
    is_pattern,
    main_file,
    matching,
    read_bytes,
)
from config.findings import validate
from config.inherit import Chosen
from config.model import Settings
from config.values import ID_EXAMPLE, is_id
from config.yaml_reader import Document, read

__all__ = ["Watched", "explain", "fingerprint", "load"]

Model = TypeVar("Model", bound=BaseModel)


def load(path: Path, environ: Mapping[str, str], *, outlets: bool = True) -> Settings:
    """Read ``warta.yaml`` (or the directory that holds one) and all files of outlets it names.

    With `outlets` False only the first: for those who ask where the data is, whatever state outlets are in.
    Raises :class:`config.errors.ConfigError` with every problem of every file. Nothing but `environ`
    is asked for the values of ``${NAME}``.
    """
    with without_collection():
        return _Reading(environ).run(path, outlets=outlets)


def explain(path: Path, environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    """Effective values after inheritance: ``kontan/nasional.schedule.every`` to value and ``file:line``.

    The origin of what nobody wrote is ``default``. Raises as :func:`load` does.
    """
    trail: dict[str, Chosen] = {}
    _Reading(environ, trail).run(path)
    return described(trail)


@dataclass(slots=True)
class _Reading:
    """One reading of all files; collects problems and secrets on its way."""

    environ: Mapping[str, str]
    #: Filled with the origin of every effective value, when there is one.
    trail: dict[str, Chosen] | None = None
    problems: list[ConfigProblem] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    def run(self, path: Path, *, outlets: bool = True) -> Settings:
        main_bytes = read_bytes(main_file(path))
        main = self._read(main_bytes)
        said = self._validate(main, WartaDocument, in_warta) if main else None
        files = self._outlet_bytes(main_bytes.path, main) if outlets else []
        read = [outlet for file in files if (outlet := self._outlet(file))]
        self.problems.extend(duplicates([(outlet.outlet_id, outlet.document) for outlet in read]))
        self.problems.extend(crossings.in_warta(main) if main else ())
        for outlet in read:
            self.problems.extend(crossings.in_outlet(outlet.document, main))
        if main is None or said is None:
            raise ConfigError(self.problems)
        built = build_outlets(main, said, read, self.trail)
        self.problems.extend(built.problems)
        if self.problems:
            raise ConfigError(self.problems)
        digest = fingerprint_of((file.path, file.digest) for file in (main_bytes, *files))
        return build_settings(main_bytes.path, said, built.outlets, frozenset(self.secrets), digest)

    def _read(self, file: FileBytes) -> Document | None:
        if file.problem is not None:
            self.problems.append(file.problem)
            return None
        document, problems = read(str(file.path), file.raw)
        self.problems.extend(problems)
        return document

    def _validate(self, document: Document, model: type[Model], secret: MayHoldSecret) -> Model | None:
        secrets, misplaced = fill_in(document, secret, self.environ)
        self.secrets.update(secrets)
        said, findings = validate(document, model)
        told = {(problem.line, problem.column) for problem in misplaced}
        self.problems.extend(misplaced)
        self.problems.extend(finding for finding in findings if (finding.line, finding.column) not in told)
        return said

    def _outlet_bytes(self, main_path: Path, main: Document | None) -> list[FileBytes]:
        """Every file of outlets, each once; entries of ``outlets:`` that match nothing are problems."""
        listed = main.data.get("outlets") if main and isinstance(main.data, dict) else None
        found: dict[Path, FileBytes] = {}
        for index, pattern in _entries(listed):
            paths = matching(main_path, pattern)
            if not paths and main is not None:
                self.problems.append(main.problem(("outlets", index), f"{pattern[:200]!r} matches no file"))
            for path in paths:
                file = found.get(path) or read_bytes(path)
                if file.problem is not None and main is not None and not is_pattern(pattern):
                    # The entry of the list is what has to be mended, not the file that is not there.
                    self.problems.append(main.problem(("outlets", index), f"{path} {file.problem.message}"))
                    continue
                found[path] = file
        return list(found.values())

    def _outlet(self, file: FileBytes) -> OutletFile | None:
        document = self._read(file)
        if document is None:
            return None
        said = self._validate(document, OutletDocument, in_outlet)
        outlet_id = file.path.stem
        if not is_id(outlet_id):
            message = f"the file name {file.path.name[:80]!r} cannot be an outlet's id"
            self.problems.append(document.problem((), message, expected=f"{ID_EXAMPLE}, then .yaml"))
        elif said is not None and said.id not in (None, outlet_id):
            message = f"the id is not the file's name {outlet_id!r}"
            near = closest(said.id or "", [outlet_id])
            self.problems.append(document.problem(("id",), message, expected=outlet_id, suggestion=near))
        return OutletFile(outlet_id, document, said)


def _entries(listed: Any) -> list[tuple[int, str]]:
    """The usable entries of ``outlets:`` with their index; what is not usable is for validation to tell."""
    if listed is None:
        return list(enumerate(DEFAULT_GLOBS))
    entries = enumerate(listed) if isinstance(listed, list) else ()
    return [(index, text) for index, text in entries if isinstance(text, str)]
