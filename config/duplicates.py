"""Outlets and sources that stand twice, in one file or in two.

Looked for in the plain data, before and apart from validation: a file that is broken elsewhere
still tells which of its sources another file has too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from config.errors import ConfigProblem
from config.yaml_reader import Document, Path


def duplicates(outlets: Sequence[tuple[str, Document]]) -> list[ConfigProblem]:
    """Problems for every outlet id, source name and source address after its first appearance."""
    problems: list[ConfigProblem] = []
    seen_outlets: dict[str, str] = {}
    seen_urls: dict[str, tuple[Document, Path]] = {}
    for outlet_id, document in outlets:
        if outlet_id in seen_outlets:
            message = f"outlet {outlet_id!r} is also {seen_outlets[outlet_id]}"
            problems.append(document.problem((), message, expected="file names that differ"))
        seen_outlets.setdefault(outlet_id, document.file)
        problems.extend(_names(document))
        for path, url in _values(document, "url"):
            key = _same(url)
            if key in seen_urls:
                first_document, first_path = seen_urls[key]
                line, column = first_document.position(first_path)
                message = f"this address is also polled at {first_document.file}:{line}:{column}"
                problems.append(document.problem(path, message, expected="each address once"))
            seen_urls.setdefault(key, (document, path))
    return problems


def _names(document: Document) -> Iterator[ConfigProblem]:
    seen: dict[str, Path] = {}
    for path, name in _values(document, "name"):
        if name in seen:
            line, column = document.position(seen[name])
            message = f"source {name[:80]!r} stands twice; the first is at line {line}, column {column}"
            yield document.problem(path, message, expected="names that differ")
        seen.setdefault(name, path)


def _values(document: Document, key: str) -> Iterator[tuple[Path, str]]:
    sources = document.data.get("sources") if isinstance(document.data, dict) else None
    for index, source in enumerate(sources if isinstance(sources, list) else ()):
        value = source.get(key) if isinstance(source, dict) else None
        if isinstance(value, str):
            yield ("sources", index, key), value


def _same(url: str) -> str:
    """Addresses that differ only in the case of scheme and host, default port or fragment are one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    shown = "" if port is None or (parts.scheme, port) in (("http", 80), ("https", 443)) else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.hostname or ''}{shown}{parts.path or '/'}{query}"
