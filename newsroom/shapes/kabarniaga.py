"""Kabarniaga: the shape of Kontan."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from html import escape

from newsroom import chance, chrome, dates, sitemaps
from newsroom.chrome import Link
from newsroom.rhythm import midnight
from newsroom.shapes.house import CONTENT_TYPES, House, SourceSpec, asked_number, fingerprint
from newsroom.story import Channel, Masthead, Story, Words
from newsroom.web import Page, Request, Shown

DOMAIN = "kabarniaga.test"
NBSP = "\u00a0"
PER_PAGE = 20
SITEMAP_DAYS = timedelta(days=2)

MASTHEAD = Masthead(
    id="kabarniaga",
    name="Kabarniaga",
    domain=DOMAIN,
    brand="KABARNIAGA.CO.ID",
    body_brand="Kabarniaga.co.id",
    per_day=240,
    reruns=0.03,
    duplicates=0.03,
    wire=0.12,
    channels=(
        Channel("nasional", f"nasional.{DOMAIN}", "politics", "Nasional", 2),
        Channel("keuangan", f"keuangan.{DOMAIN}", "economy", "Keuangan", 2),
        Channel("industri", f"industri.{DOMAIN}", "economy", "Industri", 2),
        Channel("investasi", f"investasi.{DOMAIN}", "markets", "Investasi", 3),
        Channel("internasional", f"internasional.{DOMAIN}", "international", "Internasional", 2),
    ),
)

#: Datelines and their relative frequency; {b} is the brand, {c} the place in capitals.
DATELINES = (
    ("<strong>{b} - {c}.</strong> ", 45),
    ("<strong>{b} -\u00a0{c}.</strong> ", 22),
    ("<strong>{b} -\u00a0 \u00a0 {c}.</strong> ", 5),
    ("<strong>{b} – {c}. </strong>", 11),
    ("<strong>{b}-{c}.</strong> ", 3),
    ("<strong>{b}- {c}.</strong> ", 1),
    ("<strong>{b} -{c}.</strong> ", 1),
    ("<strong>{b} - </strong><strong>{c}</strong><strong> . </strong>", 2),
    ("<strong>{b}\u00a0 {c}.</strong> ", 2),
    ("<strong>{b} - </strong>", 7),
    ("<strong>{c}.</strong> ", 1),
)
_TICKER = re.compile(r"\(([A-Z]{4})\)")


def is_paged(story: Story, words: Words) -> bool:
    """Whether the outlet spreads the story over two pages."""
    return len(words.paragraphs) >= 7 and chance.share(story.seed, "pages") < 0.25


class Kabarniaga(House):
    """Channels on hosts of their own, RSS of 25, news sitemaps with CDATA, an index by offset."""

    robots = (
        "User-agent: *\nAllow: /\nDisallow: /search/*\nAllow: /search/indeks\n\nUser-agent: GPTBot\nDisallow: /\n\n"
        "Sitemap: {home}/sitemap.xml\n"
    )
    sources = (
        *(
            SourceSpec(name=c.slug, kind="feed", host=c.host, path="/rss", format="rss", limit=25, channel=c.slug)
            for c in MASTHEAD.channels
        ),
        SourceSpec(name="sitemap", kind="sitemap", host=f"www.{DOMAIN}", path="/sitemap.xml", keeps=SITEMAP_DAYS),
        SourceSpec(name="indeks", kind="listing", host=f"www.{DOMAIN}", path="/search/indeks"),
    )

    @classmethod
    def masthead_of(cls) -> Masthead:
        """Who publishes here."""
        return MASTHEAD

    def url(self, story: Story) -> str:
        """``http://<channel>.kabarniaga.test/news/<slug>``: no number, no date."""
        return self.addresses.url(story.channel.host, f"/news/{self.desk.slug(story)}")

    def aliases(self, story: Story) -> tuple[str, ...]:
        """The slug on every channel's host and on amp., and all pages at once."""
        path = f"/news/{self.desk.slug(story)}"
        hosts = [c.host for c in self.masthead.channels if c.host != story.channel.host]
        others = [self.addresses.url(host, path) for host in [*hosts, self.home, f"amp.{DOMAIN}"]]
        return (self.url(story) + "?page=all", *others)

    def page(self, request: Request) -> Shown:
        """Articles, sitemaps and the index."""
        path = request.path
        if path.startswith("/news/"):
            amp = request.host.startswith("amp.")
            page = request.query.get("page", "1")
            return self.article(
                request,
                self.desk.by_slug(path.removeprefix("/news/"), request.now),
                lambda s, w, at: self._amp(s, w) if amp else self._article(s, w, at, page),
            )
        if path.startswith("/search/indeks"):
            return self._index(request)
        return self._sitemap(request) if path.startswith("/sitemap") else None

    # -- articles

    def _dateline(self, story: Story, words: Words) -> str:
        forms, weights = zip(*DATELINES, strict=True)
        form: str = chance.dice(story.seed, "dateline").choices(forms, weights)[0]
        return form.format(b=self.masthead.brand, c=words.place.upper())

    def _byline(self, words: Words) -> str:
        if words.agency:
            return f"Sumber: {words.agency} | Editor: {words.editor}"
        return f"Reporter: {', '.join(words.authors)} | Editor: {words.editor}"

    def _article(self, story: Story, words: Words, updated: datetime, page: str) -> tuple[str, str, str]:
        related = self.related(story, 6)
        rng = chance.dice(story.seed, "markup")
        blocks = self._blocks(story, words, related)
        split = len(blocks) // 2 if is_paged(story, words) else 0
        pager = ""
        if split and page != "all":
            links = "".join(f'<a href="?page={n}">{n}</a>' for n in ("1", "2", "all"))
            pager = f'<div class="pagination"><span>Halaman</span> {links}</div>'
            blocks = blocks[split:] if page == "2" else blocks[:split]
        byline_first = rng.random() < 0.66 or bool(words.agency)
        first = f"<p>{self._byline(words)}</p>" if byline_first and page != "2" else ""
        last = "" if byline_first else f"<p>Editor: {words.editor}</p>"
        gnews = '<p><a class="track-gnews" href="#">Cek Berita dan Artikel yang lain di Google News</a></p>'
        tags = "".join(f'<li><a href="/tag/{t.lower().replace(" ", "-")}">{escape(t)}</a></li>' for t in words.tags)
        main = f"""<div class="breadcumb fs18"><a href="/">{story.channel.label.upper()}</a> / <a href="/rubrik/{len(words.tags)}/Umum">UMUM</a></div>
<h1 class="detail-desk">{escape(words.title)}</h1>
<div class="fs14 ff-opensans font-gray">{dates.long_date(story.published)} / {dates.clock_time(story.published)} WIB</div>
<div class="img-detail-desk"><img src="{self.image(story)}" alt=""><div class="caption">ILUSTRASI. {escape(words.caption)}</div></div>
<div class="tmpt-desk-kon" itemprop="articleBody">
{first}
{"".join(blocks)}
{last}
{gnews if rng.random() < 0.6 else ""}
<script>googletag.cmd.push(function() {{ googletag.display('div-gpt-ad-inarticle'); }});</script>
<!-- pagination end -->
{pager}
<div class="tags-related"><h3>TAG TERKAIT</h3><ul>{tags}</ul></div>
</div>
<div class="berita-terkait"><h3>Berita Terkait</h3>{chrome.link_list(related, "list-terkait")}</div>
<div class="indeks-berita"><h3>INDEKS BERITA</h3></div>"""
        head = (
            chrome.meta(
                description=words.summary,
                content_PublishedDate=dates.naive(story.published),
                content_editor=words.editor,
                og__title=words.title,
                og__url=self.url(story),
                og__type="article",
                og__image=self.image(story),
            )
            + f'\n<link rel="canonical" href="{self.url(story)}"><link rel="amphtml" href="{self.addresses.url("amp." + DOMAIN, "/news/" + self.desk.slug(story))}">'
        )
        if rng.random() < 0.5:
            head += chrome.json_ld(
                {
                    "@type": "NewsArticle",
                    "headline": words.title,
                    "datePublished": dates.iso_wib(story.published),
                    "dateModified": dates.iso_wib(updated),
                    "mainEntityOfPage": self.url(story),
                    "image": [self.image(story)],
                    "author": [{"@type": "Person", "name": a} for a in words.authors],
                    "publisher": {"@type": "Organization", "name": self.masthead.name},
                }
            )
        return words.title, head, main

    def _blocks(self, story: Story, words: Words, related: Sequence[Link]) -> list[str]:
        rng = chance.dice(story.seed, "noise")
        subheads = dict(words.subheads)
        spots = rng.sample(range(1, len(words.paragraphs)), min(2, len(words.paragraphs) - 1, len(related)))
        links = dict(zip(spots, related, strict=False))
        nbsp = rng.random() < 0.43
        out = []
        for at, paragraph in enumerate(words.paragraphs):
            if at in subheads:
                out.append(f"<h2>{escape(subheads[at])}</h2>\n")
            html = _TICKER.sub(r'(<a href="/tag/\1">\1</a>)', escape(paragraph), count=1)
            if nbsp and rng.random() < 0.4:
                html = html.replace(", ", f",{NBSP}", 1) + f"{NBSP} "
            out.append(f"<p>{self._dateline(story, words) if at == 0 else ''}{html}</p>\n")
            if at in links:
                x = links[at]
                out.append(
                    f'<p><strong>Baca Juga: <a class="track-bacajuga-inside" href="{escape(x.url)}">{escape(x.title)}</a></strong></p>\n'
                )
        if rng.random() < 0.15 and len(related) > 3:
            label = rng.choice(("Selanjutnya", "Menarik Dibaca"))
            out.append(
                f'<h2>{label}: <a class="track-lanjut" href="{escape(related[3].url)}">{escape(related[3].title)}</a></h2>\n'
            )
        return out

    def _amp(self, story: Story, words: Words) -> tuple[str, str, str]:
        blocks = "".join(self._blocks(story, words, []))
        more = f"<p>Halaman Selanjutnya: {escape(words.paragraphs[0])}</p>" if is_paged(story, words) else ""
        main = f'<article class="amp"><h1>{escape(words.title)}</h1><div class="ctn">{blocks}{more}<p>Editor: {words.editor}</p></div></article>'
        return (
            words.title,
            f'<link rel="canonical" href="{self.url(story)}"><script async src="https://cdn.ampproject.test/v0.js"></script>',
            main,
        )

    # -- index and sitemaps

    def _index(self, request: Request) -> Page:
        query, now = request.query, request.now
        try:
            day = date(int(query["tahun"]), int(query["bulan"]), int(query["tanggal"]))
        except (KeyError, ValueError):
            day = (now + timedelta(hours=7)).date()
        stories = self.day_list(day, now, query.get("kanal"))
        offset = asked_number(query.get("per_page"), 0)
        shown = stories[offset : offset + PER_PAGE]

        def render() -> tuple[str, str, str]:
            rows = "\n".join(self._row(s, at, now) for at, s in enumerate(shown, offset))
            pages = "".join(
                f'<li><a href="/search/indeks?kanal={query.get("kanal", "")}&amp;tanggal={day.day}&amp;bulan={day.month}&amp;tahun={day.year}'
                f'&amp;pos=indeks&amp;per_page={start}">{start // PER_PAGE + 1}</a></li>'
                for start in range(0, len(stories), PER_PAGE)
            )
            side = chrome.link_list(self.frame(now).popular[:10], "side-a") + chrome.link_list(
                self.frame(now).latest[:8], "side-b"
            )
            return (
                "Indeks Berita",
                "",
                f'<div class="list-berita"><ul>{rows}</ul></div><ul class="cd-pagination">{pages}</ul><div class="sidebar-right">{side}</div>',
            )

        version = fingerprint(
            [
                str(day),
                str(offset),
                *(f"{s.number}@{self.desk.updated(s, now).timestamp()}" for s in shown),
                str(len(stories)),
            ]
        )
        return self.html(now, version, shown[0].published if shown else midnight(day), render)

    def _row(self, story: Story, at: int, now: datetime) -> str:
        url = self.url(story).removeprefix("http:") if at % 3 else self.url(story)
        when = f"{dates.long_date(story.published)} / {dates.clock_time(story.published)} WIB"
        return (
            f'<li data-offset="{at}"><div class="pic"><img data-src="{self.image(story)}"></div><div class="ket"><h1><a href="{url}">'
            f'{escape(self.desk.title(story, now))}</a></h1><a class="linkto-orange" href="/">{story.channel.label}</a>'
            f'<span class="font-gray"> | {when}</span></div></li>'
        )

    def _sitemap(self, request: Request) -> Shown:
        now = request.now
        if request.path == "/sitemap.xml":
            children = []
            for n, c in enumerate(self.masthead.channels):
                newest = self.desk.latest(now, 1, c.slug)
                end = ".xml.gz" if n == 0 else ".xml"
                at = newest[0].published if newest else midnight(self.desk.opened)
                children.append(sitemaps.Location(self.addresses.url(self.home, f"/sitemap-news-{c.slug}{end}"), at))
            version = fingerprint(f"{c.url}{c.modified}" for c in children)
            return Page(
                CONTENT_TYPES["xml"],
                version,
                max(c.modified for c in children),
                lambda: sitemaps.index(children, cdata=True),
            )
        name = request.path.removeprefix("/sitemap-news-")
        packed = name.endswith(".gz")
        slug = name.removesuffix(".gz").removesuffix(".xml")
        if slug not in {c.slug for c in self.masthead.channels}:
            return None
        stories = self.recent(now, SITEMAP_DAYS, slug)
        marks = [(s, self.desk.updated(s, now)) for s in stories]

        def render() -> bytes:
            places = [
                sitemaps.Location(self.url(s), at, s.published, self.desk.title(s, now), (s.channel.label,))
                for s, at in marks
            ]
            raw = sitemaps.news(places, self.masthead.name, "id", cdata=True)
            return gzip.compress(raw, mtime=0) if packed else raw

        version = fingerprint(f"{s.number}@{at.timestamp()}" for s, at in marks)
        newest_at = self.changed((at for _, at in marks), now)
        return Page(CONTENT_TYPES["gz" if packed else "xml"], version, newest_at, render)
