"""The whole of extraction, page by page: read this module first."""

from __future__ import annotations

import logging

from config.model import ArticleRules
from crawlers.extract import body
from crawlers.extract.authors import find_authors
from crawlers.extract.blocks import walk
from crawlers.extract.container import choose
from crawlers.extract.dates import find_dates
from crawlers.extract.images import find_images
from crawlers.extract.jsonld import read_jsonld
from crawlers.extract.meta import read_head
from crawlers.extract.parse import parse
from crawlers.extract.title import choose_title, h1_texts
from crawlers.model import Extraction, PageKind

_log = logging.getLogger(__name__)


def extract(
    html: bytes | str,
    url: str,
    *,
    rules: ArticleRules | None = None,
    content_type: str | None = None,
    language_hint: str | None = None,
) -> Extraction:
    """What a page says, field by field; the same page always gives the same answer.

    Each field comes from the outlet's rules, else from JSON-LD, else from what pages have in common; the
    provenance tells which. Nothing that arrives raises: a page that cannot be read is `PageKind.EMPTY`.

    bytes ─ decode ─ parse ─┬─ head, JSON-LD ─ title, authors, dates, images
                            └─ walk ─ container ─ body ─ kind of page
    """
    try:
        return _extract(html if isinstance(html, str) else html.decode("utf-8", "replace"), url, rules)
    except Exception:  # whatever one page does to us, it stays with that page
        _log.exception("extraction failed", extra={"url": url[:500]})
        return Extraction(url=url, kind=PageKind.EMPTY)


def _extract(html: str, url: str, rules: ArticleRules | None) -> Extraction:
    page = parse(html)
    if page is None:
        return Extraction(url=url, kind=PageKind.EMPTY)
    head = read_head(page.root, url)
    walked = walk(page.root)
    headings = h1_texts(walked.blocks)
    described = read_jsonld(page.jsonld, [*headings, head.first("og:title") or "", head.title or ""])
    title, title_from = choose_title(head, described, headings)
    authors, authors_from = find_authors(page.root, head, described)
    container = choose(walked)
    blocks = body.as_blocks(body.body_blocks(walked, container))
    return Extraction(
        url=url,
        kind=PageKind.ARTICLE if blocks else PageKind.EMPTY,
        canonical_url=head.link("canonical") or head.first("og:url"),
        amp_url=head.link("amphtml"),
        title=title,
        authors=authors,
        dates=find_dates(page.root, head, described, url),
        section=described.text("articleSection") or head.first("article:section"),
        tags=head.every("article:tag", "news_keywords"),
        language=head.language or head.first("og:locale"),
        images=find_images(container.element, head, described),
        blocks=blocks,
        site_name=head.first("og:site_name", "application-name"),
        provenance=(("title", title_from), ("authors", authors_from)),
    )
