"""The whole of extraction, page by page: read this module first."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Final

from config.collection import without_collection
from config.model import ArticleRules, Selectors
from crawlers.charset import prescan
from crawlers.decode import to_text
from crawlers.extract import body
from crawlers.extract import rules as outlet
from crawlers.extract.around import surroundings
from crawlers.extract.authors import find_authors
from crawlers.extract.blocks import TextBlock, Walked, walk
from crawlers.extract.container import choose
from crawlers.extract.dates import find_dates
from crawlers.extract.declared import compare, declared_body
from crawlers.extract.images import caption_of, find_images
from crawlers.extract.jsonld import Described, read_jsonld, types_of
from crawlers.extract.meta import Head, absolute, read_head
from crawlers.extract.pagekind import kind_of
from crawlers.extract.paging import next_page
from crawlers.extract.parse import MAX_BYTES, Element, parse, parse_plain
from crawlers.extract.related import split_related
from crawlers.extract.title import choose_title, heading_texts
from crawlers.extract.tree import Tree
from crawlers.model import Extraction, PageKind
from storage.model import Image, Link

_log = logging.getLogger(__name__)
_NO_RULES: Final = ArticleRules()
#: First bytes of byte order marks and of UTF-16 without one; an escape may belong to ISO-2022-JP.
_MARKS: Final = frozenset({b"\xef", b"\xfe", b"\xff", b"\x00"})
#: Characters below which a body found by an outlet's selectors is not believed.
_NO_BODY: Final = 40


def extract(
    html: bytes | str,
    url: str,
    *,
    rules: ArticleRules | None = None,
    content_type: str | None = None,
    language_hint: str | None = None,
) -> Extraction:
    """What a page says, field by field; the same page always gives the same answer.

    Each field comes from the outlet's rules, else from JSON-LD, else from what pages have in common; the
    provenance tells which. Nothing that arrives raises: a page that cannot be read is `PageKind.EMPTY`.

    bytes ─ decode ─ parse ─┬─ head, JSON-LD ─ title, authors, dates, images
                            └─ walk ─ container ─ body ─ kind of page
    """
    try:
        markup = html.encode("utf-8", "replace") if isinstance(html, str) else _utf8(html[:MAX_BYTES], content_type)
        with without_collection():
            rules = rules or _NO_RULES
            found = _extract(markup, url, rules, language_hint, plain=True) if rules.body else None
            found = found or _extract(markup, url, rules, language_hint)
            return found or Extraction(url=url, kind=PageKind.EMPTY, language=language_hint)
    except Exception:  # whatever one page does to us, it stays with that page
        _log.exception("extraction failed", extra={"url": url[:500]})
        return Extraction(url=url, kind=PageKind.EMPTY)


def _utf8(html: bytes, content_type: str | None) -> bytes:
    """UTF-8, read by byte order mark, UTF-8 validity, HTTP charset, then the page's own declaration."""
    if b"\x1b" not in html and html[:1] not in _MARKS and html[1:2] != b"\0":
        try:
            html.decode("utf-8")
            return html
        except UnicodeDecodeError:
            pass
    if "charset" not in (content_type or "").lower() and (declared := prescan(html)):
        content_type = f"text/html; charset={declared}"
    return to_text(html, content_type).encode("utf-8", "replace")


def _extract(
    markup: bytes, url: str, rules: ArticleRules, language_hint: str | None, *, plain: bool = False
) -> Extraction | None:
    """The page by these rules; with `plain`, from the cheap tree, and None unless the rules find the body in it."""
    page = parse_plain(markup) if plain else parse(markup)
    if page is None:
        return None
    head = read_head(page.root, url)
    # Tags and pagers stand inside bodies and are removed from them.
    tree = Tree(page.root)
    listed, following = outlet.tags(tree, rules.tags), next_page(page.root, head, url)
    removed = tree.remove(rules.remove)
    headings = heading_texts(page.root)
    described = read_jsonld(page.jsonld, [*headings, head.first("og:title") or "", head.title or ""])
    found = _body(tree, head, described, rules, removed, plain)
    if found is None:
        return None
    blocks = body.as_blocks(found.blocks)
    named = _Named(tree, head, described, rules, url)
    title = named.title(headings)
    place = surroundings(found.walked.blocks, title, found.start, found.end)
    lines = place.lines(found.walked.blocks)
    dated = found.walked.dated
    edges = [*found.blocks[:2], *reversed(found.blocks[-2:])]
    authors = named.authors(place.near(found.walked.bylines), lines, edges)
    return Extraction(
        url=url,
        kind=kind_of(head, described, blocks, url, () if found.source == "rules" else found.walked.blocks),
        canonical_url=head.link("canonical") or absolute(head.first("og:url"), head.base),
        amp_url=head.link("amphtml"),
        next_url=following,
        title=title,
        subtitle=named.either("subtitle", rules.subtitle, "alternativeHeadline"),
        authors=authors,
        editor=named.either("editor", rules.editor, "editor"),
        byline="\n".join(outlet.texts(tree, rules.byline)) or None,
        dates=(
            *outlet.dates(tree, rules),
            *find_dates(place.near(dated), place.late(dated), [b.text for b in lines], head, described, url),
        ),
        section=named.section(),
        tags=named.tags(listed),
        language=head.language or head.first("og:locale") or described.text("inLanguage") or language_hint,
        images=named.images(found.container),
        blocks=blocks,
        related=found.related,
        site_name=head.first("og:site_name", "application-name"),
        provenance=(*named.provenance, ("body", found.source), *_described_as(described)),
    )


