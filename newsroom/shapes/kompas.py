"""Arahpena: the shape of Kompas."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import escape

from newsroom import chance, chrome, dates, sitemaps
from newsroom.clock import WIB
from newsroom.rhythm import midnight
from newsroom.shapes.house import CONTENT_TYPES, House, SourceSpec, asked_day, asked_number, fingerprint
from newsroom.story import Channel, Masthead, Story, Words
from newsroom.web import Page, Request, Shown

DOMAIN = "arahpena.test"
SITEMAP_DAYS = timedelta(days=2)
_READ = re.compile(r"^/read/\d{4}/\d\d/\d\d/(\d{6})(\d+)/")

MASTHEAD = Masthead(
    id="arahpena",
    name="ARAHPENA.com",
    domain=DOMAIN,
    brand="ARAHPENA.com",
    body_brand="Arahpena.com",
    per_day=300,
    wire=0.1,
    channels=(
        Channel("nasional", f"nasional.{DOMAIN}", "politics", "Nasional", 3),
        Channel("money", f"money.{DOMAIN}", "economy", "Money", 2),
        Channel("global", f"www.{DOMAIN}", "international", "Global", 1),
    ),
)


class Arahpena(House):
    """No feed: an index by day and a news sitemap; dates in UTC and in naive WIB on one page."""

    robots = (
        "User-Agent: *\nDisallow: /search/?q=\nDisallow: /komentar/*\nDisallow: /copy/*\nDisallow: *?utm_source=*\n"
        "Disallow: *?source=*\n\nSitemap: {home}/sitemap.xml\n"
    )
    sources = (
        SourceSpec(name="indeks", kind="listing", host=f"indeks.{DOMAIN}", path="/"),
        SourceSpec(name="sitemap", kind="sitemap", host=f"www.{DOMAIN}", path="/sitemap.xml", keeps=SITEMAP_DAYS),
    )

    @classmethod
    def masthead_of(cls) -> Masthead:
        """Who publishes here."""
        return MASTHEAD

    def url(self, story: Story) -> str:
        """``/read/YYYY/MM/DD/HHMMSS<number>/<slug>``, in WIB."""
        stamp = story.published.astimezone(WIB).strftime("%Y/%m/%d/%H%M%S")
        return self.addresses.url(story.channel.host, f"/read/{stamp}{story.number}/{self.desk.slug(story)}")

    def aliases(self, story: Story) -> tuple[str, ...]:
        """All pages at once."""
        return (f"{self.url(story)}?page=all",)

    def answer(self, request: Request) -> Shown:
        """The index has a host of its own."""
        if request.host.startswith("indeks.") and request.path == "/":
            return self._index(request)
        return super().answer(request)

    def page(self, request: Request) -> Shown:
        """Articles and sitemaps."""
        found = _READ.match(request.path)
        if found:
            number = int(found[2]) if len(found[2]) < 12 else 0
            page = request.query.get("page", "1")
            return self.article(
                request, self.desk.by_number(number, request.now), lambda s, w, at: self._article(s, w, page)
            )
        return self._sitemap(request)

    def _article(self, story: Story, words: Words, page: str) -> tuple[str, str, str]:
        related = self.related(story, 5)
        blocks = [f"<p>{escape(p)}</p>" for p in words.paragraphs]
        blocks[0] = (
            f"<p><strong>{words.place.upper()}, {self.masthead.brand} -</strong> {escape(words.paragraphs[0])}</p>"
        )
        for n, heading in words.subheads:
            blocks[n] = f"<h2>{escape(heading)}</h2>{blocks[n]}"
        for n, link in zip((2, 5), related, strict=False):
            if n < len(blocks):
                blocks[n] += (
                    '<span class="ads-on-body"><!-- (ads.paragraph) --></span>'
                    f'<p><strong>Baca juga: <a href="{escape(link.url)}" class="inner-link-baca-juga">{escape(link.title)}</a></strong></p>'
                )
        paging = ""
        if len(blocks) >= 8 and chance.share(story.seed, "pages") < 0.4 and page != "all":
            half = len(blocks) // 2
            links = "".join(
                f'<div class="paging__item"><a class="paging__link" href="{self.url(story)}?page={n}">{n}</a></div>'
                for n in (1, 2)
            )
            paging = (
                f'<div class="read__paging clearfix"><div class="paging__teaser">Halaman: </div>{links}'
                f'<a class="paging__link paging__link--show" href="{self.url(story)}?page=all">Show All</a></div>'
            )
            blocks = blocks[half:] if page == "2" else blocks[:half]
        if page != "1" or not paging:
            blocks.append(
                "<p>Dapatkan update <em>berita pilihan</em> dan <em>breaking news</em> setiap hari. Mari bergabung di Saluran WhatsApp "
                f"{self.masthead.brand}.</p>"
            )
        names = [*words.authors, words.editor] if words.authors else [words.agency or "", words.editor]
        credit = "".join(f"<h6>{escape(n)}{',' if i == 0 else ''}</h6>" for i, n in enumerate(names[-2:]))
        main = f"""<h1 class="read__title">{escape(words.title)}</h1><div class="read__header">
