"""Pictures with an absolute address, a caption without its label, and the credit apart."""

from __future__ import annotations

import re
from collections.abc import Iterable

from crawlers.identity import absolute
from crawlers.normalize.text import clean_line
from storage.model import Image

_MOST = 50
_CAPTION = 1000
_LABEL = re.compile(
    r"^(?:ILUSTRASI|Ilustrasi|FOTO ILUSTRASI|Foto ilustrasi|KETERANGAN FOTO|Keterangan foto"
    r"|Caption)\b\s*[.:\-–—]\s*"
)
#: ``KONTAN/Cheppy A. Muchlis``, ``(ANTARA FOTO/Aprillio Akbar/nym)``, ``REUTERS/Jane Doe``.
_SLASHED = re.compile(
    r"(?:^|(?<=[\s.(\[]))[(\[]?(?P<credit>(?:[A-Z]{2,}(?:\.[A-Z]+)*|[A-Z][\w-]*\.(?:com|co\.id|id|tv)"
    r"|Getty Images|Xinhua|Shutterstock|dok)"
    r"(?: (?:[A-Z][A-Z]+|FOTO|PHOTO|Images))*\s?/\s?[^()\[\]]{2,80})[)\]]?\.?$"
)
#: ``(Foto: A/detikcom)``, ``Foto: A``, ``Dok. Perusahaan``, ``(Dok.A)``, ``Photo by A``, ``— Picture by A``,
#: ``Credit: A``, ``. Foto/A``.
_LABELLED = re.compile(
    r"(?:^|(?<=[\s.])|(?=[(\[]))[(\[]?"
    r"(?:foto|photo|photograph|pictures?|sumber|source|credit|kredit|image|gambar|dok|dokumentasi|doc)"
    r"(?:\s?(?:by|oleh))?(?:\s?:\s?|(?:(?<=dok)|(?<=doc)|(?<=asi))\.\s?|\sby\s|(?<=[Dd]ok)/|(?-i:(?<=\. Foto))/)"
    r"(?P<credit>[^()\[\]]{2,80})[)\]]?\.?$",
    re.IGNORECASE,
)
#: ``[Jane Doe/Al Jazeera]``, ``(CNN Indonesia/Ani Lestari)``: an outlet and a person, whatever they are called.
_BETWEEN_BRACKETS = re.compile(r"(?<=[\s.\w])[(\[](?P<credit>[A-Z][^()\[\]/\d]{1,40}/[^()\[\]]{2,60})[)\]]\.?$")
#: ``… di pasar. Tempo/Ani Lestari``, ``… rotan./Bisnis-Ani Lestari``: the same behind a sentence.
_AFTER_SENTENCE = re.compile(
    r"(?<=[.!?”\"])(?:\s+(?P<credit>[A-Z][\w-]*(?: [A-Z][\w-]*){0,2}\s?/\s?[A-Z][\w .'-]{2,50})"
    r"|/(?P<glued>[A-Z][\w -]{2,50}))$"
)
_PICTURE = re.compile(r"^(?:Foto|Photo|Image|Gambar)\s?:\s*")
#: A whole caption in parentheses that ends it: ``… di Jakarta. (Getty Images)``.
_BRACKETED = re.compile(
    r"(?<=[\s.])\((?P<credit>(?:Getty Images|REUTERS|Reuters|AFP|AP|AP Photo|ANTARA|Antara"
    r"|Shutterstock|iStock(?:photo)?|Istimewa"
    r"|istimewa|ist|Ist|Freepik|Pixabay|Unsplash|Dok)[^()]{0,60})\)\.?$"
)


def clean_images(images: Iterable[Image], *, base: str) -> tuple[Image, ...]:
    """Each picture once, addresses resolved against `base`; those that are not http(s) are dropped."""
    found: dict[str, Image] = {}
    for image in images:
        url = absolute(image.url, base) or absolute(image.url)
        if url is None:
            continue
        caption, credit = split_caption(image.caption or "")
        credit = clean_line(image.credit or "") or credit
        known = found.get(url)
        if known is None and len(found) < _MOST:
            found[url] = Image(url=url, caption=caption, credit=credit)
        elif known is not None and known.caption is None and caption is not None:
            found[url] = Image(url=url, caption=caption, credit=credit or known.credit)
    return tuple(found.values())


def split_caption(text: str) -> tuple[str | None, str | None]:
    """Caption and credit of a picture's line; either may be missing."""
    text = _LABEL.sub("", clean_line(text[: 4 * _CAPTION])[:_CAPTION])
    tail_at = max(len(text) - 140, 0)
    for pattern in (_LABELLED, _SLASHED, _BRACKETED, _BETWEEN_BRACKETS, _AFTER_SENTENCE):
        if match := pattern.search(text, tail_at):
            credit = next(found for found in match.groups() if found).strip(" .-–—/")
            caption = text[: match.start()].rstrip(" ([-–—/")
            return _PICTURE.sub("", caption) or None, credit or None
    return text or None, None
