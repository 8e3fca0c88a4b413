"""What a page gave, for the counts against which drift is judged. Pure."""

from __future__ import annotations

from dataclasses import fields as fields_of
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from config.model import ArticleRules, Outlet
from crawlers.model import Normalized, Rejected
from storage.model import FIELDS, Article, Measured

#: Name of the undated rules.
CURRENT: Final = "current"
#: Ends of a page that say something of the rules; a photo page or a paywall says nothing.
_TELLING: Final = frozenset({"empty", "no_title"})
#: Times by which an outlet's word on the hour was not had.
_NO_WORD: Final = frozenset({None, "first_seen", "url"})


def version_of(rules: ArticleRules) -> str:
    """The name of a rule version: ``current``, or ``until 2023-01-31``."""
    return CURRENT if rules.valid_until is None else f"until {rules.valid_until}"


def asked_of(outlet: Outlet) -> frozenset[str]:
    """Those of FIELDS that the outlet's current rules have selectors for; only these can fail to match."""
    rules = next((r for r in outlet.rules if r.valid_until is None), ArticleRules())
    set_up = {f.name for f in fields_of(rules) if f.name in FIELDS and getattr(rules, f.name)}
    return frozenset(set_up | ({"authors"} if rules.byline else set()))


def measured(read: Normalized | Rejected, outlet: Outlet, rules: ArticleRules, ruled: int | None) -> Measured | None:
    """What a page gave; None where it is none that stories are read from.

    `ruled` is the number of characters in what the rules' body selectors found, where something else was taken.
    """
    version = version_of(rules)
    if isinstance(read, Rejected):
        return Measured(rules=version) if read.rule in _TELLING else None
    article = read.article
    origins = article.provenance
    given = {
        "title": True,
        "authors": bool(article.authors),
        "published": _has_instant(article, outlet.timezone),
        "section": bool(article.section),
        "tags": bool(article.tags),
        "image": bool(article.images),
        "body": bool(article.text),
    }
    by_rules = {name for name, origin in origins if origin in {"rules", "byline"}}
    by_rules |= {"image"} if "images" in by_rules else set()
    if any(name == "published.claim" and " rules " in claim for name, claim in origins):
        by_rules.add("published")
    return Measured(
        rules=version,
        found=frozenset(name for name, there in given.items() if there),
        ruled=frozenset(by_rules & set(FIELDS)),
        characters=len(article.text) if ruled is None else ruled,
    )


def _has_instant(article: Article, timezone: ZoneInfo) -> bool:
    """Whether the outlet told the hour; midnight sharp is a day written as a time."""
    moment: datetime | None = article.published
    if moment is None or article.published_from in _NO_WORD:
        return False
    local = moment.astimezone(timezone)
    return bool(local.hour or local.minute or local.second)
