from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import combinations

import pytest

from newsroom.text import compose
from newsroom.text.grammar import Grammar

AT = datetime(2026, 8, 14, 3, tzinfo=UTC)


def shingles(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def written(seed: int, topic: str) -> compose.Body:
    brief = compose.Brief(seed, topic, AT, "Kabarniaga.co.id")
    return compose.body(brief, compose.head(brief))


@pytest.mark.parametrize("topic", sorted(compose.TOPICS))
def test_different_stories_share_less_than_a_fifth_of_their_words(topic: str) -> None:
    sets = [shingles(" ".join(written(seed, topic).paragraphs)) for seed in range(120)]
    assert max(len(a & b) / len(a | b) for a, b in combinations(sets, 2)) < 0.2


@pytest.mark.parametrize("topic", sorted(compose.TOPICS))
def test_no_slot_and_no_bracket_is_left_in_a_text(topic: str) -> None:
    for seed in range(150):
        brief = compose.Brief(seed, topic, AT, "Kabarniaga.co.id")
        top = compose.head(brief)
        body = compose.body(brief, top)
        text = " ".join([top.title, *compose.other_titles(brief, top), *body.paragraphs, *body.tags, body.caption])
        assert not set("{}|_") & set(text)
        assert all(p[:1].isupper() or not p[:1].isalpha() for p in body.paragraphs)
        assert len(body.paragraphs) >= 4


def test_the_same_seed_writes_the_same_story() -> None:
    assert written(3, "markets") == written(3, "markets")
    assert written(3, "markets") != written(4, "markets")


def test_a_story_has_three_different_titles() -> None:
    for seed in range(50):
        brief = compose.Brief(seed, "markets", AT, "K")
        top = compose.head(brief)
        assert len({top.title, *compose.other_titles(brief, top)}) == 3


def test_choices_nest_and_unclosed_ones_are_told() -> None:
    grammar = Grammar({"a": ["x"]})
    assert {grammar.expand("[{a}|y[1|2]]", random.Random(n), {}) for n in range(40)} == {"x", "y1", "y2"}
    with pytest.raises(ValueError, match="never closed"):
        grammar.expand("[a|b", random.Random(1), {})
    with pytest.raises(ValueError, match="unbalanced"):
        grammar.expand("a]b", random.Random(1), {})


def test_sentences_and_quotes_begin_with_capitals() -> None:
    sentence = Grammar({}).sentence('dia berkata, "kami siap. mari." lalu pergi', random.Random(1), {})
    assert sentence == 'Dia berkata, "Kami siap. Mari." lalu pergi'
