"""Feeds out: JSON Feed 1.1, Atom (RFC 4287) and RSS 2.0 of all articles, an outlet, a cluster or a search."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any
from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import Response

from monitor.api import parameters as p
from monitor.api.answers import error, tagged
from storage.articles import ArticleFilter
from storage.storage import Storage

#: Articles in a feed.
ITEMS = 50

TYPES = {"json": "application/feed+json", "atom": "application/atom+xml", "rss": "application/rss+xml"}

_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DC = "http://purl.org/dc/elements/1.1/"
_XML = "http://www.w3.org/XML/1998/namespace"
#: What XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: `updated` of a feed without articles.
_NEVER = "1970-01-01T00:00:00Z"


async def feed(request: Request) -> Response:
    """``/feeds/all.FORM``, ``/feeds/outlet/ID.FORM``, ``/feeds/cluster/ID.FORM``, ``/feeds/search.FORM?q=``."""
    kind, name, form = (request.path_params.get(key, "") for key in ("kind", "name", "form"))
    said = p.read(request.query_params, (p.QUERY, p.COPIES))
    if form not in TYPES:
        return error(404, f"no feed format {form[:20]!r}; there are {', '.join(TYPES)}")
    query, copies = said["q"], said["copies"]
    match kind, bool(name):
        case "outlet", True:
            where, title = ArticleFilter(outlet_id=name, query=query, copies=copies, backfilled=False), name
        case "cluster", True:
            where, title = ArticleFilter(cluster=name, query=query, copies=copies), f"cluster {name}"
        case "search", False if query is not None:
            where, title = ArticleFilter(query=query, copies=copies, backfilled=False), query
        case "search", False:
            return error(400, "a search needs words: ?q=")
        case "all", False:
            where, title = ArticleFilter(query=query, copies=copies, backfilled=False), "all articles"
        case _:
            return error(404, "feeds are all, outlet/ID, cluster/ID and search")
    storage: Storage = request.app.state.storage
    page = await storage.events.articles(where, limit=ITEMS, newest_first=True)
    records = [fields for _, fields in page.records]
    render = {"json": json_feed, "atom": atom, "rss": rss}[form]
    return tagged(request, render(f"warta: {title}", str(request.url), records), TYPES[form])


def json_feed(title: str, url: str, records: Sequence[dict[str, Any]]) -> bytes:
    """JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""
    items = []
    for fields in records:
        item = {
            "id": _id(fields),
            "url": fields["url"],
            "title": fields["title"],
            "content_html": _html(fields),
            "summary": fields["subtitle"],
            "image": fields["images"][0]["url"] if fields["images"] else None,
            "date_published": fields["published"] or fields["first_seen"],
            "date_modified": fields["revised_at"],
            "authors": [{"name": name} for name in fields["authors"]],
            "tags": fields["tags"],
            "language": fields["language"],
        }
        items.append({name: value for name, value in item.items() if value not in (None, [])})
    whole = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "feed_url": url,
        "home_page_url": url,
        "items": items,
    }
    return json.dumps(whole, ensure_ascii=False).encode()


def atom(title: str, url: str, records: Sequence[dict[str, Any]]) -> bytes:
    """An Atom feed."""
    ElementTree.register_namespace("", _ATOM)
    root = ElementTree.Element(f"{{{_ATOM}}}feed")
    _add(root, f"{{{_ATOM}}}id", url)
    _add(root, f"{{{_ATOM}}}title", title)
    _add(root, f"{{{_ATOM}}}updated", max((fields["revised_at"] for fields in records), default=_NEVER))
    _add(root, f"{{{_ATOM}}}link", rel="self", href=url)
    for fields in records:
        entry = ElementTree.SubElement(root, f"{{{_ATOM}}}entry")
        entry.set(f"{{{_XML}}}lang", _clean(fields["language"]))
        _add(entry, f"{{{_ATOM}}}id", _id(fields))
        _add(entry, f"{{{_ATOM}}}title", fields["title"])
        _add(entry, f"{{{_ATOM}}}link", rel="alternate", href=fields["url"])
        _add(entry, f"{{{_ATOM}}}published", fields["published"] or fields["first_seen"])
        _add(entry, f"{{{_ATOM}}}updated", fields["revised_at"])
        for name in fields["authors"] or [fields["outlet_id"]]:
            _add(ElementTree.SubElement(entry, f"{{{_ATOM}}}author"), f"{{{_ATOM}}}name", name)
        for tag in fields["tags"]:
            _add(entry, f"{{{_ATOM}}}category", term=tag)
        if fields["subtitle"]:
            _add(entry, f"{{{_ATOM}}}summary", fields["subtitle"])
        _add(entry, f"{{{_ATOM}}}content", _html(fields), type="html")
    return _bytes(root)


def rss(title: str, url: str, records: Sequence[dict[str, Any]]) -> bytes:
    """RSS 2.0 (https://www.rssboard.org/rss-specification) with Dublin Core and content modules."""
    for prefix, namespace in (("atom", _ATOM), ("content", _CONTENT), ("dc", _DC)):
        ElementTree.register_namespace(prefix, namespace)
    root = ElementTree.Element("rss", version="2.0")
    channel = ElementTree.SubElement(root, "channel")
    _add(channel, "title", title)
    _add(channel, "link", url)
    _add(channel, "description", title)
    _add(channel, f"{{{_ATOM}}}link", rel="self", href=url, type=TYPES["rss"])
    for fields in records:
        item = ElementTree.SubElement(channel, "item")
        _add(item, "title", fields["title"])
        _add(item, "link", fields["url"])
        _add(item, "guid", _id(fields), isPermaLink="false")
        published = datetime.fromisoformat(fields["published"] or fields["first_seen"])
        _add(item, "pubDate", format_datetime(published, usegmt=True))
        for name in fields["authors"]:
            _add(item, f"{{{_DC}}}creator", name)
        for tag in fields["tags"]:
            _add(item, "category", tag)
        _add(item, "description", fields["subtitle"] or fields["text"][:300])
        _add(item, f"{{{_CONTENT}}}encoded", _html(fields))
    return _bytes(root)


def _id(fields: dict[str, Any]) -> str:
    return f"urn:warta:{fields['id']}"


def _html(fields: dict[str, Any]) -> str:
    """The body's blocks as paragraphs; nothing in them is markup."""
    tags = {"heading": "h2", "quote": "blockquote"}
    blocks = ((tags.get(block["kind"], "p"), escape(block["text"])) for block in fields["body"])
    return "".join(f"<{tag}>{text}</{tag}>" for tag, text in blocks)


def _clean(text: object) -> str:
    return _UNWRITABLE.sub("", str(text))


def _add(parent: ElementTree.Element, tag: str, content: str | None = None, **attributes: str) -> None:
    element = ElementTree.SubElement(parent, tag, {name: _clean(value) for name, value in attributes.items()})
    if content is not None:
        element.text = _clean(content)


def _bytes(root: ElementTree.Element) -> bytes:
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text
