from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.model import Limits, SourceKind
from crawlers.discover import discover
from crawlers.fence import fence
from crawlers.model import Discovered, DiscoveryFailed, FailureKind

JAKARTA = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
URL = "https://nasional.pasar.example/rss"


def read(body: str | bytes, *, content_type: str | None = None, limits: Limits | None = None) -> Discovered:
    body = body.encode() if isinstance(body, str) else body
    found = discover(
        SourceKind.FEED, body, url=URL, content_type=content_type, now=NOW, timezone=JAKARTA, limits=limits
    )
    assert isinstance(found, Discovered), found
    return found


def rss(*items: str, head: str = "", before: str = '<?xml version="1.0" encoding="utf-8"?>\n') -> str:
    return (
        f'{before}<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
        ' xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0">'
        f"<channel><title>Pasar</title><link>https://www.pasar.example/</link>{head}{''.join(items)}</channel></rss>"
    )


def item(slug: str = "rupiah-menguat", more: str = "", title: str = "Rupiah menguat") -> str:
    return f"<item><title>{title}</title><link>https://nasional.pasar.example/news/{slug}</link>{more}</item>"


def codes(found: Discovered) -> set[str]:
    return {problem.code for problem in found.problems}


def test_an_rss_item_is_read_whole() -> None:
    found = read(
        rss(
            item(
                more="<guid isPermaLink='false'>77</guid><pubDate>Jum'at, 20 Nov 2026 10:15:00 WIB</pubDate>"
                "<description><![CDATA[<img src='/foto/1.jpg'><p>Kurs &amp; <b>bursa</b> naik.</p>]]></description>"
                "<dc:creator>Siti Rahma</dc:creator><category>Keuangan</category><category>Valas</category>"
            ),
            head="<language>id</language>",
        )
    )
    (entry,) = found.entries
    assert entry.url == "https://nasional.pasar.example/news/rupiah-menguat"
    assert entry.guid == "77"
    assert entry.title == "Rupiah menguat"
    assert entry.published == datetime(2026, 11, 20, 3, 15, tzinfo=UTC)
    assert entry.summary == "Kurs & bursa naik."
    assert entry.authors == ("Siti Rahma",)
    assert entry.tags == ("Keuangan", "Valas")
    assert entry.image == "https://nasional.pasar.example/foto/1.jpg"
    assert entry.language == "id"
    assert (found.format, found.title, found.problems) == ("rss", "Pasar", ())


def test_an_atom_entry_takes_its_alternate_link_and_both_dates() -> None:
    found = read(
        """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://pasar.example/berita/"><title>P</title>
        <entry><id>tag:pasar.example,2026:1</id><title type="text">5 &lt; 6 &amp; 7</title>
        <link rel="self" href="https://api.example/1.json"/><link rel="enclosure" type="image/png" href="a.png"/>
        <link rel="alternate" type="text/html" href="satu"/>
        <published>2026-11-20T10:15:00+07:00</published><updated>2026-11-20T11:00:00</updated>
        <summary type="html">&lt;p&gt;Isi&lt;/p&gt;</summary><author><name>Budi</name></author></entry></feed>"""
    )
    (entry,) = found.entries
    assert found.format == "atom"
    assert entry.url == "https://pasar.example/berita/satu"
    assert entry.guid == "tag:pasar.example,2026:1"
    assert entry.title == "5 < 6 & 7"
    assert entry.published == datetime(2026, 11, 20, 3, 15, tzinfo=UTC)
    assert entry.updated == datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
    assert entry.image == "https://pasar.example/berita/a.png"


def test_the_only_date_of_rdf_is_the_day_of_publication() -> None:
    found = read(
        """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>t</title></channel>
        <item rdf:about="https://pasar.example/a"><title>A</title><link>https://pasar.example/a</link>
        <dc:date>2026-11-20T10:00+09:00</dc:date></item></rdf:RDF>"""
    )
    assert found.format == "rdf"
    assert found.entries[0].published == datetime(2026, 11, 20, 1, tzinfo=UTC)
    assert found.entries[0].updated is None


