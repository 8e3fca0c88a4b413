"""Where connections really go: ``python -m bench.ssrf``.

In a network namespace of its own every IPv4 and IPv6 address is made local (``ip route add local 0.0.0.0/0 dev
lo``) and a listener takes what arrives, at several ports. The daemon's fetcher and the clients of webhooks, hubs
and alerts are then sent to every special range of the IANA registries: as literals in all their spellings, through
names, through names that change their mind (DNS rebinding), through redirects, at forbidden ports, as feed,
sitemap, listing, page and robots.txt. What counts is the address that a connection arrived at: nothing but the
public ones may be in the list, and all of those must be. Needs Linux, ``ip``, and the right to make a namespace
(root, or user namespaces).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Final

from config.model import Limits, Politeness, RobotsPolicy, Settings, Webhook
from crawlers.engine import Engine
from crawlers.fetch import Fetcher
from crawlers.model import FetchRequest, Purpose
from crawlers.robots import Robots
from scheduler.alerting.sender import Sender, SendError
from scheduler.cli.dryrun import SoloBudget
from scheduler.delivery.webhook import WebhookTarget
from scheduler.websub.client import HubClient
from storage.events import Event

#: Set in the process that works inside the namespace.
INSIDE: Final = "WARTA_SSRF_INSIDE"
PORTS: Final = (80, 443, 8080, 8443, 22, 25, 6379, 5432, 9200)
#: Public addresses that must be reached; their neighbours in forbidden ranges must not.
PUBLIC: Final = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "93.184.216.34", "100.63.255.255", "100.128.0.1",
    "126.255.255.255", "128.0.0.1", "151.101.1.195", "169.253.255.255", "169.255.0.1", "172.15.255.255", "172.32.0.1",
    "192.167.255.255", "192.169.0.1", "198.17.255.255", "198.20.0.1", "223.255.255.255", "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e", "2404:6800:4003:c00::64",
)  # fmt: skip
#: The IANA special-purpose and multicast registries, written down here apart from the code under test.
_RANGES = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 "
    "203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32 168.63.129.16/32 ::/128 ::1/128 ::/96 ::ffff:0:0/96 "
    "64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 "
    "fc00::/7 fe80::/10 fec0::/10 ff00::/8"
)
SPECIAL: Final = tuple(_RANGES.split())
#: IPv4 addresses that somebody would like to reach, carried inside IPv6 ones.
COVETED: Final = ("127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1", "100.100.100.200")
#: Ways to write loopback and the metadata service that parsers differ about.
ODD: Final = (
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/",
    "http://017700000001/", "http://127.0.0.1./", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:0:0:1]/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://１２７.0.0.1/",
    "http://2852039166/", "http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://169.254.43518/",
    "http://[::ffff:a9fe:a9fe]/", "http://1.1.1.1@127.0.0.1/", "http://127.0.0.1#@1.1.1.1/",
    "http://1.1.1.1\\@127.0.0.1/", "http://127.0.0.1\\@1.1.1.1/", "http://127.0.0.1%2f@1.1.1.1:6379/",
    "http://[::1%25lo]/", "http://[fe80::1%25lo]/", "http:127.0.0.1/", "http:///127.0.0.1/", "http:\\\\127.0.0.1\\",
    "http://127.0.0.1:80\t/", "http://127.0.\n0.1/", "http://[::]/", "http://0/", "http://0.0.0.0/", "http://localhost/",
    "http://LOCALHOST./", "http://localhost.localdomain/", "http://127.0.0.1%00.example/", "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/", "http://[::127.0.0.1]/", "http://%31%32%37.0.0.1/", "http://127.0.0.1\u3000/",
    "gopher://127.0.0.1:6379/_INFO", "file:///etc/passwd", "ftp://127.0.0.1/", "dict://127.0.0.1:6379/info",
    "http://1.1.1.1:6379/", "http://1.1.1.1:22/", "http://1.1.1.1:25/", "http://1.1.1.1:5432/", "http://1.1.1.1:9200/",
)  # fmt: skip
PURPOSES: Final = (Purpose.FEED, Purpose.SITEMAP, Purpose.LISTING, Purpose.ARTICLE, Purpose.ROBOTS)


@dataclass(slots=True)
class Listener:
    """Takes every connection at every address and remembers which address and port it came to."""

    arrived: Counter[tuple[str, int]] = field(default_factory=Counter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer: a redirect to what stands behind ``/to?``, else a line of text."""
        here = writer.get_extra_info("sockname")
        self.arrived[str(here[0]).removeprefix("::ffff:"), int(here[1])] += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError, asyncio.LimitOverrunError):
            async with asyncio.timeout(5):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                _, mark, there = head.split(" ")[1].partition("/to?")
                # A POST is sent on as it is by 307 only.
                found = "302 Found" if head.startswith("GET") else "307 Temporary Redirect"
                lines = [f"HTTP/1.1 {found}", f"Location: {there}"] if mark else ["HTTP/1.1 200 OK"]
                writer.write(
                    "\r\n".join([*lines, "Connection: close", "Content-Length: 2", "", "ok"]).encode("latin-1")
                )
                await writer.drain()
        writer.close()


