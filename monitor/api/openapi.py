"""The API described by itself: OpenAPI 3.1."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from monitor.api import parameters as p
from monitor.api.answers import LINES
from monitor.api.reading import ARTICLE_PARAMETERS, EVENT_PARAMETERS, LOG_PARAMETERS, RUN_PARAMETERS
from monitor.api.syndication import TYPES
from storage.events import EVENTS
from storage.model import HealthState


def _or_null(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], **more}


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


_TEXT, _TEXT_OR_NULL = {"type": "string"}, _or_null("string")
_TEXTS = {"type": "array", "items": _TEXT}
_NUMBER, _NUMBER_OR_NULL = {"type": "integer"}, _or_null("integer")
_TIME, _TIME_OR_NULL = {"type": "string", "format": "date-time"}, _or_null("string", format="date-time")

_CONTENT = {
    "outlet_id": _TEXT, "url": _TEXT, "url_key": _TEXT, "title": _TEXT, "subtitle": _TEXT_OR_NULL, "text": _TEXT,
    "body": {"type": "array", "items": _object({"kind": _TEXT, "text": _TEXT})},
    "language": _TEXT, "authors": _TEXTS, "editor": _TEXT_OR_NULL, "agency": _TEXT_OR_NULL, "brand": _TEXT_OR_NULL,
    "places": _TEXTS, "section": _TEXT_OR_NULL, "tags": _TEXTS, "published": _TIME_OR_NULL,
    "published_from": _TEXT_OR_NULL, "updated": _TIME_OR_NULL, "updated_from": _TEXT_OR_NULL,
    "images": {
        "type": "array",
        "items": _object({"url": _TEXT, "caption": _TEXT_OR_NULL, "credit": _TEXT_OR_NULL}),
    },
    "related": {"type": "array", "items": _object({"title": _TEXT, "url": _TEXT_OR_NULL})},
    "word_count": _NUMBER, "provenance": {"type": "object", "additionalProperties": _TEXT},
    "content_hash": _TEXT, "body_hash": _TEXT,
}  # fmt: skip
_STORED = {
    "id": _TEXT, "revision": _NUMBER, "first_seen": _TIME, "revised_at": _TIME, "copy_of": _TEXT_OR_NULL,
    "cluster": _TEXT_OR_NULL, "retracted_at": _TIME_OR_NULL,
}  # fmt: skip
_SOURCE = {
    "id": _TEXT, "outlet_id": _TEXT, "kind": _TEXT, "url": _TEXT, "failures": {"type": "number"},
    "last_failure": _TEXT_OR_NULL, "last_failure_message": _TEXT_OR_NULL, "paused": {"type": "boolean"},
    "next_attempt": _TIME, "last_attempt": _TIME_OR_NULL, "last_success": _TIME_OR_NULL, "last_new": _TIME_OR_NULL,
}  # fmt: skip
#: What stands in both (=), what went (-) and what came (+), in order.
_PIECES = {"type": "array", "items": _object({"op": {"enum": ["=", "-", "+"]}, "text": _TEXT})}
_SCHEMAS: dict[str, Any] = {
    "Error": _object({"error": _TEXT}),
    "Content": _object(_CONTENT),
    "Article": _object({"cursor": _NUMBER, **_STORED, **_CONTENT}, optional=("cursor",)),
    "Articles": _object(
        {
            "articles": {"type": "array", "items": {"$ref": "#/components/schemas/Article"}},
            "cursor": {"type": "integer", "description": "Give it as `after` next time"},
            "more": {"type": "boolean", "description": "Whether there are more now"},
        }
    ),
    "Diff": _object({"title": _PIECES, "text": _PIECES}),
    "Revisions": _object(
        {
            "article_id": _TEXT,
            "revisions": {
                "type": "array",
                "items": _object(
                    {
                        "revision": _NUMBER,
                        "reason": _TEXT,
                        "created_at": _TIME,
                        "run_id": _TEXT_OR_NULL,
                        "materiality": _or_null("number", minimum=0, maximum=1),
                        "detail": _or_null("object"),
                        "diff": {"oneOf": [{"$ref": "#/components/schemas/Diff"}, {"type": "null"}]},
                        "article": {"$ref": "#/components/schemas/Content"},
                    }
                ),
            },
        }
    ),
    "Event": _object(
        {
            "schema": {"const": 1},
            "event_id": _NUMBER,
            "key": {"type": "string", "description": "The same for every delivery; drop repeats by it"},
            "event": {"enum": list(EVENTS)},
            "article_id": _TEXT,
            "revision": _NUMBER,
            "outlet_id": _TEXT,
            "created_at": _TIME,
            "materiality": _or_null("number", minimum=0, maximum=1),
            "detail": _or_null("object", description="More of what happened; see docs/consumers.md"),
            "article": {"oneOf": [{"$ref": "#/components/schemas/Article"}, {"type": "null"}]},
        }
    ),
    "Events": _object(
        {
            "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
            "cursor": _NUMBER,
            "more": {"type": "boolean"},
        }
    ),
    "Sources": _object({"sources": {"type": "array", "items": _object(_SOURCE)}}),
    "SourceInFull": _object(
        {
            **_SOURCE,
            "health": {"enum": [state.value for state in HealthState]},
            "health_since": _TIME_OR_NULL,
            "health_said": _TEXT_OR_NULL,
            "next_because": {"type": "array", "items": _object({"name": _TEXT, "text": _TEXT, "at": _TIME})},
            "items_per_day": _or_null("number"),
            "hub": _TEXT_OR_NULL,
        }
    ),
    "Logs": _object(
        {
            "lines": {"type": "array", "items": {"type": "object"}},
            "looked_back_to": {
                **_TIME_OR_NULL,
                "description": "Null: to the end of the log, or until there were enough",
            },
        }
    ),
    "Runs": _object(
        {
            "runs": {
                "type": "array",
                "items": _object(
                    {
                        "id": _TEXT, "source_id": _TEXT, "outlet_id": _TEXT, "trigger": _TEXT, "status": _TEXT,
                        "reason": _TEXT_OR_NULL, "message": _TEXT_OR_NULL, "http_status": _NUMBER_OR_NULL,
                        "bytes": _NUMBER_OR_NULL, "duration": _or_null("number"), "scheduled_for": _TIME,
                        "started_at": _TIME_OR_NULL, "finished_at": _TIME_OR_NULL, "discovered": _NUMBER,
                        "stored": _NUMBER, "revised": _NUMBER, "unchanged": _NUMBER, "duplicate": _NUMBER,
                        "filtered": _NUMBER, "failed": _NUMBER, "pending": _NUMBER, "known": _NUMBER,
                    }
                ),
            },
            "more": {"type": "boolean"},
            "next": {**_TEXT_OR_NULL, "description": "Give it as `before` next time; null at the end"},
        }
    ),
}  # fmt: skip


def document(server: str) -> dict[str, Any]:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "warta", "version": version("warta"), "summary": "News articles as they were collected"},
        "servers": [{"url": server}],
        "security": [{"token": []}, {"password": []}, {}],
        "paths": {
            "/v1/articles": _get("Articles behind a cursor", "Articles", ARTICLE_PARAMETERS, line="Article"),
            "/v1/articles/{id}": _get("One article", "Article", path="id"),
            "/v1/articles/{id}/revisions": _get("All that an article ever said", "Revisions", path="id"),
            "/v1/events": _get("What happened behind a cursor", "Events", EVENT_PARAMETERS, line="Event"),
            "/v1/sources": _get("Sources and their state", "Sources"),
            "/v1/sources/{outlet}/{name}": _get(
                "One source, and what led to its next attempt", "SourceInFull", path="outlet", second="name"
            ),
            "/v1/runs": _get("Runs, the newest first", "Runs", RUN_PARAMETERS),
            "/v1/logs": _get("Log lines, the newest first", "Logs", LOG_PARAMETERS),
            "/v1/openapi.json": {
                "get": {
                    "summary": "This description",
                    "responses": {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {}}}},
                }
            },
            "/feeds/{kind}/{name}.{form}": _feed("Feed of an outlet or a cluster", ("outlet", "cluster"), named=True),
            "/feeds/{kind}.{form}": _feed("Feed of everything or of a search", ("all", "search"), named=False),
        },
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic", "description": "The token as password"},
            },
        },
    }


def _get(
    summary: str,
    schema: str,
    query: tuple[p.Parameter, ...] = (),
    *,
    path: str | None = None,
    second: str | None = None,
    line: str | None = None,
) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    if line is not None:
        content[LINES] = {"schema": {"$ref": f"#/components/schemas/{line}"}}
    responses: dict[str, Any] = {
        "200": {"description": summary, "headers": {"ETag": {"schema": _TEXT}}, "content": content},
        "304": {"description": "Nothing else than the reader has (If-None-Match)"},
        **_errors({"401": "A token is needed", "503": "The database does not answer"}),
    }
    parameters = [
        {"name": q.name, "in": "query", "required": False, "description": q.description, "schema": q.schema}
        for q in query
    ]
    if path is not None:
        parameters += [_path(name, {"type": "string"}) for name in (path, second) if name is not None]
        responses |= _errors({"404": "There is none"})
    else:
        responses |= _errors({"400": "A parameter cannot be understood"})
    return {"get": {"summary": summary, "parameters": parameters, "responses": responses}}


def _feed(summary: str, kinds: tuple[str, ...], *, named: bool) -> dict[str, Any]:
    parameters = [_path("kind", {"enum": list(kinds)}), _path("form", {"enum": list(TYPES)})]
    parameters += [_path("name", {"type": "string"})] if named else []
    parameters += [
        {"name": q.name, "in": "query", "required": False, "description": q.description, "schema": q.schema}
        for q in (p.QUERY, p.COPIES)
    ]
    content = {media: {"schema": _TEXT} for media in TYPES.values()}
    responses = {"200": {"description": summary, "content": content}, **_errors({"400": "No words", "404": "No such"})}
    return {"get": {"summary": summary, "parameters": parameters, "responses": responses}}


def _path(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _errors(said: dict[str, str]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": text, "content": content} for status, text in said.items()}
