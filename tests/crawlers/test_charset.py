from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.charset import lookup, prescan


@pytest.mark.parametrize(
    ("page", "name"),
    [
        (b'<meta charset="utf-8">', "utf-8"),
        (b"<META CHARSET=ISO-8859-1>", "windows-1252"),
        (b'<meta http-equiv="Content-Type" content="text/html; charset=gbk">', "gbk"),
        (b'<meta content="text/html; charset=gbk" http-equiv=content-type>', "gbk"),
        (b'<meta content="text/html; charset=gbk">', None),
        (b'<!-- <meta charset="gbk"> --><meta charset="koi8-r">', "koi8-r"),
        (b"<p title='<meta charset=gbk>'><meta charset=koi8-r>", "koi8-r"),
        (b'<meta charset="utf-16">', "utf-8"),
        (b'<meta charset="idna"><meta charset="zip"><meta charset="undefined">', None),
        (b'<metadata charset="gbk">', None),
        (b'<meta name="x" charset="gbk" charset="koi8-r">', "gbk"),
        (b"<", None),
        (b"<meta charset=", None),
        (b"", None),
    ],
)
def test_the_first_meta_that_declares_an_encoding_counts(page, name):
    assert prescan(page) == name


@given(st.binary(max_size=200).map(lambda data: b"<meta " + data))
def test_no_bytes_raise(data):
    prescan(data)


@pytest.mark.shared
def test_the_labels_of_the_encoding_standard_are_known(shared: Path):
    cases = [json.loads(line) for line in (shared / "suites" / "encoding" / "labels.jsonl").read_text().splitlines()]
    assert [case["label"] for case in cases if lookup(case["label"]) != case["name"].lower()] == []


@pytest.mark.shared
def test_the_prescan_cases_of_html5lib_pass(shared: Path):
    wrong = []
    for line in (shared / "suites" / "encoding" / "html_prescan.jsonl").read_text().splitlines():
        case = json.loads(line)
        body = base64.b64decode(case["body_b64"])
        name = "utf-8" if body.startswith(b"\xef\xbb\xbf") else prescan(body) or "windows-1252"
        if name != case["encoding"].lower():
            wrong.append(case["id"])
    assert wrong == []
