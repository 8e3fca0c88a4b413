"""YAML text to plain data that knows where each part stood.

libyaml turns text into events; the tree is built here, so that positions survive, duplicate keys
are noticed, and depth, size and alias expansion are bounded before any memory is spent on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from config.errors import ConfigProblem, dotted
from config.yaml_scalars import resolve

MAX_BYTES = 2**20
MAX_DEPTH = 32
#: Nodes of one file, every use of an alias counted as all that it stands for.
MAX_NODES = 100_000

Path = tuple[str | int, ...]
Mark = tuple[int, int]  # line and column, both from 1

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: What YAML 1.2 does not allow in a stream (section 5.1), and the surrogates that Python could hold.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT_TAGS = {"!", "tag:yaml.org,2002:str"}


@dataclass(slots=True)
class Document:
    """One file as plain data: dicts, lists, text, numbers, booleans and None."""

    file: str
    data: Any = None
    #: By identity of a container: where each key (or index) and its value begin.
    marks: dict[int, dict[str | int, tuple[Mark, Mark]]] = field(default_factory=dict)
    start: Mark = (1, 1)
    #: Whether ``${`` stands anywhere in the text.
    has_placeholders: bool = False

    def existing(self, path: Path) -> Path:
        """The longest part of `path` that the file really has.

        An index is passed over where the file holds a single value that a list was made of.
        """
        here, found = self.data, []
        for part in path:
            if isinstance(part, int) and not isinstance(here, list):
                continue
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                break
            found.append(part)
        return tuple(found)

    def position(self, path: Path, *, key: bool = False) -> Mark:
        """Where the value at `path` begins (or its key), else where the nearest parent does."""
        here, mark = self.data, self.start
        for part in self.existing(path):
            key_mark, value_mark = self.marks[id(here)][part]
            here, mark = here[part], (key_mark if key else value_mark)
        return mark

    def declared_at(self, path: Path) -> str:
        """``file:line`` of `path`."""
        return f"{self.file}:{self.position(path, key=True)[0]}"

    def problem(
        self, path: Path, message: str, *, expected: str = "", suggestion: str = "", key: bool = False
    ) -> ConfigProblem:
        """A problem at `path`; at its key when the key itself is what is wrong."""
        line, column = self.position(path, key=key)
        return ConfigProblem(
            file=self.file, line=line, column=column, path=dotted(self.existing(path)),
            message=message, expected=expected, suggestion=suggestion,
        )  # fmt: skip


def read(file: str, raw: bytes) -> tuple[Document | None, list[ConfigProblem]]:
    """Read one YAML file; the document is None when nothing of it can be used.

    `file` only names it in problems. Duplicate keys are problems that leave the document usable
    (the first one counts), so that what else is wrong is found in the same reading.
    """
    text, problem = _decode(file, raw)
    if text is None or problem is not None:
        return None, [problem] if problem else []
    composer = _Composer(file, has_placeholders="${" in text)
    try:
        return composer.compose(yaml.parse(text, Loader=_LOADER)), composer.problems
    except _RefusedError as refused:
        composer.report(refused.mark, (), str(refused), refused.expected)
        return None, composer.problems
    except yaml.YAMLError as error:
        return None, [*composer.problems, _syntax_problem(file, text, error)]


def _decode(file: str, raw: bytes) -> tuple[str | None, ConfigProblem | None]:
    if len(raw) > MAX_BYTES:
        return None, ConfigProblem(
            file=file, message=f"the file has {len(raw):,} bytes", expected=f"at most {MAX_BYTES:,}; split it"
        )
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return None, ConfigProblem(file=file, message="the file is UTF-16", expected="UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line, column = _place(before)
        return None, ConfigProblem(
            file=file, line=line, column=column,
            message=f"byte 0x{raw[error.start]:02x} is not UTF-8",
            expected="UTF-8; the file was probably saved as Windows-1252 or Latin-1",
        )  # fmt: skip
    if bad := _UNPRINTABLE.search(text):
        line, column = _place(text[: bad.start()])
        return None, ConfigProblem(
            file=file, line=line, column=column,
            message=f"control character U+{ord(bad.group()):04X} cannot stand in YAML",
            expected="printable text",
        )  # fmt: skip
    return text, None


def _place(before: str) -> Mark:
    lines = before.splitlines() or [""]
    if before.endswith(("\n", "\r")):
        lines.append("")
    return len(lines), len(lines[-1]) + 1


def _syntax_problem(file: str, text: str, error: yaml.YAMLError) -> ConfigProblem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = str(getattr(error, "problem", None) or "cannot be read as YAML")
    lines = text.splitlines()
    current = lines[line - 1] if line <= len(lines) else ""
    indent = current[: len(current) - len(current.lstrip())]
    if "\t" in indent and ("tab" in said or "cannot start any token" in said):
        return ConfigProblem(
            file=file, line=line, column=indent.index("\t") + 1,
            message="a tab character indents this line", expected="spaces; YAML allows no tabs there",
        )  # fmt: skip
    context = getattr(error, "context", None)
    return ConfigProblem(
        file=file, line=line, column=column,
        message=f"not YAML: {said}" + (f" {context}" if context else ""),
        expected=_syntax_hint(said),
    )  # fmt: skip


def _syntax_hint(said: str) -> str:
    if "mapping values are not allowed" in said:
        return 'quotes around a value that holds ": ", or less indentation'
    if "cannot start any token" in said:
        return "quotes around a value that begins with @, ` or %"
    if "expected node content" in said:
        return "quotes around a value in braces that begins with ? or holds a comma or bracket"
    if "unknown escape" in said:
        return "single quotes around regular expressions; double quotes read backslashes"
    if "could not find expected ':'" in said:
        return "key: value"
    return ""


class _RefusedError(Exception):
    """Reading stops here: going on would cost too much or mean nothing."""

    def __init__(self, mark: Mark, message: str, expected: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.expected = expected


class _Composer:
    """Builds the tree of one document from events."""

    def __init__(self, file: str, *, has_placeholders: bool) -> None:
        self.problems: list[ConfigProblem] = []
        self._document = Document(file, has_placeholders=has_placeholders)
        self._events: Iterator[Any] = iter(())
        self._spent = 0
        #: Data and expanded size of what an anchor names; None while it is still being read.
        self._anchors: dict[str, tuple[Any, int] | None] = {}

    def compose(self, events: Iterator[Any]) -> Document:
        self._events = events
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _RefusedError(_mark(event), "a second document begins here", "one document a file")
            elif isinstance(event, yaml.NodeEvent):
                self._document.start = _mark(event)
                self._document.data = self._node(event, 0, ())
        return self._document

    def report(self, mark: Mark, path: Path, message: str, expected: str) -> None:
        """Note a problem at a mark."""
        line, column = mark
        self.problems.append(
            ConfigProblem(
                file=self._document.file,
                line=line,
                column=column,
                path=dotted(path),
                message=message,
                expected=expected,
            )
        )

    def _node(self, event: Any, depth: int, path: Path) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._spent
        self._spend(event, 1)
        if depth > MAX_DEPTH:
            raise _RefusedError(_mark(event), "nested too deep", f"at most {MAX_DEPTH} levels")
        anchor = event.anchor
        if anchor is not None:
            self._anchors[anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            data = self._scalar(event, path)
        elif isinstance(event, yaml.MappingStartEvent):
            data = self._mapping(event, depth, path)
        else:
            data = self._sequence(event, depth, path)
        if anchor is not None:
            self._anchors[anchor] = (data, self._spent - before)
        return data

    def _spend(self, event: Any, nodes: int) -> None:
        self._spent += nodes
        if self._spent > MAX_NODES:
            what = "aliases expand to" if isinstance(event, yaml.AliasEvent) else "the file holds"
            raise _RefusedError(_mark(event), f"{what} more than {MAX_NODES:,} values", "a smaller file")

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise _RefusedError(_mark(event), f"alias *{event.anchor} names no anchor", f"&{event.anchor} before it")
        named = self._anchors[event.anchor]
        if named is None:
            raise _RefusedError(_mark(event), f"alias *{event.anchor} stands inside itself", "no recursion")
        data, size = named
        self._spend(event, size)
        return data

    def _scalar(self, event: Any, path: Path) -> Any:
        if event.tag is None:
            return resolve(event.value) if event.implicit[0] else event.value
        if event.tag not in _TEXT_TAGS:
            self._tagged(event, path)
        return event.value

    def _tagged(self, event: Any, path: Path) -> None:
        message = f"tag {event.tag[:80]!r} is not allowed"
        self.report(_mark(event), path, message, "plain values; no tag makes an object here")

    def _sequence(self, event: Any, depth: int, path: Path) -> list[Any]:
        if event.tag is not None:
            self._tagged(event, path)
        data: list[Any] = []
        marks = self._document.marks[id(data)] = {}
        for item in self._events:
            if isinstance(item, yaml.SequenceEndEvent):
                break
            place = _mark(item)
            marks[len(data)] = (place, place)
            data.append(self._node(item, depth + 1, (*path, len(data))))
        return data

    def _mapping(self, event: Any, depth: int, path: Path) -> dict[str, Any]:
        if event.tag is not None:
            self._tagged(event, path)
        data: dict[str, Any] = {}
        marks = self._document.marks[id(data)] = {}
        for item in self._events:
            if isinstance(item, yaml.MappingEndEvent):
                break
            key = self._key(item)
            value_event = next(self._events)
            place = _mark(item)
            value = self._node(value_event, depth + 1, (*path, key))
            if key in data:
                self._duplicate(key, place, marks[key][0], path)
            else:
                data[key] = value
                marks[key] = (place, _mark(value_event))
        return data

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise _RefusedError(_mark(event), "this key is not plain text", "key: value")
        self._spend(event, 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = (event.value, 1)
        return str(event.value)

    def _duplicate(self, key: str, second: Mark, first: Mark, path: Path) -> None:
        message = f"key {key[:80]!r} stands twice; the first is at line {first[0]}, column {first[1]}"
        self.report(second, (*path, key), message, "each key once")


def _mark(event: Any) -> Mark:
    return event.start_mark.line + 1, event.start_mark.column + 1
