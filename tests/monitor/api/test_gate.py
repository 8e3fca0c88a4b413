from __future__ import annotations

import base64
import hashlib
import time
from typing import Any

import pytest

from config.model import Api
from monitor.api.app import create_api
from monitor.api.gate import OpenToEverybody
from monitor.api.serve import ApiServer, CannotListen
from storage.storage import Storage

TOKEN = "a-token-of-the-reader"


async def status(api: Any, **headers: str) -> int:
    async with api.get("/v1/sources", headers=headers) as answer:
        return int(answer.status)


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"reader:{password}".encode()).decode()


@pytest.mark.parametrize("configured", [TOKEN, "sha256:" + hashlib.sha256(TOKEN.encode()).hexdigest()])
async def test_a_token_opens_and_nothing_else_does(serve: Any, configured: str) -> None:
    api = await serve(tokens=("another-token-of-16", configured))
    assert await status(api, Authorization=f"Bearer {TOKEN}") == 200
    assert await status(api, Authorization=basic(TOKEN)) == 200
    for wrong in ("", f"Bearer {TOKEN}x", "Bearer", TOKEN, basic("x"), "Basic ???", f"Digest {TOKEN}", configured):
        assert await status(api, Authorization=wrong) == 401
    async with api.get("/feeds/all.rss") as answer:
        assert answer.status == 401
        assert "Basic" in answer.headers["WWW-Authenticate"]


async def test_the_hash_of_a_token_is_not_the_token(serve: Any) -> None:
    stored = "sha256:" + hashlib.sha256(TOKEN.encode()).hexdigest()
    api = await serve(tokens=(stored,))
    assert await status(api, Authorization=f"Bearer {stored}") == 401


async def test_a_page_elsewhere_cannot_read_a_local_api_through_its_own_name(serve: Any) -> None:
    api = await serve(hosts=("api.warta.test", "*.intern.test"))
    for good in ("localhost", "127.0.0.1:8470", "[::1]:8470", "api.warta.test", "API.Warta.Test.", "a.intern.test"):
        assert await status(api, Host=good) == 200, good
    for bad in ("evil.test", "127.0.0.1.evil.test", "intern.test", "localhost.evil.test", "xapi.warta.test", "[::2]"):
        assert await status(api, Host=bad) == 421, bad


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
async def test_an_api_that_others_reach_is_not_made_without_a_token(storage: Storage, host: str) -> None:
    with pytest.raises(OpenToEverybody, match="open to everybody"):
        create_api(storage, Api(host=host))
    create_api(storage, Api(host=host, tokens=(TOKEN,)))


async def test_a_taken_port_is_told(storage: Storage) -> None:
    first = ApiServer(create_api(storage, Api()), Api(port=0))
    port = int(first.address.rpartition(":")[2])
    with pytest.raises(CannotListen, match=f"127.0.0.1:{port}"):
        ApiServer(create_api(storage, Api()), Api(port=port))
    first._socket.close()


async def test_small_answers_do_not_wait_for_the_readers_acknowledgement(serve: Any) -> None:
    """Without TCP_NODELAY each of these takes 40 ms, the time that a kernel delays an acknowledgement."""
    api = await serve()
    await status(api)
    times = []
    for _ in range(25):
        began = time.perf_counter()
        await status(api)
        times.append(time.perf_counter() - began)
    assert sorted(times)[5] < 0.03
