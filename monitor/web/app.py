"""The application: every address and what answers it."""

from __future__ import annotations

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from monitor.web import live
from monitor.web.face import HERE, page, site_of
from monitor.web.guard import Guard, GuardMiddleware
from monitor.web.pages import about, alerts, articles, door, items, logs, overview, runs, signs, source, sources
from monitor.web.site import Site
from storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)


def routes() -> list[Route | Mount]:
    """The router table."""
    return [
        Route("/", overview.overview),
        Route("/overview/chart.json", overview.chart),
        Route("/sources", sources.sources, methods=["GET"]),
        Route("/sources", sources.act, methods=["POST"]),
        Route("/sources/{outlet}/{name}", source.source),
        Route("/runs", runs.runs),
        Route("/runs/{id}", runs.run),
        Route("/items", items.items),
        Route("/articles", articles.articles),
        Route("/articles/{id}", articles.article),
        Route("/articles/{id}/original", articles.original),
        Route("/deliveries", about.deliveries),
        Route("/alerts", alerts.alerts, methods=["GET"]),
        Route("/alerts", alerts.act, methods=["POST"]),
        Route("/alerts/{id:int}", alerts.incident),
        Route("/logs", logs.logs),
        Route("/config", about.config),
        Route("/about", about.about),
        Route("/live/overview", live.overview_live),
        Route("/live/runs", live.runs_live),
        Route("/live/logs", live.logs_live),
        Route("/login", door.login, methods=["GET"]),
        Route("/login", door.enter, methods=["POST"]),
        Route("/logout", door.leave, methods=["POST"]),
        Route("/healthz", signs.alive),
        Route("/readyz", signs.ready),
        Route("/metrics", signs.metrics),
        Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
    ]


def create(site: Site) -> Starlette:
    """The application over a site. Raises PasswordRequiredError when it would be open to everybody."""
    app = Starlette(
        routes=routes(),
        middleware=[Middleware(GuardMiddleware, guard=Guard(site.monitor))],
        exception_handlers={HTTPException: _refused, StorageUnavailable: _unavailable, Exception: _broken},
    )
    app.state.site = site
    return app


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: "There is no such page.", 405: "That cannot be done here."}
    return _message(request, status, words.get(status, "That did not work."))


async def _unavailable(request: Request, error: Exception) -> Response:
    return _message(request, 503, f"The database does not answer: {error}")


async def _broken(request: Request, error: Exception) -> Response:
    log.error("page failed", url=request.url.path, reason=f"{type(error).__name__}: {error}"[:500])
    return _message(request, 500, "This page could not be made; the log says why.")


def _message(request: Request, status: int, text: str) -> Response:
    return page(request, "message.html", site_of(request).now(), status=status, title=str(status), message=text)
