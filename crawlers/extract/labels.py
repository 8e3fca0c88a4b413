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

#: Learned from pages whose text came out with share bars, newsletter forms, comment threads, author boxes and
#: "more on this" lists in it.
_JUNK_WORDS: Final = re.compile(
    r"""(?:^|[\s_-])(?:
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
      author-?(?:box|bio|info|card|profile|about|desc\w*|container)|about-?(?:the-?)?author|bio|biography|
      byline|by-line|dateline-?time|timestamp|publish\w*-?date|
      post-?(?:meta|date|tags|nav|author|footer)|entry-?(?:meta|footer)|
      skip-?link|visually-?hidden|sr-only|screen-reader\w*|noprint|no-print|d-print\w*|boilerplate\w*|
      (?:twitter|instagram|tiktok|reddit|fb|bluesky)-?(?:tweet|media|embed|post)|
      table-of-contents|ez-toc\w*|login|register|search-?(?:form|box|bar)|feedback|app-?(?:promo|download)|jump-?links
    )(?:$|[\s_-])""",
    re.IGNORECASE | re.VERBOSE,
)
#: Words that name both decoration and, on other sites, a lede or a slide with the story's text: what they name
#: stays when there is prose enough in it.
_WEAK_WORDS: Final = re.compile(
    r"""(?:^|[\s_-])(?:
      share|teasers?|banner|promo\w*|sponsor\w*|modal|overlay|lightbox|tag|caption\w*|credits?|hidden|print-?only|
      toc|rating\w*|poll|quiz|gallery|photo-?gallery|slideshow|carousel|player|video-?player|search\w*|disclaimer|
      info-?box|fact-?box|d-none|is-hidden|image-?(?:widget|caption|wrapper|credit)|img-?caption|photo-?(?:caption|credit)|reactions?|callout|cta|embed|card-?(?:meta|footer)
    )(?:$|[\s_-])""",
    re.IGNORECASE | re.VERBOSE,
)
#: The page's own words for the article win over the lists above (``article-body related-topics``).
_BODY_WORDS: Final = re.compile(
    r"(?:article|post|story|entry|page|main|news)[-_]{0,2}(?:body|content|text|main|copy)|content-?_?body|articlebody|storytext",
    re.IGNORECASE,
)
#: What stands between headline and text and belongs to the text.
_LEDE_WORDS: Final = re.compile(
    r"(?:^|[\s_-])(?:dek|deck|lede|lead|leadin|leadtext|stand-?first|sub-?(?:title|head(?:line)?|deck)|intro\w*|excerpt|"
    r"summary|teaser|teaser-?text|description|perex|chapo|chapeau|entradilla|bajada|sommario|abstract|anriss|vorspann|"
    r"ingress|sinopsis|synopsis|article-?_?(?:lead|intro|teaser))(?:$|[\s_-])",
    re.IGNORECASE,
)
_DATE_WORDS: Final = re.compile(r"date|time|tanggal|publish|posted|updated|datum|fecha", re.IGNORECASE)
_BYLINE_WORDS: Final = re.compile(
    r"byline|by-line|(?:^|[\s_-])authors?(?:[\s_-]?(?:names?|links?|url))?(?:$|[\s_-])|penulis|reporter|autor(?:en)?(?:$|[\s_-])",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MAX_LABEL: Final = 300
_MAX_KNOWN: Final = 20_000

_known: dict[str, int] = {}


def verdict(label: str) -> int:
    """The flags of a ``class`` and ``id``, remembered: pages of one outlet share most of theirs."""
    flags = _known.get(label)
    if flags is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        flags = _known[label] = _judge(_CAMEL.sub("-", label[:_MAX_LABEL]))
    return flags


def _judge(words: str) -> int:
    flags = BODY if _BODY_WORDS.search(words) else 0
    if not flags:
        if _JUNK_WORDS.search(words):
            flags = JUNK
        elif _WEAK_WORDS.search(words):
            flags = JUNK | WEAK
    if _LEDE_WORDS.search(words):
        flags |= LEDE
    if _DATE_WORDS.search(words):
        flags |= DATED
    if _BYLINE_WORDS.search(words):
        flags |= BYLINE
    return flags
