"""JSON Schema (2020-12) of the two documents, for editors that check YAML while it is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config.document import OutletDocument, WartaDocument

_DOCUMENTS: dict[str, type[BaseModel]] = {"warta": WartaDocument, "outlet": OutletDocument}


def export() -> dict[str, dict[str, Any]]:
    """The schemas by name: ``warta`` for warta.yaml, ``outlet`` for each file of outlets."""
    return {name: _schema(name, model) for name, model in _DOCUMENTS.items()}


def write(directory: Path) -> list[Path]:
    """Write ``<name>.schema.json`` for each document and return the paths."""
    written = []
    for name, schema in export().items():
        path = directory / f"{name}.schema.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(mode="validation")
    if name == "outlet":
        # One set of rules may stand without the list that holds several.
        rules = schema["properties"]["article"]
        rules["anyOf"] = [
            rules.pop("items"),
            {"type": rules.pop("type"), "items": {"$ref": "#/$defs/ArticlePart"}},
        ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{name}.schema.json",
        **schema,
    }


if __name__ == "__main__":
    write(Path(__file__).parent)
