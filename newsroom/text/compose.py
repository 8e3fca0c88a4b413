"""From a seed to the words of one story: the only module that knows all topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from newsroom import chance
from newsroom.clock import WIB
from newsroom.text import economy, english, indonesian, international, markets, names, politics
from newsroom.text.grammar import Facts, Filler, Grammar

DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MONTHS = (
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
)
DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS_EN = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
COMMODITIES = (
    "emas",
    "nikel",
    "timah",
    "batubara",
    "minyak sawit",
    "tembaga",
    "karet",
    "gas alam",
    "kakao",
    "aluminium",
)

#: Share of dates in bodies whose weekday contradicts them, as counted in real texts.
WRONG_WEEKDAY = 0.045

TOPICS: Mapping[str, Grammar] = {
    "markets": Grammar({**indonesian.RULES, **markets.RULES}),
    "economy": Grammar({**indonesian.RULES, **economy.RULES}),
    "politics": Grammar({**indonesian.RULES, **politics.RULES}),
    "international": Grammar({**indonesian.RULES, **international.RULES}),
    "english": Grammar(english.RULES),
}


@dataclass(frozen=True, slots=True)
class Brief:
    """What the words of a story depend on."""

    seed: int
    #: A key of `TOPICS`.
    topic: str
    #: Aware; dates in the text are near it.
    published: datetime
    #: How the outlet calls itself inside a body (``Kabarniaga.co.id``).
    brand: str


@dataclass(frozen=True, slots=True)
class Head:
    """What a feed needs of a story; cheap."""

    title: str
    #: The template of the title, which other titles of the story do not use.
    pattern: str
    #: First paragraph of the body.
    lead: str
    place: str
    #: The facts that the body is to go on with.
    facts: Facts


@dataclass(frozen=True, slots=True)
class Body:
    """The rest of a story's words."""

    #: All paragraphs, the lead first: no dateline, no links, no byline.
    paragraphs: tuple[str, ...]
    #: (index of the paragraph it stands before, text) of each heading inside the body.
    subheads: tuple[tuple[int, str], ...]
    tags: tuple[str, ...]
    caption: str


def head(brief: Brief) -> Head:
    """Title, lead and place of a story."""
    rng = chance.dice(brief.seed, "head")
    grammar = TOPICS[brief.topic]
    facts = _english_facts(brief, rng) if brief.topic == "english" else _indonesian_facts(brief, rng)
    pattern = grammar.sample("judul", 1, rng)[0]
    title = _headline(grammar.sentence(pattern, rng, facts))
    lead = grammar.sentence(grammar.sample("lead", 1, rng)[0], rng, facts)
    place = facts["tempat"]
    assert isinstance(place, str)
    return Head(title, pattern, lead, place, facts)


def other_titles(brief: Brief, top: Head) -> tuple[str, str]:
    """Two more headlines for the same story."""
    rng = chance.dice(brief.seed, "titles")
    grammar = TOPICS[brief.topic]
    patterns = [t for t in grammar.sample("judul", 3, rng) if t != top.pattern]
    first, second = (_headline(grammar.sentence(t, rng, top.facts)) for t in patterns[:2])
    return first, second


def body(brief: Brief, top: Head) -> Body:
    """Paragraphs, headings, tags and caption that go with a head."""
    rng = chance.dice(brief.seed, "body")
    grammar = TOPICS[brief.topic]
    pool = grammar.sample("isi", rng.randint(9, 14), rng) + grammar.sample("umum", rng.randint(1, 3), rng)
    pool += [t for _ in range(rng.randint(2, 4)) for t in grammar.sample("kutip", 1, rng)]
    rng.shuffle(pool)
    paragraphs = [top.lead]
    while pool:
        take = min(len(pool), rng.choice((1, 1, 2, 2, 3)))
        paragraphs.append(" ".join(grammar.sentence(pool.pop(), rng, top.facts) for _ in range(take)))
    subheads: tuple[tuple[int, str], ...] = ()
    if len(paragraphs) > 6 and rng.random() < 0.35:
        subheads = (
            (
                rng.randint(3, len(paragraphs) - 2),
                grammar.sentence(rng.choice(grammar.sample("subjudul", 9, rng)), rng, top.facts),
            ),
        )
    tags = dict.fromkeys(grammar.expand(t, rng, top.facts) for t in grammar.sample("tag", rng.randint(2, 5), rng))
    return Body(tuple(paragraphs), subheads, tuple(tags), grammar.pick("gambar", rng, top.facts))


