# ruff: noqa: E501 (YAML keeps its lines)
from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import files
from config.errors import ConfigError
from config.files import read_bytes
from config.load import Watched, explain, fingerprint, load
from config.model import Adaptive, Cron, Every, Limits, RobotsPolicy, Selector, SelectorKind, SourceKind

OUTLET = "name: W\nhomepage: https://w.test\nsources:\n"
FEED = "  - {name: all, kind: feed, url: https://w.test/rss}\n"


def test_an_empty_file_is_the_default_set_up(loaded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = loaded("")
    assert (found.redis, found.database, found.data_dir) == ("embedded", "embedded", tmp_path / "data")
    assert found.limits == Limits()
    assert found.outlets[0].sources[0].schedule == Adaptive(timezone=ZoneInfo("UTC"))
    assert found.outlets[0].hosts == ("warta.test", "www.warta.test")
    assert found.reactor == "none"


def test_a_directory_stands_for_the_warta_yaml_in_it(write):
    assert load(write("").parent, {}).path.name == "warta.yaml"


def test_every_key_of_the_main_file_arrives(loaded, tmp_path):
    found = loaded(
        "data_dir: /srv/warta\nredis: redis://:geheim@r.test/1\ndatabase: postgresql://u:p%40ss@d.test/w\n"
        "user_agent: x/1 (a@b.test)\nallow_networks: [127.0.0.0/8]\nresolve: {'*.test': 127.0.0.1}\n"
        "limits: {feed_bytes: 1MiB, page_bytes: 4096, feed_seconds: 5s, page_seconds: 7, ports: [80, 8000]}\n"
        "workers: {concurrency: 3, parse_processes: 1}\nreactor: asyncio\nshutdown_grace: 5s\nseen_ttl: 90d\n"
        "log_level: debug\n"
    )
    assert found.data_dir == Path("/srv/warta")
    assert found.resolve == (("*.test", "127.0.0.1"),)
    assert str(found.allow_networks[0]) == "127.0.0.0/8"
    assert (found.limits.feed_bytes, found.limits.page_bytes) == (2**20, 4096)
    assert (found.limits.feed_seconds, found.limits.page_seconds) == (5.0, 7.0)
    assert found.limits.ports == {80, 8000}
    assert (found.worker_concurrency, found.parse_processes, found.reactor) == (3, 1, "asyncio")
    assert (found.shutdown_grace, found.seen_ttl) == (timedelta(seconds=5), timedelta(days=90))
    assert found.politeness.user_agent == "x/1 (a@b.test)"
    assert found.secrets == {"geheim", "p%40ss", "p@ss"}


def test_a_database_may_be_at_a_socket(loaded):
    assert loaded("database: postgresql://u@/w?host=/run/postgresql\n").database.endswith("/run/postgresql")


def test_the_most_specific_level_wins(loaded, write):
    warta = (
        "defaults: {schedule: {every: 30m, jitter: 20%}, politeness: {delay: 1s, robots: ignore}, language: en, priority: 7}\n"
        "groups: {world: {politeness: {delay: 2s}, timezone: Asia/Jakarta}}\n"
    )
    outlet = (
        "name: W\nhomepage: https://w.test\ngroup: world\nlanguage: id\nsources:\n"
        "  - {name: a, kind: feed, url: https://w.test/a}\n"
        "  - {name: b, kind: feed, url: https://w.test/b, schedule: {every: 5m}, politeness: {delay: 9s}, priority: 1}\n"
        "  - {name: c, kind: feed, url: https://w.test/c, schedule: {cron: '0 6 * * mon-fri'}}\n"
    )
    found = loaded(warta, w=outlet).outlets[0]
    a, b, c = found.sources
    assert (found.language, found.timezone.key) == ("id", "Asia/Jakarta")
    assert (a.politeness.delay, a.politeness.robots) == (timedelta(seconds=2), RobotsPolicy.IGNORE)
    assert (a.schedule, a.priority) == (Every(interval=timedelta(minutes=30), jitter=0.2), 7)
    assert (b.schedule, b.priority) == (Every(interval=timedelta(minutes=5), jitter=0.2), 1)
    assert b.politeness.delay == timedelta(seconds=9)
    assert isinstance(c.schedule, Cron)
    assert (c.schedule.timezone.key, c.schedule.jitter) == ("Asia/Jakarta", None)
    told = explain(write(warta, w=outlet), {})
    directory = write(warta, w=outlet).parent
    assert told["w/b.schedule.every"] == (timedelta(minutes=5), f"{directory}/outlets/w.yaml:7")
    assert told["w/b.schedule.jitter"] == (0.2, f"{directory}/warta.yaml:1")
    assert told["w/a.priority"] == (7, f"{directory}/warta.yaml:1")
    assert told["w.politeness.delay"] == (timedelta(seconds=2), f"{directory}/warta.yaml:2")
    assert told["w.politeness.concurrency"] == (1, "default")


def test_a_source_cannot_switch_itself_on_in_an_outlet_that_is_off(loaded):
    source = "  - {name: a, kind: feed, url: https://w.test/a, enabled: true}\n"
    found = loaded("", w=OUTLET + source + "enabled: false\n").outlets[0]
    assert (found.enabled, found.sources[0].enabled) == (False, False)


def test_what_a_group_switches_off_an_outlet_can_switch_on(loaded):
    groups = "groups: {g: {enabled: false}}"
    on = loaded(groups, w=OUTLET + FEED + "group: g\nenabled: true\n").outlets[0]
    off = loaded(groups, w=OUTLET + FEED + "group: g\n").outlets[0]
    assert (on.enabled, on.sources[0].enabled, off.enabled, off.sources[0].enabled) == (True, True, False, False)


def test_everything_an_outlet_can_say_arrives(loaded):
    found = loaded("", w="""\
id: w
name: W
homepage: https://www.w.test
country: ID
hosts: ["*.W.test", bücher.test]
brands: [W.TEST]
notes: |
  Known.
sources:
  - {name: map, kind: sitemap, url: https://w.test/map.xml, sitemap_follow: news, headers: {X-A: b}, section: S}
  - name: list
    kind: listing
    url: https://w.test/{date:%Y/%m/%d}?page={page}
    listing: {item: li, link: [a, {xpath: ".//b/@href"}], title: h1, date: time, pages: 3, first: 0, step: 20, next: a.n}
article:
  - title: h1
    body: {css: div.body}
    body_stop_comment: end
  - {title: h2, valid_until: 2020-01-31}
boilerplate: {line_start: [a], line_exact: [b], contains: [c], cut_after: [d]}
urls:
  article: '/read/\\d+'
  skip: '/video/'
  key: '/read/(?P<id>\\d+)'
  full_page: ?page=all
  keep_query: [id]
  host_aliases: {amp.w.test: www.w.test}
""").outlets[0]  # fmt: skip
    assert found.hosts == ("*.w.test", "xn--bcher-kva.test")
    sitemap, listing = found.sources
    assert (sitemap.kind, sitemap.sitemap_follow, sitemap.headers) == (SourceKind.SITEMAP, "news", (("X-A", "b"),))
    assert sitemap.declared_at.endswith("outlets/w.yaml:10")
    assert listing.listing.link == (Selector("a"), Selector(".//b/@href", SelectorKind.XPATH))
    assert (listing.listing.pages, listing.listing.first, listing.listing.step) == (3, 0, 20)
    old, now = found.rules
    assert (old.valid_until.isoformat(), old.title) == ("2020-01-31", (Selector("h2"),))
    assert (now.valid_until, now.body, now.body_stop_comment) == (None, (Selector("div.body"),), "end")
    assert (found.urls.skip, found.urls.keep_query) == (("/video/",), ("id",))
    assert found.urls.host_aliases == (("amp.w.test", "www.w.test"),)
    assert found.boilerplate.cut_after == ("d",)
    assert found.notes == "Known."


def test_rules_that_all_ended_leave_generic_extraction_in_force(loaded):
    rules = loaded("", w=OUTLET + FEED + "article: [{title: h1, valid_until: 2020-01-31}]\n").outlets[0].rules
    assert [rule.valid_until is None for rule in rules] == [False, True]
    assert rules[1].title == ()


def test_secrets_come_from_the_environment_and_are_remembered(loaded):
    source = (
        "  - {name: a, kind: feed, url: https://w.test/a, headers: {Authorization: 'Bearer ${TOKEN}', Cookie: abc}}\n"
    )
    environ = {"TOKEN": "t0k3n", "PASS": "p@ss", "OTHER": "x"}
    found = loaded("redis: redis://:${PASS}@127.0.0.1/0", environ, w=OUTLET + source)
    assert found.outlets[0].sources[0].headers == (("Authorization", "Bearer t0k3n"), ("Cookie", "abc"))
    assert {"t0k3n", "p@ss", "Bearer t0k3n", "abc"} <= found.secrets
    assert "x" not in found.secrets


def test_all_problems_of_all_files_are_told_at_once(problems):
    found = problems(
        "log_level: verbose\nworkers: {concurrency: 0}\nredis: redis://r.test\n",
        a="name: [\n",
        b=OUTLET + "  - {name: all, kind: feed, url: https://w.test/rss, every: 5m}\nenabld: true\n",
        c=OUTLET + FEED + "group: nope\nlanguage: 5\n",
        d="\tname: x\n",
    )
    assert [line.split(": ")[0] for line in found] == [
        "outlets/a.yaml:2:1",
        "outlets/b.yaml:4:54",
        "outlets/b.yaml:5:1",
        "outlets/c.yaml:4:34",
        "outlets/c.yaml:5:8",
        "outlets/c.yaml:6:11",
        "outlets/d.yaml:1:1",
        "warta.yaml:1:12",
        "warta.yaml:2:24",
        "warta.yaml:3:8",
    ]


def test_a_missing_main_file_is_one_plain_problem(tmp_path):
    with pytest.raises(ConfigError, match=r"warta\.yaml:1:1: cannot be read: No such file or directory"):
        load(tmp_path / "warta.yaml", {})


def test_the_fingerprint_follows_contents_additions_and_removals(write):
    path = write("")
    first = load(path, {}).fingerprint
    assert fingerprint(path) == first
    path.write_text("log_level: debug")
    second = fingerprint(path)
    extra = path.parent / "outlets" / "extra.yaml"
    extra.write_text("broken: [")
    third = fingerprint(path)
    extra.unlink()
    assert len({first, second, third}) == 3
    assert fingerprint(path) == second
    path.unlink()
    assert fingerprint(path) not in {first, second, third}


def test_a_watched_configuration_reads_only_what_was_touched(write, monkeypatch):
    path = write("")
    extra = path.parent / "outlets" / "extra.yaml"
    extra.write_text("id: extra")
    for file in (path, *extra.parent.iterdir()):
        os.utime(file)
    monkeypatch.setattr(files, "_SETTLED", -(10**12))  # whatever was written is long ago
    watched, read = Watched(path), []
    monkeypatch.setattr(files, "read_bytes", lambda file: read.append(file.name) or read_bytes(file))
    first = watched.fingerprint()
    assert first == fingerprint(path)
    read.clear()
    assert watched.fingerprint() == first
    assert read == ["warta.yaml"]
    extra.write_text("id: extras")
    assert watched.fingerprint() == fingerprint(path) != first
    extra.unlink()
    assert watched.fingerprint() == fingerprint(path) != first


def test_a_file_written_a_moment_ago_is_read_again(write):
    path = write("")
    extra = path.parent / "outlets" / "extra.yaml"
    extra.write_text("id: extra")
    watched = Watched(path)
    first, touched = watched.fingerprint(), extra.stat()
    extra.write_text("id: other")
    os.utime(extra, ns=(touched.st_atime_ns, touched.st_mtime_ns))
    assert watched.fingerprint() != first


def refusal(path: Path) -> ConfigError | None:
    try:
        load(path, {"X": "y"})
    except ConfigError as error:
        return error
    return None


YAMLISH = st.recursive(
    st.sampled_from(
        ["x", "5m", "10%", "true", "''", "~", "https://w.test/a", "${X}", "1e999", "*a", "&a b", "!!python/x y", "\x00", "{page}"]
    )
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")
    | st.dictionaries(
        st.sampled_from(
            ["name", "homepage", "sources", "url", "kind", "schedule", "every", "cron", "listing", "article", "headers", "groups", "<<", "redis", "outlets", "limits", "defaults", "valid_until", "xpath"]
        ),
        inner,
        max_size=4,
    ).map(lambda d: "{" + ", ".join(f"{k}: {v}" for k, v in d.items()) + "}"),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(warta=YAMLISH, outlet=YAMLISH)
def test_no_text_makes_loading_raise_anything_but_its_own_error(write, warta, outlet):
    error = refusal(write(warta.encode("utf-8", "surrogatepass"), w=outlet.encode("utf-8", "surrogatepass")))
    assert error is None or error.problems
    assert all(p.line >= 1 and p.column >= 1 for p in (error.problems if error else ()))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200))
def test_no_bytes_make_loading_raise_anything_but_its_own_error(write, raw):
    with pytest.raises(ConfigError):
        load(write(b"", w=raw), {})
