from __future__ import annotations

from dataclasses import replace

from crawlers.decide import Verdict
from crawlers.follow import Followed, follow
from crawlers.identity import content_hash
from storage.model import Article, FateKind

VERDICT = Verdict(kind=FateKind.REVISED, rule="url", of="A")


def state(text: str, *, title: str = "Harga beras naik", url: str = "https://koran.test/a") -> Article:
    return Article(
        outlet_id="koran", url=url, url_key="koran.test/a", title=title, body=(), text=text, language="id",
        content_hash=content_hash(title, text),
    )  # fmt: skip


A, B = state("Harga naik 2 persen."), state("Harga naik 3 persen.")


def met(article: Article, *history: Article, retracted: bool = False, moves: bool = False) -> Followed:
    return follow(article, VERDICT, history, retracted=retracted, moves=moves)


def test_another_text_is_a_revision_with_its_materiality() -> None:
    found = met(B, A)

    assert found.verdict.kind is FateKind.REVISED
    assert found.change is not None
    assert (found.change.event, found.change.detail["fields"]) == ("revised", ["text"])
    assert found.change.materiality


def test_a_counter_is_none() -> None:
    found = met(state("Harga naik 2 persen.\nDibaca 12 kali"), A)

    assert (found.verdict.kind, found.change) == (FateKind.UNCHANGED, None)


def test_going_back_twice_is_followed_and_then_it_flaps() -> None:
    history = [A]
    kinds = []
    for number in range(8):
        found = met(B if number % 2 == 0 else A, *history)
        kinds.append(found.verdict.kind)
        if found.verdict.kind is FateKind.REVISED:
            history.append(found.article)
    assert [k is FateKind.REVISED for k in kinds[:3]] == [True, True, True]
    assert len(history) == 4
    assert met(A, *history).verdict.rule == "flapping"
    assert met(state("Harga naik 4 persen."), *history).verdict.kind is FateKind.REVISED


def test_a_page_that_flaps_with_a_counter_on_it_flaps_all_the_same() -> None:
    found = met(state("Harga naik 2 persen.\nDibaca 99 kali"), A, B, A, B)

    assert found.verdict.rule == "flapping"


def test_an_address_counts_only_when_the_outlet_says_that_it_moved() -> None:
    elsewhere = replace(A, url="https://koran.test/b")

    assert met(elsewhere, A).verdict.kind is FateKind.UNCHANGED
    assert met(replace(B, url=elsewhere.url), A).article.url == A.url
    found = met(elsewhere, A, moves=True)
    assert found.change is not None
    assert (found.change.event, found.change.detail["from"], found.change.detail["to"]) == (
        "moved", A.url, elsewhere.url,
    )  # fmt: skip


def test_an_article_does_not_move_back_and_forth() -> None:
    elsewhere = replace(A, url="https://koran.test/b")

    assert met(A, A, elsewhere, moves=True).verdict.kind is FateKind.UNCHANGED


def test_moves_make_no_returns() -> None:
    moved = [replace(A, url=f"https://koran.test/{n}") for n in range(5)]

    assert met(B, A, *moved).verdict.kind is FateKind.REVISED


def test_https_and_www_are_no_move() -> None:
    assert met(replace(A, url="http://www.koran.test/a/"), A, moves=True).verdict.kind is FateKind.UNCHANGED


def test_what_was_taken_back_and_returns_is_a_revision_though_nothing_changed() -> None:
    found = met(A, A, retracted=True)

    assert found.verdict.kind is FateKind.REVISED
    assert found.change is not None
    assert (found.change.event, found.change.materiality, found.change.detail["restored"]) == ("revised", 1.0, True)
