"""What a user can meet is documented, and what is documented exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from crawlers.model import FAILURE_WEIGHT, FailureKind
from scheduler.cli.context import Exit
from scheduler.cli.main import MODULES, build
from storage.model import FateKind, RunStatus

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(MODULES))
def test_every_command_is_documented(command: str) -> None:
    assert f"| `warta {command}" in page("cli.md")


def test_every_command_is_registered_under_its_own_module() -> None:
    whole = typer.main.get_command(build(dict.fromkeys(MODULES.values())))

    assert set(whole.commands) == set(MODULES)  # type: ignore[attr-defined]


def test_every_exit_code_is_documented() -> None:
    table = page("cli.md").split("## Exit codes")[1]

    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == {int(code) for code in Exit}


@pytest.mark.parametrize("word", [*RunStatus, *FailureKind, *FateKind])
def test_every_status_reason_and_fate_is_explained_to_operators(word: str) -> None:
    assert re.search(rf"^\| `{word}` \|", page("operations.md"), re.MULTILINE)


def test_the_weights_of_failures_are_those_of_the_code() -> None:
    weights = {"0": 0.0, "¼": 0.25, "½": 0.5, "1": 1.0}
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([0¼½1]) \|$", page("operations.md"), re.MULTILINE)

    assert {FailureKind(name): weights[text] for name, text in rows} == FAILURE_WEIGHT


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|mailto:|#)([^)#]+)", path.read_text(encoding="utf-8"))

    assert [t for t in targets if not (path.parent / t).exists()] == []


def test_every_page_is_reached_from_the_readme_or_a_page_that_is() -> None:
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        here = todo.pop()
        if here in seen or not here.exists():
            continue
        seen.add(here)
        links = re.findall(r"\]\((?!https?://)([^)#]+\.md)", here.read_text(encoding="utf-8"))
        todo += [(here.parent / link).resolve() for link in links]

    assert set(PAGES) <= seen


def test_crash_points_that_exist_are_documented_and_the_other_way_round() -> None:
    called = set()
    for package in ("crawlers", "scheduler", "storage"):
        for path in (ROOT / package).rglob("*.py"):
            called |= set(re.findall(r"\bpoint\(\"([a-z_.]+)\"\)", path.read_text(encoding="utf-8")))

    assert called
    assert {name for name in called if f"`{name}`" not in page("operations.md")} == set()
