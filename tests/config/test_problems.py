# ruff: noqa: E501 (a message stands on one line, as it is printed)
"""One line for each kind of problem: where it points, what it says, what it advises."""

from __future__ import annotations

import pytest

HEAD = "name: W\nhomepage: https://w.test\nsources:\n"
FEED = "  - {name: all, kind: feed, url: https://w.test/rss}\n"

MAIN = [
    ("databse: embedded", "1:1: databse: unknown key 'databse' (did you mean database?)"),
    ("limits: {feed_byte: 1MiB}", "1:10: limits.feed_byte: unknown key 'feed_byte' (did you mean feed_bytes?)"),
    ("defaults: {every: 5m}", "1:12: defaults.every: unknown key 'every' (did you mean schedule: {every: …}?)"),
    ("defaults: {<<: 5}", "1:12: defaults.<<: merge keys are not part of YAML 1.2 (did you mean defaults or groups in warta.yaml?)"),
    ("outlets: x", "1:10: outlets: text stands here (expected a list)"),
    ("outlets: [nope/*.yaml]", "1:11: outlets[0]: 'nope/*.yaml' matches no file"),
    ("limits: {feed_bytes: 8M}", "1:22: limits.feed_bytes: '8M' is not a size (expected a size with its unit, such as 512KiB or 8MiB; did you mean 8MiB?)"),
    ("limits: {feed_bytes: 1B}", "1:22: limits.feed_bytes: this size is out of range (expected between 1KiB and 1024GiB)"),
    ("limits: {feed_seconds: 0s}", "1:24: limits.feed_seconds: this limit is out of range (expected more than 0s, at most 1h)"),
    ("limits: {ports: [80, 70000]}", "1:22: limits.ports[1]: 70000 is out of range (expected at most 65,535)"),
    ("seen_ttl: 60 days", "1:11: seen_ttl: '60 days' is not a duration (expected a duration with its unit, such as 500ms, 2s, 10m or 1h30m; did you mean 60d?)"),
    ("shutdown_grace: 20", "1:17: shutdown_grace: 20 has no unit (expected a duration with its unit, such as 500ms, 2s, 10m or 1h30m)"),
    ("reactor: asynci", "1:10: reactor: 'asynci' is not a choice (expected none or asyncio; did you mean asyncio?)"),
    ("allow_insecure_redis: yes", "1:23: allow_insecure_redis: text stands here (expected true or false; did you mean true?)"),
    ("redis: redis://r.test/0", "1:8: redis: Redis on r.test has no password, so anybody who reaches it rules this crawler (expected redis://:${REDIS_PASSWORD}@host, or allow_insecure_redis: true)"),
    ("redis: reddis://:geheim@r.test", "1:8: redis: not a usable address (expected embedded, redis://…, rediss://… or unix:///…; did you mean redis?)"),
    ("database: embeded", "1:11: database: this is not an address (expected embedded, postgresql://… or sqlite:///…; did you mean embedded?)"),
    ("database: postgresql://u:${NOPE}@h/d", "1:11: database: environment variable NOPE is not set (expected a value in the environment)"),
    ("database: postgresql://u:${PASSWRD}@h/d", "1:11: database: environment variable PASSWRD is not set (expected a value in the environment; did you mean PASSWORD?)"),
    ("data_dir: ${HOME}/x", "1:11: data_dir: ${…} is for secrets only (expected the value itself; ${NAME} works in redis, database, headers, api.tokens, monitor.password, deliver and alerts)"),
    ("redis: redis://${A", "1:8: redis: this ${ is not closed (expected ${NAME})"),
    ("user_agent: bot", "1:13: user_agent: the user agent tells nobody whom to ask (expected a name, a version and a contact, such as: example-news/1.0 (+https://news.example.com/bot))"),
    ("user_agent: Scrapy/2.1 (+https://scrapy.org)", "1:13: user_agent: the user agent names Scrapy, which outlets refuse by name (expected a name, a version and a contact, such as: example-news/1.0 (+https://news.example.com/bot))"),
    ("user_agent: wärta/1 (a@b.test)", "1:13: user_agent: the user agent is not plain ASCII (expected a name, a version and a contact, such as: example-news/1.0 (+https://news.example.com/bot))"),
    ("allow_networks: [10.0.0.1/8]", "1:18: allow_networks[0]: not a network: 10.0.0.1/8 has host bits set (expected a network such as 10.0.0.0/8 or 127.0.0.1)"),
    ("resolve: {a.test: local}", "1:19: resolve.a.test: 'local' is not an IP address (expected an address such as 127.0.0.1)"),
    ("resolve: {'a b': 127.0.0.1}", "1:11: resolve.a b: 'a b' is not a host (expected a host such as www.example.com or *.example.com)"),
    ("groups: {A B: {}}", "1:10: groups.A B: 'A B' cannot be a name (expected lower-case letters, digits, - and _, at most 64; did you mean a-b?)"),
    ("defaults: {timezone: Asia/Jakrta}", "1:22: defaults.timezone: time zone 'Asia/Jakrta' is not known (expected an IANA time zone such as Asia/Jakarta; did you mean Asia/Jakarta?)"),
    ("defaults: {timezone: WITA}", "1:22: defaults.timezone: time zone 'WITA' is not known (expected an IANA time zone such as Asia/Jakarta; did you mean Asia/Makassar?)"),
    ("defaults: {timezone: Jakarta}", "1:22: defaults.timezone: time zone 'Jakarta' is not known (expected an IANA time zone such as Asia/Jakarta; did you mean Asia/Jakarta?)"),
    ("defaults: {priority: -1}", "1:22: defaults.priority: -1 is out of range (expected at least 0)"),
    ("defaults: {politeness: {robots: obay}}", "1:33: defaults.politeness.robots: 'obay' is not a choice (expected obey or ignore; did you mean obey?)"),
    ("defaults: {schedule: {every: 5m, cron: '0 6 * * *'}}", "1:34: defaults.schedule.cron: both every and cron are set (expected one of them)"),
    ("defaults: {schedule: {every: 5m, timezone: UTC}}", "1:34: defaults.schedule.timezone: an interval has no time zone (expected timezone beside cron only)"),
    ("defaults: {schedule: {every: 10ms}}", "1:30: defaults.schedule.every: this interval is out of range (expected between 1s and 366d)"),
    ("defaults: {schedule: {jitter: 60%}}", "1:31: defaults.schedule.jitter: this jitter is out of range (expected between 0% and 50%)"),
    ("defaults: {schedule: {every: 5m, jitter: 30s}}", "1:42: defaults.schedule.jitter: a duration is a jitter for cron (expected a share such as 10%)"),
    ("defaults: {schedule: {cron: '0 6 * * *', jitter: 10%}}", "1:50: defaults.schedule.jitter: a share is a jitter for intervals (expected a duration such as 30s)"),
    ("- a", "1:1: a list stands here (expected a mapping of keys)"),
]  # fmt: skip

