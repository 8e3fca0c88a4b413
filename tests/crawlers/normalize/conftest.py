"""A fictional outlet in Kontan's manner, and a page out of paragraphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.model import Boilerplate, Outlet, Politeness, UrlRules
from crawlers.model import Extraction, Normalized, Rejected
from crawlers.normalize import normalize
from storage.model import Article, Block, BlockKind

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
URL = "https://nasional.kabarniaga.test/news/panen-garam-di-teluk-semar"


@pytest.fixture(scope="session")
def outlet() -> Outlet:
    return Outlet(
        id="kabarniaga",
        name="Kabar Niaga",
        homepage="https://www.kabarniaga.test",
        group=None,
        language="id",
        timezone=ZoneInfo("Asia/Jakarta"),
        hosts=("*.kabarniaga.test",),
        sources=(),
        politeness=Politeness(user_agent="warta-test"),
        brands=("KABARNIAGA.CO.ID",),
        boilerplate=Boilerplate(
            line_start=("Baca Juga:", "Selanjutnya:", "Menarik Dibaca:", "ILUSTRASI.", "Simak"),
            line_exact=("INDEKS BERITA",),
            contains=("Agar bisa lanjut membaca",),
            cut_after=("Cek Berita dan Artikel yang lain di",),
        ),
        urls=UrlRules(key=r"/news/(?P<slug>[^/?#]+)"),
    )


@pytest.fixture(scope="session")
def read(outlet: Outlet) -> Callable[..., Normalized | Rejected]:
    """Normalize a page whose body is these paragraphs."""

    def normalized(paragraphs: Sequence[str | Block], entry: Any = None, url: str = URL, **page: Any) -> Any:
        blocks = tuple(b if isinstance(b, Block) else Block(BlockKind.PARAGRAPH, b) for b in paragraphs)
        extraction = Extraction(**{"url": url, "title": "Panen Garam di Teluk Semar Naik", "blocks": blocks, **page})
        return normalize(extraction, outlet=outlet, entry=entry, fetched_url=url, fetched_at=NOW, now=NOW)

    return normalized


@pytest.fixture(scope="session")
def article(read: Callable[..., Any]) -> Callable[..., Article]:
    """The article out of a page that is one."""

    def found(*args: Any, **page: Any) -> Article:
        result = read(*args, **page)
        assert isinstance(result, Normalized), result
        return result.article

    return found
