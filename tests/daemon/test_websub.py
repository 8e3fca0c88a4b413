"""A hub, a daemon and a press as processes and sockets: what is published is stored before anybody asks."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from newsroom.serve import Running

from .conftest import Warta

pytestmark = [pytest.mark.daemon, pytest.mark.timeout(240)]

FEED = "/index.rdf"


def test_what_a_hub_pushes_is_stored_without_a_poll(warta: Warta, press: Running) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def listen(document: dict[str, Any]) -> None:
        document["websub"] = {"callback": f"http://127.0.0.1:{port}/hooks/", "listen": f"127.0.0.1:{port}"}
        document["defaults"]["schedule"] = {"adaptive": {"floor": "1h", "ceiling": "6h"}}

    def name(document: dict[str, Any]) -> None:
        document["sources"][0]["name"] = "umum"  # among the first after a start, which are spread over seconds

    (warta.directory / "outlets" / "datakini.yaml").unlink()
    warta.edit(name, "outlets/gemanusa.yaml")
    warta.edit(listen)
    press.newsroom.publish("gemanusa", 2)
    warta.start()
    warta.until(lambda: press.newsroom.hub.subscribers, what="a verified subscription")
    pending = "select count(*) from fates where kind = 'pending'"
    warta.until(lambda: warta.articles() > 0 and not warta.count(pending), 30, "the first poll's articles")
    polls, before = len([v for v in press.newsroom.visits if v.path == FEED]), warta.articles()

    press.newsroom.publish("gemanusa", 3)
    warta.until(lambda: warta.articles() == before + 3, 30, "the pushed articles")

    assert len([v for v in press.newsroom.visits if v.path == FEED]) == polls
    assert warta.count("select count(*) from runs where trigger = 'push' and stored = 3") == 1
    told = warta.rows("why", "gemanusa")[0]
    assert told["hub"]["pushes"] == 1
    assert "pushes news as they come" in told["hub"]["text"]
    assert told["hub"]["safety_poll"] == told["next_attempt"]
    (hub,) = warta.rows("hubs")
    assert (hub["state"], hub["proven"]) == ("active", True)
    assert not {"secret", "id", "callback"} & set(hub)
    warta.until(lambda: not warta.count("select count(*) from runs where status = 'running'"), 30, "rest")
    assert warta("audit").returncode == 0
