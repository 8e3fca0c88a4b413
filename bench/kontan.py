"""How clean Kontan's articles come out: ``python -m bench.kontan [FOLDER] [--show N]``.

Reads every CSV, JSON and JSON-lines file of a folder of scraped Kontan texts, puts each text through the real
normalizer with the shipped outlet, and prints shares. What is right is decided here by other means than
the normalizer's: plain string searches and one expression over the raw text.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.load import load
from config.model import Outlet
from crawlers.model import Extraction, Normalized
from crawlers.normalize import normalize
from storage.model import Article, Block, BlockKind

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 23, tzinfo=UTC)

BODY_KEYS = ("isi", "content", "body", "text", "article", "berita", "full_text", "isi_berita")
TITLE_KEYS = ("judul", "title", "headline")
URL_KEYS = ("link", "url")

#: Strings that no clean Kontan text holds.
BOILERPLATE = {
    "Baca Juga:": r"[Bb]aca [Jj]uga ?:",
    "Editor:": r"\bEditor ?:",
    "Reporter:": r"\bReporter ?:",
    "Penulis:": r"\bPenulis ?:",
    "Sumber:": r"\bSumber ?:",
    "Cek Berita dan Artikel": r"Cek Berita dan Artikel",
    "Tonton:": r"\bTonton ?:",
    "Selanjutnya:": r"\bSelanjutnya ?: ?[A-Z]",
    "Menarik Dibaca:": r"Menarik Dibaca ?:",
    "ILUSTRASI.": r"ILUSTRASI\.",
    "INDEKS BERITA": r"INDEKS BERITA",
    "Berita Terkait": r"Berita Terkait",
    "googletag": r"googletag",
    "dateline brand": r"\b[A-Z]{5,}\.(?:CO\.ID|ID) ?[-–—]",
    "CSS": r"\{[^{}]*[:;][^{}]*\}",
    "U+00A0": "\u00a0",
    "zero width, BOM, soft hyphen": "[\u200b-\u200f\u2060\ufeff\u00ad]",
    "double space": "  ",
}

_BRAND = re.compile(
    r"(?P<brand>[A-Z]{4,}(?:\.[A-Z]{2,3})+)[\s\u00a0]*(?P<dash>[-–—]*)[\s\u00a0]*(?P<rest>.*)", re.DOTALL
)
_UPPER = re.compile(
    r"(?P<places>[^a-z.]{3,60}?)\s*(?:\.(?=[\s\u00a0A-Z\"“])|\s[-–—]\s|[-–—](?=\s))\s*(?P<rest>.*)", re.DOTALL
)
_LITERAL = re.compile(
    r"(?P<places>Jakarta|Singapura|Surabaya|Bandung|Bali|New York)\s*(?:\.|[-–—])\s*(?P<rest>.*)", re.DOTALL
)
_LABEL = re.compile(r"(?<!\w)(Editor|Reporter) ?: ?(?=[A-Z])")


@dataclass(frozen=True)
class Expected:
    """What one expression reads in the raw text."""

    brand: str | None
    places: tuple[str, ...]
    #: The text after the dateline.
    rest: str


@dataclass
class Report:
    """Counts over all texts, and the mistakes to look at."""

    texts: int = 0
    rejected: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    dateline: Counter[str] = field(default_factory=Counter)
    right: int = 0
    lost: int = 0
    named: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    mistakes: list[str] = field(default_factory=list)


def texts(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Title, address and text of every record below `folder`."""
    for path in sorted(folder.rglob("*")):
        for record in records(path):
            body = next((record[k] for k in BODY_KEYS if isinstance(record.get(k), str) and record[k].strip()), "")
            title = next((record[k] for k in TITLE_KEYS if isinstance(record.get(k), str) and record[k]), "Tanpa judul")
            url = next((record[k] for k in URL_KEYS if isinstance(record.get(k), str) and record[k]), "")
            if body:
                yield title, url if url.startswith("http") else "https://nasional.kontan.co.id/news/x", body


