"""From bytes to one tree that is safe and quick to walk.

Two parsers in a row: lexbor builds the tree as a browser would (libxml2 alone closes custom elements and
nested paragraphs in the wrong place, which on modern pages puts half an article outside its container),
scripts and styles leave, and lxml reads what lexbor writes, because selectors are XPath and CSS over lxml.
The pair costs about one and a half bare lxml parses. Pages shaped to hurt lexbor go to libxml2 alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree
from selectolax.lexbor import LexborHTMLParser

from crawlers.extract.flat import flattened

#: An lxml element; lxml ships no types.
Element = Any

#: Bytes of markup looked at; the fetcher's own limit is the same 5 MiB.
MAX_BYTES = 5 * 2**20
#: lexbor takes quadratic time in nesting: 10,000 nested ``div`` took 0.09 s, 30,000 took 0.9 s.
_MAX_TAGS = 40_000
#: Tags that nothing closes; 39,000 of them, within each other by turns, took 2.4 s.
_MAX_OPEN = 20_000
#: End tags of nothing; libxml2 looks for the element of each among all that are open: 259,000 took 2.8 s within 1,000
#: elements, 1.3 million 4.9 s within 1,900.
_MAX_STRAYS = 20_000
#: Both parsers take quadratic time in the attributes of one tag: 200,000 took lexbor 86 s, 40,000 took libxml2
#: 1.3 s. Tags are looked at when they are long enough to hold too many; on larger pages, shorter ones too, because
#: there are more of them.
_MAX_ATTRIBUTES = 250
_PIECES = ((2**19, 2_048), (2 * 2**20, 1_024), (MAX_BYTES, 256))
#: Bytes kept of a tag with too many.
_STUMP = 200
#: Every unclosed ``<b class=…>`` is opened again in each later paragraph (HTML standard, "reconstruct the
#: active formatting elements"): 2,000 of them before 2,000 paragraphs, 37 kB, made a tree of 1.7 GB, and one ``<a``
#: whose quote was never closed, before 20,000 elements, a text of 1.6 GB. Elements and characters that may come so.
_MAX_REOPENED = 3_000_000
_MAX_REPEATED = 200_000_000
_FEW_TAGS = 1_700
_TO_ITS_END = rb"(?:[^>\"']++|\"[^\"]*+\"?|'[^']*+'?)*+"
_FORMATTING = re.compile(
    rb"<(?=[bcefinstu])(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/])" + _TO_ITS_END, re.IGNORECASE
)
#: A formatting element of its own: one at most is open.
_LINK = re.compile(rb"<[aA](?=[\s/])" + _TO_ITS_END)
#: The standard keeps at most three alike, for each of the 13 formatting elements.
_ALIKE = 39

_DROPPED = ("script", "style", "svg", "template", "iframe", "object", "embed", "canvas")
_DROP = ", ".join(_DROPPED)
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'")
#: A tag that every tokenizer ends at the same ``>``; what follows is text (a script's, as a rule).
_WELL_FORMED = re.compile(
    rb"[a-z][^\s/>]*+(?:\s++[^\s=/>\"'<]++(?:=(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'=<>`]++))?)*+\s*+/?>",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Page:
    """A parsed page."""

    #: The document element; comments stay (``body_stop_comment``), scripts, styles and drawings do not.
    root: Element
    #: Contents of its ``application/ld+json`` scripts, as written.
    jsonld: tuple[str, ...]


def parse(markup: bytes) -> Page | None:
    """The tree of a page in UTF-8, or None when there is no markup in it."""
    if b"<" not in markup:
        return None
    data = _without_overgrown_tags(markup[:MAX_BYTES])
    tags = data.count(b"<")
    if _lexbor_is_safe(data, tags) and (page := _html5(data)) is not None:
        return page
    return _libxml2(data, tags)


def parse_plain(markup: bytes) -> Page | None:
    """The tree that libxml2 alone makes, in half the time; None when it may differ from a browser's.

    For outlets with rules of their own: they say where the text is, and there both trees give the same fields.
    None for pages of very many tags, too: :func:`parse` makes the same tree of them, which need not be walked twice.
    """
    tags = markup.count(b"<")
    if not 0 < tags <= _MAX_TAGS or (_OLD and _CUSTOM.search(markup)):
        return None
    return _libxml2(_without_overgrown_tags(markup[:MAX_BYTES]), tags)


#: Since 2.14 libxml2 reads tags as HTML5 does; before, it closed custom elements in the wrong place. On 77 pages
#: with such elements the article's element then held the same text in both trees.
_OLD = etree.LIBXML_VERSION < (2, 14)
#: Looked for by its end tag, which costs half as much as by either.
_CUSTOM = re.compile(rb"</[a-z]+-")


def _libxml2(data: bytes, tags: int) -> Page | None:
    """`tags` is at how many places a tag may begin, at most."""
    strays = 2 * data.count(b"</") - data.count(b"<") if tags > _MAX_STRAYS else 0
    root = _lxml(flattened(data) if strays > _MAX_STRAYS else data)
    if root is None:
        return None
    scripts = [s for s in root.iter("script") if s.text and "ld+json" in (s.get("type") or "").lower()]
    page = Page(root, tuple(s.text for s in scripts))
    etree.strip_elements(root, *_DROPPED, with_tail=False)
    return page


def _lexbor_is_safe(data: bytes, tags: int) -> bool:
    if tags > _MAX_TAGS or (tags > _MAX_OPEN and tags - 2 * data.count(b"</") > _MAX_OPEN):
        return False
    formatting = _FORMATTING.findall(data)
    size = sum(map(len, formatting)) + max(map(len, _LINK.findall(data)), default=0)
    if size * tags > _MAX_REPEATED:
        return False
    return tags <= _FEW_TAGS or (len(formatting) + _ALIKE) * tags <= _MAX_REOPENED


def _without_overgrown_tags(data: bytes) -> bytes:
    """The markup with tags of too many attributes cut short."""
    kept: list[bytes] = []
    done = 0
    for start, end in _long_pieces(data, next(piece for most, piece in _PIECES if len(data) <= most)):
        if data[start : start + 1].isalpha() and _attributes(data[start:end]) > _MAX_ATTRIBUTES:
            kept += (data[done : start + _STUMP], b">")
            done = end
    return b"".join((*kept, data[done:])) if kept else data


def _long_pieces(data: bytes, size: int) -> Iterator[tuple[int, int]]:
    """Where what follows a ``<`` runs for `size` bytes without another; looks at one byte in `size`."""
    at = data.find(b"<")
    while at >= 0:
        last = data.rfind(b"<", at + 1, at + size)
        if last < 0:
            last = data.find(b"<", at + 1)
            yield at + 1, last if last >= 0 else len(data)
        at = last


def _attributes(piece: bytes) -> int:
    """Upper bound of the attributes in one long tag; quoted values (JSON, images) do not count."""
    tag = _WELL_FORMED.match(piece)
    if tag is None:
        return len(_QUOTED.sub(b" ", piece).replace(b"/", b" ").split())
    return len(_QUOTED.sub(b" ", tag.group()).replace(b"/", b" ").split())


def _html5(data: bytes) -> Page | None:
    try:
        tree = LexborHTMLParser(data)
        jsonld = []
        for node in tree.css(_DROP):
            if node.tag == "script" and "ld+json" in (node.attributes.get("type") or "").lower():
                jsonld.append(node.text())
            node.decompose()
        html = tree.html
    except Exception:  # a C extension over hostile bytes: libxml2 reads the page then
        return None
    root = _lxml(html.encode("utf-8", "replace")) if html else None
    return None if root is None else Page(root, tuple(jsonld))


def _lxml(data: bytes) -> Element | None:
    root = _tree(data)
    return _tree(flattened(data)) if root is not None and _is_cut(root) else root


def _tree(data: bytes) -> Element | None:
    parser = etree.HTMLParser(encoding="utf-8", remove_pis=True, no_network=True, huge_tree=True)
    try:
        return etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError):
        return None


#: libxml2 reads no further than 2,048 elements deep (256 unless told that trees may be huge).
_DEEPEST = 2_040


def _is_cut(root: Element) -> bool:
    """Whether the parser stopped at the depth of the last element that it read."""
    depth, element = 0, root
    while len(element):
        depth, element = depth + 1, element[-1]
    return depth >= _DEEPEST
