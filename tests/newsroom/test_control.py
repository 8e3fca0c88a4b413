from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from newsroom.misbehaviour import TABLE
from newsroom.press import Newsroom


def test_the_clock_is_set_skipped_and_sped(newsroom: Newsroom, client: Any) -> None:
    assert client.control("clock", now="2026-08-20T08:00:00+07:00")["now"] == "2026-08-20T01:00:00+00:00"
    client.control("clock", forward=3600)
    assert newsroom.clock.now() == datetime.fromisoformat("2026-08-20T02:00:00+00:00")
    assert client.control("clock", speed=60)["speed"] == 60


def test_stories_are_published_revised_run_again_copied_and_retracted(
    newsroom: Newsroom, client: Any, press: Any
) -> None:
    stories = client.control("publish", outlet="kabarniaga", count=3, over=60, channel="investasi")
    assert [client.get(s["url"]).status for s in stories] == [200, 404, 404]
    newsroom.clock.forward(timedelta(minutes=2))
    assert [client.get(s["url"]).status for s in stories] == [200, 200, 200]
    number = stories[0]["number"]
    assert client.control("revise", outlet="kabarniaga", number=number, change="append")["change"] == "append"
    again = client.control("again", outlet="kabarniaga", number=number, kind="duplicate")
    wire = client.control("publish", outlet="kantorberita")[0]
    copy = client.control("copy", outlet="arahpena", number=wire["number"])
    client.control("retract", outlet="kabarniaga", number=stories[1]["number"])
    told = {r["key"]: r for r in json.loads(client.get(f"{press.base}/_control/ledger").body)}
    assert [r[1] for r in told[stories[0]["key"]]["revisions"]][-1] == "append"
    assert told[again["key"]]["duplicate_of"] == stories[0]["key"]
    assert told[copy["key"]]["copy_of"] == wire["key"]
    assert told[stories[1]["key"]]["retracted"]


def test_misbehaviour_begins_and_ends(client: Any) -> None:
    url = client.source("gemanusa/rdf")
    rule = client.control("misbehave", name="status_503", source="gemanusa/rdf", options={"retry_after": 90})
    got = client.get(url)
    assert (got.status, got.headers["retry-after"]) == (503, "90")
    client.control("behave", id=rule["id"])
    assert client.get(url).status == 200


def test_what_cannot_be_done_is_400_and_says_why(client: Any) -> None:
    status, answer = client.control("misbehave", name="kucing")
    assert status == 400
    assert "truncated_gzip" in answer["error"]
    assert client.control("clock", now="2026-08-20T08:00:00")[0] == 400
    assert client.control("publish", outlet="tidakada")[0] == 400
    assert client.control("publish")[0] == 400


def test_visits_and_the_table_of_misbehaviours_can_be_read(client: Any, press: Any) -> None:
    client.get(client.source("gemanusa/rdf"), User_Agent="tester/1")
    visits = json.loads(client.get(f"{press.base}/_control/visits?host=www.gemanusa.test").body)
    assert [(v["path"], v["status"], v["user_agent"]) for v in visits] == [("/index.rdf", 200, "tester/1")]
    table = json.loads(client.get(f"{press.base}/_control/misbehaviours").body)
    assert set(table) == set(TABLE)
    assert all(m["says"].endswith(".") and "\n" not in m["says"] for m in table.values())
