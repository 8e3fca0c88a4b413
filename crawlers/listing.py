"""HTML pages that list articles: reading them, and the addresses of their days and pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import cssselect
import lxml.html
from lxml import etree

from config.model import Limits, Listing, Selector, SelectorKind, Selectors
from crawlers.dates import read_date
from crawlers.decode import to_text
from crawlers.identity import absolute
from crawlers.model import Discovered, FeedEntry, Problem
from crawlers.plain import MAX_TITLE, plain

#: Links of a head that are looked at.
MAX_LINKS: Final = 50

_PLACEHOLDER: Final = re.compile(r"\{(?:date:([^{}]*)|(page|offset))\}")
_ESCAPE: Final = re.compile(r"%(?=[0-9])")
#: Attributes in which pages keep the exact date of a relative one ("2 jam yang lalu").
_DATE_ATTRIBUTES: Final = ("datetime", "title", "content", "data-date", "data-time")
_TRANSLATOR: Final = cssselect.HTMLTranslator()


def expand(template: str, now: datetime, timezone: tzinfo, page_index: int, listing: Listing | None) -> str:
    """The address of page `page_index` (0 is the first) as of `now`.

    ``{date:%Y/%m/%d}`` is today in `timezone` by strftime, percent escapes of the address such
    as ``%2F`` may stand in it; ``{page}`` and ``{offset}`` are ``listing.first`` and a
    ``listing.step`` more for each page.
    """
    rules = listing or Listing()
    number = rules.first + page_index * rules.step

    def one(found: re.Match[str]) -> str:
        if found[2]:
            return str(number)
        return now.astimezone(timezone).strftime(_ESCAPE.sub("%%", found[1]))

    return _PLACEHOLDER.sub(one, template)


def pages(template: str) -> bool:
    """Whether `template` counts pages itself, so that no link to the next page is needed."""
    return any(found[2] for found in _PLACEHOLDER.finditer(template))


def read_listing(
    body: bytes,
    *,
    url: str,
    content_type: str | None,
    now: datetime,
    timezone: tzinfo,
    limits: Limits,
    listing: Listing | None,
) -> Discovered:
    """The articles the page lists; ``follow`` is its next page, where ``listing.next`` finds one."""
    rules = listing or Listing()
    page = parse(body, content_type)
    if page is None:
        return _without_items()
    base = _base(page, url)
    entries: dict[str, FeedEntry] = {}
    for item, link in _links(page, rules):
        location = absolute(str(link.get("href") or ""), base)
        if location is None:
            continue
        entry = _entry(location, item, link, rules, timezone, now)
        known = entries.get(location)
        # A picture and a headline often link to the same page; the one with words is the headline.
        if known is None or (known.title is None and entry.title):
            entries[location] = entry
    problems = [] if entries else list(_without_items().problems)
    if len(entries) > limits.items:
        message = f"{limits.items} of {len(entries)} links were read; the rest was left out."
        problems.append(Problem(code="too_many_items", message=message))
    following = next((absolute(str(e.get("href") or ""), base) for e in select(page, rules.next)), None)
    return Discovered(
        entries=tuple(entries.values())[: limits.items],
        format="listing",
        follow=(following,) if following and following != url else (),
        problems=tuple(problems),
        title=plain(page.findtext(".//title") or "", limit=MAX_TITLE, tags=False),
        hubs=tuple(_related(page, base, "hub")),
        self_url=next(_related(page, base, "self"), None),
    )


def _related(page: Any, base: str, rel: str) -> Iterator[str]:
    """Addresses of that relation in the page's head (WebSub, section 4); what stands in its body may be a reader's."""
    for link in islice(page.iterfind("head/link"), MAX_LINKS):
        if rel in str(link.get("rel") or "").lower().split() and (url := absolute(str(link.get("href") or ""), base)):
            yield url


def _without_items() -> Discovered:
    problem = Problem(code="empty_feed", message="The page holds no link that the selectors find.")
    return Discovered(entries=(), format="listing", problems=(problem,))


def parse(body: bytes, content_type: str | None) -> Any | None:
    """The page as a tree, or None when there is nothing in it."""
    text = to_text(body, content_type).replace("\0", "")
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_pis=True, huge_tree=False)
    try:
        return lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        return None


def _base(page: Any, url: str) -> str:
    base = next((b.get("href") for b in page.iter("base") if b.get("href")), None)
    return (absolute(base, url) if base else None) or url


def _links(page: Any, rules: Listing) -> Iterator[tuple[Any, Any]]:
    """Pairs of an item and its link; without an item selector every link is its own item."""
    if not rules.item:
        for link in select(page, rules.link) if rules.link else page.iter("a"):
            if (anchor := _anchor(link)) is not None:
                yield link, anchor
        return
    for item in select(page, rules.item):
        found = select(item, rules.link) if rules.link else [item]
        anchor = next((a for a in (_anchor(link) for link in found) if a is not None), None)
        if anchor is not None:
            yield item, anchor


def _anchor(element: Any) -> Any | None:
    """The element itself, the first link inside it, or the link it stands in."""
    if element.get("href"):
        return element
    inside = next((a for a in element.iter("a") if a.get("href")), None)
    if inside is not None:
        return inside
    return next((a for a in element.iterancestors("a") if a.get("href")), None)


def _entry(location: str, item: Any, link: Any, rules: Listing, timezone: tzinfo, now: datetime) -> FeedEntry:
    named = next(iter(select(item, rules.title)), None) if rules.title else None
    title = _words(named) if named is not None else None
    title = title or _words(link) or plain(str(link.get("title") or ""), limit=MAX_TITLE)
    dated = next(iter(select(item, rules.date)), None) if rules.date else None
    published = None if dated is None else _date(dated, timezone, now)
    return FeedEntry(url=location, title=title, published=published)


def _words(element: Any) -> str | None:
    if isinstance(element, str):
        return plain(element, limit=MAX_TITLE, tags=False)
    return plain(" ".join(element.itertext(etree.Element)), limit=MAX_TITLE, tags=False)


def _date(element: Any, zone: tzinfo, now: datetime) -> datetime | None:
    """The first text about the element that reads as a date; exact ones before relative ones."""
    for text in _date_texts(element):
        if value := read_date(text, timezone=zone, now=now):
            return value
    return None


def _date_texts(element: Any) -> Iterator[str]:
    if isinstance(element, str):
        yield element
        return
    for name in _DATE_ATTRIBUTES:
        if value := element.get(name):
            yield value
    # CNN Indonesia keeps the absolute time in a comment beside the relative one.
    for comment in element.iter(etree.Comment):
        yield comment.text or ""
    following = element.getnext()
    if following is not None and following.tag is etree.Comment:
        yield following.text or ""
    yield " ".join(element.itertext(etree.Element))


def select(element: Any, selectors: Selectors) -> list[Any]:
    """What the first selector that finds something finds; elements, or strings of an XPath."""
    for selector in selectors:
        found = _compiled(selector)(element)
        if isinstance(found, list) and found:
            return found
    return []


@lru_cache(maxsize=1024)
def _compiled(selector: Selector) -> etree.XPath:
    if selector.kind is SelectorKind.XPATH:
        return etree.XPath(selector.expression)
    return etree.XPath(_TRANSLATOR.css_to_xpath(selector.expression, prefix="descendant::"))
