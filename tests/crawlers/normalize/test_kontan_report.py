"""The report on real texts, where they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def report(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench.kontan", str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.shared
def test_real_kontan_texts_come_out_clean(shared: Path) -> None:
    done = report(shared / "samples" / "text" / "kontan")

    assert "boilerplate strings left        0\n" in done.stdout, done.stdout + done.stderr
    assert "(100.0 %)" in done.stdout
    assert "first sentence lost             0\n" in done.stdout
    assert done.returncode == 0


def test_the_report_finds_what_is_wrong(tmp_path: Path) -> None:
    text = "KONTAN.CO.ID - JAKARTA. Petani garam menjual hasil panen kepada koperasi desa. {0}\nEditor: Citra Dewi"
    (tmp_path / "a.txt").write_text("Judul\n" + text.format("Harga naik."), "utf-8")
    (tmp_path / "b.txt").write_text("Judul\n" + text.format("Lihat Penulis: di halaman lain."), "utf-8")

    done = report(tmp_path)

    assert "2 texts, 0 rejected" in done.stdout
    assert "boilerplate strings left        1\n" in done.stdout
    assert "editors caught                  2 of 2 (100.0 %)" in done.stdout
    assert done.returncode == 1


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = report(tmp_path / "tidak-ada")

    assert done.returncode == 2
    assert "no such folder" in done.stderr
