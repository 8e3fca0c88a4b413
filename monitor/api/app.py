"""The HTTP API as one Starlette application, to be served alone or mounted.

::

    request ─► Host and token (gate) ─► route ─► parameters read ─► storage ─► JSON under an ETag, or lines
"""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.model import Api
from monitor.api import reading
from monitor.api.answers import answer, error
from monitor.api.gate import Gate
from monitor.api.openapi import document
from monitor.api.parameters import BadParameter
from monitor.api.syndication import feed
from storage.errors import StorageUnavailable
from storage.storage import Storage


def create_api(storage: Storage, api: Api, log: Path | None = None) -> Starlette:
    """The application; it reads `storage` and the `log` where there is one, and closes nothing.

    Raises OpenToEverybody for an API that others could read without a token.
    """
    routes = [
        Route("/v1/articles", reading.articles),
        Route("/v1/articles/{id}", reading.article),
        Route("/v1/articles/{id}/revisions", reading.revisions),
        Route("/v1/events", reading.events),
        Route("/v1/sources", reading.sources),
        Route("/v1/sources/{outlet}/{name}", reading.source),
        Route("/v1/runs", reading.runs),
        Route("/v1/logs", reading.logs),
        Route("/v1/openapi.json", _description),
        Route("/feeds/{kind:str}/{name}.{form}", feed),
        Route("/feeds/{kind:str}.{form}", feed),
    ]
    Gate(Starlette(), api)  # says no here, not at the first request
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Gate, api=api)],
        exception_handlers={
            BadParameter: _bad_parameter,
            StorageUnavailable: _unavailable,
            HTTPException: _http,
        },
    )
    app.state.storage = storage
    app.state.log = log
    return app


async def _description(request: Request) -> Response:
    return answer(request, document(str(request.base_url).rstrip("/")))


async def _bad_parameter(_request: Request, problem: Exception) -> Response:
    return error(400, str(problem))


async def _unavailable(_request: Request, problem: Exception) -> Response:
    return error(503, str(problem))


async def _http(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return error(problem.status_code, problem.detail)
