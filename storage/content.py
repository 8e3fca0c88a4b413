"""An article as one JSON document and as table columns, and the identities made from it.

Text from outside may hold what a database refuses (NUL, lone surrogates); it is dropped here, once.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import zstandard

from storage.model import Article, Block, BlockKind, Image, Link, RawPage

#: Keys longer than this are kept as a hash: PostgreSQL's index rows end at 2,704 bytes.
KEY_CHARACTERS = 400

_PLAIN = (
    "outlet_id",
    "url",
    "url_key",
    "title",
    "language",
    "subtitle",
    "editor",
    "agency",
    "brand",
    "published_from",
    "updated_from",
    "section",
    "word_count",
    "content_hash",
    "body_hash",
)
_LISTS = ("authors", "places", "tags")
_TIMES = ("published", "updated")


def article_id(outlet_id: str, url_key: str) -> str:
    """The id of the article at that address: 80 bits of BLAKE2b in base32, 16 characters."""
    digest = hashlib.blake2b(f"{outlet_id}\n{url_key}".encode("utf-8", "surrogatepass"), digest_size=10)
    return base64.b32encode(digest.digest()).decode("ascii").lower()


def clean(text: str) -> str:
    """The text without NUL, lone surrogates replaced by a question mark."""
    if text.isascii():
        return text.replace("\x00", "")
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def clean_or_none(text: str | None) -> str | None:
    """The same for an optional text."""
    return None if text is None else clean(text)


def bounded(key: str) -> str:
    """The key itself, or ``b2:`` and its hash when it is too long for an index."""
    key = clean(key)
    if len(key) <= KEY_CHARACTERS:
        return key
    return "b2:" + hashlib.blake2b(key.encode(), digest_size=20).hexdigest()


def document(article: Article) -> dict[str, Any]:
    """The whole article as JSON; the text is left out where the blocks give it."""
    plain = {name: _cleaned(getattr(article, name)) for name in _PLAIN}
    lists = {name: [clean(part) for part in getattr(article, name)] for name in _LISTS}
    times = {name: _iso(getattr(article, name)) for name in _TIMES}
    body = [{"kind": str(block.kind), "text": clean(block.text)} for block in article.body]
    text = clean(article.text)
    rest: dict[str, Any] = {
        "body": body,
        "images": [
            {"url": clean(i.url), "caption": clean_or_none(i.caption), "credit": clean_or_none(i.credit)}
            for i in article.images
        ],
        "related": [{"title": clean(link.title), "url": clean_or_none(link.url)} for link in article.related],
        "provenance": [[clean(name), clean(place)] for name, place in article.provenance],
    }
    if text != "\n\n".join(block["text"] for block in body):
        rest["text"] = text
    return plain | lists | times | rest


def columns(article: Article, content: dict[str, Any]) -> dict[str, Any]:
    """The columns of ``articles`` that follow from the content."""
    times = {name: getattr(article, name) for name in _TIMES}
    plain = {name: content[name] for name in (*_PLAIN, *_LISTS)}
    return plain | times | {"url_key": bounded(article.url_key), "text": _text(content)}


def article_from(content: dict[str, Any]) -> Article:
    """The article a document was made from."""
    fields: dict[str, Any] = {name: content[name] for name in _PLAIN}
    fields |= {name: tuple(content[name]) for name in _LISTS}
    fields |= {name: _moment(content[name]) for name in _TIMES}
    return Article(
        **fields,
        text=_text(content),
        body=tuple(Block(BlockKind(block["kind"]), block["text"]) for block in content["body"]),
        images=tuple(Image(**image) for image in content["images"]),
        related=tuple(Link(link["title"], link["url"]) for link in content["related"]),
        provenance=tuple((name, place) for name, place in content["provenance"]),
    )


def pack(raw: RawPage) -> dict[str, Any]:
    """The columns of ``raw_pages`` that follow from the page, its body compressed.

    Several pages of one article are one body of the encoding ``zstd+pages``: a line of JSON that names the pages
    after the first and the size of each, then all their bytes in order.
    """
    body = _joined(raw) if raw.further else raw.body
    return {
        "url": clean(raw.url),
        "content_type": clean_or_none(raw.content_type),
        "fetched_at": raw.fetched_at,
        "encoding": _PAGES if raw.further else "zstd",
        "size": len(body),
        "body": zstandard.ZstdCompressor(level=3).compress(body),
    }


def unpack(row: Any) -> RawPage:
    """The page of a row of ``raw_pages``."""
    body = zstandard.ZstdDecompressor().decompress(row.body, max_output_size=max(row.size, 1))
    page = RawPage(url=row.url, body=body, content_type=row.content_type, fetched_at=row.fetched_at)
    return _apart(page) if row.encoding == _PAGES else page


_PAGES = "zstd+pages"


def _joined(raw: RawPage) -> bytes:
    head = {
        "first": len(raw.body),
        "further": [[page.url, page.content_type, _iso(page.fetched_at), len(page.body)] for page in raw.further],
    }
    return b"".join([json.dumps(head).encode(), b"\n", raw.body, *(page.body for page in raw.further)])


def _apart(page: RawPage) -> RawPage:
    line, _, bodies = page.body.partition(b"\n")
    head = json.loads(line)
    at, further = head["first"], []
    for url, content_type, fetched_at, size in head["further"]:
        moment = datetime.fromisoformat(fetched_at)
        further.append(RawPage(url=url, body=bodies[at : at + size], content_type=content_type, fetched_at=moment))
        at += size
    return replace(page, body=bodies[: head["first"]], further=tuple(further))


def _cleaned(value: str | int | None) -> str | int | None:
    return clean(value) if isinstance(value, str) else value


def _text(content: dict[str, Any]) -> str:
    text = content.get("text")
    return str(text) if text is not None else "\n\n".join(block["text"] for block in content["body"])


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
