"""Logging: one JSON object a line in a rotated file, readable lines on a terminal, nothing secret in either.

The libraries' loggers (Scrapy, dramatiq, APScheduler, Alembic) go the same way as ours, with the context
of the run that they speak in.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import structlog

from monitor.controls import CONTROLS
from scheduler.log_file import Keep, RotatingFile

#: Libraries whose INFO and DEBUG say nothing to an operator.
_TALKATIVE = (
    "apscheduler",
    "dramatiq",
    "scrapy",
    "asyncio",
    "aiosqlite",
    "alembic",
    "aiohttp",
    "uvicorn",
    "py.warnings",
)

_CREDENTIALS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s:@\"']*:[^/\s@\"']*@", re.IGNORECASE)
_TOKEN = re.compile(
    r"(?P<name>\b(?:api[_-]?key|access[_-]?token|auth|token|password|passwd|secret|signature|sig)=)[^&\s\"'#]+",
    re.IGNORECASE,
)


class Mask:
    """Replaces secret values, credentials in URLs and control characters in everything that is logged."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets: tuple[str, ...] = ()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Take these values as secret from now on; very short ones would mask ordinary text."""
        self.secrets = tuple(sorted({s for s in (*self.secrets, *secrets) if len(s) >= 4}, key=len, reverse=True))

    def text(self, text: str) -> str:
        """The text as it may leave the process."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        text = _CREDENTIALS.sub(r"\g<scheme>***@", text)
        text = _TOKEN.sub(r"\g<name>***", text)
        return CONTROLS.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 256 else f"\\u{ord(m[0]):04x}", text)

    def value(self, value: Any) -> Any:
        """Mask strings, however deep they stand."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(k): self.value(v) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(v) for v in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """As a structlog processor; structlog's own bookkeeping stays."""
        for key, value in event.items():
            if not key.startswith("_"):
                event[key] = self.value(value)
        return event


def configure(
    *,
    path: Path | None,
    level: str = "info",
    mask: Mask | None = None,
    console: TextIO | None = sys.stderr,
    keep: Keep | None = None,
) -> Mask:
    """Set up logging for this process; returns the mask so that secrets learned later are masked too.

    `path` is the JSON lines file, None for none; `keep` says how much of it stays. `console` None is silent.
    """
    mask = mask or Mask()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared[:-1],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        root.addHandler(_with(RotatingFile(path, keep or Keep()), shared, mask, _json()))
    if console is not None:
        root.addHandler(_with(logging.StreamHandler(console), shared, mask, _console(console)))
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It warns whenever a job takes longer than its interval; ours coalesce and are meant to.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    return mask


def _with(handler: logging.Handler, shared: list[Any], mask: Mask, render: list[Any]) -> logging.Handler:
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _drop_none,
                *render[:-1],
                mask,
                render[-1],
            ],
        )
    )
    return handler


def _json() -> list[Any]:
    # Tracebacks as text: structured ones would carry the values of local variables, secrets among them.
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]


def _console(stream: TextIO) -> list[Any]:
    return [structlog.processors.format_exc_info, partial(_line, colors=stream.isatty())]


#: What a person at a terminal need not read in every line; the file has it.
_FILE_ONLY = {"time", "level", "event", "source", "outlet", "run", "logger", "exception", "outcome", "bytes", "http"}
_COLORS = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m", "info": "", "debug": "\x1b[2m"}


def _line(_logger: Any, _method: str, event: MutableMapping[str, Any], *, colors: bool) -> str:
    """``08:15:02 warning  run finished kontan/nasional reason=dns …``, and a traceback below."""
    level = str(event.get("level", ""))
    where = event.get("source") or event.get("outlet") or ""
    rest = " ".join(f"{key}={value}" for key, value in event.items() if key not in _FILE_ONLY)
    words = (str(event.get("event", "")), str(where), rest)
    text = f"{str(event.get('time', ''))[11:19]} {level:8} {' '.join(word for word in words if word)}"
    if colors and _COLORS.get(level):
        text = f"{_COLORS[level]}{text}\x1b[0m"
    return f"{text}\n{event['exception']}" if event.get("exception") else text


def _drop_none(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value for key, value in event.items() if value is not None}
