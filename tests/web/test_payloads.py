"""What outlets wrote, in every place that shows it: a sample of `bench.xss`, and proof that it would notice."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from markupsafe import Markup

from bench import xss
from bench.payloads import payloads
from bench.shape import against, shape, unsafe
from monitor.web.face import _ENVIRONMENT

#: The shapes are listed one kind after the other, so that every so many is a bit of each.
EACH = 191
PAGE = "<!doctype html><meta charset=utf-8><title>t</title><main><p class=lead>{}</p></main>"


def _run(chosen: list[str], place: Path) -> xss.Findings:
    with ThreadPoolExecutor(1) as apart:  # Playwright may keep a loop running in this thread
        return apart.submit(lambda: asyncio.run(xss.run(chosen, place))).result(120)


def test_no_place_that_shows_what_outlets_wrote_gives_it_an_element_an_attribute_or_an_address(tmp_path: Path) -> None:
    chosen = payloads()[::EACH]

    found = _run(chosen, tmp_path / "own")

    assert len(chosen) > 45
    assert found.pages > 25
    assert found.wrong == {}


def test_a_template_that_forgot_to_escape_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_ENVIRONMENT.filters, "plain", lambda text: Markup(str(text)))

    found = _run(["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>'], tmp_path / "own")

    assert any("onerror" in problem for problem in found.wrong.get("article, direct", []))


@pytest.mark.parametrize(
    "markup",
    [
        "<script>1</script>", "<img src=x>", "<p onclick=1>", "<a href=' javascript:1'>", "<a href=//evil.test>",
        "<p style=x>", "<svg onload=1>", "<meta http-equiv=refresh>", "<base href=/>",
    ],
)  # fmt: skip
def test_what_is_more_than_harmless_words_give_is_told(markup: str) -> None:
    harmless = shape(PAGE.format("<a href='/x'>kata</a>"))

    assert against(shape(PAGE.format(f"<a href='/x'>kata</a>{markup}")), harmless) != []
    assert against(shape(PAGE.format("<a href='https://kabar.test/'>kata</a>")), harmless) == []


@pytest.mark.parametrize("markup", ["<img src=x>", "<p onclick=1>", "<a href=javascript:1>", "<p style=x>", "<iframe>"])
def test_what_a_kept_original_may_not_show_is_told(markup: str) -> None:
    assert unsafe(shape(f"<!doctype html><p>kata{markup}")) != []


@pytest.mark.shared
def test_other_peoples_payloads_get_nowhere_either(tmp_path: Path, shared: Path) -> None:
    lists = sorted((shared / "suites").glob("xss*/*.txt"))
    if not lists:
        pytest.skip("no list of payloads among the shared suites")
    chosen = [line for path in lists for line in path.read_text("utf-8", "replace").split("\n") if line]

    assert _run(chosen[:: max(1, len(chosen) // 400)], tmp_path / "own").wrong == {}
