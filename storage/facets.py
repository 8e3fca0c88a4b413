"""What articles can be told apart by, besides their words: as conditions, and as counts over some of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_

from storage.tables import articles

#: What became of an article, by its own row; more than one may be true of it.
KINDS = ("original", "copy", "revised", "retracted")

#: Columns that counting reads.
COLUMNS = tuple(
    articles.c[name]
    for name in ("seq", "outlet_id", "language", "section", "tags", "first_seen", "copy_of", "revision", "retracted_at")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Values any one of which an article has, by name; an empty tuple asks for nothing."""

    outlet: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    section: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    #: Of `KINDS`.
    kind: tuple[str, ...] = ()

    def conditions(self, *, is_sqlite: bool) -> list[ColumnElement[bool]]:
        """The same as SQL, each of which must hold; upper and lower case are one, but for ids of outlets."""
        a = articles.c
        found: list[ColumnElement[bool]] = []
        if self.outlet:
            found.append(a.outlet_id.in_(self.outlet))
        if self.language:
            found.append(_among(a.language, self.language))
        if self.section:
            found.append(func.coalesce(_among(a.section, self.section), False))
        if self.tag:
            found.append(_tagged(self.tag, is_sqlite=is_sqlite))
        if self.kind:
            found.append(or_(*(_OF_KIND[kind] for kind in self.kind)))
        return found


#: Asks for nothing.
ANYTHING = Traits()

_OF_KIND: Mapping[str, ColumnElement[bool]] = {
    "original": articles.c.copy_of.is_(None),
    "copy": articles.c.copy_of.is_not(None),
    "revised": articles.c.revision > 1,
    "retracted": articles.c.retracted_at.is_not(None),
}


def tally(rows: Iterable[Any]) -> dict[str, Counter[str]]:
    """How many of the rows (of `COLUMNS`) have each value, by name; ``day`` is the UTC day of storage."""
    counts: dict[str, Counter[str]] = {
        name: Counter() for name in ("outlet", "language", "section", "tag", "kind", "day")
    }
    for row in rows:
        counts["outlet"][row.outlet_id] += 1
        counts["language"][row.language] += 1
        counts["day"][row.first_seen.date().isoformat()] += 1
        if row.section:
            counts["section"][row.section] += 1
        counts["tag"].update(set(row.tags or ()))
        counts["kind"]["copy" if row.copy_of else "original"] += 1
        if row.revision > 1:
            counts["kind"]["revised"] += 1
        if row.retracted_at is not None:
            counts["kind"]["retracted"] += 1
    return counts


def _among(column: Any, values: tuple[str, ...]) -> ColumnElement[bool]:
    # SQLite's lower() knows ASCII only: what it leaves alone is met as it is written.
    return or_(column.in_(values), func.lower(column).in_([value.lower() for value in values]))


def _tagged(values: tuple[str, ...], *, is_sqlite: bool) -> ColumnElement[bool]:
    tags = articles.c.tags
    if is_sqlite:
        one = func.json_each(tags).table_valued("value", name="one")
        return one.select().with_only_columns(one.c.value).where(_among(one.c.value, values)).exists()
    several = func.jsonb_array_elements_text(tags).table_valued("value").render_derived(name="one")
    return several.select().with_only_columns(several.c.value).where(_among(several.c.value, values)).exists()