def extra_sentence(brief: Brief, top: Head, salt: int) -> str:
    """One more sentence that fits the story, for updates and edits."""
    rng = chance.dice(brief.seed, "extra", salt)
    grammar = TOPICS[brief.topic]
    return grammar.sentence(rng.choice(grammar.sample("umum", 4, rng)), rng, top.facts)


def _headline(title: str) -> str:
    """Headlines carry no doubled blanks and begin words with capitals."""
    small = {"di", "ke", "dari", "dan", "atas", "per", "pada", "untuk", "the", "of", "in", "on", "a", "and", "for"}
    words = title.split()
    return " ".join(w if i and w in small else w[:1].upper() + w[1:] for i, w in enumerate(words))


def _date_word(brief: Brief, rng: Random, *, english_words: bool = False) -> str:
    shift = rng.choices((0, -1, -2, 1, -5), (305, 117, 38, 27, 10))[0]
    day = brief.published.astimezone(WIB).date() + timedelta(days=shift)
    if english_words:
        return rng.choice((DAYS_EN[day.weekday()], f"{MONTHS_EN[day.month - 1]} {day.day}"))
    weekday = (day.weekday() + (1 if rng.random() < WRONG_WEEKDAY else 0)) % 7
    year = f"/{day.year}" if rng.random() < 0.105 else ""
    return f"{DAYS[weekday]} ({day.day}/{day.month}{year})"


def _decimal(rng: Random, high: float, comma: str = ",") -> str:
    return f"{rng.uniform(0.1, high):.{rng.randint(1, 2)}f}".replace(".", comma)


def _fraction(rng: Random, low: float, high: float) -> str:
    return f"{rng.uniform(low, high):.1f}".replace(".", ",")


def _count(rng: Random) -> str:
    value = int(10 ** rng.uniform(2, 4.9))
    return f"{value:,}".replace(",", ".")


def _numbers(brief: Brief) -> dict[str, Filler]:
    year = brief.published.astimezone(WIB).year
    quarters = ("I", "II", "III", "IV")
    return {
        "persen": lambda r: f"{_decimal(r, r.choice((8, 20, 45)))}%",
        "rupiah": lambda r: f"Rp {_decimal(r, 95)} {r.choice(('miliar', 'miliar', 'triliun'))}",
        "dolar": lambda r: f"US$ {_decimal(r, 90)} {r.choice(('juta', 'miliar'))}",
        "kurs": lambda r: f"Rp {r.randint(14, 17)}.{r.randint(0, 999):03d}",
        "indeks": lambda r: f"{r.randint(6, 8)}.{r.randint(0, 999):03d},{r.randint(0, 99):02d}",
        "jumlah": _count,
        "kecil": lambda r: str(r.randint(2, 48)),
        "magnitudo": lambda r: _fraction(r, 4.5, 7.6),
        "desimal": lambda r: _decimal(r, 30),
        "tahun": lambda r: str(year - r.choice((0, 0, 1, 1, 2, 3, 5))),
        "bulan": lambda r: r.choice(MONTHS),
        "triwulan": lambda r: f"kuartal {r.choice(quarters)}-{year - r.choice((0, 0, 1))}",
        "hari": lambda r: _date_word(brief, r),
    }


def _full_firm(rng: Random) -> str:
    short, ticker = names.firm(rng)
    return f"PT {short} Tbk ({ticker})"