CRON = 'five fields: minute hour day month weekday, such as "*/5 6-22 * * mon-fri"'

OUTLET = [
    ("", "4:5: sources[0]: the key 'url' is missing (expected address)", "  - {name: a, kind: feed}\n"),
    ("homepge: https://x.test\n", "5:1: homepge: unknown key 'homepge' (did you mean homepage?)", FEED),
    ("feeds: []\n", "5:1: feeds: unknown key 'feeds' (did you mean sources?)", FEED),
    ("country: id\n", "5:10: country: 'id' does not have the right form (expected the pattern ^[A-Z]{2}$; did you mean ID?)", FEED),
    ("id: other\n", "5:5: id: the id is not the file's name 'w' (expected w)", FEED),
    ("group: indonesa\n", "5:8: group: group 'indonesa' is not declared (expected one of indonesia; did you mean indonesia?)", FEED),
    ("hosts: [https://w.test/x]\n", "5:9: hosts[0]: this is an address, not a host (expected a host such as www.example.com or *.example.com; did you mean w.test?)", FEED),
    ("article: {tilte: h1}\n", "5:11: article.tilte: unknown key 'tilte' (did you mean title?)", FEED),
    ("article: {title: 'h1 >'}\n", "5:18: article.title: not a CSS selector: Expected selector, got <EOF at 4> (expected CSS as text, or {xpath: \"...\"})", FEED),
    ("article: {title: [h1, 'h1::text']}\n", "5:23: article.title[1]: not a CSS selector: pseudo-elements such as ::text and ::attr() belong to Scrapy; select the element (expected CSS as text, or {xpath: \"...\"})", FEED),
    ("article: {title: //h1}\n", "5:18: article.title: not a CSS selector: Expected selector, got <DELIM '/' at 0> (expected CSS as text, or {xpath: \"...\"}; did you mean {xpath: \"//h1\"}?)", FEED),
    ("article: {title: {xpath: '//h1['}}\n", "5:18: article.title: not XPath 1.0: Invalid expression (expected CSS as text, or {xpath: \"...\"})", FEED),
    ("article: {title: {xpath: 'foo()'}}\n", "5:18: article.title: not XPath 1.0: Unregistered function (expected CSS as text, or {xpath: \"...\"})", FEED),
    ("article: {title: {xpath: 'count(//a)'}}\n", "5:18: article.title: the XPath gives a number or a truth value, not nodes or text (expected CSS as text, or {xpath: \"...\"})", FEED),
    ("article: {title: {xpth: a}}\n", "5:18: article.title: a selector of xpth (expected CSS as text, or {xpath: \"...\"})", FEED),
    ("article: [{title: a}, {title: b}]\n", "5:23: article[1]: article[0] is already in force (expected valid_until on all rules but one)", FEED),
    ("article: {valid_until: 2020-02-30}\n", "5:24: article.valid_until: there is no 2020-02-30 (expected a day such as 2026-01-31)", FEED),
    ("urls: {article: '(a'}\n", "5:17: urls.article: not a regular expression: missing ), unterminated subpattern at position 0 (expected a regular expression of Python's re, in single quotes)", FEED),
    ("urls: {article: '[[a]'}\n", "5:17: urls.article: not a regular expression: Possible nested set at position 1 (expected a regular expression of Python's re, in single quotes)", FEED),
    ("urls: {key: 'a'}\n", r"5:13: urls.key: the pattern has no named group (expected groups that make the identity, such as (?P<id>\d+))", FEED),
    ("urls: {full_page: page=all}\n", "5:19: urls.full_page: 'page=all' cannot follow an address (expected a suffix of the address such as ?page=all or /all)", FEED),
    ("", "4:22: sources[0].kind: 'fed' is not a choice (expected feed, sitemap or listing; did you mean feed?)", "  - {name: a, kind:  fed, url: https://w.test/rss}\n"),
    ("", "4:34: sources[0].url: the scheme is missing (expected an http:// or https:// address; did you mean https://w.test/rss?)", "  - {name: all, kind: feed, url: w.test/rss}\n"),
    ("", "4:34: sources[0].url: the scheme is 'ftp' (expected an http:// or https:// address)", "  - {name: all, kind: feed, url: ftp://w.test/rss}\n"),
    ("", "4:34: sources[0].url: a URL may not hold a user or password (expected headers: {Authorization: ${NAME}})", "  - {name: all, kind: feed, url: https://u:p@w.test/rss}\n"),
    ("", "4:34: sources[0].url: a feed cannot have templates in its address (expected a plain address, or kind: listing)", "  - {name: all, kind: feed, url: 'https://w.test/{page}'}\n"),
    ("", "4:37: sources[0].url: {pge} is not a template (expected {page}, {offset} or {date:%Y/%m/%d}; did you mean {page}?)", "  - {name: all, kind: listing, url: 'https://w.test/{pge}', listing: {link: a}}\n"),
    ("", "4:23: sources[0].kind: a listing needs to know its links (expected listing: {link: …} beside it)", "  - {name: all, kind: listing, url: https://w.test}\n"),
    ("", "4:54: sources[0].listing: a feed has no listing (expected kind: listing)", "  - {name: all, kind: feed, url: https://w.test/aaa, listing: {link: a}}\n"),
    ("", "4:54: sources[0].sitemap_follow: a feed follows no sitemaps (expected kind: sitemap)", "  - {name: all, kind: feed, url: https://w.test/aaa, sitemap_follow: a}\n"),
    ("", "5:12: sources[1].name: source 'all' stands twice; the first is at line 4, column 12 (expected names that differ)", FEED + "  - {name: all, kind: feed, url: https://w.test/b}\n"),
    ("", "5:32: sources[1].url: this address is also polled at outlets/w.yaml:4:34 (expected each address once)", FEED + "  - {name: b, kind: feed, url: 'HTTPS://W.test:443/rss#x'}\n"),
    ("", "4:71: sources[0].headers.A b: 'A b' is not a header name (expected a name such as Accept-Language)", "  - {name: all, kind: feed, url: https://w.test/aaaaaaaaa, headers: { A b: c}}\n"),
    ("", "4:70: sources[0].headers.User-Agent: the user agent is not set here (expected politeness: {user_agent: …})", "  - {name: all, kind: feed, url: https://w.test/aaaaaaaaa, headers: {User-Agent: c}}\n"),
    ("schedule: {cron: '* * *'}\n", f"5:18: schedule.cron: 3 fields instead of five (expected {CRON})", FEED),
    ("schedule: {cron: '61 * * * *'}\n", f"5:18: schedule.cron: not a crontab expression: Error validating expression '61': the last value (61) is higher than the maximum value (59) (expected {CRON})", FEED),
    ("schedule: {cron: '0 0 31 2 *'}\n", f"5:18: schedule.cron: no day fits this expression (expected {CRON})", FEED),
    ("schedule: {cron: '0 6 * * 1'}\n", "5:18: schedule.cron: a weekday is a number, which cron programs count differently (expected sun, mon, tue, wed, thu, fri or sat)", FEED),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MAIN, ids=[text for text, _ in MAIN])
