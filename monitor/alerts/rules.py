"""What is wrong, by the rules of the configuration: a picture in, trouble out. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from config.alerting import Grouping, Rule
from config.units import span
from monitor.alerts.picture import Ill, Picture
from storage.alerts import Trouble

#: Fewer runs in an hour than this have no share of errors.
LEAST_RUNS = 20
#: Articles that have to be usual before fewer say anything: with a handful none is chance.
LEAST_USUAL = 10
#: Outlets from which on a fall of all of them together is one thing, and not the outlets'.
LEAST_OUTLETS = 3
#: Sources of an incident whose sentence is told.
TOLD = 5


def evaluate(rules: Sequence[Rule], picture: Picture, now: datetime) -> list[Trouble]:
    """All trouble at `now`; what belongs together is one."""
    return [trouble for rule in rules for trouble in _by_rule(rule, picture, now)]


def held(
    rules: Sequence[Rule], troubles: Sequence[Trouble], first_seen: Mapping[tuple[str, str], datetime], now: datetime
) -> list[Trouble]:
    """Those that have lasted as long as their rule says, `first_seen` being when each was first found."""
    hold = {rule.name: rule.hold for rule in rules}
    return [t for t in troubles if now - first_seen.get((t.rule, t.key), now) >= hold.get(t.rule, timedelta(0))]


def _by_rule(rule: Rule, picture: Picture, now: datetime) -> Iterator[Trouble]:
    for is_set, found in _CONDITIONS:
        if is_set(rule):
            yield from found(rule, picture, now)


def _states(rule: Rule, picture: Picture, now: datetime) -> Iterator[Trouble]:
    groups: dict[str, list[Ill]] = defaultdict(list)
    for ill in picture.ill:
        if ill.state in rule.states and (not rule.outlets or ill.outlet_id in rule.outlets):
            key = {Grouping.SOURCE: ill.source_id, Grouping.OUTLET: ill.outlet_id, Grouping.RULE: "*"}[rule.group]
            groups[key].append(ill)
    for key, ills in sorted(groups.items()):
        outlets = {ill.outlet_id for ill in ills}
        outlet = ills[0].outlet_id if len(outlets) == 1 else None
        first = min(ills, key=lambda ill: ill.since)
        yield Trouble(
            rule=rule.name, key=key, severity=str(rule.severity), title=_title(key, ills, picture, outlet),
            sentence=_sentences(ills), began_at=first.since, outlet_id=outlet,
            sources=tuple(sorted(ill.source_id for ill in ills)), path=_path(ills, outlet),
        )  # fmt: skip


def _title(key: str, ills: Sequence[Ill], picture: Picture, outlet: str | None) -> str:
    states = " and ".join(sorted({ill.state for ill in ills}))
    if len(ills) == 1:
        return f"{ills[0].source_id} is {states}"
    if outlet is None:
        return f"{len(ills)} sources of {len({ill.outlet_id for ill in ills})} outlets are {states}"
    whole = picture.sources.get(outlet, len(ills))
    share = "all" if whole == len(ills) else f"{len(ills)} of"
    return f"{outlet}: {share} {whole} sources are {states}"


def _sentences(ills: Sequence[Ill]) -> str:
    lines = [f"{ill.source_id} {ill.state}: {ill.sentence}" for ill in ills[:TOLD]]
    if len(ills) > TOLD:
        lines.append(f"and {len(ills) - TOLD} more")
    return "\n".join(lines)


def _path(ills: Sequence[Ill], outlet: str | None) -> str:
    """The exact run where there is one, else the source, else the outlet's sources."""
    if len(ills) == 1:
        return f"/runs/{ills[0].run_id}" if ills[0].run_id else f"/sources/{ills[0].source_id}"
    return "/sources" if outlet is None else f"/sources?q=outlet%3A{outlet}"


def _one(rule: Rule, title: str, sentence: str, began: datetime, path: str, key: str = "*") -> Trouble:
    return Trouble(
        rule=rule.name, key=key, severity=str(rule.severity), title=title, sentence=sentence, began_at=began, path=path
    )


def _freshness(rule: Rule, picture: Picture, now: datetime) -> Iterator[Trouble]:
    assert rule.freshness is not None
    late = picture.fresh_p95
    if late is not None and late > rule.freshness.total_seconds():
        text = f"One article in twenty is stored {span(timedelta(seconds=late))} after its publication or later."
        yield _one(rule, "articles come late", text, now, "/")


def _volume(rule: Rule, picture: Picture, now: datetime) -> Iterator[Trouble]:
    assert rule.volume is not None
    usual, came = picture.usual_hour, picture.articles_hour
    if usual is not None and usual >= LEAST_USUAL and came < rule.volume * usual:
        text = f"{came} articles in the last hour; {usual} are usual at this time of day."
        yield _one(rule, "few articles", text, now - timedelta(hours=1), "/")


