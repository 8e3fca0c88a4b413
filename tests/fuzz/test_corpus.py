"""Documents that once failed, or are of the kind that does, against everything that reads foreign bytes."""

from __future__ import annotations

import logging
import random
import time
from pathlib import Path

import pytest

from bench import fuzzed
from bench.fuzz import MAX_SECONDS, fuzz
from bench.fuzzed import TARGETS, Target
from bench.mutation import MAX_BYTES, Mutator

CORPUS = Path(__file__).parents[1] / "corpus"
DOCUMENTS = sorted(f"{path.parent.name}/{path.name}" for path in CORPUS.glob("*/*"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_read_without_an_error_in_bounded_time(name, caplog):
    target = TARGETS[name.partition("/")[0]]
    target.read(b"")
    started = time.process_time()
    target.read((CORPUS / name).read_bytes())
    assert time.process_time() - started < MAX_SECONDS
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []


def test_every_target_has_documents_and_every_document_a_target():
    assert {name.partition("/")[0] for name in DOCUMENTS} == set(TARGETS)
    assert all(any(True for _ in target.seeds(Path("nowhere"))) for target in TARGETS.values())


def test_the_same_seed_gives_the_same_mutants_of_bounded_size():
    def mutants() -> list[bytes]:
        mutator = Mutator([b"<p>Sidang molor.</p>" * 50, b"<b>"], [b"<div>"], random.Random(7))
        return [mutator.next() for _ in range(200)]

    first = mutants()
    assert first == mutants()
    assert len(set(first)) > 150
    assert max(map(len, first)) <= MAX_BYTES


def test_what_raises_or_logs_an_error_is_reported_and_kept(tmp_path, monkeypatch):
    def faulty(body: bytes) -> None:
        if len(body) % 2:
            raise ValueError("odd")
        if body:
            logging.getLogger("crawlers").error("even")

    monkeypatch.setitem(fuzzed.TARGETS, "date", Target(faulty, (), written=(b"a", b"bc")))
    report = fuzz("date", 0.05, 1, tmp_path, Path("nowhere"))
    assert report.documents >= 2
    assert any("odd" in failure for failure in report.failures)
    assert any("even" in failure for failure in report.failures)
    kept = [path for path in tmp_path.iterdir() if path.name.startswith("date-")]
    assert kept
    assert all(path.read_bytes() for path in kept)
