"""Public suites, served over HTTP, fetched and read; what does not agree is known and has its reason."""

from __future__ import annotations

import asyncio

import pytest

from bench.conformance import SUITES, run, shared

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not shared().is_dir(), reason="the shared suites are not here"),
]


@pytest.mark.parametrize("suite", SUITES)
def test_a_public_suite_agrees_but_for_what_is_named(suite: str) -> None:
    (tally,) = asyncio.run(run([suite]))

    assert tally.failed == []
    assert tally.passed >= 0.96 * tally.cases or suite == "encoding"
    assert tally.cases >= 6
