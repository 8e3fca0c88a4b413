"""From values to HTML: the templates, with everything escaped and nothing inline."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from monitor.web import show
from monitor.web.guard import Guard
from monitor.web.site import Site

HERE = Path(__file__).parent

#: Address and name of what the navigation shows.
NAVIGATION = (
    ("/", "Overview"), ("/sources", "Sources"), ("/runs", "Runs"), ("/items", "Items"), ("/articles", "Articles"),
    ("/deliveries", "Deliveries"), ("/alerts", "Alerts"), ("/logs", "Logs"), ("/config", "Config"), ("/about", "About"),
)  # fmt: skip

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(
    plain=show.plain, plain_lines=show.plain_lines, span=show.span, count=show.count, size=show.size,
    moment=show.moment_text, out=show.link, breakable=show.breakable, value=show.value,
)  # fmt: skip
_ENVIRONMENT.globals.update(bar=show.bar, heat=show.heat, navigation=NAVIGATION)


def site_of(request: Request) -> Site:
    """The site a request is for."""
    site: Site = request.app.state.site
    return site


def fragment(request: Request, template: str, now: datetime, **values: Any) -> str:
    """A rendered template."""
    guard: Guard = request.state.guard
    site = site_of(request)
    return _ENVIRONMENT.get_template(template).render(
        now=now,
        path=request.url.path,
        csrf=guard.csrf(request.state.session),
        asks=guard.asks,
        admitted=guard.admits(request),
        read_only=site.monitor.read_only,
        ago=lambda moment: show.ago(moment, now),
        query=lambda **wanted: "?" + urlencode({k: v for k, v in wanted.items() if v not in (None, "")}),
        **values,
    )


def page(request: Request, template: str, now: datetime, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page."""
    return HTMLResponse(fragment(request, template, now, **values), status_code=status)


def lost(request: Request, what: str) -> HTMLResponse:
    """There is no such thing."""
    now = site_of(request).now()
    return page(request, "message.html", now, status=404, title="Not found", message=what)