def test_a_mistake_in_the_main_file_is_pointed_at(problems, text, expected):
    assert problems(text, {"PASSWORD": "x"}) == [f"warta.yaml:{expected}"]


@pytest.mark.parametrize(("tail", "expected", "sources"), OUTLET, ids=range(len(OUTLET)))
def test_a_mistake_in_an_outlet_is_pointed_at(problems, tail, expected, sources):
    found = problems("groups: {indonesia: {}}", w=HEAD + sources + tail)
    assert found == [f"outlets/w.yaml:{expected}"]


def test_a_password_is_never_part_of_a_message(problems):
    found = problems("redis: redis//:geheim@host\ndatabase: postgresql://u:geheim@h:99999/d\n")
    assert len(found) == 2
    assert "geheim" not in "".join(found)


def test_the_same_address_in_two_outlets_names_both_places(problems):
    found = problems("", a=HEAD + FEED, b=HEAD + FEED)
    assert found == [
        "outlets/b.yaml:4:34: sources[0].url: this address is also polled at outlets/a.yaml:4:34 (expected each address once)"
    ]


def test_a_file_broken_elsewhere_still_tells_of_its_duplicates(problems):
    found = problems("", a=HEAD + FEED, b=HEAD + FEED + "nope: 1\n")
    assert [line.split(": ")[0] for line in found] == ["outlets/b.yaml:4:34", "outlets/b.yaml:5:1"]


