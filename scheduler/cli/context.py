"""What every command needs: where the configuration is, how to print, and what an error means as an exit code."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

import config
from config.errors import ConfigError
from config.load import load
from config.model import Settings
from monitor.filters import FilterError
from scheduler.cli.output import Output, counted
from scheduler.lock import AlreadyRunning
from scheduler.places import database_url
from storage.errors import SchemaOutdated, StorageUnavailable
from storage.storage import Storage

_T = TypeVar("_T")

#: Exceptions of storage.redis and storage.embedded that mean a server is away.
UNREACHABLE = frozenset({"RedisUnavailableError", "EmbeddedError"})


class Exit(IntEnum):
    """Exit codes of every command; documented in docs/cli.md."""

    OK = 0
    FOUND = 1  # the command worked and what it reports is not well
    USAGE = 2  # wrong words on the command line, or a configuration with problems
    IN_USE = 3  # another daemon works on the data directory
    UNAVAILABLE = 4  # the database or Redis does not answer
    NOT_FOUND = 5  # no such outlet, source, run or article
    INTERRUPTED = 130


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="warta.yaml, or the directory it is in.",
        envvar="WARTA_CONFIG",
        show_default=False,
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Data directory, instead of the configured one.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable: one JSON object a line.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="Rows at most.")]


def config_path(given: Path | None) -> Path:
    """The file to load: the one given, ``warta.yaml`` here, ``config/warta.yaml`` here, or the one shipped."""
    if given is not None:
        return given / "warta.yaml" if given.is_dir() else given
    for path in (Path("warta.yaml"), Path("config/warta.yaml")):
        if path.is_file():
            return path
    return Path(str(config.__path__[0])) / "warta.yaml"


def settings_from(path: Path | None, data: Path | None = None, *, lenient: bool = False) -> Settings:
    """Load the configuration or end with all its problems and exit code 2.

    `lenient` is for commands that only look: a broken outlet file must not hide what is stored.
    """
    file = config_path(path)
    try:
        settings = load(file, os.environ)
    except ConfigError as error:
        known = _without_outlets(file) if lenient else None
        if known is None:
            _refuse(error)
        print(f"warta: {counted(len(error.problems), 'problem')} in {file} (`warta check`)", file=sys.stderr)
        settings = known
    return settings if data is None else dataclasses.replace(settings, data_dir=data.absolute())


def _without_outlets(file: Path) -> Settings | None:
    try:
        return load(file, os.environ, outlets=False)
    except ConfigError:
        return None


def _refuse(error: ConfigError) -> NoReturn:
    for problem in error.problems:
        print(problem, file=sys.stderr)
    problems = counted(len(error.problems), "problem")
    print(f"{problems} in the configuration; nothing was started.", file=sys.stderr)
    raise typer.Exit(Exit.USAGE)


def utc_now() -> datetime:
    """The wall clock; read here and handed down."""
    return datetime.now(UTC)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Storage]:
    """The database alone, for commands that read it while a daemon may be at work."""
    storage = await Storage.open(database_url(settings), now=utc_now, migrate=False)
    try:
        yield storage
    finally:
        await storage.close()


def fail(code: Exit, message: str) -> NoReturn:
    """End with a sentence on standard error."""
    print(f"warta: {message}", file=sys.stderr)
    raise typer.Exit(code)


def finish(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a command's coroutine; the errors that a person can act on become a sentence and an exit code."""
    try:
        return asyncio.run(work)
    except AlreadyRunning as error:
        fail(Exit.IN_USE, str(error))
    except StorageUnavailable as error:
        fail(Exit.UNAVAILABLE, str(error))
    except SchemaOutdated as error:
        fail(Exit.UNAVAILABLE, f"{error} (warta migrate)")
    except FilterError as error:
        fail(Exit.USAGE, str(error))
    except KeyboardInterrupt:
        raise typer.Exit(Exit.INTERRUPTED) from None
    except BrokenPipeError:
        # `warta logs | head` is a fine thing to do.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Exit.OK) from None
    except Exception as error:
        if type(error).__name__ in UNREACHABLE:  # by name: importing the Redis client costs a quarter of a second
            fail(Exit.UNAVAILABLE, str(error))
        raise


def query(settings: Settings, work: Callable[[Storage, Output], Awaitable[_T]], *, json: bool) -> _T:
    """Run `work` on the opened database."""
    url = database_url(settings)
    file = url.removeprefix("sqlite:///")
    if url.startswith("sqlite:///") and not Path(file).exists():
        fail(Exit.NOT_FOUND, f"there is no database at {file} yet; `warta run` creates it, --data DIR looks elsewhere")

    async def run() -> _T:
        async with opened(settings) as storage:
            return await work(storage, Output(json=json))

    return finish(run())
