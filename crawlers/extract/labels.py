"""What the words in an element's ``class`` and ``id`` tell of it.

Names lie, so nothing here decides alone: a subtree that holds most of a page's prose is its article
whatever it is called (see :mod:`crawlers.extract.container`).
"""

from __future__ import annotations

import re
from typing import Final

#: The words name something beside the article.
JUNK: Final = 1
#: They name a date or a time.
DATED: Final = 2
#: They name who wrote it.
BYLINE: Final = 4
#: They name the article's text.
BODY: Final = 8
#: With `JUNK`: the words are doubtful.
WEAK: Final = 16
#: They name the lines between headline and text.
LEDE: Final = 32
#: They name a menu.
MENU: Final = 128

#: Learned from pages whose text came out with share bars, newsletter forms, comment threads, author boxes and
#: "more on this" lists in it.
_JUNK_WORDS: Final = re.compile(
    r"""(?:
      sharing|shares?-?(?:bar|buttons?|links?|tools?|icons?|this)|socials?|sosmed|sharebar|addtoany|sharedaddy|
      comments?(?:-?(?:list|section|area|container|wrapper|thread|box|form|body))?|komentar|disqus|kommentare|respond|
      relateds?|recirc\w*|recommend\w*|outbrain|taboola|mgid|dable|jp-relatedposts|post-?picker|
      read-?more|readmore|baca-?juga|bacajuga|lihatjuga|terkait|terkini|terpopuler|
      more-?(?:on|news|stories|from|articles)|most-?(?:read|popular|viewed|commented)|popular|trending|
      newsletter\w*|subscri(?:be|ption)\w*|signup|sign-up|paywall-?(?:banner|box|cta|message)|donat(?:e|ion)\w*|
      advert\w*|ads?|adslot|adbox|ad-?(?:container|wrapper|unit|slot|banner|placeholder)|iklan|
      sponsor(?:ed)?-?(?:content|links?|posts?)|breadcrumbs?|breadcumb|pagination|pager|paging|
      side-?bar|footer|foot|masthead|navbar|navigation|nav|menu|toolbar|
      cookie\w*|consent|gdpr|popup|pop-?up|
      tag-?(?:list|cloud|s)|tags|keywords|topics?-?list|
      wp-caption-text|caption|captions|copyright|
      author-?(?:box|bio|info|card|profile|about|desc\w*|container)|about-?author|bio|biography|
      byline|by-line|dateline-?time|timestamp|publish\w*-?date|
      post-?(?:meta|date|tags|nav|author|footer)|entry-?(?:meta|footer)|
      skip-?link|visually-?hidden|sr-only|screen-reader\w*|noprint|no-print|d-print\w*|boilerplate\w*|
      (?:twitter|instagram|tiktok|reddit|fb|bluesky)-?(?:tweet|media|embed|post)|
      table-of|ez-toc|login|register|search-?(?:form|box|bar)|feedback|app-?(?:promo|download)|jump-?links
    )""",
    re.VERBOSE,
)
#: Words that name both decoration and, on other sites, a lede or a slide with the story's text: what they name
#: stays when there is prose enough in it.
_WEAK_WORDS: Final = re.compile(
    r"""(?:
      share|teasers?|banner|promo\w*|sponsor\w*|modal|overlay|lightbox|tag|caption\w*|credits?|hidden|print-?only|
      toc|rating\w*|poll|quiz|gallery|photo-?gallery|slideshow|carousel|player|video-?player|search\w*|disclaimer|
      info-?box|fact-?box|d-none|is-hidden|image-?(?:widget|caption|wrapper|credit)|img-?caption|photo-?(?:caption|credit)|reactions?|callout|cta|card-?(?:meta|footer)
    )""",
    re.VERBOSE,
)
#: The page's own words for the article win over the lists above (``article-body related-topics``).
_BODY_WORDS: Final = re.compile(
    r"(?:article|post|story|entry|page|main|news)-?(?:body|content|text|main|copy)|content-?body"
)
#: What stands between headline and text and belongs to the text.
_LEDE_WORDS: Final = re.compile(
    r"dek|deck|lede|lead|leadin|leadtext|stand-?first|sub-?(?:title|head(?:line)?|deck)|intro\w*|excerpt|summary|"
    r"teaser|description|perex|chapo|chapeau|entradilla|bajada|sommario|abstract|anriss|vorspann|ingress|sinopsis|"
    r"synopsis"
)
_DATE_WORDS: Final = re.compile(r"date|time|tanggal|publish|posted|updated|datum|fecha")
_BYLINE_WORDS: Final = re.compile(
    r"bylines?|by-line|authors?|author-?(?:names?|links?|url)|penulis|reporter|autor(?:en)?"
)
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: Utility classes with a value inside (``[--sidebar-width:18rem]``).
_ARBITRARY: Final = re.compile(r"\[[^\[\]]*\]?")
_WORD: Final = re.compile(r"[a-z]+")
#: Words that mean something together with the next one.
_FIRST: Final = frozenset(
    [
        "about",
        "ad",
        "app",
        "article",
        "author",
        "bacajuga",
        "baca",
        "bluesky",
        "by",
        "card",
        "comment",
        "comments",
        "content",
        "d",
        "dateline",
        "entry",
        "ez",
        "fact",
        "fb",
        "image",
        "img",
        "info",
        "instagram",
        "is",
        "jump",
        "main",
        "more",
        "most",
        "news",
        "no",
        "page",
        "paywall",
        "photo",
        "pop",
        "post",
        "print",
        "publish",
        "published",
        "read",
        "reddit",
        "screen",
        "search",
        "share",
        "shares",
        "side",
        "sign",
        "skip",
        "sponsor",
        "sponsored",
        "sr",
        "stand",
        "story",
        "sub",
        "table",
        "tag",
        "tiktok",
        "topic",
        "topics",
        "twitter",
        "video",
        "visually",
        "wp",
    ]
)
_MAX_LABEL: Final = 300
_MAX_KNOWN: Final = 20_000
#: Lists of links that no page puts its text into.
_MENU_WORDS: Final = re.compile(
    r"nav|navbar|navigation|menu|menus|submenu|sub-?menu|dropdown|breadcrumbs?|pagination|pager|socials?|sitemap|tabs"
)
#: Internal: a weak word, until the whole label is read.
_MAYBE: Final = 64

