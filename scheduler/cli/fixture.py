"""A page with what is expected of it, as a folder: ``page.html``, ``meta.json``, ``expected.json``.

The tests of the shipped outlets read such folders; `warta crawl --dry-run --save-fixture` writes them.
Further pages of the article are ``page2.html``, ``page3.html`` …
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crawlers.model import FeedEntry, Fetched, Normalized, Rejected
from crawlers.recognise import entry_from_json, entry_to_json
from crawlers.trial import fields_of

#: What ``meta.json`` may hold.
META = frozenset({"url", "fetched_at", "content_type", "entry", "about"})


@dataclass(frozen=True, slots=True)
class Case:
    """One folder."""

    pages: tuple[Fetched, ...]
    entry: FeedEntry | None
    fetched_at: datetime
    #: Field to value, or ``{"rejected": rule}``.
    expected: dict[str, Any]


def read_case(folder: Path) -> Case:
    """Read a folder.

    :raises ValueError: a key of ``meta.json`` that nobody reads.
    :raises OSError: a file that is missing.
    """
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    if stray := set(meta) - META:
        raise ValueError(f"{folder / 'meta.json'}: unknown {', '.join(sorted(stray))}; known are {', '.join(META)}")
    at = datetime.fromisoformat(meta["fetched_at"])
    files = [folder / "page.html", *sorted(folder.glob("page[0-9]*.html"))]
    pages = tuple(page_from(f.read_bytes(), meta["url"], at, meta.get("content_type")) for f in files)
    entry = entry_from_json(json.dumps({"url": meta["url"], **meta["entry"]})) if meta.get("entry") else None
    return Case(pages, entry, at, json.loads((folder / "expected.json").read_text(encoding="utf-8")))


def page_from(body: bytes, url: str, at: datetime, content_type: str | None = None) -> Fetched:
    """A page that was saved as if it had just been fetched from `url`."""
    kind = content_type or "text/html"
    return Fetched(
        url=url, final_url=url, status=200, headers=(("content-type", kind),), body=body, fetched_at=at,
        content_type=kind,
    )  # fmt: skip


def expected_of(read: Normalized | Rejected) -> dict[str, Any]:
    """What a reading looks like in ``expected.json``."""
    return {"rejected": read.rule} if isinstance(read, Rejected) else fields_of(read.article)


def save_case(folder: Path, pages: Sequence[Fetched], entry: FeedEntry | None, read: Normalized | Rejected) -> None:
    """Write a folder whose ``expected.json`` is what was read: to be checked and corrected by a person.

    :raises FileExistsError: the folder holds an ``expected.json`` already.
    """
    if (folder / "expected.json").exists():
        raise FileExistsError(f"{folder} holds a case already; its expected.json was corrected by hand")
    folder.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pages, start=1):
        name = "page.html" if number == 1 else f"page{number}.html"
        (folder / name).write_bytes(page.body)
    meta: dict[str, Any] = {"url": pages[0].final_url, "fetched_at": pages[0].fetched_at.isoformat()}
    if entry is not None:
        meta["entry"] = {k: v for k, v in json.loads(entry_to_json(entry)).items() if v and k != "url"}
    _write(folder / "meta.json", meta)
    _write(folder / "expected.json", expected_of(read))


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
