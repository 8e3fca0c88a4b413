"""Lintasmenit: the shape of Detik."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape

from newsroom import chance, chrome, dates
from newsroom.clock import WIB
from newsroom.shapes.house import House, SourceSpec, asked_day, asked_number, fingerprint
from newsroom.story import Channel, Masthead, Story, Words
from newsroom.web import Page, Request, Shown

DOMAIN = "lintasmenit.test"
_NUMBER = re.compile(r"/d-(\d+)/")

MASTHEAD = Masthead(
    id="lintasmenit",
    name="lintasmenit",
    domain=DOMAIN,
    brand="lintasmenit",
    body_brand="lintasmenit",
    per_day=420,
    wire=0.06,
    channels=(
        Channel("berita", f"news.{DOMAIN}", "politics", "lintasNews", 3),
        Channel("finansial", f"finance.{DOMAIN}", "markets", "lintasFinance", 2),
        Channel("internasional", f"news.{DOMAIN}", "international", "lintasNews", 1),
    ),
)

_AD = """<!--s:parallaxindetail--><div class="clearfix"></div><style>@import url("/static/scrollpage.css");</style>
<div class="parallaxindetail scrollpage"><p class="para_caption">ADVERTISEMENT</p><div class="ads-scrollpage-container"><div id="div-gpt-ad-1-0"><script>
googletag.cmd.push(function() { googletag.display('div-gpt-ad-1-0'); });</script></div></div>
<p class="para_caption">SCROLL TO CONTINUE WITH CONTENT</p></div><!--e:parallaxindetail-->"""


class Lintasmenit(House):
    """RSS of 100, numbers in the addresses, a meta date with a false Z, advertisements inside the body."""

    robots = "User-agent: *\nCrawl-delay: 1\nDisallow: /search/*\nDisallow: /komentar\n\nSitemap: {home}/sitemap.xml\n"
    sources = (
        SourceSpec(
            name="berita", kind="feed", host=f"news.{DOMAIN}", path="/rss", format="rss", limit=100, channel="berita"
        ),
        SourceSpec(
            name="finansial",
            kind="feed",
            host=f"finance.{DOMAIN}",
            path="/rss",
            format="rss",
            limit=100,
            channel="finansial",
        ),
        SourceSpec(name="indeks", kind="listing", host=f"news.{DOMAIN}", path="/indeks", own_host_only=True),
    )

    @classmethod
    def masthead_of(cls) -> Masthead:
        """Who publishes here."""
        return MASTHEAD

    def url(self, story: Story) -> str:
        """``http://news.lintasmenit.test/berita/d-<number>/<slug>``."""
        return self.addresses.url(story.channel.host, f"/{story.channel.slug}/d-{story.number}/{self.desk.slug(story)}")

    def aliases(self, story: Story) -> tuple[str, ...]:
        """The single-page form, and the AMP path."""
        url = self.url(story)
        return (f"{url}?single=1", f"{url}/amp")

    def page(self, request: Request) -> Shown:
        """Articles and the index."""
        found = _NUMBER.search(request.path)
        if found:
            number = int(found[1]) if len(found[1]) < 12 else 0
            single = request.query.get("single") == "1"
            return self.article(
                request, self.desk.by_number(number, request.now), lambda s, w, at: self._article(s, w, at, single)
            )
        return self._index(request) if request.path == "/indeks" else None

    def _article(self, story: Story, words: Words, updated: datetime, single: bool) -> tuple[str, str, str]:
        rng = chance.dice(story.seed, "markup")
        related = self.related(story, 5)
        at = dates.iso_wib(story.published)
        false_z = story.published.astimezone(WIB).strftime("%Y-%m-%dT%H-%M-%SZ")
        author = words.authors[0] if words.authors else (words.agency or "Tim lintasmenit")
        blocks = [f"<p>{escape(p)}</p>" for p in words.paragraphs]
        for n, heading in words.subheads:
            blocks[n] = f"<h3>{escape(heading)}</h3>{blocks[n]}"
        if len(blocks) > 4:
            blocks[2] += _AD
            blocks[4] += (
                '<table class="linksisip"><tbody><tr><td><div class="lihatjg"><strong>Baca juga: </strong>'
                f'<a href="{escape(related[0].url)}">{escape(related[0].title)}</a></div></td></tr></tbody></table>'
                if related
                else ""
            )
        if rng.random() < 0.3:
            blocks.append(
                f'<p>Simak Video "<strong>{escape(words.tags[0])}</strong>":</p><p>[Gambas:Video 20lintas]</p>'
            )
        initials = f"({author[:3].lower()}/{words.editor[:3].lower()})"
        tags = "".join(f'<a href="/tag/{t.replace(" ", "-")}">{escape(t)}</a>' for t in words.tags)
        if words.agency:
            blocks.append(f"<p>Artikel ini bersumber dari {words.agency}.</p>")
        more = "" if single else '<div class="detail__anchor"><a href="?single=1">Tampilkan semua</a></div>'
        main = f"""<article class="detail"><div class="detail__header"><h1 class="detail__title">
 {escape(words.title)}
</h1><div class="detail__author">{escape(author)} - <span class="detail__label">{story.channel.label}</span></div>
<div class="detail__date">{dates.short_date(story.published)} {dates.clock_time(story.published)} WIB</div></div>
<div class="detail__media"><figure class="detail__media-image"><img src="{self.image(story)}"><figcaption class="detail__media-caption">{escape(words.caption)} (Foto: {escape(words.editor)}/{self.masthead.name})</figcaption></figure></div>
<div class="detail__body itp_bodycontent_wrapper"><div class="detail__body-text itp_bodycontent">
<strong>{words.place}</strong> -
{"".join(blocks)}
<strong>{initials}</strong>
<div class="detail__body-tag mgt-16">{tags}</div></div></div>{more}</article>
<div class="list-berita-terkait">{chrome.link_list(related, "terkait")}</div>"""
        head = (
            chrome.meta(
                pubdate=false_z,
                publishdate=story.published.astimezone(WIB).strftime("%Y/%m/%d %H:%M:%S"),
                og__title=words.title,
                og__url=self.url(story),
                og__image=self.image(story),
                description=words.summary,
            )
            + f'<link rel="canonical" href="{self.url(story)}">'
            + chrome.json_ld(
                {
                    "@type": "NewsArticle",
                    "headline": words.title,
                    "datePublished": at,
                    "dateModified": dates.iso_wib(updated),
                    "author": {"@type": "Person", "name": author},
                    "publisher": {"@type": "Organization", "name": self.masthead.name},
                    "mainEntityOfPage": {"@type": "WebPage", "@id": self.url(story)},
                    "image": {"@type": "ImageObject", "url": self.image(story)},
                }
            )
        )
        return f"{words.title} - {story.channel.label}", head, main

    def _index(self, request: Request) -> Page:
        now = request.now
        day = asked_day(request.query.get("date"), now, "%m/%d/%Y")
        page = max(1, asked_number(request.query.get("page"), 1))
        here = [s for s in self.day_list(day, now) if s.channel.host == request.host]
        shown = here[(page - 1) * 20 : page * 20]

        def render() -> tuple[str, str, str]:
            rows = "".join(
                f'<article class="list-content__item"><h3 class="media__title"><a class="media__link" href="{self.url(s)}">{escape(self.desk.title(s, now))}</a></h3>'
                f'<div class="media__date"><span d-time="{int(s.published.timestamp())}" title="{dates.short_date(s.published)} {dates.clock_time(s.published)} WIB">'
                f"{dates.clock_time(s.published)}</span></div></article>"
                for s in shown
            )
            return "Indeks", "", f'<div class="list-content">{rows}</div><div class="pagination">{page}</div>'

        return self.html(
            now,
            fingerprint([str(day), str(page), *(s.key for s in shown)]),
            shown[0].published if shown else now,
            render,
        )
