from __future__ import annotations

import html
import http.client
import os
import re
import time
from urllib.parse import urlencode, urlsplit

import pytest
from starlette.requests import Request
from starlette.routing import Mount, Route

from config.model import Monitor
from config.password import Hashed, hashed
from monitor.web.app import routes
from monitor.web.guard import OPEN, Guard, PasswordRequiredError, cookie
from monitor.web.pages.door import _within

PASSWORD = "correct-horse-battery"
#: As tests/web/conftest.py sends them.
SCRIPT = "<script>document.title='owned'</script>"
ATTRIBUTE = '"><img src=x onerror="document.title=\'owned\'">'

ROUTES = sorted(
    {
        (method, "/static/warta.css" if isinstance(route, Mount) else route.path.replace("{", "").replace("}", ""))
        for route in routes()
        for method in (route.methods if isinstance(route, Route) and route.methods else {"GET"})
    }
)


class Visitor:
    """A browser without a mind of its own."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url).netloc
        self.cookie = ""

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str):
        connection = http.client.HTTPConnection(self.host, timeout=10)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent.setdefault("Cookie", self.cookie)
        body = None
        if form is not None:
            body = urlencode(form)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        answer.text = (
            answer.read(200_000).decode() if "event-stream" not in answer.headers.get("Content-Type", "") else ""
        )
        connection.close()
        for value in answer.headers.get_all("Set-Cookie") or ():
            self.cookie = value.partition(";")[0]
        return answer

    def csrf(self, path: str) -> str:
        return self.ask("GET", path).text.split('name="csrf" value="')[1].split('"')[0]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_the_password_nothing_but_the_door_and_signs_of_life_answers(locked, method, path):
    answer = Visitor(locked.url).ask(method, path, {} if method == "POST" else None)
    if path.startswith(OPEN):
        assert answer.status in {200, 403}  # 403: a login without its form's token
    else:
        assert answer.status == 401, path
    assert "kabar" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_the_table_of_routes_is_not_empty_and_closed_by_default():
    assert len(ROUTES) > 20
    assert not any(path.startswith(OPEN) for _, path in ROUTES if path.startswith(("/sources", "/live", "/metrics")))


def test_a_login_opens_the_pages_and_a_logout_closes_them(serve):
    served = serve(password=PASSWORD)
    visitor = Visitor(served.url)
    sent_away = visitor.ask("GET", "/runs?q=status:ok", Accept="text/html")
    assert (sent_away.status, sent_away.headers["Location"]) == (303, "/login?next=%2Fruns%3Fq%3Dstatus%3Aok")
    token, before = visitor.csrf("/login"), visitor.cookie
    wrong = visitor.ask("POST", "/login", {"csrf": token, "password": "wrong-password"})
    assert wrong.status == 403
    right = visitor.ask("POST", "/login", {"csrf": token, "password": PASSWORD, "next": "/runs"})
    assert (right.status, right.headers["Location"]) == (303, "/runs")
    set_cookie = right.headers["Set-Cookie"]
    assert "HttpOnly" in set_cookie
    assert "SameSite=Strict" in set_cookie
    assert visitor.cookie != before, "a session known before the login must not be let in"
    assert visitor.ask("GET", "/").status == 200
    assert visitor.ask("POST", "/logout", {"csrf": visitor.csrf("/")}).status == 303
    assert visitor.ask("GET", "/").status == 401


def test_guessing_the_password_is_stopped(serve):
    served = serve(password=PASSWORD)
    visitor = Visitor(served.url)
    token = visitor.csrf("/login")
    statuses = [visitor.ask("POST", "/login", {"csrf": token, "password": f"guess-{n}"}).status for n in range(7)]
    assert statuses == [403] * 5 + [429] * 2
    assert visitor.ask("POST", "/login", {"csrf": token, "password": PASSWORD}).status == 429


def test_a_program_shows_the_password_as_a_bearer(locked):
    assert Visitor(locked.url).ask("GET", "/metrics", Authorization=f"Bearer {PASSWORD}").status == 200
    assert Visitor(locked.url).ask("GET", "/metrics", Authorization="Bearer something-else").status == 401


def test_a_hashed_password_opens_what_the_password_opens(serve):
    served = serve(password=hashed(PASSWORD))
    visitor = Visitor(served.url)
    token = visitor.csrf("/login")
    assert visitor.ask("POST", "/login", {"csrf": token, "password": served.site.monitor.password}).status == 403
    assert visitor.ask("POST", "/login", {"csrf": token, "password": PASSWORD}).status == 303
    assert visitor.ask("GET", "/").status == 200
    assert Visitor(served.url).ask("GET", "/metrics", Authorization=f"Bearer {PASSWORD}").status == 200


def test_guesses_of_a_program_cost_no_hashing_after_the_fifth(monkeypatch):
    guard, tried = Guard(Monitor(password=hashed(PASSWORD))), []
    monkeypatch.setattr(Hashed, "fits", lambda _self, given: tried.append(given) or False)
    scope = {"type": "http", "client": ("192.0.2.1", 1), "headers": [(b"authorization", b"Bearer guess")]}
    assert [guard.shows_password(Request(scope)) for _ in range(9)] == [False] * 9
    assert len(tried) == 5


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "["])
def test_a_name_that_only_points_here_is_refused(looked_at, host):
    assert Visitor(looked_at.url).ask("GET", "/", Host=host).status == 421


def test_a_configured_name_is_answered(serve):
    served = serve(hosts=("warta.example",))
    assert Visitor(served.url).ask("GET", "/", Host="warta.example").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_post_from_another_site_is_refused_even_with_a_token(looked_at, headers):
    visitor = Visitor(looked_at.url)
    form = {"csrf": visitor.csrf("/sources"), "action": "pause", "source": "kabar/utama"}
    assert visitor.ask("POST", "/sources", form, **headers).status == 403
    assert not looked_at.do(looked_at.site.storage.sources.get("kabar/utama")).paused


def test_a_post_without_the_sessions_token_changes_nothing(served):
    visitor, other = Visitor(served.url), Visitor(served.url)
    visitor.ask("GET", "/sources")
    for token in ("", "0" * 64, other.csrf("/sources")):
        form = {"csrf": token, "action": "pause", "source": "kabar/utama"}
        assert visitor.ask("POST", "/sources", form).status == 403
    assert not served.do(served.site.storage.sources.get("kabar/utama")).paused
    form = {"csrf": visitor.csrf("/sources"), "action": "pause", "source": "kabar/utama"}
    assert visitor.ask("POST", "/sources", form).status == 303
    assert served.do(served.site.storage.sources.get("kabar/utama")).paused


def test_nothing_is_silenced_without_the_sessions_token_or_on_a_read_only_monitor(served, serve):
    for site, token in ((served, "0" * 64), (serve(read_only=True), None)):
        visitor = Visitor(site.url)
        form = {"csrf": token or visitor.csrf("/alerts"), "action": "silence", "span": "7d"}
        assert visitor.ask("POST", "/alerts", form).status == 403
        assert len(site.do(site.site.storage.alerts.silences(site.site.now()))) == 1
    assert 'value="silence"' not in visitor.ask("GET", "/alerts/1").text


def test_a_read_only_monitor_changes_nothing_and_shows_no_button(serve):
    served = serve(read_only=True)
    visitor = Visitor(served.url)
    assert 'value="pause"' not in visitor.ask("GET", "/sources").text
    form = {"csrf": visitor.csrf("/sources"), "action": "pause", "source": "kabar/utama"}
    assert visitor.ask("POST", "/sources", form).status == 403
    assert not served.do(served.site.storage.sources.get("kabar/utama")).paused


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::"])
def test_without_a_password_it_does_not_start_where_others_reach_it(host):
    with pytest.raises(PasswordRequiredError, match=r"monitor\.password"):
        Guard(Monitor(host=host))
    assert Guard(Monitor(host=host, password=PASSWORD)).asks


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\nb", "%2F%2Fevil"]
)
def test_the_way_back_after_the_login_stays_here(path):
    assert _within(path) == "/"


@pytest.mark.parametrize(
    "path",
    ["", "alerts", "alerts/1", "items", "runs", "deliveries", "logs", "sources", "sources/kabar/utama"],
)
def test_what_outlets_wrote_is_on_the_page_as_text(looked_at, path):
    text = Visitor(looked_at.url).ask("GET", f"/{path}").text
    assert SCRIPT in html.unescape(text) or ATTRIBUTE in html.unescape(text)
    assert not any(payload in text for payload in (SCRIPT, ATTRIBUTE, "\x1b", "\u202e"))


def test_secrets_of_the_configuration_are_on_no_page(looked_at):
    visitor = Visitor(looked_at.url)
    for path in ("/sources/kabar/utama", "/config", "/about"):
        assert "very-secret-word" not in visitor.ask("GET", path).text


def test_a_cookie_is_secure_wherever_the_page_is():
    assert cookie("name", secure=True) == (
        "warta_session=name; Path=/; Max-Age=1209600; HttpOnly; SameSite=Strict; Secure"
    )


def test_the_original_of_a_page_runs_nothing(looked_at):
    answer = Visitor(looked_at.url).ask("GET", f"/articles/{looked_at.hostile}/original")
    assert "<h1>Asli</h1>" in answer.text
    assert "script" not in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_the_log_is_paged_by_time(served):
    for n in range(450):
        served.write_log(event=f"line {n:03}", source="kabar/daerah")
    visitor, path, seen = Visitor(served.url), "/logs?q=source:kabar/daerah", []
    for _ in range(5):
        text = visitor.ask("GET", path).text
        seen += re.findall(r"line (\d{3})", text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        if following is None:
            break
        path = html.unescape(following[1])
    assert list(dict.fromkeys(seen)) == [f"{n:03}" for n in reversed(range(450))]


def test_a_dead_daemon_is_alive_but_not_ready(serve):
    served = serve()
    visitor = Visitor(served.url)
    assert visitor.ask("GET", "/readyz").status == 200

    served.site.alive.write_text("")
    os.utime(served.site.alive, (time.time() - 100, time.time() - 100))
    served.site.forget()
    answer = visitor.ask("GET", "/readyz")
    assert answer.status == 503
    assert "last sign of life" in answer.text
    assert visitor.ask("GET", "/healthz").status == 200
