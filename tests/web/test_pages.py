"""Every page in a real browser: what it shows, that it is live, that it can be used, that nothing hostile runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.model import RunStatus, Trigger

pytestmark = pytest.mark.browser

#: As tests/web/conftest.py sends them.
SCRIPT = "<script>document.title='owned'</script>"
ATTRIBUTE = '"><img src=x onerror="document.title=\'owned\'">'
ADDRESS = "javascript:document.title='owned'"

AXE = Path(__file__).parent / "axe-4.14.1.min.js"


def every_page(served) -> dict[str, str]:
    return {
        "overview": "",
        "sources": "sources",
        "source": "sources/kabar/utama",
        "runs": "runs",
        "run": f"runs/{served.run}",
        "items": "items",
        "articles": "articles",
        "article": f"articles/{served.article}",
        "hostile article": f"articles/{served.hostile}",
        "deliveries": "deliveries",
        "alerts": "alerts",
        "incident": "alerts/1",
        "logs": "logs",
        "config": "config",
        "about": "about",
        "nothing": "no-such-page",
    }


RULES = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
#: What colours and widths can change.
LOOKS = {"type": "rule", "values": ["color-contrast", "target-size", "scrollable-region-focusable"]}


def serious(page, rules=RULES) -> list[str]:
    """What axe-core finds against WCAG A and AA, but for the minor; run in a world apart, as the CSP wants."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules)
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:160]}"
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
    ]


def test_no_page_has_a_barrier_scrolls_sideways_or_runs_what_outlets_wrote(looked_at, page):
    page.add_init_script(AXE.read_text(encoding="utf-8"))
    for name, path in every_page(looked_at).items():
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        page.goto(looked_at.url + path)
        page.locator("h1").wait_for()
        assert serious(page) == [], f"{name}, light and wide"
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, f"{name} scrolls sideways"
        page.set_viewport_size({"width": 390, "height": 900})
        page.emulate_media(color_scheme="dark")
        assert serious(page, LOOKS) == [], f"{name}, dark and narrow"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, f"{name} scrolls sideways on a phone"
        assert page.title() != "owned", name
        assert page.locator("img[src='x']").count() == 0, name
        links = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.protocol)")
        assert set(links) <= {"http:", "https:"}, name
        words = page.content()
        assert "\x1b" not in words, name
        assert "\u202e" not in words, name


def test_hostile_words_are_text(looked_at, page):
    page.goto(looked_at.url + f"articles/{looked_at.hostile}")
    shown = page.locator("main").inner_text()
    for payload in (SCRIPT, ATTRIBUTE, ADDRESS):
        assert payload in shown


def test_the_overview_says_what_is_wrong_and_links_to_it(looked_at, page):
    page.goto(looked_at.url)
    assert page.get_by_text("1 failing of 3 sources").is_visible()
    page.get_by_label("Now").get_by_role("link", name="failing 1").click()
    page.wait_for_url("**/sources?q=*")
    assert page.locator("tbody tr").count() == 1
    assert page.locator("tbody").get_by_role("link", name="kabar/bursa").is_visible()
    page.goto(looked_at.url)
    page.locator("#chart canvas").wait_for()


def test_the_overview_follows_what_happens(served, page):
    page.goto(served.url)
    page.get_by_text("live", exact=True).wait_for()
    served.do(served.site.storage.sources.pause(["kabar/daerah"]))
    page.get_by_role("link", name="paused 1").wait_for(timeout=10_000)


def test_a_run_that_begins_appears_by_itself(served, page):
    page.goto(served.url + "runs")
    page.get_by_text("live", exact=True).wait_for()
    assert page.locator("tbody tr").count() == 3
    now = datetime.now(UTC)
    begun = served.site.storage.runs.begin("kabar/daerah", "kabar", Trigger.SCHEDULE, now, 9, "tests", now)
    served.do(begun)
    page.locator("tbody tr:nth-child(4)").wait_for(timeout=10_000)
    assert page.locator("tbody tr").first.inner_text().find(str(RunStatus.RUNNING)) > 0


