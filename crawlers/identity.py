"""Which addresses are one article, whose they are, and which texts are one text. Pure.

Two forms of an address: :func:`canonicalize` gives one a person can open, :func:`url_key`
gives the identity inside an outlet, which needs no scheme and need not be fetched.
Addresses are read by the WHATWG URL standard.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Final

import ada_url

from config.model import Outlet, UrlRules

#: Longer addresses are refused: no browser bar, sitemap or database index wants them (sitemaps.org: 2,048).
MAX_URL: Final = 4096

#: Parameters that tell a publisher where a reader came from. Names in full, then beginnings
#: (AdGuard's and ClearURLs' lists as in courlan, without its guesses that eat ``source`` or ``session``
#: in the middle of words).
_TRACKING_WORDS = (
    "fbclid gclid dclid gclsrc gbraid wbraid twclid yclid ysclid msclkid igshid igsh mc_cid mc_eid "
    "mkt_tok _ga _gl _hsenc _hsmi __hstc __hsfp hsctatracking ref ref_src ref_url referrer referer "
    "refid source src campaign cmpid cmp cid icid ito xtor ncid ocid smid smtyp spm scm partner "
    "partnerid affiliate aff ftag taid tblci share shared sharetype share_id feature fb_action_ids "
    "fb_action_types fb_source fb_ref rss feedname feedtype traffic_source tag_source wt_mc wtmc "
    "wprov guccounter guce_referrer guce_referrer_sig sr_share ns_mchannel ns_source ns_campaign "
    "ns_linkname ns_fee click_id clickid s_cid s_kwcid ved usg ei sca_esv"
)
_TRACKING: Final = frozenset(_TRACKING_WORDS.split())
_START_WORDS = "utm_ at_ pk_ piwik_ mtm_ matomo_ itm_ hsa_ vero_ oly_ mkt_ ml_ ga_ gs_ __twitter_ fb_ sc_ trk_ stm_ ns_"
_TRACKING_STARTS: Final = tuple(_START_WORDS.split())

#: Parameters that choose a page of an article or its print, AMP or full form.
_PAGING: Final = {
    "page": re.compile(r"all|\d{0,3}|full"),
    "single": re.compile(r"1|true|"),
    "showpage": re.compile(r"all|\d{0,3}"),
    "page_num": re.compile(r"\d{0,3}"),
    "halaman": re.compile(r"all|\d{0,3}"),
    "amp": re.compile(r"1|true|"),
    "outputtype": re.compile(r"amp|amp-type"),
    "print": re.compile(r"1|true|"),
    "view": re.compile(r"all|single|print"),
}
_DEFAULT_PAGE: Final = re.compile(r"/(?:index|default|home)\.(?:html?|php|aspx?|jsp)$", re.IGNORECASE)
_SESSION_ID: Final = re.compile(r";(?:jsessionid|phpsessid)=[^/?;]*", re.IGNORECASE)
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_AMP_TAIL: Final = re.compile(r"(?:/amp|\.amp|/amp\.html?|\.amp\.html?)$", re.IGNORECASE)
_FRONT: Final = re.compile(r"^(?:www\d?|m|mobile|amp|wap)\.(?=[^.]+\.[^.]+)")
_SPACE: Final = re.compile(r"\s+")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def absolute(url: str, base: str | None = None) -> str | None:
    """`url` against `base` as a browser reads it, if http or https; else None. Nothing is dropped."""
    if not url.strip() or len(url) > MAX_URL:
        return None
    try:
        found = ada_url.join_url(base, url) if base else ada_url.normalize_url(url)
    except (ValueError, UnicodeError):
        return None
    return found if found.startswith(("http://", "https://")) else None


def host_of(url: str) -> str:
    """The host of an absolute address, lower-case and IDNA; empty when there is none."""
    try:
        return str(ada_url.URL(url).hostname).rstrip(".")
    except (ValueError, UnicodeError):
        return ""


def canonicalize(url: str, rules: UrlRules | None = None) -> str | None:
    """The one form of an address, or None when it is not an http(s) address.

    Dropped: credentials, fragment, default port, default page (``index.html``), session ids,
    tracking and paging parameters (with ``rules.keep_query`` all others too). Parameters are
    sorted by name, percent-encoding is made uniform, AMP and mobile hosts of
    ``rules.host_aliases`` are replaced. A trailing slash stays as it is: without it the
    server may answer otherwise. Idempotent.
    """
    text = absolute(url)
    if text is None:
        return None
    parsed = ada_url.URL(text)
    host = parsed.hostname.rstrip(".")
    if not host:
        return None
    if rules is not None:
        host = dict(rules.host_aliases).get(host, host)
    port = f":{parsed.port}" if parsed.port else ""
    # Set, not pasted: a path such as "/..;jsessionid=1" turns into one with dot segments.
    parsed.pathname = _SESSION_ID.sub("", _uniform(parsed.pathname))
    path = _DEFAULT_PAGE.sub("/", parsed.pathname)
    query = _query(parsed.search[1:], None if rules is None else rules.keep_query)
    found = f"{parsed.protocol}//{host}{port}{path}{'?' + query if query else ''}"
    # A long address of characters that escape threefold may only now be too long.
    return found if len(found) <= MAX_URL else None


def _uniform(text: str) -> str:
    """Upper-case escapes, and none for what needs none (RFC 3986 section 6.2.2)."""

    def one(found: re.Match[str]) -> str:
        character = chr(int(found[1], 16))
        return character if character in _UNRESERVED else f"%{found[1].upper()}"

    # Again while it shortens: "%%361" holds an escape that only shows once "%36" is a 6.
    while (settled := _ESCAPE.sub(one, text)) != text:
        text = settled
    return text


def _query(query: str, keep: tuple[str, ...] | None) -> str:
    """The parameters that are part of the identity, sorted by name; equal names keep their order."""
    kept = []
    for part in query.split("&"):
        part = _uniform(part)
        name, _, value = part.partition("=")
        if name and (name in keep if keep is not None else not _droppable(name.lower(), value.lower())):
            kept.append((name, part))
    return "&".join(part for _, part in sorted(kept, key=lambda pair: pair[0]))


def _droppable(name: str, value: str) -> bool:
    if name in _TRACKING or name.startswith(_TRACKING_STARTS):
        return True
    paging = _PAGING.get(name)
    return paging is not None and paging.fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def url_key(url: str, outlet: Outlet) -> str:
    """The identity of the article at `url` within `outlet`.

    The named groups of ``outlet.urls.key``, joined by ``/``, where that expression matches; else
    the canonical address without scheme, ``www.``, ``m.`` or ``amp.``, trailing slash and AMP
    suffix. An address that is none is its own key.
    """
    canonical = canonicalize(url, outlet.urls)
    if canonical is None:
        return url[:MAX_URL]
    if outlet.urls.key and (found := _compiled(outlet.urls.key).search(canonical)):
        groups = [g for g in found.groupdict().values() if g] or [g for g in found.groups() if g]
        return "/".join(groups) or found[0]
    _, _, rest = canonical.partition("://")
    host, slash, tail = rest.partition("/")
    path, mark, query = (slash + tail).partition("?")
    path = _AMP_TAIL.sub("", path.rstrip("/")).rstrip("/")
    return f"{_bare(host)}{path}{mark}{query}"


def _bare(host: str) -> str:
    """A host without the label that only chooses a form of the page."""
    return _FRONT.sub("", host)


def belongs(url: str, outlet: Outlet) -> bool:
    """Whether `url` stands on a host of `outlet`.

    ``www.``, ``m.`` and ``amp.`` of a listed host are the same site.
    """
    host = host_of(url)
    if not host:
        return False
    host = dict(outlet.urls.host_aliases).get(host, host)
    return any(_covers(listed.lower().rstrip("."), host) for listed in outlet.hosts)


def _covers(listed: str, host: str) -> bool:
    if listed.startswith("*."):
        return host.endswith(listed[1:]) and len(host) > len(listed) - 1
    return listed == host or _bare(listed) == _bare(host)


def is_article(url: str, outlet: Outlet) -> tuple[bool, str]:
    """Whether `url` may be an article of `outlet`, and the rule that decided.

    Rules: ``not_http``, ``foreign_host``, ``skip``, ``homepage``, ``not_article_url``, ``article``.
    """
    canonical = canonicalize(url, outlet.urls)
    if canonical is None:
        return False, "not_http"
    if not belongs(canonical, outlet):
        return False, "foreign_host"
    if any(_compiled(pattern).search(canonical) for pattern in outlet.urls.skip):
        return False, "skip"
    if outlet.urls.article is not None:
        return (True, "article") if _compiled(outlet.urls.article).search(canonical) else (False, "not_article_url")
    if is_homepage(canonical):
        return False, "homepage"
    return True, "article"


def is_homepage(url: str) -> bool:
    """Whether an absolute address is the root of its host, without a query that could name an article."""
    _, _, rest = url.partition("://")
    _, _, tail = rest.partition("/")
    return not tail.partition("#")[0]


def body_hash(text: str) -> str:
    """Versioned hash of a text.

    White space, Unicode form and invisible characters do not count; case and punctuation do.
    """
    return "1" + hashlib.sha256(_settled(text).encode("utf-8", "surrogatepass")).hexdigest()[:31]


def content_hash(title: str, text: str) -> str:
    """Versioned hash of what a reader would call the content: title and text, as in :func:`body_hash`."""
    both = f"{_settled(title)}\x1f{_settled(text)}"
    return "1" + hashlib.sha256(both.encode("utf-8", "surrogatepass")).hexdigest()[:31]


def _settled(text: str) -> str:
    return _SPACE.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFC", text))).strip()
