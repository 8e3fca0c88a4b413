"""Children that parse: a stranger's bytes may cost time, memory or a crash in there, never in here.

pebble's process pool does the work: it ends a child that takes too long and starts another.
Children come from a fork server that has the parsers loaded, so none inherits a thread or a
lock of this process and one starts in milliseconds. Measured: 0.6 ms from call to answer,
0.15 ms of it CPU of the caller, 0.4 % of a core while idle.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import popen_forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, Final, TypeVar

from pebble import ProcessExpired, ProcessPool

T = TypeVar("T")

#: Loaded once by the fork server and shared by all children.
PRELOAD: Final = ("crawlers.discover",)
#: Seconds over a task's own time after which the pool itself is taken for stuck.
GRACE: Final = 5.0
#: Wall seconds granted for each second of CPU, for a machine that is busy elsewhere.
PATIENCE: Final = 2.0
_MAIN_LOCK: Final = threading.Lock()


class ParseKilled(Exception):
    """The child that did the work was ended; the work is not worth repeating."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        #: "time", "memory", "crash", or "stopped" when the pool was ended under it.
        self.kind = kind

    def __reduce__(self) -> tuple[type[ParseKilled], tuple[str, str]]:
        return ParseKilled, (self.kind, str(self))


class ParsePool:
    """Runs functions in children, at most `processes` at a time; the rest waits its turn.

    Functions, arguments and results are picklable, functions importable by name. Knows nothing
    of what is parsed. Belongs to one event loop.
    """

    def __init__(
        self,
        processes: int,
        *,
        max_tasks: int = 500,
        memory_bytes: int = 2**30,
        seconds: float = 10.0,
        preload: tuple[str, ...] = PRELOAD,
    ) -> None:
        self.processes = processes
        self.max_tasks = max_tasks
        #: Address space a child may take beyond what it has after loading.
        self.memory_bytes = memory_bytes
        self.seconds = seconds
        self.preload = preload
        self._turns = asyncio.Semaphore(processes)
        self._pool: ProcessPool | None = None
        self._stopped = False
        self._waiting: set[asyncio.Future[Any]] = set()

    def start(self) -> None:
        """Start the children; :meth:`run` does it too when it must."""
        self._current()

    async def run(self, function: Callable[..., T], *args: Any, timeout: float | None = None) -> T:
        """``function(*args)`` in a child.

        Raises :class:`ParseKilled` when it took more than `timeout` (default: `seconds`) of CPU,
        twice that of wall time, more memory than allowed, or crashed the child; what `function`
        raises is raised here. Cancelling ends the child at work.
        """
        seconds = self.seconds if timeout is None else timeout
        async with self._turns:
            for attempt in (1, 2):
                pool = self._current()
                try:
                    return await self._once(pool, seconds, function, args)
                except _Hasty as error:
                    if attempt == 2:
                        raise ParseKilled("time", str(error)) from error
                except (BrokenProcessPool, _Stuck, RuntimeError) as error:
                    if self._stopped:
                        raise ParseKilled("stopped", "The parse pool was stopped.") from error
                    if attempt == 2 or not self._lost(pool, error):
                        raise
        raise AssertionError("unreachable")

    async def _once(self, pool: ProcessPool, seconds: float, function: Callable[..., T], args: tuple[Any, ...]) -> T:
        wall, began = seconds * PATIENCE, time.monotonic()
        answer = asyncio.wrap_future(pool.schedule(_guarded, args=(seconds, function, args), timeout=wall))
        self._waiting.add(answer)
        try:
            done, _ = await asyncio.wait((answer,), timeout=wall + GRACE)
            if not done:
                raise _Stuck(f"the parse pool gave no answer in {wall + GRACE:.0f} s")
            outcome, value = answer.result()
        except ProcessExpired as error:
            raise _killed(error, function, seconds) from error
        except TimeoutError as error:
            message = f"{function.__name__} took more than {wall:g} s."
            # pebble counts by the wall clock: one that is set forward ends tasks that have just begun.
            if time.monotonic() - began < wall:
                raise _Hasty(message) from error
            raise ParseKilled("time", message) from error
        finally:
            self._waiting.discard(answer)
            answer.cancel()  # ends the child when the caller gave up
        if outcome == "memory":
            raise ParseKilled("memory", f"{function.__name__} needed more than {self.memory_bytes} bytes.")
        if outcome == "raised":
            raise value
        result: T = value
        return result

    def _current(self) -> ProcessPool:
        if self._stopped:
            raise RuntimeError("The parse pool is stopped.")
        if self._pool is None:
            context = _context(self.preload)
            self._pool = ProcessPool(
                max_workers=self.processes,
                max_tasks=self.max_tasks,
                initializer=_prepare,
                initargs=(self.preload, self.memory_bytes),
                context=context,
            )
            with _one_blas_thread():
                # The children start with the first task.
                self._pool.schedule(_nothing)
        return self._pool

    def _lost(self, pool: ProcessPool, error: BaseException) -> bool:
        """Whether `pool` is past use; if so the next call gets another.

        pebble gives up its whole pool when an idle child is killed from outside.
        """
        if isinstance(error, BrokenProcessPool | _Stuck) or not pool.active:
            if self._pool is pool:
                self._pool = None
                threading.Thread(target=_end, args=(pool,), daemon=True).start()
            return True
        return False

    async def stop(self, grace: float = 5.0) -> None:
        """End the children: after their work when it ends within `grace` seconds, else at once."""
        self._stopped = True
        pool, self._pool = self._pool, None
        if pool is None:
            return
        pool.close()  # type: ignore[no-untyped-call]
        with contextlib.suppress(TimeoutError):
            await asyncio.to_thread(pool.join, grace)
        await asyncio.to_thread(_end, pool)
        for answer in tuple(self._waiting):
            if not answer.done():
                answer.set_exception(ParseKilled("stopped", "The parse pool was stopped."))