def test_a_json_feed_is_read() -> None:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Pasar",
        "language": "id",
        "items": [
            {
                "id": 7,
                "url": "/news/a",
                "title": "A < B",
                "content_html": "<p>Isi <img src='/a.jpg'></p>",
                "date_published": "2026-11-20T10:15:00+07:00",
                "authors": [{"name": "Siti"}, {"url": "x"}],
                "tags": ["Valas", 3],
            },
            "not an item",
            {"id": "https://nasional.pasar.example/news/b"},
        ],
    }
    found = read(json.dumps(document))
    first, second = found.entries
    assert (first.url, first.guid, first.title) == ("https://nasional.pasar.example/news/a", "7", "A < B")
    assert (first.summary, first.image) == ("Isi", "https://nasional.pasar.example/a.jpg")
    assert (first.authors, first.tags, first.language) == (("Siti",), ("Valas",), "id")
    assert second.url == "https://nasional.pasar.example/news/b"
    assert codes(found) == {"items_without_link"}


def test_a_blank_line_before_the_declaration_is_no_reason_to_complain() -> None:
    assert read("\n \n" + rss(item())).problems == ()


def test_a_feed_that_is_not_well_formed_gives_its_items() -> None:
    found = read(rss(item(more="<description>A & B &nbsp; <br></description>"), item("dua")))
    assert len(found.entries) == 2
    assert "not_well_formed" in codes(found)


@pytest.mark.parametrize(
    "bad",
    [
        "<title>&#xD800;</title>",
        "<title>&#99999999999;</title>",
        "<title>&#" + "9" * 5000 + ";</title>",
        '<x xmlns:gml="http://www.opengis.net/gml"><gml:pos>1 x</gml:pos></x>',
        "<title>\x00\x0b</title>",
        "<title>&undefined;</title>",
    ],
)
def test_one_bad_item_does_not_cost_its_neighbours(bad: str) -> None:
    found = read(
        rss(item("satu"), f"<item>{bad}<link>https://nasional.pasar.example/news/x</link></item>", item("dua"))
    )
    assert {entry.url.rpartition("/")[2] for entry in found.entries} >= {"satu", "dua"}


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE rss [<!ENTITY p "C:\\data">]>',
        '<!DOCTYPE rss SYSTEM "https://evil.example/x.dtd">',
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_a_document_type_brings_nothing_in(doctype: str) -> None:
    found = read(rss(item(title="&x;&p;"), item("dua"), before=doctype))
    assert len(found.entries) == 2
    assert "root:" not in str(found)


@pytest.mark.parametrize("label", ["undefined", "idna", "zip", "rot13", "x-no-such-thing"])
def test_an_encoding_that_is_none_is_ignored(label: str) -> None:
    found = read(rss(item(title="Café"), before=f'<?xml version="1.0" encoding="{label}"?>'))
    assert found.entries[0].title == "Café"


def test_bytes_that_are_utf8_are_believed_before_their_label() -> None:
    found = read(rss(item(title="Café – “satu”"), before='<?xml version="1.0" encoding="iso-8859-1"?>'))
    assert found.entries[0].title == "Café – “satu”"


@pytest.mark.parametrize("codec", ["utf-16", "utf-8-sig", "windows-1252", "iso-8859-15"])
def test_other_encodings_are_read_by_mark_or_label(codec: str) -> None:
    label = codec.removesuffix("-sig")
    body = rss(item(title="Café"), before=f'<?xml version="1.0" encoding="{label}"?>').encode(codec)
    assert read(body).entries[0].title == "Café"


def test_one_damaged_byte_does_not_turn_utf8_into_mojibake() -> None:
    body = rss(item(title="Café " + "é" * 50), item("dua")).encode().replace(b"</rss>", b"\xff</rss>")
    assert read(body).entries[0].title == "Café " + "é" * 50


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("AT&amp;T", "AT&T"),
        ("AT&amp;amp;T", "AT&T"),
        ("<![CDATA[Harga &lsquo;naik&rsquo; &amp; turun]]>", "Harga ‘naik’ & turun"),
        ("&lt;b&gt;Naik&lt;/b&gt; lagi", "Naik lagi"),
        ("<![CDATA[<strong>Naik</strong>]]>", "Naik"),
        ("laba &lt; 5 persen", "laba < 5 persen"),
        ("  dua\n baris ", "dua baris"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;Naik", "Naik"),
    ],
)
def test_titles_are_plain_text(written: str, title: str) -> None:
    assert read(rss(item(title=written))).entries[0].title == title


