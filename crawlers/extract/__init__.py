"""From a page's bytes to what it says: the face of this package is :func:`extract`."""

from __future__ import annotations

from crawlers.extract.page import extract

__all__ = ["extract"]
