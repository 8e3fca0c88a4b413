"""Who wrote it: names as JSON-LD, meta and the visible byline give them, agencies and all.

The order is what pages taught: a person in JSON-LD, a person in meta, a person in the byline a reader sees, and
only then the organisation that many templates put into JSON-LD for every article.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from crawlers.extract.blocks import TextBlock
from crawlers.extract.jsonld import Described, text_of, types_of
from crawlers.extract.meta import Head, line
from crawlers.extract.parse import Element
from crawlers.extract.title import letters
from storage.model import BlockKind

_MAX_NAMES: Final = 30
_META: Final = (
    "author",
    "article:author",
    "byl",
    "dc.creator",
    "dcterms.creator",
    "parsely-author",
    "sailthru.author",
    "article:author_name",
    "twitter:data1",
)
_BY: Final = re.compile(
    r"^\W*(?:(?:written|words|text|story|posted|published|reported|reviewed|article|content)\s+by|by|von|par|por|di|"
    r"oleh|door|af|av|texte?|authors?|penulis|pewarta|reporter|autore?|autor(?:in|en)?|redacción)\b\s*:?\s*",
    re.IGNORECASE,
)
_AND: Final = re.compile(r"\s*(?:[,;|•·]|\s&\s|\s(?:and|und|et|y|dan|og|och)\s)\s*", re.IGNORECASE)
_JOINED: Final = re.compile(r"\s+(?:og|och|dan|et|und|and|&)\s+")
_NOT_A_NAME: Final = re.compile(
    r"https?:|www\.|@|\d|[<>{}\[\]=:()?!]|\b(?:editors?|writer|reporter|columnist|correspondent|contributor|staff|senior|"
    r"published|updated|posted|written|read|min|mins|minutes?|comments?|share|follow|subscribe|author|authors|image|photo|"
    r"jan(?:uary)?|feb(?:ruary)?|march|april|june|july|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|"
    r"dec(?:ember)?|monday|tuesday|wednesday|thursday|friday|saturday|sunday|the|view|more|about|all|posts?|profile|"
    r"director|manager|head|founder|ceo|analyst|expert|former|news|home|blog)\b",
    re.IGNORECASE,
)
_PARTICLE: Final = frozenset(
    ["van", "der", "den", "de", "la", "le", "von", "zu", "di", "da", "del", "du", "dos", "bin", "binti", "al", "el"]
)
_ORGANISATION: Final = frozenset({"Organization", "NewsMediaOrganization", "Corporation", "WebSite"})


def find_authors(
    head: Head,
    described: Described,
    near: Sequence[Element],
    lines: Iterable[TextBlock],
    edges: Sequence[TextBlock],
    url: str,
) -> tuple[tuple[str, ...], str]:
    """The names in order, and where they were found.

    `near` are elements marked as bylines, `lines` the blocks around the headline, `edges` the first and last
    blocks of the text, from :mod:`crawlers.extract.around`.
    """
    house = _house(head, described, url)
    persons, organisations = _from_jsonld(described, house)
    if persons:
        return persons, "jsonld"
    named = _unique(_declared(head))
    declared = tuple(n for n in named if letters(n) not in house)
    if declared:
        return declared, "meta"
    lines = list(lines)
    seen = _unique(name for name in _visible(near, lines) if letters(name) not in house)
    seen = seen or _unique(name for name in _signed(edges) if letters(name) not in house)
    if seen:
        return seen, "generic"
    if organisations or named:  # the outlet itself, or the person after whom it is called
        return (organisations, "jsonld") if organisations else (named, "meta")
    return _own(head, url)


def _own(head: Head, url: str) -> tuple[tuple[str, ...], str]:
    """The name of a site that says of no page who wrote it, where its address is that name (``adaquill.example``)."""
    label = letters(_host(url).rpartition(".")[0].rpartition(".")[2])
    names = [*head.every("og:site_name", "application-name"), *_SEPARATED.split(head.title or "")[1:]]
    own = next((name.strip() for name in names if len(label) >= _OWN and letters(name) == label), None)
    return ((own,), "meta") if own else ((), "")


#: Letters of a host's name from which it proves a site's.
_OWN: Final = 4
_SEPARATED: Final = re.compile(r"\s[|\-–—»·•]\s")


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _house(head: Head, described: Described, url: str) -> set[str]:
    """Names of the outlet itself, letters alone."""
    publisher = described.resolve(described.value("publisher"))
    names = [*head.every("og:site_name", "application-name", "twitter:site"), text_of(publisher) or ""]
    host = _host(url)
    names.extend((host, host.partition(".")[0]))
    return {letters(n) for n in names if n} | {"admin", "administrator", "editor", "staff", "redaksi", "redaktion"}


def _from_jsonld(described: Described, house: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    persons: list[str] = []
    organisations: list[str] = []
    value = described.value("author", "creator")
    for author in value[:_MAX_NAMES] if isinstance(value, list) else [value]:
        author = described.resolve(author)
        kind = set(types_of(author)) if isinstance(author, dict) else set()
        for text in _texts(author):
            name = _BY.sub("", text).strip(" .,:-–—|")
            if not 1 < len(name) <= 150 or "://" in name or "@" in name:
                continue
            for one in _several(name):
                (organisations if kind & _ORGANISATION or letters(one) in house else persons).append(one)
    return _unique(persons), _unique(organisations)


def _several(name: str) -> list[str]:
    """``A og B`` as two, when both sides are names of two words; a name may hold ``y`` or ``et`` itself."""
    parts = _JOINED.split(name)
    return parts if len(parts) > 1 and all(len(p.split()) >= 2 for p in parts) else [name]


def _texts(author: Any) -> list[str]:
    if isinstance(author, dict) and isinstance(author.get("name"), list):
        return [t for t in map(text_of, author["name"][:_MAX_NAMES]) if t]
    text = text_of(author)
    return [text] if text else []


def _declared(head: Head) -> Iterable[str]:
    several = head.every("citation_author")
    if len(several) > 1:
        yield from several
        return
    for key in _META:
        names = [_BY.sub("", text).strip(" .,:-–—|") for text in head.meta.get(key, ())]
        names = [n for n in names if 2 < len(n) <= 100 and not _NOT_DECLARED.search(n)]
        if names:
            yield from names
            return


#: Addresses, social handles, reading times, picture credits and slugs that templates put into ``author``.
_NOT_DECLARED: Final = re.compile(r"https?:|www\.|@|\d{3}|^\W*$|reading time|minute|[(){}\[\]:]|^[a-z]+(?:-[a-z]+)+$")


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.casefold(), name)
        if len(found) >= _MAX_NAMES:
            break
    return tuple(found.values())


def _signed(edges: Sequence[TextBlock]) -> list[str]:
    """Names that stand alone as the first or the last paragraph of a text."""
    for block in edges:
        if block.kind is BlockKind.PARAGRAPH and len(block.text) <= _SIGNATURE and len(block.text.split()) <= 8:
            parts = [p for p in _AND.split(block.text.strip("()")) if p]
            if parts and all(_looks_like_name(p, False) for p in parts):
                return parts
    return []


#: Longest line that is only a signature.
_SIGNATURE: Final = 60


def _visible(near: Sequence[Element], lines: Iterable[TextBlock]) -> Iterable[str]:
    for element in near[:12]:
        names = _names_in(element)
        if names:
            return names
    for block in lines:
        if len(block.text) <= 120 and (by := _BY.match(block.text)):
            names = _names(block.text[by.end() :], lone=True)
            if names:
                return names
    return ()


def _names_in(element: Element) -> list[str]:
    """Names in a byline: its links when they are names, else its pieces of text up to the first that is none."""
    if content := element.get("content"):
        return _names(content, lone=True)
    links = [line("".join(a.itertext())) for _, a in zip(range(6), element.iter("a"), strict=False)]
    names = [n for text in links for n in _names(_BY.sub("", text), lone=False)]
    if names:
        return names
    lone = False
    for _, piece in zip(range(12), element.itertext(), strict=False):
        text = line(piece)
        if not text:
            continue
        by = _BY.match(text)
        rest = text[by.end() :] if by else text
        names = _names(rest, lone=lone or by is not None)
        if names:
            return names
        lone = by is not None and not rest
    return []


def _names(text: str, *, lone: bool) -> list[str]:
    """The leading parts of a text that look like names; one word is a name only after "by"."""
    names = []
    for part in _AND.split(text[:200]):
        name = part.strip(" .:-–—*\"'")
        if not name:
            continue
        if not _looks_like_name(name, lone):
            break
        names.append(name)
    return names


def _looks_like_name(name: str, lone: bool) -> bool:
    words = name.split()
    if len(name) > 50 or len(words) > 5 or _NOT_A_NAME.search(name):
        return False
    if len(words) == 1 and not lone:
        return False
    if not any(ch.isalpha() for ch in name):
        return False
    return all(w[0].isupper() or w in _PARTICLE or not w[0].isascii() for w in words)
