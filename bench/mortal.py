"""Programs that kill themselves now and then."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable


def mortal(chance: float, dice: random.Random) -> Callable[[], None]:
    """What a program calls where it may die; it does with that chance, as kill -9 would."""

    def perhaps_die() -> None:
        if dice.random() < chance:
            os.kill(os.getpid(), signal.SIGKILL)

    return perhaps_die
