from __future__ import annotations

from pathlib import Path

import pytest

from config.load import load
from newsroom.outlets import LISTINGS, write_config
from newsroom.press import Newsroom


def test_the_written_configuration_is_accepted_whole(tmp_path: Path) -> None:
    write_config(tmp_path, 4711, feeds=12, every="3s")
    settings = load(tmp_path, {})
    press = Newsroom(port=4711)
    wanted = {f"{h.masthead.id}/{s.name}" for h, s in press.sources()} | {f"feed-{n:05d}/rss" for n in range(1, 13)}
    assert {s.id for o in settings.outlets for s in o.sources} == wanted
    assert settings.limits.ports == {4711}
    assert settings.resolve == (("*.test", "127.0.0.1"),)
    assert all(":4711/" in s.url for o in settings.outlets for s in o.sources)


def test_every_listing_has_rules_and_every_rule_a_listing() -> None:
    assert set(LISTINGS) == {f"{h.masthead.id}/{s.name}" for h, s in Newsroom().sources() if s.kind == "listing"}


def test_more_feeds_than_the_field_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 to 99999"):
        write_config(tmp_path, 80, feeds=100_000)
