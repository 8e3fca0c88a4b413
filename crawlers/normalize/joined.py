"""Lines that ran together: a byline before the dateline, links in the middle of a paragraph, glued paragraphs.

Pages without paragraph elements, feeds and archives give one long line. A title in it has no end mark;
it is taken out only where something shows its end: the title is known, two words touch
(``digitalICDX``), the text ends, or the next words are known from elsewhere in the text. Otherwise the
label goes and the words stay, because a sentence lost is worse than a title kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from crawlers.normalize.byline import label_starts, read_byline

#: A shorter line is one paragraph.
LONG = 400
#: Titles are shorter.
_TITLE = 250
#: Byline and caption before the dateline are within this.
_FRONT = 900
_TAIL = 300
#: Words of a title: more than these are one and a sentence, fewer than those are none.
_WORDS, _FEWEST = 18, 4
#: Characters around a link in which the next sentence's first words are looked for.
_NEAR = 10_000
#: Links in one text beyond this are stripped of their label only.
_MOST = 60

_MARKER = re.compile(
    r"(?:(?<![A-Za-z])|(?<=[a-z\d)%])(?=[A-Z]))"
    r"(?:Baca [Jj]uga|BACA JUGA|Menarik [Dd]ibaca|Lihat [Jj]uga|Simak [Jj]uga|Tonton) ?: ?"
    r"|(?<![A-Za-z])Selanjutnya ?: ?(?=[A-Z\"“])|(?:(?<![A-Za-z])|(?<=[a-z\d)%])(?=[A-Z]))Sumber ?: ?(?=[A-Z])"
)
#: Two paragraphs without a space: after a sentence, a lower-case letter, a digit, a bracket or an acronym.
_GLUE = re.compile(
    r"(?<=[a-z)%.!?”’])(?=[A-Z“])|(?<=\d)(?=[A-Z][a-z]|“)|(?<=[a-z\d)%.!?,][\"'])(?=[A-Z“])|(?<=[\d)%])(?=\"[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z]{2,})"
)
_CAMEL = re.compile(
    r"(?:^|\W)(?:[a-z]|You|Tik|Link|Open|Buka|Pay|Whats|Linked|Space|Deep|Chat|Sea|Indi|In|Mc|Mac|Go"
    r"|Grab|Shopee|Java|Black"
    r"|Master|Fin|Trans|Pos|Jak|Krom|Super|Neo|Ali|Baidu|Tele|Micro|Face|Data|Smart|My|De|Di|La|Le|Van|Von|O)$"
)
#: A sentence ended and the next began without a space; both sides must look the part.
_GLUED_SENTENCE = re.compile(
    r"(?<=[a-z)%\d][.!?])(?!(?:Com|Co|Id|Tv|Net|Org)\b)(?=[A-Z][a-z]|[A-Z]{2,}[ .(]|[“\"][A-Z])"
    r"|(?<=[a-z)%\d][.!?][”\"’])(?=[A-Z“\"])"
)
_SENTENCE_END = re.compile(r"[.!?][\"”’)]* ")
#: ``…, Apa Sebabnya? Presiden …``, ``… hari Senin (8/3) Perusahaan …``.
_ENDS_TITLE = re.compile(r"(?:[?!][\"”’]?|\b(?:[Hh]ari|[Pp]ada) [A-Z]\w{3,5} \(\d{1,2}/\d{1,2}\)) (?=[A-Z\"“])")
_CITY = re.compile(r" (?=[A-Z]{4,}(?: [A-Z]{2,}){0,3}(?: ?/ ?[A-Z]{4,}(?: [A-Z]{2,})*){0,3} ?\. )")
#: Byline, then a sentence with neither dateline nor mark before it: a name has two words, or one.
_EDITOR = re.compile(
    r"(?:ILUSTRASI\.[^:]{0,600}?)?(?:(?:Reporter|Sumber|Penulis|Pewarta|Editor) ?: ?[^:.]{2,120}?[ |]+){0,3}Editor ?: ?"
    r"(?:[A-Z][\w'’.-]* ){1,2}(?=[A-Z\"“][\w'’-]*(?:[,\"” ]|$))"
)
_FURNITURE = re.compile(r"(?:ILUSTRASI\.|Reporter\s?:|Editor\s?:|Penulis\s?:|Sumber\s?:|Pewarta\s?:|Oleh\s?:)")

_SMALL_WORDS = """
agar akan atas atau bagi bak bakal dalam dan dari demi dengan di hingga ini itu jadi jelang kala karena ke
lewat mulai oleh pada para pasca per pun saat sampai sebagai serta si soal tak tapi tentang terhadap tetap
untuk usai vs yang a an and as at by for from in is of on or the to with
"""
_SMALL = frozenset(_SMALL_WORDS.split())

_OPENERS_WORDS = """
Adapun Akhirnya Akibatnya Alhasil Analis Apabila Apalagi Artinya Asal Associate Atas Bahkan Begitu
Berdasarkan Berikut Bila But CEO Dalam Demikian Dengan Di Dia Direktur Dus Gubernur Guna Hal He Hingga Ia In
Ini It Itu Jika Kabarnya Kalau Karena Kedua Keempat Kelima Kemarin Kemudian Kendati Kepala Ketiga Ketua
Khusus Kini Lalu Managing Melalui Melansir Mengutip Menteri Menurut Menurutnya Mereka Merujuk Meski Meskipun
Misalnya Namun Oleh On PT Pada Padahal Pasalnya Pertama Presiden Saat Sayangnya Sebab Sebagai Sebanyak Sebelumnya
Secara Sedangkan Sehingga Sejak Sejauh Sekadar Sekedar Selain Selama Selanjutnya Sementara Senada Seperti
Setelah Setidaknya She Sontak Tahun Tak Tapi Tentu Tercatat Terkait Terlebih Tetapi The They Tidak Untuk
Walau Walaupun
"""
_OPENERS = frozenset(_OPENERS_WORDS.split())

#: Openers that no title holds before a lower-case word.
_NOT_CONNECTIVES = """
Analis Associate Atas CEO Di Direktur Gubernur Guna In Ini Itu Kepala Ketua Khusus Managing Melalui
Menteri On PT Presiden Tahun Tak The Tidak Untuk
"""
_CONNECTIVES = _OPENERS - frozenset(_NOT_CONNECTIVES.split())


def split_front(text: str, brands: Iterable[str]) -> list[str]:
    """Caption and byline that stand before the dateline in one line, each apart; else the text alone."""
    if not _FURNITURE.match(text):
        return [text]
    head = text[:_FRONT]
    places = [at for brand in brands if brand and (at := head.find(brand)) > 0]
    if not places and (city := _CITY.search(head)):
        places = [city.end()]
    if not places and len(text) > _FRONT / 3 and (named := _EDITOR.match(head)):
        places = [named.end()]
    if not places:
        return [text]
    front = text[: min(places)].strip()
    labels = [at for at in label_starts(front) if read_byline(front[at:])]
    parts = [front[: labels[0]], front[labels[0] :]] if labels else [front]
    return [part.strip() for part in parts if part.strip()] + [text[min(places) :]]


def split_tail(text: str) -> list[str]:
    """A byline at the end of a line of text, apart; else the text alone."""
    at = max(len(text) - _TAIL, 0)
    for start in label_starts(text[at:]):
        line = text[at + start :]
        named = line.partition(":")[2].lstrip()[:1]
        if at + start and not named.islower() and read_byline(line):
            head = text[: at + start].rstrip(" |")
            return [head, line] if head else [line]
    return [text]


def split_glued(text: str) -> list[str]:
    """Paragraphs that touch (``… digital.Hal ini``), apart; only in long text that does it more than once."""
    if len(text) < LONG or len(_GLUED_SENTENCE.findall(text)) < 2:
        return [text]
    return [part.strip() for part in _GLUED_SENTENCE.split(text) if part.strip()]


def strip_links(text: str, known: Iterable[str] = ()) -> tuple[str, tuple[str, ...]]:
    """A paragraph without the links inside it, and their titles where their ends were found."""
    markers = list(_MARKER.finditer(text))
    if not markers:
        return text, ()
    titles = sorted({title.casefold() for title in known if title}, key=len, reverse=True)[:_MOST]
    kept, found, at = [], [], 0
    for number, (marker, following) in enumerate(zip(markers, [*markers[1:], None], strict=True)):
        kept.append(text[at : marker.start()])
        stop = following.start() if following else len(text)
        at = marker.end()
        end = _title_end(text, at, stop, titles) if number < _MOST else None
        if end is not None:
            if not marker.group().startswith("Sumber"):
                found.append(text[at:end].strip())
            at = end
    kept.append(text[at:])
    return " ".join(part.strip() for part in kept if part.strip()), tuple(title for title in found if title)


def _title_end(text: str, start: int, stop: int, known: list[str]) -> int | None:
    """Where the title that begins at `start` ends, or None when nothing shows it."""
    window = text[start : min(stop, start + _TITLE)]
    folded = window.casefold()
    for title in known:
        if folded.startswith(title) and len(folded) == len(window):
            return start + len(title)
    sentence = _SENTENCE_END.search(window)
    for glue in _GLUE.finditer(window, 0, sentence.start() if sentence else len(window)):
        if not _CAMEL.search(window[: glue.start()]) and glue.start() > 3:
            return start + glue.start()
    if sentence is None and stop - start <= _TITLE and not window.rstrip().endswith("."):
        return stop
    # A title and the sentence after it end with that sentence.
    window = window[: sentence.start()] if sentence else window
    ends = _ENDS_TITLE.search(text, start, start + len(window) + 4)
    if ends and _in_title_case(text[start : ends.start()]):
        return ends.end()
    words = _title_words(window, text[max(start - _NEAR, 0) : start], text[start + len(window) : start + _NEAR])
    return None if words is None else start + words


def _in_title_case(words: str) -> bool:
    return not any(word[0].islower() and word.strip(",.") not in _SMALL for word in words.split())


def _title_words(window: str, before: str, after: str) -> int | None:
    """Length of a title in Title Case that a sentence follows, where the sentence's first words are recognised."""
    tokens = list(re.finditer(r"\S+", window))
    for word, following in pairwise(tokens[_FEWEST:_WORDS]):
        if word[0].rstrip(",") in _CONNECTIVES and (following[0][0].islower() or word[0].endswith(",")):
            return word.start()
    lower = next((i for i, t in enumerate(tokens) if t[0][0].islower() and t[0].strip(",.") not in _SMALL), None)
    if lower is None or lower <= _FEWEST:
        return None
    first = lower
    while first > _FEWEST and not tokens[first - 1][0][0].islower() and tokens[first - 1][0][-1] not in ",:;?!":
        first -= 1
    if tokens[first - 1][0][-1] == ",":
        return None  # "Kedua, Pengadilan Niaga menghukum": the sentence began before the comma
    run = range(first, lower)
    opener = next((at for at in run if tokens[at][0].strip(",") in _CONNECTIVES), None)
    if opener is not None:
        return tokens[opener].start()
    # A name of two words or more that the text uses elsewhere is one name.
    for at in run[-5:-1]:
        name = window[tokens[at].start() : tokens[lower - 1].end()]
        if name in before or name in after:
            return tokens[at].start()
    return None
