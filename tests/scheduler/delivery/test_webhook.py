from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
import pytest_asyncio

from config.model import Webhook
from scheduler.delivery.courier import Courier
from scheduler.delivery.webhook import WebhookTarget, retry_after, signature
from storage.events import EventFilter
from storage.storage import Storage

SECRET = "a-secret-between-two"
LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest_asyncio.fixture
async def courier_to(storage: Storage, clock: Any) -> AsyncIterator[Callable[..., Any]]:
    """Makes couriers to a URL; each call takes the consumer over, as a restart does."""
    targets = []
    tokens = iter(range(1, 100))

    async def make(url: str, *, allow: Any = LOOPBACK, where: EventFilter | None = None, **how: Any) -> Courier:
        target = WebhookTarget(Webhook(url=url, secret=SECRET, **how), allow_networks=allow, resolve=(), now=clock)
        targets.append(target)
        await storage.deliveries.declare("cms", "webhook", clock(), from_beginning=True)
        consumer = await storage.deliveries.take("cms", next(tokens))
        return Courier(
            consumer=consumer, target=target, where=where or EventFilter(), give_up=timedelta(days=1),
            events=storage.events, deliveries=storage.deliveries, now=clock, dice=lambda: 0.5,
        )  # fmt: skip

    yield make
    for target in targets:
        await target.close()


async def test_an_event_arrives_signed_and_whole(paper: Any, receiver: Any, courier_to: Any, clock: Any) -> None:
    done = await paper.publish("beras")
    courier = await courier_to(receiver.url)
    assert not await courier.round()

    ((headers, body),) = receiver.got
    event = json.loads(body)
    assert headers["webhook-id"] == event["key"] == f"{done.article_id}:1:new"
    assert headers["webhook-timestamp"] == str(int(clock().timestamp()))
    signed = f"{event['key']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert event["article"]["text"].startswith("Laporan pertama")
    assert courier.consumer.cursor == 1
    assert not await courier.round()
    assert len(receiver.got) == 1


def test_a_secret_of_the_standard_is_decoded() -> None:
    # The example of the Standard Webhooks specification's reference implementations.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


async def test_what_is_refused_waits_and_holds_its_article_up_but_no_other(
    paper: Any, receiver: Any, courier_to: Any, clock: Any, storage: Storage
) -> None:
    bad, good = await paper.publish("a"), await paper.publish("b")
    await paper.revise("a", "lagi")
    receiver.status[bad.article_id] = 500
    courier = await courier_to(receiver.url)
    await courier.round()
    assert sorted(receiver.keys) == sorted([f"{bad.article_id}:1:new", f"{good.article_id}:1:new"])
    await paper.retract("a")
    await paper.revise("b", "lagi")
    await courier.round()
    assert receiver.keys[2:] == [f"{good.article_id}:2:revised"]
    (lag,) = await storage.deliveries.lag(clock())
    assert (lag.behind, lag.waiting, lag.dead) == (0, 3, 0)

    receiver.status.clear()
    clock.advance(timedelta(seconds=6))
    for _ in range(4):
        await courier.round()

    assert receiver.keys[3:] == [f"{bad.article_id}:{what}" for what in ("1:new", "2:revised", "2:retracted")]
    (lag,) = await storage.deliveries.lag(clock())
    assert (lag.waiting, lag.consumer.delivered) == (0, 5)


async def test_a_receiver_that_refuses_everything_is_left_alone_and_then_asked_with_one_event(
    paper: Any, receiver: Any, courier_to: Any, clock: Any
) -> None:
    for key in "abcdef":
        await paper.publish(key)
    receiver.status["*"] = 503
    courier = await courier_to(receiver.url)
    assert not await courier.round()
    first = len(receiver.got)
    assert first == 6
    assert not await courier.round()
    clock.advance(timedelta(seconds=6))
    assert not await courier.round()
    assert len(receiver.got) == first + 1
    receiver.status.clear()
    clock.advance(timedelta(minutes=5))
    while await courier.round():
        pass
    assert set(receiver.keys[first + 1 :]) == set(receiver.keys[:first])
    assert courier.consumer.failures == 0


