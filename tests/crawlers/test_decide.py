from __future__ import annotations

from dataclasses import replace

from crawlers.decide import Current, Known, decide
from storage.model import Article, Block, BlockKind, FateKind, Identity, IdentityKey, IdentityKind

ARTICLE = Article(
    outlet_id="koran", url="https://koran.test/a", url_key="koran.test/a", title="Rupiah menguat",
    body=(Block(BlockKind.PARAGRAPH, "Rupiah menguat tipis."),), text="Rupiah menguat tipis.", language="id",
    content_hash="1c", body_hash="1b",
)  # fmt: skip
SAME = Current(article_id="A", title="Rupiah menguat", content_hash="1c", body_hash="1b")
COPIED = Identity(key=IdentityKey(IdentityKind.BODY, "koran", "1b"), article_id="B", fate=FateKind.STORED)


def test_an_article_that_nothing_recognises_is_new() -> None:
    assert decide(ARTICLE, Known()).kind is FateKind.STORED


def test_the_same_address_with_the_same_content_is_unchanged() -> None:
    verdict = decide(ARTICLE, Known(by_url=SAME, by_body=COPIED))

    assert (verdict.kind, verdict.of, verdict.rule) == (FateKind.UNCHANGED, "A", "url")


def test_the_same_address_with_another_text_is_a_revision_that_says_what_changed() -> None:
    verdict = decide(replace(ARTICLE, content_hash="1d", body_hash="1x"), Known(by_url=SAME))

    assert (verdict.kind, verdict.of, verdict.detail) == (FateKind.REVISED, "A", "body changed")


def test_a_moved_article_is_recognised_by_its_guid_and_its_body() -> None:
    verdict = decide(replace(ARTICLE, title="Judul lain", content_hash="1d"), Known(by_guid=SAME))

    assert (verdict.kind, verdict.of, verdict.rule) == (FateKind.REVISED, "A", "guid")


def test_a_guid_that_comes_back_with_another_title_and_body_is_reused_and_the_article_new() -> None:
    other = replace(ARTICLE, title="Harga cabai naik", content_hash="1d", body_hash="1x")

    assert decide(other, Known(by_guid=SAME)).kind is FateKind.STORED


def test_a_known_body_under_another_address_is_a_copy() -> None:
    verdict = decide(ARTICLE, Known(by_body=COPIED))

    assert (verdict.kind, verdict.of, verdict.rule) == (FateKind.DUPLICATE, "B", "body")


def test_a_title_alone_never_decides() -> None:
    same_title = replace(SAME, content_hash="1z", body_hash="1z")

    assert decide(replace(ARTICLE, body_hash="1y", content_hash="1y"), Known()).kind is FateKind.STORED
    assert decide(replace(ARTICLE, body_hash="1y"), Known(by_guid=same_title)).rule == "guid"
