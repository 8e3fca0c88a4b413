from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.dataset
import pytest
from typer.testing import CliRunner, Result

from scheduler.cli.main import build
from storage.delivery import Pending, Settlement
from storage.storage import Storage

ROOT = Path(__file__).parents[3]
WARTA = """
deliver:
  - {name: cms, webhook: "https://cms.test/hook", secret: "0123456789abcdef", outlets: [warta-pagi]}
  - {name: live, stream: "warta:articles"}
"""


def yesterday() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path, make_paper: Any) -> Path:
    """A configuration and a database with five events, of which `cms` has had four and given one up."""
    (tmp_path / "outlets").mkdir()
    (tmp_path / "outlets" / "warta-pagi.yaml").write_text(
        "name: W\nhomepage: https://w.test\nsources: [{name: a, kind: feed, url: 'https://w.test/a'}]\n"
    )
    (tmp_path / "warta.yaml").write_text(f"data_dir: {tmp_path / 'data'}\n{WARTA}")
    (tmp_path / "data").mkdir()

    async def fill() -> None:
        storage = await Storage.open(f"sqlite:///{tmp_path / 'data' / 'warta.db'}", now=yesterday)
        paper = make_paper(storage, yesterday)
        await paper.open()
        done = await paper.publish("a")
        await paper.publish("=HYPERLINK(1)")
        await paper.revise("a", "lagi")
        await paper.retract("a")
        await paper.publish("c")
        deliveries = storage.deliveries
        await deliveries.declare("cms", "webhook", yesterday(), from_beginning=True)
        await deliveries.take("cms", 1)
        dead = Pending(
            consumer="cms", event_id=1, article_id=done.article_id, status="dead", attempts=30,
            next_attempt=yesterday(), first_failed=yesterday(), last_error="HTTP 500",
        )  # fmt: skip
        await deliveries.settle("cms", 1, Settlement(cursor=4, accepted=[2, 3, 4], pending=[dead]), yesterday())
        await storage.close()

    asyncio.run(fill())
    return tmp_path


@pytest.fixture
def warta(folder: Path) -> Callable[..., Result]:
    """Runs a command on that folder."""

    def run(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(build(["deliver", "export", "articles"]), [*words, "--config", str(folder)])
        assert result.exit_code == code, result.output
        return result

    return run


def records(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_status_tells_how_far_each_consumer_is(warta: Callable[..., Result]) -> None:
    (cms,) = records(warta("deliver", "status", "--json", code=1))
    assert (cms["delivered"], cms["behind"], cms["waiting"], cms["dead"]) == (3, 1, 0, 1)
    assert 86_000 < cms["age"] < 87_000
    assert "cms" in warta("deliver", "status", code=1).stdout


def test_dead_letters_are_listed_and_sent_again(warta: Callable[..., Result]) -> None:
    (dead,) = records(warta("deliver", "dead", "--json"))
    assert (dead["event_id"], dead["last_error"]) == (1, "HTTP 500")
    assert records(warta("deliver", "replay", "cms", "--dead", "--json")) == [{"consumer": "cms", "events": 1}]
    assert records(warta("deliver", "dead", "--json")) == []
    assert "no dead letter" in warta("deliver", "dead").stdout


@pytest.mark.parametrize(
    ("words", "events"),
    [
        (["--all"], 4), (["event:2,3,5"], 2), (["since:2d"], 4), (["until:2d"], 0), (["outlet:warta-pagi"], 4),
    ],
)  # fmt: skip
def test_a_replay_is_by_time_outlet_or_number(warta: Callable[..., Result], words: list[str], events: int) -> None:
    assert records(warta("deliver", "replay", "cms", *words, "--json"))[0]["events"] == events


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["cms"], 2), (["cms", "event:x"], 2), (["cms", "some", "text"], 2), (["cms", "outlet:kabar"], 2),
        (["nobody", "--all"], 5),
    ],
)  # fmt: skip
def test_a_replay_of_nothing_in_particular_is_refused(
    warta: Callable[..., Result], words: list[str], code: int
) -> None:
    warta("deliver", "replay", *words, code=code)


def test_a_consumer_is_forgotten_once_it_is_no_longer_configured(warta: Callable[..., Result], folder: Path) -> None:
    warta("deliver", "forget", "cms", code=2)
    (folder / "warta.yaml").write_text(f"data_dir: {folder / 'data'}\n")
    assert "forgotten" in warta("deliver", "forget", "cms").stdout
    warta("deliver", "forget", "cms", code=5)


def test_events_are_exported_in_order_with_their_keys(warta: Callable[..., Result]) -> None:
    found = records(warta("export", "--deliveries"))
    assert [e["event_id"] for e in found] == [1, 2, 3, 4, 5]
    assert [e["event"] for e in found] == ["new", "new", "revised", "retracted", "new"]
    assert found[2]["article"]["revision"] == 2


def test_articles_and_events_are_exported_as_csv(warta: Callable[..., Result], folder: Path) -> None:
    warta("export", "--format", "csv", "--output", str(folder / "all.csv"))
    rows = list(csv.DictReader(io.StringIO((folder / "all.csv").read_text())))
    assert len(rows) == 3
    assert rows[0]["text"].startswith("Laporan a direvisi")
    events = list(csv.DictReader(io.StringIO(warta("export", "--deliveries", "-f", "csv").stdout)))
    assert events[0]["key"].endswith(":1:new")


@pytest.mark.parametrize("what", [[], ["--deliveries"]])
def test_parquet_is_read_back_by_day(warta: Callable[..., Result], folder: Path, what: list[str]) -> None:
    target = folder / "lake"
    warta("export", "--format", "parquet", "--output", str(target), *what)
    table = pyarrow.dataset.dataset(target, partitioning="hive").to_table().to_pylist()
    assert len(table) == (5 if what else 3)
    assert {str(row["day"]) for row in table} == {f"{yesterday():%Y-%m-%d}"}
    assert table[0]["first_seen"].tzinfo is not None
    assert json.loads(table[0]["body"])[0]["kind"] == "paragraph"
    assert ("event_id" in table[0]) == bool(what)
    assert [path.name for path in folder.iterdir() if path.name.endswith(".part")] == []
    warta("export", "--format", "parquet", "--output", str(target), code=2)


def test_the_api_serves_until_it_is_told_to_stop(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "warta.yaml").write_text(f"data_dir: {folder / 'data'}\napi: {{listen: '{address}'}}\n")
    command = [sys.executable, "-m", "scheduler", "api", "--config", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        assert process.stderr is not None
        assert address.encode() in process.stderr.readline()
        with urllib.request.urlopen(f"http://{address}/v1/articles", timeout=10) as answer:
            assert len(json.load(answer)["articles"]) == 3
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stderr is not None
        process.stderr.close()


def test_what_each_revision_changed_is_shown_word_by_word(warta: Callable[..., Result], folder: Path) -> None:
    lines = warta("export", "--deliveries").output.splitlines()
    name = next(e["article_id"] for e in map(json.loads, lines) if e["event"] == "revised")

    shown = warta("show", name, "--diff").output

    assert "revision 2, revised" in shown
    assert "{+" in shown
    assert "took it back" in shown
    explained = warta("show", name, "--diff", "--json").output
    assert json.loads(explained)["changes"][0]["revision"] == 2
