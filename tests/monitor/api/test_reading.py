from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
from referencing import Registry, Resource

from config.model import Api
from monitor.api.app import create_api
from monitor.api.openapi import document
from storage.storage import Storage

LINES = {"Accept": "application/x-ndjson"}


async def get(api: aiohttp.ClientSession, path: str, status: int = 200, **headers: str) -> Any:
    async with api.get(path, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return json.loads(await answer.text())


def valid(value: Any, schema: str) -> None:
    whole = Resource.from_contents(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:api", **document("http://w.test")}
    )
    registry: Registry[Any] = whole @ Registry()
    jsonschema.Draft202012Validator({"$ref": f"urn:api#/components/schemas/{schema}"}, registry=registry).validate(
        value
    )


async def test_articles_are_read_to_the_end_by_their_cursor(api: aiohttp.ClientSession, store: Any) -> None:
    ids = [await store(f"k{n}") for n in range(5)]
    found, cursor, more = [], 0, True
    while more:
        page = await get(api, f"/v1/articles?limit=2&after={cursor}")
        valid(page, "Articles")
        found += [article["id"] for article in page["articles"]]
        cursor, more = page["cursor"], page["more"]
    assert found == ids
    assert await get(api, f"/v1/articles?after={cursor}") == {"articles": [], "cursor": cursor, "more": False}
    later = await store("k5")
    assert [a["id"] for a in (await get(api, f"/v1/articles?after={cursor}"))["articles"]] == [later]


async def test_articles_are_filtered(api: aiohttp.ClientSession, store: Any, clock: Any) -> None:
    first = await store("a", "Harga beras naik di pasar induk.")
    copy = await store("b", "Harga beras naik di pasar induk.", title="Salinan", copy_of=first)
    clock.advance(timedelta(hours=5))
    moment = clock().isoformat().replace("+00:00", "Z")
    english = await store("c", "Rice prices rise.", outlet="kabar", language="en")

    async def ids(query: str) -> list[str]:
        return [article["id"] for article in (await get(api, f"/v1/articles?{query}"))["articles"]]

    assert await ids("outlet=kabar") == [english]
    assert await ids("language=id") == await ids(f"until={moment}") == [first, copy]
    assert await ids(f"since={moment}") == [english]
    assert await ids("q=pasar+-rice&order=newest") == [copy, first]
    assert await ids("copies=false") == [first, english]
    assert await ids(f"cluster={first}") == [first, copy]
    assert await ids("order=newest&limit=1") == [english]


async def test_lines_stream_everything_that_fits(api: aiohttp.ClientSession, store: Any) -> None:
    ids = [await store(f"k{n}", "panjang " * 3000) for n in range(12)]
    async with api.get("/v1/articles", headers=LINES) as answer:
        assert answer.content_type == "application/x-ndjson"
        records = [json.loads(line) for line in (await answer.text()).splitlines()]
    assert [record["id"] for record in records] == ids
    for record in records:
        valid(record, "Article")
    async with api.get(f"/v1/events?limit=3&after={records[4]['cursor']}", headers=LINES) as answer:
        events = [json.loads(line) for line in (await answer.text()).splitlines()]
    assert [event["article_id"] for event in events] == ids[5:8]


async def test_an_article_has_its_revisions_and_an_etag(api: aiohttp.ClientSession, store: Any) -> None:
    name = await store("a", "Pertama.")
    async with api.get(f"/v1/articles/{name}") as answer:
        tag = answer.headers["ETag"]
        article = await answer.json()
    valid(article, "Article")
    assert article["text"] == "Pertama."
    async with api.get(f"/v1/articles/{name}", headers={"If-None-Match": f'"x", W/{tag}'}) as answer:
        assert (answer.status, await answer.read(), answer.headers["ETag"]) == (304, b"", tag)
    await store("a", "Kedua.")
    assert (await get(api, f"/v1/articles/{name}", **{"If-None-Match": tag}))["revision"] == 2
    revisions = await get(api, f"/v1/articles/{name}/revisions")
    valid(revisions, "Revisions")
    assert [r["article"]["text"] for r in revisions["revisions"]] == ["Pertama.", "Kedua."]
    first, second = revisions["revisions"]
    assert (first["diff"], first["materiality"]) == (None, None)
    assert second["diff"]["text"] == [
        {"op": "-", "text": "Pertama"}, {"op": "+", "text": "Kedua"}, {"op": "=", "text": "."},
    ]  # fmt: skip
    valid(await get(api, "/v1/articles/none", 404), "Error")
    valid(await get(api, "/v1/articles/none/revisions", 404), "Error")


async def test_events_sources_and_runs_are_what_is_described(
    api: aiohttp.ClientSession, store: Any, storage: Storage, clock: Any
) -> None:
    name = await store("a")
    await storage.articles.bury([await store("b")], "manual", clock())
    await storage.articles.retract(name, clock())
    events = await get(api, "/v1/events?outlet=warta-pagi")
    valid(events, "Events")
    assert [e["event"] for e in events["events"]] == ["new", "new", "retracted"]
    assert events["events"][1]["article"] is None
    assert events["cursor"] == 3
    assert [e["event"] for e in (await get(api, "/v1/events?event=retracted,moved"))["events"]] == ["retracted"]
    assert len((await get(api, "/v1/events?backfilled=true&materiality=0.5"))["events"]) == 3
    valid(await get(api, "/v1/events?event=gone", 400), "Error")
    valid(await get(api, "/v1/events?materiality=2", 400), "Error")
    sources = await get(api, "/v1/sources")
    valid(sources, "Sources")
    assert [s["id"] for s in sources["sources"]] == ["warta-pagi/utama"]
    runs = await get(api, "/v1/runs?source=warta-pagi/utama&limit=1")
    valid(runs, "Runs")
    assert runs["more"]
    assert runs["runs"][0]["stored"] == 1
    assert (await get(api, "/v1/runs?status=failed"))["runs"] == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/articles?limt=3", "unknown parameter 'limt'"),
        ("/v1/articles?limit=0", "limit is a number"),
        ("/v1/articles?limit=501", "limit is a number"),
        ("/v1/articles?after=-1", "after is a number"),
        ("/v1/articles?after=99999999999999999999", "after is a number"),
        ("/v1/articles?after=%D9%A1", "after is a number"),
        ("/v1/articles?since=yesterday", "since is a time"),
        ("/v1/articles?since=2026-11-23T08:00:00", "names no zone"),
        ("/v1/articles?since=0001-01-01T00:00:00%2B14:00", "since is a time"),
        ("/v1/articles?copies=maybe", "true or false"),
        ("/v1/articles?order=random", "one of oldest, newest"),
        ("/v1/articles?outlet=a&outlet=b", "given twice"),
        ("/v1/articles?outlet=%00", "outlet is text"),
        ("/v1/sources?x=1", "unknown parameter"),
        ("/v1/runs?status=fine", "status is one of"),
        ("/v1/runs?filter=stat:ok", "did you mean status:"),
        ("/v1/runs?filter=status:ok&outlet=kontan", "filter stands alone"),
        ("/v1/logs?filter=levle:error", "did you mean level:"),
    ],
)
async def test_a_parameter_that_cannot_be_understood_is_told(api: aiohttp.ClientSession, path: str, said: str) -> None:
    problem = await get(api, path, 400)
    valid(problem, "Error")
    assert said in problem["error"]


