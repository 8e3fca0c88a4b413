"""The opening of a story: brand, places, agency, and the first sentence without them.

Forms, all at the very start only: ``KONTAN.CO.ID - JAKARTA. ``, ``Bisnis.com, JAKARTA — ``,
``JAKARTA, KOMPAS.com - ``, ``Jakarta (ANTARA) - ``, ``BEIRUT/THE HAGUE, March 7 (Reuters) - ``,
``Suara.com - ``, ``JAKARTA. `` and ``Jakarta - ``.

The rule that keeps first sentences whole: a place is upper-case words before a terminator, or a name from
:mod:`crawlers.normalize.places`, or any capitalised words where a brand after a comma leaves no doubt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from crawlers.normalize.places import PLACES, is_known_place

#: A dateline longer than this is a sentence.
_HEAD = 200

_UP = "A-ZÀ-ÖØ-Þ"
_DASH = r" ?(?:--+|[-\u2010-\u2015\u2212])+ ?"
#: ``WAsHINGTON`` is a slip of the shift key, ``D.C.`` and ``ST.`` are abbreviations.
_WORD = rf"(?:ST\.|D\.C\.|(?:[{_UP}]{{2,}}[a-z][{_UP}]{{2,}}|[{_UP}][{_UP}'’]+)(?!\w))"
_UPPER = rf"{_WORD}(?:(?: |-){_WORD}){{0,5}}"
_NAME = rf"(?:[{_UP}][\w'’]*(?!\w)(?:\.(?= ?\())?)"
_QUALIFIER = rf"(?:, ?{_NAME}(?: {_NAME}){{0,2}})?"
_UPPERS = rf"{_UPPER}{_QUALIFIER}(?:(?: ?/ ?| & ){_UPPER}{_QUALIFIER}){{0,5}}"
_BETWEEN = re.compile(r"/| & ")
_MIXED = rf"(?:(?:St|Mt|Ft)\. )?{_NAME}(?:[ -](?:d[ei]l?|[ae]l|of|la|{_NAME})){{0,4}}"
_MIXEDS = rf"{_MIXED}{_QUALIFIER}(?: ?/ ?{_MIXED}{_QUALIFIER}){{0,5}}"
_KNOWN = rf"(?:{'|'.join(re.escape(name) for name in PLACES)})"
_WRITTEN = r"(?:[A-Z][a-z]{2,9}\.? \d{1,2}|\d{1,2} [A-Z][a-z]{2,9})(?: \d{4})?"
_DATE = rf"(?:,? {_WRITTEN}|,? \(\d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})?\))?"
_DOT = rf"(?: ?\.(?:(?= ?$)| |(?=[\"“‘'\d]|[{_UP}][a-z ]|[{_UP}]{{2,}} ))|(?<=D\.C\.)(?: |$))"
_STOP = rf"(?P<stop>{_DOT}|{_DASH}|$)"
_DOMAIN = r"(?:[A-Z][A-Z0-9]+(?:\.[A-Z]{2,4}){1,2}(?!\.?\w))"
#: The same at another outlet's place, where a comma and a dash around it leave no doubt.
_ANY_DOMAIN = r"(?:[A-Za-z][A-Za-z0-9]+(?:\.(?:com|co\.id|id|co|net|tv|org|news))(?!\.?\w))"

_LEFTOVER_DASH = re.compile(rf"^(?:--+|[–—-])+ ?(?=[{_UP}\"“'‘\d])")
_BARE_UPPER = re.compile(rf"^(?P<places>{_UPPERS}){_DATE}{_STOP}")
_BARE_KNOWN = re.compile(rf"^(?P<places>{_KNOWN}){_DATE}{_STOP}")
#: ``SINGAPORE: Volunteers …`` (CNA); a word and a colon say many things, so the place must be known.
_BARE_COLON = re.compile(rf"^(?P<places>{_UPPERS}): (?=[{_UP}\"“‘'])")
_AGENCY = re.compile(rf"^(?P<places>{_MIXEDS}),?{_DATE},? ?\((?P<agency>[A-Za-z][\w .&/-]{{0,40}})\){_DATE}{_STOP}")
_AGENCIES_LISTED = """
ap|afp|reuters|antara|antara news|xinhua|upi|dpa|efe|ansa|tass|ria novosti
kyodo|jiji|yonhap|bernama|pti|ani|ians|bloomberg|anadolu|wafa|sputnik|cna
dow jones|aap|the canadian press|thomson reuters foundation|oana|kcna|spa|wam|irna
"""
_NEWS_AGENCIES = frozenset(name for line in _AGENCIES_LISTED.split("\n") for name in line.split("|") if name)
#: Upper-case openers that are no places.
_OPENERS = """
PT CV UD TBK IHSG BEI BI OJK KPK RI DPR DPD MPR BUMN UMKM APBN ASN PNS TNI POLRI NATO PBB WHO OPEC
IMF UPDATE BREAKING NEWS FOTO PHOTO VIDEO INFOGRAFIS OPINI OPINION CATATAN EDITORIAL INFO PROMO
ADVERTORIAL EKSKLUSIF EXCLUSIVE HEADLINE LIVE WATCH BANK EMAS SAHAM HARGA DISCLAIMER BACA JUGA COVID
CPNS PPPK BBM PLN CEO CFO ANALYSIS ANALISIS EXPLAINER FACTBOX TIMELINE CORRECTION KOREKSI RALAT
HOAKS ILUSTRASI USA UEA ADVERTISEMENT KONTAN
"""
_NOT_PLACES = frozenset(_OPENERS.split())


@dataclass(frozen=True, slots=True)
class Dateline:
    """What stood before the first sentence, and what is left."""

    rest: str
    #: As written: ``KONTAN.CO.ID``.
    brand: str | None = None
    #: As written, qualifiers (``, Florida``) left out.
    places: tuple[str, ...] = ()
    #: An agency in parentheses that is none of the outlet's brands.
    agency: str | None = None

    @property
    def found(self) -> bool:
        """Whether anything was taken off."""
        return self.brand is not None or bool(self.places) or self.agency is not None


@dataclass(frozen=True, slots=True)
class _Grammar:
    """Patterns that depend on the outlet's brands."""

    #: Brand, dash, upper-case or known places.
    brand_dash: re.Pattern[str]
    #: Brand, white space or a comma, upper-case places; the terminator is required.
    brand_upper: re.Pattern[str]
    #: Brand, comma, places in any case, dash.
    brand_comma: re.Pattern[str]
    #: Brand, comma, known place, no terminator.
    brand_known: re.Pattern[str]
    #: A paragraph that is the brand alone.
    brand_alone: re.Pattern[str]
    #: Places, comma, brand, dash.
    place_brand: re.Pattern[str]