class Names:
    """Answers look-ups: ``<hex>.name`` is one address, ``mixed`` and ``rebind`` are as they say."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def __call__(self, host: str) -> Sequence[str]:
        """The addresses of a name; every name is below ``.ssrf.example``."""
        kind, _, rest = host.removesuffix(".").removesuffix(".ssrf.example").partition("-")
        self.asked[host] += 1
        with suppress(ValueError):
            number = bytes.fromhex(rest)
            address = str(IPv4Address(number) if len(number) == 4 else IPv6Address(number))
            if kind == "mixed":
                return [address, PUBLIC[0]]
            if kind == "rebind":
                return [PUBLIC[0]] if self.asked[host] == 1 else [address]
            return [address]
        raise socket.gaierror(socket.EAI_NONAME, "no such name")


def special_addresses() -> list[str]:
    """First, second, middle and last address of each special range, and what carries a coveted one."""
    found: list[str] = []
    for text in SPECIAL:
        network = ip_network(text)
        last = int(network[-1])
        first = int(network[0])
        places = sorted({first, min(first + 1, last), (first + last) // 2, last})
        found += [str(type(network[0])(place)) for place in places]
    for text in COVETED:
        number = int(IPv4Address(text))
        found.append(text)
        for base in ("::ffff:0:0", "::", "64:ff9b::", "64:ff9b:1::"):
            found.append(str(IPv6Address(int(IPv6Address(base)) + number)))
        found.append(str(IPv6Address(int(IPv6Address("2002::")) + (number << 80))))
    found += ["fd00:ec2::254", "169.254.170.2", "192.0.0.192", "fd20:ce::254"]
    return list(dict.fromkeys(found))


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _name(kind: str, address: str) -> str:
    return f"{kind}-{ip_address(address).packed.hex()}.ssrf.example"


@dataclass(slots=True)
class Row:
    """One component: how often it was sent somewhere forbidden, and which addresses it then connected to."""

    component: str
    attempts: int = 0
    connected: list[str] = field(default_factory=list)
    controls: int = 0
    reached: int = 0


def fetcher_urls(addresses: Iterable[str]) -> list[str]:
    """Everything that a stranger can make the fetcher ask for."""
    base = f"http://{PUBLIC[0]}/to?"
    urls = list(ODD) + [base + url for url in ODD if "\n" not in url and "\t" not in url]
    for address in addresses:
        urls += [
            f"http://{_in_url(address)}/",
            f"https://{_in_url(address)}/",
            f"http://{_name('one', address)}/",
            f"{base}http://{_in_url(address)}/",
            f"{base}http://{_name('one', address)}/",
            f"{base}//{_in_url(address)}:8080/",
        ]
    return urls


def settings() -> Settings:
    """A daemon's, with nothing allowed."""
    politeness = Politeness(
        user_agent="warta-bench/1.0 (+https://warta.example/bot)", robots=RobotsPolicy.IGNORE, delay=timedelta(0)
    )
    return Settings(
        path=Path("warta.yaml"), data_dir=Path("data"), redis="embedded", database="embedded", outlets=(),
        limits=Limits(feed_seconds=5, page_seconds=5), politeness=politeness,
    )  # fmt: skip


