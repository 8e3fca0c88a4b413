"""In and out: the login page and its limits."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from monitor.web.face import page, site_of
from monitor.web.guard import COOKIE, Guard, address_of, cookie, is_ours

log = structlog.get_logger(__name__)


async def login(request: Request) -> Response:
    """``/login``."""
    guard: Guard = request.state.guard
    if not guard.asks:
        return RedirectResponse("/", status_code=303)
    there = _within(request.query_params.get("next", "/"))
    return page(request, "login.html", site_of(request).now(), problem=None, there=there)


async def enter(request: Request) -> Response:
    """``POST /login``."""
    guard: Guard = request.state.guard
    now, form = site_of(request).now(), await request.form()
    there = _within(str(form.get("next", "/")))
    if not await is_ours(request):
        problem, status = "This form has expired; try again.", 403
    elif not guard.may_try(address_of(request)):
        log.warning("login refused", address=address_of(request), reason="too many attempts")
        problem, status = "Too many attempts; wait five minutes.", 429
    elif await asyncio.to_thread(guard.is_password, str(form.get("password", ""))):
        guard.forgive(address_of(request))
        # A name of its own: whoever knew the one before the login does not come in with it.
        session = guard.begin()
        headers = {"Set-Cookie": cookie(session, secure=request.url.scheme == "https")}
        return RedirectResponse(there, status_code=303, headers=headers)
    else:
        log.warning("login refused", address=address_of(request), reason="wrong password")
        problem, status = "That is not the password.", 403
    return page(request, "login.html", now, status=status, problem=problem, there=there)


async def leave(request: Request) -> Response:
    """``POST /logout``."""
    if not await is_ours(request):
        return PlainTextResponse("this form has expired\n", status_code=403)
    guard: Guard = request.state.guard
    guard.end(request.state.session)
    gone = f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    return RedirectResponse("/login", status_code=303, headers={"Set-Cookie": gone})


def _within(path: str) -> str:
    """A path of ours; two slashes, or one and a backslash, would lead to another host."""
    path = unquote(path) if path.startswith("%") else path
    if not path.startswith("/") or path[1:2] in {"/", "\\"} or any(ord(c) < 32 for c in path):
        return "/"
    return path
