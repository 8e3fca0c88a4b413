"""The queue of due crawls between scheduler and workers: dramatiq over Redis, also when embedded.

At least once: a message is acknowledged when its crawl has ended, and comes back when its worker was killed: within
seconds where that can be seen (on the same machine), within half a minute elsewhere. Losing the queue loses nothing
else: what is due stands in the sources table, which sends again. There are no retries here for the same reason.

dramatiq brings the protocol in Redis (its Lua script), the threads and the work queue. Its own
consumer is replaced, because it
  - counts as dead when all threads are busy for longer than the heartbeat time-out (it then sends nothing),
  - leaves what was fetched under a lost answer stuck until the worker ends,
  - drops its prefetched messages at any error but a closed connection (full, read-only, time-out),
  - blocks a worker thread, with a warning every 5 s, while an acknowledgement cannot be sent.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from dramatiq import Message, Worker, actor
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import MAINTENANCE_SCALE, RedisBroker
from dramatiq.errors import DecodeError, Retry
from dramatiq.worker import ConsumerThread
from redis import Redis

from storage.redis import FAILURES, RedisUnavailableError, connect_threaded, reason_of

_log = structlog.get_logger("scheduler.queue")

#: Manual runs pass those that wait.
_URGENT = "urgent"
_CRAWL = "crawl"
_QUEUES = (_URGENT, _CRAWL)

#: A worker silent for this long is dead and its messages go back.
_HEARTBEAT_MS = 15_000
#: It says something at least this often, busy or not.
_BEAT_SECONDS = 3.0
#: Messages nobody can read are kept so long for a person to look at.
_DEAD_MESSAGE_MS = 24 * 3_600_000
#: The longest pause of an idle consumer: half of it is added to the latency on average.
_IDLE_SECONDS = 0.1
#: Idle threads look so often whether they shall end.
_WAKE_MS = 500
_MAX_TEXT = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlMessage:
    """A source that is due."""

    source_id: str
    #: When it should start, UTC.
    scheduled_for: datetime
    #: A value of :class:`storage.model.Trigger`.
    trigger: str
    #: Smaller is more urgent. The queue itself keeps the order of sending; manual triggers go ahead.
    priority: int = 100
    #: When it was sent, UTC.
    sent_at: datetime

    def encoded(self) -> dict[str, str | int]:
        """Plain values for JSON."""
        return {
            "source_id": self.source_id,
            "scheduled_for": self.scheduled_for.astimezone(UTC).isoformat(),
            "trigger": self.trigger,
            "priority": self.priority,
            "sent_at": self.sent_at.astimezone(UTC).isoformat(),
        }

    @classmethod
    def decoded(cls, fields: dict[str, Any]) -> CrawlMessage:
        """The boundary: raises ValueError for anything that :meth:`encoded` did not write."""
        try:
            message = cls(
                source_id=fields["source_id"],
                scheduled_for=datetime.fromisoformat(fields["scheduled_for"]),
                trigger=fields["trigger"],
                priority=int(fields["priority"]),
                sent_at=datetime.fromisoformat(fields["sent_at"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a crawl message: {reason_of(error)}") from error
        texts = (message.source_id, message.trigger)
        if any(not isinstance(text, str) or not text or len(text) > _MAX_TEXT for text in texts):
            raise ValueError("not a crawl message: source_id and trigger must be short texts")
        if message.scheduled_for.tzinfo is None or message.sent_at.tzinfo is None:
            raise ValueError("not a crawl message: times must have a zone")
        return message


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How much stands in the queue."""

    #: Sent and not taken by a worker.
    waiting: int
    #: Taken by a worker and not acknowledged.
    taken: int


Run = Callable[[CrawlMessage], Awaitable[None]]