async def test_a_day_of_refusals_makes_a_dead_letter_that_can_be_replayed(
    paper: Any, receiver: Any, courier_to: Any, clock: Any, storage: Storage
) -> None:
    done = await paper.publish("a")
    receiver.status["*"] = 500
    courier = await courier_to(receiver.url)
    for _ in range(80):
        await courier.round()
        clock.advance(timedelta(minutes=30))
    (dead,) = await storage.deliveries.pending("cms", status="dead")
    attempts = len(receiver.got)
    assert attempts == dead.attempts > 20
    assert dead.last_error == "HTTP 500: answer of the test"
    clock.advance(timedelta(hours=2))
    await courier.round()
    assert len(receiver.got) == attempts

    receiver.status.clear()
    assert await storage.deliveries.replay("cms", clock(), EventFilter(), dead_only=True) == 1
    while await courier.round():
        pass
    assert receiver.keys[attempts:] == [f"{done.article_id}:1:new"]
    assert await storage.deliveries.pending("cms", status="dead") == []


async def test_a_dead_letter_lets_later_events_of_its_article_pass(
    paper: Any, receiver: Any, courier_to: Any, clock: Any
) -> None:
    done = await paper.publish("a")
    receiver.status["*"] = 500
    courier = await courier_to(receiver.url)
    await courier.round()
    clock.advance(timedelta(days=2))
    await courier.round()
    receiver.status.clear()
    await paper.revise("a", "lagi")
    clock.advance(timedelta(hours=2))
    while await courier.round():
        pass
    assert receiver.keys[-1] == f"{done.article_id}:2:revised"


async def test_no_more_requests_are_in_flight_than_permitted(paper: Any, receiver: Any, courier_to: Any) -> None:
    for key in "abcdefgh":
        await paper.publish(key)
    receiver.delay = 0.02
    courier = await courier_to(receiver.url, concurrency=3)
    await courier.round()
    assert len(receiver.got) == 8
    assert receiver.most_in_flight == 3


async def test_only_what_a_consumer_asked_for_is_sent(
    paper: Any, make_paper: Any, receiver: Any, courier_to: Any, storage: Storage, clock: Any
) -> None:
    other = make_paper(storage, clock, outlet="kabar")
    await other.open()
    await paper.publish("a")
    wanted = await other.publish("b")
    courier = await courier_to(receiver.url, where=EventFilter(outlets=("kabar",)))
    await courier.round()
    assert receiver.keys == [f"{wanted.article_id}:1:new"]
    assert courier.consumer.cursor == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
async def test_a_private_address_is_never_connected_to(
    paper: Any, receiver: Any, courier_to: Any, storage: Storage, host: str
) -> None:
    await paper.publish("a")
    courier = await courier_to(f"http://{host}:{receiver.port}/hook", allow=())
    await courier.round()
    assert receiver.got == []
    (row,) = await storage.deliveries.pending("cms", status="waiting")
    assert row.last_error is not None
    assert "not a public address" in row.last_error


async def test_a_redirect_is_a_refusal(paper: Any, receiver: Any, courier_to: Any, storage: Storage) -> None:
    await paper.publish("a")
    receiver.status["*"] = 307
    receiver.headers["Location"] = f"http://127.0.0.1:{receiver.port}/elsewhere"
    await (await courier_to(receiver.url)).round()
    assert len(receiver.got) == 1
    (row,) = await storage.deliveries.pending("cms", status="waiting")
    assert "redirects are not followed" in str(row.last_error)


async def test_a_receiver_that_does_not_answer_in_time_has_refused(
    paper: Any, receiver: Any, courier_to: Any, storage: Storage
) -> None:
    await paper.publish("a")
    receiver.delay = 5
    await (await courier_to(receiver.url, timeout=timedelta(milliseconds=100))).round()
    (row,) = await storage.deliveries.pending("cms", status="waiting")
    assert row.last_error == "no answer within 0.1 s"


async def test_what_was_not_settled_is_sent_again_under_the_same_key(
    paper: Any, receiver: Any, courier_to: Any
) -> None:
    await paper.publish("a")
    first, second = await courier_to(receiver.url), await courier_to(receiver.url)
    with pytest.raises(Exception, match="not in force"):
        await first.round()
    await second.round()
    assert len(receiver.keys) == 2
    assert len(set(receiver.keys)) == 1


def test_retry_after_is_read_as_seconds_or_a_date(clock: Any) -> None:
    assert retry_after({"Retry-After": "120"}, clock()) == timedelta(seconds=120)
    assert retry_after({"Retry-After": "Mon, 23 Nov 2026 08:05:00 GMT"}, clock()) == timedelta(minutes=5)
    assert retry_after({"Retry-After": "Mon, 23 Nov 2020 08:05:00 GMT"}, clock()) == timedelta(0)
    assert retry_after({"Retry-After": "soon"}, clock()) is None
    assert retry_after({}, clock()) is None
