"""Blocks that an outlet puts between the paragraphs and that are not the story.

What one outlet alone writes is in its YAML (:class:`config.model.Boilerplate`); here is what Indonesian and
English pages have in common. Only short blocks are dropped whole: in a long one the string is taken out and
the sentences around it stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from config.model import Boilerplate
from crawlers.normalize.byline import read_byline
from crawlers.normalize.text import clean_line
from storage.model import Block, BlockKind

#: Longer blocks are text in which a boilerplate string stands.
SHORT = 400
#: A beginning without a colon ("Simak", "Oleh") is a common word: only lines of a headline's length are dropped.
_HEADLINE = 140

_EXACT = """
advertisement|advertisements|iklan|ads|scroll to continue with content|scroll to resume content
indeks berita|berita terkait|berita lainnya|berita terbaru|terbaru|terpopuler|artikel terkait
artikel lainnya|baca juga|lihat juga|ini artikel spesial|smallest font largest font|medium large larger
bagikan|share|share this article|tags|tag|komentar|loading...|memuat...|read more|read also|also read
see also|related|related articles|related stories|related news|recommended|recommended stories
more on this story|trending|follow us|sign up|subscribe|subscribe now|newsletter|listen to this article
dengarkan artikel ini|print|email|copy link|salin tautan|tautan telah disalin|tim redaksi
a transmedia company|a weekly update of what’s on your sphere.|pilihan editor|photo|foto|video|image|caption
halaman selanjutnya|selengkapnya|baca selengkapnya|next|previous|1|2|3|halaman 1|halaman 2
kirimkan komentar anda|tulis komentar
"""
_STARTS = (
    r"cek berita dan artikel|simak (?:juga )?video|lihat (?:juga )?video|tonton (?:juga )?video"
    r"|saksikan (?:juga |live |video )"
    r"|\[?gambas ?:|ilustrasi\.|\(?foto: |(?:hak cipta|copyright) ?(?:©|\(c\)|20\d\d|milik)"
    r"|© ?(?:20\d\d|copyright|all rights)"
    r"|dapatkan (?:update|berita|informasi|segera)|(?:ikuti|follow) (?:berita|kami|official|update|channel|us)"
    r"|gabung (?:ke|di|kompas)|mari bergabung|yuk,? (?:gabung|ikuti|follow)|sign up (?:for|to|here)"
    r"|disclaimer(?:\s*:|$)"
    r"|scan this qr|nyaman tanpa iklan|simak breaking news|simak berita (?:terbaru|lainnya|menarik)"
    r"|scroll ke bawah untuk"
    r"|(?:artikel|berita|tulisan) ini (?:telah|sudah|pernah) (?:di)?(?:tayang|tayangkan|terbit|terbitkan|muat)\b"
    r"|\*? ?ringkasan ini dibantu|untuk menampilkan video ini|baca info lengkapnya"
    r"|baca berita (?:lainnya|tanpa iklan|dengan)"
    r"|add as a preferred source|silakan baca konten|saksikan live|unduh aplikasi|download (?:our"
    r"|the) app|download aplikasi"
    r"|this article (?:was (?:originally|first) published|first appeared|has been (?:republished|amended))"
    r"|read our (?:terms|privacy)|all rights reserved|continue reading|story continues below"
    r"|article continues (?:below|after)"
    r"|most read|skip (?:advertisement|past newsletter)|jangan lewatkan|agar bisa lanjut membaca|kirimkan komentar"
    r"|googletag\.|window\.[a-z]|function ?\(|var [a-z_]+ ?=|\(adsbygoogle"
)
_START = re.compile(_STARTS, re.IGNORECASE)
_CONTAINS = re.compile(
    r"SCROLL TO (?:CONTINUE WITH|RESUME) CONTENT|\[Gambas ?:|googletag\.(?:cmd|display)"
    r"|Cek Berita dan Artikel yang lain di"
    r"|Google News dan WA Channel|whatsapp\.com/channel/|Add as a preferred source on Google|adsbygoogle"
)
#: Taken out of long blocks, the text around them stays.
_TOKENS = re.compile(
    r"\s*(?:ADVERTISEMENT\s*)?SCROLL TO (?:CONTINUE WITH|RESUME) CONTENT\s*|\s*\bADVERTISEMENT\b\s*"
    r"|\s*\[Gambas ?:[^\]]{0,80}\]\s*|\s*googletag\.cmd\.push\([^;]{0,300}\);?\s*"
    r"|\s*Cek Berita dan Artikel yang lain di Google News(?: dan WA Channel)?\.?\s*"
)
_CSS = re.compile(r"[.#@][A-Za-z][\w-]{0,60}(?:[ ,.#>:-]{1,3}[\w-]{1,60}){0,4}\s?\{[^{}]{0,500}\}")

_RELATED = re.compile(
    r"(?:(?:baca|lihat|simak|tonton|saksikan) juga|baca|selanjutnya|menarik dibaca|tonton"
    r"|pilihan editor|pilihan redaksi"
    r"|berita selanjutnya|halaman selanjutnya|berita terkait|artikel terkait|also read|read also"
    r"|read more|read|see also"
    r"|related(?: (?:stor(?:y|ies)|articles?|coverage|news))?|more on this(?: story)?|don['’]t miss"
    r"|watch|recommended)"
    r"\s*[:：»>]+\s*(?P<title>.*)",
    re.IGNORECASE,
)
_RELATED_BARE = re.compile(r"(?:baca|lihat) juga\s+[-–—»>]?\s*(?P<title>\S.*)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?][\"”’)]* +[A-Z\"“]")


@dataclass(frozen=True, slots=True)
class Sifted:
    """The story's blocks, and the titles of links that stood among them."""

    blocks: tuple[Block, ...]
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rules:
    """An outlet's strings, ready to compare with clean casefolded text."""

    starts: tuple[str, ...]
    exact: frozenset[str]
    contains: tuple[str, ...]
    cuts: tuple[str, ...]


