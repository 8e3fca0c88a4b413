"""What is remembered of an article's page after each look, and when the next one is due."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.model import Outlet
from crawlers.absence import (
    Absence,
    is_notice,
    is_retracted,
    is_trouble_of_the_site,
    missed,
    next_return,
)
from crawlers.decode import to_text
from crawlers.model import Fetched, FetchResult
from crawlers.plain import plain
from crawlers.revisits import Rates, next_visit
from storage.model import StoredArticle, Visit
from storage.storage import Storage

#: An article that was taken back and returned is looked at once more after this long.
_AFTER_RETURN = timedelta(days=1)
#: Pages asked for in this time, or twice that of a retraction, say whether a site is in trouble.
_LATELY = timedelta(days=2)
#: Rates of edits are read again after so many seconds.
_FRESH_SECONDS = 60.0

_HEADING = re.compile(r"<(title|h1|h2)\b[^<>]{0,200}>(.{0,300}?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_HEAD = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A stored article's page, asked for once more."""

    visit: Visit
    stored: StoredArticle
    result: FetchResult
    #: Whether the page is the whole article.
    whole: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """What a look comes to that did not find the article."""

    visit: Visit
    retracted: bool
    #: One sentence for a person.
    says: str


class Tracker:
    """Turns looks into rows of ``visits``; the decisions are those of the pure policies."""

    def __init__(self, storage: Storage, now: Callable[[], datetime]) -> None:
        self._storage = storage
        self._now = now
        self._rates: dict[str, tuple[float, Rates]] = {}

    async def first(self, article_id: str, outlet: Outlet, url: str, page: Fetched, *, late: bool) -> Visit:
        """After an article was stored; one that was old by then is not followed."""
        now = self._now()
        following = None
        if not late:
            following = next_visit(article_id, now, outlet.revisions.visits, now=now, rates=await self.rates(outlet.id))
        plan = outlet.revisions.visits
        return Visit(
            article_id=article_id, outlet_id=outlet.id, url=url, visited_at=now, etag=page.etag,
            last_modified=page.last_modified, due_at=following.at if following else None,
            step=following.step if following else len(plan),
        )  # fmt: skip

    async def again(
        self,
        stored: StoredArticle,
        outlet: Outlet,
        url: str,
        page: Fetched | None,
        *,
        edited: bool = False,
        signed: bool = False,
    ) -> Visit:
        """After a look that found the article; `page` None: a 304. `signed`: a source said that it changed."""
        now = self._now()
        known = (await self._storage.visits.of([stored.id])).get(stored.id)
        visit = known or Visit(article_id=stored.id, outlet_id=outlet.id, url=url, due_at=None)
        visit = await self.planned(visit, stored, outlet, edited=edited)
        idle = 0 if edited else visit.idle + 1 if signed else visit.idle
        if page is not None:
            visit = replace(visit, etag=page.etag, last_modified=page.last_modified)
        return replace(
            visit, url=url if edited or known is None else visit.url, visited_at=now, idle=idle, absent_since=None,
            absences=0, absence=None,
        )  # fmt: skip

    async def planned(self, visit: Visit, stored: StoredArticle, outlet: Outlet, *, edited: bool = False) -> Visit:
        """The visit with its next time by the plan."""
        now, plan = self._now(), outlet.revisions.visits
        following = next_visit(
            stored.id, stored.first_seen, plan, now=now, rates=await self.rates(outlet.id), edited=edited
        )
        if following is None and edited and stored.retracted_at is not None:
            return replace(visit, due_at=now + _AFTER_RETURN, step=len(plan))
        return replace(
            visit, due_at=following.at if following else None, step=following.step if following else len(plan)
        )

    async def missing(self, look: Look, how: Absence, outlet: Outlet, what: str) -> Missing:
        """After a look that did not find it."""
        now, span = self._now(), outlet.revisions.retract_after
        if look.stored.retracted_at is not None:
            again = next_return(now - look.stored.retracted_at, now)
            visit = replace(look.visit, due_at=again, visited_at=now, step=len(outlet.revisions.visits))
            return Missing(visit, False, f"{what}: it is still taken back")
        visit = missed(look.visit, how, now, span=span)
        assert visit.absent_since is not None
        looks = f"{visit.absences} look{'' if visit.absences == 1 else 's'}"
        since = f"{looks} since {visit.absent_since:%Y-%m-%d %H:%M}Z found it missing"
        if not is_retracted(visit, now, span=span):
            return Missing(visit, False, f"{what}; {since}: not yet taken for taken back")
        gone, asked = await self._storage.visits.missing(outlet.id, now - max(_LATELY, 2 * span))
        if is_trouble_of_the_site(gone, asked):
            visit = replace(visit, due_at=now + span / 2)
            return Missing(
                visit, False, f"{what}; {gone} of {asked} pages of the outlet are missing: the site's trouble"
            )
        visit = replace(visit, due_at=next_return(timedelta(0), now), step=len(outlet.revisions.visits))
        return Missing(visit, True, f"{what}; {since}: the outlet took it back")

    async def rates(self, outlet_id: str) -> Rates:
        """How often looks at the outlet's pages find an edit, as of a minute ago at most."""
        known = self._rates.get(outlet_id)
        if known is None or time.monotonic() - known[0] > _FRESH_SECONDS:
            known = self._rates[outlet_id] = (time.monotonic(), await self._storage.visits.rates(outlet_id))
        return known[1]


def says_it_is_gone(page: Fetched) -> bool:
    """Whether the headings of a page say that its article was taken down; for pages that gave no article."""
    head = to_text(page.body[:_HEAD], page.content_type)
    return any(is_notice(plain(found[2], limit=500) or "") for found in _HEADING.finditer(head))
