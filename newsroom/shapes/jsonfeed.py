"""Datakini: an outlet whose only feed is a JSON Feed."""

from __future__ import annotations

from newsroom.shapes.house import SourceSpec
from newsroom.shapes.plain import PlainHouse
from newsroom.story import Channel, Masthead

DOMAIN = "datakini.test"
MASTHEAD = Masthead(
    id="datakini",
    name="Datakini",
    domain=DOMAIN,
    brand="Datakini",
    body_brand="Datakini",
    per_day=50,
    channels=(Channel("ekonomi", f"www.{DOMAIN}", "economy", "Ekonomi"),),
)


class Datakini(PlainHouse):
    """JSON Feed 1.1 of 25 items."""

    sources = (SourceSpec(name="feed", kind="feed", host=f"www.{DOMAIN}", path="/feed.json", format="json", limit=25),)

    @classmethod
    def masthead_of(cls) -> Masthead:
        """Who publishes here."""
        return MASTHEAD
