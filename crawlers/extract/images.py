"""The article's pictures: the lead picture as declared, then figures of the body with caption and credit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from crawlers.extract.jsonld import Described
from crawlers.extract.meta import Head, absolute, line
from crawlers.extract.parse import Element
from storage.model import Image

_MAX_IMAGES: Final = 20
_SIZE: Final = re.compile(r"_(?:\d{2,4}|large|medium|small)$")


def find_images(container: Element | None, head: Head, described: Described) -> tuple[Image, ...]:
    """Absolute addresses, each once; the first is the lead picture."""
    figures = list(_figures(container, head.base)) if container is not None else []
    declared = (
        *_addresses(described.value("image", "thumbnailUrl")),
        head.first("og:image", "og:image:url", "twitter:image"),
    )
    lead = [Image(url=url) for address in declared if (url := absolute(address, head.base))]
    found: dict[str, Image] = {}
    for image in (*lead[:1], *figures):
        known = found.get(image.url)
        if known is None or (known.caption is None and image.caption is not None):
            found[image.url] = image
    return tuple(found.values())[:_MAX_IMAGES]


def caption_of(url: str, root: Element, base: str) -> str | None:
    """The caption of the figure that shows the picture, in whatever size."""
    name = _name(url)
    return next((f.caption for f in _figures(root, base) if f.caption and name and _name(f.url) == name), None)


def _name(url: str) -> str:
    """The file's name without the mark of its size: ``garam_169.jpeg?w=650`` is ``garam``."""
    return _SIZE.sub("", url.partition("?")[0].rpartition("/")[2].rpartition(".")[0])


def _addresses(value: Any) -> Iterable[str]:
    for item in value[:10] if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            item = item.get("url") or item.get("contentUrl")
            if isinstance(item, list):
                item = next(iter(item), None)
        if isinstance(item, str):
            yield item


def _figures(container: Element, base: str) -> Iterable[Image]:
    for count, figure in enumerate(container.iter("figure")):
        if count >= _MAX_IMAGES:
            break
        picture = figure.find(".//img")
        url = absolute(_source(picture), base) if picture is not None else None
        if url:
            caption = figure.find(".//figcaption")
            text = line("".join(caption.itertext())) if caption is not None else None
            yield Image(url=url, caption=text[:1_000] if text else None)


def _source(picture: Element) -> str | None:
    """Lazy loaders keep the address in ``data-src``; ``src`` is then a placeholder."""
    for name in ("data-src", "data-original", "data-lazy-src", "src"):
        value: str | None = picture.get(name)
        if value and not value.startswith("data:"):
            return value
    if srcset := picture.get("srcset") or picture.get("data-srcset"):
        return next(iter(srcset.replace(",", " ").split()), None)
    return None
