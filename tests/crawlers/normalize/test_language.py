from __future__ import annotations

import pytest

from crawlers.normalize.language import choose_language

INDONESIAN = "Petani garam di Teluk Semar menjual hasil panen mereka dengan harga yang lebih tinggi. " * 4
ENGLISH = "The salt farmers of the bay sold what they had gathered at a higher price than last year. " * 4


@pytest.mark.parametrize(
    ("text", "outlet", "declared", "language"),
    [
        (INDONESIAN, "id", None, "id"),
        (ENGLISH, "id", None, "en"),
        (ENGLISH, "en", "en_GB", "en-GB"),
        (INDONESIAN, "ms", None, "ms"),  # the two are one to statistics over letters
        ("Naik.", "id", "en", "id"),
        (INDONESIAN, "id", "en-US", "id"),
        (ENGLISH, "id", "en-US", "en-US"),
        ("", "nonsense tag!", None, "und"),
    ],
)
def test_a_long_text_may_contradict_its_outlet(text: str, outlet: str, declared: str | None, language: str) -> None:
    assert language == choose_language(text, outlet=outlet, declared=declared)
