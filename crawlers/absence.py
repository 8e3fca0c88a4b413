"""When an article counts as taken back: never by one look, never by trouble that may be ours or the site's. Pure.

    a look finds it missing (404, 410, sent elsewhere, a notice in its place)
      └ again after an eighth, half and the whole of `span` (a day): missing each time ─► retracted
          410 says it is meant: a quarter of `span` and two looks are enough
      └ there once in between: nothing was missing

Time-outs, 5xx, 403 and the like say nothing of the article. Nothing is concluded while our own network is out, while
the outlet's pages drift, or when many of its pages went missing at once, which is a site's trouble.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from crawlers.model import FailureKind
from storage.model import Visit


class Absence(StrEnum):
    """How an article's page can be missing."""

    GONE = "gone"  # 410
    NOT_FOUND = "not_found"  # 404
    REDIRECT = "redirect"  # sent to the front page, a section or another host
    NOTICE = "notice"  # a page that says it was taken down
    REPLACED = "replaced"  # sent to another story


#: Failures that speak of the page and not of the way to it.
OF_THE_PAGE = {FailureKind.GONE: Absence.GONE, FailureKind.NOT_FOUND: Absence.NOT_FOUND}

#: When it is looked at again after the first look that missed it, in parts of the span.
_AGAIN = (1 / 8, 1 / 2, 1.0)
#: Looks and part of the span that confirm it: by 410, and otherwise.
_BY_GONE = (2, 1 / 4)
_OTHERWISE = (3, 1.0)

#: Missing pages of an outlet, and their share of those asked for lately, from which it is the site's trouble.
MANY, TOO_MANY = 5, 0.5

#: After it was taken back, an article may return.
RETURNS = (timedelta(days=1), timedelta(days=7), timedelta(days=30))

#: Characters of text beyond which a page is no mere notice.
NOTICE = 700

_NOTICE = re.compile(
    r"(?:artikel|berita|konten|halaman)\s(?:ini\s)?(?:telah|sudah|tidak lagi)\s"
    r"(?:di(?:tarik|hapus|cabut|turunkan)|tersedia|ditayangkan)"
    r"|(?:artikel|berita|konten|halaman)\s(?:yang\s(?:anda|kamu)\s(?:cari|maksud)\s)?tidak\s(?:di)?temukan"
    r"|(?:redaksi|kami)\s(?:telah\s)?(?:mencabut|menarik|menghapus)\s(?:artikel|berita)"
    r"|(?:this|the)\s(?:article|story|page|content)\s(?:has been|was|is)\s"
    r"(?:removed|retracted|withdrawn|deleted|unpublished|no longer available)"
    r"|page not found|404 not found|(?:article|story) (?:has been )?(?:retracted|withdrawn)",
    re.IGNORECASE,
)


def is_notice(text: str) -> bool:
    """Whether the words of a page say that an article was taken down, and little else."""
    text = " ".join(text.split())
    return len(text) <= NOTICE and _NOTICE.search(text) is not None


def missed(visit: Visit, how: Absence, now: datetime, *, span: timedelta) -> Visit:
    """What is remembered after one more look that did not find the article."""
    since = visit.absent_since or now
    absences = visit.absences + 1
    # Where it was due by its plan does not matter any more: it is there again, or it is gone.
    waits = [since + span * part for part in _AGAIN if since + span * part > now]
    again = waits[0] if waits else now + span / 2
    return replace(
        visit, absent_since=since, absences=absences, absence=how.value, due_at=again, visited_at=now,
        etag=None, last_modified=None,
    )  # fmt: skip


def is_retracted(visit: Visit, now: datetime, *, span: timedelta) -> bool:
    """Whether what is remembered of the looks that missed it is enough."""
    if visit.absent_since is None:
        return False
    looks, part = _BY_GONE if visit.absence == Absence.GONE else _OTHERWISE
    return visit.absences >= looks and now - visit.absent_since >= span * part


def is_trouble_of_the_site(missing: int, asked: int) -> bool:
    """Whether so many of the outlet's pages are missing that none of them was taken back."""
    return missing >= MANY and missing > TOO_MANY * asked


def next_return(retracted_for: timedelta, now: datetime, steps: Sequence[timedelta] = RETURNS) -> datetime | None:
    """When an article that was taken back so long ago is looked for once more; None: not any more."""
    later = [step for step in steps if step > retracted_for]
    return now + (later[0] - retracted_for) if later else None
