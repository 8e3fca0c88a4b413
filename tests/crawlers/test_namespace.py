"""Where connections arrive, in a network namespace in which every address is ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_nothing_connects_to_a_special_address_and_every_public_one_is_reached() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.ssrf", "--json", "--quick"],
        cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    last = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    if "skipped" in last:
        pytest.skip(last["skipped"])

    assert done.returncode == 0, done.stdout + done.stderr
    assert last["attempts"] > 500
    assert (last["connected"], last["unreached"]) == (0, 0)
    assert last["controls"] >= 100
