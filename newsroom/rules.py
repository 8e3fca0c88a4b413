"""Which misbehaviours are in force: for whom, how often and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from newsroom import chance, misbehaving_feeds, misbehaving_wire
from newsroom.misbehaviour import TABLE, Case, Options, Stage
from newsroom.web import Answer, Request

#: Importing these fills the table.
PARTS = (misbehaving_feeds, misbehaving_wire)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who misbehaves, how, how often and when."""

    id: int
    #: A key of `TABLE`.
    name: str
    #: Host, or None for all; ``*.ladang.test`` covers subdomains.
    host: str | None = None
    #: Path prefix (``exact`` compares the whole path), or None for all, robots.txt included.
    path: str | None = None
    exact: bool = False
    #: Share of requests struck, drawn from the seed and the count of requests.
    share: float = 1.0
    #: Newsroom times between which the rule holds; None is open.
    since: datetime | None = None
    until: datetime | None = None
    seed: int = 0
    options: Options = field(default_factory=dict)

    def covers(self, request: Request) -> bool:
        """Whether the request is in the rule's scope and time; says nothing of its share."""
        if self.host is not None and not _host_matches(self.host, request.host):
            return False
        if self.path is not None and (
            request.path != self.path if self.exact else not request.path.startswith(self.path)
        ):
            return False
        return not ((self.since and request.now < self.since) or (self.until and request.now >= self.until))


def _host_matches(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


class Rules:
    """The misbehaviours in force, with how often each has been asked and has struck."""

    def __init__(self) -> None:
        self._rules: dict[int, Rule] = {}
        self._asked: dict[int, int] = {}
        self._struck: dict[int, int] = {}
        self._next = 1

    def add(self, name: str, **scope: object) -> Rule:
        """Put a misbehaviour in force; an unknown name is a ValueError that lists the known ones."""
        if name not in TABLE:
            raise ValueError(f"no misbehaviour is called {name!r}; there are: {', '.join(sorted(TABLE))}")
        rule = Rule(id=self._next, name=name, **scope)  # type: ignore[arg-type]
        self._rules[rule.id] = rule
        self._next += 1
        return rule

    def remove(self, rule_id: int) -> bool:
        """End one rule; False if there is none of that id."""
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        """Behave."""
        self._rules.clear()

    def all(self) -> list[tuple[Rule, int]]:
        """Every rule and how often it has struck."""
        return [(r, self._struck.get(r.id, 0)) for r in self._rules.values()]

    def striking(self, request: Request) -> list[tuple[Rule, int]]:
        """The rules that strike this request, each with its earlier strikes; counts the request."""
        out = []
        for rule in list(self._rules.values()):
            if not rule.covers(request):
                continue
            asked = self._asked[rule.id] = self._asked.get(rule.id, 0) + 1
            if rule.share < 1 and chance.share(rule.seed, rule.id, asked) >= rule.share:
                continue
            out.append((rule, self._struck.get(rule.id, 0)))
            self._struck[rule.id] = out[-1][1] + 1
        return out


def applied(stage: Stage, striking: list[tuple[Rule, int]], request: Request, answer: Answer) -> Answer:
    """The answer after all striking rules of one stage."""
    for rule, times in striking:
        what = TABLE[rule.name]
        if what.stage is stage:
            answer = what.apply(Case(request, answer, rule.options, times))
    return answer