_COMMON_EXACT = frozenset(line for row in _EXACT.split("\n") for line in row.split("|") if line)


@lru_cache(maxsize=256)
def _prepared(rules: Boilerplate) -> _Rules:
    def clean(strings: Iterable[str]) -> tuple[str, ...]:
        return tuple(text for text in map(clean_line, strings) if text)

    return _Rules(
        starts=tuple(text.casefold() for text in clean(rules.line_start)),
        exact=frozenset(text.casefold() for text in clean(rules.line_exact)),
        contains=clean(rules.contains),
        cuts=clean(rules.cut_after),
    )


def sift(blocks: Sequence[Block], rules: Boilerplate, *, titles: frozenset[str] = frozenset()) -> Sifted:
    """Clean blocks without boilerplate.

    `titles` are casefolded lines known to be links or captions; a block that is one of them is dropped.
    """
    prepared = _prepared(rules)
    kept: list[Block] = []
    related: list[str] = []
    after_label = False
    for block in cut_tail(blocks, rules):
        title = related_title(block.text)
        if title is not None:
            related.extend([title] if title else [])
            after_label = not title
            continue
        if after_label and block.kind is BlockKind.LIST and len(block.text) <= 2 * SHORT:
            related.extend(block.text.split("\n"))
        elif block.text.casefold() not in titles and (text := _without(block, prepared)):
            kept.append(Block(block.kind, text))
        after_label = block.text.casefold().rstrip(" :") in {"baca juga", "lihat juga", "also read", "related"}
    return Sifted(tuple(kept), tuple(dict.fromkeys(related)))


def cut_tail(blocks: Sequence[Block], rules: Boilerplate) -> list[Block]:
    """The blocks before the string that ends an outlet's texts.

    Only where most of the text stands before it: the same words at the top are a banner.
    """
    cuts = _prepared(rules).cuts
    total = sum(len(block.text) for block in blocks)
    before = 0
    for index, block in enumerate(blocks):
        places = [at for cut in cuts if (at := block.text.find(cut)) >= 0]
        if places and before + min(places) >= total / 2:
            head = block.text[: min(places)].rstrip()
            return [*blocks[:index], *([Block(block.kind, head)] if head else [])]
        before += len(block.text)
    return list(blocks)


def related_title(text: str) -> str | None:
    """The title of a block that is a link to another story (``Baca Juga: …``); empty for a label alone.

    None for every other block, and for text that only begins so.
    """
    if len(text) > SHORT:
        return None
    match = _RELATED.fullmatch(text) or _RELATED_BARE.fullmatch(text)
    if match is None or _SENTENCE_END.search(match["title"]):
        return None
    return match["title"].strip(" \"“”'")


def _without(block: Block, rules: _Rules) -> str:
    """The block's text, empty when all of it is boilerplate."""
    text = block.text
    if "{" in text:
        text = clean_line(_CSS.sub(" ", text)) if block.kind is not BlockKind.LIST else text
    if len(text) <= SHORT:
        return "" if _is_boilerplate(text, rules) else text
    return clean_line(_TOKENS.sub(" ", _excise(text, rules.contains))) if block.kind is not BlockKind.LIST else text


def _is_boilerplate(text: str, rules: _Rules) -> bool:
    folded = text.casefold()
    bare = folded.strip(" .:-–—*|")
    if not bare or folded in rules.exact or bare in rules.exact or bare in _COMMON_EXACT or folded in _COMMON_EXACT:
        return True
    if _START.match(text) or _CONTAINS.search(text) or any(string in text for string in rules.contains):
        return True
    return any(_starts(folded, start) for start in rules.starts) or read_byline(text) is not None


def _starts(folded: str, start: str) -> bool:
    """Whether a line begins with an outlet's string, as whole words."""
    if not folded.startswith(start):
        return False
    following = folded[len(start) : len(start) + 1]
    if following.isalnum() and start[-1:].isalnum():
        return False
    return not start[-1:].isalnum() or len(start.split()) > 2 or len(folded) <= _HEADLINE


def _excise(text: str, strings: Iterable[str]) -> str:
    """Take an outlet's strings out of a long text, each with the rest of its sentence."""
    for string in strings:
        for _ in range(20):
            at = text.find(string)
            if at < 0:
                break
            end = _SENTENCE_END.search(text, at, at + len(string) + SHORT)
            stop = end.start() + 1 if end else min(at + len(string), len(text))
            text = f"{text[:at]} {text[stop:]}"
    return text
