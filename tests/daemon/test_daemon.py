"""The daemon as a process against a served press: start, reload, stop, kill."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from newsroom.serve import Running
from storage.embedded import EmbeddedValkey

from .conftest import Warta

pytestmark = [pytest.mark.daemon, pytest.mark.timeout(240)]


def log(warta: Warta) -> list[dict[str, object]]:
    path = warta.directory / "data" / "logs" / "warta.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_it_starts_crawls_answers_questions_and_stops_in_order(warta: Warta, press: Running) -> None:
    press.newsroom.publish("gemanusa", 3)
    daemon = warta.start()
    warta.until(lambda: warta.articles() >= 6, what="articles of both outlets")

    assert warta("alive").returncode == 0
    warta.until(lambda: warta.rows("runs", "status:ok", "source:gemanusa/rdf"), 30, "the end of a run")
    article = warta.rows("articles", "outlet:gemanusa")[0]
    assert warta.rows("show", article["id"])[0]["title"] == article["title"]
    assert warta.rows("explain", article["url"])[0]["kind"] == "stored"
    assert warta("show", "nonsense").returncode == 5

    daemon.send_signal(signal.SIGTERM)

    assert daemon.wait(30) == 0
    assert warta("audit").returncode == 0
    events = [r["event"] for r in log(warta)]
    assert events[-1] == "stopped"
    assert "run finished" in events
    exported = warta("export").stdout.splitlines()
    assert len(exported) == warta.articles()


def test_a_second_daemon_on_the_same_data_refuses_and_says_whose_it_is(warta: Warta) -> None:
    daemon = warta.start()
    warta.until(lambda: warta("alive").returncode == 0, what="the first daemon")

    second = warta("run")

    assert second.returncode == 3
    assert f"process {daemon.pid}" in second.stderr


def test_a_changed_file_is_taken_up_and_a_broken_one_is_not(warta: Warta, press: Running) -> None:
    warta.start()
    warta.until(lambda: warta.articles() > 0, what="articles")
    outlet = warta.directory / "outlets" / "datakini.yaml"
    good = outlet.read_text()

    outlet.write_text(good.replace("sources:", "surces:"))
    warta.until(lambda: any(r["event"] == "reload refused" for r in log(warta)), 20, "the refusal")
    status = json.loads(warta("status", "--json").stdout)
    assert any("datakini.yaml" in problem for problem in status["configuration_refused"])
    press.newsroom.publish("gemanusa", 2)
    warta.until(lambda: warta.settled(press.newsroom), 30, "crawling under the last good configuration")

    outlet.unlink()
    warta.until(lambda: any(r["event"] == "configuration reloaded" for r in log(warta)), 20, "the reload")
    warta.until(lambda: not [s for s in warta.rows("sources") if s["outlet_id"] == "datakini"], 20, "the removal")


def test_after_kill_9_the_next_start_goes_on_where_it_was(warta: Warta, press: Running) -> None:
    press.newsroom.publish("gemanusa", 10)
    daemon = warta.start()
    warta.until(lambda: warta.articles() > 0, what="the first article")
    os.killpg(daemon.pid, signal.SIGKILL)
    daemon.wait()

    warta.start()
    warta.until(lambda: warta.settled(press.newsroom), 60, "all items settled")

    warta.end()
    events = [json.loads(line) for line in warta("export").stdout.splitlines()]
    assert len({e["id"] for e in events}) == len(events)
    assert warta("audit").returncode == 0


BOUNDARIES = (
    "after_fetch", "after_parse", "discovered.after_commit", "before_commit", "after_commit", "before_mark",
    "after_mark", "after_finish",
)  # fmt: skip


@pytest.mark.parametrize("place", BOUNDARIES)
def test_a_crash_at_each_boundary_loses_nothing_and_repeats_nothing(warta: Warta, press: Running, place: str) -> None:
    press.newsroom.publish("gemanusa", 4)
    crashing = warta.start(WARTA_FAULT_AT=f"{place}:2")
    assert crashing.wait(60) == -signal.SIGKILL

    warta.start()
    warta.until(lambda: warta.settled(press.newsroom), 60, "all items settled")
    warta.end()

    announced = [json.loads(line) for line in warta("export").stdout.splitlines()]
    assert len({a["id"] for a in announced}) == len(announced) > 0
    assert warta("audit").returncode == 0


def test_scheduler_and_workers_share_the_work_over_a_common_redis(warta: Warta, press: Running) -> None:
    server = EmbeddedValkey(warta.directory / "shared", persistent=False)
    database = f"sqlite:///{warta.directory / 'shared.db'}"
    warta.edit(lambda d: d.update({"redis": server.url, "database": database}))
    assert warta("migrate").returncode == 0
    press.newsroom.publish("gemanusa", 4)

    async def scene() -> None:
        async with server.running():
            await asyncio.to_thread(play)

    def play() -> None:
        active = warta.start("scheduler")
        for _ in range(2):
            warta.start("worker")
        warta.until(lambda: warta.articles("shared.db") >= 4, what="articles by workers")
        warta.start("scheduler")
        active.send_signal(signal.SIGTERM)
        assert active.wait(30) == 0
        warta.processes.remove(active)
        press.newsroom.clock.forward(timedelta(minutes=1))
        press.newsroom.publish("gemanusa", 3)
        before = warta.articles("shared.db")
        warta.until(lambda: warta.articles("shared.db") >= before + 3, what="articles under the second scheduler")
        warta.end()

    asyncio.run(scene())
    # Runs that the end cut off count as well: what matters is that workers took them.
    assert any(run["worker"] for run in warta.rows("runs"))


def test_a_role_that_shares_refuses_the_embedded_default(warta: Warta) -> None:
    refused = warta("worker")

    assert refused.returncode == 2
    assert "set redis and database to URLs" in refused.stderr


def test_the_demo_ends_by_itself_with_one_line_that_adds_up(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "scheduler", "demo", "--seconds", "3", "--data", str(tmp_path / "d"), "--json"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    (line,) = ended.stdout.splitlines()
    assert ended.returncode == 0
    assert json.loads(line)["ledger_adds_up"]


def test_the_demo_shows_every_change_that_a_story_can_see_and_names_the_command_for_each(tmp_path: Path) -> None:
    warta = Warta(tmp_path / "d")
    demo = subprocess.Popen(
        [sys.executable, "-m", "scheduler", "demo", "--seconds", "150", "--data", str(warta.directory), "--json"],
        text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    warta.processes.append(demo)
    changes = {"revised", "corrected", "moved", "retracted"}
    seen = f"select count(distinct event) = 4 from outbox where event in {tuple(changes)}"

    try:
        warta.until(lambda: warta.count(seen), 120, "one of each change")
        demo.send_signal(signal.SIGINT)
        line, _ = demo.communicate(timeout=60)
    finally:
        demo.kill()

    closing = json.loads(line)
    assert demo.returncode == 0
    assert closing["ledger_adds_up"]
    assert closing["runs"]["failed"] >= 1
    assert changes <= set(closing["events"])
    assert set(closing["examples"]) == changes
    for example in closing["examples"].values():
        assert warta(*example["words"].split()).returncode == 0
