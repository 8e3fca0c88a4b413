"""What a page is: only articles are stored, so everything else has to be recognised."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from crawlers.extract.blocks import TextBlock
from crawlers.extract.jsonld import Described, types_of
from crawlers.extract.meta import Head
from crawlers.model import PageKind
from storage.model import Block

#: Characters of body below which a page has no text to speak of.
_NOTHING: Final = 60
#: A photo or video page carries a caption; more than this is an article with pictures.
_CAPTION: Final = 700
#: Stubs before a paywall are a paragraph or two; short news on metered sites is said to be closed as well.
_STUB: Final = 1_200
_CLOSED_STUB: Final = 600
#: Links that read like headlines; old templates put sixty of them beside an article, so the body must be missing.
_TEASERS: Final = 8
_TEASER: Final = 25
_NO_STORY: Final = 300
_INDEX_TITLE: Final = re.compile(r"^(?:indeks|index)\b", re.IGNORECASE)

_PHOTO_PATH: Final = re.compile(
    r"/(?:foto|fotos|photos?|gallery|galleries|galeri|galerie|photostory|photo-gallery)s?/", re.IGNORECASE
)
_VIDEO_PATH: Final = re.compile(r"/(?:videos?|watch|tv|20detik|vod)/", re.IGNORECASE)
_LIVE_PATH: Final = re.compile(r"live-?(?:blog|updates?|news|ticker|event)", re.IGNORECASE)
_WALL: Final = re.compile(
    r"subscribe (?:now )?to (?:continue|read|unlock)|already a subscriber|to continue reading|"
    r"continue reading this article|"
    r"this (?:article|content|story) is (?:for|exclusive to|available to) (?:our )?(?:paid )?(?:subscribers|members)|"
    r"agar bisa lanjut membaca|berlangganan untuk (?:membaca|melanjutkan)|ini artikel spesial|khusus pelanggan|"
    r"réservé aux abonnés|weiterlesen mit|nur für abonnenten|contenido exclusivo para suscriptores|会員限定|有料会員",
    re.IGNORECASE,
)
#: One of these stands in every such sentence; looking for them first is ten times cheaper.
_TELLTALES: Final = ("subscri", "continu", "lanjut", "langgan", "spesial", "abonn", "weiterles", "suscri", "会員")
_LISTS: Final = frozenset({"CollectionPage", "ItemList", "SearchResultsPage", "ProfilePage"})


def kind_of(
    head: Head, described: Described, blocks: Sequence[Block], url: str, seen: Sequence[TextBlock] = ()
) -> PageKind:
    """The kind of page, by its own declarations first, then by address, length of text and links.

    `seen` are all blocks of the page, when it was walked whole.
    """
    size = sum(len(b.text) for b in blocks)
    path = _path(url)
    if described.article is not None and "LiveBlogPosting" in types_of(described.article):
        return PageKind.LIVE
    if _LIVE_PATH.search(path) and size > _CAPTION and described.article is None:
        return PageKind.LIVE
    if described.article is None and _is_list(head, described, path, size, seen):
        return PageKind.INDEX
    if size < _CAPTION:
        if _VIDEO_PATH.search(path) or (head.first("og:type") or "").startswith("video"):
            return PageKind.VIDEO
        if _PHOTO_PATH.search(path) or described.types & {"ImageGallery", "MediaGallery"}:
            return PageKind.PHOTO
    if (size < _CLOSED_STUB and _closed(described)) or (size < _STUB and any(_is_wall(b.text) for b in blocks[-3:])):
        return PageKind.PAYWALL
    return PageKind.EMPTY if size < _NOTHING else PageKind.ARTICLE


def _is_wall(text: str) -> bool:
    folded = text.lower()
    return any(word in folded for word in _TELLTALES) and bool(_WALL.search(text))


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _is_list(head: Head, described: Described, path: str, size: int, seen: Sequence[TextBlock]) -> bool:
    """A front page, an index of a day, a channel: headlines that are links, and little else."""
    if path in {"", "/"} or described.types & _LISTS or _INDEX_TITLE.match(head.title or ""):
        return True
    if head.first("og:type") == "article" or head.first("article:published_time"):
        return False
    teasers = sum(1 for b in seen if len(b.text) >= _TEASER and b.linked > 0.8 * len(b.text))
    return teasers >= _TEASERS and size < _NO_STORY


def _closed(described: Described) -> bool:
    free = described.value("isAccessibleForFree")
    return free is False or (isinstance(free, str) and free.strip().lower() in {"false", "no"})
