from datetime import datetime

from crawlers.extract import extract as page


def _iso(e):
    for c in e.dates:
        if c.role == "published":
            try:
                return datetime.fromisoformat(c.text.replace("Z", "+00:00")).isoformat()
            except ValueError:
                continue
    return None


def extract(url: str, html: str):
    e = page(html, url)
    return {
        "text": "\n\n".join(b.text for b in e.blocks),
        "title": e.title, "authors": list(e.authors), "date": _iso(e),
        "image": e.images[0].url if e.images else None, "language": e.language, "section": e.section,
    }
