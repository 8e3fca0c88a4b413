"""A webhook receiver that is slow, refuses, and kills itself: before it keeps an event, or before it answers.

Arguments: port, file of what it kept, secret, seed.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import random
import signal
import sys
from pathlib import Path

from aiohttp import web

port, path, secret, seed = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
dice = random.Random(seed)


def perhaps_die() -> None:
    if dice.random() < 0.01:
        os.kill(os.getpid(), signal.SIGKILL)


async def answer(request: web.Request) -> web.Response:
    body = await request.read()
    key, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    digest = hmac.new(secret.encode(), f"{key}.{timestamp}.".encode() + body, hashlib.sha256).digest()
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
web.run_app(app, host="127.0.0.1", port=port, print=None, reuse_address=True)
