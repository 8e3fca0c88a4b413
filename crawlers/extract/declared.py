"""The text as JSON-LD repeats it (``articleBody``): a check of what the walk found, and a rescue.

One to three pages of ten carry it. It is as often an excerpt, or the text with its captions and teasers run
together, so it is believed only in two cases: where the page has no text of its own to show (a script writes it), and
where it agrees with nearly all of the text found, so that what it lacks is furniture.
"""

from __future__ import annotations

import html
import re
from typing import Final

from crawlers.extract.blocks import Node, TextBlock
from crawlers.extract.jsonld import Described
from storage.model import BlockKind

#: Characters from which a declared body is a text.
_SHORTEST: Final = 400
#: It replaces what was found when that is this much shorter.
_MISSING: Final = 0.5
_PARAGRAPH: Final = re.compile(r"\n|</p>|<br ?/?>")
_TAG: Final = re.compile(r"<[^<>]{0,500}>")
_MAX_BODY: Final = 500_000


def declared_body(described: Described) -> str | None:
    """The article's text as JSON-LD gives it, or None when there is none worth a look."""
    value = described.value("articleBody", "text")
    if not isinstance(value, str) or len(value) < _SHORTEST:
        return None
    text = html.unescape(value[:_MAX_BODY])
    return None if text.rstrip().endswith(("...", "…")) else text


def compare(found: list[TextBlock], declared: str, node: Node) -> tuple[list[TextBlock], str]:
    """The blocks to keep and who gave them: `generic` or `jsonld`."""
    size = sum(len(b.text) for b in found)
    if size < _MISSING * len(declared):
        return _paragraphs(declared, node), "jsonld"
    return found, "generic"


def _paragraphs(declared: str, node: Node) -> list[TextBlock]:
    texts = (" ".join(_TAG.sub(" ", part).split()) for part in _PARAGRAPH.split(declared))
    return [TextBlock(BlockKind.PARAGRAPH, text, 0, "p", node) for text in texts if text]
