"""Extraction measured against labelled pages, over the code the daemon runs: extract, then normalize.

``extract(url, html)`` is what the score script of the labelled sets calls. ``python -m bench.extraction`` prints
our scores beside the stored peers' when the sets are there (``$WARTA_SHARED`` or ``../shared``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.model import Outlet, Politeness
from crawlers.extract import extract as read_page
from crawlers.model import Extraction, Normalized
from crawlers.normalize import normalize
from storage.model import Article

#: An outlet of which nothing is known: no rules, no brands, no zone.
UNKNOWN = Outlet(
    id="unknown",
    name="",
    homepage="https://unknown.invalid/",
    group=None,
    language="en",
    timezone=ZoneInfo("UTC"),
    hosts=(),
    sources=(),
    politeness=Politeness(user_agent="warta-bench"),
)


def extract(url: str, html: str) -> dict[str, Any]:
    """One page as the score script wants it; a page that the daemon would reject is scored by what it says."""
    now = datetime.now(UTC)
    extraction = read_page(html, url)
    result = normalize(extraction, outlet=UNKNOWN, entry=None, fetched_url=url, fetched_at=now, now=now)
    if not isinstance(result, Normalized):
        return {
            "text": "\n\n".join(block.text for block in extraction.blocks),
            "title": extraction.title,
            "authors": list(extraction.authors),
            "date": _first_date(extraction),
            "image": extraction.images[0].url if extraction.images else None,
            "language": extraction.language,
        }
    article = result.article
    return {
        "text": article.text,
        "title": article.title,
        "authors": list(article.authors),
        "date": _date(article, extraction),
        "image": article.images[0].url if article.images else None,
        "language": article.language,
        "section": article.section,
    }


def _date(article: Article, extraction: Extraction) -> str | None:
    """The instant, written in the zone in which the page wrote it: the sets ask for the day on the page."""
    if article.published is None or article.published_from == "first_seen":
        return None
    for claim in extraction.dates:
        written = _iso(claim.text)
        if written is not None and written.tzinfo is not None and written == article.published:
            return written.isoformat()
    return article.published.isoformat()


def _first_date(extraction: Extraction) -> str | None:
    for claim in extraction.dates:
        if claim.role == "published" and (written := _iso(claim.text)) is not None:
            return written.isoformat()
    return None


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
