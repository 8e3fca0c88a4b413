"""What is remembered of the children of sitemap indexes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import delete, select

from storage.database import Database
from storage.identities import chunks
from storage.model import SitemapChild
from storage.sources import hold
from storage.tables import sitemap_children


class Children:
    """The table ``sitemap_children``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, source_id: str) -> dict[str, SitemapChild]:
        """Every remembered child of a source, by address."""
        query = select(sitemap_children).where(sitemap_children.c.source_id == source_id)
        async with self._database.read() as connection:
            return {row.url: SitemapChild(**row._asdict()) for row in await connection.execute(query)}

    async def save(
        self,
        source_id: str,
        token: int,
        children: Sequence[SitemapChild],
        listed: Mapping[str, Collection[str]],
    ) -> None:
        """Remember these children, under a run's token; of each index in `listed` forget those it does not list.

        What was reached through a forgotten child is forgotten with it. Raises StaleToken.
        """
        insert = self._database.insert(sitemap_children)
        c = sitemap_children.c
        names = [column.name for column in c if column.name not in {"source_id", "url"}]
        statement = insert.on_conflict_do_update(
            index_elements=[c.source_id, c.url], set_={name: insert.excluded[name] for name in names}
        )
        async with self._database.write("children") as connection:
            await hold(connection, source_id, token)
            for chunk in chunks(sorted(children, key=lambda child: child.url)):
                await connection.execute(statement, [asdict(child) for child in chunk])
            query = select(c.url, c.parent).where(c.source_id == source_id)
            rows = [(row.url, row.parent) for row in await connection.execute(query)]
            for gone in chunks(sorted(_dropped(rows, listed))):
                await connection.execute(delete(sitemap_children).where(c.source_id == source_id, c.url.in_(gone)))


def _dropped(rows: Sequence[tuple[str, str]], listed: Mapping[str, Collection[str]]) -> set[str]:
    gone = {url for url, parent in rows if parent in listed and url not in listed[parent]}
    while True:
        below = {url for url, parent in rows if parent in gone} - gone
        if not below:
            return gone
        gone |= below