def _outlet_volume(rule: Rule, picture: Picture, now: datetime) -> Iterator[Trouble]:
    if picture.outage_since is not None:
        return
    assert rule.outlet_volume is not None
    below, over = rule.outlet_volume.below, rule.outlet_volume.over
    known = {k: v for k, v in picture.volumes.get(over, {}).items() if v[1] >= LEAST_USUAL}
    came, usual = (sum(pair[n] for pair in known.values()) for n in (0, 1))
    if len(known) >= LEAST_OUTLETS and came < below * usual:
        text = f"{came} articles of {len(known)} outlets in the last {span(over)}; {usual} are usual in these hours."
        yield _one(rule, "few articles of all outlets", text, now - over, "/")
        return
    for outlet, (came, usual) in sorted(known.items()):
        if came < below * usual and (not rule.outlets or outlet in rule.outlets):
            yield Trouble(
                rule=rule.name, key=outlet, severity=str(rule.severity), title=f"{outlet}: few articles",
                sentence=f"{came} articles in the last {span(over)}; {usual} are usual in these hours.",
                began_at=now - over, outlet_id=outlet, path=f"/sources?q=outlet%3A{outlet}",
            )  # fmt: skip


def _errors(rule: Rule, picture: Picture, now: datetime) -> Iterator[Trouble]:
    assert rule.errors is not None
    counted = {r: n for r, n in picture.reasons.items() if not rule.reasons or r in rule.reasons}
    failed, whole = sum(counted.values()), picture.runs_hour
    if whole >= LEAST_RUNS and failed > rule.errors * whole:
        most = ", ".join(f"{n} {r}" for r, n in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:4])
        text = f"{failed} of {whole} runs of the last hour: {most}."
        yield _one(rule, f"{failed / whole:.0%} of the runs fail", text, now - timedelta(hours=1), "/runs")


def _disk(rule: Rule, picture: Picture, now: datetime) -> Iterator[Trouble]:
    assert rule.disk is not None
    if picture.disk_free is not None and picture.disk_free < rule.disk:
        text = f"{picture.disk_free:.1%} of the disk with the data directory is free; {rule.disk:.0%} is the limit."
        yield _one(rule, "the disk is nearly full", text, now, "/about")


def _delivery(rule: Rule, picture: Picture, now: datetime) -> Iterator[Trouble]:
    assert rule.delivery is not None
    for name, (age, dead) in sorted(picture.lags.items()):
        if age > rule.delivery.total_seconds():
            text = f"Consumer {name} is behind: its oldest event waits for {span(timedelta(seconds=age))}."
        elif dead:
            text = f"Consumer {name} has {dead} dead letter{'' if dead == 1 else 's'}: warta deliver dead {name}"
        else:
            continue
        yield _one(rule, f"consumer {name} misses events", text, now - timedelta(seconds=age), "/deliveries", name)


def _overdue(rule: Rule, picture: Picture, now: datetime) -> Iterator[Trouble]:
    assert rule.overdue is not None
    due = picture.next_due
    if due is not None and now - due > rule.overdue and picture.outage_since is None:
        text = f"{picture.overdue} sources are overdue, the first since {due:%F %H:%M} UTC: nobody comes for them."
        yield _one(rule, "polling stands still", text, due, "/sources")


def _own_outage(rule: Rule, picture: Picture, now: datetime) -> Iterator[Trouble]:
    if picture.outage_since is not None:
        text = "No host answers: the network here is down. No source is blamed for it."
        yield _one(rule, "our own outage", text, picture.outage_since, "/")


def _configuration(rule: Rule, picture: Picture, now: datetime) -> Iterator[Trouble]:
    if picture.refused:
        more = f"; and {len(picture.refused) - 1} more" if len(picture.refused) > 1 else ""
        text = f"The last good one stays in force. {picture.refused[0]}{more}"
        yield _one(rule, "a changed configuration is refused", text, now, "/config")


_CONDITIONS: tuple[
    tuple[Callable[[Rule], object], Callable[[Rule, Picture, datetime], Iterator[Trouble]]], ...
] = (
    (lambda rule: rule.states, _states), (lambda rule: rule.freshness, _freshness),
    (lambda rule: rule.volume, _volume), (lambda rule: rule.outlet_volume, _outlet_volume),
    (lambda rule: rule.errors, _errors), (lambda rule: rule.disk, _disk),
    (lambda rule: rule.delivery, _delivery), (lambda rule: rule.overdue, _overdue),
    (lambda rule: rule.own_outage, _own_outage), (lambda rule: rule.configuration, _configuration),
)  # fmt: skip
