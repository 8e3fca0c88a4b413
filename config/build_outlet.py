"""From one outlet's document and the levels above it to an :class:`config.model.Outlet`."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import fields
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from config.document import ArticlePart, ListingPart, OutletDocument, SourcePart, UrlsPart
from config.errors import ConfigProblem
from config.inherit import Chosen, Level, choose
from config.model import (
    ArticleRules,
    Boilerplate,
    Expectation,
    Listing,
    Outlet,
    Politeness,
    Revisions,
    RobotsPolicy,
    Schedule,
    Source,
    SourceKind,
    UrlRules,
)
from config.schedules import effective_schedule
from config.yaml_reader import Document
from config.zones import zone

#: Effective values with their origin, by ``outlet/source.key``; filled only when somebody asks.
Trail = MutableMapping[str, Chosen]

ANNOUNCE_MAX_AGE = timedelta(days=7)

#: BCP 47 for "not determined": language detection has no prior then.
UNKNOWN_LANGUAGE = "und"


class OutletBuilder:
    """Builds one outlet; knows neither files nor the environment."""

    def __init__(
        self,
        document: Document,
        said: OutletDocument,
        outlet_id: str,
        above: tuple[Level, ...],
        user_agent: str,
        trail: Trail | None = None,
    ) -> None:
        """`above` holds group and defaults, the most specific first; `user_agent` is the last resort.

        Where each value came from is written into `trail`, when there is one.
        """
        self.problems: list[ConfigProblem] = []
        self._trail = trail
        self._document = document
        self._said = said
        self._id = outlet_id
        self._levels = (Level(document, (), said), *above)
        self._user_agent = user_agent

    def build(self) -> Outlet:
        """The outlet; of any use only when `problems` is empty afterwards."""
        said = self._said
        politeness = self._politeness(self._levels, self._id)
        enabled = self._note(self._id, "enabled", choose(self._levels, "enabled", default=True))
        timezone = self._note(self._id, "timezone", choose(self._levels, "timezone", default="UTC"))
        return Outlet(
            id=self._id,
            name=said.name,
            homepage=said.homepage,
            group=said.group,
            language=self._note(self._id, "language", choose(self._levels, "language", default=UNKNOWN_LANGUAGE)),
            timezone=zone(timezone),
            hosts=tuple(said.hosts) or _hosts_of(said.homepage),
            sources=tuple(
                self._source(index, source, politeness, timezone, enabled) for index, source in enumerate(said.sources)
            ),
            politeness=politeness,
            enabled=enabled,
            requests_per_day=self._note(
                self._id, "budget.requests_per_day", choose(self._levels, "budget", "requests_per_day")
            ),
            country=said.country,
            rules=_rules(said.article),
            boilerplate=Boilerplate(
                line_start=tuple(said.boilerplate.line_start),
                line_exact=tuple(said.boilerplate.line_exact),
                contains=tuple(said.boilerplate.contains),
                cut_after=tuple(said.boilerplate.cut_after),
            ),
            brands=tuple(said.brands),
            urls=_url_rules(said.urls),
            agency=said.agency,
            revisions=self._revisions(),
            announce_max_age=self._note(
                self._id, "announce_max_age", choose(self._levels, "announce_max_age", default=ANNOUNCE_MAX_AGE)
            ),
            link_copies=self._note(self._id, "copies", choose(self._levels, "copies", default="link")) == "link",
            notes=said.notes.strip(),
            declared_at=self._document.declared_at(("name",)),
        )

    def _note(self, owner: str, key: str, chosen: Chosen) -> Any:
        if self._trail is not None:
            self._trail[f"{owner}.{key}"] = chosen
        return chosen.value

    def _politeness(self, levels: tuple[Level, ...], owner: str) -> Politeness:
        values: dict[str, Any] = {}
        for field in fields(Politeness):
            default = self._user_agent if field.name == "user_agent" else field.default
            chosen = choose(levels, "politeness", field.name, default=default)
            values[field.name] = self._note(owner, f"politeness.{field.name}", chosen)
        return Politeness(**{**values, "robots": RobotsPolicy(values["robots"])})

    def _revisions(self) -> Revisions:
        values: dict[str, Any] = {}
        for field in fields(Revisions):
            chosen = choose(self._levels, "revisions", field.name, default=getattr(Revisions(), field.name))
            value = self._note(self._id, f"revisions.{field.name}", chosen)
            values[field.name] = tuple(value) if isinstance(value, list) else value
        return Revisions(**{**values, "visits": tuple(sorted(set(values["visits"])))})

    def _source(
        self, index: int, said: SourcePart, politeness: Politeness, timezone: str, outlet_enabled: bool
    ) -> Source:
        path = ("sources", index)
        source_id = f"{self._id}/{said.name}"
        own = Level(self._document, path, said)
        levels = (own, *self._levels)
        # An outlet that is off silences its sources; a source cannot switch itself on against it.
        enabled = choose((own,), "enabled", default=True) if outlet_enabled else Chosen(False)
        return Source(
            id=source_id,
            outlet_id=self._id,
            name=said.name,
            kind=SourceKind(said.kind),
            url=said.url,
            schedule=self._schedule(levels, source_id, timezone),
            politeness=politeness if said.politeness is None else self._politeness(levels, source_id),
            enabled=self._note(source_id, "enabled", enabled),
            priority=self._note(source_id, "priority", choose(levels, "priority", default=100)),
            expect=self._expect(levels, source_id),
            headers=tuple(said.headers.items()),
            listing=Listing(**_values(said.listing)) if said.listing else None,
            sitemap_follow=said.sitemap_follow,
            section=said.section,
            declared_at=self._document.declared_at((*path, "name")),
        )

    def _expect(self, levels: tuple[Level, ...], owner: str) -> Expectation:
        values: dict[str, Any] = {}
        for field in fields(Expectation):
            default = Expectation().quiet_hours if field.name == "quiet_hours" else None
            chosen = choose(levels, "expect", field.name, default=default)
            values[field.name] = self._note(owner, f"expect.{field.name}", chosen)
        return Expectation(**values)

    def _schedule(self, levels: tuple[Level, ...], source_id: str, timezone: str) -> Schedule:
        schedule, chosen, problems = effective_schedule(levels, timezone)
        self.problems.extend(problems)
        for key, value in chosen.items():
            self._note(source_id, f"schedule.{key}", value)
        return schedule


def _hosts_of(homepage: str) -> tuple[str, ...]:
    """The homepage's host with and without ``www.``."""
    host = urlsplit(homepage).hostname or ""
    bare = host.removeprefix("www.")
    return (bare, f"www.{bare}") if "." in bare and not bare[-1].isdigit() else (host,)


def _rules(parts: list[ArticlePart]) -> tuple[ArticleRules, ...]:
    """Oldest first; rules in force are always there, if only to say that nothing special holds."""
    rules = [ArticleRules(**_values(part)) for part in parts]
    rules.sort(key=lambda rule: rule.valid_until or date.max)
    in_force = bool(rules) and rules[-1].valid_until is None
    return tuple(rules) if in_force else (*rules, ArticleRules())


def _values(part: ArticlePart | ListingPart) -> dict[str, Any]:
    """The fields of a part, lists made tuples: the names are the same in the model."""
    return {
        name: tuple(value) if isinstance(value := getattr(part, name), list) else value
        for name in type(part).model_fields
    }


def _url_rules(part: UrlsPart) -> UrlRules:
    return UrlRules(
        article=part.article,
        skip=tuple(part.skip),
        key=part.key,
        full_page=part.full_page,
        keep_query=None if part.keep_query is None else tuple(part.keep_query),
        host_aliases=tuple(part.host_aliases.items()),
    )
