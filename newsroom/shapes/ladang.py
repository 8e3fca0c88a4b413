"""Ladang: a field of up to 99,999 small outlets, each computed when asked."""

from __future__ import annotations

import re

from newsroom import chance
from newsroom.desk import Desk
from newsroom.shapes.house import SourceSpec
from newsroom.shapes.plain import PlainHouse
from newsroom.story import Channel, Masthead
from newsroom.web import Addresses

DOMAIN = "ladang.test"
_ID = re.compile(r"^feed-(\d{5})$")
_HOST = re.compile(r"^feed-(\d{5})\.ladang\.test$")
_TOPICS = ("markets", "economy", "politics", "international")


def number_of(outlet: str) -> int | None:
    """17 for ``feed-00017``; None for other ids."""
    found = _ID.match(outlet)
    return int(found[1]) if found else None


def number_at(host: str) -> int | None:
    """17 for ``feed-00017.ladang.test``; None for other hosts."""
    found = _HOST.match(host)
    return int(found[1]) if found else None


def outlet_id(number: int) -> str:
    """``feed-00017`` for 17."""
    return f"feed-{number:05d}"


def masthead(number: int) -> Masthead:
    """The small outlet of that number: one channel, ten stories a day."""
    name = outlet_id(number)
    host = f"{name}.{DOMAIN}"
    topic = _TOPICS[chance.number("ladang", number) % len(_TOPICS)]
    return Masthead(
        id=name,
        name=f"Kabar Ladang {number}",
        domain=host,
        brand="Kabar Ladang",
        body_brand="Kabar Ladang",
        per_day=10,
        channels=(Channel("umum", host, topic, "Umum"),),
    )


class Ladang(PlainHouse):
    """One small outlet: RSS of 20 at ``/rss``."""

    def __init__(self, desk: Desk, addresses: Addresses) -> None:
        """The host stands in the masthead."""
        super().__init__(desk, addresses)
        self.sources = (SourceSpec(name="rss", kind="feed", host=self.home, path="/rss", format="rss", limit=20),)

    @property
    def home(self) -> str:
        """The outlet's only host."""
        return self.masthead.domain
