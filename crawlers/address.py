"""Where a request may go: which addresses are public, and what a URL means.

Addresses are judged by the IANA special-purpose registries (IPv4: RFC 6890 and
https://www.iana.org/assignments/iana-ipv4-special-registry, IPv6:
https://www.iana.org/assignments/iana-ipv6-special-registry), the multicast registries, and
the transition mechanisms that carry an IPv4 address inside an IPv6 one. ``ipaddress.is_private`` is
not used: it lets shared address space, NAT64, 6to4, IPv4-compatible and multicast addresses pass.

URLs are read by the WHATWG algorithm (ada), so that what is judged here is what is connected to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import ada_url

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

#: Longest URL that is asked for; longer ones are attacks or accidents.
MAX_URL_CHARS = 8192

_SPECIAL_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), name)
    for network, name in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private use"),
        ("100.64.0.0/10", "shared address space"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud platform service"),  # Azure's WireServer, public by number only
        ("169.254.0.0/16", "link local, cloud metadata"),
        ("172.16.0.0/12", "private use"),
        ("192.0.0.0/24", "IETF protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "AS112"),
        ("192.52.193.0/24", "automatic multicast tunneling"),
        ("192.88.99.0/24", "6to4 relay anycast"),
        ("192.168.0.0/16", "private use"),
        ("192.175.48.0/24", "AS112"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)

_SPECIAL_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), name)
    for network, name in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("100::/64", "discard only"),
        ("100:0:0:1::/64", "dummy prefix"),
        ("2001::/32", "Teredo"),
        ("2001:2::/48", "benchmarking"),
        ("2001::/23", "IETF protocol assignments"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("2620:4f:8000::/48", "AS112"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "unique local"),
        ("fe80::/10", "link local"),
        ("fec0::/10", "site local"),
        ("ff00::/8", "multicast"),
    )
)

_NAT64 = IPv6Network("64:ff9b::/96")

#: The only part of the IPv6 space that is handed out (RFC 4291 section 2.4).
_GLOBAL_UNICAST = IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an address may be connected to."""

    permitted: bool
    #: The registry's name of the range it lies in; empty for public addresses.
    range: str = ""


class UnfetchableUrlError(ValueError):
    """The URL is none that is ever asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a URL asks for, in the form in which it is sent."""

    #: Serialized by WHATWG rules, without user, password and fragment.
    href: str
    #: ``http`` or ``https``.
    scheme: str
    #: Lower case, ASCII, no brackets, no trailing dot.
    host: str
    port: int
    #: User and password out of the URL.
    credentials: tuple[str, str] | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port (RFC 6454), always with the port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def literal(self) -> Address | None:
        """The address, when the host is one instead of a name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None


def parse_target(url: str, base: str | None = None) -> Target:
    """Read a URL, relative to a base if given.

    Raises UnfetchableUrlError for anything but an http or https URL of sane length.
    """
    if len(url) > MAX_URL_CHARS:
        raise UnfetchableUrlError(f"the URL is longer than {MAX_URL_CHARS} characters: {url[:100]}…")
    try:
        parsed = ada_url.URL(url, base=base) if base is not None else ada_url.URL(url)
    except ValueError:
        raise UnfetchableUrlError(f"not a URL: {url[:200]}") from None
    scheme = parsed.protocol.removesuffix(":")
    if scheme not in {"http", "https"}:
        raise UnfetchableUrlError(f"only http and https are fetched, not {scheme}: {parsed.href[:200]}")
    credentials = (parsed.username, parsed.password) if parsed.username or parsed.password else None
    parsed.username, parsed.password, parsed.hash = "", "", ""
    host = parsed.hostname.strip("[]").rstrip(".")
    if not host or len(parsed.href) > MAX_URL_CHARS:
        raise UnfetchableUrlError(f"not a URL that can be asked for: {parsed.href[:200]}")
    return Target(
        href=parsed.href,
        scheme=scheme,
        host=host,
        port=int(parsed.port) if parsed.port else (443 if scheme == "https" else 80),
        credentials=credentials,
    )


def is_public(address: str | Address) -> bool:
    """Whether the address lies in no special range at all."""
    return judge(address).permitted


def judge(address: str | Address, allow_networks: Sequence[Network] = ()) -> Verdict:
    """Whether the address may be connected to: public, or inside a network that the operator lists.

    An IPv6 address that carries an IPv4 one is refused; when its range is listed, the carried one is judged.
    """
    return _judge(str(address), tuple(allow_networks))


@lru_cache(maxsize=8192)
def _judge(text: str, allow_networks: tuple[Network, ...]) -> Verdict:
    try:
        address = ip_address(text)
    except ValueError:
        return Verdict(permitted=False, range="not an address")
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return Verdict(permitted=False, range="scoped")
    if any(address in network for network in allow_networks if network.version == address.version):
        carried = _carried(address)
        return Verdict(permitted=True) if carried is None else _judge(str(carried), allow_networks)
    name = _special_range(address)
    return Verdict(permitted=name is None, range=name or "")


def _special_range(address: Address) -> str | None:
    if isinstance(address, IPv4Address):
        return next((name for network, name in _SPECIAL_V4 if address in network), None)
    name = next((name for network, name in _SPECIAL_V6 if address in network), None)
    if name is None and address not in _GLOBAL_UNICAST:
        return "unassigned"
    return name


def _carried(address: Address) -> IPv4Address | None:
    """The IPv4 address to which a packet to a translated or mapped IPv6 address goes in the end."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
