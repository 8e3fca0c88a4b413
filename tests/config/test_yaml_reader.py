# ruff: noqa: E501 (a message stands on one line, as it is printed)
from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.yaml_reader import MAX_BYTES, MAX_NODES, read


def one(raw: bytes | str) -> str:
    _, problems = read("f.yaml", raw if isinstance(raw, bytes) else raw.encode())
    assert len(problems) == 1
    return str(problems[0])


def data(text: str):
    document, problems = read("f.yaml", text.encode())
    assert problems == []
    return document.data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("true", True), ("False", False),
        ("1:30", "1:30"), ("12:30:45", "12:30:45"), ("010", 10), ("0o10", 8), ("0x1F", 31), ("-5", -5),
        ("1_000", "1_000"), ("2026-11-02", "2026-11-02"), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5),
        ("~", None), ("", None), ("null", None), ("'5'", "5"), ('"true"', "true"), ("!!str 5", "5"),
        ("1" * 5000, "1" * 5000), ("=", "="), (".inf", float("inf")),
    ],
)  # fmt: skip
def test_plain_scalars_mean_what_yaml_1_2_says(text, value):
    found = data(f"a: {text}")["a"]
    assert (found, type(found)) == (value, type(value))


def test_keys_are_text_whatever_they_look_like():
    assert data("no: 1\n5: 2\n~: 3") == {"no": 1, "5": 2, "~": 3}


def test_positions_count_characters_from_one():
    document, _ = read("f.yaml", "à: {ü: [1, 'x']}".encode())
    assert document.position(("à", "ü", 1)) == (1, 12)
    assert document.position(("à", "ü"), key=True) == (1, 5)
    assert document.position(("à", "nope", 3)) == (1, 4)


def test_a_byte_order_mark_and_windows_line_ends_are_fine():
    assert data("\ufeffa: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}


def test_duplicate_keys_are_told_with_both_places_and_reading_goes_on():
    document, problems = read("f.yaml", b"a: 1\nb: {c: 1, c: 2}\na: 3\nd: 4")
    assert [str(problem) for problem in problems] == [
        "f.yaml:2:11: b.c: key 'c' stands twice; the first is at line 2, column 5 (expected each key once)",
        "f.yaml:3:1: a: key 'a' stands twice; the first is at line 1, column 1 (expected each key once)",
    ]
    assert document.data == {"a": 1, "b": {"c": 1}, "d": 4}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a:\n\tb: 1", "f.yaml:2:1: a tab character indents this line (expected spaces; YAML allows no tabs there)"),
        (b"a:\n  b: 1\n\tc: 2", "f.yaml:3:1: a tab character indents this line (expected spaces; YAML allows no tabs there)"),
        (b"a: 1\n---\nb: 2", "f.yaml:2:1: a second document begins here (expected one document a file)"),
        (b"a: *x", "f.yaml:1:4: alias *x names no anchor (expected &x before it)"),
        (b"a: &x [*x]", "f.yaml:1:8: alias *x stands inside itself (expected no recursion)"),
        (b"a: !!python/object:os.system x", "f.yaml:1:4: a: tag 'tag:yaml.org,2002:python/object:os.system' is not allowed (expected plain values; no tag makes an object here)"),
        (b"? [a]\n: b", "f.yaml:1:3: this key is not plain text (expected key: value)"),
        (b"a: \xe9t\xe9", "f.yaml:1:4: byte 0xe9 is not UTF-8 (expected UTF-8; the file was probably saved as Windows-1252 or Latin-1)"),
        ("a: b".encode("utf-16"), "f.yaml:1:1: the file is UTF-16 (expected UTF-8)"),
        (b"ok: 1\na: \x07", "f.yaml:2:4: control character U+0007 cannot stand in YAML (expected printable text)"),
        (b"a: b: c", 'f.yaml:1:5: not YAML: mapping values are not allowed in this context (expected quotes around a value that holds ": ", or less indentation)'),
        (b"a: @x", "f.yaml:1:4: not YAML: found character that cannot start any token while scanning for the next token (expected quotes around a value that begins with @, ` or %)"),
        (b'a: "\\d"', "f.yaml:1:5: not YAML: found unknown escape character while parsing a quoted scalar (expected single quotes around regular expressions; double quotes read backslashes)"),
        (b"a: [1", "f.yaml:2:1: not YAML: did not find expected ',' or ']' while parsing a flow sequence"),
        (b"x" * (MAX_BYTES + 1), f"f.yaml:1:1: the file has {MAX_BYTES + 1:,} bytes (expected at most 1,048,576; split it)"),
        (b"[" * 100, "f.yaml:1:34: nested too deep (expected at most 32 levels)"),
    ],
    ids=range(16),
)  # fmt: skip
def test_what_cannot_be_read_is_explained_where_it_stands(raw, expected):
    assert one(raw) == expected


def test_an_alias_stands_for_its_value_and_its_place():
    document, problems = read("f.yaml", b"a: &x {b: 1}\nc: *x")
    assert problems == []
    assert document.data["c"] == {"b": 1}
    assert document.position(("c", "b")) == (1, 11)


def test_a_bomb_of_aliases_is_refused_at_once():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    start = time.process_time()
    found = one("\n".join(lines))
    assert f"aliases expand to more than {MAX_NODES:,} values" in found
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "raw", [b"[" * 1_000_000, b"{a: " * 200_000, b"- " * 400_000, b"a: &x " * 100_000, b"? " * 400_000]
)
def test_hostile_nesting_costs_no_time(raw):
    start = time.process_time()
    document, problems = read("f.yaml", raw)
    assert document is None
    assert problems
    assert time.process_time() - start < 2


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_raise(raw):
    document, problems = read("f.yaml", raw)
    assert document is not None or problems


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#?,\n\t ~1.", max_size=60))
def test_no_yaml_like_text_makes_reading_raise(text):
    document, problems = read("f.yaml", text.encode())
    assert document is not None or problems
