from __future__ import annotations

from collections.abc import Callable

import pytest

from crawlers.extract import extract
from crawlers.model import PageKind

Page = Callable[..., str]
LD = "<script type='application/ld+json'>{}</script>"
STUB = "<p>The harbour council met behind closed doors on Tuesday, and what it decided will cost the town.</p>"


@pytest.mark.parametrize(
    ("url", "text", "head", "kind"),
    [
        ("https://x.example/a", "", "", PageKind.ARTICLE),
        ("https://x.example/", "", "", PageKind.INDEX),
        ("https://x.example/a", "", LD.format('{"@type":"LiveBlogPosting","headline":"x"}'), PageKind.LIVE),
        ("https://x.example/live-updates/a", "", "", PageKind.LIVE),
        ("https://x.example/blogs/live/zero-waste", "", "", PageKind.ARTICLE),
        ("https://x.example/video/a", STUB, "", PageKind.VIDEO),
        ("https://x.example/foto/a", STUB, "", PageKind.PHOTO),
        ("https://x.example/foto/a", "", "", PageKind.ARTICLE),
        (
            "https://x.example/a",
            STUB,
            LD.format('{"@type":"NewsArticle","isAccessibleForFree":"False"}'),
            PageKind.PAYWALL,
        ),
        ("https://x.example/a", "", LD.format('{"@type":"NewsArticle","isAccessibleForFree":false}'), PageKind.ARTICLE),
        ("https://x.example/a", STUB + "<p>Subscribe to continue reading.</p>", "", PageKind.PAYWALL),
        ("https://x.example/a", "<p>Hi.</p>", "", PageKind.EMPTY),
        ("https://x.example/a", "", LD.format('{"@type":"CollectionPage"}'), PageKind.INDEX),
    ],
)
def test_kinds_of_page(article: Page, url: str, text: str, head: str, kind: PageKind):
    assert extract(article(text, head=head), url).kind is kind


def test_a_page_of_headlines_that_are_links_is_an_index():
    links = "".join(f"<li><a href='/s/{n}'>The council buys ferry number {n} this spring</a></li>" for n in range(30))
    assert (
        extract(f"<html><title>Sea</title><h1>Sea</h1><ul>{links}</ul>", "https://x.example/sea").kind is PageKind.INDEX
    )


def test_an_article_beside_sixty_teasers_is_an_article(article: Page):
    links = "".join(f"<li><a href='/s/{n}'>The council buys ferry number {n} this spring</a></li>" for n in range(60))
    assert extract(article(below=f"<ul>{links}</ul>"), "https://x.example/a").kind is PageKind.ARTICLE
