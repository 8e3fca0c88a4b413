"""Extraction measured against labelled pages, over the code the daemon runs: extract, then normalize.

``extract(url, html)`` is what the score script of the labelled sets calls. ``python -m bench.extraction`` prints
our scores beside the stored peers' when the sets are there (``$WARTA_SHARED`` or ``../shared``).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from config.load import load
from config.model import Outlet, Politeness
from crawlers.extract import extract as read_page
from crawlers.model import DateCandidate, Extraction, Normalized
from crawlers.normalize import normalize
from crawlers.normalize.times import ChosenTime, choose
from crawlers.page import rules_for

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


#: News that is updated after a year is an explainer that keeps its date.
_EVERGREEN = timedelta(days=366)


def extract(url: str, html: str) -> dict[str, Any]:
    """What extraction says of one page, and the instant that normalization chooses from its claims.

    The labelled texts keep datelines, soft hyphens and agencies among the authors, as the pages print them;
    :func:`normalized` is the same page with these taken apart.
    """
    extraction = read_page(html, url)
    shown = _shown(extraction)
    return {
        "text": "\n\n".join(block.text for block in extraction.blocks),
        "title": extraction.title,
        "authors": list(extraction.authors),
        "date": None if shown is None else _written(shown, extraction.dates),
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


def _shown(extraction: Extraction) -> datetime | None:
    """The date that a reader of the page is told, which is what the labels hold.

    For news that is its first publication, unless only the day of the update is printed; a guide or a blog post has
    the date that stands under its headline, whatever its metadata say.
    """
    published = _choose(extraction.dates, "published")
    updated = _choose(extraction.dates, "updated")
    kind = dict(extraction.provenance).get("type", "")
    news = kind.endswith(("NewsArticle", "LiveBlogPosting"))
    printed = _printed(extraction.dates, {"published"} if news else {"published", "updated"})
    if published is None or not printed or kind == "LiveBlogPosting":
        first = published or updated
        return first.value if first else None
    days = {instant.date() for instant in printed}
    if published.value.date() in days:
        return published.value
    if not news:
        stated = any(c.where == "meta[article:published_time]" for c in extraction.dates)
        return published.value if stated else printed[0]
    if updated is not None and updated.value.date() in days and updated.value - published.value < _EVERGREEN:
        return updated.value
    return published.value


def _printed(claims: Sequence[DateCandidate], roles: set[str]) -> list[datetime]:
    """The dates in the page's text, in its order."""
    seen = [replace(c, role="published") for c in claims if c.source == "visible" and c.role in roles]
    read = choose(seen, timezone=UTC_ZONE, now=datetime.now(UTC))
    return [r.value for r in read.candidates if r.value is not None and not r.note] if read else []


def _choose(claims: Sequence[DateCandidate], role: str) -> ChosenTime | None:
    """The best claim; without the outlet's zone a clock time in its text means nothing, so that comes last."""
    now = datetime.now(UTC)
    declared = [c for c in claims if c.source in {"jsonld", "meta"}]
    for some in (declared, claims):
        if (chosen := choose(some, timezone=UTC_ZONE, now=now, role=role)) is not None:
            return chosen
    return None


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


def _parse(body: bytes) -> object:
    return etree.fromstring(body, etree.HTMLParser(encoding="utf-8"))


def _cpu_ms(work: Callable[[], object], rounds: int = 20) -> float:
    """Milliseconds of CPU of the quickest of some rounds."""
    took = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return min(took) * 1e3


def ruled(root: Path, shared: Path) -> None:
    """CPU of pages that an outlet's rules read, as a multiple of a bare lxml parse; smallest pages say least."""
    outlets = {o.id: o for o in load(root / "config" / "warta.yaml", {}).outlets}
    pages = [(p.parent.parent.name, p) for p in sorted(root.glob("tests/outlets/*/*/page.html"))]
    real = sorted(p for some in ("html", "html_shape_2026") for p in shared.glob(f"samples/{some}/*/*.html"))
    pages += [(p.parent.name.replace("_", ""), p) for p in real]
    rows: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    for name, path in pages:
        if (outlet := outlets.get(name)) is None:
            continue
        body, rules, url = path.read_bytes(), rules_for(outlet, None), outlet.homepage
        if ("body", "rules") not in read_page(body, url, rules=rules).provenance:
            continue
        bare = _cpu_ms(partial(_parse, body))
        ours = _cpu_ms(partial(read_page, body, url, rules=rules))
        kind = "fictional" if root in path.parents else "real"
        rows.setdefault((kind, name), []).append((len(body), bare, ours))
    print(f"{'pages':<10} {'outlet':<16} {'n':>3} {'kB':>7} {'bare ms':>8} {'ours ms':>8} {'ratio':>6}")
    for kind in ("real", "fictional"):
        mine = {key[1]: row for key, row in rows.items() if key[0] == kind}
        for name, row in [*sorted(mine.items()), ("all", [page for some in mine.values() for page in some])]:
            size, bare, ours = (sum(values) for values in zip(*row, strict=True)) if row else (0, 0.0, 0.0)
            count = max(1, len(row))
            cost = f"{bare / count:>8.2f} {ours / count:>8.2f} {ours / bare if bare else 0:>6.2f}"
            print(f"{kind:<10} {name:<16} {len(row):>3} {size / count / 1e3:>7.1f} {cost}")


def main(arguments: list[str]) -> int:
    """Print the tables; further arguments go to the score script (``--sets news-english --worst 10``).

    With ``--ruled``, the cost of pages read by the rules of the shipped outlets instead.
    """
    root = Path(__file__).resolve().parent.parent
    shared = Path(os.environ.get("WARTA_SHARED", root.parent / "shared"))
    if "--ruled" in arguments:
        ruled(root, shared)
        return 0
    script = shared / "extraction-eval" / "score.py"
    if not script.exists():
        print(f"no labelled pages at {script}; set WARTA_SHARED to the directory that holds them", file=sys.stderr)
        return 2
    command = [sys.executable, str(script), "--extractor", "bench.extraction:extract", "--name", "warta", *arguments]
    return subprocess.run(command, cwd=root, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
