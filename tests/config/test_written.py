"""What the monitor shows as a source's YAML is what the configuration would read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from config.load import load
from config.model import Outlet, Settings, Source
from config.written import as_yaml

from .conftest import Load

ROOT = Path(__file__).parents[2]


def _read_back(loaded: Load, outlet: Outlet, source: Source) -> Source:
    written = yaml.safe_load(as_yaml(source))
    document = {
        "name": "Contoh", "homepage": "https://contoh.test", "timezone": outlet.timezone.key, "sources": [written]
    }  # fmt: skip
    # Other defaults, none of which may shine through.
    warta = "defaults: {schedule: {every: 7m}, politeness: {delay: 77s}, priority: 7}\n"
    (read,) = loaded(warta, contoh=yaml.safe_dump(document)).outlets[0].sources
    return read


def _same(source: Source, other: Source) -> bool:
    named = {"id": "-", "outlet_id": "-", "declared_at": "-"}
    headers = tuple((name, "***") for name, _ in source.headers)
    return replace(source, **named, headers=headers) == replace(other, **named)


SHIPPED: Settings = load(ROOT / "config" / "warta.yaml", {})


@pytest.mark.parametrize("source", [s.id for outlet in SHIPPED.outlets for s in outlet.sources])
def test_every_shipped_source_reads_back_as_it_stands(loaded: Load, source: str) -> None:
    outlet = SHIPPED.outlet(source.partition("/")[0])
    declared = SHIPPED.source(source)
    assert outlet is not None
    assert declared is not None
    assert _same(declared, _read_back(loaded, outlet, declared))


def test_what_an_operator_says_of_a_source_reads_back(loaded: Load) -> None:
    text = (
        "name: Warta\nhomepage: https://warta.test\ntimezone: Asia/Makassar\nsources:\n"
        "- {name: a, kind: feed, url: 'https://warta.test/a', schedule: {every: 1h30m, jitter: 5%}, section: Pasar}\n"
        "- {name: b, kind: feed, url: 'https://warta.test/b', schedule: {cron: '5 */2 * * mon', jitter: 1.5s},\n"
        "   headers: {X-Token: rahasia}, expect: {at_least: 3/week, max_silence: 90m, quiet_hours: [22-5, 12-13]}}\n"
        "- {name: c, kind: sitemap, url: 'https://warta.test/c', schedule: {adaptive: {floor: 90s}},\n"
        "   sitemap_follow: '/berita/'}\n"
        "- {name: d, kind: listing, url: 'https://warta.test/d?hal={page}', listing: {item: .kartu,\n"
        "   link: {xpath: './/a'}, date: [.jam, time], pages: 3, first: 0}}\n"
    )
    (outlet,) = loaded("", contoh=text).outlets
    assert "rahasia" not in "".join(map(as_yaml, outlet.sources))
    for source in outlet.sources:
        assert _same(source, _read_back(loaded, outlet, source))
