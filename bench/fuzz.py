"""Mutated documents against everything that reads foreign bytes, until the time is up.

``python -m bench.fuzz --target page --minutes 30``; without ``--target``, each target for ``--minutes``. A document
fails when reading it raises or logs an error, takes more than two seconds of CPU, or when memory keeps growing.
Failures are kept as files, to be mended and then committed to ``tests/corpus/TARGET/``, which a test reads.
The last line of each target is JSON.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import gc
import hashlib
import json
import logging
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from bench.fuzzed import ROOT, TARGETS
from bench.mutation import Mutator

#: CPU seconds one document may take.
MAX_SECONDS: Final = 2.0
#: MiB that the process may hold more at the end than after its first documents, which fill the caches.
MAX_GROWTH: Final = 200.0
_WARM: Final = 0.2
#: Seconds of waiting after which a hang is a hang, however busy the machine.
_HANG: Final = 180


@dataclass(slots=True)
class Report:
    """Figures of one target."""

    target: str
    seed: int
    documents: int = 0
    mebibytes: float = 0.0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    #: CPU milliseconds of a document: the median, 99 of 100, and the slowest.
    median_ms: float = 0.0
    p99_ms: float = 0.0
    slowest_ms: float = 0.0
    #: Resident MiB after the first fifth of the time and at the end, and the most there ever was.
    settled_mib: float = 0.0
    end_mib: float = 0.0
    peak_mib: float = 0.0
    failures: list[str] = field(default_factory=list)


class _Errors(logging.Handler):
    """What was caught and logged: an answer is always given, but none should be an excuse."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.seen.append(f"{record.getMessage()}: {error!r}"[:300])


def fuzz(target: str, minutes: float, seed: int, keep: Path, shared: Path) -> Report:
    """Read mutants for so long; failures are kept in `keep`."""
    chosen = TARGETS[target]
    mutants = Mutator(tuple(chosen.seeds(shared)), chosen.words, random.Random(seed))
    report, took, errors = Report(target, seed), [], _Errors()
    logging.getLogger().addHandler(errors)
    keep.mkdir(parents=True, exist_ok=True)
    now = keep / f"{target}-{seed}-running"
    started = time.monotonic()
    while (passed := time.monotonic() - started) < minutes * 60:
        if not report.settled_mib and passed > _WARM * minutes * 60:
            report.settled_mib = _resident()
        body = mutants.next()
        now.write_bytes(body)
        faulthandler.dump_traceback_later(_HANG, exit=True)
        seconds, problem = _judge(target, body, errors)
        faulthandler.cancel_dump_traceback_later()
        took.append(seconds)
        report.mebibytes += len(body) / 2**20
        if problem:
            name = f"{target}-{hashlib.sha256(body).hexdigest()[:12]}"
            (keep / name).write_bytes(body)
            report.failures.append(f"{name}: {problem}")
            print(report.failures[-1], flush=True)
    now.unlink(missing_ok=True)
    logging.getLogger().removeHandler(errors)
    return _sum(report, took, time.monotonic() - started)


def _judge(target: str, body: bytes, errors: _Errors) -> tuple[float, str]:
    """CPU seconds of one document, and what is wrong with them or with its reading."""
    errors.seen.clear()
    problem = ""
    start = time.process_time()
    try:
        TARGETS[target].read(body)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        problem = f"{error!r} at {Path(where.filename).name}:{where.lineno}"[:300]
    seconds = time.process_time() - start
    if errors.seen:
        problem = problem or errors.seen[0]
    elif seconds > MAX_SECONDS:
        problem = f"took {seconds:.1f} s of CPU"
    return seconds, problem


def _resident() -> float:
    """MiB in use now, after what can be given back was."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return _peak()
    ctypes.CDLL(None).malloc_trim(0)
    return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _sum(report: Report, took: list[float], wall: float) -> Report:
    took.sort()
    report.documents = len(took)
    report.wall_seconds, report.cpu_seconds = round(wall, 1), round(sum(took), 1)
    report.mebibytes = round(report.mebibytes, 1)
    report.median_ms, report.p99_ms, report.slowest_ms = (
        round(took[int(share * (len(took) - 1))] * 1e3, 2) for share in (0.5, 0.99, 1)
    )
    report.end_mib, report.peak_mib = round(_resident(), 1), round(_peak(), 1)
    report.settled_mib = round(report.settled_mib, 1)
    if report.settled_mib and report.end_mib - report.settled_mib > MAX_GROWTH:
        report.failures.append(f"memory grew from {report.settled_mib} to {report.end_mib} MiB")
    return report


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("--target", action="append", choices=tuple(TARGETS), help="may be repeated; default: all")
    parser.add_argument("--minutes", type=float, default=1.0, help="for each target")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "warta-fuzz", help="for failures")
    chosen = parser.parse_args(arguments)
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(2**32)
    shared = Path(os.environ.get("WARTA_SHARED", ROOT.parent / "shared"))
    logging.getLogger().addHandler(logging.NullHandler())
    failed = False
    for target in chosen.target or TARGETS:
        report = fuzz(target, chosen.minutes, seed, chosen.keep, shared)
        print(json.dumps(asdict(report)), flush=True)
        failed = failed or bool(report.failures)
    if failed:
        print(f"documents that failed are in {chosen.keep}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
