"""Memory of the daemon over many article pages: ``python -m bench.memory --pages 20000``.

A real daemon process reads generated outlets of the newsroom; its resident memory is sampled while articles come
in. Flat means: from a quarter of the way on, never more than a tenth above or below the mean.
"""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from statistics import mean

import yaml

from newsroom import outlets
from newsroom.clock import Clock, wall
from newsroom.press import Newsroom
from newsroom.serve import running

#: Stories that one generated feed lists at the least, at any hour of its day.
PER_FEED = 8
TOLERANCE = 0.1


def measure(pages: int, directory: Path, *, seconds: float, say: bool) -> list[tuple[int, float]]:
    """(articles stored, MiB resident) over time, until `pages` are stored or the time is up."""
    newsroom = Newsroom(clock=Clock(wall() - timedelta(hours=1), speed=0), backlog_days=0)
    samples: list[tuple[int, float]] = []
    with running(newsroom) as press:
        outlets.write_config(directory, press.port, feeds=pages // PER_FEED + 50, every="1h")
        _in_a_hurry(directory)
        command = [sys.executable, "-m", "scheduler", "run", "--config", str(directory)]
        with (directory / "daemon.out").open("wb") as out:
            daemon = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            end = time.monotonic() + seconds
            while time.monotonic() < end and daemon.poll() is None:
                time.sleep(2)
                samples.append((_articles(directory), _resident(daemon.pid)))
                if say:
                    print(f"\r{samples[-1][0]:>7} articles  {samples[-1][1]:6.1f} MiB", end="", file=sys.stderr)
                if samples[-1][0] >= pages:
                    break
            if daemon.poll() is not None:
                raise RuntimeError(f"the daemon ended with {daemon.returncode}:\n{_last_words(directory)}")
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(60)
    return samples


def _last_words(directory: Path) -> str:
    return "\n".join((directory / "daemon.out").read_text(encoding="utf-8", errors="replace").splitlines()[-20:])


def _in_a_hurry(directory: Path) -> None:
    """Only the generated outlets, and no manners: the host is our own."""
    for path in (directory / "outlets").glob("*.yaml"):
        if "feed-" not in path.stem:
            path.unlink()
    path = directory / "warta.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["defaults"]["politeness"] = {"delay": "0s", "concurrency": 4}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def _articles(directory: Path) -> int:
    path = directory / "data" / "warta.db"
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
            return int(connection.execute("select count(*) from articles").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _resident(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return 0.0
    # A process that has ended and was not waited for has no memory left to tell of.
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; exit code 1 when memory was not flat."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=1500)
    parser.add_argument("--json", action="store_true", help="one closing JSON line")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="warta-memory-", ignore_cleanup_errors=True) as directory:
        samples = measure(options.pages, Path(directory), seconds=options.seconds, say=sys.stderr.isatty())
    reached = samples[-1][0] if samples else 0
    late = [mib for articles, mib in samples if articles >= reached / 4 and mib > 0]
    middle = mean(late) if late else 0.0
    flat = bool(late) and max(late) <= middle * (1 + TOLERANCE) and min(late) >= middle * (1 - TOLERANCE)
    line = {
        "articles": reached, "mib_mean": round(middle, 1), "mib_least": round(min(late, default=0), 1),
        "mib_most": round(max(late, default=0), 1), "flat": flat,
    }  # fmt: skip
    if options.json:
        print(json.dumps(line))
    else:
        step = max(1, len(samples) // 12)
        for articles, mib in samples[::step]:
            print(f"{articles:>8,} articles  {mib:7.1f} MiB")
        print(line)
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
