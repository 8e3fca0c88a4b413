"""The files of a configuration: found by globs, read with a bound, noticed when they change."""

from __future__ import annotations

import glob
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.errors import ConfigProblem
from config.yaml_reader import MAX_BYTES, Document, read

DEFAULT_GLOBS = ("outlets/*.yaml",)


@dataclass(frozen=True, slots=True)
class FileBytes:
    """What a file held, or why it could not be read."""

    path: Path
    raw: bytes = b""
    problem: ConfigProblem | None = None

    @property
    def digest(self) -> str:
        """sha256 of the content; of the reason when there is none."""
        return hashlib.sha256(self.raw if self.problem is None else str(self.problem).encode()).hexdigest()


def main_file(path: Path) -> Path:
    """The file a user means by `path`: itself, or ``warta.yaml`` in it when it is a directory."""
    return path / "warta.yaml" if path.is_dir() else path


def read_bytes(path: Path) -> FileBytes:
    """The content of a file, at most one byte more than is allowed; never raises."""
    try:
        with path.open("rb") as file:
            return FileBytes(path, file.read(MAX_BYTES + 1))
    except OSError as error:
        said = error.strerror or type(error).__name__
    except ValueError as error:  # a NUL in the name
        said = str(error)
    problem = ConfigProblem(file=str(path), message=f"cannot be read: {said}", expected="a readable file")
    return FileBytes(path, problem=problem)


def is_pattern(text: str) -> bool:
    """Whether a text matches files by * ? or [ rather than naming one."""
    return glob.has_magic(text)


def matching(main: Path, pattern: str) -> list[Path]:
    """The files that one entry of ``outlets:`` means, sorted by path."""
    if not is_pattern(pattern):
        return [main.parent / pattern]
    try:
        # Path.glob refuses absolute patterns.
        found = glob.glob(pattern, root_dir=main.parent, recursive=True)  # noqa: PTH207
    except (OSError, ValueError):
        return []
    return sorted(path for name in found if not (path := main.parent / name).is_dir())


def globs_of(data: Any) -> list[str]:
    """The entries of ``outlets:`` as far as they are usable."""
    listed = data.get("outlets", list(DEFAULT_GLOBS)) if isinstance(data, dict) else list(DEFAULT_GLOBS)
    return [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []


def outlet_files(main: Path, document: Document | None) -> list[Path]:
    """Every file of outlets, each once, in the order of the globs."""
    globs = globs_of(document.data if document else None)
    return list(dict.fromkeys(path for pattern in globs for path in matching(main, pattern)))


def fingerprint_of(digests: Iterable[tuple[Path, str]]) -> str:
    """One digest over the names and the digests of files."""
    whole = hashlib.sha256()
    for path, digest in digests:
        whole.update(f"{path}\0{digest}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def fingerprint(path: Path) -> str:
    """Digest of the configuration as it lies on disk, to compare with ``Settings.fingerprint``.

    Changes when a file changes, appears under a glob, or goes; never raises, and validates nothing.
    """
    return Watched(path).fingerprint()


class Watched:
    """A configuration that is looked at again and again: files are read that were touched since."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[Path, tuple[_Touch, str]] = {}

    def fingerprint(self) -> str:
        """As :func:`fingerprint`, of now."""
        main = read_bytes(main_file(self._path))
        document = None if main.problem else read(str(main.path), main.raw)[0]
        known: dict[Path, tuple[_Touch, str]] = {}
        digests = [(main.path, main.digest)]
        for path in outlet_files(main.path, document):
            before, touch = self._known.get(path), _touch(path)
            if before is None or before[0] != touch:
                before = touch, read_bytes(path).digest
            if touch is not None and touch[0] < time.time_ns() - _SETTLED:
                known[path] = before
            digests.append((path, before[1]))
        self._known = known
        return fingerprint_of(digests)


#: Change of content or inode (ns), size, inode and device of a file; None where there is none to ask.
_Touch = tuple[int, int, int, int] | None
#: Nanoseconds after which a further change of a file shows in its times: their steps are milliseconds to a second.
_SETTLED = 2_000_000_000


def _touch(path: Path) -> _Touch:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev
