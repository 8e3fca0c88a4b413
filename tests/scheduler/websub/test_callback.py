"""What hubs may ask and push, by the W3C Recommendation, and what nobody else may."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any

import pytest

from storage.hubs import MOST_WAITING, HubState

from .conftest import SOURCE, TOPIC

FEED = b"<rss><channel><item><link>https://kabar.test/a/1</link></item></channel></rss>"


def signed(secret: str, body: bytes, method: str = "sha256") -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, method).hexdigest()
    return {"X-Hub-Signature": f"{method}={digest}", "Content-Type": "application/rss+xml"}


async def push(post: Any, body: bytes, headers: dict[str, str]) -> Any:
    return await post.http.post(post.hub.got[0][1]["hub.callback"], content=body, headers=headers)


async def test_intent_is_verified_by_echoing_the_challenge(post: Any) -> None:
    await post.offered()
    await post.office.tick()
    answer = await post.verify()
    found = await post.now()

    assert (answer.status_code, answer.text) == (200, "c-4711")
    assert answer.headers["content-type"].startswith("text/plain")
    assert found.state is HubState.ACTIVE
    assert found.lease_until == post.clock() + timedelta(days=1)
    assert found.act_at == post.clock() + timedelta(days=0.8)


@pytest.mark.parametrize(
    "lie", [{"topic": "https://kabar.test/other"}, {"mode": "unsubscribe"}, {"mode": "publish"}, {"challenge": ""}]
)
async def test_what_was_not_asked_for_is_not_confirmed(post: Any, lie: dict[str, str]) -> None:
    await post.offered()
    await post.office.tick()

    assert (await post.verify(**lie)).status_code == 404
    assert (await post.now()).state is HubState.ASKED


async def test_nothing_is_confirmed_before_it_was_asked_for(post: Any) -> None:
    found = await post.offered()
    query = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c"}

    assert (await post.http.get(f"https://warta.test/hooks/{found.id}", params=query)).status_code == 404


async def test_an_unknown_callback_is_not_found_and_its_body_not_read(post: Any) -> None:
    assert (await post.http.post("https://warta.test/hooks/guessed", content=FEED)).status_code == 404
    assert await post.storage.hubs.first(SOURCE) is None


async def test_each_subscription_has_a_callback_of_its_own_that_nobody_guesses(post: Any) -> None:
    first = await post.offered()
    other = await post.storage.hubs.offer(SOURCE, [post.hub.url], TOPIC + "/2", post.clock())

    assert other.id != first.id
    assert other.secret != first.secret
    assert len(first.id) * 6 >= 128


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
async def test_a_signed_push_is_kept_for_a_run_that_is_due_at_once(post: Any, method: str) -> None:
    subscription = await post.active()
    answer = await push(post, FEED, signed(subscription.secret, FEED, method))
    kept = await post.storage.hubs.first(SOURCE)

    assert answer.status_code == 202
    assert (kept.body, kept.topic, kept.content_type) == (FEED, TOPIC, "application/rss+xml")
    assert [state.id for state in await post.storage.sources.due(post.clock(), 10)] == [SOURCE]
    assert (await post.now()).is_proven(post.clock())


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"X-Hub-Signature": "sha256=00"}, {"X-Hub-Signature": "md5=" + hashlib.md5(FEED).hexdigest()},
        {"X-Hub-Signature": "sha256=é"}, signed("another secret", FEED),
    ],
)  # fmt: skip
async def test_a_push_without_a_right_signature_is_acknowledged_and_ignored(post: Any, headers: Any) -> None:
    await post.active()

    assert (await push(post, FEED, headers)).status_code == 202
    assert await post.storage.hubs.first(SOURCE) is None
    found = await post.now()
    assert (found.pushes, found.ignored) == (0, 1)
    assert not found.is_proven(post.clock())


async def test_the_same_push_again_is_kept_once(post: Any) -> None:
    subscription = await post.active()
    for _ in range(2):
        assert (await push(post, FEED, signed(subscription.secret, FEED))).status_code == 202

    assert (await post.storage.hubs.counts()).waiting == 1


async def test_a_push_that_is_too_large_is_refused(post: Any) -> None:
    subscription = await post.active()
    large = FEED * 20

    async def streamed() -> Any:
        for _ in range(20):
            yield FEED

    assert (await push(post, large, signed(subscription.secret, large))).status_code == 413
    assert (await push(post, streamed(), signed(subscription.secret, large))).status_code == 413
    assert (await post.storage.hubs.counts()).waiting == 0


async def test_more_than_can_wait_is_left_to_a_poll(post: Any) -> None:
    subscription = await post.active()
    for number in range(MOST_WAITING + 1):
        await post.storage.hubs.push(subscription, FEED + b" " * number, None, post.clock())

    assert (await post.storage.hubs.counts()).waiting == MOST_WAITING
    assert (await post.storage.sources.get(SOURCE)).next_attempt == post.clock()


async def test_a_denial_ends_it_with_the_hubs_reason(post: Any) -> None:
    await post.active()
    assert (await post.verify(mode="denied", reason="not your topic")).status_code == 200
    found = await post.now()

    assert found.state is HubState.DENIED
    assert "not your topic" in found.message
    assert (await push(post, FEED, signed(found.secret, FEED))).status_code == 410
    post.clock.advance(timedelta(days=7))
    await post.office.tick()
    assert (await post.now()).state is HubState.ASKED