def test_log_lines_appear_as_they_are_written(served, page):
    page.goto(served.url + "logs?q=level:warning")
    page.get_by_text("live", exact=True).wait_for()
    assert page.locator(".lines li").count() == 1
    served.write_log(event="only information")
    served.write_log(event="a warning comes", level="warning")
    page.get_by_text("a warning comes").wait_for(timeout=10_000)
    assert page.get_by_text("only information").count() == 0


def test_sources_are_chosen_paused_polled_and_resumed(served, page):
    page.goto(served.url + "sources")
    page.get_by_label("Choose kabar/utama").check()
    page.get_by_label("Choose kabar/daerah").check()
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("2 sources paused").wait_for()
    stored = served.site.storage.sources
    assert [served.do(stored.get(f"kabar/{n}")).paused for n in ("utama", "daerah", "bursa")] == [True, True, False]
    page.goto(served.url + "sources?q=state:paused")
    page.get_by_label("all 2 that fit").check()
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("2 sources resumed").wait_for()
    assert not served.do(stored.get("kabar/utama")).paused
    page.goto(served.url + "sources/kabar/utama")
    page.get_by_role("button", name="Poll now").click()
    page.get_by_text("1 source asked to be polled").wait_for()
    assert served.do(stored.get("kabar/utama")).requested_at is not None


def test_an_incident_is_silenced_and_told_of_again(served, page):
    page.goto(served.url + "alerts")
    page.get_by_role("link", name="Kabar").first.click()
    page.get_by_label("Silence for").select_option("8h")
    page.get_by_label("because").fill("they move house")
    page.get_by_role("button", name="Silence").click()
    page.get_by_text("silent until").first.wait_for()
    now = datetime.now(UTC)
    silence = served.do(served.site.storage.alerts.silences(now))[0]
    assert (silence.rule, silence.outlet_id, silence.source_id) == ("failing", "kabar", "kabar/bursa")
    assert silence.reason == "they move house"
    page.get_by_role("button", name="End it").first.click()
    page.get_by_text("the silence is over").wait_for()
    assert silence.id not in {kept.id for kept in served.do(served.site.storage.alerts.silences(now))}


def test_config_says_what_a_reload_would_change(served, page):
    page.goto(served.url + "config")
    assert page.get_by_text("Nothing: what is in force is what the files say.").is_visible()
    outlet = Path(served.site.settings().path).parent / "outlets" / "kabar.yaml"
    outlet.write_text(
        outlet.read_text().replace("kind: sitemap", "kind: feed").replace("very-secret-word", "other-word")
    )
    served.site.forget()
    page.goto(served.url + "config")
    row = page.locator("tr", has_text="kabar/daerah/kind")
    assert (row.locator("del").inner_text(), row.locator("ins").inner_text()) == ("sitemap", "feed")
    assert "very-secret-word" not in page.content()
    assert "other-word" not in page.content()


def test_numbers_lead_to_their_rows(looked_at, page):
    page.goto(looked_at.url)
    page.get_by_role("link", name="stored 2").click()
    page.wait_for_url("**/items?q=*")
    assert page.locator("tbody tr").count() == 2
    page.goto(looked_at.url + "sources/kabar/utama")
    page.get_by_role("link", name="revised 1").click()
    page.wait_for_url("**/items?q=*")
    assert page.locator("tbody tr").count() == 1


def test_a_filter_that_cannot_be_read_says_why(looked_at, page):
    unreadable = {"sources": "stat:ok", "runs": "status:fine", "logs": "levle:x", "articles": 'x "', "items": "fat:ok"}
    for path, words in unreadable.items():
        page.goto(looked_at.url + path)
        page.get_by_role("searchbox").fill(words)
        page.get_by_role("button", name="Search").click()
        page.get_by_role("alert").wait_for()
    page.goto(looked_at.url + "sources")
    page.get_by_role("searchbox").fill("outlet:kabar kind:sitemap")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sources?q=*")
    assert page.locator("tbody tr").count() == 1