class _Hasty(Exception):
    """The child was ended before its time was over."""


class _Stuck(Exception):
    """No answer, although the child's time is over."""


def _killed(error: ProcessExpired, function: Callable[..., Any], seconds: float) -> ParseKilled:
    if error.exitcode == -signal.SIGXCPU:
        return ParseKilled("time", f"{function.__name__} took more than {seconds:g} s of CPU.")
    return ParseKilled("crash", f"The child running {function.__name__} ended with code {error.exitcode}.")


def _end(pool: ProcessPool) -> None:
    with contextlib.suppress(Exception):  # it is broken already
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


# -- in the child -----------------------------------------------------------------------------


def _nothing() -> None:
    """The task that starts the children."""


def _prepare(preload: tuple[str, ...], memory_bytes: int) -> None:
    # pebble's own handler needs the interpreter, which a runaway C function does not give back.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for name in preload:
        import_module(name)
    size = _address_space()
    if size is not None:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (size + memory_bytes, resource.RLIM_INFINITY))


def _address_space() -> int | None:
    """Bytes of address space in use, where the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return None
    return pages * resource.getpagesize()


def _guarded(seconds: float, function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[str, Any]:
    """Run the task with a fence around its CPU time that the kernel keeps (SIGXCPU)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime + seconds) + 1
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))
    try:
        return "value", function(*args)
    except MemoryError:
        return "memory", None
    except Exception as error:  # carried to the caller, who knows what it means
        return "raised", _portable(error)


def _portable(error: Exception) -> Exception:
    """`error`, or its text where it does not survive the way to the parent, whose pool would break."""
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:  # any: it runs what the exception's class defines
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


# -- how children are made --------------------------------------------------------------------


class _Popen(popen_forkserver.Popen):
    """Starts a child that does not load the parent's main module, which it has no use for."""

    def _launch(self, process_obj: Any) -> None:
        with _MAIN_LOCK:
            main = sys.modules["__main__"]
            sys.modules["__main__"] = types.ModuleType("__main__")
            try:
                super()._launch(process_obj)  # type: ignore[misc]
            finally:
                sys.modules["__main__"] = main


class _Process(ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> _Popen:  # noqa: N802 - multiprocessing's name
        return _Popen(process_obj)


class _Context(ForkServerContext):
    Process = _Process


def _context(preload: tuple[str, ...]) -> ForkServerContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        raise RuntimeError("This system has no fork server; warta runs on POSIX systems.")
    context = _Context()
    context.set_forkserver_preload(list(preload))
    return context


@contextlib.contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Keep numerical libraries in the fork server from starting threads, which forks do not survive."""
    name = "OPENBLAS_NUM_THREADS"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
