"""Writes configurations into a directory and reads what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.load import load
from config.model import Settings

#: The least that makes an outlet.
OUTLET = (
    "name: Warta\nhomepage: https://warta.test\nsources:\n  - {name: all, kind: feed, url: https://warta.test/rss}\n"
)

Write = Callable[..., Path]
Problems = Callable[..., list[str]]
Load = Callable[..., Settings]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes warta.yaml and outlets (by id), gives the path of warta.yaml."""

    def write_files(warta: str | bytes = "", /, **outlets: str | bytes) -> Path:
        (tmp_path / "outlets").mkdir(exist_ok=True)
        for name, text in {"warta": warta, **(outlets or {"contoh": OUTLET})}.items():
            path = tmp_path / "warta.yaml" if name == "warta" else tmp_path / "outlets" / f"{name}.yaml"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / "warta.yaml"

    return write_files


@pytest.fixture
def loaded(write: Write) -> Load:
    """Loads what is written."""

    def load_files(warta: str = "", /, environ: Mapping[str, str] | None = None, **outlets: str) -> Settings:
        return load(write(warta, **outlets), environ or {})

    return load_files


@pytest.fixture
def problems(write: Write, tmp_path: Path) -> Problems:
    """The problems of what is written, file names relative; empty when it loads."""

    def find(warta: str | bytes = "", /, environ: Mapping[str, str] | None = None, **outlets: str | bytes) -> list[str]:
        try:
            load(write(warta, **outlets), environ or {})
        except ConfigError as error:
            return [str(problem).replace(f"{tmp_path}/", "") for problem in error.problems]
        return []

    return find
