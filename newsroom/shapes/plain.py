"""A plain article page in semantic HTML, for outlets whose feeds are what is special."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape

from newsroom import chrome, dates
from newsroom.shapes.house import House
from newsroom.story import Story, Words
from newsroom.web import Request, Shown

_NUMBER = re.compile(r"^/berita/(\d{1,11})(?:/|$)")


class PlainHouse(House):
    """Articles at ``/berita/<number>/<slug>`` on the home host."""

    def url(self, story: Story) -> str:
        """``/berita/<number>/<slug>``."""
        return self.addresses.url(self.home, f"/berita/{story.number}/{self.desk.slug(story)}")

    def page(self, request: Request) -> Shown:
        """Articles."""
        found = _NUMBER.match(request.path)
        return self.article(request, self.desk.by_number(int(found[1]), request.now), self._article) if found else None

    def _article(self, story: Story, words: Words, updated: datetime) -> tuple[str, str, str]:
        blocks = [f"<p>{escape(p)}</p>" for p in words.paragraphs]
        for n, heading in words.subheads:
            blocks[n] = f"<h2>{escape(heading)}</h2>{blocks[n]}"
        author = ", ".join(words.authors) or words.agency or self.masthead.name
        main = f"""<article><h1>{escape(words.title)}</h1><p class="author">{escape(author)}</p>
<time datetime="{dates.iso_wib(story.published)}">{dates.long_date(story.published)} {dates.clock_time(story.published, ".")} WIB</time>
<div class="entry-content">{"".join(blocks)}</div></article>
<section class="related">{chrome.link_list(self.related(story, 3), "related")}</section>"""
        head = (
            chrome.meta(
                og__title=words.title,
                og__url=self.url(story),
                article__published_time=dates.iso_wib(story.published),
                article__modified_time=dates.iso_wib(updated),
                author=author,
                description=words.summary,
            )
            + f'<link rel="canonical" href="{self.url(story)}">'
        )
        return f"{words.title} - {self.masthead.name}", head, main
