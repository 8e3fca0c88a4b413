"""Every claim the page makes about when it was published or updated, with the place of the claim."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from crawlers.extract.jsonld import Described, text_of
from crawlers.extract.meta import Head, line
from crawlers.extract.parse import Element
from crawlers.model import DateCandidate

_PUBLISHED: Final = (
    "article:published_time", "og:published_time", "datepublished", "parsely-pub-date", "sailthru.date",
    "publishdate", "publish-date", "publish_date", "pubdate", "published_time", "published-date", "article.published",
    "content_publisheddate", "publication_date", "article_date_original", "article:published", "dc.date.issued",
    "dcterms.created", "dcterms.date", "dc.date", "dc.date.created", "date", "cxenseparse:recs:publishtime",
    "cxenseparse:publishtime", "originalpublicationdate", "rnews:datepublished", "jpnncom_news_pubdate",
    "displaydate", "ptime", "last-published", "citation_publication_date", "citation_date", "created", "datecreated",
)  # fmt: skip
_UPDATED: Final = (
    "article:modified_time", "og:updated_time", "datemodified", "lastmod", "last-modified", "article:updated_time",
    "dcterms.modified", "dc.date.modified", "updated_time", "revised",
)  # fmt: skip
_URL_DATE: Final = re.compile(
    r"/((?:19|20)\d\d)(?:([/-])(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])(?!\d)|(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=[/\-_.]|$|\d{6}))"
)
_MAX_TEXT: Final = 120


def find_dates(
    near: Iterable[Element], late: Iterable[Element], lines: Iterable[str], head: Head, described: Described, url: str
) -> tuple[DateCandidate, ...]:
    """The candidates, the most trusted places first.

    `near` are elements marked as dates, `late` those about the body's end, which count where the others hold none,
    and `lines` the texts around headline and body's end.
    """
    found: dict[tuple[str, str, str], DateCandidate] = {}

    def add(text: str | None, source: str, role: str, where: str) -> None:
        if text and (text := line(text)) and len(text) <= _MAX_TEXT and any(ch.isdigit() for ch in text):
            found.setdefault((text, source, role), DateCandidate(text, source, role, where))

    for node, label in ((described.article, "article"), (described.page, "page")):
        if node is not None:
            for key in ("datePublished", "dateCreated", "uploadDate"):
                add(text_of(node.get(key)), "jsonld", "published", f"jsonld {label}.{key}")
            add(text_of(node.get("dateModified")), "jsonld", "updated", f"jsonld {label}.dateModified")
    for role, names in (("published", _PUBLISHED), ("updated", _UPDATED)):
        for name in names:
            for value in head.meta.get(name, ()):
                add(value, "meta", role, f"meta[{name}]")
    for text, role, where in _visible(near, late, lines):
        add(text, "visible", role, where)
    if match := _URL_DATE.search(url) or _URL_DATE.search(head.link("canonical") or ""):
        add(
            "-".join((match[1], (match[3] or match[5]).zfill(2), (match[4] or match[6]).zfill(2))),
            "url",
            "published",
            "url",
        )
    return tuple(found.values())


_UPDATE_WORD: Final = re.compile(r"updat|modif|revis|diperbarui|aktualis|mis à jour|reviewed|stand:", re.IGNORECASE)
#: A year beside a day, or a span up to now; a time alone is as often the length of a recording.
_DATE: Final = re.compile(
    r"\d{1,4}.{0,14}\b(?:19|20)\d\d\b|\b(?:19|20)\d\d.{1,14}\d{1,2}|\b\d{1,2}[./-]\d{1,2}[./-]\d\d\b|"
    r"\d+ ?\w+ (?:ago|lalu|yang lalu)\b|\bvor \d+ \w+|\bhace \d+ \w+|\bil y a \d+ \w+",
    re.IGNORECASE,
)
#: Each of these has one; looking for it first is cheap.
_DIGIT: Final = re.compile(r"\d")
#: A longer line with a date tells of something else, unless it says what the date is.
_BARE: Final = 60
_TOLD: Final = re.compile(
    r"publi|posted|updat|written|by\b|diterbitkan|dibuat|erstellt|stand:|wib\b|uhr", re.IGNORECASE
)
_MAX_VISIBLE: Final = 12


def _visible(near: Iterable[Element], late: Iterable[Element], lines: Iterable[str]) -> list[tuple[str, str, str]]:
    """Text, role and place of the dates a reader sees: marked elements first, then any short line with a date."""
    found = _marked(near)
    if len(found) < _MAX_VISIBLE:
        found.extend(
            (_unglued(text), "updated" if _UPDATE_WORD.search(text) else "published", "line")
            for text in lines
            if _is_dated(text)
        )
    return found[:_MAX_VISIBLE] or _marked(late)


def _marked(elements: Iterable[Element]) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for element in elements:
        name = f"{element.tag}.{element.get('class') or ''}"[:60]
        told = f"{element.get('itemprop') or ''} {element.get('class') or ''}"
        if "comment" in told:
            continue
        role = "updated" if _UPDATE_WORD.search(told) else "published"
        stamp = element.get("datetime") or (element.get("content") if element.get("itemprop") else None)
        if stamp and _YEAR.search(stamp):  # some templates write "May 28" there
            found.append((stamp, role, f"{name}[datetime]"))
        text = _text(element)
        if text and len(text) <= _MAX_TEXT and _DATE.search(text):
            found.append((text, "updated" if _UPDATE_WORD.search(text) else role, name))
        if len(found) >= _MAX_VISIBLE:
            break
    return found


_YEAR: Final = re.compile(r"\d{4}")


def _text(element: Element) -> str:
    """Its text; with spaces between its parts where a date and a name would be glued to one another without."""
    parts = [part for _, part in zip(range(40), element.itertext(), strict=False)]
    text = line("".join(parts)[:400])
    return text if _DATE.search(text) or len(parts) == 1 else line(" ".join(parts)[:400])


#: A day with the name of its month.
_DAY: Final = re.compile(
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.? \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d\d"
)


def _unglued(text: str) -> str:
    """The day alone where a page sets name, date and counters side by side without a space between them."""
    day = _DAY.search(text)
    if day is None:
        return text
    before, after = text[: day.start()][-1:], text[day.end() :][:1]
    return day.group() if before.isalnum() or after.isalnum() else text


def _is_dated(text: str) -> bool:
    if len(text) > _MAX_TEXT or not _DIGIT.search(text) or not _DATE.search(text):
        return False
    return len(text) <= _BARE or bool(_TOLD.search(text))
