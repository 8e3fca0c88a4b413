"""Values that name something on a network: hosts, addresses, headers, and who is asking."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Annotated
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import PlainValidator

from config.errors import closest
from config.password import PREFIX, BadHash, Hashed
from config.values import schema, text_of, wrong

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
        # libpq's way to name a Unix socket is ?host=/run/postgresql.
        host = parts.hostname or parse_qs(parts.query).get("host")
        usable = parts.port != 0 and (bool(host) or scheme not in need_host)
    except ValueError:
        usable = False
    if not usable:
        raise wrong("the host or port of this address is not valid", expected)
    return text


def _listen(value: object) -> tuple[str, int]:
    expected = "an address and a port, such as 127.0.0.1:8470 or [::1]:8470"
    text = text_of(value, expected)
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    try:
        ip_address("127.0.0.1" if bare == "localhost" else bare)
    except ValueError:
        raise wrong(f"{text[:80]!r} is not an address with a port", expected) from None
    if not re.fullmatch(r"\d{1,5}", port) or not 0 < int(port) < 65_536:
        raise wrong(f"{port[:20]!r} is not a port", expected)
    return bare, int(port)


def _listen_or_off(value: object) -> tuple[str, int] | None:
    return None if value == "off" else _listen(value)


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


def _password(value: object) -> str:
    expected = "12 to 500 characters, or what `warta monitor password` prints"
    text = text_of(value, expected)
    if not 12 <= len(text) <= 500:
        raise wrong(f"a password of {len(text)} characters", expected)
    if text.startswith(PREFIX):
        try:
            Hashed.read(text)
        except BadHash as error:
            raise wrong(str(error), expected) from None
    return text


Host = Annotated[str, PlainValidator(_host), schema(type="string", examples=["*.example.com"])]
SourceUrl = Annotated[str, PlainValidator(_source_url), schema(type="string", pattern="^https?://")]
HomeUrl = Annotated[str, PlainValidator(_home_url), schema(type="string", pattern="^https?://")]
Network = Annotated[str, PlainValidator(_network), schema(type="string", examples=["10.0.0.0/8"])]
Address = Annotated[str, PlainValidator(_address), schema(type="string", examples=["127.0.0.1"])]
UserAgent = Annotated[str, PlainValidator(_user_agent), schema(type="string", examples=["name/1.0 (+https://…)"])]
RedisUrl = Annotated[str, PlainValidator(_redis), schema(type="string", examples=["embedded", "redis://127.0.0.1/0"])]
DatabaseUrl = Annotated[
    str,
    PlainValidator(_database),
    schema(type="string", examples=["embedded", "postgresql://127.0.0.1/warta"]),
]
Password = Annotated[str, PlainValidator(_password), schema(type="string", minLength=12, maxLength=500)]
HeaderName = Annotated[str, PlainValidator(_header_name), schema(type="string")]
HeaderValue = Annotated[str, PlainValidator(_header_value), schema(type="string")]
Listen = Annotated[tuple[str, int], PlainValidator(_listen), schema(type="string", examples=["127.0.0.1:8470"])]
ListenOrOff = Annotated[
    tuple[str, int] | None, PlainValidator(_listen_or_off), schema(type="string", examples=["127.0.0.1:8460", "off"])
]
FullPage = Annotated[str, PlainValidator(_full_page), schema(type="string", examples=["?page=all", "/all"])]
