"""Lines inside a body that only point to other articles: ``Baca Juga: …``, ``Read also: …``."""

from __future__ import annotations

import re
from typing import Final

from crawlers.extract.blocks import TextBlock
from crawlers.extract.meta import absolute
from storage.model import Link

#: Words that open such a line. They count only where the line is an element of its own and most of it, or
#: all that follows the words, is a link: "Related: the minister also said …" is a sentence of the article.
_OPENING: Final = re.compile(
    r"""^\W*+(?:
      baca\s+(?:juga|selengkapnya|pula)|baca(?=\s*:)|simak\s+(?:juga|pula)|lihat\s+(?:juga|video)|selanjutnya|menarik\s+dibaca|tonton(?:\s+juga)?|
      pilihan\s+editor|berita\s+terkait|artikel\s+terkait|halaman\s+selanjutnya|
      (?:also\s+)?read(?:\s+(?:also|more|next|this|on))?|see\s+also|also\s+see|related(?:\s+(?:article|story|stories|news|content))?|more(?:\s+(?:on|from)\s+\w+)?|
      don['’]t\s+miss|must\s+read|watch(?:\s+(?:also|more|now))?|up\s+next|recommended|
      lire\s+aussi|à\s+lire(?:\s+aussi)?|voir\s+aussi|lesen\s+sie\s+(?:auch|mehr)|mehr\s+(?:zum\s+thema|dazu)|lesetipp|siehe\s+auch|
      leggi\s+anche|approfondisci|lee\s+también|leer\s+más|le\s+puede\s+interesar|te\s+puede\s+interesar|leia\s+(?:também|mais)|veja\s+(?:também|mais)|
      lees\s+ook|läs\s+(?:också|mer|även)|les\s+også|læs\s+også|lue\s+myös|czytaj\s+(?:też|także|więcej)|zobacz\s+(?:też|także)|
      читайте\s+(?:также|также)|смотрите\s+также|читайте\s+також|okumaya\s+devam|ayrıca\s+bakınız|اقرأ\s+أيضا|بیشتر\s+بخوانید|xem\s+thêm|อ่านเพิ่มเติม
    )\b\s*[:：\-–—|>»]?\s*""",
    re.IGNORECASE | re.VERBOSE,
)


#: Shorter links after such words are the words of a sentence.
_TITLE: Final = 15


def split_related(blocks: list[TextBlock], base: str) -> tuple[list[TextBlock], tuple[Link, ...]]:
    """The blocks without those lines, and what the lines point to."""
    kept: list[TextBlock] = []
    links: dict[tuple[str, str | None], Link] = {}
    after_label = False
    for block in blocks:
        opening = _OPENING.match(block.text)
        rest = block.text[opening.end() :] if opening else block.text
        if opening and not rest and len(block.text) < 60:
            after_label = True
            continue
        pointing = block.linked >= 0.75 * len(rest) and bool(block.linked)
        if (
            (opening and pointing and ":" in block.text[: opening.end()])
            or (pointing and after_label)
            or (opening and len(rest) >= _TITLE and block.linked >= 0.95 * len(rest))
            or (opening and block.linked >= 0.9 * len(block.text))
        ):
            link = Link(rest, absolute(block.href, base))
            links.setdefault((link.title, link.url), link)
            continue
        after_label = False
        kept.append(block)
    return kept, tuple(links.values())
