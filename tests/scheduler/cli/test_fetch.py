"""`warta fetch`, as a person and a script call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from config.load import load
from newsroom.ledger import records
from newsroom.outlets import write_config
from newsroom.press import Newsroom
from newsroom.serve import Running, running
from scheduler.cli.main import build

ROOT = Path(__file__).parents[3]
CLI = build(["fetch", "articles", "upkeep"])


@pytest.fixture(scope="module")
def press():
    with running(Newsroom(seed=3)) as served:
        yield served


@pytest.fixture
def warta(press: Running, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    write_config(tmp_path, press.port)

    def run(*words: str, code: int = 0) -> list[dict[str, Any]]:
        result = CliRunner().invoke(CLI, [*words, "--json", "--config", str(tmp_path)])
        assert result.exit_code == code, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    run.directory = tmp_path  # type: ignore[attr-defined]
    return run


def test_a_configured_feed_and_a_page_are_read_and_nothing_is_stored(warta, press) -> None:
    record = records(press.newsroom, "gemanusa")[-1]
    settings = load(warta.directory / "warta.yaml", {})
    feed = settings.source("gemanusa/rdf").url

    announced, page = warta("fetch", feed, record.url)

    assert (announced["as"], announced["outlet"], announced["source"]) == ("feed", "gemanusa", "gemanusa/rdf")
    assert (announced["format"], announced["robots"], announced["status"]) == ("rdf", "obey", 200)
    assert record.url in {entry["url"] for entry in announced["entries"]}
    assert (page["as"], page["source"], page["article"]["title"]) == ("article", None, record.title)
    assert not (warta.directory / "data").exists()


def test_what_gives_nothing_says_why_and_ends_with_one(warta, press) -> None:
    here = f"http://127.0.0.1:{press.port}"

    nowhere, inside, odd = warta(
        "fetch", f"{here}/nowhere", "http://10.0.0.1:6379/", "file:///etc/passwd", "--as", "feed", code=1
    )

    assert (nowhere["outlet"], nowhere["failure"], nowhere["status"]) == (None, "not_found", 404)
    assert inside["failure"] == "forbidden_address"
    assert odd["failure"] == "protocol"


def test_a_stored_page_is_an_article_and_stored_again_it_is_unchanged(warta, press) -> None:
    record = records(press.newsroom, "gemanusa")[-1]

    first, again = warta("fetch", record.url, record.url, "--as", "article", "--store")

    assert [fate["kind"] for fate in first["fates"] + again["fates"]] == ["stored", "unchanged"]
    assert [a["title"] for a in warta("articles")] == [record.title]
    assert warta("audit")
    assert len(warta("fetch", record.url, "--store", code=2)) == 0


def test_an_address_of_nobody_is_read_and_stored_under_the_shipped_configuration(press, tmp_path) -> None:
    record = records(press.newsroom, "gemanusa")[-1]
    path = urlsplit(record.url).path

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(CLI, [*words, "--config", str(ROOT / "config"), "--data", str(tmp_path / "data")])
        return done.exit_code, done.output

    url = f"http://127.0.0.1:{press.port}{path}"
    refused = run("fetch", url)
    looked = run("fetch", url, "--allow-network", "127.0.0.0/8", "--as", "article", "--json", "--ignore-robots")
    stored = run("fetch", url + "-x", "--allow-network", "127.0.0.0/8", "--as", "article", "--store")

    assert refused[0] == 1
    assert "--allow-network" in refused[1]
    assert json.loads(looked[1])["outlet"] is None
    assert json.loads(looked[1])["robots"] == "ignore"
    assert stored[0] == 1  # there is nothing, and nobody comes back to look
    assert run("audit")[0] == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--outlet", "nobody"], 5), (["--allow-network", "127.0.0.1/8"], 2), (["--as", "podcast"], 2)],
)
def test_wrong_words_are_refused(warta, words: list[str], code: int) -> None:
    assert warta("fetch", "http://127.0.0.1/", *words, code=code) == []
