"""How long it takes to find lines in a day's log of many sources, and what writing that log costs.

    python -m bench.logs [--sources 10000] [--polls 144] [--json]

Writes the canonical lines of a day through the daemon's own handler, rotation and indexing included, and searches
them as ``warta logs``, the web and the API do. Times are of whole searches; files are in the page cache.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.filters import parse
from monitor.logs import FIELDS, files, search
from scheduler.log_file import Keep, RotatingFile, tend
from storage.runs import run_id

DAY = timedelta(days=1)
ROUNDS = 5


def line(number: int, sources: int, at: datetime) -> str:
    """The canonical line of a run: one in 37 failed, one in five brought something."""
    source = number % sources
    outlet = f"outlet{source // 10:04}"
    failed, brings = source % 37 == 0, number % 5 == 0
    record = {
        "run": run_id(at, number), "outlet": outlet, "source": f"{outlet}/s{source % 10}", "trigger": "schedule",
        "event": "run finished", "level": "warning" if failed else "info", "logger": "crawlers.run",
        "time": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "outcome": "failed" if failed else "ok" if brings else "not_modified",
        "http": None if failed else 200 if brings else 304, "bytes": 18_432 if brings else 210, "duration": 0.183,
        "discovered": 25 if brings else 0, "stored": int(brings), "unchanged": 24 if brings else 0,
        "reason": "timeout" if failed else None,
        "message": f"https://{outlet}.test/rss gave no answer within 30 s" if failed else None,
    }  # fmt: skip
    return json.dumps({name: value for name, value in record.items() if value is not None})


def write(path: Path, sources: int, polls: int, now: datetime) -> float:
    """Seconds of CPU that handing over the lines of a day took, without the making of them."""
    handler = RotatingFile(path, Keep())
    handler.setFormatter(logging.Formatter("%(message)s"))
    total, spent = sources * polls, 0.0
    for number in range(total):
        text = line(number, sources, now - DAY + DAY * number / total)
        record = logging.LogRecord("bench", logging.INFO, "", 0, text, None, None)
        began = time.thread_time()
        handler.handle(record)
        spent += time.thread_time() - began
    handler.close()
    return spent


def searches(sources: int, polls: int, now: datetime) -> dict[str, str]:
    """What an operator looks for."""
    middle = sources * polls // 2
    run = json.loads(line(middle, sources, now - DAY / 2))["run"]
    return {
        "the newest 200 lines": "",
        "of an outlet": "outlet:outlet0123",
        "of a source, all of the day": "source:outlet0123/s4",
        "of one run, in the middle of the day": f"run:{run}",
        "warnings of an outlet": "outlet:outlet0123 level:warning",
        "warnings of all": "level:warning",
        "a reason of an outlet that has none": "outlet:outlet0001 reason:timeout",
        "an outlet that is not there": "outlet:nowhere",
        "an hour of last night": "until:10h since:11h outlet:outlet0500",
        "a word that is there": "outlet0777.test",
        "words that are nowhere": '"no such words" nowhere',
        "failed, of all outlets but one": "outcome:failed -outlet:outlet0003",
    }


def measure(sources: int, polls: int, place: Path) -> dict[str, Any]:
    now, path = datetime.now(UTC), place / "logs" / "warta.jsonl"
    path.parent.mkdir()
    spent = write(path, sources, polls, now)
    began = time.perf_counter()
    tend(path, Keep())
    left = time.perf_counter() - began
    size = sum(piece.stat().st_size for piece in files(path))
    indexes = sum(index.stat().st_size for index in path.parent.glob("*.idx"))
    report: dict[str, dict[str, Any]] = {}
    for name, words in searches(sources, polls, now).items():
        wanted, times, found = parse(words, names=FIELDS, now=now), [], 0
        for _ in range(ROUNDS):
            began = time.perf_counter()
            found = len(search(path, wanted, limit=200).records)
            times.append((time.perf_counter() - began) * 1000)
        report[name] = {"words": words, "found": found, "worst_ms": round(max(times), 1)}
    return {
        "lines": sources * polls,
        "log_mib": round(size / 2**20),
        "index_mib": round(indexes / 2**20),
        "pieces": len(files(path)),
        "write_us_a_line": round(spent / (sources * polls) * 1e6, 1),
        "index_seconds_left_over": round(left, 1),
        "searches": report,
        "slowest_ms": max(row["worst_ms"] for row in report.values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--polls", type=int, default=144, help="of each source in the day")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="warta-bench-logs-") as directory:
        report = measure(arguments.sources, arguments.polls, Path(directory))
    if arguments.json:
        print(json.dumps(report))
        return
    print(
        f"{report['lines']:,} lines, {report['log_mib']} MiB in {report['pieces']} pieces, "
        f"indexes {report['index_mib']} MiB; a line costs its writer {report['write_us_a_line']} us"
    )
    for name, row in report["searches"].items():
        print(f"{name:40} {row['found']:4} lines {row['worst_ms']:8.1f} ms   {row['words']}")


if __name__ == "__main__":
    main()
