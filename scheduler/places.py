"""Where a configuration keeps what: the database, the log, the sign of life."""

from __future__ import annotations

from pathlib import Path

from config.model import Settings


def database_url(settings: Settings) -> str:
    """Where the database is; the embedded one is ``warta.db`` in the data directory."""
    if settings.database != "embedded":
        return settings.database
    return f"sqlite:///{(settings.data_dir / 'warta.db').absolute()}"


def log_file(settings: Settings) -> Path:
    """The JSON lines log of a data directory."""
    return settings.data_dir / "logs" / "warta.jsonl"


def alive_file(data_dir: Path) -> Path:
    """Touched every ten seconds while work goes on."""
    return data_dir / "warta.alive"
