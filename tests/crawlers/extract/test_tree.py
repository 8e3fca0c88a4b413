from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from lxml import cssselect, etree

from config.load import load
from config.model import Selector, SelectorKind
from crawlers.extract import tree as module
from crawlers.extract.parse import parse_plain
from crawlers.extract.tree import Tree

ROOT = Path(__file__).parents[3]
PAGE = b"""<html><head><meta name="author" content="A"><meta name="author" content="B"></head><body>
<div class="by line"><a>one</a><div class="by"><a>two</a></div></div><p class="byline">three</p>
<DIV CLASS="By"><b class="line by">four</b></DIV></body></html>"""


def page(markup: bytes = PAGE) -> Tree:
    parsed = parse_plain(markup)
    assert parsed is not None
    return Tree(parsed.root)


def shipped() -> list[Selector]:
    rules = [r for outlet in load(ROOT / "config" / "warta.yaml", {}).outlets for r in outlet.rules]
    values = [getattr(r, f.name) for r in rules for f in fields(r)]
    some = {s for value in values if isinstance(value, tuple) for s in value if isinstance(s, Selector)}
    return [s for s in some if s.kind is SelectorKind.CSS]


def plainly(tree: Tree, expression: str) -> list[object]:
    return list(cssselect.CSSSelector(expression, translator="html")(tree.root))


def test_every_shipped_selector_finds_what_plain_css_finds():
    selectors = shipped()
    assert len(selectors) > 100
    for path in sorted(ROOT.glob("tests/outlets/*/*/page.html")):
        tree = page(path.read_bytes())
        for selector in selectors:
            assert tree.select(selector) == plainly(tree, selector.expression), (path, selector)


@pytest.mark.parametrize(
    "expression",
    [".by", "div.by", ".by.line", ".line.by", ".by a", ".by .by a", "[class^=by]", "[class*=line]", "[class=by]",
     "b.line", "meta[name=author]", "[class=by], p", ".by:first-child", ".BY",
     "body a", "div a", "div div a", "body > div a", ".by div.by a", "div p ~ div b", "div, p", "#none p"],
)  # fmt: skip
def test_classes_are_found_as_css_finds_them(expression: str):
    tree = page()
    assert tree.select(Selector(expression)) == plainly(tree, expression)


def test_what_was_removed_is_found_no_more():
    tree = page()
    assert [e.text for e in tree.select(Selector(".by a"))] == ["one", "two"]
    removed = tree.remove((Selector(".by .by"), Selector("meta[name=author]")))
    assert len(removed) == 3
    assert [e.text for e in tree.select(Selector(".by a"))] == ["one"]
    assert tree.select(Selector("meta[name=author]")) == []


def test_a_page_of_too_many_elements_is_asked_without_an_index(monkeypatch):
    monkeypatch.setattr(module, "_MAX_CLASSED", 3)
    tree = page()
    assert tree.by_class(lambda value: True) is None
    assert tree.select(Selector("div.by a")) == plainly(tree, "div.by a")


def test_an_xpath_may_select_text():
    tree = page()
    assert tree.select(Selector("string(//p)", SelectorKind.XPATH)) == ["three"]
    assert tree.select(Selector("//p[unknown()]", SelectorKind.XPATH)) == []
    with pytest.raises(etree.XPathError):
        etree.XPath("//p[unknown()]")(tree.root)


def test_the_text_behind_removed_elements_stays_where_it_was():
    ads = "<i class=ad>x</i>{}"
    tree = page(
        f"<html><body><p>{ads.format('a ')}{ads.format('b ')}<b>c</b>{ads.format(' d')}</p></body></html>".encode()
    )
    assert len(tree.remove((Selector(".ad"),))) == 3
    assert "".join(tree.root.itertext()).strip() == "a b c d"
    hundreds = page(f"<html><body>{''.join(ads.format(n) for n in range(400))}</body></html>".encode())
    hundreds.remove((Selector(".ad"),))
    assert "".join(hundreds.root.itertext()) == "".join(map(str, range(400)))


def test_of_nested_matches_the_outermost_is_taken_out():
    tree = page(b"<html><body><div class=ad>1<div class=ad>2<div class=ad>3</div></div></div>4</body></html>")
    assert [element.text for element in tree.remove((Selector(".ad"),))] == ["1"]
    assert "".join(tree.root.itertext()) == "4"


def test_control_characters_behind_removed_elements_harm_nothing():
    tree = page(b"<html><body><p>a\x01b<i class=ad>x</i>c\x02d</p></body></html>")
    tree.remove((Selector(".ad"),))
    assert "".join(tree.root.itertext()) in {"abcd", "a\x01bcd"}
