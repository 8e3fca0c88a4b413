"""Whether items slipped out of a source's window between two polls. Pure.

A feed shows its newest items only. When nothing that it shows was there at the last poll, more may have come and
gone in between than it can show.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable
from hashlib import blake2b
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

#: Digests kept of one window, the smallest ones: a fair sample of longer windows.
MOST = 256

#: Pages of older items that are read to close one gap.
ARCHIVES = 10


def window(keys: Iterable[str]) -> list[str]:
    """What is remembered of a window: the smallest digests of the items' identities."""
    return heapq.nsmallest(MOST, {digest(key) for key in keys})


def extended(before: Collection[str], keys: Iterable[str]) -> list[str]:
    """The same when items were pushed since: they come first, and the oldest of the window make room."""
    fresh = dict.fromkeys(digest(key) for key in keys)
    return [*fresh, *(digest for digest in before if digest not in fresh)][:MOST]


def overlaps(before: Collection[str], keys: Iterable[str]) -> bool:
    """Whether one of the items was in the window before."""
    known = frozenset(before)
    return any(digest(key) in known for key in keys)


def older_page(url: str, number: int) -> str:
    """Page `number` of a WordPress feed: its address with ``paged`` set."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "paged"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("paged", str(number))]), fragment=""))


def digest(key: str) -> str:
    """What is remembered of an item's identity."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
