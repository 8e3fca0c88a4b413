"""What a page is: only articles are stored, so everything else has to be recognised."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from crawlers.extract.jsonld import Described
from crawlers.extract.meta import Head
from crawlers.model import PageKind
from storage.model import Block

#: Characters of body below which a page has no text to speak of.
_NOTHING: Final = 60
#: A photo or video page carries a caption; more than this is an article with pictures.
_CAPTION: Final = 700
#: Stubs before a paywall are a paragraph or two.
_STUB: Final = 1_200

_PHOTO_PATH: Final = re.compile(
    r"/(?:foto|fotos|photos?|gallery|galleries|galeri|galerie|photostory|photo-gallery)s?/", re.IGNORECASE
)
_VIDEO_PATH: Final = re.compile(r"/(?:videos?|watch|tv|20detik|vod)/", re.IGNORECASE)
_LIVE_PATH: Final = re.compile(
    r"/(?:live|liveblog|live-blog|live-updates|live-news|liveticker)/|live-?blog", re.IGNORECASE
)
_WALL: Final = re.compile(
    r"subscribe (?:now )?to (?:continue|read|unlock)|already a subscriber|to continue reading|continue reading this article|"
    r"this (?:article|content|story) is (?:for|exclusive to|available to) (?:our )?(?:paid )?(?:subscribers|members)|"
    r"agar bisa lanjut membaca|berlangganan untuk (?:membaca|melanjutkan)|ini artikel spesial|khusus pelanggan|"
    r"réservé aux abonnés|weiterlesen mit|nur für abonnenten|contenido exclusivo para suscriptores|会員限定|有料会員",
    re.IGNORECASE,
)
_LISTS: Final = frozenset({"CollectionPage", "ItemList", "SearchResultsPage", "ProfilePage"})


def kind_of(head: Head, described: Described, blocks: Sequence[Block], url: str) -> PageKind:
    """The kind of page, by its own declarations first, then by address and length of text."""
    size = sum(len(b.text) for b in blocks)
    path = _path(url)
    if described.article is not None and "LiveBlogPosting" in described.types:
        return PageKind.LIVE
    if _LIVE_PATH.search(path) and size > _CAPTION and "NewsArticle" not in described.types:
        return PageKind.LIVE
    if _is_list(described, path):
        return PageKind.INDEX
    if size < _CAPTION:
        if _VIDEO_PATH.search(path) or (head.first("og:type") or "").startswith("video"):
            return PageKind.VIDEO
        if _PHOTO_PATH.search(path) or described.types & {"ImageGallery", "MediaGallery"}:
            return PageKind.PHOTO
    if size < _STUB and (_closed(described) or any(_WALL.search(b.text) for b in blocks[-3:])):
        return PageKind.PAYWALL
    return PageKind.EMPTY if size < _NOTHING else PageKind.ARTICLE


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _is_list(described: Described, path: str) -> bool:
    if described.article is not None:
        return False
    return path in {"", "/"} or bool(described.types & _LISTS)


def _closed(described: Described) -> bool:
    free = described.value("isAccessibleForFree")
    return free is False or (isinstance(free, str) and free.strip().lower() in {"false", "no"})
