from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from storage.articles import ArticleFilter
from storage.facets import COLUMNS, KINDS, Traits, tally
from storage.model import FateKind
from storage.tables import articles

from .conftest import article


async def _filled(desk: Any) -> None:
    """Three stories of two sections, one without, a copy and a revision among them."""
    await desk.publish("emas", replace(article("emas"), section="Ekonomi Bisnis", tags=("Emas", "pasar")))
    first = await desk.publish("cabai", replace(article("cabai"), section="ekonomi", tags=("cabai",), language="en"))
    await desk.publish("dunia", replace(article("dunia"), section=None, tags=()))
    await desk.begin()
    (fate,) = await desk.discover("salinan")
    await desk.decide(fate, FateKind.DUPLICATE, article("salinan"), of=first.article_id)
    await desk.begin()
    (fate,) = await desk.discover("dunia")
    changed = replace(article("dunia", "Kalimat tambahan."), section=None, tags=())
    await desk.decide(fate, FateKind.REVISED, changed, of=None)


@pytest.mark.parametrize(
    ("having", "without", "found"),
    [
        (Traits(section=("ekonomi bisnis",)), Traits(), {"emas"}),
        (Traits(section=("ekonomi bisnis", "EKONOMI")), Traits(), {"emas", "cabai"}),
        (Traits(tag=("emas",)), Traits(), {"emas"}),
        (Traits(tag=("emas", "cabai")), Traits(), {"emas", "cabai"}),
        (Traits(tag=("nowhere",)), Traits(), set()),
        (Traits(language=("EN",)), Traits(), {"cabai"}),
        (Traits(kind=("copy",)), Traits(), {"salinan"}),
        (Traits(kind=("copy", "revised")), Traits(), {"salinan", "dunia"}),
        (Traits(kind=("original",)), Traits(language=("en",)), {"emas", "dunia"}),
        (Traits(), Traits(section=("Ekonomi Bisnis",)), {"cabai", "dunia", "salinan"}),
        (Traits(), Traits(tag=("pasar", "cabai")), {"dunia", "salinan"}),
        (Traits(outlet=("other",)), Traits(), set()),
        (Traits(kind=("retracted",)), Traits(), set()),
        (Traits(), Traits(), {"emas", "cabai", "dunia", "salinan"}),
    ],
)
async def test_articles_are_told_apart_by_their_traits(
    desk: Any, having: Traits, without: Traits, found: set[str]
) -> None:
    await _filled(desk)

    page = await desk.storage.articles.list(ArticleFilter(having=having, without=without))

    assert {a.article.url_key for a in page.articles} == found


async def test_a_tally_counts_every_value_and_what_has_none_is_not_in_it(desk: Any) -> None:
    await _filled(desk)
    async with desk.storage.database.read() as connection:
        rows = (await connection.execute(select(*COLUMNS).order_by(articles.c.seq))).all()

    counts = tally(rows)

    assert counts["section"] == {"Ekonomi Bisnis": 1, "ekonomi": 1}
    assert counts["tag"] == {"Emas": 1, "pasar": 1, "cabai": 1, "beras": 1, "pangan": 1}
    assert counts["language"] == {"id": 3, "en": 1}
    assert counts["kind"] == {"original": 3, "copy": 1, "revised": 1}
    assert set(counts["kind"]) <= set(KINDS)
    assert counts["day"] == {desk.clock().date().isoformat(): 4}
    assert timedelta(0) <= desk.clock() - rows[0].first_seen
