from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scheduler.lock import AlreadyRunning, DataLock, owner

HOLD = """
import sys, time
from pathlib import Path
from scheduler.lock import DataLock
with DataLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_says_who_holds_it(tmp_path: Path) -> None:
    assert owner(tmp_path) is None

    with DataLock(tmp_path, role="run"):
        found = owner(tmp_path)

        assert found is not None
        assert (found["pid"], found["role"]) == (os.getpid(), "run")

    assert owner(tmp_path) is None


def test_a_second_daemon_is_refused_with_a_word_on_what_to_do(tmp_path: Path) -> None:
    with DataLock(tmp_path), pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}.*kill -TERM {os.getpid()}"):
        DataLock(tmp_path).__enter__()


def test_a_killed_daemon_leaves_no_lock_behind(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning):
            DataLock(tmp_path).__enter__()

        holder.send_signal(signal.SIGKILL)

    with DataLock(tmp_path):
        pass
