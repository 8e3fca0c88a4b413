"""Pages made to hurt: time is the CPU time of a process of its own, memory its greatest resident size."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers.extract import extract
from crawlers.extract.flat import flattened
from crawlers.model import Extraction, PageKind

ROOT = Path(__file__).parents[3]
SECONDS = 2.0
MEBIBYTES = 700

PAGES = {
    "nested 10,000 deep": "p+b'<div>'*10_000+b'words '*50+b'</div>'*10_000",
    "nested 200,000 deep": "p+b'<div>'*200_000",
    "nested quotes": "p+b'<blockquote>'*20_000",
    "nested by turns": "p+b'<div><figure>'*19_400",
    "headings that stay open": "p+b''.join(b'<h1>judul %d <p>words</p>'%i for i in range(9_000))",
    "a million attributes": "p+b'<div '+b' '.join(b'a%d'%i for i in range(1_000_000))[:4_900_000]+b'>x</div>'",
    "attributes on many tags": "p+b''.join(b'<p '+b'a '*900+b'>x</p>' for _ in range(2_000))",
    "attributes behind a bracket": "p+b'<div a=\">\" '+b' '.join(b'b%d=1'%i for i in range(400_000))+b'>x</div>'",
    "end tags of nothing within many": "p+b'<div>'*1_900+b'</b>'*1_300_000",
    "two megabytes of <": "p+b'<'*2_000_000",
    "open tags": "p+b'<a'*2_000_000",
    "open comments": "p+b'<!--'*1_000_000",
    "five megabytes of blanks": "b' '*5_000_000",
    "blanks in a paragraph": "p+b'<p>'+b' '*5_000_000+b'x</p>'",
    "formatting reopened": "p+b'<p>'+b''.join(b'<b id=%d>'%i for i in range(8_000))+b'</p>'+b'<p>x</p>'*8_000",
    "a link that is opened again": "p+b'<a href=\"'+b'\\xc2\\xa0'*200_000+b'\">'+b'<div>x</div>'*20_000",
    "a bold word that is opened again": "p+b'<b title=\"'+b'<>'*200_000+b'\">'+b'<p>x</p>'*1_500",
    "paragraphs": "p+b'<p>Some words that are a sentence, yes.</p>'*110_000",
    "links": "p+b'<li><a href=/x>link text here</a>'*120_000",
    "line breaks": "p+b'x<br>'*800_000",
    "class names": "p+b''.join(b'<div class=\"c%d x%d\">a</div>'%(i,i) for i in range(150_000))",
    "a long class": "p+b'<div class=\"'+b'share '*800_000+b'\">x</div>'",
    "declarations": "p+b'<meta name=a content=b>'*200_000",
    "a long title": "b'<title>'+b'a - '*1_200_000+b'</title><h1>a - a</h1>'",
    "headings": "p+b'<h1>title title title</h1>'*180_000",
    "deep JSON": "p+b'<script type=\"application/ld+json\">'+b'{\"@graph\":'*100_000+b'</script>'",
    "commas in JSON": "p+b'<script type=\"application/ld+json\">{\"a\":'+b', '*1_000_000+b'</script>'",
    "blanks in a declared body": (
        'p+b\'<script type="application/ld+json">{"@type":"NewsArticle","articleBody":"\'+b"words "*100'
        "+b' '*400_000+b'x\"}</script>'"
    ),
    "many scripts": 'p+b\'<script type="application/ld+json">{"@type":"NewsArticle"}</script>\'*60_000',
    "bylines": "p+b'<span class=author>By A B</span>'*140_000",
    "dates": "p+b'<p>'+b'2020 '*20+b'</p><p>1 Jan 2020</p>'*100_000",
    "one word": "p+b'<p>'+b'a'*5_000_000",
    "figures": "p+b'<figure><img srcset=\",,\"><figcaption>c</figcaption></figure>'*80_000",
    "zeros": "bytes(5_000_000)",
}
#: Pages made to hurt an outlet's own selectors.
RULED = {
    "paragraphs within containers that stay open": "p+b'<div id=isi class=label>'*150+b'<p>Satu kalimat.</p>'*60_000",
    "bylines within one another": "p+b'<div class=byline>'*1_900+b'<b>Rani Puspa</b>'*60_000",
    "text between what is removed": "p+(b'<i class=ad>x</i>'+b'teks panjang '*800)*480",
    "what is removed within itself": "p+b'<div class=ad>'*1_900+b'<b>x</b>'*200_000",
}
PROGRAM = """
import json, sys, time
from config.model import ArticleRules, Selector
from crawlers.extract import extract

