"""The shapes in which years of Kontan's texts stand: caption, byline, dateline, text and tail, apart or in one line."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from config.load import load
from config.model import Outlet
from crawlers.model import Extraction, Normalized
from crawlers.normalize import normalize
from storage.model import Article, Block, BlockKind

CONFIG = Path(__file__).parents[3] / "config"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
NAMES = ["Ani Lestari", "S.S. Pratama", "Wira Tri R.", "Handaya .", "Dina Mira Utami", "Adi W", "Lenika", "Citra Dewi"]
BYLINES = [
    "Reporter: {a} | Editor: {e}",
    "Reporter: {a}, {b} | Editor: {e}",
    "Reporter: {a} Editor: {e} | Editor: {e}",
    "Reporter: {a}\u00a0|\u00a0Editor: {e}",
    "Reporter : {a} | Editor : {e}",
    "Reporter:{a} |\nEditor:{e}",
    "Sumber: Reuters | Editor: {e}",
    "Sumber: Reuters,Bloomberg | Editor: {e}",
    "Penulis: {a} | Editor: {e}",
    "Editor: {e}",
]
FRONTS = [
    "",
    "ILUSTRASI. Pekerja menata karung garam. KONTAN/Danu Putra/15/08/2025",
    "ILUSTRASI. Petugas menghitung uang. REUTERS/Willy Sura\n",
]
DATELINES = [
    ("KONTAN.CO.ID - JAKARTA. ", ("JAKARTA",)),
    ("KONTAN.CO.ID -\u00a0JAKARTA. ", ("JAKARTA",)),
    ("KONTAN.CO.ID – SURABAYA/JAKARTA. ", ("SURABAYA", "JAKARTA")),
    ("KONTAN.CO.ID-WASHINGTON/BEIJING. ", ("WASHINGTON", "BEIJING")),
    ("KONTAN.CO.ID -JAKARTA . ", ("JAKARTA",)),
    ("KONTAN.CO.ID - ", ()),
]
FIRSTS = [
    "Petani garam di Teluk Semar menjual hasil panen kepada tiga pabrik pengolah.",
    "PT Garam Semar Tbk (GSMR) membagikan dividen tunai Rp 1,2 triliun tahun ini.",
    "“Harga garam naik,” kata kepala dinas di pelabuhan pada hari Senin (7/3).",
    "Indeks Harga Garam Gabungan (IHGG) ditutup menguat 0,33% di zona hijau.",
]
REST = [
    "Menurut dinas, kenaikan itu sudah berlangsung sejak awal tahun dan belum akan berhenti.",
    "Para pedagang berkata kepada Kontan.co.id, Sabtu (27/8), bahwa stok masih aman sampai bulan depan.",
]
TAILS = [
    "",
    "Cek Berita dan Artikel yang lain di Google News",
    "Selanjutnya: Harga Emas Hari Ini Naik Tajam\nMenarik Dibaca: Promo Akhir Pekan Terbaru",
    "Editor: {e}",
    "Reporter: {a} Editor: {e} | Editor: {e}",
]


@lru_cache(maxsize=1)
def kontan() -> Outlet:
    outlet = load(CONFIG / "warta.yaml", {}).outlet("kontan")
    assert outlet is not None
    return outlet


def stored(text: str) -> Article:
    """The article of a page whose paragraphs are these lines."""
    blocks = tuple(Block(BlockKind.PARAGRAPH, line) for line in text.split("\n") if line.strip())
    url = "https://nasional.kontan.co.id/news/garam"
    page = Extraction(url=url, title="Garam naik kelas", blocks=blocks)
    found = normalize(page, outlet=kontan(), entry=None, fetched_url=url, fetched_at=NOW, now=NOW)
    assert isinstance(found, Normalized)
    return found.article


@given(
    st.sampled_from(FRONTS),
    st.sampled_from(BYLINES),
    st.sampled_from(DATELINES),
    st.sampled_from(FIRSTS),
    st.sampled_from(TAILS),
    st.sampled_from(["\n", " ", "  ", "\u00a0", " | ", ""]),
    st.permutations(NAMES),
)
@settings(max_examples=100, deadline=None)
def test_every_shape_gives_its_people_its_dateline_and_its_first_sentence(
    front: str, byline: str, dateline: tuple[str, tuple[str, ...]], first: str, tail: str, joint: str, names: list[str]
) -> None:
    people = dict(zip("abe", names, strict=False))
    between = "\n" if joint == "\n" else " "
    text = between.join([f"{dateline[0]}{first}", *REST, tail.format(**people)])
    article = stored(f"{front}{byline.format(**people)}{joint}{text}")

    assert article.text.startswith(first)
    assert article.text.split() == " ".join([first, *REST]).split()
    assert (article.brand, article.places) == ("KONTAN.CO.ID", dateline[1])
    assert (article.editor or "").rstrip(" .") == people["e"].rstrip(" .")
    wanted = [people[key] for key in "ab" if f"{{{key}}}" in byline or f"{{{key}}}" in tail]
    assert [name.rstrip(" .") for name in article.authors] == [name.rstrip(" .") for name in wanted]
