"""Reading without searching for garbage meanwhile."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Search for cycles once, afterwards.

    Reading makes thousands (a page) to millions (a configuration) of objects that live until it ends; searching among
    them over and over takes a tenth to a third of the time, and afterwards they are all found young.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
