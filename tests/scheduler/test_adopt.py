from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from newsroom.outlets import write_config
from scheduler.cli.main import build
from storage.sources import SourceDefinition
from storage.storage import Storage

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SOURCE = "kabarniaga/nasional"


async def _known(data: Path, **changes: Any) -> None:
    """A database that remembers one source, with these changes to its state."""
    data.mkdir(exist_ok=True)
    storage = await Storage.open(f"sqlite:///{data / 'warta.db'}", now=lambda: NOW)
    definition = SourceDefinition(id=SOURCE, outlet_id="kabarniaga", kind="feed", url="https://lama.example/rss")
    await storage.sources.upsert([definition], {}, NOW)
    run = await storage.runs.begin(SOURCE, "kabarniaga", "manual", NOW, 1, "w", NOW)  # type: ignore[arg-type]
    assert run is not None
    await storage.sources.update_state(SOURCE, 1, **changes)
    await storage.close()


def test_a_person_adopts_a_redirect_and_goes_back(tmp_path: Path) -> None:
    write_config(tmp_path, 8099, every="10m")
    data = tmp_path / "data"
    asyncio.run(_known(data, moved_to="https://baru.example/rss", moved_since=NOW))
    cli, app = CliRunner(), build(["adopt", "reports"])
    where = ["--config", str(tmp_path), "--data", str(data), "--json"]

    def shown() -> Any:
        return json.loads(cli.invoke(app, ["sources", *where]).stdout.splitlines()[0])

    assert "moved to https://baru.example/rss" in shown()["standing"][0]
    taken = cli.invoke(app, ["adopt", SOURCE, *where])
    assert taken.exit_code == 0, taken.output
    assert json.loads(taken.stdout)["address"] == "https://baru.example/rss"
    assert shown()["adopted_url"] == "https://baru.example/rss"
    assert cli.invoke(app, ["adopt", SOURCE, *where]).exit_code == 5  # nothing more is offered
    assert cli.invoke(app, ["adopt", SOURCE, "--undo", *where]).exit_code == 0
    assert shown()["adopted_url"] is None
    assert cli.invoke(app, ["adopt", "kabarniaga/nobody", *where]).exit_code == 5
