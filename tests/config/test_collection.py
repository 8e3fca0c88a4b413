"""Where garbage is not searched for."""

from __future__ import annotations

import gc
import weakref

from config.collection import keep, without_collection


class Thing:
    """Can be referred to weakly."""


def test_what_is_kept_is_searched_no_more_and_freed_all_the_same() -> None:
    thing = Thing()
    ring = Thing()
    ring.itself = ring  # type: ignore[attr-defined]
    alone, around = weakref.ref(thing), weakref.ref(ring)
    del ring
    try:
        keep()
        assert around() is None, "garbage is not kept"
        assert gc.get_freeze_count() > 1000
        del thing
        assert alone() is None
    finally:
        gc.unfreeze()


def test_nothing_is_searched_for_while_reading_and_afterwards_as_before() -> None:
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with without_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