def test_a_long_summary_is_cut_at_a_word() -> None:
    summary = read(rss(item(more=f"<description>{'kata ' * 1000}</description>"))).entries[0].summary
    assert summary is not None
    assert len(summary) <= 2000
    assert summary.endswith("kata…")


def test_the_original_link_is_preferred_to_the_counter() -> None:
    more = "<feedburner:origLink>https://nasional.pasar.example/news/asli?utm_source=rss</feedburner:origLink>"
    assert read(rss(item(more=more))).entries[0].url == "https://nasional.pasar.example/news/asli?utm_source=rss"


def test_a_guid_is_a_link_only_when_there_is_no_other() -> None:
    found = read(
        rss(
            "<item><title>A</title><guid>https://nasional.pasar.example/news/a</guid></item>",
            "<item><title>B</title><guid isPermaLink='false'>b-1</guid></item>",
            item(more="<guid>https://nasional.pasar.example/?p=3</guid>"),
            "<item><title>C</title><link>javascript:alert(1)</link></item>",
        )
    )
    assert [entry.url.rpartition("/")[2] for entry in found.entries] == ["a", "rupiah-menguat"]
    assert codes(found) == {"items_without_link"}


def test_items_that_all_link_to_the_home_page_are_reported() -> None:
    home = "<item><title>T</title><link>https://www.pasar.example/</link></item>"
    assert "links_to_homepage" in codes(read(rss(home, home)))
    assert "links_to_homepage" not in codes(read(rss(home, item())))


def test_the_publishers_word_on_polling_is_read() -> None:
    found = read(
        rss(
            item(),
            head="<ttl>30</ttl><sy:updatePeriod> Houlry </sy:updatePeriod><sy:updateFrequency>1</sy:updateFrequency>"
            "<skipHours><hour>0</hour><hour>23</hour><hour>24</hour></skipHours>"
            "<skipDays><day>Sunday</day><day>Noday</day></skipDays>",
        )
    )
    assert found.min_interval == timedelta(hours=1)
    assert found.skip_hours == {0, 23}
    assert found.skip_days == {6}


def test_a_frequency_divides_its_period() -> None:
    head = "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>"
    assert read(rss(item(), head=head)).min_interval == timedelta(hours=6)
    assert read(rss(item(), head="<ttl>99999999999</ttl>")).min_interval is None


def test_a_feed_without_items_is_a_feed() -> None:
    found = read(rss())
    assert found.entries == ()
    assert codes(found) == {"empty_feed"}


def test_items_beyond_the_limit_are_reported_not_read() -> None:
    found = read(rss(*(item(str(n)) for n in range(30))), limits=Limits(items=10))
    assert [entry.url.rpartition("/")[2] for entry in found.entries] == [str(n) for n in range(10)]
    assert codes(found) == {"too_many_items"}


def test_a_feed_of_more_tags_than_its_items_can_need_is_read_up_to_there() -> None:
    found = read(rss(item(), "<item>" + "<x/>" * 50_000 + "</item>", item("late")))
    assert [entry.url.rpartition("/")[2] for entry in found.entries] == ["rupiah-menguat"]
    assert "too_much_markup" in codes(found)


def test_a_feed_that_may_have_more_items_may_have_more_tags() -> None:
    markup = "<item>" + "<a/>" * 30_000 + "</item>"
    assert [p.code for p in fence(markup, items=1_000).problems] == ["too_much_markup"]
    assert not fence(markup, items=2_000).problems


def test_tags_inside_cdata_are_text_and_not_counted() -> None:
    markup = "<item><![CDATA[" + "<p>" * 50_000 + "]]></item>"
    assert fence(markup, items=10).text == markup


@pytest.mark.parametrize("mark", ["<a/>", "<a>", "</a>", "<!a b>", "<?a b?>", "<!---->", "<![CDATA[]]>", "&amp;"])
def test_what_reaches_the_parser_is_bounded_in_every_kind_of_mark(mark: str) -> None:
    fenced = fence("<item>" + mark * 300_000, items=2_000)
    assert fenced.text.count(mark) <= (250_000 if mark == "&amp;" else 40_000)
    assert fenced.problems


