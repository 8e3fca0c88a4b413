"""Fictional pages in the shapes that taught the extractor."""

from __future__ import annotations

from collections.abc import Callable

import pytest

SENTENCE = "The harbour council of Port Lindow agreed on {n} new ferries after a long night of talks. "

Page = Callable[..., str]


def paragraphs(count: int, start: int = 1) -> str:
    """`count` paragraphs of two sentences, each different."""
    return "".join(
        f"<p>{SENTENCE.format(n=n)}Number {n} of its members voted against, one abstained.</p>"
        for n in range(start, start + count)
    )


@pytest.fixture
def article() -> Page:
    """A page with the given head, things above and below the text, and the text itself."""

    def build(
        text: str = "", *, head: str = "", above: str = "", below: str = "", h1: str = "Ferries for Port Lindow"
    ) -> str:
        text = text or paragraphs(6)
        return (
            f"<!doctype html><html lang='en'><head><title>{h1} - The Lindow Post</title>{head}</head><body>"
            f"<nav><ul><li><a href='/'>Home</a></li><li><a href='/sea'>Sea</a></li></ul></nav>"
            f"<main><h1>{h1}</h1>{above}<div class='text'>{text}</div>{below}</main>"
            "<footer><p>All that is printed here belongs to the Lindow Post company of Port Lindow.</p></footer>"
            "</body></html>"
        )

    return build
