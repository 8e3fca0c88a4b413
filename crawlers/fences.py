"""What a Scrapy crawler must know of warta's configuration before its first connection."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.load import load
from config.model import Settings
from crawlers.resolve import Lookup, system_lookup

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

#: Scrapy setting that names ``warta.yaml`` or its directory.
CONFIG = "WARTA_CONFIG"


@dataclass(frozen=True, slots=True)
class Fences:
    """Limits and networks of the configuration, and where names and trust come from."""

    settings: Settings
    lookup: Lookup = system_lookup
    #: None trusts what the operating system trusts.
    tls: ssl.SSLContext | None = None


def fences_of(crawler: Crawler) -> Fences:
    """The fences of a crawler: as its starter set them, else from the configuration."""
    given = getattr(crawler, "fences", None)
    return given if isinstance(given, Fences) else Fences(configuration(crawler))


def configuration(crawler: Crawler) -> Settings:
    """What the crawler's spider holds as ``configuration``, else the file that the setting names.

    Raises config.errors.ConfigError for a broken one.
    """
    held = getattr(crawler.spider, "configuration", None)
    return held if isinstance(held, Settings) else load(Path(crawler.settings.get(CONFIG)), os.environ)
