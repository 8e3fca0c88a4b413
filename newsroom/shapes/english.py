"""The Archipelago Post: an English outlet with Atom, JSON Feed and JSON-LD."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from html import escape

from newsroom import chrome, dates, feeds
from newsroom.clock import WIB
from newsroom.shapes.house import House, SourceSpec
from newsroom.story import Channel, Masthead, Story, Words
from newsroom.web import Request, Shown

DOMAIN = "archipelagopost.test"

MASTHEAD = Masthead(
    id="archipelagopost",
    name="The Archipelago Post",
    domain=DOMAIN,
    brand="The Archipelago Post",
    body_brand="The Archipelago Post",
    per_day=60,
    language="en",
    channels=(
        Channel("business", f"www.{DOMAIN}", "english", "Business", 2),
        Channel("national", f"www.{DOMAIN}", "english", "National", 1),
    ),
)


class ArchipelagoPost(House):
    """Addresses by date and slug; Atom entries with tag: identifiers."""

    robots = "User-agent: *\nDisallow: /account\nRequest-rate: 1/1\n"
    sources = (
        SourceSpec(name="atom", kind="feed", host=f"www.{DOMAIN}", path="/feed.atom", format="atom", limit=30),
        SourceSpec(
            name="business",
            kind="feed",
            host=f"www.{DOMAIN}",
            path="/business.json",
            format="json",
            limit=30,
            channel="business",
        ),
    )

    @classmethod
    def masthead_of(cls) -> Masthead:
        """Who publishes here."""
        return MASTHEAD

    def url(self, story: Story) -> str:
        """``/<channel>/YYYY/MM/DD/<slug>.html``."""
        day = story.published.astimezone(WIB).strftime("%Y/%m/%d")
        return self.addresses.url(self.home, f"/{story.channel.slug}/{day}/{self.desk.slug(story)}.html")

    def entry(self, story: Story, updated: datetime, now: datetime) -> feeds.Entry:
        """Entries are named by tag: URIs (RFC 4151), not by their addresses, and carry the author."""
        entry = super().entry(story, updated, now)
        authors = self.desk.words(story, now).authors
        return replace(
            entry, guid=f"tag:{DOMAIN},2020:{story.number}", author=authors[0] if authors else None, image=None
        )

    def page(self, request: Request) -> Shown:
        """Articles."""
        if not request.path.endswith(".html"):
            return None
        slug = request.path.rsplit("/", 1)[1].removesuffix(".html")
        return self.article(request, self.desk.by_slug(slug, request.now), self._article)

    def _article(self, story: Story, words: Words, updated: datetime) -> tuple[str, str, str]:
        related = self.related(story, 4)
        blocks = [f"<p>{escape(p)}</p>" for p in words.paragraphs]
        for n, heading in words.subheads:
            blocks[n] = f"<h2>{escape(heading)}</h2>{blocks[n]}"
        blocks[0] = f"<p><b>{words.place.upper()}</b> — {escape(words.paragraphs[0])}</p>"
        if len(blocks) > 3:
            blocks[2] += '<aside class="newsletter"><p>Sign up for our morning briefing.</p></aside>'
        by = " and ".join(words.authors)
        main = f"""<article><header><h1 class="headline">{escape(words.title)}</h1><p class="byline">By {escape(by)}</p>
<time datetime="{dates.iso_wib(story.published)}">{story.published.astimezone(WIB):%B %d, %Y, %I:%M %p} WIB</time></header>
<figure><img src="{self.image(story)}"><figcaption>{escape(words.caption)}</figcaption></figure>
<div class="article-body">{"".join(blocks)}<p class="editor">Editing by {escape(words.editor)}</p></div></article>
<section class="more"><h3>Read more</h3>{chrome.link_list(related, "more")}</section>"""
        head = (
            chrome.meta(
                description=words.summary, og__title=f"{words.title} - {self.masthead.name}", og__url=self.url(story)
            )
            + chrome.json_ld(
                {
                    "@type": "NewsArticle",
                    "headline": words.title,
                    "datePublished": dates.iso_wib(story.published),
                    "dateModified": dates.iso_wib(updated),
                    "author": [{"@type": "Person", "name": a} for a in words.authors],
                    "articleSection": story.channel.label,
                    "inLanguage": "en",
                    "publisher": {"@type": "NewsMediaOrganization", "name": self.masthead.name},
                    "mainEntityOfPage": self.url(story),
                    "image": self.image(story),
                    "keywords": list(words.tags),
                }
            )
            + f'<link rel="canonical" href="{self.url(story)}">'
        )
        return f"{words.title} | {self.masthead.name}", head, main
