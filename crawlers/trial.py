"""One page read twice, by the outlet's rules and without them, to see what the rules are worth.

For people who write rules: nothing is stored, no identity is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.model import Outlet
from crawlers.identity import is_article
from crawlers.model import FeedEntry, Fetched, Normalized, Rejected
from crawlers.normalize import normalize
from crawlers.page import extracted, read_pages
from storage.export import iso
from storage.model import Article, Block, BlockKind

#: Fields of an article that a page can get right or wrong, in the order a person reads them.
FIELDS = (
    "title", "subtitle", "authors", "editor", "agency", "brand", "places", "published", "published_from",
    "updated", "updated_from", "section", "tags", "language", "images", "body", "related", "url", "url_key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compared:
    """One field as it was read, where it came from, and what reading without rules gives."""

    name: str
    #: JSON types, see `fields_of`.
    value: Any
    origin: str | None
    generic: Any

    @property
    def differs(self) -> bool:
        """Whether the rules make a difference."""
        return bool(self.value != self.generic)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one page."""

    #: The rule of :func:`crawlers.identity.is_article` and whether it lets the address in.
    accepted: bool
    rule: str
    ruled: Normalized | Rejected
    generic: Normalized | Rejected
    next_url: str | None = None

    def compared(self) -> list[Compared]:
        """Every field side by side; empty when the rules' reading was rejected."""
        if isinstance(self.ruled, Rejected):
            return []
        mine = fields_of(self.ruled.article)
        other = fields_of(self.generic.article) if isinstance(self.generic, Normalized) else {}
        origins = dict(reversed(self.ruled.article.provenance))
        return [Compared(name, mine[name], origins.get(name), other.get(name)) for name in FIELDS]


def try_pages(pages: Sequence[Fetched], outlet: Outlet, entry: FeedEntry | None, now: datetime) -> Trial:
    """Read the pages of one article by the outlet's rules and again by none."""
    first = pages[0]
    accepted, rule = is_article(first.final_url, outlet)
    found = read_pages(pages, outlet, entry, now)
    generic = normalize(
        extracted(pages, outlet, None),
        outlet=outlet,
        entry=entry,
        fetched_url=first.final_url,
        fetched_at=first.fetched_at,
        now=now,
    )
    return Trial(accepted, rule, found.read, generic, found.next_url)


def fields_of(article: Article) -> dict[str, Any]:
    """The fields as JSON types: moments in ISO 8601 with ``Z``, paragraphs as text, other blocks by their kind."""
    return {
        **{name: getattr(article, name) for name in ("title", "subtitle", "editor", "agency", "brand", "section")},
        **{name: getattr(article, name) for name in ("language", "url", "url_key", "published_from", "updated_from")},
        **{name: list(getattr(article, name)) for name in ("authors", "places", "tags")},
        "published": iso(article.published),
        "updated": iso(article.updated),
        "images": [_present(url=i.url, caption=i.caption, credit=i.credit) for i in article.images],
        "body": [_block(block) for block in article.body],
        "related": [_present(title=link.title, url=link.url) for link in article.related],
    }


def _block(block: Block) -> str | dict[str, str]:
    return block.text if block.kind is BlockKind.PARAGRAPH else {block.kind.value: block.text}


def _present(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}
