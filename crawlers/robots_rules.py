"""What a robots.txt permits (RFC 9309): pure, from its bytes to rules for one product token.

Protego reads Crawl-delay and Request-rate. Grouping and matching stand above it, because there it errs on
cases of the RFC, nearly always towards fetching: an unknown line ends its groups, ``User-agent: foo bar``
does not name foo, a byte order mark hides the first group, and it decodes both sides before it compares and
measures them. Matching here compares octets as written: non-ASCII octets of a rule are escaped, hexadecimal
digits made upper case, nothing is decoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from protego import Protego

#: What must be read of a robots.txt (RFC 9309 section 2.5); the rest is left.
MAX_BYTES = 500 * 1024

#: Rules kept for one agent.
_MAX_RULES = 20_000
#: Longer lines are cut, as Google's parser does.
_MAX_LINE = 2083 * 8 - 1

_AGENT_KEYS = ("user-agent", "useragent", "user agent")
_ALLOW_KEYS = ("allow",)
_DISALLOW_KEYS = ("disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw")
_TOKEN = re.compile(r"[A-Za-z_-]+")
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One Allow or Disallow line."""

    allow: bool
    #: Escaped; ``*`` matches anything, a trailing ``$`` the end.
    pattern: str
    #: As written.
    text: str

    def matches(self, path: str) -> bool:
        """Whether the rule covers a path with its query."""
        pattern, anchored = self.pattern, self.pattern.endswith("$")
        if anchored:
            pattern = pattern[:-1]
        first, *rest = pattern.split("*")
        if not path.startswith(first):
            return False
        if not rest:
            return not anchored or len(path) == len(first)
        position = len(first)
        last = rest.pop()
        for part in rest:
            found = path.find(part, position)
            if found < 0:
                return False
            position = found + len(part)
        if anchored:
            return len(path) - len(last) >= position and path.endswith(last)
        return path.find(last, position) >= 0


@dataclass(frozen=True)
class Rules:
    """What one robots.txt says to one product token."""

    #: Longest pattern first, Allow before Disallow of the same length: the first that matches decides.
    rules: tuple[Rule, ...] = ()
    #: Seconds between requests that the publisher asks for; the larger of Crawl-delay and Request-rate.
    delay: float | None = None

    def deciding(self, path: str) -> Rule | None:
        """The rule that decides about a path with its query; None means allowed."""
        if self._plain and not path.startswith(self._plain):
            return next((rule for rule in self._wild if rule.matches(path)), None)
        return next((rule for rule in self.rules if rule.matches(path)), None)

    def allowed(self, path: str) -> bool:
        """Whether that path with its query may be fetched."""
        rule = self.deciding(path)
        return rule is None or rule.allow

    @cached_property
    def _wild(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if "*" in rule.pattern or rule.pattern.endswith("$"))

    @cached_property
    def _plain(self) -> tuple[str, ...]:
        wild = set(self._wild)
        return tuple(rule.pattern for rule in self.rules if rule not in wild)


#: Nothing is said: everything is allowed.
ALLOW_ALL = Rules()
#: Nothing may be fetched.
DISALLOW_ALL = Rules(rules=(Rule(allow=False, pattern="/", text="/"),))


def product_token(user_agent: str) -> str:
    """The name by which robots.txt calls us: what stands before the first slash or space."""
    match = _TOKEN.match(user_agent.strip())
    return match.group().lower() if match else ""


def path_of(url: str) -> str:
    """Path and query of a URL, as rules match them."""
    url = url.partition("#")[0]
    _, separator, rest = url.partition("://")
    rest = rest if separator else url.removeprefix("//")
    begin = min((at for at in (rest.find("/"), rest.find("?"), rest.find(";")) if at >= 0), default=-1)
    if begin < 0:
        return "/"
    return rest[begin:] if rest[begin] == "/" else "/" + rest[begin:]


def parse(body: bytes, token: str) -> Rules:
    """The rules for a product token: its own groups together, else those for ``*`` together, else none."""
    groups: dict[str, list[tuple[str, str]]] = {"own": [], "common": []}
    named = in_agents = False
    into: set[str] = set()
    for key, value in _lines(body[:MAX_BYTES]):
        if key == "agent":
            if not in_agents:
                into, in_agents = set(), True
            if value[:1] == "*" and (len(value) == 1 or value[1].isspace()):
                into.add("common")
            elif token and product_token(value) == token:
                named = True
                into.add("own")
            continue
        if key in {"allow", "disallow"}:
            in_agents = False
        for name in into:
            groups[name].append((key, value))
    lines = groups["own" if named else "common"]
    return Rules(rules=_rules(lines), delay=_delay(lines))


def _rules(lines: list[tuple[str, str]]) -> tuple[Rule, ...]:
    rules = []
    for key, value in lines[: _MAX_RULES * 2]:
        if key not in {"allow", "disallow"} or not value:
            continue
        pattern = _escape(value)
        rules.append(Rule(allow=key == "allow", pattern=pattern, text=value))
        folder, slash, page = pattern.rpartition("/")
        if key == "allow" and slash and page.startswith("index.htm"):
            rules.append(Rule(allow=True, pattern=f"{folder}/$", text=value))
    rules.sort(key=lambda rule: (-len(rule.pattern), not rule.allow))
    return tuple(dict.fromkeys(rules))


def _lines(body: bytes) -> list[tuple[str, str]]:
    """Directives that mean something, in order: agent, allow, disallow, crawl-delay, request-rate."""
    mark = 0
    for byte in b"\xef\xbb\xbf":
        if body[mark : mark + 1] != bytes([byte]):
            break
        mark += 1
    text = body[mark:].decode("latin-1")
    directives = []
    for line in re.split(r"\r\n|\r|\n", text):
        parsed = _directive(line[:_MAX_LINE])
        if parsed is not None:
            directives.append(parsed)
    return directives


def _directive(line: str) -> tuple[str, str] | None:
    line = line.partition("#")[0].strip(" \t\v\f\x00")
    key, colon, value = line.partition(":")
    if not colon:
        # The colon is forgotten often enough; then exactly two words are taken as key and value.
        words = line.split()
        if len(words) != 2:
            return None
        key, value = words
    key, value = key.strip().lower(), value.strip()
    if key.startswith(_AGENT_KEYS):
        return "agent", value
    if key.startswith(_ALLOW_KEYS):
        return "allow", value
    if key.startswith(_DISALLOW_KEYS):
        return "disallow", value
    return (key, value) if key in {"crawl-delay", "request-rate"} else None


def _escape(value: str) -> str:
    """Octets outside ASCII percent-encoded, escapes in upper case; nothing decoded."""
    value = _ESCAPE.sub(lambda match: match.group().upper(), value)
    if value.isascii():
        return value
    return "".join(char if ord(char) < 128 else f"%{ord(char):02X}" for char in value)


def _delay(lines: list[tuple[str, str]]) -> float | None:
    asked = [f"{key}: {value}" for key, value in lines if key in {"crawl-delay", "request-rate"}]
    if not asked:
        return None
    parsed = Protego.parse("\n".join(["User-agent: *", *asked[:100]]))
    rate = parsed.request_rate("*")
    spans = [parsed.crawl_delay("*"), rate.seconds / rate.requests if rate is not None else None]
    return max((float(span) for span in spans if span is not None), default=None)
