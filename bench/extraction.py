"""Extraction measured against labelled pages, over the code the daemon runs: extract, then normalize.

``extract(url, html)`` is what the score script of the labelled sets calls. ``python -m bench.extraction`` prints
our scores beside the stored peers' when the sets are there (``$WARTA_SHARED`` or ``../shared``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.model import Outlet, Politeness
from crawlers.extract import extract as read_page
from crawlers.model import DateCandidate, Normalized
from crawlers.normalize import normalize
from crawlers.normalize.times import choose

UTC_ZONE = ZoneInfo("UTC")

#: An outlet of which nothing is known: no rules, no brands, no zone.
UNKNOWN = Outlet(
    id="unknown",
    name="",
    homepage="https://unknown.invalid/",
    group=None,
    language="en",
    timezone=UTC_ZONE,
    hosts=(),
    sources=(),
    politeness=Politeness(user_agent="warta-bench"),
)


def extract(url: str, html: str) -> dict[str, Any]:
    """What extraction says of one page, and the instant that normalization chooses from its claims.

    The labelled texts keep datelines, soft hyphens and agencies among the authors, as the pages print them;
    :func:`normalized` is the same page with these taken apart.
    """
    extraction = read_page(html, url)
    chosen = choose(extraction.dates, timezone=UTC_ZONE, now=datetime.now(UTC))
    return {
        "text": "\n\n".join(block.text for block in extraction.blocks),
        "title": extraction.title,
        "authors": list(extraction.authors),
        "date": None if chosen is None else _written(chosen.value, extraction.dates),
        "image": extraction.images[0].url if extraction.images else None,
        "language": extraction.language,
        "section": extraction.section,
    }


def normalized(url: str, html: str) -> dict[str, Any]:
    """One page as it would be stored; empty when it would be rejected."""
    now = datetime.now(UTC)
    extraction = read_page(html, url)
    result = normalize(extraction, outlet=UNKNOWN, entry=None, fetched_url=url, fetched_at=now, now=now)
    if not isinstance(result, Normalized):
        return {}
    article = result.article
    dated = article.published is not None and article.published_from != "first_seen"
    return {
        "text": article.text,
        "title": article.title,
        "authors": list(article.authors),
        "date": _written(article.published, extraction.dates) if dated and article.published else None,
        "image": article.images[0].url if article.images else None,
        "language": article.language,
        "section": article.section,
    }


def _written(instant: datetime, claims: Sequence[DateCandidate]) -> str:
    """The instant in the zone in which the page wrote it: the sets ask for the day on the page."""
    for claim in claims:
        written = _iso(claim.text)
        if written is not None and written.tzinfo is not None and written == instant:
            return written.isoformat()
    return instant.isoformat()


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def main(arguments: list[str]) -> int:
    """Print the tables; further arguments go to the score script (``--sets news-english --worst 10``)."""
    root = Path(__file__).resolve().parent.parent
    shared = Path(os.environ.get("WARTA_SHARED", root.parent / "shared"))
    script = shared / "extraction-eval" / "score.py"
    if not script.exists():
        print(f"no labelled pages at {script}; set WARTA_SHARED to the directory that holds them", file=sys.stderr)
        return 2
    command = [sys.executable, str(script), "--extractor", "bench.extraction:extract", "--name", "warta", *arguments]
    return subprocess.run(command, cwd=root, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
