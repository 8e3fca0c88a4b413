"""Which stored article an item's addresses name, and which of them to believe. Pure.

An item's own addresses are the announced one and the one its page was served under. Others are claims
of the page (``rel=canonical``, ``og:url``, AMP): real pages claim the home page, the previous story of
a copied template or another outlet. A claim that names a stored article holds only when the texts agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crawlers.minhash import fingerprint, same_text
from storage.model import Article, IdentityKey

#: Similarity from which two texts are states of one article.
STATES = 0.35


@dataclass(frozen=True, slots=True)
class Named:
    """The outcome."""

    article_id: str | None
    #: ``url`` for an own address, ``canonical`` for a claim that holds.
    rule: str
    #: Claims that name this article too; the others are no identities of it.
    held: tuple[IdentityKey, ...] = ()
    #: Claims that name some other article.
    refused: frozenset[IdentityKey] = frozenset()


def agree(article: Article, stored: Article) -> bool:
    """Whether two texts may be states of one article: equal, or alike."""
    if article.body_hash == stored.body_hash:
        return True
    one, other = fingerprint(article.text), fingerprint(stored.text)
    return one is not None and other is not None and same_text(one, other, STATES) is not None


def name(
    article: Article,
    own: Sequence[IdentityKey],
    claimed: Sequence[IdentityKey],
    stored: Mapping[IdentityKey, tuple[str, Article]],
) -> Named:
    """The article that the addresses name; `stored` holds those that are known, by address."""
    of, rule = next((stored[key][0] for key in own if key in stored), None), "url"
    held, refused = [], set()
    for key in claimed:
        if key not in stored:
            continue
        named, known = stored[key]
        if of is None and agree(article, known):
            of, rule = named, "canonical"
        if named == of:
            held.append(key)
        else:
            refused.add(key)
    return Named(of, rule, tuple(held), frozenset(refused))
