"""Persons out of bylines: split, without job titles and organisations, each once, in readable casing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from crawlers.normalize.text import clean_line

_SEPARATOR = re.compile(
    r"\s*(?:[,;|•·]|\s/\s|/|\s&\s|(?:^|\s)(?:dan|and|with|bersama|serta|und|et|y)(?=\s))\s*", re.IGNORECASE
)
#: Commas that belong to a name.
_DEGREE = re.compile(
    r"^(?:S\.?\s?(?:E|H|T|P|Kom|Sos|Pd|Si|IP|Ked|Hum|Ikom|I\.?Kom|Ag)|M\.?\s?(?:M|Sc|H|Si|Pd|T|A|Ak"
    r"|Kom|BA)|MBA|Ph\.?\s?D"
    r"|Jr|Sr|II|III|IV|MD|CFA|Dr|SE|SH|ST)\.?$"
)
_PREFIX = re.compile(
    r"^(?:(?:oleh|by|reporter|penulis|pewarta|editor|jurnalis|wartawan|laporan|kontributor|author"
    r"|from|words by|text by"
    r"|story by|reporting by|written by|reported by|rep|red)\b\s*:?\s+|(?:reporter|penulis|pewarta"
    r"|editor|rep|red)\s*:\s*)",
    re.IGNORECASE,
)
#: ``Arif Budiman - detikNews``, ``Arif Budiman | Kompas``, ``Jane Doe in Jakarta``, ``Jane Doe (Kontributor)``.
_SUFFIX = re.compile(r"\s+[-–—]+(?:\s.*)?$|\s+(?:in|for|for the)\s+[A-Z].*$|\s*\([^)]*\)|\s+@\w+$")
_NOT_A_NAME = re.compile(r"[@#<>{}\[\]=_\\]|https?:|www\.|\.(?:com|co|id|net|org|tv|news)\b|\d", re.IGNORECASE)

_ORGANISATION = re.compile(
    r"\b(?:team|redaksi|staff|staf|desk|agency|agencies|newsroom|media|network|editorial|editors|admin|administrator"
    r"|reuters|afp|antara|xinhua|bloomberg|associated|newspaper|magazine|indonesia|online|digital|channel|tv|radio"
    r"|kantor berita|news|berita|company|pt|inc|ltd|corp|llc|group|university|universitas|institute|institut"
    r"|kementerian|ministry|humas|pers|advertorial|sponsored|content|contributors?|anonymous|anonim|unknown|webmaster"
    r"|editor|reporter|redaktur|penulis|null|none|undefined|user|default|wires|cnn|bbc|ap)\b"
    r"|^(?:the )?(?:\w+ ){0,2}(?:daily|herald|gazette)$|^the (?:\w+ ){1,2}(?:post|times|tribune|journal|press)$"
    r"|^(?:jakarta|washington|bangkok) post$|^(?:guest|author|writer|services?|partner)(?: author| writer| content)?$"
    r"|^tim(?:$| (?:redaksi|liputan|peneliti|riset|kreatif|\w+com$|\w+\.))",
    re.IGNORECASE,
)
_TITLE = re.compile(
    r"(?:^|\s)(?:(?:senior|chief|deputy|political|business|economics?|diplomatic|foreign|international|legal|home"
    r"|health|science|sports?|technology|royal|global|world|asia|middle east|white house|staff|managing|associate"
    r"|special|security|environment|culture|education|crime|social affairs|investigations?)\s+)*"
    r"(?:correspondent|reporter|editor|journalist|analyst|columnist|writer|producer|presenter|wartawan|jurnalis"
    r"|kontributor|koresponden|redaktur|penulis|contributor|photographer|fotografer)s?$",
    re.IGNORECASE,
)
#: A person has at most this many words; more is a sentence.
_WORDS = 6
#: Words that no name starts with or holds; sentences do.
_SENTENCE_WORD = re.compile(
    r"\b(?:adalah|yang|untuk|dari|pada|dengan|akan|telah|the|is|was|were|this|that)\b", re.IGNORECASE
)


def read_persons(names: Iterable[str], organisations: frozenset[str] = frozenset(), limit: int = 20) -> tuple[str, ...]:
    """Persons in the order given, each once.

    `organisations` holds casefolded names that are never persons (the outlet's name, brands, site).
    """
    found: dict[str, str] = {}
    for names_of_one in names:
        for part in _split(clean_line(names_of_one[:500])):
            person = read_person(part, organisations)
            if person is not None:
                found.setdefault(person.casefold(), person)
        if len(found) >= limit:
            break
    return tuple(found.values())[:limit]


def read_person(name: str, organisations: frozenset[str] = frozenset()) -> str | None:
    """One name cleaned, or None when it is no person."""
    name = _PREFIX.sub("", name.strip(" .,;:|/-–—\"'“”"))
    name = _SUFFIX.sub("", name)
    name = _TITLE.sub("", name).strip(" .,;:|/-–—\"'“”")
    if not _could_be_name(name) or name.casefold() in organisations or _ORGANISATION.search(name):
        return None
    return _casing(name)


def _could_be_name(name: str) -> bool:
    if len(name) < 2 or len(name) > 60 or len(name.split()) > _WORDS or _NOT_A_NAME.search(name):
        return False
    if not any(map(str.isalpha, name)) or _SENTENCE_WORD.search(name):
        return False
    # "admin" and user names are one lower-case word.
    return not (name.islower() and " " not in name)


def _split(names: str) -> list[str]:
    parts: list[str] = []
    for part in _SEPARATOR.split(names):
        part = part.strip()
        if parts and _DEGREE.match(part):
            parts[-1] = f"{parts[-1]}, {part}"
        elif part:
            parts.append(part)
    return parts


def _casing(name: str) -> str:
    """``ARIF BUDIMAN`` and ``arif budiman`` become ``Arif Budiman``; mixed case stays."""
    letters = [letter for letter in name if letter.isalpha()]
    short = len(letters) <= 3 and " " not in name
    if short or not (name.isupper() or name.islower()):
        return name
    return " ".join(word if "." in word and len(word) <= 4 else _capitalised(word) for word in name.split())


def _capitalised(word: str) -> str:
    return "-".join(
        "'".join(part[:1].upper() + part[1:].lower() for part in half.split("'")) for half in word.split("-")
    )