def _described_as(described: Described) -> list[tuple[str, str]]:
    """What JSON-LD calls the page; news is dated by its first publication, a guide by its update."""
    return [] if described.article is None else [("type", kind) for kind in types_of(described.article)[:1]]


@dataclass(frozen=True, slots=True)
class _Body:
    """The article's own blocks, what it points to inside, where its pictures are, and who found it."""

    blocks: list[TextBlock]
    related: tuple[Link, ...]
    container: Element
    source: str
    walked: Walked
    start: int
    end: int


def _body(
    tree: Tree, head: Head, described: Described, rules: ArticleRules, removed: list[Element], plain: bool
) -> _Body | None:
    """The body by the rules, else, where the tree is not a `plain` one, by what pages have in common."""
    pointed: tuple[Link, ...] = ()
    if removed and rules.body:
        pointed = split_related(walk(removed).blocks, head.base)[1]
    elements = outlet.body(tree, rules.body)
    if elements:
        walked = walk(elements, rules.body_stop_comment)
        blocks = split_related(body.body_blocks(walked, walked.root), head.base)[0]
        related = split_related(walked.blocks, head.base)[1]
        if sum(len(b.text) for b in blocks) >= _NO_BODY:
            return _Body(blocks, (*related, *pointed), elements[0], "rules", walked, 0, len(walked.blocks))
    if plain:
        return None
    walked = walk([tree.root])
    container = choose(walked)
    told = [described.text("description") or "", *head.every("og:description", "description")[:4]]
    blocks = split_related(body.body_blocks(walked, container, told), head.base)[0]
    related = split_related(walked.blocks[container.start : container.end], head.base)[1]
    source = "generic"
    if (declared := declared_body(described)) is not None:
        blocks, source = compare(blocks, declared, container)
    related = (*related, *pointed)
    return _Body(blocks, related, container.element, source, walked, container.start, container.end)


class _Named:
    """The fields with a name of their own; each asks the rules first and notes who answered."""

    def __init__(self, tree: Tree, head: Head, described: Described, rules: ArticleRules, url: str) -> None:
        self._tree = tree
        self._head = head
        self._described = described
        self._rules = rules
        self._url = url
        self.provenance: list[tuple[str, str]] = []

    def _note(self, name: str, source: str) -> None:
        if source:
            self.provenance.append((name, source))

    def title(self, headings: list[str]) -> str | None:
        found, source = outlet.text(self._tree, self._rules.title), "rules"
        if not found:
            found, source = choose_title(self._head, self._described, headings, self._url)
        self._note("title", source)
        return found

    def authors(self, near: list[Element], lines: list[TextBlock], edges: list[TextBlock]) -> tuple[str, ...]:
        names, source = tuple(outlet.names(self._tree, self._rules.authors)), "rules"
        if not names:
            names, source = find_authors(self._head, self._described, near, lines, edges, self._url)
        self._note("authors", source)
        return names

    def section(self) -> str | None:
        if found := outlet.text(self._tree, self._rules.section):
            self._note("section", "rules")
            return found
        if found := self._described.text("articleSection"):
            self._note("section", "jsonld")
            return found
        found = self._head.first("article:section", "section", "parsely-section")
        self._note("section", "meta" if found else "")
        return found

    def either(self, name: str, selectors: Selectors, key: str) -> str | None:
        """What the rules find, else what JSON-LD says under `key`."""
        found, source = outlet.text(self._tree, selectors), "rules"
        if not found:
            found, source = self._described.text(key), "jsonld"
        self._note(name, source if found else "")
        return found

    def tags(self, listed: tuple[str, ...]) -> tuple[str, ...]:
        if listed:
            self._note("tags", "rules")
            return listed
        words = self._head.every("article:tag", "news_keywords") or self._head.every("keywords")
        self._note("tags", "meta" if words else "")
        return outlet.keywords(words)

    def images(self, container: Element) -> tuple[Image, ...]:
        ruled = outlet.image(self._tree, self._rules, self._head.base)
        found = find_images(container, self._head, self._described)
        if ruled is None:
            return self._captioned(found)
        self._note("images", "rules")
        return (ruled, *(i for i in found if i.url != ruled.url))

    def _captioned(self, found: tuple[Image, ...]) -> tuple[Image, ...]:
        """The lead picture with the caption that the rules or its own figure above the text give it."""
        if not found or found[0].caption:
            return found
        if caption := outlet.text(self._tree, self._rules.caption):
            self._note("images", "rules")
        else:
            caption = caption_of(found[0].url, self._tree.root, self._head.base)
        return (replace(found[0], caption=caption), *found[1:]) if caption else found
