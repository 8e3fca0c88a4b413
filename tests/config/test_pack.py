"""The shipped set-up: it loads, says why what is off is off, and agrees with what is known of outlets."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml
from lxml import etree, html
from protego import Protego

from config.load import load
from config.model import Every, SourceKind
from config.selectors import xpath_of
from config.yaml_reader import read

CONFIG = Path(__file__).parents[2] / "config"
OUTLETS = sorted((CONFIG / "outlets").glob("*.yaml"))
RENAMED = {"TheGuardian": "theguardian", "cnn_indonesia": "cnnindonesia"}


@pytest.fixture(scope="module")
def pack():
    return load(CONFIG / "warta.yaml", {})


def test_kontan_and_a_score_more_are_polled(pack):
    on = {outlet.id for outlet in pack.outlets if outlet.enabled}
    assert "kontan" in on
    assert len(on) >= 10
    assert all(any(source.enabled for source in pack.outlet(name).sources) for name in on)


def test_every_enabled_outlet_has_a_feed_that_is_polled(pack):
    for outlet in pack.outlets:
        if outlet.enabled:
            assert any(s.enabled and s.kind is SourceKind.FEED for s in outlet.sources), outlet.id


def test_manners_are_kept_everywhere(pack):
    for outlet in pack.outlets:
        for source in outlet.sources:
            assert source.politeness.delay >= timedelta(seconds=5), source.id
            assert source.politeness.concurrency == 1, source.id
            assert source.politeness.robots == "obey", source.id
            if isinstance(source.schedule, Every):
                assert source.schedule.interval >= timedelta(minutes=10), source.id
            else:
                assert source.schedule.floor >= timedelta(minutes=3), source.id


@pytest.mark.parametrize("path", OUTLETS, ids=[path.stem for path in OUTLETS])
def test_whatever_is_off_says_why_on_its_line(path):
    for line in path.read_text().splitlines():
        if "enabled: false" in line:
            assert " # " in line, line


@pytest.mark.parametrize("path", [CONFIG / "warta.yaml", *OUTLETS], ids=lambda path: path.stem)
def test_shipped_files_pass_the_schema_they_name(path):
    text = path.read_text()
    prefix = "# yaml-language-server: $schema="
    first = text.splitlines()[0]
    assert first.startswith(prefix)
    schema = json.loads((path.parent / first.removeprefix(prefix)).read_text())
    document, problems = read(str(path), text.encode())
    assert problems == []
    jsonschema.Draft202012Validator(schema).validate(document.data)


@pytest.mark.shared
def test_every_outlet_with_a_source_that_is_not_dead_is_in_the_pack(pack, shared):
    facts = yaml.safe_load((shared / "outlets" / "outlets.yaml").read_text())["outlets"]
    assert set(facts) == {outlet.id for outlet in pack.outlets}
    dead = {
        feed["url"]
        for outlet in facts.values()
        for feed in outlet.get("feeds", ())
        if feed["status"] in ("dead", "broken", "stale")
    }
    assert [s.id for outlet in pack.outlets for s in outlet.sources if s.url in dead] == []


@pytest.mark.shared
def test_boilerplate_known_of_kontan_is_in_its_file_or_a_byline(pack, shared):
    known = yaml.safe_load((shared / "outlets" / "outlets.yaml").read_text())["outlets"]["kontan"]["boilerplate"]
    rules = pack.outlet("kontan").boilerplate
    bylines = {"Reporter:", "Editor:", "Penulis:", "Sumber:"}
    assert set(known["line_start"]) - bylines <= set(rules.line_start)
    assert set(known["line_exact"]) <= set(rules.line_exact)
    assert all(any(rule in text for rule in rules.contains) for text in known["contains"])


@pytest.mark.shared
def test_bodies_and_titles_are_found_on_saved_pages_of_today(pack, shared):
    pages = 0
    samples = shared / "samples"
    for entry in json.loads((samples / "index.json").read_text()):
        path = samples / entry["file"]
        recent = entry["date"].startswith("2026") or "Stroke" in path.name or "Menhub" in path.name
        outlet = pack.outlet(RENAMED.get(entry["outlet"], entry["outlet"]))
        if entry["kind"] != "article-html" or not recent or not path.exists() or outlet is None:
            continue
        rules = outlet.rules[-1]
        page = html.fromstring(path.read_bytes())
        pages += 1
        if rules.body:
            assert any(etree.XPath(xpath_of(selector))(page) for selector in rules.body), path
        if rules.title and "page2" not in path.name:
            assert any(etree.XPath(xpath_of(selector))(page) for selector in rules.title), path
    assert pages >= 10


@pytest.mark.shared
def test_no_enabled_source_is_forbidden_by_a_saved_robots_txt(pack, shared):
    checked = 0
    for path in (shared / "samples" / "robots").glob("*.robots.txt"):
        robots = Protego.parse(path.read_text(errors="replace"))
        site = path.name.removesuffix(".robots.txt")
        for outlet in pack.outlets:
            for source in outlet.sources:
                if source.enabled and source.url.split("/")[2].removeprefix("www.") == site:
                    assert robots.can_fetch(source.url, source.politeness.user_agent), source.id
                    checked += 1
    assert checked >= 8


@pytest.mark.shared
def test_kontans_indeks_is_off_because_robots_txt_forbids_it(pack, shared):
    robots = Protego.parse((shared / "samples" / "robots" / "kontan.co.id.robots.txt").read_text())
    indeks = pack.source("kontan/indeks")
    assert not indeks.enabled
    assert not robots.can_fetch(indeks.url, indeks.politeness.user_agent)
