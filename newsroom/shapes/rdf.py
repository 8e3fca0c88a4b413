"""Gemanusa: an outlet whose only feed is RSS 1.0."""

from __future__ import annotations

from newsroom.shapes.house import SourceSpec
from newsroom.shapes.plain import PlainHouse
from newsroom.story import Channel, Masthead

DOMAIN = "gemanusa.test"
MASTHEAD = Masthead(
    id="gemanusa",
    name="Gemanusa",
    domain=DOMAIN,
    brand="Gemanusa",
    body_brand="Gemanusa",
    per_day=40,
    wire=0.05,
    channels=(Channel("dunia", f"www.{DOMAIN}", "international", "Dunia"),),
)


class Gemanusa(PlainHouse):
    """RDF of 15 items, whose changes a hub pushes."""

    pushes = True
    sources = (SourceSpec(name="rdf", kind="feed", host=f"www.{DOMAIN}", path="/index.rdf", format="rdf", limit=15),)

    @classmethod
    def masthead_of(cls) -> Masthead:
        """Who publishes here."""
        return MASTHEAD
