"""The next page of an article that is spread over several.

Believed only when its address is the article's own with the next number: ``?page=2``, ``/2``, ``/page/2``,
``-part2``. What ``rel=next`` names is, on many sites, another article.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from crawlers.extract.meta import Head, absolute
from crawlers.extract.parse import Element

#: Parameters that number pages.
_PARAMETER: Final = re.compile(r"(?:^|&)(?:page|page_num|paged|halaman|hal|pg)=(\d{1,2})(?=&|$)", re.IGNORECASE)
_TAIL: Final = re.compile(r"(?:/(?:page|halaman)[/-]|-part|/)(\d{1,2})/?$", re.IGNORECASE)
#: Links and options looked at on one page.
_MOST: Final = 3_000


def next_page(root: Element, head: Head, url: str) -> str | None:
    """Absolute address of the page after `url`, from ``rel=next``, a pager's links or its list of options."""
    named = _plain(head.link("canonical") or url)
    own, current = _numbered(url)
    if own != named and not _PARAMETER.search(urlsplit(url).query):
        # A number that ends an address counts pages only where the page itself is known without it.
        own, current = _plain(url), 1
    seen = 0
    following = str(current + 1)
    if (declared := head.link("next")) and _follows(declared, {own, named}, current):
        return declared
    for element in root.iter("a", "option"):
        seen += 1
        if seen > _MOST:
            return None
        link = element.get("href") or (element.get("value") if element.tag == "option" else None)
        if not link or not link.rstrip("/").endswith(following):
            continue
        address = absolute(link, head.base)
        if address and _follows(address, {own, named}, current):
            return address
    return None


def _follows(address: str, articles: set[str], current: int) -> bool:
    article, number = _numbered(address)
    return number == current + 1 and article in articles


def _numbered(url: str) -> tuple[str, int]:
    """The address without scheme, fragment and number of the page, and that number, 1 where there is none."""
    parts = urlsplit(url)
    number = 1
    query = parts.query
    if found := _PARAMETER.search(query):
        number, query = int(found[1]), _PARAMETER.sub("", query).strip("&")
    path = parts.path
    if number == 1 and (tail := _TAIL.search(path)) and 1 < int(tail[1]) <= 20:
        number, path = int(tail[1]), path[: tail.start()]
    return _joined(parts.netloc, path, query), number


def _plain(url: str) -> str:
    parts = urlsplit(url)
    return _joined(parts.netloc, parts.path, parts.query)


def _joined(host: str, path: str, query: str) -> str:
    return f"{host.lower().removeprefix('www.')}{path.rstrip('/')}?{query}"
