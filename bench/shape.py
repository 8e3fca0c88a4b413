"""What a rendered document is made of, as a browser reads it, and whether that is more than it should be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import nh3
from selectolax.lexbor import LexborHTMLParser

from monitor.controls import CONTROLS

#: Elements that do something, of which a page has as many as harmless words give it, however long its lists.
ACTIVE: Final = (
    "script", "iframe", "frame", "object", "embed", "style", "link", "meta", "base", "noscript", "template",
    "applet",
)  # fmt: skip
_SCRIPTS: Final = frozenset({"javascript", "data", "vbscript", "blob", "file"})
#: What browsers take off an address (WHATWG URL); a space of another kind makes it a relative one.
_AROUND: Final = "".join(map(chr, range(33)))
_ADDRESSED: Final = (
    "href", "src", "action", "formaction", "poster", "data", "srcset", "xlink:href", "background", "cite", "srcdoc",
    "ping",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """What a document is made of."""

    #: Element and attribute; an element without attributes has an empty one.
    pairs: frozenset[tuple[str, str]]
    active: Counter[str]
    #: Addresses that lead elsewhere than to http, https or a place of our own.
    odd: tuple[str, ...]

    def __or__(self, other: Shape) -> Shape:
        """What is in either."""
        return Shape(self.pairs | other.pairs, self.active | other.active, self.odd + other.odd)


def shape(text: str) -> Shape:
    """Read a document by the HTML standard."""
    pairs: set[tuple[str, str]] = set()
    active: Counter[str] = Counter()
    odd: list[str] = []
    root = LexborHTMLParser(text).root
    for node in root.traverse(include_text=False) if root is not None else ():
        tag = (node.tag or "").lower()
        if tag.startswith(("-", "!")):
            continue
        pairs.add((tag, ""))
        active[tag] += tag in ACTIVE
        for name, value in node.attributes.items():
            pairs.add((tag, name.lower()))
            if name.lower() in _ADDRESSED and not _proper(value or ""):
                odd.append(f"{tag} {name}={value}")
    return Shape(frozenset(pairs), +active, tuple(odd))


def _proper(address: str) -> bool:
    if CONTROLS.search(address) or address.startswith("//"):
        return False
    try:
        scheme = urlsplit(address.strip(_AROUND)).scheme.lower()
    except ValueError:
        return False
    return scheme in {"http", "https"} or (not scheme and address[:1] in {"/", "?", "#", ""})


def against(found: Shape, harmless: Shape) -> list[str]:
    """What a page has that it would not have with harmless words in it."""
    wrong = [f"<{tag} {name}>" for tag, name in sorted(found.pairs - harmless.pairs)]
    wrong += [f"{n} more <{tag}>" for tag, n in sorted((found.active - harmless.active).items())]
    return wrong + list(found.odd)


def unsafe(found: Shape) -> list[str]:
    """What the kept original of a page may not show: its structure may, and nothing that acts."""
    known = nh3.ALLOWED_TAGS - {"img"} | {"html", "head", "body", "meta", "title"}
    wrong = [f"<{tag} {name}>" for tag, name in sorted(found.pairs) if tag not in known or name.startswith("on")]
    wrong += [f"<{tag} style>" for tag, name in sorted(found.pairs) if name in {"style", "srcdoc", "formaction"}]
    return wrong + [
        one for one in found.odd if urlsplit(one.partition("=")[2].strip(_AROUND)).scheme.lower() in _SCRIPTS
    ]
