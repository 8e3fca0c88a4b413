"""What a page says, made into an article: clean text, one instant, persons, and no furniture."""

from __future__ import annotations

from crawlers.normalize.assemble import normalize
from crawlers.normalize.pages import join

__all__ = ["join", "normalize"]
