"""The press's remote control: JSON under ``/_control`` on the bare loopback host."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from newsroom import ledger
from newsroom.misbehaviour import TABLE
from newsroom.press import Newsroom
from newsroom.story import Change, Kind

Values = dict[str, Any]
Action = Callable[[Newsroom, Values], object]


def moment(text: str) -> datetime:
    """An aware ISO 8601 moment; ValueError for a naive one."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; write for example 2026-08-14T08:00:00+07:00")
    return at


def _clock(newsroom: Newsroom, values: Values) -> object:
    """Set the clock: now (ISO 8601), forward (seconds), speed; any of them."""
    if "now" in values:
        newsroom.clock.set(moment(values["now"]))
    if "forward" in values:
        newsroom.clock.forward(timedelta(seconds=float(values["forward"])))
    if "speed" in values:
        newsroom.clock.set_speed(float(values["speed"]))
    return {"now": newsroom.clock.now().isoformat(), "speed": newsroom.clock.speed}


def _publish(newsroom: Newsroom, values: Values) -> object:
    """Publish stories now: outlet, count, over (seconds), channel."""
    over = timedelta(seconds=float(values.get("over", 0)))
    stories = newsroom.publish(values["outlet"], int(values.get("count", 1)), over=over, channel=values.get("channel"))
    house = newsroom.house(values["outlet"])
    return [
        {"key": s.key, "number": s.number, "url": house.url(s), "published": s.published.isoformat()} for s in stories
    ]


def _revise(newsroom: Newsroom, values: Values) -> object:
    """Revise a story now: outlet, number, change (title, number, append, correction, counter)."""
    revision = newsroom.revise(values["outlet"], int(values["number"]), Change(values.get("change", "title")))
    return {"at": revision.at.isoformat(), "change": revision.change.value}


def _again(newsroom: Newsroom, values: Values) -> object:
    """Run a story again now: outlet, number, kind (rerun, duplicate)."""
    story = newsroom.republish(values["outlet"], int(values["number"]), Kind(values.get("kind", "duplicate")))
    return {"key": story.key, "number": story.number, "url": newsroom.house(values["outlet"]).url(story)}


def _copy(newsroom: Newsroom, values: Values) -> object:
    """Let an outlet carry an agency's story now: outlet, number (the agency's)."""
    story = newsroom.copy(values["outlet"], int(values["number"]))
    return {"key": story.key, "number": story.number, "url": newsroom.house(values["outlet"]).url(story)}


def _retract(newsroom: Newsroom, values: Values) -> object:
    """Take a story back now: outlet, number."""
    newsroom.retract(values["outlet"], int(values["number"]))
    return {"retracted": f"{values['outlet']}:{values['number']}"}


def _restore(newsroom: Newsroom, values: Values) -> object:
    """Show a story again that was taken back: outlet, number."""
    newsroom.restore(values["outlet"], int(values["number"]))
    return {"restored": f"{values['outlet']}:{values['number']}"}


def _move(newsroom: Newsroom, values: Values) -> object:
    """Give a story another address now: outlet, number."""
    return {"url": newsroom.move(values["outlet"], int(values["number"]))}


def _misbehave(newsroom: Newsroom, values: Values) -> object:
    """Misbehave: name, and source or host, path, exact; share, since, until, seed, options."""
    scope = {k: v for k, v in values.items() if k in ("source", "host", "path", "exact", "share", "seed", "options")}
    scope |= {k: moment(values[k]) for k in ("since", "until") if values.get(k)}
    if "options" in scope:
        scope["options"] = {k: str(v) for k, v in scope["options"].items()}
    return {"id": newsroom.misbehave(values["name"], **scope).id}


def _behave(newsroom: Newsroom, values: Values) -> object:
    """End one misbehaviour (id), or all."""
    if "id" in values:
        return {"ended": newsroom.rules.remove(int(values["id"]))}
    newsroom.rules.clear()
    return {"ended": True}


ACTIONS: dict[str, Action] = {
    "clock": _clock,
    "publish": _publish,
    "revise": _revise,
    "again": _again,
    "copy": _copy,
    "retract": _retract,
    "restore": _restore,
    "move": _move,
    "misbehave": _misbehave,
    "behave": _behave,
}


def routes(newsroom: Newsroom) -> list[Route]:
    """The index, what can be read, and what can be done."""

    async def state(request: Request) -> Response:
        return JSONResponse(newsroom.state())

    async def truth(request: Request) -> Response:
        since = request.query_params.get("since")
        outlet = request.query_params.get("outlet")
        try:
            start = moment(since) if since else None
            found = await run_in_threadpool(ledger.records, newsroom, outlet, start)
        except (KeyError, ValueError) as error:
            return _refused(error)
        return JSONResponse([ledger.as_plain(r) for r in found])

    async def visits(request: Request) -> Response:
        host = request.query_params.get("host")
        shown = [asdict(v) | {"at": v.at.isoformat()} for v in newsroom.visits if host in (None, v.host)]
        return JSONResponse(shown)

    async def table(request: Request) -> Response:
        return JSONResponse({m.name: {"stage": m.stage.value, "says": m.says} for m in TABLE.values()})

    async def index(request: Request) -> Response:
        return HTMLResponse(_index(newsroom))

    reading = [
        Route("/", index),
        Route("/_control/state", state),
        Route("/_control/ledger", truth),
        Route("/_control/visits", visits),
        Route("/_control/misbehaviours", table),
    ]
    doing = [
        Route(f"/_control/{name}", _endpoint(newsroom, action), methods=["POST"]) for name, action in ACTIONS.items()
    ]
    return reading + doing


def _endpoint(newsroom: Newsroom, action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        try:
            values = await request.json() if await request.body() else {}
            if not isinstance(values, dict):
                raise ValueError("send a JSON object")
            return JSONResponse(action(newsroom, values))
        except (KeyError, ValueError, TypeError) as error:
            return _refused(error)

    return run


def _refused(error: Exception) -> Response:
    return JSONResponse({"error": str(error.args[0]) if error.args else repr(error)}, status_code=400)


def _index(newsroom: Newsroom) -> str:
    rows = "".join(
        f"<tr><td>{house.masthead.name}</td><td>{source.name}</td><td>{source.kind}</td>"
        f"<td><code>{newsroom.addresses.url(source.host, source.path)}</code></td></tr>\n"
        for house, source in newsroom.sources()
    )
    readable = ("state", "ledger", "visits", "misbehaviours")
    reads = "".join(f'<li><a href="/_control/{name}">GET /_control/{name}</a></li>' for name in readable)
    acts = "".join(f"<li><code>POST /_control/{name}</code> {says(a)}</li>\n" for name, a in ACTIONS.items())
    field = newsroom.addresses.url("feed-00001.ladang.test", "/rss")
    return (
        "<!DOCTYPE html><title>newsroom</title><h1>A fictional press</h1>"
        f"<p>{newsroom.clock.now().isoformat()}, speed {newsroom.clock.speed}</p><table>{rows}</table>"
        f"<p>And a field of small outlets: <code>{field}</code> and so on.</p><ul>{reads}</ul><ul>{acts}</ul>"
    )


def says(action: Action) -> str:
    """What an action does and takes, from its docstring."""
    return (action.__doc__ or "").strip()
