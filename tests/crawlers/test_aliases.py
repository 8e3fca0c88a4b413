from __future__ import annotations

from random import Random

from crawlers.aliases import name
from crawlers.identity import body_hash
from storage.model import Article, IdentityKey, IdentityKind

WORDS = [a + b + c for a in "bdgk" for b in ("ara", "eri", "olu", "uta") for c in ("ng", "s", "n", "k", "m")]


def article(seed: int, *, more: str = "") -> Article:
    text = " ".join(Random(seed).choices(WORDS, k=80)) + more
    return Article(
        outlet_id="o", url="https://o.test/x", url_key="x", title="T", body=(), text=text, language="id",
        body_hash=body_hash(text),
    )  # fmt: skip


def key(text: str) -> IdentityKey:
    return IdentityKey(IdentityKind.URL, "o", text)


def test_a_page_under_its_own_address_is_that_article_however_it_changed() -> None:
    found = name(article(1), [key("a")], [], {key("a"): ("A", article(2))})
    assert (found.article_id, found.rule) == ("A", "url")


def test_a_canonical_that_names_an_article_with_the_same_text_holds() -> None:
    found = name(article(1), [key("amp")], [key("a")], {key("a"): ("A", article(1, more=" tambahan"))})
    assert (found.article_id, found.rule, found.held) == ("A", "canonical", (key("a"),))


def test_a_canonical_that_names_a_different_article_is_refused() -> None:
    found = name(article(1), [key("b")], [key("a")], {key("a"): ("A", article(2))})
    assert found.article_id is None
    assert found.refused == {key("a")}


def test_a_claim_never_overrules_the_address_itself() -> None:
    stored = {key("b"): ("B", article(1)), key("a"): ("A", article(1))}
    found = name(article(1), [key("b")], [key("a")], stored)
    assert (found.article_id, found.held, found.refused) == ("B", (), {key("a")})


def test_a_claim_that_nobody_knows_is_not_believed_in_advance() -> None:
    found = name(article(1), [key("b")], [key("a")], {})
    assert (found.article_id, found.held, found.refused) == (None, (), frozenset())