async def _visit(row: Row, listener: Listener, names: Names, urls: Sequence[str], purpose: Purpose) -> None:
    """Send a fetcher of its own, with an empty name cache, to all of them; then to the public ones."""
    config = settings()
    fetcher = Fetcher(config, SoloBudget(), Robots(now=_now), _now, engine=Engine(config, lookup=names))
    await fetcher.start()
    gate = asyncio.Semaphore(64)

    async def go(url: str) -> None:
        async with gate:
            await fetcher.fetch(FetchRequest(url=url, purpose=purpose, outlet_id="bench"), config.politeness)

    try:
        await _count(row, listener, [go(url) for url in urls])
        await _controls(row, listener, [go(f"http://{_in_url(a)}/") for a in PUBLIC])
    finally:
        await fetcher.stop()


async def _fetching(listener: Listener, addresses: list[str], purposes: Sequence[Purpose]) -> list[Row]:
    rows = []
    for purpose in purposes:
        # The first purpose gets everything; the others take the same road, by fewer addresses.
        some = addresses if purpose is PURPOSES[0] else addresses[:: max(1, len(addresses) // 24)]
        rows.append(row := Row(purpose.value))
        await _visit(row, listener, Names(), fetcher_urls(some), purpose)
    rows.append(row := Row("names that change"))
    names = Names()
    for _ in range(2):
        urls = [f"http://{_name(kind, a)}/" for kind in ("mixed", "rebind") for a in addresses]
        await _visit(row, listener, names, urls, Purpose.FEED)
    return rows


async def _hooks(listener: Listener, addresses: list[str]) -> Row:
    row, names = Row("webhooks"), Names()

    async def post(url: str) -> None:
        target = WebhookTarget(
            Webhook(url=url, secret="bench", timeout=timedelta(seconds=5)),
            allow_networks=(), resolve=(), now=_now, lookup=names,
        )  # fmt: skip
        try:
            await target.send([_event()], replayed=False)
        finally:
            await target.close()

    urls = [f"http://{_in_url(a)}/" for a in addresses] + [f"http://{_name('one', a)}/" for a in addresses]
    urls += [f"http://{PUBLIC[0]}/to?http://{_in_url(a)}/" for a in addresses[::4]]
    urls += [url for url in ODD if url.startswith("http://") and "1.1.1.1" not in url]
    await _count(row, listener, [_quiet(post(url)) for url in urls])
    await _controls(row, listener, [post(f"http://{_in_url(a)}/") for a in PUBLIC])
    return row


async def _hubs(listener: Listener, addresses: list[str]) -> Row:
    """What feeds name as their hub, and where such a hub redirects to."""
    row = Row("hubs")
    client = HubClient(settings(), now=_now, lookup=Names())
    try:
        urls = fetcher_urls(addresses[:: max(1, len(addresses) // 24)])
        await _count(row, listener, [client.ask(url, {"hub.mode": "subscribe"}) for url in urls])
        await _controls(row, listener, [client.ask(f"http://{_in_url(a)}/", {"hub.mode": "subscribe"}) for a in PUBLIC])
    finally:
        await client.close()
    return row


async def _alerts(listener: Listener, addresses: list[str]) -> Row:
    """Channels of apprise, and the dead man's switch."""
    row = Row("alerts")
    sender = Sender(allow_networks=(), lookup=Names())

    async def send(host: str) -> None:
        with suppress(SendError, ValueError):
            await sender.send(f"json://{host}:80/", "info", "title", "body")

    async def call(url: str) -> None:
        with suppress(SendError, ValueError):
            await sender.call(url)

    some = addresses[:: max(1, len(addresses) // 48)]
    urls = [f"http://{_in_url(a)}/" for a in addresses] + [f"http://{_name('one', a)}/" for a in addresses]
    urls += [url for url in ODD if "1.1.1.1" not in url]  # the port is the operator's word
    await _count(row, listener, [*(send(_in_url(a)) for a in some), *(call(url) for url in urls)])
    await _controls(row, listener, [call(f"http://{_in_url(a)}/") for a in PUBLIC])
    return row


async def _quiet(work: object) -> None:
    """A webhook whose URL is none is refused by the configuration; here it only must not connect."""
    with suppress(ValueError):
        await work  # type: ignore[misc]


def _event() -> Event:
    return Event(
        id=1,
        event="new",
        article_id="a",
        revision=1,
        outlet_id="bench",
        created_at=_now(),
        materiality=None,
        detail=None,
        record=None,
    )


async def _count(row: Row, listener: Listener, work: list[object]) -> None:
    listener.arrived.clear()
    row.attempts += len(work)
    await asyncio.gather(*work)  # type: ignore[call-overload]
    allowed = {(address, port) for address in PUBLIC for port in (80, 443, 8080, 8443)}
    row.connected += [f"{address} port {port}" for address, port in listener.arrived if (address, port) not in allowed]


async def _controls(row: Row, listener: Listener, work: list[object]) -> None:
    listener.arrived.clear()
    await asyncio.gather(*work)  # type: ignore[call-overload]
    row.controls = len(PUBLIC)
    row.reached = sum((address, 80) in listener.arrived for address in PUBLIC)


def _now() -> datetime:
    return datetime.now(UTC)


async def inside(*, quick: bool = False) -> list[Row]:
    """The whole measurement, in a namespace where every address is ours."""
    for words in ("link set lo up", "route add local 0.0.0.0/0 dev lo", "-6 route add local ::/0 dev lo"):
        subprocess.run(["ip", *words.split()], check=True)  # noqa: ASYNC221 - nothing runs yet
    listener = Listener()
    servers = [
        await asyncio.start_server(listener.serve, host, port, backlog=512)
        for port in PORTS
        for host in ("0.0.0.0", "::")
    ]
    await _proof(listener)
    addresses = special_addresses()[:: 6 if quick else 1]
    rows = await _fetching(listener, addresses, (PURPOSES[0], PURPOSES[-1]) if quick else PURPOSES)
    rows += [await _hooks(listener, addresses), await _hubs(listener, addresses), await _alerts(listener, addresses)]
    for server in servers:
        server.close()
    return rows


async def _proof(listener: Listener) -> None:
    """That a connection to a special address would arrive: otherwise none proves nothing."""
    for address in ("127.0.0.1", "169.254.169.254", "10.1.2.3", "::1", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"):
        _, writer = await asyncio.open_connection(address, 6379)
        writer.close()
    await asyncio.sleep(0.1)
    if len(listener.arrived) < 6:
        raise RuntimeError(f"only {sorted(listener.arrived)} arrived; the namespace does not do what it must")


def obstacle() -> str | None:
    """Why this cannot run here, or None."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    missing = [name for name in ("unshare", "ip") if shutil.which(name) is None]
    if missing:
        return f"{' and '.join(missing)} not installed (Debian: apt-get install util-linux iproute2)"
    tried = subprocess.run([*UNSHARE, "ip", "link", "set", "lo", "up"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"no namespace may be made here: {tried.stderr.strip()}"


UNSHARE: Final = ("unshare", "-n") if os.geteuid() == 0 else ("unshare", "-rn")


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; exit code 1 when anything connected, 2 when it cannot run here."""
    parser = argparse.ArgumentParser(prog="python -m bench.ssrf", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a component, and a closing one")
    parser.add_argument("--quick", action="store_true", help="one address in six, as feed and robots.txt only")
    options = parser.parse_args(arguments)
    if os.environ.get(INSIDE) is None:
        reason = obstacle()
        if reason is not None:
            print(json.dumps({"skipped": reason}) if options.json else f"skipped: {reason}")
            return 2
        command = [*UNSHARE, sys.executable, "-m", "bench.ssrf", *(arguments or sys.argv[1:])]
        return subprocess.run(command, env={**os.environ, INSIDE: "1"}, check=False).returncode
    rows = asyncio.run(inside(quick=options.quick))
    for row in rows:
        if options.json:
            print(json.dumps({"component": row.component, "attempts": row.attempts, "connected": len(row.connected)}))
        else:
            controls = f"{row.reached} of {row.controls} public ones reached" if row.controls else ""
            print(f"{row.component:<20} {row.attempts:>5} attempts, {len(row.connected)} connected; {controls}")
            for place in sorted(set(row.connected)):
                print(f"    {place}")
    total, connected = sum(r.attempts for r in rows), sum(len(r.connected) for r in rows)
    unreached = sum(r.controls - r.reached for r in rows)
    line = {
        "attempts": total,
        "connected": connected,
        "controls": sum(r.controls for r in rows),
        "unreached": unreached,
    }
    print(
        json.dumps(line) if options.json else f"{total} attempts, {connected} connected, {unreached} public ones missed"
    )
    return int(bool(connected or unreached))


if __name__ == "__main__":
    sys.exit(main())
