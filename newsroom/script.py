"""The demo: about a minute in which everything that a reader should notice happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from newsroom.clock import Clock, wall
from newsroom.press import Newsroom
from newsroom.story import Change, Kind

#: Newsroom seconds per real second while the demo plays.
SPEED = 60.0
#: Newsroom time that the demo may use before its clock meets the real one.
RUNWAY = timedelta(hours=2)

#: The feed that breaks, and the host of the one that fails.
BROKEN = "kabarniaga/industri"
FAILING = "gemanusa/rdf"
#: The outlet whose stories are followed closely.
FOLLOWED = "archipelagopost"
#: The host a share of whose articles is gone.
GONE = "www.datakini.test"


@dataclass(frozen=True, slots=True)
class Cue:
    """Something that happens at a moment of the demo."""

    #: Real seconds after the start.
    after: float
    #: One sentence for whoever watches.
    says: str
    act: Callable[[Newsroom], object]


def _newest(newsroom: Newsroom, outlet: str, channel: str | None = None) -> int:
    """Number of the newest story that is old enough to have been read."""
    now = newsroom.clock.now()
    house = newsroom.house(outlet)
    stories = [s for s in house.desk.latest(now, 20, channel) if s.kind is Kind.FRESH]
    return stories[min(3, len(stories) - 1)].number


def _early(newsroom: Newsroom, outlet: str, nth: int) -> int:
    """Number of an early story, which has been read by now and is looked at again soon."""
    stories = [s for s in newsroom.house(outlet).desk.latest(newsroom.clock.now(), 20) if s.kind is Kind.FRESH]
    return stories[min(nth, len(stories) - 1)].number


def _burst(outlet: str, count: int, channel: str | None = None) -> Callable[[Newsroom], object]:
    return lambda n: n.publish(outlet, count, over=timedelta(seconds=12 * n.clock.speed), channel=channel)


CUES: Sequence[Cue] = (
    Cue(
        1,
        "Five outlets publish",
        lambda n: [
            _burst(o, 3)(n) for o in ("kantorberita", "kabarniaga", "lintasmenit", "archipelagopost", "datakini")
        ],
    ),
    Cue(
        2,
        "Some pages are gone before they are read",
        lambda n: n.misbehave("status_410", host=GONE, path="/berita/", share=0.1),
    ),
    Cue(3, "A feed breaks: HTML where XML was", lambda n: n.misbehave("html_instead", source=BROKEN)),
    Cue(4, "A feed fails: 500", lambda n: n.misbehave("status_500", source=FAILING)),
    Cue(8, "Bourse news comes in a burst", _burst("kabarniaga", 6, "investasi")),
    Cue(11, "A story moves to another address", lambda n: n.move(FOLLOWED, _early(n, FOLLOWED, 5))),
    Cue(12, "Another is taken back", lambda n: n.retract(FOLLOWED, _early(n, FOLLOWED, 7))),
    Cue(
        13,
        "A figure is put right, with a notice that no feed tells of",
        lambda n: n.revise(FOLLOWED, _early(n, FOLLOWED, 9), Change.CORRECTION),
    ),
    Cue(
        14,
        "A headline is revised",
        lambda n: n.revise("kabarniaga", _newest(n, "kabarniaga", "investasi"), Change.TITLE),
    ),
    Cue(
        16,
        "Another story is corrected and retitled",
        lambda n: [
            n.revise("archipelagopost", _newest(n, "archipelagopost"), c) for c in (Change.NUMBER, Change.TITLE)
        ],
    ),
    Cue(
        20,
        "An old body runs under a new title",
        lambda n: n.republish("kabarniaga", _newest(n, "kabarniaga", "keuangan"), Kind.DUPLICATE),
    ),
    Cue(24, "A wire story is copied", lambda n: n.copy("kabarniaga", _newest(n, "kantorberita"))),
    Cue(
        28,
        "The agency and its readers publish on",
        lambda n: [_burst(o, 4)(n) for o in ("kantorberita", "lintasmenit", "kabarniaga")],
    ),
    Cue(
        40, "And on", lambda n: [_burst(o, 4)(n) for o in ("kantorberita", "archipelagopost", "datakini", "kabarniaga")]
    ),
    Cue(
        45,
        "The failing feed is mended",
        lambda n: [n.rules.remove(r.id) for r, _ in n.rules.all() if r.name == "status_500"],
    ),
)


def demo_newsroom(seed: int = 7) -> Newsroom:
    """A press whose clock starts a while ago, runs fast, and never passes the real time."""
    return Newsroom(seed=seed, clock=Clock(wall() - RUNWAY, speed=SPEED, never_ahead=True), backlog_days=0)


class Show:
    """The demo while it plays, in a thread of its own."""

    def __init__(self, newsroom: Newsroom, announce: Callable[[Cue], object] | None = None) -> None:
        """``announce`` hears of each cue once it has been acted on."""
        self._newsroom = newsroom
        self._announce = announce
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="newsroom-demo", daemon=True)
        #: Cues that have been acted on.
        self.done: list[Cue] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, whatever is left."""
        self._stopped.set()
        self._thread.join(5)

    def wait(self, seconds: float) -> bool:
        """Wait for the last cue; False if it has not come by then."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        gone = 0.0
        for cue in CUES:
            if self._stopped.wait(cue.after - gone):
                return
            gone = cue.after
            cue.act(self._newsroom)
            self.done.append(cue)
            if self._announce is not None:
                self._announce(cue)


def play(newsroom: Newsroom, announce: Callable[[Cue], object] | None = None) -> Show:
    """Start the demo."""
    show = Show(newsroom, announce)
    show.start()
    return show
