"""`/readyz` says what does not work, also when only writing does not."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.model import Monitor
from monitor.web.pages import signs
from monitor.web.site import Site
from storage.storage import Storage

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


async def _well() -> None:
    """A store that takes what it is given."""


async def _full() -> None:
    raise ConnectionError("OOM command not allowed when used memory > 'maxmemory'")


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    opened = await Storage.open(f"sqlite:///{tmp_path / 'warta.db'}", now=lambda: NOW)
    await opened.facts.epoch(NOW)
    yield opened
    await opened.close()


def site(storage: Storage, tmp_path: Path, *, ping: object = _well, writes: bool = True) -> Site:
    return Site(
        storage=storage, settings=lambda: None, monitor=Monitor(), now=lambda: NOW, log=tmp_path / "log",
        alive=tmp_path / "absent", ping=ping, writes=writes,
    )  # fmt: skip


async def test_a_store_that_takes_nothing_is_not_ready(storage, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(signs, "PATIENCE", 0.2)
    whole = site(storage, tmp_path)
    assert (await signs._checks(whole))["database"] == "ok"
    assert (await signs._checks(site(storage, tmp_path, ping=_full)))["redis"] != "ok"

    with closing(sqlite3.connect(tmp_path / "warta.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        locked = site(storage, tmp_path)
        assert (await signs._checks(locked))["database"] == "cannot be written: locked"
        assert (await signs._checks(locked))["database"] == "cannot be written: locked"
        assert (await signs._checks(site(storage, tmp_path, writes=False)))["database"] == "ok"
        other.rollback()
        assert locked.proof is not None
        await locked.proof

    assert (await signs._checks(whole))["database"] == "ok"
