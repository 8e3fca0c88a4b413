from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest

from config.document import (
    ArticlePart,
    BoilerplatePart,
    LimitsPart,
    ListingPart,
    OutletDocument,
    PolitenessPart,
    UrlsPart,
    WartaDocument,
)
from config.model import ArticleRules, Boilerplate, Limits, Listing, Politeness, UrlRules
from config.schema import export, write

ROOT = Path(__file__).parents[2]


def test_the_shipped_schemas_are_what_the_code_exports(tmp_path):
    for path in write(tmp_path):
        assert path.read_text() == (ROOT / "config" / path.name).read_text(), "run python -m config.schema"


@pytest.mark.parametrize("name", ["warta", "outlet"])
def test_a_schema_is_valid_and_describes_every_key(name):
    schema = export()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    for key, part in schema["properties"].items():
        assert part.get("description") or "$ref" in part, key


def test_editors_are_told_of_the_mistakes_that_a_schema_can_know():
    validator = jsonschema.Draft202012Validator(export()["outlet"])
    good = {
        "name": "W",
        "homepage": "https://w.test",
        "sources": [{"name": "a", "kind": "feed", "url": "https://w.test/a"}],
    }
    assert validator.is_valid(good)
    assert validator.is_valid(good | {"article": {"title": {"xpath": "//h1"}}})
    assert validator.is_valid(good | {"article": [{"title": ["h1"], "valid_until": "2020-01-01"}, {"body": "p"}]})
    assert not validator.is_valid(good | {"nmae": "x"})
    assert not validator.is_valid(good | {"article": {"tilte": "h1"}})
    assert not validator.is_valid(good | {"schedule": {"every": "10 minutes"}})
    assert not validator.is_valid(good | {"sources": []})


@pytest.mark.parametrize(
    ("part", "model"),
    [
        (LimitsPart, Limits),
        (ArticlePart, ArticleRules),
        (ListingPart, Listing),
        (BoilerplatePart, Boilerplate),
        (UrlsPart, UrlRules),
        (PolitenessPart, Politeness),
    ],
)
def test_all_that_the_model_holds_can_be_written(part, model):
    assert set(part.model_fields) == {field.name for field in fields(model)}


def test_examples_of_documentation_load(loaded):
    blocks = (ROOT / "docs" / "add-an-outlet.md").read_text().split("```yaml\n")[1:]
    outlets = [text for block in blocks if (text := block.split("```")[0]).startswith("# config/outlets/")]
    assert outlets
    for text in outlets:
        assert (
            loaded("groups: {indonesia: {language: id, timezone: Asia/Jakarta}}", harian=text).outlets[0].id == "harian"
        )


def keys(schema: dict[str, object]) -> set[str]:
    found = set()
    pending: list[object] = [schema]
    while pending:
        here = pending.pop()
        if isinstance(here, dict):
            found |= set(here.get("properties", {}))
            pending.extend(here.values())
        elif isinstance(here, list):
            pending.extend(here)
    return found


@pytest.mark.parametrize("model", [WartaDocument, OutletDocument])
def test_every_key_is_documented(model):
    text = (ROOT / "docs" / "configuration.md").read_text()
    schema = json.loads(json.dumps(model.model_json_schema()))
    assert [key for key in sorted(keys(schema)) if f"`{key}`" not in text] == []


def test_documented_defaults_are_the_defaults():
    text = (ROOT / "docs" / "configuration.md").read_text()
    limits = Limits()
    rows = dict(line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `"))
    shown = {key.strip(" `"): value.strip(" `") for key, value in rows.items()}
    assert shown["compression_ratio"] == str(limits.compression_ratio)
    assert shown["feed_bytes"] == f"{limits.feed_bytes // 2**20}MiB"
    assert shown["page_bytes"] == f"{limits.page_bytes // 2**20}MiB"
    assert shown["sitemap_bytes"] == f"{limits.sitemap_bytes // 2**20}MiB"
    assert shown["decompressed_bytes"] == f"{limits.decompressed_bytes // 2**20}MiB"
    assert shown["header_bytes"] == f"{limits.header_bytes // 2**10}KiB"
    assert shown["parse_bytes"] == f"{limits.parse_bytes // 2**30}GiB"
    assert shown["feed_seconds"] == f"{limits.feed_seconds:.0f}s"
    assert shown["page_seconds"] == f"{limits.page_seconds:.0f}s"
    assert shown["parse_seconds"] == f"{limits.parse_seconds:.0f}s"
    for name in ("redirects", "items", "sitemap_children", "page_attempts"):
        assert shown[name] == str(getattr(limits, name)), name
    assert shown["page_retry"] == f"{limits.page_retry.total_seconds() / 60:.0f}m"
