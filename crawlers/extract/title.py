"""Which of the page's titles is the article's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from crawlers.extract.jsonld import Described, types_of
from crawlers.extract.meta import Head, line
from crawlers.extract.parse import Element

_SEPARATOR: Final = re.compile(r"\s+[|\-–—»·•:/<]+\s+|\s*[|»·•]\s*|:\s+")


def choose_title(head: Head, described: Described, headings: Sequence[str]) -> tuple[str | None, str]:
    """The title and where it was found: the heading a reader sees, when the machine-readable ones confirm it.

    `headings` are the page's ``h1`` texts in order.
    """
    declared = [
        t for t in (described.text("headline", "name"), head.first("og:title", "twitter:title"), head.title) if t
    ]
    site = _site_names(head)
    own = [h for h in dict.fromkeys(headings) if letters(h) not in site]
    for heading in own:
        if any(_same(heading, d) for d in declared):
            return _without_kicker(heading, declared), "generic"
    news = described.article is not None and any(t.endswith("NewsArticle") for t in types_of(described.article))
    if len(own) == 1 and not news and any(_akin(own[0], d) for d in declared):
        return own[0], "generic"
    headline = described.text("headline")
    if headline and not headline.endswith(("...", "…")):
        return headline, "jsonld"
    if og := head.first("og:title", "twitter:title"):
        return strip_site(og, head), "meta"
    if len(own) == 1:
        return own[0], "generic"
    if head.title:
        return strip_site(head.title, head), "meta"
    return (own[0], "generic") if own else (None, "")


def _site_names(head: Head) -> set[str]:
    """The outlet's name, as declared and as the last part of the document's title."""
    names = {letters(n) for n in head.every("og:site_name", "application-name") if n}
    for title in (head.title, head.first("og:title")):
        parts = list(_SEPARATOR.finditer(title or ""))
        if title and parts and parts[-1].start() >= _SHORTEST:
            names.add(letters(title[parts[-1].end() :]))
    return names


def _without_kicker(heading: str, declared: Sequence[str]) -> str:
    """``Opinion What the minister forgot`` where a declared title says only ``What the minister forgot``."""
    whole = letters(heading)
    for title in declared:
        bare = letters(title)
        if len(bare) >= _HEADLINE and len(bare) < len(whole) < 2 * len(bare) and whole.endswith(bare):
            return title
    return heading


#: Letters from which a title can stand without its kicker.
_HEADLINE: Final = 20
#: Fewer characters are a site's name, not a headline.
_SHORTEST: Final = 12
_WORD: Final = re.compile(r"\w{4,}")


def _akin(heading: str, declared: str) -> bool:
    """Two wordings of one headline, one for readers and one for search engines."""
    one, other = ({w.casefold() for w in _WORD.findall(t)} for t in (heading, declared))
    return len(heading) >= _SHORTEST and len(one & other) >= 2


def _same(heading: str, declared: str) -> bool:
    """One begins with the other, letters and digits alone compared; a name of two words proves nothing."""
    one, other = letters(heading), letters(declared)
    if not one or not other:
        return False
    return one == other or (len(one) >= 12 and (other.startswith(one) or one in other))


def letters(text: str) -> str:
    """Only letters and digits, case folded."""
    return _NO_LETTER.sub("", text.casefold())


_NO_LETTER: Final = re.compile(r"[\W_]+")


def strip_site(title: str, head: Head) -> str:
    """The title without the outlet's name at its end (or start)."""
    names = {letters(n) for n in head.every("og:site_name", "application-name", "twitter:site") if n}
    parts = list(_SEPARATOR.finditer(title))
    if not parts:
        return title
    last = parts[-1]
    tail, start = title[last.end() :], title[: last.start()]
    if letters(tail) in names or (len(tail) <= 25 and len(start) >= 2 * len(tail) and "|" in last.group()):
        return start.strip()
    first = parts[0]
    if letters(title[: first.start()]) in names:
        return title[first.end() :].strip()
    return title


def heading_texts(root: Element) -> list[str]:
    """The page's main headings in reading order."""
    found = []
    for count, heading in enumerate(root.iter("h1")):
        if count >= 20:
            break
        if text := line("".join(heading.itertext())[:1_000]):
            found.append(text)
    return found