def records(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of one file; files of other kinds have none."""
    if path.suffix == ".csv":
        csv.field_size_limit(2**30)
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    elif path.suffix == ".json":
        data = json.loads(path.read_text("utf-8"))
        yield from (row for row in (data if isinstance(data, list) else [data]) if isinstance(row, dict))
    elif path.suffix == ".jsonl":
        lines = path.read_text("utf-8").splitlines()
        yield from (row for line in lines if line.strip() and isinstance(row := json.loads(line), dict))
    elif path.suffix == ".txt":
        title, _, body = path.read_text("utf-8").partition("\n")
        yield {"title": title, "text": body}


def expected(text: str) -> Expected:
    """Brand and places by a plain reading of the raw text, byline in front left out."""
    text = text.lstrip()
    if re.match(r"(?:ILUSTRASI\.|Reporter|Sumber|Penulis|Editor) ?:?", text):
        found = re.search(r"(?:KONTAN\.CO\.ID|MOMSMONEY\.ID)[\s\u00a0]*[-–—]", text[:1200])
        text = text[found.start() :] if found else text
    found = _BRAND.match(text)
    brand, rest = (found["brand"], found["rest"]) if found else (None, text)
    place = _UPPER.match(rest) or _LITERAL.match(rest)
    if place is None or not re.search(r"[A-Z]{3}|^[A-Z][a-z]", place["places"]):
        return Expected(brand, (), rest)
    places = tuple(" ".join(p.split(",")[0].split()) for p in place["places"].split("/"))
    return Expected(brand, tuple(p for p in places if p), place["rest"])


def article_of(title: str, url: str, body: str, outlet: Outlet) -> Article | None:
    """The text as the paragraphs of a page, normalized."""
    lines = [line for line in body.split("\n") if line.strip()]
    blocks = tuple(Block(BlockKind.PARAGRAPH, line) for line in lines)
    page = Extraction(url=url, title=title, blocks=blocks)
    result = normalize(page, outlet=outlet, entry=None, fetched_url=url, fetched_at=NOW, now=NOW)
    return result.article if isinstance(result, Normalized) else None


def judge(report: Report, title: str, url: str, body: str, outlet: Outlet) -> None:
    """Add one text to the report."""
    report.texts += 1
    article = article_of(title, url, body, outlet)
    if article is None:
        report.rejected += 1
        report.mistakes.append(f"rejected: {title}")
        return
    for name, pattern in BOILERPLATE.items():
        report.before[name] += bool(re.search(pattern, body))
        if found := re.search(pattern, article.text):
            report.after[name] += 1
            around = article.text[max(found.start() - 60, 0) : found.end() + 60]
            report.mistakes.append(f"{name} left: …{around!r}…")
    judge_opening(report, article, expected(body))
    labels = {match[1] for match in _LABEL.finditer(body)}
    for label, caught in (("Editor", bool(article.editor)), ("Reporter", bool(article.authors))):
        report.named[label] += label in labels
        report.caught[label] += label in labels and caught
        if label in labels and not caught:
            report.mistakes.append(f"{label} missed: {title}")


def judge_opening(report: Report, article: Article, wanted: Expected) -> None:
    """Whether the dateline was decided right and the first sentence is still there."""
    kind = f"{'brand' if wanted.brand else 'no brand'}, {'place' if wanted.places else 'no place'}"
    report.dateline[kind] += 1
    if (article.brand, article.places) == (wanted.brand, wanted.places):
        report.right += 1
    else:
        report.mistakes.append(
            f"dateline {article.brand} {article.places}, expected {wanted.brand} {wanted.places}: {wanted.rest[:60]!r}"
        )
    first = re.sub(r"[\s\u00a0]+", " ", wanted.rest)[:60].strip()
    if not re.sub(r"\s+", " ", article.text).startswith(first[:50]):
        report.lost += 1
        report.mistakes.append(f"first sentence: expected {first!r}, got {article.text[:60]!r}")


def share(part: int, whole: int) -> str:
    """``319 of 320 (99.7 %)``."""
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "none to judge"


def show(report: Report, mistakes: int) -> None:
    """Print the shares."""
    print(f"Kontan report: {report.texts} texts, {report.rejected} rejected\n")
    print(f"{'boilerplate string':<32}{'texts before':>14}{'after':>8}")
    for name in BOILERPLATE:
        print(f"{name:<32}{report.before[name]:>14}{report.after[name]:>8}")
    print(f"\nboilerplate strings left        {sum(report.after.values())}")
    print(f"dateline decided right          {share(report.right, report.texts - report.rejected)}")
    for kind, count in report.dateline.most_common():
        print(f"  {kind:<30}{count}")
    print(f"first sentence lost             {report.lost}")
    print(f"editors caught                  {share(report.caught['Editor'], report.named['Editor'])}")
    print(f"reporters caught                {share(report.caught['Reporter'], report.named['Reporter'])}")
    for mistake in report.mistakes[:mistakes]:
        print(f"  {mistake}")


def main() -> int:
    """Print the report; 1 when something is wrong."""
    shared = Path(os.environ.get("WARTA_SHARED", ROOT.parent / "shared"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=shared / "samples" / "text" / "kontan")
    parser.add_argument("--show", type=int, default=10, metavar="N", help="mistakes printed (10)")
    options = parser.parse_args()
    if not options.folder.is_dir():
        print(f"{options.folder}: no such folder; name one with texts, or set WARTA_SHARED", file=sys.stderr)
        return 2
    outlet = load(ROOT / "config" / "warta.yaml", {}).outlet("kontan")
    assert outlet is not None
    report = Report()
    for title, url, body in texts(options.folder):
        judge(report, title, url, body, outlet)
    show(report, options.show)
    return 1 if report.mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
