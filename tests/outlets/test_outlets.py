"""The shipped outlets against fictional pages in the shape of their real ones, field by field."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from config.model import Outlet
from crawlers.identity import url_key
from crawlers.page import read_pages
from crawlers.trial import FIELDS, fields_of
from scheduler.cli.fixture import Case, expected_of, page_from, read_case

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


#: Saved pages of the outlets: folder or file under samples/, outlet, address, title's beginning, day of publication.
SAVED = [
    ("html/detik/health.detik.com-Stroke.html", "detik", "https://health.detik.com/true-story/d-7016153/curhat", "2023-11-02T13:59:53Z"),  # noqa: E501
    ("html/kompas/money.kompas.com-Menhub.html", "kompas", "https://money.kompas.com/read/2023/11/02/213419026/menhub", "2023-11-02T14:34:19Z"),  # noqa: E501
    ("html/kompas/kompas-singlepage.html", "kompas", "http://regional.kompas.com/read/2015/11/04/21040031/Polres", "2015-11-04T14:04:00Z"),  # noqa: E501
    ("html/mediaindonesia/MediaIndonesia_2026_01_20.html", "mediaindonesia", "https://mediaindonesia.com/ekonomi/851796/dari", "2026-01-20T11:33:13Z"),  # noqa: E501
    ("html/okezone/okezone-singlepage.html", "okezone", "http://lifestyle.okezone.com/read/2015/11/05/481/1244264/sering", "2015-11-05T08:56:00Z"),  # noqa: E501
    ("html/republika/republika-singlepage.html", "republika", "http://nasional.republika.co.id/berita/nasional/daerah/16/02/15/o2l07x284-marcella", "2016-02-15T09:15:00Z"),  # noqa: E501
    ("html/antara/antara-singlepage.html", "antara", "http://www.antaranews.com/berita/527800/29-penerbangan", "2015-11-05T07:56:43Z"),  # noqa: E501
    ("html/detik/detik-singlepage.html", "detik", "http://inet.detik.com/read/2015/11/05/100026/3062623/323/google", "2015-11-05T03:08:00Z"),  # noqa: E501
    ("html/theguardian/TheGuardian_2024_02_24.html", "theguardian", "https://www.theguardian.com/world/2024/feb/24/death-toll", "2024-02-24T11:42:23Z"),  # noqa: E501
    ("html_shape_2026/cnn_indonesia/sample-article.html", "cnnindonesia", "https://www.cnnindonesia.com/ekonomi/20260724100745-78-1234567/contoh", "2026-07-24T03:47:05Z"),  # noqa: E501
    ("html_shape_2026/detik/sample-article.html", "detik", "https://www.detik.com/berita/d-1234567/contoh", "2026-07-23T07:35:00Z"),  # noqa: E501
    ("html_shape_2026/liputan6/sample-article.html", "liputan6", "https://www.liputan6.com/news/read/9000001/contoh", "2026-07-24T03:26:00Z"),  # noqa: E501
    ("html_shape_2026/merdeka/sample-article.html", "merdeka", "https://www.merdeka.com/peristiwa/read/8253998/contoh", "2026-07-24T09:58:38Z"),  # noqa: E501
    ("html_shape_2026/okezone/sample-article.html", "okezone", "https://news.okezone.com/read/2026/07/24/337/9100001/contoh", "2026-07-24T08:18:24Z"),  # noqa: E501
    ("html_shape_2026/republika/sample-article.html", "republika", "https://ekonomi.republika.co.id/berita/fixtur001/contoh", "2026-07-24T09:32:58Z"),  # noqa: E501
    ("html_shape_2026/sindonews/sample-article.html", "sindonews", "https://ekbis.sindonews.com/read/1900005/178/contoh-1900000005", "2026-07-24T07:00:00Z"),  # noqa: E501
    ("html_shape_2026/suara/sample-article.html", "suara", "https://www.suara.com/news/2026/07/24/070859/contoh", "2026-07-24T00:08:59Z"),  # noqa: E501
]  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize(("file", "name", "url", "published"), SAVED, ids=[row[0] for row in SAVED])
def test_the_rules_read_saved_pages(shared, file, name, url, published):
    at = datetime(2026, 11, 1, tzinfo=UTC)
    page = page_from((shared / "samples" / file).read_bytes(), url, at)
    outlet = pack()[name]
    article = fields_of(read_pages((page,), outlet, None, at).read.article)
    assert article["published"] == published
    assert len(article["title"]) > 20
    assert article["body"]
    text = "\n".join(block if isinstance(block, str) else "\n".join(block.values()) for block in article["body"])
    assert len(text) > 300
    rules = outlet.boilerplate
    assert not [phrase for phrase in (*rules.contains, *rules.cut_after) if phrase in text]
    assert not [line for line in text.splitlines() if line.startswith(rules.line_start)]
