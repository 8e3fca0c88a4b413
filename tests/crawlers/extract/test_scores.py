from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
#: Slightly below what was reached, so that a fall is seen and noise is not.
FLOORS = {
    "news-worldwide": {"f1": 0.972, "title_exact": 0.92, "auth_exact": 0.86, "date_day": 0.98, "date_instant": 0.96},
    "news-english": {"f1": 0.945, "title_exact": 0.92, "auth_exact": 0.86, "date_day": 0.85},
    "articles-web": {"f1": 0.937, "title_exact": 0.88, "auth_exact": 0.78, "date_day": 0.85},
}


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The bench, which is no installed package."""
    spec = importlib.util.spec_from_file_location("bench_extraction", ROOT / "bench" / "extraction.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.shared
@pytest.mark.parametrize("name", FLOORS)
def test_the_scores_on_labelled_pages_do_not_fall(shared: Path, tmp_path: Path, name: str):
    if not (shared / "extraction-eval" / "score.py").exists():
        pytest.skip("no labelled pages here")
    floors = [f"--fail-under={name}.{field}={value}" for field, value in FLOORS[name].items()]
    command = [sys.executable, "-m", "bench.extraction", "--sets", name, "--json", str(tmp_path / "s.json"), *floors]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "s.json").read_text())[name]["warta"]["errors"] == 0


def test_without_labelled_pages_the_bench_says_where_it_looked(bench: ModuleType, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("WARTA_SHARED", str(tmp_path))
    assert bench.main([]) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_both_functions_give_what_the_score_script_reads(bench: ModuleType):
    text = "The council agreed on new ferries after a long night of talks, said its speaker. " * 3
    head = "<title>Ferries</title><meta property='article:published_time' content='2026-03-07T23:30:00-05:00'>"
    page = f"{head}<h1>Ferries</h1><p>{text}</p>"
    for function in (bench.extract, bench.normalized):
        found = function("https://x.example/a", page)
        assert found["title"] == "Ferries"
        assert found["text"] == text.strip()
        assert found["date"] == "2026-03-07T23:30:00-05:00"