def read_dateline(text: str, brands: tuple[str, ...] = ()) -> Dateline:
    """Take the dateline off a clean first paragraph.

    Brands are matched in any case; text without a dateline comes back whole.
    """
    # The mark keeps "end of text" from matching where the head was cut.
    head = text if len(text) <= _HEAD else text[:_HEAD] + "\x00"
    grammar = _grammar(brands)
    for read in (_after_brand, _before_brand, _with_agency, _bare):
        found = read(head, grammar, brands)
        if found is not None:
            return replace(found, rest=text[len(head) - len(found.rest) :].strip())
    return Dateline(_LEFTOVER_DASH.sub("", text))


@lru_cache(maxsize=256)
def _grammar(brands: tuple[str, ...]) -> _Grammar:
    known = sorted((b for b in brands if b.strip()), key=lambda b: (-len(b), b))
    names = [re.escape(b).replace(r"\.", r"(?: ?\. ?| )").replace(r"\ ", " +") for b in known]
    own = "(?i:" + "|".join(names) + ")(?!\\w)" if names else "(?!)"
    brand = rf"(?P<brand>{own}|{_DOMAIN})"
    comma_brand = rf"(?P<brand>{own}|{_DOMAIN}|{_ANY_DOMAIN})"
    return _Grammar(
        brand_dash=re.compile(rf"^{brand}(?:[ .,:|]*(?P<dash>{_DASH})| ?(?P<bar>\|) ?)"),
        brand_upper=re.compile(rf"^{brand}(?:[.,:|] ?| )(?P<places>{_UPPERS}){_DATE}{_STOP}"),
        brand_comma=re.compile(rf"^{comma_brand} ?, ?(?P<places>{_MIXEDS}){_DATE}(?P<stop>{_DASH}|$)"),
        brand_known=re.compile(rf"^{brand} ?, ?(?P<places>{_KNOWN})(?P<stop> ?,? (?=[{_UP}\"“]))"),
        brand_alone=re.compile(rf"^{brand} ?[-–—]?$"),
        place_brand=re.compile(
            rf"^(?P<places>{_MIXEDS}){_DATE}(?P<comma> ?,? ?){comma_brand}(?P<stop>{_DASH}|{_DOT}|$)"
        ),
    )


def _after_brand(head: str, grammar: _Grammar, _brands: tuple[str, ...]) -> Dateline | None:
    for pattern in (grammar.brand_comma, grammar.brand_upper, grammar.brand_known):
        match = pattern.match(head)
        if match and _sure(_split(match["places"]), match["stop"]):
            return Dateline(head[match.end() :], match["brand"], _split(match["places"]))
    match = grammar.brand_dash.match(head)
    if match is None:
        alone = grammar.brand_alone.match(head)
        return Dateline("", alone["brand"]) if alone else None
    rest = head[match.end() :]
    place = _branded_place(rest)
    if place is not None:
        return replace(place, brand=match["brand"])
    dash = match["dash"] or match["bar"]
    glued = dash.strip() == dash and dash in "-–" and rest
    return None if glued else Dateline(rest, match["brand"])


def _sure(places: tuple[str, ...], stop: str) -> bool:
    """Whether names beside a brand are places; without a terminator only known ones are."""
    return all(_plausible(name, branded=True) for name in places) and (
        bool(stop.strip()) or all(map(is_known_place, places))
    )