HOSTILE = {
    "200,000 attributes": item() + "<item " + " ".join(f'a{n}="x"' for n in range(200_000)) + "/>",
    "many tags of 500 attributes": item() + ("<item " + " ".join(f'a{n}="x"' for n in range(500)) + "/>") * 1000,
    "100,000 open tags in a title": item() + "<item><title>" + "<a " * 100_000 + "</title></item>",
    "100,000 nested elements": item() + "<item>" + "<a>" * 100_000,
    "100,000 items": item() + "<item><title>x</title></item>" * 100_000,
    "a million open comments": item() + "<!--" * 1_000_000,
    "a million declarations": item() + "<!" * 1_000_000,
    "two million ampersands": item() + "<item><title>" + "&" * 2_000_000 + "</title></item>",
    "a million opened tags": item() + "<" * 1_000_000,
    "a million blanks": item() + " " * 1_000_000,
    "a date of a million words": item(more="<pubDate>" + "Mon " * 250_000 + "</pubDate>"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_markup_costs_little_and_no_good_item(case: str) -> None:
    body = rss(HOSTILE[case])
    started = time.process_time()
    found = read(body)
    assert time.process_time() - started < 4  # half of it here; the rest is for slow machines
    assert found.entries[0].url.endswith("/rupiah-menguat")


@pytest.mark.parametrize(
    "body",
    [
        "[" * 1_000_000,
        '{"a":' * 200_000,
        '{"version":"https://jsonfeed.org/version/1","items":[' + "9" * 10**6 + "]}",
        "{",
    ],
)
def test_hostile_json_is_a_result(body: str) -> None:
    started = time.process_time()
    discover(SourceKind.FEED, body.encode(), url=URL, now=NOW, timezone=JAKARTA)
    assert time.process_time() - started < 2


_GOOD = rss(item(more="<guid>1</guid><pubDate>Fri, 20 Nov 2026 10:15:00 +0700</pubDate>"), item("dua")).encode()
_SUSPECTS = [
    b"&#xD800;",
    b'encoding="undefined"',
    b"<<gml:pos>1 x</gml:pos>",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"<feed xmlns='http://www.w3.org/2005/Atom'>",
    b"xml:base='http://[::1'",
    b"\x00",
    b"\xff",
    b"<content mode='base64'>",
    b"<georss:point>1 x</georss:point>",
    b"&#99999999999999;",
    b"</item>",
    b"<psc:chapter/>",
    b"<media:rating/>",
    b"<itunes:duration>x",
    b"<cloud/>",
    b"<textInput>",
    b"<image><url>//[",
    b"<category/>",
]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(_GOOD)), st.integers(0, 30), st.sampled_from(_SUSPECTS)), min_size=1, max_size=5
    )
)
def test_no_mutation_makes_discovery_raise(mutations: list[tuple[int, int, bytes]]) -> None:
    body = _GOOD
    for at, cut, suspect in mutations:
        body = body[:at] + suspect + body[at + cut :]
    found = discover(SourceKind.FEED, body, url=URL, now=NOW, timezone=JAKARTA)
    assert isinstance(found, Discovered | DiscoveryFailed)
    if isinstance(found, DiscoveryFailed):
        assert "cannot be read" not in found.message


@pytest.mark.shared
def test_real_feeds_give_every_item_with_a_date(shared: Path) -> None:
    files = sorted((shared / "samples" / "feeds").rglob("*.xml"))
    assert files
    for file in files:
        found = read(file.read_bytes())
        assert found.entries, file
        assert all(entry.published and entry.title for entry in found.entries), file
        assert codes(found) <= {"not_well_formed"}, file


@pytest.mark.shared
@pytest.mark.parametrize("suite", ["feedparser", "gofeed", "w3c-feedvalidator"])
def test_public_feed_suites_raise_nothing(shared: Path, suite: str) -> None:
    """Only what is no feed at all (entity stubs, OPML, service documents) is turned away."""
    turned_away: list[str] = []
    folder = shared / "suites" / suite
    for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        body = (folder / (case.get("file") or case["input"])).read_bytes()
        found = discover(SourceKind.FEED, body, url=URL, now=NOW, timezone=JAKARTA)
        if isinstance(found, DiscoveryFailed):
            assert found.kind in {FailureKind.NOT_A_FEED, FailureKind.EMPTY}, (case["id"], found)
            turned_away.append(case["id"])
    assert len(turned_away) <= {"feedparser": 20, "gofeed": 30, "w3c-feedvalidator": 90}[suite]
