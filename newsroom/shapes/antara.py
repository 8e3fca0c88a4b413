"""Kantorberita: the shape of Antara, the agency that others copy."""

from __future__ import annotations

import re
from html import escape

from newsroom import chrome, dates
from newsroom.clock import WIB
from newsroom.shapes.house import House, SourceSpec, asked_number, fingerprint
from newsroom.story import Channel, Masthead, Story, Words
from newsroom.web import Page, Request, Shown

DOMAIN = "kantorberita.test"
_NUMBER = re.compile(r"^/berita/(\d{1,11})/")

MASTHEAD = Masthead(
    id="kantorberita",
    name="KANTORBERITA",
    domain=DOMAIN,
    brand="KANTORBERITA",
    body_brand="Kantorberita",
    per_day=320,
    channels=(
        Channel("nusantara", f"www.{DOMAIN}", "politics", "Nusantara", 2),
        Channel("ekonomi", f"www.{DOMAIN}", "economy", "Ekonomi", 2),
        Channel("bursa", f"www.{DOMAIN}", "markets", "Bursa", 1),
        Channel("dunia", f"www.{DOMAIN}", "international", "Dunia", 2),
    ),
)


class Kantorberita(House):
    """RSS of 50 over everything, and Atom for economy; bodies split by line breaks."""

    robots = "User-agent: *\nDisallow: /print/\nDisallow: /*?utm_\n"
    sources = (
        SourceSpec(name="terkini", kind="feed", host=f"www.{DOMAIN}", path="/rss/terkini.xml", format="rss", limit=50),
        SourceSpec(
            name="ekonomi",
            kind="feed",
            host=f"www.{DOMAIN}",
            path="/atom/ekonomi.xml",
            format="atom",
            limit=50,
            channel="ekonomi",
        ),
        SourceSpec(name="halaman", kind="listing", host=f"www.{DOMAIN}", path="/terkini"),
    )

    @classmethod
    def masthead_of(cls) -> Masthead:
        """Who publishes here."""
        return MASTHEAD

    def url(self, story: Story) -> str:
        """``/berita/<number>/<slug>``."""
        return self.addresses.url(self.home, f"/berita/{story.number}/{self.desk.slug(story)}")

    def aliases(self, story: Story) -> tuple[str, ...]:
        """The mobile host."""
        return (self.addresses.url(f"m.{DOMAIN}", f"/berita/{story.number}/{self.desk.slug(story)}"),)

    def page(self, request: Request) -> Shown:
        """Articles and the list of the latest."""
        found = _NUMBER.match(request.path)
        if found:
            return self.article(
                request, self.desk.by_number(int(found[1]), request.now), lambda s, w, at: self._article(s, w)
            )
        return self._list(request) if request.path == "/terkini" else None

    def _article(self, story: Story, words: Words) -> tuple[str, str, str]:
        related = self.related(story, 4)
        paragraphs = list(words.paragraphs)
        subheads = dict(words.subheads)
        lead = f"{words.place} ({self.masthead.brand}) - "
        text = "<br /><br />\n".join(
            (f"<b>{escape(subheads[at])}</b><br /><br />\n" if at in subheads else "")
            + (lead if at == 0 else "")
            + escape(p)
            for at, p in enumerate(paragraphs)
        )
        year = story.published.astimezone(WIB).year
        tail = f'<p class="text-muted small mt10">Pewarta: {", ".join(words.authors)}<br />Editor: {words.editor}<br />Copyright &copy; {self.masthead.brand} {year}</p>'
        main = f"""<div class="wrap__article-detail" itemscope itemtype="http://schema.org/NewsArticle">
<div class="wrap__article-detail-title"><h1>{escape(words.title)}</h1></div>
<div class="wrap__article-detail-info"><span class="date"><i class="fa fa-clock-o"></i> {dates.long_date(story.published)} {dates.clock_time(story.published)} WIB</span></div>
<div class="wrap__article-detail-image"><figure><img src="{self.image(story)}"><figcaption>{escape(words.caption)} ({self.masthead.brand}/{escape(words.editor)})</figcaption></figure></div>
<div class="wrap__article-detail-content post-content">
{text}
<span class="baca-juga"><b>Baca juga: <a href="{escape(related[0].url) if related else "/"}">{escape(related[0].title) if related else ""}</a></b></span>
{tail}</div></div>
<div class="related">{chrome.link_list(related, "related")}</div>"""
        head = chrome.meta(
            description=words.summary, og__title=words.title, og__url=self.url(story), og__image=self.image(story)
        )
        head += f'<link rel="canonical" href="{self.url(story)}">'
        return f"{words.title} - {self.masthead.name}", head, main

    def _list(self, request: Request) -> Page:
        now = request.now
        page = max(1, min(100, asked_number(request.query.get("page"), 1)))
        shown = self.desk.latest(now, page * 15)[(page - 1) * 15 :]

        def render() -> tuple[str, str, str]:
            rows = "".join(
                f'<div class="card__post"><h2 class="post_title"><a href="{self.url(s)}">{escape(self.desk.title(s, now))}</a></h2>'
                f"<span>{max(0, int((now - s.published).total_seconds() // 60))} menit lalu</span></div>"
                for s in shown
            )
            return "Terkini", "", f'<div class="wrapper__list__article">{rows}</div>'

        version = fingerprint([str(page), f"{now:%Y%m%d%H%M}", *(s.key for s in shown)])
        return self.html(now, version, now.replace(second=0, microsecond=0), render)