def test_articles_are_found_and_show_what_changed(looked_at, page):
    page.goto(looked_at.url + "articles")
    assert page.locator(".hits li").count() == 2
    page.get_by_role("searchbox").fill("melemah")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/articles?q=melemah")
    page.get_by_role("link", name="Rupiah melemah").click()
    assert page.locator("del").first.inner_text().split() == ["removed:", "menguat"]
    assert page.locator("ins").first.inner_text().split() == ["added:", "melemah"]
    assert page.get_by_role("heading", name="What happened").is_visible()
    assert page.get_by_text("Where each field came from").is_visible()
    frame = page.frame_locator("iframe")
    assert frame.get_by_text("Asli").is_visible()


def test_facets_narrow_down_and_keep_the_other_words(looked_at, page):
    page.goto(looked_at.url + "articles?q=rupiah")
    narrow = page.get_by_role("navigation", name="Narrow down")
    narrow.get_by_role("link", name="revised").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/articles?q=kind*")
    assert page.get_by_role("searchbox").input_value() == "kind:revised rupiah"
    assert page.locator(".hits li").count() == 1
    assert narrow.get_by_role("link", name="revised").get_attribute("aria-current") == "true"
    narrow.get_by_role("link", name="all kinds").click()
    page.wait_for_url("**/articles?q=rupiah")


def test_a_run_shows_its_line_its_items_and_its_log(looked_at, page):
    page.goto(looked_at.url + f"runs/{looked_at.run}")
    assert "outcome=ok" in page.locator("pre").first.inner_text()
    assert page.get_by_text("3 of the unchanged were recognised from memory").is_visible()
    assert page.locator("tbody tr").count() == 2
    assert page.locator(".lines li").count() == 1


def test_a_fetch_tells_of_validators_and_redirects(looked_at, page):
    page.goto(f"{looked_at.url}sources/kabar/utama")
    row = page.locator("#history-h + .scroll tbody tr", has_text="301 →")
    assert "ETag → new ETag" in row.inner_text()
    row.locator("a").first.click()
    exchange = page.locator("h2", has_text="Asked and answered").locator("+ dl").inner_text()
    assert "If-None-Match" in exchange
    assert '"v1"' in exchange


def test_a_source_shows_its_request_without_its_secret(looked_at, page):
    page.goto(looked_at.url + "sources/kabar/utama")
    curl = page.locator("#curl").inner_text()
    assert 'If-None-Match: "v1"' in curl
    assert "very-secret-word" not in page.content()
    assert page.get_by_role("img", name="Expected by weekday and hour").is_visible()
    assert page.get_by_role("img", name="Came by weekday and hour").is_visible()
    assert page.get_by_text("about 40 a day").is_visible()


def test_light_and_dark_are_chosen_and_remembered(looked_at, page):
    page.goto(looked_at.url)
    back = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(back)
    page.get_by_role("button", name="Change between light and dark").click()
    after = page.evaluate(back)
    assert before != after
    page.goto(looked_at.url + "about")
    assert page.evaluate(back) == after


def test_a_keyboard_is_enough(looked_at, page):
    page.goto(looked_at.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_password_opens_the_pages(serve, page):
    served = serve(password="correct-horse-battery")
    page.goto(served.url + "runs")
    assert serious(page) == []
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    page.get_by_text("That is not the password.").wait_for()
    page.get_by_label("Password").fill("correct-horse-battery")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Runs").wait_for()
    (kept,) = page.context.cookies()
    assert kept["httpOnly"]
    assert kept["sameSite"] == "Strict"
    assert kept["expires"] > (datetime.now(UTC) + timedelta(days=1)).timestamp()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Password").wait_for()
