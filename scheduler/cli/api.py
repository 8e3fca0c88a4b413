"""`warta api`: the HTTP API in a process of its own."""

from __future__ import annotations

import asyncio
import signal
import sys

import typer

from config.model import Api
from monitor.api.app import create_api
from monitor.api.serve import ApiServer, CannotListen
from scheduler.cli.context import ConfigOption, DataOption, Exit, fail, query, settings_from
from scheduler.cli.output import Output
from scheduler.places import log_file
from storage.storage import Storage


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Daemon")(api)


def api(config: ConfigOption = None, data: DataOption = None) -> None:
    """Serve articles, events and feeds over HTTP, apart from the daemon; `api:` in warta.yaml says where."""
    settings = settings_from(config, data)
    where = settings.api or Api()

    async def work(storage: Storage, _out: Output) -> None:
        try:
            server = ApiServer(create_api(storage, where, log_file(settings)), where)
        except (CannotListen, ValueError) as error:
            fail(Exit.UNAVAILABLE, str(error))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        print(f"warta api  {server.address}/v1/openapi.json", file=sys.stderr, flush=True)
        await server.serve()

    query(settings, work, json=False)