def test_two_files_of_one_name_in_two_directories_are_one_outlet_twice(problems, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "w.yaml").write_text(HEAD + FEED.replace("/rss", "/other"))
    found = problems("outlets: [outlets/*.yaml, more/*.yaml]", w=HEAD + FEED)
    assert found == ["more/w.yaml:1:1: outlet 'w' is also outlets/w.yaml (expected file names that differ)"]


def test_a_file_name_that_cannot_be_an_id_is_refused(problems):
    found = problems("", **{"My Outlet": HEAD + FEED})
    assert found[0].startswith("outlets/My Outlet.yaml:1:1: the file name 'My Outlet.yaml' cannot be an outlet's id")


def test_a_named_file_that_is_not_there_is_told_at_its_name(problems, tmp_path):
    found = problems("outlets: [outlets/nope.yaml]")
    assert found == ["warta.yaml:1:11: outlets[0]: outlets/nope.yaml cannot be read: No such file or directory"]


def test_the_password_of_a_remote_redis_may_be_waived_by_name(problems):
    assert problems("redis: redis://r.test\nallow_insecure_redis: true") == []
    assert problems("redis: redis://127.0.0.1:6379") == []
    assert problems("redis: redis://[::1]") == []
    assert problems("redis: unix:///run/redis.sock") == []


def test_a_jitter_handed_down_does_not_clash_with_the_other_kind_below(problems):
    source = "  - {name: all, kind: feed, url: https://w.test/rss, schedule: {cron: '0 6 * * *'}}\n"
    assert problems("defaults: {schedule: {every: 5m, jitter: 20%}}", w=HEAD + source) == []
