"""Which articles filter words ask for; the same in the CLI and on the web."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta

from monitor.filters import Filter, FilterError
from storage.facets import KINDS, Traits

#: Names that a filter of articles may use.
NAMES = ("outlet", "language", "section", "tag", "kind", "day")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleWish:
    """Filter words, resolved."""

    having: Traits
    without: Traits
    #: Stored at or after, and before.
    since: datetime | None
    until: datetime | None
    #: For the full-text search; None: whatever its words.
    query: str | None


def wish(wanted: Filter) -> ArticleWish:
    """What the filter asks for. Raises FilterError for a kind or day that there is none of."""
    since, until = _within(wanted)
    phrases = [_phrase(text) for text in wanted.text]
    return ArticleWish(
        having=_traits(wanted.fields), without=_traits(wanted.without), since=since, until=until,
        query=" ".join(phrases) or None,
    )  # fmt: skip


def _phrase(text: str) -> str:
    """Quoted text stays a phrase for the search, and what must not be there keeps its sign."""
    sign, rest = ("-", text[1:]) if text.startswith("-") else ("", text)
    return f'{sign}"{rest}"' if " " in rest else text


def _traits(values: Mapping[str, tuple[str, ...]]) -> Traits:
    found = {field.name: values.get(field.name, ()) for field in fields(Traits)}
    for kind in found["kind"]:
        if kind not in KINDS:
            raise FilterError(f"'kind:{kind}': no article is of that kind; there are {', '.join(KINDS)}")
    return Traits(**found)


def _within(wanted: Filter) -> tuple[datetime | None, datetime | None]:
    """The time asked for; a day is one of UTC."""
    since, until = wanted.since, wanted.until
    if "day" in wanted.without:
        raise FilterError("'-day:': a day cannot be left out; ask for since: and until:")
    if "day" not in wanted.fields:
        return since, until
    said = wanted.one("day")
    try:
        began = datetime.combine(date.fromisoformat(said or ""), time(), UTC)
    except ValueError:
        raise FilterError(f"'day:{','.join(wanted.fields['day'])}': expected one day, as in day:2026-11-23") from None
    ended = began + timedelta(days=1)
    return max(since or began, began), min(until or ended, ended)
