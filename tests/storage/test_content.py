"""What of an article becomes a document, and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from storage.content import article_from, article_id, bounded, clean, columns, document, pack, unpack
from storage.model import Article, Block, BlockKind, Image, Link, RawPage

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
ARTICLE = Article(
    outlet_id="pagi", url="https://pagi.test/1", url_key="k", title="Judul\x00", text="Satu.\n\nDua.", language="id",
    body=(Block(BlockKind.PARAGRAPH, "Satu."), Block(BlockKind.PARAGRAPH, "Dua.")), authors=("Rina \ud800",),
    published=NOW, images=(Image(url="https://pagi.test/a.jpg", caption="Feri"),), related=(Link("Lain", None),),
    provenance=(("title", "rules"),),
)  # fmt: skip


class _Row:
    def __init__(self, fields: dict[str, object]) -> None:
        self.__dict__.update(fields)


def test_an_article_survives_as_a_document_cleaned_of_what_no_database_takes() -> None:
    found = article_from(document(ARTICLE))

    assert found == replace(ARTICLE, title="Judul", authors=("Rina ?",))
    assert "text" not in document(ARTICLE)


def test_a_text_that_its_blocks_do_not_give_is_kept_beside_them() -> None:
    other = replace(ARTICLE, text="Lain sama sekali.")

    assert document(other)["text"] == article_from(document(other)).text == "Lain sama sekali."
    assert columns(other, document(other))["text"] == "Lain sama sekali."


def test_keys_of_any_length_fit_an_index_and_stay_apart() -> None:
    long = [f"{'k' * 3000}{n}" for n in range(3)]

    assert bounded("k") == "k"
    assert len({bounded(key) for key in long}) == 3
    assert all(len(bounded(key)) < 100 for key in long)
    assert article_id("pagi", "k") != article_id("sore", "k")
    assert clean("é\ud800\x00") == "é?"


def test_a_page_is_packed_and_unpacked_byte_for_byte() -> None:
    raw = RawPage(url="https://pagi.test/1", body=b"<p>Isi</p>" * 100, content_type=None, fetched_at=NOW)

    assert unpack(_Row(pack(raw))) == raw
    assert unpack(_Row(pack(replace(raw, body=b"")))).body == b""


def test_the_pages_of_one_article_are_kept_as_one_and_come_apart_again() -> None:
    second = RawPage(url="https://pagi.test/1?page=2", body=b"\n{}\n\x00", content_type="text/html", fetched_at=NOW)
    third = RawPage(url="https://pagi.test/1?page=3", body=b"", content_type=None, fetched_at=NOW)
    raw = RawPage(
        url="https://pagi.test/1",
        body=b"<p>Isi</p>\n",
        content_type="text/html",
        fetched_at=NOW,
        further=(second, third),
    )

    assert unpack(_Row(pack(raw))) == raw