def _indonesian_facts(brief: Brief, rng: Random) -> Facts:
    short, ticker = names.firm(rng)
    people = [names.person(rng) for _ in range(3)]
    (nation, cities), (nation2, cities2) = rng.sample(names.NATIONS, 2)
    city_abroad = rng.choice(cities)
    city = rng.choice(names.CITIES)
    abroad = brief.topic == "international" and rng.random() < 0.8
    roles = rng.sample(indonesian.RULES["jabatan"], 2)
    facts = _numbers(brief)
    facts |= {
        "emiten": f"PT {short} Tbk ({ticker})",
        "emiten_p": short,
        "kode": ticker,
        "kode2": lambda r: names.firm(r)[1],
        "kode3": lambda r: names.firm(r)[1],
        "emiten2": _full_firm,
        "emiten3": _full_firm,
        "tokoh": people[0],
        "tokoh1": people[0].split()[0],
        "tokoh2": people[1],
        "tokoh3": people[2],
        "jabatan": roles[0],
        "jabatan2": roles[1],
        "lembaga": rng.choice(names.INSTITUTIONS),
        "lembaga2": rng.choice(names.INSTITUTIONS),
        "rumah": lambda r: r.choice(names.HOUSES),
        "komoditas": lambda r: r.choice(COMMODITIES),
        "negara": nation,
        "negara2": nation2,
        "kota": city,
        "kota2": lambda r: r.choice(names.CITIES),
        "kota_ln": city_abroad,
        "kota_ln2": rng.choice(cities2),
        "brand": brief.brand,
        "tempat": city_abroad if abroad else rng.choice(("Jakarta", "Jakarta", city)),
    }
    for own in ("sektor", "barang", "perkara", "bidang"):
        rules = {
            "sektor": economy.RULES,
            "barang": economy.RULES,
            "perkara": politics.RULES,
            "bidang": international.RULES,
        }
        options: Sequence[str] = rules[own][own]
        facts[own] = _leaning(rng.choice(options), options)
    return facts


def _leaning(favourite: str, options: Sequence[str]) -> Filler:
    """A draw that keeps to the story's own subject three times in four."""
    return lambda r: favourite if r.random() < 0.75 else r.choice(options)


def _english_facts(brief: Brief, rng: Random) -> Facts:
    short, _ = names.firm(rng)
    year = brief.published.astimezone(WIB).year
    nation, nation2 = rng.sample(
        (
            "South Korea",
            "Japan",
            "China",
            "Singapore",
            "Malaysia",
            "Thailand",
            "Vietnam",
            "India",
            "Australia",
            "Canada",
            "Germany",
            "France",
            "Brazil",
            "Kenya",
            "Norway",
            "Spain",
        ),
        2,
    )
    agencies = (
        "the Harbour Authority",
        "the National Data Board",
        "the Trade Office",
        "the Central Mint",
        "the Forest Council",
        "the Rates Committee",
        "the Land Court",
        "the Fisheries Agency",
    )
    sector = rng.choice(english.RULES["sector"])
    people = [names.person(rng) for _ in range(3)]
    city = rng.choice(names.CITIES)
    return {
        "firm": short,
        "firm_short": short,
        "firm_full": f"PT {short} Tbk",
        "firm2": lambda r: names.firm(r)[0],
        "firm3": lambda r: names.firm(r)[0],
        "sector": _leaning(sector, english.RULES["sector"]),
        "sector_c": sector.capitalize(),
        "plan": _leaning(rng.choice(english.RULES["plan"]), english.RULES["plan"]),
        "nation": nation,
        "nation2": nation2,
        "agency": rng.choice(agencies),
        "agency2": lambda r: r.choice(agencies),
        "house": lambda r: r.choice(names.HOUSES),
        "city": city,
        "city2": lambda r: r.choice(names.CITIES),
        "person1": people[0],
        "person2": people[1],
        "person3": people[2],
        "brand": brief.brand,
        "tempat": city,
        "percent": lambda r: f"{_decimal(r, 40, '.')}%",
        "dollars": lambda r: f"${_decimal(r, 90, '.')} {r.choice(('million', 'billion'))}",
        "count": lambda r: f"{int(10 ** r.uniform(2, 4.9)):,}",
        "small": lambda r: str(r.randint(2, 48)),
        "year": lambda r: str(year - r.choice((0, 1, 1, 2, 3, 5))),
        "month": lambda r: r.choice(MONTHS_EN),
        "quarter": lambda r: f"the {r.choice(('first', 'second', 'third', 'fourth'))} quarter",
        "day": lambda r: _date_word(brief, r, english_words=True),
    }
