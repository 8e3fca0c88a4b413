"""``python -m newsroom``: run the fictional press until interrupted."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import timedelta
from pathlib import Path

from newsroom import outlets, script, serve
from newsroom.clock import Clock, wall
from newsroom.control import moment
from newsroom.press import Newsroom


def arguments() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(prog="python -m newsroom", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 (default) picks a free one")
    parser.add_argument("--seed", type=int, default=7, help="which press this is (default 7)")
    parser.add_argument("--speed", type=float, default=1.0, help="newsroom seconds per real second (default 1)")
    parser.add_argument(
        "--start", type=moment, help="where the clock stands at first, ISO 8601 with zone (default: two hours ago)"
    )
    parser.add_argument("--never-ahead", action="store_true", help="do not let the clock pass the real time")
    parser.add_argument(
        "--demo", action="store_true", help="also play the demo script: bursts, a revision, a duplicate, a broken feed"
    )
    parser.add_argument("--config", type=Path, help="write a warta configuration for this press into a directory")
    parser.add_argument(
        "--feeds", type=int, default=0, help="with --config: how many small outlets to add (up to 99999)"
    )
    parser.add_argument("--every", default="5s", help="with --config: how often sources are polled (default 5s)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Serve until interrupted; one JSON line tells the port when ready."""
    options = arguments().parse_args(argv)
    start = options.start or wall() - timedelta(hours=2)
    newsroom = Newsroom(seed=options.seed, clock=Clock(start, speed=options.speed, never_ahead=options.never_ahead))
    sock = serve.bind(options.port)
    newsroom.addresses.port = sock.getsockname()[1]
    if options.demo:
        script.edition(newsroom)
    if options.config:
        outlets.write_config(options.config, newsroom.addresses.port, feeds=options.feeds, every=options.every)
    ready = {
        "ready": True,
        "port": newsroom.addresses.port,
        "url": f"http://127.0.0.1:{newsroom.addresses.port}",
        "seed": options.seed,
    }
    print(json.dumps(ready), flush=True)
    show = script.play(newsroom) if options.demo else None
    try:
        serve.server(newsroom).run(sockets=[sock])
    finally:
        sock.close()
        if show is not None:
            show.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
