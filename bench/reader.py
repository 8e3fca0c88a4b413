"""A consumer of the stream by a consumer group, as docs/consumers.md shows it; kills itself now and then.

``python -m bench.reader REDIS_URL STREAM FILE CHANCE SEED``; FILE gets the key of every event that it kept, a line
each.
CHANCE is that of dying before and after an event is kept.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from bench.mortal import mortal


def read(redis: Redis, stream: str, path: Path, chance: float, dice: random.Random) -> None:
    """Without end."""
    perhaps_die = mortal(chance, dice)
    try:
        redis.xgroup_create(stream, "arsip", id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise
    start = "0"  # first what was read and not acknowledged before the last death
    while True:
        found: Any = redis.xreadgroup("arsip", "satu", {stream: start}, count=10, block=1000)
        entries = found[0][1] if found else []
        if not entries:
            start = ">"
        for entry_id, fields in entries:
            perhaps_die()
            with path.open("a") as file:
                file.write(fields["key"] + "\n")
            perhaps_die()
            redis.xack(stream, "arsip", entry_id)


if __name__ == "__main__":
    url, key, kept, death, seed = sys.argv[1:6]
    read(Redis.from_url(url, decode_responses=True), key, Path(kept), float(death), random.Random(int(seed)))
