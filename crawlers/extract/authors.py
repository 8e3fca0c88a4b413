"""Who wrote it: names as JSON-LD, meta and the visible byline give them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from crawlers.extract.jsonld import Described, text_of, types_of
from crawlers.extract.meta import Head, line
from crawlers.extract.parse import Element

_MAX_NAMES: Final = 30
_BY: Final = re.compile(
    r"^\s*(?:by|von|par|por|di|oleh|door|af|av|texte?|text by|written by|author|penulis|reporter|reported by|di)\s*[:\s]\s*",
    re.IGNORECASE,
)
_AND: Final = re.compile(r"\s*(?:,|;|\||•|·|\s&\s|\s(?:and|und|et|y|dan|e|en|og|och|with)\s)\s*", re.IGNORECASE)
_NOT_A_NAME: Final = re.compile(r"https?:|www\.|@|\d{3}|[<>{}\[\]=]", re.IGNORECASE)


def find_authors(bylines: Iterable[Element], head: Head, described: Described) -> tuple[tuple[str, ...], str]:
    """The names in order, and where they were found."""
    names = _from_jsonld(described)
    if names:
        return names, "jsonld"
    names = _names(
        head.every(
            "author",
            "article:author",
            "dc.creator",
            "byl",
            "parsely-author",
            "sailthru.author",
            "dcterms.creator",
        )
    )
    if names:
        return names, "meta"
    names = _names(_bylines(bylines))
    return names, "generic" if names else ""


def _from_jsonld(described: Described) -> tuple[str, ...]:
    found: list[str] = []
    value = described.value("author", "creator")
    for author in value if isinstance(value, list) else [value]:
        author = described.resolve(author)
        if isinstance(author, dict) and set(types_of(author)) & {"Organization", "NewsMediaOrganization"}:
            continue
        found.extend(_texts(author))
    return _names(found)


def _texts(author: Any) -> list[str]:
    if isinstance(author, dict) and isinstance(author.get("name"), list):
        return [t for t in map(text_of, author["name"][:_MAX_NAMES]) if t]
    text = text_of(author)
    return [text] if text else []


def _names(texts: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    names: dict[str, str] = {}
    for text in texts[:_MAX_NAMES]:
        for name in _AND.split(_BY.sub("", text)):
            name = name.strip(" .:-–—")
            if 2 < len(name) <= 60 and not _NOT_A_NAME.search(name) and len(name.split()) <= 6:
                names.setdefault(name.casefold(), name)
    return tuple(names.values())[:_MAX_NAMES]


def _bylines(elements: Iterable[Element]) -> list[str]:
    found = []
    for element in elements:
        text = element.get("content") or line(" ".join(element.itertext()))
        if text and len(text) < 120:
            found.append(text)
            break
    return found
