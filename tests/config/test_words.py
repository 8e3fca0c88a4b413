"""What values may look like, and what is said of those that may not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.units import duration, likely_duration, likely_size, share, size

from .conftest import OUTLET

HEAD = "name: W\nhomepage: https://w.test\nsources:\n"
FEED = "  - {name: all, kind: feed, url: https://w.test/rss}\n"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10 minutes", "10m"), ("1 Hr", "1h"), ("5 ms", "5ms"), ("250 milliseconds", "250ms"), ("2 weeks", "2w"),
        ("3 months", ""), ("5 parsecs", ""), ("soon", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_spoken_duration_is_understood(text: str, meant: str) -> None:
    assert likely_duration(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"), [("8M", "8MiB"), ("512 k", "512KiB"), ("1 gig", "1GiB"), ("8 apples", ""), ("much", "")]
)
def test_a_spoken_size_is_understood(text: str, meant: str) -> None:
    assert likely_size(text) == meant


@pytest.mark.parametrize(
    ("read", "text"), [(duration, "20y"), (duration, "9999w"), (size, "8 M"), (share, "half"), (share, "5")]
)
def test_what_is_no_measure_is_an_error(read, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        read(text)


def test_measures_have_their_units() -> None:
    assert duration("1h30m") == timedelta(minutes=90)
    assert (size("1.5KiB"), size("2MB"), share("12.5 %")) == (1536, 2_000_000, 0.125)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("database: postgres://h/d", "the scheme is postgres"),
        ("monitor: {listen: '0.0.0.0:8460'}", "a monitor on 0.0.0.0 without a password is open to everybody"),
        ("monitor: {password: short}", "a password of 5 characters"),
        ("monitor: {password: 'scrypt:nonsense-of-a-hash'}", None),
        ("defaults: {schedule: {adaptive: {floor: 2m}, every: 5m}}", "adaptive"),
        ("defaults: {schedule: {jitter: 0.9}}", "this jitter is out of range"),
        ("defaults: {schedule: {jitter: much}}", "'much' is not a jitter"),
        ("defaults: {expect: {at_least: 0/day}}", "is not a number of items in a time"),
        ("defaults: {expect: {at_least: many}}", "is not a number of items in a time"),
        ("defaults: {expect: {quiet_hours: 25-3}}", "is no span of hours"),
        ("defaults: {expect: {quiet_hours: [22-5, night]}}", "is no span of hours"),
    ],
)  # fmt: skip
def test_a_wrong_word_in_the_main_file_is_told(problems, text: str, said: str | None) -> None:
    found = problems(text)

    assert said is None or any(said in line for line in found), found


@pytest.mark.parametrize(
    "text",
    [
        "monitor: {listen: 'localhost:8461'}", "monitor: {listen: '127.0.0.1:8461'}", "monitor: {listen: off}",
        "monitor: {listen: '0.0.0.0:8460', password: a-long-enough-word}", "redis: redis://localhost:6379",
        "defaults: {expect: {at_least: 5/day, quiet_hours: [22-5, 12-13]}}", "defaults: {expect: {at_least: 3/week}}",
        "defaults: {schedule: {every: 5m, jitter: 0}}",
    ],
)  # fmt: skip
def test_a_right_word_in_the_main_file_is_taken(problems, text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        ("article: {title: '   '}\n", "the selector is empty"),
        (f"article: {{title: '{'h1 ' * 2000}'}}\n", "characters"),
        ("article: {valid_until: 2026-1-1}\n", "is not a day"),
        ("urls: {article: ''}\n", "the pattern is empty"),
        (f"urls: {{article: '{'a' * 20_000}'}}\n", "characters"),
    ],
)
def test_a_wrong_word_in_an_outlet_is_told(problems, tail: str, said: str) -> None:
    found = problems("", w=HEAD + FEED + tail)

    assert any(said in line for line in found), found


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("  - {name: a, kind: feed, url: 'https://w.test/r ss'}\n", "holds white space"),
        ("  - {name: a, kind: feed, url: 'https://w.test:0/'}\n", "the host of this address is not valid"),
        ("  - {name: a, kind: feed, url: https://w.test/a, headers: {Host: x}}\n", "belongs to the connection"),
        (
            '  - {name: a, kind: feed, url: https://w.test/a, headers: {X-A: "a\\nb"}}\n',
            "characters that HTTP does not allow",
        ),
    ],
)
def test_a_wrong_word_in_a_source_is_told(problems, source: str, said: str) -> None:
    found = problems("", w=HEAD + source)

    assert any(said in line for line in found), found


def test_a_home_page_has_no_templates(problems) -> None:
    found = problems("", w=OUTLET.replace("https://warta.test\n", "'https://warta.test/{page}'\n"))

    assert any("templates belong to listing sources" in line for line in found)