class CrawlQueue:
    """Sends due crawls, and makes workers that take them.

    `url` as in :func:`storage.redis.connect`; `namespace` prefixes every key. `holder` is what the process calls
    itself, and `is_dead` tells of another's name whether it is known to be gone: what it held is not waited for.
    """

    def __init__(
        self,
        url: str,
        namespace: str = "warta",
        *,
        holder: str = "",
        is_dead: Callable[[str], bool] = lambda holder: False,
    ) -> None:
        self._url = url
        self._namespace = f"{namespace}:queue"
        self._holder = holder
        self._is_dead = is_dead
        self._client = connect_threaded(url, connections=4, name="warta-queue")
        self._broker = self._made(self._client)

    async def send(self, source_id: str, scheduled_for: datetime, trigger: str, priority: int = 100) -> CrawlMessage:
        """Put one due source into the queue.

        Raises :class:`storage.redis.RedisUnavailableError`; it may have been sent all the same, when only the
        answer was lost, so the receiver must bear a repetition.
        """
        message = CrawlMessage(
            source_id=source_id,
            scheduled_for=scheduled_for,
            trigger=trigger,
            priority=priority,
            sent_at=datetime.now(UTC),
        )
        await self.send_all([message])
        return message

    async def send_all(self, messages: Sequence[CrawlMessage]) -> int:
        """Put many into the queue in their order; how many. Raises as :meth:`send` at the first failure."""
        return await asyncio.to_thread(self._send_all, messages)

    def _send_all(self, messages: Sequence[CrawlMessage]) -> int:
        for message in messages:
            queue = _URGENT if message.trigger == "manual" else _CRAWL
            try:
                self._broker.enqueue(
                    Message(
                        queue_name=queue,
                        actor_name=queue,
                        args=(),
                        kwargs=message.encoded(),
                        options={},
                    )
                )
            except FAILURES as error:
                raise RedisUnavailableError(f"queue {message.source_id}", error) from error
        self._broker.say_goodbye()
        return len(messages)

    async def depth(self) -> QueueDepth:
        """How much waits and how much is being worked on. Raises RedisUnavailableError."""
        try:
            return await asyncio.to_thread(self._depth)
        except FAILURES as error:
            raise RedisUnavailableError("tell the depth of the queue", error) from error

    def _depth(self) -> QueueDepth:
        pipeline = self._client.pipeline(transaction=True)
        for queue in _QUEUES:
            pipeline.llen(f"{self._namespace}:{queue}")
            pipeline.hlen(f"{self._namespace}:{queue}.msgs")
        counts = [int(count) for count in pipeline.execute()]
        waiting, messages = sum(counts[::2]), sum(counts[1::2])
        return QueueDepth(waiting, max(0, messages - waiting))

    def worker(
        self,
        run: Run,
        loop: asyncio.AbstractEventLoop,
        threads: int,
        *,
        max_age: timedelta = timedelta(minutes=30),
    ) -> CrawlWorker:
        """A worker that runs up to `threads` crawls at a time as coroutines in `loop`.

        Messages older than `max_age` are dropped: the sources table has sent again since.
        """
        client = connect_threaded(self._url, connections=threads + 8, name="warta-worker")
        return CrawlWorker(self._made(client), run, loop, threads, max_age)

    def _made(self, client: Redis) -> _Broker:
        return _Broker(client, self._namespace, self._holder, self._is_dead)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


