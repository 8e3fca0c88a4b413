"""What every mapping of a document has in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def none() -> Any:
    """An empty list of its own; cheaper than the deep copy pydantic makes of a default."""
    return Field(default_factory=list)


class Part(BaseModel):
    """A mapping of known keys; any other key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)
