"""What may stand behind the question mark: one table for reading it and for describing it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams

from storage.events import EVENTS
from storage.model import RunStatus

#: Records in one answer that is not a stream of lines.
LARGEST_PAGE = 500


class BadParameter(ValueError):
    """A parameter that cannot be understood; says which and what would be."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter."""

    name: str
    description: str
    #: JSON Schema.
    schema: dict[str, Any]


_TIME = {"type": "string", "format": "date-time"}
_NUMBER = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}

AFTER = Parameter("after", "Cursor of the last answer; 0 is the beginning.", _NUMBER | {"default": 0})
LIMIT = Parameter(
    "limit",
    "Records at most. Without it JSON gives 50, and lines (application/x-ndjson) all there are.",
    {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE},
)
OUTLET = Parameter("outlet", "Id of an outlet.", {"type": "string", "maxLength": 100})
SINCE = Parameter("since", "First seen (events: happened) at this time or later; ISO 8601 with a zone.", _TIME)
UNTIL = Parameter("until", "And before this time.", _TIME)
COPIES = Parameter("copies", "false leaves out copies of other articles.", {"type": "boolean", "default": True})
EVENT = Parameter(
    "event", f"Only these events, parted by commas: {', '.join(EVENTS)}.", {"type": "string", "maxLength": 200}
)
BACKFILLED = Parameter(
    "backfilled", "true adds articles that were old when they were first seen.", {"type": "boolean", "default": False}
)
ARCHIVE = Parameter(
    "backfilled",
    "false leaves out articles that were old when they were first seen.",
    {"type": "boolean", "default": True},
)
MATERIALITY = Parameter(
    "materiality",
    "Leaves out revisions and corrections that concern less of the content, 0 to 1.",
    {"type": "number", "minimum": 0, "maximum": 1, "default": 0.0},
)
QUERY = Parameter(
    "q", 'Full text: words, "a phrase", -without; all must be found.', {"type": "string", "maxLength": 1000}
)
LANGUAGE = Parameter("language", "BCP 47 tag of the article.", {"type": "string", "maxLength": 40})
CLUSTER = Parameter("cluster", "Id of a cluster of copies.", {"type": "string", "maxLength": 40})
ORDER = Parameter(
    "order",
    "oldest: as they were announced, for reading everything; newest: the other way round.",
    {"type": "string", "enum": ["oldest", "newest"], "default": "oldest"},
)
SOURCE = Parameter("source", "Id of a source.", {"type": "string", "maxLength": 200})
STATUS = Parameter("status", "Status of runs.", {"type": "string", "enum": [status.value for status in RunStatus]})
FILTER = Parameter(
    "filter",
    'Filter words as on the command line: outlet:kontan status:failed -reason:robots since:2h "text". Stands alone.',
    {"type": "string", "maxLength": 500},
)
BEFORE = Parameter("before", "`next` of the answer before.", {"type": "string", "maxLength": 40})


def read(query: QueryParams, known: Iterable[Parameter]) -> dict[str, Any]:
    """The parameters by name, converted; those not given are None or their default. Raises BadParameter."""
    table = {parameter.name: parameter for parameter in known}
    given: dict[str, str] = {}
    for name, value in query.multi_items():
        if name not in table:
            raise BadParameter(f"unknown parameter {name[:40]!r}; known are {', '.join(table)}")
        if name in given:
            raise BadParameter(f"{name} is given twice")
        given[name] = value
    return {
        name: _value(parameter, given[name]) if name in given else parameter.schema.get("default")
        for name, parameter in table.items()
    }


def _value(parameter: Parameter, text: str) -> Any:
    schema, name = parameter.schema, parameter.name
    if schema["type"] == "integer":
        least, most = schema["minimum"], schema["maximum"]
        if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
            raise BadParameter(f"{name} is a number from {least} to {most}")
        return int(text)
    if schema["type"] == "number":
        if not re.fullmatch(r"[01](\.\d{1,6})?", text) or not schema["minimum"] <= float(text) <= schema["maximum"]:
            raise BadParameter(f"{name} is a number from {schema['minimum']} to {schema['maximum']}")
        return float(text)
    if schema["type"] == "boolean":
        if text not in {"true", "false"}:
            raise BadParameter(f"{name} is true or false")
        return text == "true"
    if len(text) > schema.get("maxLength", 100) or not text or "\x00" in text:
        raise BadParameter(f"{name} is text of 1 to {schema.get('maxLength', 100)} characters")
    if "enum" in schema and text not in schema["enum"]:
        raise BadParameter(f"{name} is one of {', '.join(schema['enum'])}")
    return _moment(name, text) if schema.get("format") == "date-time" else text


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that nobody escaped
        if moment.tzinfo is None:
            raise BadParameter(f"{name} names no zone; write 2026-11-23T08:00:00Z")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadParameter):
            raise
        raise BadParameter(f"{name} is a time such as 2026-11-23T08:00:00Z") from None
