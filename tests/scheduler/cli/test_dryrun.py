"""`warta crawl --dry-run` and `warta outlets`, as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from newsroom.ledger import records
from newsroom.outlets import write_config
from newsroom.press import Newsroom
from newsroom.serve import running
from scheduler.cli import crawl, outlets
from scheduler.cli.fixture import read_case

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "tests" / "outlets" / "kompas" / "article"
URL = json.loads((PAGE / "meta.json").read_text())["url"]


def call(command, *words):
    app = typer.Typer()
    command.add_to(app)
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def shipped():
    return ("--config", ROOT / "config")


def test_a_saved_page_is_shown_with_origins_beside_the_reading_without_rules(shipped):
    shown = call(crawl, "kompas", "--dry-run", URL, "--file", PAGE / "page.html", *shipped)
    assert shown.exit_code == 0, shown.output
    assert "Ajeng Saraswati" in shown.output
    assert "without rules  Bagas Wicaksana" in shown.output


def test_the_same_as_json_names_only_what_differs(shipped):
    said = json.loads(call(crawl, "kompas", "--dry-run", URL, "--file", PAGE / "page.html", "--json", *shipped).output)
    assert said["address"] == {"accepted": True, "rule": "article"}
    assert said["fields"]["editor"] == {"value": "Bagas Wicaksana", "origin": "rules", "generic": None}
    assert "generic" not in said["fields"]["title"]


def test_a_page_that_is_no_article_says_why_and_ends_with_one(shipped, tmp_path):
    (tmp_path / "x.html").write_text("<html><body><h1>Judul yang cukup panjang</h1><p>Pendek.</p></body></html>")
    shown = call(crawl, "kompas", "--dry-run", URL, "--file", tmp_path / "x.html", *shipped)
    assert shown.exit_code == 1
    assert "rejected: empty" in shown.output


def test_a_saved_case_reads_back_and_is_never_overwritten(shipped, tmp_path):
    words = ("kompas", "--dry-run", URL, "--file", PAGE / "page.html", "--save-fixture", tmp_path / "case", *shipped)
    assert call(crawl, *words).exit_code == 0
    case = read_case(tmp_path / "case")
    assert case.pages[0].body == (PAGE / "page.html").read_bytes()
    assert case.expected["authors"] == ["Ajeng Saraswati"]
    again = call(crawl, *words)
    assert again.exit_code == 2


def test_a_page_of_a_press_is_fetched_and_read(tmp_path):
    with running(Newsroom(seed=3)) as press:
        write_config(tmp_path, press.port)
        record = records(press.newsroom, "kabarniaga")[-1]
        said = call(crawl, "kabarniaga", "--dry-run", record.url, "--json", "--config", tmp_path)
        assert said.exit_code == 0, said.output
        found = json.loads(said.output)
        assert found["fields"]["title"]["value"] == record.title
        assert found["pages"] == [f"{record.url}?page=all"]
        gone = call(crawl, "kabarniaga", "--dry-run", record.url + "-nowhere", "--json", "--config", tmp_path)
        assert json.loads(gone.output)["failure"] == "not_found"
        assert gone.exit_code == 1


def test_outlets_say_why_they_are_off(shipped, tmp_path):
    lines = call(outlets, "--json", "--data", tmp_path, *shipped).output.splitlines()
    known = {one["id"]: one for one in map(json.loads, lines)}
    assert known["reuters"]["off_because"] == "scripts get 401"
    assert known["kontan"]["rules_until"] == ["2020-12-31"]
    off = [s for s in known["kontan"]["sources"] if not s["enabled"]]
    assert off
    assert all(s["off_because"] for s in off)


def test_one_outlet_is_shown_in_detail(shipped, tmp_path):
    shown = call(outlets, "kontan", "--data", tmp_path, *shipped)
    assert "KONTAN.CO.ID" in shown.output
    assert call(outlets, "kontann", "--data", tmp_path, *shipped).exit_code == 5