def _branded_place(text: str) -> Dateline | None:
    """The places after ``BRAND -``; None when the sentence follows at once."""
    match = _BARE_UPPER.match(text)
    if match and _ends_dateline(match, text, branded=True):
        return Dateline(text[match.end() :], None, _split(match["places"]))
    match = _BARE_KNOWN.match(text) or _GLUED_KNOWN.match(text)
    if match is None:
        match = _UNENDED_KNOWN.match(text)
        if match is None or not all(map(is_known_place, _split(match["places"]))):
            return None
    if match["places"].isupper() or match["stop"].strip() or match["stop"] == "":
        return Dateline(text[match.end() :], None, _split(match["places"]))
    return None


#: ``SingapuraBRI Group``: two elements ran together.
_GLUED_KNOWN = re.compile(rf"^(?P<places>{_KNOWN})(?P<stop>(?=[{_UP}][{_UP}a-z]))")
#: ``JAKARTA Presiden``, ``JAKARTA, Presiden``: the terminator was forgotten.
_UNENDED_KNOWN = re.compile(
    rf"^(?P<places>{_UPPER}(?: ?/ ?{_UPPER}){{0,5}})(?P<stop>[,:]? (?=[{_UP}]\w*[a-z]|PT |\"|“))"
)


def _before_brand(head: str, grammar: _Grammar, _brands: tuple[str, ...]) -> Dateline | None:
    match = grammar.place_brand.match(head)
    if match is None:
        return None
    places = _split(match["places"])
    sure = match["comma"].strip() and match["stop"].strip() != "."
    if not sure and not all(name.isupper() or is_known_place(name) for name in places):
        return None
    return Dateline(head[match.end() :], match["brand"], places)


def _with_agency(head: str, _grammar: _Grammar, brands: tuple[str, ...]) -> Dateline | None:
    match = _AGENCY.match(head)
    if match is None:
        return None
    places = _split(match["places"])
    own = {brand.casefold() for brand in brands}
    names = [name.strip() for name in match["agency"].split("/") if name.strip()]
    brand = next((name for name in names if name.casefold() in own), None)
    agencies = [name for name in names if name.casefold() in _NEWS_AGENCIES or _first_word(name) in _NEWS_AGENCIES]
    upper = all(place.isupper() and _plausible(place, branded=False) for place in places)
    if brand is None and not agencies and not (upper or all(map(is_known_place, places))):
        return None
    others = [name for name in names if name != brand]
    return Dateline(head[match.end() :], brand, places, "/".join(others) or None)


def _first_word(name: str) -> str:
    return re.split(r"[ -]", name.casefold(), maxsplit=1)[0]


def _bare(head: str, _grammar: _Grammar, _brands: tuple[str, ...]) -> Dateline | None:
    match = _BARE_UPPER.match(head)
    if match and _ends_dateline(match, head, branded=False):
        return Dateline(head[match.end() :], None, _split(match["places"]))
    match = _BARE_COLON.match(head)
    if match and all(map(is_known_place, _split(match["places"]))):
        return Dateline(head[match.end() :], None, _split(match["places"]))
    match = _BARE_KNOWN.match(head)
    if match and _spaced(match["stop"]) and _starts_sentence(head[match.end() :]):
        return Dateline(head[match.end() :], None, _split(match["places"]))
    return None


def _ends_dateline(match: re.Match[str], text: str, *, branded: bool) -> bool:
    """Whether upper-case words and what follows them are a dateline rather than a sentence."""
    places, stop, rest = _split(match["places"]), match["stop"], text[match.end() :]
    if not places or not all(_plausible(place, branded=branded) for place in places):
        return False
    known = any(map(is_known_place, places))
    if stop.strip() == ".":
        return branded or known or (len(places[0]) >= 5 and _starts_sentence(rest))
    if not stop:
        return branded or known
    if _spaced(stop):
        return known or _starts_sentence(rest)
    # A hyphen with no space belongs to a word ("COVID-19", "MRT-LRT") unless the name can only be a place.
    return branded and not rest[:1].isdigit() and (known or len(places[0].split()[0]) >= 7)


def _spaced(stop: str) -> bool:
    return stop != stop.strip() or stop.strip() not in {"-", "–"} or not stop


def _starts_sentence(rest: str) -> bool:
    return not rest or not rest[0].islower()


def _plausible(name: str, *, branded: bool) -> bool:
    if is_known_place(name):
        return True
    words = name.upper().replace("-", " ").split()
    if not words or any(word.strip(".'’") in _NOT_PLACES for word in words):
        return False
    letters = sum(map(str.isalpha, name))
    return letters >= (3 if branded else 5) and any(letter in "AEIOUY" for letter in name.upper())


def _split(places: str) -> tuple[str, ...]:
    """``WASHINGTON / WEST PALM BEACH, Florida`` → its two places."""
    names = (part.partition(",")[0].strip() for part in _BETWEEN.split(places))
    return tuple(dict.fromkeys(name for name in names if name))