<div class="read__time"><a href="/">Arahpena.com</a> - {story.published.astimezone(WIB):%d/%m/%Y}, {dates.clock_time(story.published)} WIB</div>
<div class="credit"><div class="credit-title-name">{credit}</div><p>Tim Redaksi</p></div></div>
<div class="photo"><img src="{self.image(story)}"><div class="photo__caption">{escape(words.caption)}</div></div>
<div class="read__content"><div class="clearfix">{" ".join(blocks)}</div></div>{paging}
<div class="komentar"><p>Kirimkan komentar Anda</p></div>
<div class="read__tagging"><ul class="tag__article__wrap">{"".join(f'<li class="tag__article__item"><a href="/tag/{t}">{escape(t)}</a></li>' for t in words.tags)}</ul></div>
<div class="read__related">{chrome.link_list(related, "related")}</div>"""
        head = (
            chrome.meta(
                content_author=", ".join(words.authors),
                content_editor=words.editor,
                content_PublishedDate=dates.naive(story.published),
                content_category=story.channel.label,
                content_tags=", ".join(words.tags),
                og__title=words.title,
                og__url=self.url(story),
                og__image=self.image(story),
                description=words.summary,
                article__published_time=story.published.astimezone(UTC).isoformat(timespec="seconds"),
            )
            + f'<link rel="canonical" href="{self.url(story)}">'
        )
        return f"{words.title} Halaman all - {self.masthead.brand}" if page == "all" else words.title, head, main

    def _index(self, request: Request) -> Page:
        now = request.now
        day = asked_day(request.query.get("date"), now, "%Y-%m-%d")
        page = max(1, asked_number(request.query.get("page"), 1))
        site = request.query.get("site", "")
        stories = self.day_list(day, now, None if site in ("", "all") else site)
        shown = stories[(page - 1) * 20 : page * 20]

        def render() -> tuple[str, str, str]:
            rows = "".join(
                f'<div class="articleItem"><a class="article-link" href="{self.url(s)}"><h2 class="articleTitle">{escape(self.desk.title(s, now))}</h2>'
                f'<div class="articlePost-date">{s.published.astimezone(WIB):%d/%m/%Y}, {dates.clock_time(s.published)} WIB</div></a></div>'
                for s in shown
            )
            return (
                "Indeks Berita",
                "",
                f'<div class="articleList -list">{rows}</div><div class="paging">{page} / {-(-len(stories) // 20)}</div>',
            )

        version = fingerprint([str(day), str(page), site, *(s.key for s in shown), str(len(stories))])
        return self.html(now, version, shown[0].published if shown else midnight(day), render)

    def _sitemap(self, request: Request) -> Shown:
        now = request.now
        if request.path == "/sitemap.xml":
            newest = self.desk.latest(now, 1)
            at: datetime = newest[0].published if newest else midnight(self.desk.opened)
            child = sitemaps.Location(self.addresses.url(self.home, "/news/sitemap.xml"), at)
            return Page(CONTENT_TYPES["xml"], str(at), at, lambda: sitemaps.index([child]))
        if request.path != "/news/sitemap.xml":
            return None
        marks = [(s, self.desk.updated(s, now)) for s in self.recent(now, SITEMAP_DAYS)]

        def render() -> bytes:
            places = [
                sitemaps.Location(self.url(s), at, s.published, self.desk.title(s, now), (s.channel.label,))
                for s, at in marks
            ]
            return sitemaps.news(places, self.masthead.name, "id")

        newest_at = self.changed((at for _, at in marks), now)
        return Page(
            CONTENT_TYPES["xml"], fingerprint(f"{s.number}@{at.timestamp()}" for s, at in marks), newest_at, render
        )
