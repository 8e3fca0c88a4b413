"""What the page's head says: ``<meta>``, ``<link>``, ``<title>`` and ``lang``, read once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from crawlers.extract.parse import Element

#: A page has some dozens; a hostile one has a million.
_MAX_ENTRIES: Final = 1_000
#: The relations that are asked for; pages list dozens of style sheets and icons beside them.
_RELATIONS: Final = frozenset({"canonical", "amphtml", "next", "prev"})
_MAX_CONTENT: Final = 5_000


@dataclass(frozen=True, slots=True)
class Head:
    """The head's declarations; names are lower-case, values as written, in the order of the page."""

    #: ``name``, ``property``, ``itemprop`` or ``http-equiv`` to contents.
    meta: dict[str, tuple[str, ...]]
    #: ``rel`` to addresses, absolute.
    links: dict[str, tuple[str, ...]]
    title: str | None
    #: ``lang`` of the document element.
    language: str | None
    #: What relative addresses start from.
    base: str

    def first(self, *names: str) -> str | None:
        """The first non-empty content under the first of these names that has one."""
        for name in names:
            for value in self.meta.get(name, ()):
                if value:
                    return value
        return None

    def every(self, *names: str) -> tuple[str, ...]:
        """All contents under these names."""
        return tuple(value for name in names for value in self.meta.get(name, ()) if value)

    def link(self, rel: str) -> str | None:
        """The first address of that relation."""
        return next(iter(self.links.get(rel, ())), None)


def read_head(root: Element, url: str) -> Head:
    """Collect the declarations; they count wherever they stand, since many pages put them into the body."""
    start = next((a for b in root.iter("base") if (a := absolute(b.get("href"), url))), url)
    meta: dict[str, list[str]] = {}
    links: dict[str, list[str]] = {}
    for count, element in enumerate(root.iter("meta", "link")):
        if count >= _MAX_ENTRIES:
            break
        if element.tag == "meta":
            _add_meta(element, meta)
        elif rel := element.get("rel"):
            for name in _RELATIONS.intersection(rel.lower().split()[:5]):
                if href := absolute(element.get("href"), start):
                    links.setdefault(name, []).append(href)
    title = next(root.iter("title"), None)
    return Head(
        meta={key: tuple(values) for key, values in meta.items()},
        links={key: tuple(values) for key, values in links.items()},
        title=line("".join(title.itertext())) if title is not None else None,
        language=root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or root.get("xml:lang"),
        base=start,
    )


def _add_meta(element: Element, meta: dict[str, list[str]]) -> None:
    content = element.get("content")
    if not content:
        return
    content = line(content[:_MAX_CONTENT])
    for attribute in ("property", "name", "itemprop", "http-equiv"):
        if name := element.get(attribute):
            values = meta.setdefault(name.strip().lower()[:100], [])
            if content and content not in values and len(values) < 100:
                values.append(content)


def line(text: str) -> str:
    """Text on one line, single-spaced."""
    return " ".join(text.split())


#: Addresses that joining with any base leaves as they are: nine of ten that are asked for.
_COMPLETE: Final = re.compile(r"https?://[\w.-]+(?::\d+)?/[\w./%~+,@!()*:-]*(?:\?[\w./%~+,@!()*:&=-]+)?", re.ASCII)


def absolute(href: str | None, base: str) -> str | None:
    """An http or https address, or None."""
    if not href:
        return None
    if _COMPLETE.fullmatch(href):
        return href
    try:
        full = urljoin(base, href.strip())
        parts = urlsplit(full)
    except ValueError:
        return None
    return full if parts.scheme in {"http", "https"} and parts.netloc else None
