"""A webhook receiver that is slow, refuses, and kills itself: before it keeps an event, or before it answers.

``python -m bench.receiver PORT FILE SECRET CHANCE SEED``; FILE gets the key of every event that it kept, a line each.
CHANCE is that of dying at each of the two moments.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import random
import sys
from pathlib import Path

from aiohttp import web

from bench.mortal import mortal


def create(path: Path, secret: str, chance: float, dice: random.Random) -> web.Application:
    """The application; it checks signatures as docs/consumers.md shows."""
    perhaps_die = mortal(chance, dice)

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        key, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        digest = hmac.digest(secret.encode(), f"{key}.{timestamp}.".encode() + body, hashlib.sha256)
        if request.headers["webhook-signature"] != "v1," + base64.b64encode(digest).decode():
            return web.Response(status=401)
        await asyncio.sleep(dice.choice((0, 0, 0, 0.01, 0.05)))
        if dice.random() < 0.05:
            return web.Response(status=503)
        perhaps_die()
        with path.open("a") as file:
            file.write(key + "\n")
        perhaps_die()
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", answer)
    return app


if __name__ == "__main__":
    port, kept, shared_secret, death, seed = sys.argv[1:6]
    web.run_app(
        create(Path(kept), shared_secret, float(death), random.Random(int(seed))),
        host="127.0.0.1", port=int(port), print=None, reuse_address=True,
    )  # fmt: skip