class CrawlWorker:
    """Takes messages and runs them; one per queue object and process suffices.

    `run` ending, by whatever exception, acknowledges the message; only a crawl that :meth:`stop`
    cut short goes back into the queue.
    """

    def __init__(
        self,
        broker: _Broker,
        run: Run,
        loop: asyncio.AbstractEventLoop,
        threads: int,
        max_age: timedelta,
    ) -> None:
        self._broker = broker
        self._run = run
        self._loop = loop
        self._max_age = max_age
        self._worker: Any = _Worker(broker, worker_threads=threads, worker_timeout=_WAKE_MS)
        #: In flight: redis message id does not matter here, the future does.
        self._running: set[Future[None]] = set()
        self._guard = threading.Lock()
        self._draining = False
        self._beat = threading.Thread(target=self._beats, name="queue heartbeat", daemon=True)
        self._stopped = threading.Event()
        for priority, queue in enumerate(_QUEUES):
            actor(broker=broker, actor_name=queue, queue_name=queue, priority=priority)(self._crawl)

    @property
    def running(self) -> int:
        """Crawls in flight."""
        return len(self._running)

    def start(self) -> None:
        """Begin to take messages; returns at once."""
        self._worker.start()
        self._beat.start()

    def drain(self) -> None:
        """Take nothing any more; what runs runs on, what was only fetched goes back."""
        self._draining = True
        self._broker.accepting = False

    async def stop(self, grace: timedelta = timedelta(seconds=20)) -> int:
        """Drain, wait up to `grace` for what runs, cancel the rest and give it back; how many those were."""
        self.drain()
        await self._ended_within(grace.total_seconds())
        with self._guard:
            cut = list(self._running)
        for future in cut:
            future.cancel()
        await self._ended_within(5.0)
        await asyncio.to_thread(self._shut_down)
        return len(cut)

    async def _ended_within(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        # Threads end them, so there is no event of this loop to wait for.
        while self._running and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    def _shut_down(self) -> None:
        if self._beat.is_alive():
            self._worker.stop(timeout=5_000)
        self._stopped.set()
        if self._beat.is_alive():
            self._beat.join(5.0)
        self._broker.settle()
        self._broker.say_goodbye()
        self._broker.client.close()

    def _crawl(self, **fields: Any) -> None:
        """Runs in a worker thread; dramatiq's actor."""
        if self._draining:
            raise _GiveBackError
        try:
            message = CrawlMessage.decoded(fields)
        except ValueError as error:
            _log.error("message dropped", reason=str(error))
            return
        age = datetime.now(UTC) - message.sent_at
        if age > self._max_age:
            _log.debug("message too old", source=message.source_id, seconds=int(age.total_seconds()))
            return
        self._await(message)

    def _await(self, message: CrawlMessage) -> None:
        coroutine = self._guarded(message)
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError as error:  # the loop is closed: the process is ending
            coroutine.close()
            raise _GiveBackError from error
        with self._guard:
            self._running.add(future)
        try:
            future.result()
        except FutureCancelledError:
            raise _GiveBackError from None
        finally:
            with self._guard:
                self._running.discard(future)

    async def _guarded(self, message: CrawlMessage) -> None:
        try:
            await self._run(message)
        except Exception:
            _log.exception("crawl ended by an unexpected error", source=message.source_id)

    def _beats(self) -> None:
        self._broker.beat()
        while not self._stopped.wait(_BEAT_SECONDS):
            self._broker.beat()


class _GiveBackError(Retry):
    """The crawl did not run to its end: the message goes back (dramatiq logs every other exception)."""


class _Broker(RedisBroker):
    """dramatiq's broker without a delay queue, and with a memory of what this process has in hand.

    It is known to others as ``<random>|<holder>``.

    Every worker thread, both consumers and the heartbeat use it; `_guard` covers the memory.
    """

    def __init__(self, client: Redis, namespace: str, holder: str, is_dead: Callable[[str], bool]) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            client=client,
            namespace=namespace,
            middleware=[],
            heartbeat_timeout=_HEARTBEAT_MS,
            dead_message_ttl=_DEAD_MESSAGE_MS,
            # Looking for dead workers costs microseconds; by its default chance of 1 in 1,000
            # commands an idle worker would look every few minutes.
            maintenance_chance=MAINTENANCE_SCALE,
        )
        self.broker_id = f"{self.broker_id}|{holder}"
        self._is_dead = is_dead
        self.accepting = True
        self._guard = threading.Lock()
        self._in_hand: dict[str, set[str]] = {queue: set() for queue in _QUEUES}
        #: Commands that Redis has not heard yet.
        self._owed: deque[tuple[str, str, str]] = deque()
        self._trouble: str | None = None

    @property
    def consumer_class(self) -> type[_Consumer]:
        return _Consumer

    def declare_queue(self, queue_name: str) -> None:
        """Without the delay queue that nothing here is put into and that would be polled all the same."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def in_hand(self, queue: str) -> int:
        """How many messages of `queue` this process has fetched and not settled."""
        with self._guard:
            return len(self._in_hand[queue])

    def take(self, queue: str, message_id: str) -> None:
        """It was fetched."""
        with self._guard:
            self._in_hand[queue].add(message_id)

    def settle_one(self, command: str, queue: str, message_id: str) -> None:
        """Tell Redis ``ack``, ``nack`` or ``requeue``; owed when it cannot be told now."""
        self._owed.append((command, queue, message_id))
        self.settle()

    def settle(self) -> None:
        """Tell Redis what it has not heard yet, in order, until it fails."""
        while True:
            try:
                owed = self._owed.popleft()
            except IndexError:
                return
            command, queue, message_id = owed
            try:
                getattr(self, f"do_{command}")(queue, message_id)
            except FAILURES as error:
                self._owed.appendleft(owed)
                self.note(error)
                return
            with self._guard:
                self._in_hand[queue].discard(message_id)

    def recover(self, queue: str) -> None:
        """Put back what Redis believes we have and we have not: its answer was lost. Raises FAILURES."""
        lost = self._unknown(queue)
        if lost:
            _log.info("messages of a lost answer go back", queue=queue, messages=len(lost))
            self.do_requeue(queue, *lost)

    def bury(self, queue: str) -> None:
        """Move to the dead letters what was fetched just now and could not be read; never raises."""
        try:
            for message_id in self._unknown(queue):
                self.do_nack(queue, message_id)
        except FAILURES as error:
            self.note(error)

    def _unknown(self, queue: str) -> list[bytes]:
        members: Any = self.client.smembers(f"{self.namespace}:__acks__.{self.broker_id}.{queue}")
        with self._guard:
            return sorted(member for member in members if member.decode() not in self._in_hand[queue])

    def say_goodbye(self) -> None:
        """Take this process off the list of the living when it holds nothing; never raises.

        The search for what a dead one held is a KEYS over everything, so only the killed should need it.
        """
        with self._guard:
            holds = any(self._in_hand.values())
        if not holds:
            with suppress(*FAILURES):
                self.client.zrem(f"{self.namespace}:__heartbeats__", self.broker_id)

    def _bury_the_dead(self) -> None:
        """Date the last sign of life of those known to be dead back, so that what they held goes back now."""
        beats = f"{self.namespace}:__heartbeats__"
        known: Any = self.client.zrange(beats, 0, -1)
        for member in known:
            if self._is_dead(member.decode("utf-8", "replace").partition("|")[2]):
                self.client.zadd(beats, {member: 0}, xx=True)

    def beat(self) -> None:
        """Tell Redis that this process lives, and settle what is owed; never raises."""
        try:
            self._bury_the_dead()
            for queue in _QUEUES:
                self.do_qsize(queue)
        except FAILURES as error:
            self.note(error)
            return
        self.note(None)
        self.settle()

    def note(self, error: BaseException | None) -> None:
        """One line when the queue is lost and one when it is back."""
        with self._guard:
            before, self._trouble = self._trouble, None if error is None else reason_of(error)
        if error is not None and before is None:
            _log.warning("queue lost; tried again until it is back", reason=reason_of(error))
        elif error is None and before is not None:
            _log.info("queue is back")


class _Consumer(Consumer):
    """Fetches messages of one queue; never raises for Redis's sake."""

    def __init__(self, broker: _Broker, queue: str, prefetch: int, timeout: int) -> None:
        self._broker = broker
        self._queue = queue
        self._prefetch = prefetch
        self._fetched: deque[Message[Any]] = deque()
        self._pause = 0.0
        self._unsure = True

    def __next__(self) -> MessageProxy | None:
        if not self._broker.accepting:
            self._return_fetched()
            time.sleep(_IDLE_SECONDS)
            return None
        if not self._fetched and not self._fetch():
            self._pause = min(max(0.005, self._pause * 2), 1.0 if self._unsure else _IDLE_SECONDS)
            time.sleep(self._pause)
            return None
        self._pause = 0.0
        return MessageProxy(self._fetched.popleft())

    def _fetch(self) -> bool:
        """Whether there is something to hand out."""
        free = self._prefetch - self._broker.in_hand(self._queue)
        if free <= 0:
            return False
        try:
            if self._unsure:
                self._broker.recover(self._queue)
            replies: list[bytes | None] = self._broker.do_fetch(self._queue, free)
        except FAILURES as error:
            self._unsure = True
            self._broker.note(error)
            return False
        if self._unsure:
            self._unsure = False
            self._broker.note(None)
        unreadable = False
        for data in replies:
            message = None if data is None else _read(data)
            if message is None:
                unreadable = unreadable or data is not None
                continue
            self._broker.take(self._queue, _id(message))
            self._fetched.append(message)
        if unreadable:
            self._broker.bury(self._queue)
        return bool(self._fetched)

    def _return_fetched(self) -> None:
        while self._fetched:
            self._broker.settle_one("requeue", self._queue, _id(self._fetched.popleft()))

    def ack(self, message: MessageProxy) -> None:
        """Settle a message that was run, or give back one that was not."""
        exception = message._exception
        command = "requeue" if isinstance(exception, _GiveBackError) else "ack"
        self._broker.settle_one(command, self._queue, _id(message))

    def nack(self, message: MessageProxy) -> None:
        """Move it to the dead letters."""
        self._broker.settle_one("nack", self._queue, _id(message))

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Give back what was never run."""
        for message in messages:
            self._broker.settle_one("requeue", self._queue, _id(message))

    def close(self) -> None:
        """Give back what was only fetched."""
        with suppress(*FAILURES):
            self._return_fetched()


class _Worker(Worker):
    """dramatiq's worker that fetches no more than its threads can run: a slow one hoards nothing."""

    def _add_consumer(self, queue_name: str, *, delay: bool = False) -> None:
        if queue_name in self.consumers:
            return
        consumer = self.consumers[queue_name] = ConsumerThread(
            broker=self.broker,
            queue_name=queue_name,
            prefetch=self.worker_threads,
            work_queue=self.work_queue,
            worker_timeout=self.worker_timeout,
        )
        consumer.start()


def _read(data: bytes) -> Message[Any] | None:
    """A message as dramatiq writes it; None, said in the log, for anything else."""
    try:
        message: Message[Any] = Message.decode(data)
        if isinstance(message.options["redis_message_id"], str) and isinstance(message.kwargs, dict):
            return message
        reason = "it has no id or no fields"
    except (DecodeError, KeyError, TypeError, RecursionError) as error:
        reason = reason_of(error)
    _log.error("message cannot be read and goes to the dead letters", reason=reason)
    return None


def _id(message: Message[Any] | MessageProxy) -> str:
    """The id under which Redis keeps it."""
    return str(message.options["redis_message_id"])
