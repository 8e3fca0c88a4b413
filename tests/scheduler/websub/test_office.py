"""Subscriptions are asked for, renewed and ended in time, and sources go back to polling when hubs fail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.model import Adaptive, Outlet, Politeness, Source, SourceKind, WebSub
from scheduler.websub import policy
from scheduler.websub.client import HubClient
from storage.hubs import HubState

from .conftest import SOURCE, TOPIC, settings_for

POLITE = Politeness(user_agent="warta/0.1")
OUTLET = Outlet(
    id="kabar", name="Kabar", homepage="https://kabar.test/", group=None, language="id", timezone=ZoneInfo("UTC"),
    hosts=("kabar.test",), politeness=POLITE,
    sources=(
        Source(
            id=SOURCE, outlet_id="kabar", name="main", kind=SourceKind.FEED, url=TOPIC, schedule=Adaptive(),
            politeness=POLITE,
        ),
    ),
)  # fmt: skip


async def test_a_hub_is_asked_once_with_topic_callback_secret_and_lease(post: Any) -> None:
    offered = await post.offered()
    await post.office.tick()
    await post.office.tick()

    ((path, form),) = post.hub.got
    assert path == "/hub"
    assert form == {
        "hub.mode": "subscribe", "hub.topic": TOPIC, "hub.callback": f"https://warta.test/hooks/{offered.id}",
        "hub.secret": offered.secret, "hub.lease_seconds": "864000",
    }  # fmt: skip
    assert (await post.now()).state is HubState.ASKED


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_that_keeps_the_method_is_followed(post: Any, status: int) -> None:
    post.hub.answers = [(status, {"Location": "/moved"})]
    await post.offered()
    await post.office.tick()

    assert [path for path, _ in post.hub.got] == ["/hub", "/moved"]
    assert post.hub.got[0][1] == post.hub.got[1][1]


async def test_other_redirects_and_endless_ones_are_refusals(post: Any) -> None:
    post.hub.answers = [(302, {"Location": "/moved"})]
    await post.offered()
    await post.office.tick()
    assert (await post.now()).message == "127.0.0.1 answers HTTP 302"

    post.hub.answers = [(307, {"Location": "/moved"})] * 9
    post.clock.advance(timedelta(hours=1))
    await post.office.tick()
    assert "after 5 redirects" in (await post.now()).message


async def test_refusals_are_repeated_later_and_later_and_retry_after_is_heard(post: Any) -> None:
    post.hub.answers = [(500, {}), (500, {}), (429, {"Retry-After": "7200"})]
    await post.offered()
    waits = []
    for _ in range(3):
        await post.office.tick()
        found = await post.now()
        waits.append(found.act_at - post.clock())
        post.clock.moment = found.act_at

    assert waits == [timedelta(minutes=5), timedelta(minutes=10), timedelta(hours=2)]
    assert found.state is HubState.OFFERED
    assert "so it is" in found.message


async def test_a_lease_is_renewed_before_it_ends_and_news_flow_meanwhile(post: Any) -> None:
    await post.active()
    post.clock.advance(timedelta(hours=19))
    await post.office.tick()
    assert len(post.hub.got) == 1
    post.clock.advance(timedelta(hours=1))
    await post.office.tick()

    assert len(post.hub.got) == 2
    assert (await post.now()).state is HubState.ACTIVE
    await post.verify()
    assert (await post.now()).lease_until == post.clock() + timedelta(days=1)


async def test_a_lease_that_ends_sends_the_source_back_to_polling(make_post: Any) -> None:
    post = await make_post(outlets=[OUTLET])
    await post.active()
    post.hub.answers = [(503, {})] * 20
    for _ in range(26):
        post.clock.advance(timedelta(hours=1))
        await post.storage.sources.reschedule(SOURCE, post.clock() + timedelta(hours=5))
        await post.office.tick()
        found = await post.now()
        if not found.is_active(post.clock()):
            break

    assert found.state is HubState.OFFERED
    assert post.clock() >= found.verified_at + timedelta(days=1)
    state = await post.storage.sources.get(SOURCE)
    assert state.next_attempt <= post.clock() + timedelta(minutes=1)


async def test_a_denial_sends_the_source_back_to_polling(make_post: Any) -> None:
    post = await make_post(outlets=[OUTLET])
    await post.active()
    await post.verify(mode="denied")

    assert (await post.storage.sources.get(SOURCE)).next_attempt <= post.clock() + timedelta(minutes=1)


async def test_a_source_that_names_another_hub_leaves_the_old_one(post: Any) -> None:
    former = await post.active()
    await post.storage.hubs.offer(SOURCE, [post.hub.url + "/2"], TOPIC, post.clock())
    await post.office.tick()

    modes = {path: form["hub.mode"] for path, form in post.hub.got[1:]}
    assert modes == {"/hub": "unsubscribe", "/hub/2": "subscribe"}
    form = next(form for path, form in post.hub.got[1:] if path == "/hub")
    query = {"hub.mode": "unsubscribe", "hub.topic": TOPIC, "hub.challenge": "bye"}
    assert (await post.http.get(form["hub.callback"], params=query)).text == "bye"
    assert await post.storage.hubs.get(former.id) is None


async def test_a_source_without_a_hub_any_more_is_unsubscribed_and_forgotten_even_by_a_silent_hub(post: Any) -> None:
    former = await post.active()
    assert await post.storage.hubs.offer(SOURCE, [], TOPIC, post.clock()) is None
    for _ in range(5):
        await post.office.tick()
        post.clock.advance(timedelta(hours=2))

    assert [form["hub.mode"] for _, form in post.hub.got] == ["subscribe", *["unsubscribe"] * 3]
    assert await post.storage.hubs.get(former.id) is None


async def test_a_source_that_is_taken_out_of_service_is_unsubscribed(post: Any) -> None:
    former = await post.active()
    await post.storage.sources.remove([SOURCE], post.clock())
    await post.office.tick()

    assert post.hub.got[-1][1]["hub.mode"] == "unsubscribe"
    assert (await post.storage.hubs.get(former.id)).state is HubState.LEAVING


async def test_a_hub_that_pleases_is_kept_when_a_source_names_several(post: Any) -> None:
    former = await post.active()
    kept = await post.storage.hubs.offer(SOURCE, ["https://new.test/", post.hub.url], TOPIC, post.clock())

    assert (kept.id, kept.hub, kept.state) == (former.id, former.hub, HubState.ACTIVE)
    assert kept.hubs == ("https://new.test/", post.hub.url)


async def test_the_hubs_that_a_source_names_are_tried_in_their_order_until_one_verifies(post: Any) -> None:
    names = [post.hub.url, post.hub.url + "/2", post.hub.url + "/3"]
    post.hub.answers = [(500, {})]
    await post.storage.hubs.offer(SOURCE, names, TOPIC, post.clock())
    await post.office.tick()  # the first refuses
    await post.office.tick()  # the second takes it and never asks back
    silent = post.hub.got[-1][1]
    for _ in range(3):
        await post.office.tick()
    post.clock.advance(policy.VERIFICATION)
    await post.office.tick()
    await post.office.tick()

    assert [path for path, _ in post.hub.got] == ["/hub", "/hub/2", "/hub/3"]
    assert len({form["hub.secret"] for _, form in post.hub.got}) == 3
    assert (await post.verify()).text == "c-4711"
    found = await post.now()
    assert (found.hub, found.state, found.attempts) == (names[2], HubState.ACTIVE, 0)
    query = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "late"}
    assert (await post.http.get(silent["hub.callback"], params=query)).status_code == 404


async def test_once_all_hubs_have_refused_they_are_asked_again_later_and_later(post: Any) -> None:
    names = [post.hub.url, post.hub.url + "/2"]
    post.hub.answers = [(500, {})] * 6
    await post.storage.hubs.offer(SOURCE, names, TOPIC, post.clock())
    waits = []
    for _ in range(6):
        await post.office.tick()
        found = await post.now()
        waits.append((found.act_at - post.clock()) // timedelta(minutes=1))
        post.clock.moment = found.act_at

    assert [path for path, _ in post.hub.got] == ["/hub", "/hub/2"] * 3
    assert waits == [0, 5, 0, 10, 0, 20]


async def test_a_hub_that_denies_gives_way_to_the_next(make_post: Any) -> None:
    post = await make_post(outlets=[OUTLET])
    await post.active()
    await post.storage.hubs.offer(SOURCE, [post.hub.url, post.hub.url + "/2"], TOPIC, post.clock())
    await post.verify(mode="denied", reason="no room")
    await post.office.tick()

    assert post.hub.got[-1][0] == "/hub/2"
    assert "no room" in (await post.now()).message
    assert (await post.verify()).text == "c-4711"
    assert (await post.now()).hub == post.hub.url + "/2"


async def test_another_callback_starts_anew_with_another_secret(post: Any, make_post: Any) -> None:
    former = await post.active()
    again = await make_post(websub=WebSub(callback="https://warta.test/elsewhere"))
    await again.office.tick()

    found = await again.now()
    assert found.state is HubState.ASKED
    assert found.id != former.id
    assert found.secret != former.secret
    assert again.hub.got[-1][1]["hub.callback"] == f"https://warta.test/elsewhere/{found.id}"


async def test_a_restart_keeps_what_was_verified(post: Any, make_post: Any) -> None:
    former = await post.active()
    again = await make_post()
    await again.office.tick()

    assert await again.now() == former
    assert len(again.hub.got) == 1


async def test_a_hub_on_a_private_address_is_never_connected_to(hub: Any, clock: Any) -> None:
    async def lookup(host: str) -> list[str]:
        return ["127.0.0.1"]

    client = HubClient(settings_for(hub.url, allow_networks=()), now=clock, lookup=lookup)
    port = hub.url.rpartition(":")[2]
    refusals = [await client.ask(url, {}) for url in (hub.url, f"http://hub.test:{port}", "file:///etc/passwd")]
    other_port = await client.ask("http://hub.test:22/", {})
    await client.close()

    assert all("not a public address" in refusal.message for refusal in refusals[:2])
    assert "is not asked" in refusals[2].message
    assert "port 22" in other_port.message
    assert not hub.got


async def test_hubs_wait_until_there_is_a_callback(make_post: Any) -> None:
    deaf = await make_post()
    deaf.office._websub = None
    await deaf.offered()
    await deaf.office.tick()
    assert not deaf.hub.got
    assert (await deaf.now()).act_at is None

    listening = await make_post()
    await listening.office.tick()
    assert (await listening.now()).state is HubState.ASKED
