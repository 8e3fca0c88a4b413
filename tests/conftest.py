"""Shared by all tests: where third-party material is, what CI may not skip, and a clock that is set."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI") == "true"


@dataclass
class SetClock:
    """A clock that stands until it is moved."""

    moment: datetime

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> datetime:
        self.moment += by
        return self.moment


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of third-party samples and suites; its tests skip when it is absent."""
    path = Path(os.environ.get("WARTA_SHARED", Path(__file__).parents[2] / "shared"))
    if not path.is_dir():
        pytest.skip("no ../shared here: third-party samples are not part of the project")
    return path


@pytest.fixture(scope="session")
def missing() -> Callable[[str], None]:
    """What to do without a service: skip on a laptop, fail in CI."""

    def decide(reason: str) -> None:
        if IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)

    return decide
