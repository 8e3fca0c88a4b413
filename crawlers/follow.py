"""What became of a known article that was read again: nothing, a revision, a correction, a move, a return. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from crawlers.corrections import correction
from crawlers.cosmetics import essence, only_cosmetic
from crawlers.decide import Verdict
from storage.materiality import CORRECTED, materiality
from storage.model import Article, Change, FateKind

#: Times that an article may go back to a state it had before; from then on it flaps.
RETURNS = 2

#: Fields besides title and text of which a change is told, when there is a revision at all.
_TOLD = ("subtitle", "authors", "editor", "agency", "section", "tags", "published", "updated", "images")


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What to do with it."""

    verdict: Verdict
    #: The article to write, its address as it is known from now on.
    article: Article
    change: Change | None = None


def follow(
    article: Article,
    verdict: Verdict,
    history: Sequence[Article],
    *,
    retracted: bool = False,
    moves: bool = False,
    phrases: Iterable[str] = (),
) -> Followed:
    """Judge an article that `verdict` recognised as the one whose revisions are `history`, the newest last.

    `moves`: its page was found by a permanent redirect, or names another address as its own. `phrases` announce a
    correction at this outlet. Cosmetic changes make no revision; an article that goes back to a former state for the
    third time flaps, and stays as it is.
    """
    current = history[-1]
    moved = (
        moves
        and not _same_place(article.url, current.url)
        and all(not _same_place(article.url, former.url) for former in history)
    )
    if not moved:
        article = article if _same_place(article.url, current.url) else replace(article, url=current.url)
    edited = not only_cosmetic(current.title, current.text, article.title, article.text)
    if not (edited or moved or retracted):
        cosmetic = article.content_hash != current.content_hash
        detail = "only counters, times, promotions or typography differ" if cosmetic else None
        return Followed(verdict=replace(verdict, kind=FateKind.UNCHANGED, detail=detail), article=article)
    if edited and not retracted and _flaps(article, history):
        detail = f"it is back at a former state, as {RETURNS} times before: no revision is made of it"
        flapping = replace(verdict, kind=FateKind.UNCHANGED, rule="flapping", detail=detail)
        return Followed(verdict=flapping, article=article)
    notice = correction(current.title, current.text, article.title, article.text, phrases=phrases) if edited else None
    change = _change(article, current, edited=edited, moved=moved, restored=retracted, notice=notice)
    return Followed(
        verdict=replace(verdict, kind=FateKind.REVISED, detail=_said(change)), article=article, change=change
    )


def _change(
    article: Article, current: Article, *, edited: bool, moved: bool, restored: bool, notice: str | None
) -> Change:
    detail: dict[str, Any] = {"fields": changed_fields(article, current)}
    score: float | None = None
    if edited:
        weighed = materiality(current.title, current.text, article.title, article.text)
        score = max(weighed.score, CORRECTED) if notice else weighed.score
        detail |= {"title": weighed.title, "figures": weighed.figures, "text": weighed.text, "words": weighed.words}
    if moved:
        detail |= {"from": current.url, "to": article.url}
    if notice:
        detail |= {"notice": notice}
    if restored:
        score = 1.0
        detail |= {"restored": True}
    event = "corrected" if notice else "revised" if edited or restored else "moved"
    return Change(event=event, materiality=score, detail=detail)


def changed_fields(article: Article, current: Article) -> list[str]:
    """Names of the fields that a reader would find changed."""
    names = [name for name in ("title", "text") if getattr(article, name) != getattr(current, name)]
    return names + [name for name in _TOLD if getattr(article, name) != getattr(current, name)]


def _said(change: Change) -> str:
    detail = change.detail
    core = [name for name in detail["fields"] if name in {"title", "text"}]
    parts = [f"{' and '.join(core)} changed"] if core and "words" in detail else []
    if change.event == "corrected":
        parts.append(f"the outlet says: {detail['notice'][:120]}")
    if "to" in detail:
        parts.append(f"moved from {detail['from']} to {detail['to']}")
    if detail.get("restored"):
        parts.append("it had been taken back and is there again")
    score = "" if change.materiality is None else f" (materiality {change.materiality:.2f})"
    return ("; ".join(parts) or "content changed") + score


def _flaps(article: Article, history: Sequence[Article]) -> bool:
    """Whether the article goes back to a former state once too often."""
    states = [state for state, _ in groupby(essence(a.title, a.text) for a in history)]  # a move changes no state
    if essence(article.title, article.text) not in states:
        return False
    returns = sum(state in states[: position - 1] for position, state in enumerate(states) if position > 1)
    return returns >= RETURNS


def _same_place(one: str, other: str) -> bool:
    """Whether two addresses differ in nothing a reader would call a move."""
    return _bare(one) == _bare(other)


def _bare(url: str) -> str:
    return url.partition("://")[2].removeprefix("www.").rstrip("/").lower()
