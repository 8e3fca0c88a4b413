"""What stands around an article on a real site: menus, rails, consent banners, scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Link:
    """A headline and where it leads."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One site's surroundings at one moment."""

    name: str
    language: str
    menu: Sequence[Link]
    popular: Sequence[Link]
    latest: Sequence[Link]


_SCRIPTS = """<script>window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments);}gtag('js',new Date());
googletag=window.googletag||{cmd:[]};googletag.cmd.push(function(){googletag.pubads().enableSingleRequest();});</script>
<style>.rail{width:300px}.consent{position:fixed;bottom:0}</style>"""

_WORDS = {
    "id": {
        "search": "Cari berita, topik, atau emiten",
        "popular": "Terpopuler",
        "latest": "Berita Terbaru",
        "cookie": "Situs ini memakai kuki untuk menyimpan pilihan Anda. Dengan melanjutkan, Anda setuju dengan kebijakan privasi kami.",
        "about": "Tentang Kami",
        "guide": "Pedoman Media Siber",
        "ads": "Pasang Iklan",
        "career": "Karier",
        "rights": "Hak cipta dilindungi undang-undang. Dilarang menyalin tanpa izin redaksi.",
        "login": "Masuk",
    },
    "en": {
        "search": "Search stories and topics",
        "popular": "Most read",
        "latest": "Latest",
        "cookie": "We use cookies to remember your choices. By carrying on you accept our privacy policy.",
        "about": "About us",
        "guide": "Editorial code",
        "ads": "Advertise",
        "career": "Careers",
        "rights": "All rights reserved. Do not reproduce without permission.",
        "login": "Sign in",
    },
}


def link_list(links: Sequence[Link], css: str) -> str:
    """A list of headlines."""
    rows = "".join(f'<li><a href="{escape(x.url)}">{escape(x.title)}</a></li>' for x in links)
    return f'<ul class="{css}">{rows}</ul>'


def document(frame: Frame, *, title: str, head: str, main: str) -> bytes:
    """A whole page: ``main`` is the outlet's own markup, ``head`` its metas."""
    words = _WORDS[frame.language]
    footer = " | ".join(f'<a href="/{k}">{words[k]}</a>' for k in ("about", "guide", "ads", "career"))
    return f"""<!DOCTYPE html>
<html lang="{frame.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
{head}
{_SCRIPTS}
</head><body>
<noscript><iframe src="about:blank" height="0" width="0" style="display:none"></iframe></noscript>
<header class="site-header"><a class="logo" href="/">{escape(frame.name)}</a>
<form action="/search/"><input name="search" placeholder="{words["search"]}"></form><a href="/login">{words["login"]}</a>
<nav class="main-nav">{link_list(frame.menu, "menu")}</nav></header>
<div id="div-gpt-ad-billboard"><script>googletag.cmd.push(function(){{googletag.display('div-gpt-ad-billboard');}});</script></div>
<div class="wrapper"><main class="col-main">
{main}
</main>
<aside class="rail sidebar"><h3>{words["popular"]}</h3>{link_list(frame.popular, "most-popular")}
<div id="div-gpt-ad-rail" class="ads">ADVERTISEMENT</div><h3>{words["latest"]}</h3>{link_list(frame.latest, "latest-news")}</aside></div>
<footer class="site-footer"><p>{footer}</p><p>&copy; {escape(frame.name)}. {words["rights"]}</p></footer>
<div class="consent" role="dialog"><p>{words["cookie"]}</p><button>OK</button></div>
<script async src="/static/app.js"></script></body></html>
""".encode()


def meta(**names: str) -> str:
    """``<meta name=…>`` lines; two underscores stand for a colon and make it ``property=``."""
    out = []
    for name, value in names.items():
        attribute, key = ("property", name.replace("__", ":")) if "__" in name else ("name", name)
        out.append(f'<meta {attribute}="{key}" content="{escape(value)}">')
    return "\n".join(out)


def json_ld(data: dict[str, object]) -> str:
    """A JSON-LD block."""
    text = json.dumps({"@context": "https://schema.org", **data}, ensure_ascii=False, indent=1).replace("</", "<\\/")
    return f'<script type="application/ld+json">{text}</script>'