def some(text):
    return (Selector(text),)

RULES = ArticleRules(
    title=some("h1"), body=some("#isi p"), remove=some(".ad"), byline=some(".byline"), authors=some(".byline b"),
    tags=some(".label p"),
)

def peak():
    # Not ru_maxrss: that is handed down by the process that started this one.
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024

p = b"<html><head><title>T</title></head><body>"
PAGES, RULED = map(json.loads, sys.argv[1:])
for name, recipe in {**PAGES, **RULED}.items():
    page = eval(recipe)
    start = time.process_time()
    extract(page, "https://x.example/2020/01/01/a", rules=RULES if name in RULED else None)
    used = time.process_time() - start
    print(json.dumps([name, used, peak()]), flush=True)
"""


@pytest.fixture(scope="module")
def costs() -> dict[str, tuple[float, float]]:
    """CPU seconds of each page and the process's greatest size so far; a page that kills it is missing."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(PAGES), json.dumps(RULED)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    return {name: (seconds, size) for name, seconds, size in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", [*PAGES, *RULED])
def test_hostile_pages_cost_bounded_time_and_memory(costs: dict[str, tuple[float, float]], name: str):
    assert name in costs, "extraction did not survive this page or one before it"
    seconds, mebibytes = costs[name]
    assert seconds < SECONDS
    assert mebibytes < MEBIBYTES


@contextmanager
def failures() -> Iterator[list[str]]:
    """What was caught at the edge of one page: an answer is always given, but none should be an excuse."""
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("crawlers.extract.page")
    logger.addHandler(handler)
    try:
        yield seen
    finally:
        logger.removeHandler(handler)


TAGS = [
    "p",
    "div",
    "a",
    "h1",
    "ul",
    "li",
    "br",
    "script",
    "table",
    "td",
    "blockquote",
    "b",
    "figure",
    "svg",
    "x-y",
    "time",
]
NAMES = ["class", "id", "href", "hidden", "style", "rel", "itemprop", "datetime", "content", "type"]
VALUES = ["share", "article-body", "byline", "date", "#", "http://[", "application/ld+json", "display:none", "S:1", ""]
PIECES = st.one_of(
    st.sampled_from(TAGS).map("</{}>".format),
    st.builds('<{} {}="{}">'.format, st.sampled_from(TAGS), st.sampled_from(NAMES), st.sampled_from(VALUES)),
    st.text(max_size=60),
    st.sampled_from(
        ["By Ada Quill", "7 Maret 2026", "Baca Juga:", '{"@type":"Article","author":[{"name":[', "<!--", "-->"]
    ),
    st.just("The council agreed on new ferries after a long night of talks, said its speaker. "),
)


@given(st.lists(PIECES, max_size=40).map("".join))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_markup_fails_and_the_answer_is_always_the_same(page: str):
    with failures() as seen:
        first = extract(page, "https://x.example/a")
        assert first == extract(page, "https://x.example/a")
    assert seen == []


@given(st.binary(max_size=400), st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_bytes_and_no_address_fail(page: bytes, url: str):
    with failures() as seen:
        assert isinstance(extract(page, url), Extraction)
    assert seen == []


def test_a_page_of_nothing_is_empty():
    assert extract(b"", "https://x.example/a").kind is PageKind.EMPTY
    assert extract("no markup at all", "https://x.example/a").kind is PageKind.EMPTY


@pytest.mark.parametrize("depth", [200, 300, 1_500, 5_000])
def test_text_is_read_however_deep_it_is_nested(depth: int):
    text = "The council agreed on new ferries after a long night of talks, said its speaker. "
    inside = "<div>" * depth + f"<p>{text * 3}Deep.</p>" + "</div>" * depth
    page = f"<html><body><h1>Ferries for the harbour</h1><p>{text}First.</p>{inside}<p>{text}Last.</p></body></html>"
    found = " ".join(block.text for block in extract(page, "https://x.example/a").blocks)
    assert [word for word in ("First.", "Deep.", "Last.") if word in found] == ["First.", "Deep.", "Last."]


def test_what_is_flattened_keeps_its_text_and_paragraphs():
    page = b"<div>" * 200 + b"<script>'<div>'</script><p id=a>One</p><b>two</b>" + b"</div>" * 200 + b"<p>three</p>"
    flat = flattened(page)
    assert flat.count(b"<div>") == 150 + 1
    assert b"<script>'<div>'</script><p id=a>One</p> two" in flat
    assert flat.endswith(b"<p>three</p>")
