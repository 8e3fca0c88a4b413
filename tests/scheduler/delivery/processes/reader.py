"""A consumer of the stream by a consumer group, as docs/consumers.md shows it; kills itself now and then.

Arguments: URL of Redis, key of the stream, file of what it kept, seed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

from redis import Redis
from redis.exceptions import ResponseError

url, key, path, seed = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
dice = random.Random(seed)
redis = Redis.from_url(url, decode_responses=True)


def perhaps_die() -> None:
    if dice.random() < 0.02:
        os.kill(os.getpid(), signal.SIGKILL)


try:
    redis.xgroup_create(key, "arsip", id="0", mkstream=True)
except ResponseError as error:
    if "BUSYGROUP" not in str(error):
        raise

start = "0"  # first what was read and not acknowledged before the last death
while True:
    found = redis.xreadgroup("arsip", "satu", {key: start}, count=10, block=1000)
    entries = found[0][1] if found else []
    if not entries:
        start = ">"
    for entry_id, fields in entries:
        perhaps_die()
        with path.open("a") as file:
            file.write(fields["key"] + "\n")
        perhaps_die()
        redis.xack(key, "arsip", entry_id)