async def test_log_lines_are_found_by_the_words_of_the_command_line(api: aiohttp.ClientSession, tmp_path: Path) -> None:
    lines = [
        {"time": datetime.now(UTC).isoformat(), "level": "info", "outlet": o} for o in ("kontan", "detik", "kontan")
    ]
    (tmp_path / "warta.jsonl").write_text("".join(json.dumps(line | {"n": n}) + "\n" for n, line in enumerate(lines)))
    found = await get(api, "/v1/logs?filter=outlet:kontan+since:1h")
    valid(found, "Logs")
    assert [line["n"] for line in found["lines"]] == [2, 0]
    assert len((await get(api, "/v1/logs?limit=1"))["lines"]) == 1


async def test_runs_are_found_by_the_words_of_the_command_line(api: aiohttp.ClientSession, store: Any) -> None:
    await store("a")
    everything = await get(api, "/v1/runs")
    outlet = everything["runs"][0]["outlet_id"]
    some, none = await get(api, f"/v1/runs?filter=outlet:{outlet}"), await get(api, f"/v1/runs?filter=-outlet:{outlet}")
    valid(some, "Runs")
    assert (some["runs"], none["runs"]) == (everything["runs"], [])


async def test_a_source_says_what_led_to_its_next_attempt(api: aiohttp.ClientSession, store: Any) -> None:
    await store("a")
    (first, *_) = (await get(api, "/v1/sources"))["sources"]
    told = await get(api, f"/v1/sources/{first['id']}")
    valid(told, "SourceInFull")
    assert told["next_because"][0]["text"] == "never polled to an end: a source is first polled within seconds"


async def test_hostile_searches_find_nothing_and_break_nothing(api: aiohttp.ClientSession, store: Any) -> None:
    await store("a")
    for query in ('"', "-", '" OR 1=1 --', "a* NEAR(b)", "'; DROP TABLE articles", "\u202e", "-judul"):
        async with api.get("/v1/articles", params={"q": query}) as answer:
            assert answer.status == 200
            assert (await answer.json())["articles"] == []


async def test_every_route_is_described_and_every_description_has_its_route(
    api: aiohttp.ClientSession, storage: Storage
) -> None:
    described = await get(api, "/v1/openapi.json")
    routes = {route.path.replace(":str", "") for route in create_api(storage, Api()).routes}  # type: ignore[attr-defined]
    assert set(described["paths"]) == routes
    assert described["openapi"] == "3.1.0"
    for schema in described["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for path in described["paths"].values():
        for parameter in path["get"].get("parameters", ()):
            jsonschema.Draft202012Validator.check_schema(parameter["schema"])


async def test_what_is_not_there_and_what_may_not_be_done(api: aiohttp.ClientSession) -> None:
    valid(await get(api, "/v1/nothing", 404), "Error")
    async with api.post("/v1/articles") as answer:
        assert answer.status == 405
    valid(await get(api, "/v1/sources/kabar/nowhere", 404), "Error")
    async with api.head("/v1/articles") as answer:
        assert answer.status == 200
