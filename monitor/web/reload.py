"""What reading the configuration again would change. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from config.model import Outlet, Settings, Source
from monitor.web.show import value as shown

#: What differs from one reading to the next, or was chosen on the command line.
_LEFT_OUT = {"path", "data_dir", "secrets", "fingerprint", "declared_at", "_outlets_by_id"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A value, as it is in force and as the files have it; None where there is none."""

    key: str
    running: str | None
    files: str | None


def differences(running: Settings, files: Settings) -> list[Difference]:
    """Every value that is not the same, and outlets and sources as a whole where one side has none."""
    now, then = dict(_values(running, "")), dict(_values(files, ""))
    changed = [
        Difference(key, now.get(key), then.get(key)) for key in sorted(now.keys() | then.keys())
        if now.get(key) != then.get(key)
    ]  # fmt: skip
    whole = {d.key for d in changed if d.key.endswith("/")}
    return [d for d in changed if not any(d.key != key and d.key.startswith(key) for key in whole)]


def _values(thing: Any, prefix: str) -> Iterator[tuple[str, str]]:
    for field in fields(thing):
        if field.name in _LEFT_OUT:
            continue
        value = getattr(thing, field.name)
        key = f"{prefix}{field.name}"
        if isinstance(value, tuple) and value and all(isinstance(part, Outlet | Source) for part in value):
            for part in value:
                yield f"{part.id}/", "there"
                yield from _values(part, f"{part.id}/")
        elif is_dataclass(value):
            yield from _values(value, f"{key}.")
        else:
            yield key, shown(value)
