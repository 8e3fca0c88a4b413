from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config.model import Api, Files, OutletRetention, Retention, Stream, Webhook

WEBHOOK = "{name: cms, webhook: 'https://cms.test/hook', secret: '${CMS_SECRET}'}"
ENVIRON = {"CMS_SECRET": "a-secret-of-the-cms", "API_TOKEN": "a-token-of-the-api"}


def test_consumers_of_each_kind_load(loaded):
    text = f"""
deliver:
  - {WEBHOOK}
  - {{name: live, stream: 'warta:articles', length: 500, copies: false, outlets: [kontan]}}
  - {{name: archive, files: ./archive, format: csv, every: 1h, start: now}}
"""
    settings = loaded(text, ENVIRON)
    cms, live, archive = settings.deliver

    assert cms.target == Webhook(url="https://cms.test/hook", secret=ENVIRON["CMS_SECRET"])
    assert cms.from_beginning
    assert live.target == Stream(key="warta:articles", length=500)
    assert (live.copies, live.outlets) == (False, ("kontan",))
    assert archive.target == Files(directory=Path("archive").absolute(), format="csv", every=timedelta(hours=1))
    assert not archive.from_beginning
    assert ENVIRON["CMS_SECRET"] in settings.secrets


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{name: a}", "nowhere to deliver to"),
        ("{name: a, stream: s, files: ./f}", "both stream and files"),
        ("{name: a, stream: s, secret: 0123456789abcdef}", "a stream has no secret"),
        ("{name: a, webhook: 'https://cms.test/hook'}", "without a secret"),
        ("{name: a, webhook: 'ftp://cms.test/hook', secret: 0123456789abcdef}", "the scheme is 'ftp'"),
        ("{name: a, stream: s}, {name: a, stream: t}", "is the name of another consumer"),
        ("{name: a, stream: s, copys: false}", "copies"),
    ],
)
def test_a_consumer_that_cannot_be_is_a_problem(problems, entry, message):
    assert any(message in problem for problem in problems(f"deliver: [{entry}]"))


def test_the_api_needs_a_token_where_others_reach_it(loaded, problems):
    assert loaded("api: {}").api == Api()
    assert loaded("api: {listen: '[::1]:9000'}").api == Api(host="::1", port=9000)
    assert loaded("").api is None
    (problem,) = problems("api: {listen: '0.0.0.0:8470'}")
    assert "open to everybody" in problem
    open_to_others = loaded("api: {listen: '0.0.0.0:8470', tokens: ['${API_TOKEN}']}", ENVIRON)
    assert open_to_others.api.tokens == (ENVIRON["API_TOKEN"],)
    assert ENVIRON["API_TOKEN"] in open_to_others.secrets


@pytest.mark.parametrize("listen", ["8470", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "host.test:80"])
def test_what_cannot_be_listened_on_is_a_problem(problems, listen):
    assert any("api.listen" in problem for problem in problems(f"api: {{listen: '{listen}'}}"))


def test_retention_is_for_ever_unless_said(loaded, problems):
    assert loaded("").retention == Retention()
    said = loaded("retention: {raw_pages: 30d, raw_pages_size: 1GiB, runs: 90d, outlets: {kontan: {articles: 730d}}}")
    assert said.retention == Retention(
        raw_pages=timedelta(days=30),
        raw_pages_size=2**30,
        runs=timedelta(days=90),
        outlets=(("kontan", OutletRetention(articles=timedelta(days=730))),),
    )
    (problem,) = problems("retention: {articles: 0s}")
    assert "1h or more" in problem