_known: dict[str, int] = {}
_words: dict[str, int] = {}


def verdict(label: str) -> int:
    """The flags of a ``class`` and ``id``, remembered: pages of one outlet share most of theirs."""
    flags = _known.get(label)
    if flags is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        flags = _known[label] = _judge(label[:_MAX_LABEL])
    return flags


def _judge(label: str) -> int:
    flags = 0
    before = ""
    known = _words.get
    if "[" in label:
        label = _ARBITRARY.sub(" ", label)
    for word in _WORD.findall(_CAMEL.sub("-", label).lower()):
        found = known(word)
        flags |= _learn(word) if found is None else found
        if before in _FIRST:
            pair = f"{before}-{word}"
            found = known(pair)
            flags |= _learn(pair) if found is None else found
        before = word
    if flags & BODY:
        flags &= ~JUNK
    elif flags & _MAYBE and not flags & JUNK:
        flags |= JUNK | WEAK
    return flags & ~_MAYBE


def _learn(word: str) -> int:
    """The flags of one word or pair; few enough occur on the web that all are soon known."""
    if len(_words) >= _MAX_KNOWN:
        _words.clear()
    flags = 0
    for pattern, flag in _MEANINGS:
        if pattern.fullmatch(word):
            flags |= flag
    if _DATE_WORDS.search(word):
        flags |= DATED
    _words[word] = flags
    return flags


_MEANINGS: Final = (
    (_BODY_WORDS, BODY),
    (_JUNK_WORDS, JUNK),
    (_WEAK_WORDS, _MAYBE),
    (_LEDE_WORDS, LEDE),
    (_BYLINE_WORDS, BYLINE),
    (_MENU_WORDS, MENU),
)
