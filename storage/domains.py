"""Whose a host is: the registrable domain by the Public Suffix List that comes with tldextract; nothing is fetched."""

from __future__ import annotations

from functools import lru_cache

from tldextract import TLDExtract

# The list's private part counts too: two blogs under blogspot.com have two owners.
_extract = TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True)


@lru_cache(maxsize=65_536)
def registrable(host: str) -> str:
    """The part of a host name that one owner registers: ``kontan.co.id`` for ``nasional.kontan.co.id``.

    A public suffix, an address, and a name under a suffix that nobody lists (``.test``, ``.internal``) stand
    for themselves.
    """
    host = host.rstrip(".").lower()
    try:
        return _extract(host).top_domain_under_public_suffix or host
    except ValueError:  # not a name at all
        return host
