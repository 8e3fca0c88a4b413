"""The shipped outlets against fictional pages in the shape of their real ones, field by field."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from config.model import Outlet
from crawlers.identity import url_key
from crawlers.page import read_pages
from crawlers.trial import FIELDS
from scheduler.cli.fixture import Case, expected_of, read_case

HERE = Path(__file__).parent
CONFIG = HERE.parents[1] / "config"
FOLDERS = {f"{path.parent.name}/{path.name}": path for path in sorted(HERE.glob("*/*")) if path.is_dir()}
CASES = [name for name in FOLDERS if "__pycache__" not in name]


@lru_cache(maxsize=1)
def pack() -> dict[str, Outlet]:
    return {outlet.id: outlet for outlet in load(CONFIG / "warta.yaml", {}).outlets}


@lru_cache(maxsize=256)
def case(name: str) -> Case:
    return read_case(FOLDERS[name])


@lru_cache(maxsize=256)
def found(name: str) -> dict[str, Any]:
    """What the road of the daemon makes of the page, by the outlet as it ships."""
    outlet = pack()[name.partition("/")[0]]
    one = case(name)
    return expected_of(read_pages(one.pages, outlet, one.entry, one.fetched_at).read)


def test_every_shipped_outlet_has_a_page_to_prove_its_rules():
    proven = {name.partition("/")[0] for name in CASES}
    assert set(pack()) - proven == set(), "outlets without a page in tests/outlets/"
    assert proven - set(pack()) == set(), "pages of outlets that are not shipped"


@pytest.mark.parametrize("name", CASES)
def test_a_case_says_every_field_and_nothing_else(name):
    expected = case(name).expected
    assert set(expected) == set(FIELDS) or set(expected) == {"rejected"}
    assert {path.name for path in FOLDERS[name].iterdir()} - {f"page{n}.html" for n in range(2, 6)} == {
        "page.html", "meta.json", "expected.json",
    }  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("field", FIELDS)
def test_a_field_is_read_as_a_person_reads_it(name, field):
    expected = case(name).expected
    if "rejected" in expected:
        assert found(name) == expected
    else:
        assert found(name).get(field) == expected[field]


@pytest.mark.parametrize("name", CASES)
def test_no_string_of_the_outlet_s_boilerplate_is_left(name):
    rules = pack()[name.partition("/")[0]].boilerplate
    for block in found(name).get("body", ()):
        text = block if isinstance(block, str) else "\n".join(block.values())
        assert not [phrase for phrase in (*rules.contains, *rules.cut_after) if phrase in text], text
        assert not [phrase for phrase in rules.line_start if text.startswith(phrase)], text


@pytest.mark.parametrize("name", [name for name in CASES if "rejected" not in case(name).expected])
def test_the_key_is_no_year_and_no_section(name):
    """With such a key every later article of the outlet would count as a copy of the first."""
    assert not re.fullmatch(r"\d{1,4}|[a-z]+", case(name).expected["url_key"])


@pytest.mark.parametrize("outlet", sorted({name.partition("/")[0] for name in CASES}))
def test_the_cases_of_an_outlet_are_different_articles(outlet):
    mine = [name for name in CASES if name.startswith(f"{outlet}/")]
    urls = {case(name).pages[0].url for name in mine}
    assert len({url_key(url, pack()[outlet]) for url in urls}) == len(urls)


@pytest.mark.parametrize("name", CASES)
def test_the_page_names_no_key_twice(name):
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"{name}: {keys}"
        return dict(pairs)

    for file in ("meta.json", "expected.json"):
        json.loads((FOLDERS[name] / file).read_text(), object_pairs_hook=once)
