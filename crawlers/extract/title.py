"""Which of the page's titles is the article's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from crawlers.extract.enough import enough
from crawlers.extract.jsonld import Described, types_of
from crawlers.extract.meta import Head, line
from crawlers.extract.parse import Element

#: Characters of a heading that are read.
_MAX_HEADING: Final = 1_000
_SEPARATOR: Final = re.compile(r"\s+[|\-–—»·•:/<]+\s+|\s*[|»·•]\s*|:\s+")


def choose_title(head: Head, described: Described, headings: Sequence[str], url: str) -> tuple[str | None, str]:
    """The title and where it was found: the heading a reader sees, when the machine-readable ones confirm it.

    `headings` are the page's ``h1`` texts in order. Where the page has several headlines (headings are sharpened for
    readers after publication), the one that its address spells out is the one it was published under.
    """
    sources = {
        "jsonld": described.text("headline", "name"),
        "meta": head.first("og:title", "twitter:title"),
        "title": head.title,
    }
    declared = [t for t in sources.values() if t]
    chosen, source = _chosen(head, described, headings, declared)
    address = address_words(url)
    if chosen and len(address) >= _SPELLED:
        named = ((_likeness(t, address), t, s) for s, t in sources.items() if t and s != "title")
        best = max(named, key=lambda found: found[0], default=None)
        if best is not None and best[0] >= _ALIKE and best[0] > _likeness(chosen, address):
            return best[1], best[2]
    return chosen, source


def _chosen(
    head: Head, described: Described, headings: Sequence[str], declared: Sequence[str]
) -> tuple[str | None, str]:
    site = _site_names(head)
    own = [h for h in dict.fromkeys(headings) if letters(h) not in site]
    for heading in own:
        if any(_same(heading, d) for d in declared):
            return _without_kicker(heading, declared), "generic"
    news = described.article is not None and any(t.endswith("NewsArticle") for t in types_of(described.article))
    if len(own) == 1 and not (news and _agreed(declared)) and any(_akin(own[0], d) for d in declared):
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


#: Words of an address that spell out a headline, and the share of them and of a title's that must be the same.
_SPELLED: Final = 5
_ALIKE: Final = 0.9
_WORDS: Final = re.compile(r"[^\W_]+")
#: Addresses spell letters without an accent to drop in one of two ways; the other is dropping accents.
_SPELLING: Final = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ı": "i", "ł": "l", "đ": "d", "ð": "d"})
_SPELLED_OUT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


def address_words(url: str) -> frozenset[str]:
    """The words in the part of an address's path that has the most of them."""
    try:
        path = unquote(urlsplit(url[:_LONGEST_URL]).path)
    except ValueError:
        return frozenset()
    parts = (frozenset(_WORDS.findall(part.casefold().removesuffix(".html"))) for part in path.split("/"))
    return frozenset(w for w in max(parts, key=len) if not _NUMBER.fullmatch(w))


_LONGEST_URL: Final = 1_000
#: An article's number, with the letter or word that some systems put before it.
_NUMBER: Final = re.compile(r"[a-z]{0,7}\d{5,}")


def _likeness(title: str, address: frozenset[str]) -> float:
    """Words that both have, of all that they have, however the address spells them."""
    folded = title.casefold().replace("'", " ").replace("’", " ")
    return max(_shared(folded, address), _shared(folded.translate(_SPELLED_OUT), address))


def _shared(title: str, address: frozenset[str]) -> float:
    bare = "".join(c for c in unicodedata.normalize("NFKD", title.translate(_SPELLING)) if not unicodedata.combining(c))
    words = set(_WORDS.findall(bare))
    return len(words & address) / len(words | address) if words else 0.0


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


def _agreed(declared: Sequence[str]) -> bool:
    """Whether the first has a second that says the same; a live story's are of different hours."""
    return len(declared) < 2 or any(_same(declared[0], t) or _same(t, declared[0]) for t in declared[1:])


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
        # One that is never closed holds the rest of the page.
        if text := line("".join(enough(heading.itertext(), _MAX_HEADING))[:_MAX_HEADING]):
            found.append(text)
    return found
