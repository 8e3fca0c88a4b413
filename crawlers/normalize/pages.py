"""One article out of the pages it was spread over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crawlers.model import Extraction
from crawlers.normalize.text import clean_line
from storage.model import Block

#: Shorter lines may rightly occur twice (subheads, answers).
_LONG_ENOUGH = 40


def join(pages: Sequence[Extraction]) -> Extraction:
    """The first page with the paragraphs, pictures, links and tags of the others.

    Paragraphs that a later page repeats (AMP and summary boxes do) come once. Dates, names and address are the
    first page's; fields it lacks are filled from the next that has them. `next_url` is the last page's.

    :raises ValueError: without pages.
    """
    if not pages:
        raise ValueError("join() needs at least one page")
    first, last = pages[0], pages[-1]
    return replace(
        first,
        next_url=last.next_url,
        title=_first_of([page.title for page in pages]),
        subtitle=_first_of([page.subtitle for page in pages]),
        editor=_first_of([page.editor for page in pages]),
        byline=_first_of([page.byline for page in pages]),
        section=_first_of([page.section for page in pages]),
        authors=next((page.authors for page in pages if page.authors), ()),
        dates=next((page.dates for page in pages if page.dates), ()),
        blocks=_blocks(pages),
        images=tuple({image.url: image for page in reversed(pages) for image in reversed(page.images)}.values())[::-1],
        related=tuple(dict.fromkeys(link for page in pages for link in page.related)),
        tags=tuple(dict.fromkeys(tag for page in pages for tag in page.tags)),
    )


def _blocks(pages: Sequence[Extraction]) -> tuple[Block, ...]:
    joined: list[Block] = []
    known: set[str] = set()
    for page in pages:
        lines = [clean_line(block.text) for block in page.blocks]
        joined.extend(b for b, line in zip(page.blocks, lines, strict=True) if line not in known)
        known.update(line for line in lines if len(line) >= _LONG_ENOUGH)
    return tuple(joined)


def _first_of(values: Sequence[str | None]) -> str | None:
    return next((value for value in values if value), None)
