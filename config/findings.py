"""pydantic's findings, told in the words of the YAML file and at its positions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.errors import ConfigProblem, closest
from config.values import kind_of
from config.yaml_reader import Document, Path

Model = TypeVar("Model", bound=BaseModel)

#: Words that other programs use for keys of ours.
_SYNONYMS = {
    "feeds": "sources", "interval": "schedule", "every": "schedule", "cron": "schedule",
    "lang": "language", "tz": "timezone", "site": "homepage", "website": "homepage",
    "selectors": "article", "type": "kind", "timeout": "limits", "db": "database",
    "disabled": "enabled", "author": "authors", "date": "published", "content": "body",
}  # fmt: skip
_YES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def validate(document: Document, model: type[Model]) -> tuple[Model | None, list[ConfigProblem]]:
    """The document as `model`, or None and everything that keeps it from being one."""
    data = {} if document.data is None else document.data
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, [_problem(document, model, detail) for detail in details]
    except RecursionError:
        return None, [document.problem((), "the document is nested too deep")]


def _problem(document: Document, model: type[BaseModel], detail: ErrorDetails) -> ConfigProblem:
    path: Path = detail["loc"]
    kind = detail["type"]
    on_key = bool(path) and path[-1] == "[key]"
    if on_key:
        path = path[:-1]
    if kind == "extra_forbidden":
        return _unknown_key(document, model, path)
    if kind == "missing":
        return document.problem(path[:-1], f"the key {path[-1]!r} is missing", expected=_about(model, path))
    context = detail.get("ctx", {})
    if kind == "warta":
        return document.problem(
            path,
            str(context["said"]),
            expected=str(context["expected"]),
            suggestion=str(context["suggestion"]),
            key=on_key,
        )
    said, expected, suggestion = _said(detail, context)
    return document.problem(path, said, expected=expected, suggestion=suggestion, key=on_key)


_TYPES = {
    "string_type": "text; put it in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping of keys",
}


def _said(detail: ErrorDetails, context: dict[str, Any]) -> tuple[str, str, str]:
    """Message, what was expected, and the nearest right value."""
    kind, found = detail["type"], detail["input"]
    if kind in _TYPES:
        near = _YES.get(str(found).lower(), "") if kind == "bool_type" else ""
        return f"{kind_of(found)} stands here", _TYPES[kind], near
    if kind == "literal_error":
        choices = str(context.get("expected", "")).replace("'", "")
        words = choices.replace(" or ", ", ").split(", ")
        shown = f"{found[:80]!r} is not a choice" if isinstance(found, str) else f"{kind_of(found)} stands here"
        return shown, choices, closest(found, words) if isinstance(found, str) else ""
    bounds = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}
    if kind in bounds:
        key, word = bounds[kind]
        return f"{found} is out of range", f"{word} {context[key]:,}", ""
    if kind == "string_pattern_mismatch":
        guess = str(found).upper() if context.get("pattern") == "^[A-Z]{2}$" and len(str(found)) == 2 else ""
        return f"{str(found)[:80]!r} does not have the right form", f"the pattern {context['pattern']}", guess
    return _sentence(detail["msg"]), "", ""


def _sentence(message: str) -> str:
    return message[:1].lower() + message[1:300]


def _unknown_key(document: Document, model: type[BaseModel], path: Path) -> ConfigProblem:
    key = str(path[-1])
    owner = _model_at(model, path[:-1])
    known = list(owner.model_fields) if owner else []
    if key == "<<":
        said, suggestion = "merge keys are not part of YAML 1.2", "defaults or groups in warta.yaml"
    else:
        said, suggestion = f"unknown key {key[:80]!r}", closest(key, known) or _elsewhere(owner, key)
    expected = "one of " + ", ".join(known) if len(known) <= 12 and not suggestion else ""
    return document.problem(path, said, expected=expected, suggestion=suggestion, key=True)


def _elsewhere(owner: type[BaseModel] | None, key: str) -> str:
    """Where a key belongs that stands one level too high, or what we call it."""
    if owner is None:
        return ""
    for name in owner.model_fields:
        below = _model_at(owner, (name,))
        if below and key in below.model_fields:
            return f"{name}: {{{key}: …}}"
    synonym = _SYNONYMS.get(key.lower(), "")
    return synonym if synonym in owner.model_fields else ""


def _about(model: type[BaseModel], path: Path) -> str:
    """The first sentence of what a key's documentation says."""
    owner = _model_at(model, path[:-1])
    field = owner.model_fields.get(str(path[-1])) if owner else None
    about = (field.description or "") if field else ""
    return about.split(";")[0].rstrip(".").lower()[:100]


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model that a path leads to; indices and keys of free mappings are passed over."""
    here: type[BaseModel] | None = model
    for part in path:
        if here is None or isinstance(part, int):
            continue
        if part in here.model_fields:
            here = _inner_model(here, part)
    return here


@lru_cache(maxsize=1_000)
def _inner_model(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    pending: list[Any] = [model.model_fields[name].annotation]
    while pending:
        annotation = pending.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
        pending.extend(get_args(annotation))
    return None
