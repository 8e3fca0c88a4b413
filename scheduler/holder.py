"""Who this process is to others: a name under which it holds leases, and by which its death can be seen.

A lease of a process that was killed runs out by itself; on the same machine nobody has to wait for that.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


@cache
def _place() -> str:
    """The machine since its last start, and this process's view of process ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
        space = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        boot = space = "-"
    return f"{socket.gethostname()}/{boot}/{space}"


def name() -> str:
    """``host/boot/namespace:pid``."""
    return f"{_place()}:{os.getpid()}"


def is_dead(holder: str) -> bool:
    """Whether that process is known to be gone; False for every process that cannot be seen from here."""
    place, _, pid = holder.rpartition(":")
    if place != _place() or "/-/" in place or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
