"""From valid documents to :class:`config.model.Settings`; what only shows across keys is checked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.addresses import password_of
from config.build_alerting import alerts
from config.build_alerting import secrets_of as alert_secrets
from config.build_delivery import api, retention, secrets_of, subscriptions, websub
from config.build_outlet import OutletBuilder, Trail
from config.document import OutletDocument, WartaDocument
from config.errors import ConfigProblem
from config.inherit import Chosen, Level
from config.model import Dedupe, Limits, Monitor, Outlet, Politeness, RobotsPolicy, Settings
from config.yaml_reader import Document

#: Honest and editable: the contact should become the operator's own.
DEFAULT_USER_AGENT = "warta/0.1 (+https://github.com/warta-project/warta)"

#: Headers whose values open doors, whether they came from the environment or not.
_SECRET_HEADERS = ("authorization", "cookie", "token", "secret", "key", "password")


@dataclass(slots=True)
class Built:
    """Everything that came out of the documents, problems included."""

    outlets: list[Outlet] = field(default_factory=list)
    problems: list[ConfigProblem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OutletFile:
    """One outlet's file, read; `said` is None when it is not valid."""

    outlet_id: str
    document: Document
    said: OutletDocument | None


def build_outlets(
    main: Document, said: WartaDocument, files: Sequence[OutletFile], trail: Trail | None = None
) -> Built:
    """Every outlet of `files` that is valid, with its inheritance resolved and written into `trail`."""
    built = Built()
    defaults = Level(main, ("defaults",), said.defaults)
    groups = {name: Level(main, ("groups", name), group) for name, group in said.groups.items()}
    for file in files:
        if file.said is None:
            continue
        above = (groups[group], defaults) if (group := file.said.group) in groups else (defaults,)
        agent = said.user_agent or DEFAULT_USER_AGENT
        builder = OutletBuilder(file.document, file.said, file.outlet_id, above, agent, trail)
        built.outlets.append(builder.build())
        built.problems.extend(builder.problems)
    return built


def build_settings(
    path: Path, said: WartaDocument, outlets: Sequence[Outlet], secrets: frozenset[str], fingerprint: str
) -> Settings:
    """The settings; keys that were not written take the defaults of :mod:`config.model`."""
    agent = said.defaults.politeness.user_agent if said.defaults.politeness else None
    written: dict[str, Any] = {
        "requests_per_day": said.budget.requests_per_day,
        "worker_concurrency": said.workers.concurrency,
        "parse_processes": said.workers.parse_processes,
        "reactor": said.reactor,
        "shutdown_grace": said.shutdown_grace,
        "seen_ttl": said.seen_ttl,
        "dedupe": _dedupe(said),
        "log_level": said.log_level,
    }
    return Settings(
        path=path.absolute(),
        data_dir=Path(said.data_dir).expanduser().absolute(),
        redis=said.redis,
        database=said.database,
        outlets=tuple(outlets),
        limits=_limits(said),
        politeness=_default_politeness(said, agent or said.user_agent or DEFAULT_USER_AGENT),
        allow_networks=tuple(ip_network(text) for text in said.allow_networks),
        resolve=tuple(said.resolve.items()),
        deliver=subscriptions(said),
        retention=retention(said),
        api=api(said),
        websub=websub(said),
        monitor=_monitor(said),
        alerts=alerts(said.alerts),
        secrets=secrets | alert_secrets(said.alerts) | _secrets_of(said, outlets) | secrets_of(said),
        fingerprint=fingerprint,
        **{name: value for name, value in written.items() if value is not None},
    )


def _dedupe(said: WartaDocument) -> Dedupe:
    written: dict[str, Any] = {"look_back": said.dedupe.look_back, "near": said.dedupe.near}
    return Dedupe(**{name: value for name, value in written.items() if value is not None})


def _monitor(said: WartaDocument) -> Monitor | None:
    part = said.monitor
    if part is None:
        return Monitor()
    if part.listen is None:
        return None
    host, port = part.listen
    return Monitor(
        host=host, port=port, password=part.password, hosts=tuple(part.hosts), read_only=part.read_only, url=part.url
    )


def _limits(said: WartaDocument) -> Limits:
    written = said.limits.model_dump(exclude_none=True)
    if "ports" in written:
        written["ports"] = frozenset(written["ports"])
    return Limits(**written)


def _default_politeness(said: WartaDocument, agent: str) -> Politeness:
    part = said.defaults.politeness
    written = part.model_dump(exclude_none=True, exclude={"user_agent"}) if part else {}
    if "robots" in written:
        written["robots"] = RobotsPolicy(written["robots"])
    return Politeness(user_agent=agent, **written)


def _secrets_of(said: WartaDocument, outlets: Sequence[Outlet]) -> frozenset[str]:
    password = said.monitor.password if said.monitor else None
    found = {password} if password else set[str]()
    for url in (said.redis, said.database):
        if password := password_of(url):
            # As it stands in the URL and as the server will see it: either may turn up in a log.
            found |= {password, urlsplit(url).password or ""}
    for outlet in outlets:
        for source in outlet.sources:
            found |= {value for name, value in source.headers if _is_secret_header(name)}
    return frozenset(found - {""})


def _is_secret_header(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_HEADERS)


def described(trail: Mapping[str, Chosen]) -> dict[str, tuple[Any, str]]:
    """A trail as values with ``file:line``, or ``default`` for what nobody wrote."""
    return {key: (chosen.value, str(chosen.origin or "default")) for key, chosen in sorted(trail.items())}
