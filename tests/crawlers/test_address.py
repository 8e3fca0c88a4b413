from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.address import UnfetchableUrlError, is_public, judge, parse_target

# fmt: off
SPECIAL = [
    "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.100.100.200",
    "100.127.255.255", "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.0", "169.254.169.254",
    "169.254.170.2", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.9", "192.0.0.170", "192.0.0.192",
    "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.0", "192.168.255.255",
    "192.175.48.1", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::2", "::7f00:1", "::8.8.8.8",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1", "64:ff9b:1:ffff::a00:1", "100::1", "100:0:0:1::1", "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1", "2001:2::1", "2001:3::1", "2001:4:112::1",
    "2001:10::1", "2001:20::1", "2001:30::1", "2001:1ff::1", "2001:db8::1", "2002:7f00:1::",
    "2002:c0a8:1::1", "2002:808:808::1", "2620:4f:8000::1", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fdff:ffff::1", "fe80::1", "febf::1", "fec0::1", "feff::1", "ff02::1", "ff0e::1",
    "4000::1", "e000::1", "200::1", "fe80::1%eth0", "2606:4700::1%1",
]
# fmt: on

# fmt: off
PUBLIC = [
    "1.0.0.1", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
    "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
    "198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888",
    "2003::1", "2400:cb00::1", "2606:4700:4700::1111", "2a00:1450:4001::1", "3ffe::1",
]
# fmt: on


@pytest.mark.parametrize("address", SPECIAL)
def test_special_addresses_are_not_public(address):
    verdict = judge(address)
    assert not verdict.permitted
    assert verdict.range


@pytest.mark.parametrize("address", PUBLIC)
def test_their_neighbours_are_public(address):
    assert is_public(address)
    assert is_public(ip_address(address))


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "1.2.3.4.5", "0x7f.1", "2130706433", "::g"])
def test_what_is_no_address_is_refused(text):
    assert not is_public(text)


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_inside_an_ipv6_one_never_passes(number):
    for prefix in ("::ffff:0:0", "::", "64:ff9b::"):
        assert not is_public(IPv6Address(int(IPv6Address(prefix)) + number))
    assert not is_public(IPv6Address((0x2002 << 112) | (number << 80)))


@given(st.integers(0, 2**32 - 1))
def test_what_python_calls_private_never_passes(number):
    address = ip_address(number)
    assert not (address.is_private and is_public(address))


def test_a_listed_network_may_be_reached_and_nothing_else():
    allow = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert judge("10.1.2.3", allow).permitted
    assert judge("fd00::1", allow).permitted
    assert not judge("10.2.0.1", allow).permitted
    assert not judge("127.0.0.1", allow).permitted
    assert not judge("::ffff:10.1.2.3", allow).permitted
    assert judge("8.8.8.8", allow).permitted


def test_a_listed_translation_prefix_opens_no_way_inside():
    allow = (ip_network("64:ff9b::/96"),)
    assert judge("64:ff9b::808:808", allow).permitted
    assert not judge("64:ff9b::7f00:1", allow).permitted
    assert not judge("64:ff9b::a9fe:a9fe", allow).permitted


@pytest.mark.parametrize(
    ("url", "href", "host", "port"),
    [
        ("http://press.test", "http://press.test/", "press.test", 80),
        ("HTTPS://Press.Test:443/A b?q=é#f", "https://press.test/A%20b?q=%C3%A9", "press.test", 443),
        ("http://0x7f.1/", "http://127.0.0.1/", "127.0.0.1", 80),
        ("http://017700000001/", "http://127.0.0.1/", "127.0.0.1", 80),
        ("http://127.1:8080/", "http://127.0.0.1:8080/", "127.0.0.1", 8080),
        ("http://[::FFFF:7F00:1]/", "http://[::ffff:7f00:1]/", "::ffff:7f00:1", 80),
        ("http:\\\\press.test\\x", "http://press.test/x", "press.test", 80),
        ("http://evil.test\\@press.test/", "http://evil.test/@press.test/", "evil.test", 80),
        ("http://press.test./x", "http://press.test./x", "press.test", 80),
        ("http://ｐｒｅｓｓ。test/", "http://press.test/", "press.test", 80),
        ("http://bücher.test/", "http://xn--bcher-kva.test/", "xn--bcher-kva.test", 80),
        (" http://press.test/\n", "http://press.test/", "press.test", 80),
    ],
)
def test_urls_are_read_as_browsers_read_them(url, href, host, port):
    target = parse_target(url)
    assert (target.href, target.host, target.port) == (href, host, port)


def test_credentials_are_taken_out_of_the_url():
    target = parse_target("https://user:p%40ss@press.test/feed")
    assert target.href == "https://press.test/feed"
    assert target.credentials == ("user", "p%40ss")
    assert target.origin == "https://press.test:443"


def test_a_relative_url_is_read_against_its_base():
    assert parse_target("//b.test/x", base="https://a.test/").href == "https://b.test/x"
    assert parse_target("../x", base="https://a.test/b/c").href == "https://a.test/x"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "ftp://a/",
        "file:///etc/passwd",
        "javascript:x",
        "http://",
        "http://a b/",
        "http://[::1%25eth0]/",
        "http://a.test:99999/",
        "http://1.2.3.4.5/",
        f"http://a.test/{'x' * 9000}",
    ],
)
def test_what_is_never_fetched_is_said_so(url):
    with pytest.raises(UnfetchableUrlError):
        parse_target(url)
