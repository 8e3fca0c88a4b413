"""Single values of the documents: what each accepts, and what it says when it does not.

Every type here is an ``Annotated`` for pydantic: a function that turns a plain YAML value into what
the model holds, beside the JSON Schema that editors check the same value by.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from config.errors import closest
from config.model import Selector, SelectorKind
from config.selectors import SelectorRefusedError, check_pattern, check_selector
from config.units import duration, likely_duration, likely_size, share, size
from config.zones import UnknownZoneError, zone

DURATION_EXAMPLE = "a duration with its unit, such as 500ms, 2s, 10m or 1h30m"
SIZE_EXAMPLE = "a size with its unit, such as 512KiB or 8MiB"


def wrong(message: str, expected: str = "", suggestion: str = "", at: str = "") -> PydanticCustomError:
    """An error that carries what :class:`config.errors.ConfigProblem` shows; `at` names a key below."""
    context = {"said": message, "expected": expected, "suggestion": suggestion, "at": at}
    return PydanticCustomError("warta", "{said}", context)


def kind_of(value: object) -> str:
    """What a YAML value is, for people."""
    if value is None:
        return "nothing"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "a mapping")


def text_of(value: object, expected: str) -> str:
    """The value if it is text; `expected` is told otherwise."""
    if not isinstance(value, str):
        raise wrong(f"{kind_of(value)} stands here", expected)
    return value


def _schema(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema(schema)


def _duration(value: object) -> timedelta:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise wrong(f"{value} has no unit", DURATION_EXAMPLE)
    text = text_of(value, DURATION_EXAMPLE)
    try:
        return duration(text)
    except ValueError:
        raise wrong(
            f"{text[:80]!r} is not a duration", DURATION_EXAMPLE, likely_duration(text[:80])
        ) from None


def _interval(value: object) -> timedelta:
    found = _duration(value)
    if not timedelta(seconds=1) <= found <= timedelta(days=366):
        raise wrong("this interval is out of range", "between 1s and 366d")
    return found


def _seconds(value: object) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    found = float(str(value)) if number else _duration(value).total_seconds()
    if not 0 < found <= 3_600:
        raise wrong("this limit is out of range", "more than 0s, at most 1h")
    return found


def _size(value: object) -> int:
    number = isinstance(value, int) and not isinstance(value, bool)
    text = f"{value}B" if number else text_of(value, SIZE_EXAMPLE)
    try:
        found = size(text)
    except ValueError:
        raise wrong(f"{text[:80]!r} is not a size", SIZE_EXAMPLE, likely_size(text[:80])) from None
    if not 2**10 <= found <= 2**40:
        raise wrong("this size is out of range", "between 1KiB and 1024GiB")
    return found


def _jitter(value: object) -> float | timedelta:
    expected = "a share such as 10% (intervals) or a duration such as 30s (cron)"
    if isinstance(value, float) or value == 0:
        found: float | timedelta = float(str(value))
    else:
        text = text_of(value, expected)
        try:
            found = share(text) if text.endswith("%") else duration(text)
        except ValueError:
            raise wrong(f"{text[:80]!r} is not a jitter", expected, likely_duration(text[:80])) from None
    if isinstance(found, float) and not 0 <= found <= 0.5:
        raise wrong("this jitter is out of range", "between 0% and 50%")
    return found


def _day(value: object) -> date:
    text = text_of(value, "a day such as 2026-01-31")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise wrong(f"{text[:80]!r} is not a day", "a day such as 2026-01-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong(f"there is no {text}", "a day such as 2026-01-31") from None


def _zone(value: object) -> str:
    text = text_of(value, "an IANA time zone such as Asia/Jakarta")
    try:
        zone(text)
    except UnknownZoneError as error:
        expected = "an IANA time zone such as Asia/Jakarta"
        raise wrong(f"time zone {text[:80]!r} is not known", expected, error.suggestion) from None
    return text


_ID = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
ID_EXAMPLE = "lower-case letters, digits, - and _, at most 64"


def is_id(text: str) -> bool:
    """Whether a text may name an outlet, a source or a group."""
    return _ID.fullmatch(text) is not None


def _id(value: object) -> str:
    text = text_of(value, ID_EXAMPLE)
    if not is_id(text):
        raise wrong(
            f"{text[:80]!r} cannot be a name",
            ID_EXAMPLE,
            re.sub(r"[^a-z0-9]+", "-", text.lower()[:64]).strip("-"),
        )
    return text


_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


@lru_cache(maxsize=50_000)
def host_name(text: str) -> str | None:
    """A host as ASCII lower-case labels, an IP address kept as it is; None when it is neither."""
    try:
        ascii_text = text.encode("idna").decode() if not text.isascii() else text
    except UnicodeError:
        return None
    ascii_text = ascii_text.lower().removesuffix(".")
    labels = ascii_text.split(".")
    if len(ascii_text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return ascii_text


def _host(value: object) -> str:
    expected = "a host such as www.example.com or *.example.com"
    text = text_of(value, expected)
    bare = text.removeprefix("*.")
    if "://" in text or "/" in text:
        raise wrong("this is an address, not a host", expected, urlsplit(text).hostname or "")
    found = host_name(bare)
    if found is None:
        raise wrong(f"{text[:80]!r} is not a host", expected)
    return f"*.{found}" if text.startswith("*.") else found


_TEMPLATE = re.compile(r"\{[^{}]*\}")
_TEMPLATES = ("{page}", "{offset}")


def without_templates(url: str) -> str:
    """A URL with its date and paging templates filled in by a digit."""
    return _TEMPLATE.sub("1", url)


def templates_of(url: str) -> list[str]:
    """The templates that a URL holds."""
    return _TEMPLATE.findall(url)


def _url(value: object) -> str:
    expected = "an http:// or https:// address"
    text = text_of(value, expected)
    if len(text) > 2_000 or re.search(r"[\s<>\"\\^`|]", _TEMPLATE.sub("", text)):
        raise wrong("this address holds white space or is too long", expected)
    try:
        parts = urlsplit(without_templates(text))
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise wrong(f"not an address: {error}", expected) from None
    if parts.scheme not in ("http", "https"):
        guess = f"https://{text}" if "://" not in text and "." in text and not parts.scheme else ""
        raise wrong(
            f"the scheme is {parts.scheme[:20]!r}" if parts.scheme else "the scheme is missing",
            expected,
            guess,
        )
    if parts.username is not None:
        raise wrong("a URL may not hold a user or password", "headers: {Authorization: ${NAME}}")
    if not host or port == 0 or (host_name(host) is None and not host.startswith("[") and ":" not in host):
        raise wrong("the host of this address is not valid", expected)
    return text


def _source_url(value: object) -> str:
    text = _url(value)
    for template in templates_of(text):
        if template not in _TEMPLATES and not template.startswith("{date:%"):
            expected = "{page}, {offset} or {date:%Y/%m/%d}"
            raise wrong(
                f"{template[:40]} is not a template",
                expected,
                closest(template, [*_TEMPLATES, "{date:%Y/%m/%d}"]),
            )
    return text


def _home_url(value: object) -> str:
    text = _url(value)
    if templates_of(text):
        raise wrong("templates belong to listing sources", "a plain address")
    return text


def _selector(value: object) -> Selector:
    expected = 'CSS as text, or {xpath: "..."}'
    if isinstance(value, dict):
        if len(value) != 1 or next(iter(value)) not in ("css", "xpath"):
            wrong_keys = ", ".join(sorted(str(k)[:40] for k in value)) or "nothing"
            raise wrong(f"a selector of {wrong_keys}", expected)
        kind, expression = next(iter(value.items()))
        selector = Selector(text_of(expression, expected), SelectorKind(kind))
    else:
        selector = Selector(text_of(value, expected))
    try:
        check_selector(selector)
    except SelectorRefusedError as error:
        guess = f'{{xpath: "{selector.expression}"}}' if selector.expression.startswith(("//", "./")) else ""
        raise wrong(str(error), expected, guess if selector.kind is SelectorKind.CSS else "") from None
    return selector


def _pattern(value: object) -> str:
    text = text_of(value, "a regular expression")
    try:
        check_pattern(text)
    except SelectorRefusedError as error:
        raise wrong(str(error), "a regular expression of Python's re, in single quotes") from None
    return text


def _key_pattern(value: object) -> str:
    text = _pattern(value)
    if not check_pattern(text).groupindex:
        raise wrong("the pattern has no named group", r"groups that make the identity, such as (?P<id>\d+)")
    return text


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _network(value: object) -> str:
    text = text_of(value, "a network such as 10.0.0.0/8")
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise wrong(f"not a network: {error}", "a network such as 10.0.0.0/8 or 127.0.0.1") from None


def _address(value: object) -> str:
    text = text_of(value, "an IP address")
    try:
        return str(ip_address(text))
    except ValueError:
        raise wrong(f"{text[:80]!r} is not an IP address", "an address such as 127.0.0.1") from None


_CONTACT = re.compile(r"\+?https?://[^\s;,)]+\.[^\s;,)]+|[^\s@()<>]+@[^\s@()<>]+\.[^\s@()<>]+")


def _user_agent(value: object) -> str:
    expected = "a name, a version and a contact, such as: example-news/1.0 (+https://news.example.com/bot)"
    text = text_of(value, expected)
    if not re.fullmatch(r"[\x20-\x7e]{1,300}", text):
        raise wrong("the user agent is not plain ASCII", expected)
    if "scrapy" in text.lower():
        raise wrong("the user agent names Scrapy, which outlets refuse by name", expected)
    if not _CONTACT.search(text):
        raise wrong("the user agent tells nobody whom to ask", expected)
    return text


def _redis(value: object) -> str:
    expected = "embedded, redis://…, rediss://… or unix:///…"
    return _store(value, expected, ("redis", "rediss", "unix"), need_host=("redis", "rediss"))


def _database(value: object) -> str:
    expected = "embedded, postgresql://… or sqlite:///…"
    return _store(value, expected, ("postgresql", "postgres", "sqlite"), need_host=("postgresql",))


def _store(value: object, expected: str, schemes: tuple[str, ...], need_host: tuple[str, ...]) -> str:
    """The value may hold a password: nothing of it is repeated in messages but the scheme."""
    text = text_of(value, expected)
    if text == "embedded":
        return text
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in schemes:
        near = closest(scheme if separator else text, [*schemes, "embedded"])
        raise wrong("not a usable address" if separator else "this is not an address", expected, near)
    if scheme == "postgres":
        raise wrong("the scheme is postgres", expected, "postgresql")
    try:
        parts = urlsplit(text)
        usable = parts.port != 0 and (bool(parts.hostname) or scheme not in need_host)
    except ValueError:
        usable = False
    if not usable:
        raise wrong("the host or port of this address is not valid", expected)
    return text


def password_of(url: str) -> str | None:
    """The password inside a URL, decoded; None when it has none."""
    try:
        found = urlsplit(url).password
    except ValueError:
        return None
    return unquote(found) if found else None


def _header_value(value: object) -> str:
    text = text_of(value, "text")
    if not re.fullmatch(r"[\x20-\x7e\t]{0,4000}", text):
        raise wrong("a header value holds characters that HTTP does not allow", "printable ASCII on one line")
    return text


def _header_name(value: object) -> str:
    text = text_of(value, "a header name")
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}", text):
        raise wrong(f"{text[:40]!r} is not a header name", "a name such as Accept-Language")
    if text.lower() == "user-agent":
        raise wrong("the user agent is not set here", "politeness: {user_agent: …}")
    if text.lower() in {"host", "content-length", "connection", "transfer-encoding", "accept-encoding"}:
        raise wrong(f"{text} belongs to the connection and cannot be set", "another header")
    return text


def _full_page(value: object) -> str:
    expected = "a suffix of the address such as ?page=all or /all"
    text = text_of(value, expected)
    if not re.fullmatch(r"[?/][A-Za-z0-9_=&./-]{1,80}", text):
        raise wrong(f"{text[:80]!r} cannot follow an address", expected)
    return text


_DURATION_SCHEMA = _schema(type="string", pattern=r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$", examples=["10m"])
_SIZE_SCHEMA = _schema(
    type="string", pattern=r"^[0-9]+(\.[0-9]+)? ?(B|[kK]B|MB|GB|KiB|MiB|GiB)$", examples=["8MiB"]
)


def _keyed(key: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {key: {"type": "string"}},
        "required": [key],
        "additionalProperties": False,
    }


_SELECTOR = {"anyOf": [{"type": "string", "description": "CSS"}, _keyed("xpath"), _keyed("css")]}

Duration = Annotated[timedelta, PlainValidator(_duration), _DURATION_SCHEMA]
Interval = Annotated[timedelta, PlainValidator(_interval), _DURATION_SCHEMA]
Seconds = Annotated[
    float,
    PlainValidator(_seconds),
    _schema(anyOf=[{"type": "string"}, {"type": "number", "exclusiveMinimum": 0}], examples=["30s"]),
]
Size = Annotated[int, PlainValidator(_size), _SIZE_SCHEMA]
Jitter = Annotated[
    float | timedelta,
    PlainValidator(_jitter),
    _schema(anyOf=[{"type": "string"}, {"type": "number", "minimum": 0, "maximum": 0.5}]),
]
Day = Annotated[date, PlainValidator(_day), _schema(type="string", format="date")]
ZoneName = Annotated[str, PlainValidator(_zone), _schema(type="string", examples=["Asia/Jakarta"])]
Id = Annotated[str, PlainValidator(_id), _schema(type="string", pattern=f"^{_ID.pattern}$")]
Host = Annotated[str, PlainValidator(_host), _schema(type="string", examples=["*.example.com"])]
SourceUrl = Annotated[str, PlainValidator(_source_url), _schema(type="string", pattern="^https?://")]
HomeUrl = Annotated[str, PlainValidator(_home_url), _schema(type="string", pattern="^https?://")]
OneSelector = Annotated[Selector, PlainValidator(_selector), _schema(**_SELECTOR)]
SelectorList = Annotated[
    list[OneSelector],
    BeforeValidator(_listed),
    _schema(anyOf=[*_SELECTOR["anyOf"], {"type": "array", "items": _SELECTOR}]),
]
Pattern = Annotated[str, PlainValidator(_pattern), _schema(type="string", format="regex")]
PatternList = Annotated[
    list[Pattern],
    BeforeValidator(_listed),
    _schema(anyOf=[{"type": "string"}, {"type": "array", "items": {"type": "string"}}]),
]
KeyPattern = Annotated[str, PlainValidator(_key_pattern), _schema(type="string", format="regex")]
Network = Annotated[str, PlainValidator(_network), _schema(type="string", examples=["10.0.0.0/8"])]
Address = Annotated[str, PlainValidator(_address), _schema(type="string", examples=["127.0.0.1"])]
UserAgent = Annotated[
    str, PlainValidator(_user_agent), _schema(type="string", examples=["name/1.0 (+https://…)"])
]
RedisUrl = Annotated[
    str, PlainValidator(_redis), _schema(type="string", examples=["embedded", "redis://127.0.0.1/0"])
]
DatabaseUrl = Annotated[
    str,
    PlainValidator(_database),
    _schema(type="string", examples=["embedded", "postgresql://127.0.0.1/warta"]),
]
HeaderName = Annotated[str, PlainValidator(_header_name), _schema(type="string")]
HeaderValue = Annotated[str, PlainValidator(_header_value), _schema(type="string")]
FullPage = Annotated[str, PlainValidator(_full_page), _schema(type="string", examples=["?page=all", "/all"])]
