"""What the pages on security and reliability promise is held by tests and commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("security.md", "reliability.md")


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def _defined() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for text in texts for name in re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE)}


@pytest.mark.parametrize("name", PAGES)
def test_every_test_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", _page(name)))

    assert len(named) > 15
    assert named - _defined() == set()


@pytest.mark.parametrize("name", PAGES)
def test_every_command_that_is_named_exists(name: str) -> None:
    modules = set(re.findall(r"python -m (bench\.\w+)", _page(name)))
    targets = set(re.findall(r"`make (\w+)", _page(name)))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert [m for m in modules if not (ROOT / f"{m.replace('.', '/')}.py").exists()] == []
    assert [t for t in targets if f"\n{t}:" not in makefile] == []


def test_every_threat_has_a_defence_and_a_test() -> None:
    rows = re.findall(r"^\| (T\d+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", _page("security.md"), re.MULTILINE)

    assert [number for number, *_ in rows] == [f"T{n}" for n in range(1, 23)]
    assert [number for number, defence, proof in rows if len(defence) < 20 or "`test_" not in proof] == []
