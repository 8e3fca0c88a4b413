"""Items: what was discovered, and what became of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from monitor.filters import FilterError, parse
from monitor.web.face import page, site_of
from monitor.web.figures import ITEM_NAMES, KINDS, ItemWish, item_page
from storage.model import Fate

PAGE = 50


async def items(request: Request) -> Response:
    """``/items?q=FILTER&before=ID``."""
    site = site_of(request)
    now = site.now()
    words, before = request.query_params.get("q", "")[:500], request.query_params.get("before", "")
    problem, rows, more = None, list[Fate](), None
    try:
        wanted = ItemWish.of(parse(words, names=ITEM_NAMES, now=now))
        at = int(before) if before.isdecimal() and len(before) < 19 else None
        rows, more = await item_page(site.storage.database, wanted, before=at, limit=PAGE)
    except FilterError as error:
        problem = str(error)
    return page(
        request, "items.html", now, words=words, problem=problem, rows=rows, more=more, before=before, kinds=KINDS
    )
