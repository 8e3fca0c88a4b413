from __future__ import annotations

import pytest

from crawlers.model import DateCandidate, Extraction
from crawlers.normalize import join
from storage.model import Block, BlockKind, Image, Link

FIRST = "Paragraf pertama yang cukup panjang untuk dikenali lagi."
SECOND = "Paragraf kedua yang juga cukup panjang untuk dikenali."


def page(*texts: str, **more: object) -> Extraction:
    blocks = tuple(Block(BlockKind.PARAGRAPH, text) for text in texts)
    return Extraction(**{"url": "https://a.test/x", "blocks": blocks, **more})  # type: ignore[arg-type]


def test_a_paragraph_that_every_page_repeats_comes_once() -> None:
    joined = join([page(FIRST, SECOND), page(FIRST.replace(" ", "\u00a0"), "Penutup."), page(FIRST, "Tamat.")])

    assert [block.text for block in joined.blocks] == [FIRST, SECOND, "Penutup.", "Tamat."]


def test_short_lines_may_rightly_repeat() -> None:
    assert [b.text for b in join([page("Ya."), page("Ya.")]).blocks] == ["Ya.", "Ya."]


def test_the_first_page_names_and_the_others_fill() -> None:
    first = page(FIRST, title="Judul", next_url="https://a.test/x/2", images=(Image(url="https://a.test/1.jpg"),))
    second = page(
        SECOND,
        url="https://a.test/x/2",
        title="Judul - Halaman 2",
        editor="Budi",
        authors=("Ani",),
        tags=("garam",),
        images=(Image(url="https://a.test/1.jpg"), Image(url="https://a.test/2.jpg")),
        related=(Link("Lain", None),),
        dates=(DateCandidate("2026-11-20", "meta"),),
    )

    joined = join([first, second])

    assert (joined.url, joined.title, joined.next_url) == ("https://a.test/x", "Judul", None)
    assert (joined.editor, joined.authors, joined.tags) == ("Budi", ("Ani",), ("garam",))
    assert [image.url for image in joined.images] == ["https://a.test/1.jpg", "https://a.test/2.jpg"]
    assert joined.dates == second.dates
    assert joined.related == (Link("Lain", None),)


def test_no_page_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one page"):
        join([])
