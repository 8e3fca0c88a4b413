"""The demo: about a minute in which everything that a reader should notice happens.

What the demo needs it publishes itself, at whatever hour it is played: a press of its own accord is almost silent at
night and has more than a thousand stories by the evening.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from newsroom.clock import Clock, wall
from newsroom.press import Newsroom
from newsroom.story import Change, Kind

#: Newsroom seconds per real second while the demo plays.
SPEED = 60.0
#: Newsroom time that the demo may use before its clock meets the real one.
RUNWAY = timedelta(hours=2)
#: Newsroom time before its start of which the demo's press still has stories.
MEMORY = timedelta(minutes=30)

#: Stories that are out when it begins, by outlet and channel.
EDITION = {
    ("archipelagopost", None): 6,
    ("kantorberita", None): 6,
    ("kabarniaga", "investasi"): 5,
    ("kabarniaga", "keuangan"): 5,
    ("lintasmenit", None): 4,
    ("datakini", None): 4,
}

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

    #: Real seconds after the start, at least.
    after: float
    #: One sentence for whoever watches.
    says: str
    act: Callable[[Newsroom], object]
    #: What happens to a story of the edition waits until somebody has read it: its place there.
    read: int | None = None


def edition(newsroom: Newsroom) -> None:
    """Publish what is out when the demo begins, spread over the newsroom time before it."""
    for (outlet, channel), count in EDITION.items():
        newsroom.publish(outlet, count, over=-MEMORY, channel=channel)


def _newest(newsroom: Newsroom, outlet: str, channel: str | None = None) -> int:
    """Number of the newest story that is old enough to have been read."""
    now = newsroom.clock.now()
    house = newsroom.house(outlet)
    stories = [s for s in house.desk.latest(now, 20, channel) if s.kind is Kind.FRESH]
    return stories[min(3, len(stories) - 1)].number


def _early(newsroom: Newsroom, nth: int) -> int:
    """Number of a story of the edition, which is looked at again soon."""
    return newsroom.orders.of(FOLLOWED)[nth].number


def _is_read(newsroom: Newsroom, nth: int) -> bool:
    """Whether anybody was given the page of a story of the edition."""
    url = urlsplit(newsroom.house(FOLLOWED).url(newsroom.orders.of(FOLLOWED)[nth]))
    visits = list(newsroom.visits)
    return any((v.host, v.path, v.status) == (url.hostname, url.path, 200) for v in visits)


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
        lambda n: n.misbehave("status_410", host=GONE, path="/berita/", share=0.4),
    ),
    Cue(3, "A feed breaks: HTML where XML was", lambda n: n.misbehave("html_instead", source=BROKEN)),
    Cue(4, "A feed fails: 500", lambda n: n.misbehave("status_500", source=FAILING)),
    Cue(8, "Bourse news comes in a burst", _burst("kabarniaga", 6, "investasi")),
    Cue(9, "A story moves to another address", lambda n: n.move(FOLLOWED, _early(n, 0)), read=0),
    Cue(10, "Another is taken back", lambda n: n.retract(FOLLOWED, _early(n, 1)), read=1),
    Cue(
        11,
        "A figure is put right, with a notice",
        lambda n: n.revise(FOLLOWED, _early(n, 2), Change.CORRECTION),
        read=2,
    ),
    Cue(
        14,
        "A headline is revised",
        lambda n: n.revise("kabarniaga", _newest(n, "kabarniaga", "investasi"), Change.TITLE),
    ),
    Cue(
        16,
        "Another story is corrected and retitled",
        lambda n: [n.revise(FOLLOWED, _early(n, 3), c) for c in (Change.NUMBER, Change.TITLE)],
        read=3,
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
    """A press with its edition out, whose clock starts a while ago, runs fast, and never passes the real time."""
    start = wall() - RUNWAY
    clock = Clock(start, speed=SPEED, never_ahead=True)
    newsroom = Newsroom(seed=seed, clock=clock, backlog_days=0, since=start - MEMORY)
    edition(newsroom)
    return newsroom


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
        if self._thread.is_alive():
            self._thread.join(5)

    def wait(self, seconds: float) -> bool:
        """Wait for the last cue; False if it has not come by then."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        began = self._newsroom.clock.tick()
        waiting = list(CUES)
        while waiting and not self._stopped.wait(0.1):
            passed = self._newsroom.clock.tick() - began
            for cue in [c for c in waiting if c.after <= passed and self.is_due(c)]:
                waiting.remove(cue)
                cue.act(self._newsroom)
                self.done.append(cue)
                if self._announce is not None:
                    self._announce(cue)

    def is_due(self, cue: Cue) -> bool:
        """Whether what the cue waits for besides its moment has come."""
        return cue.read is None or _is_read(self._newsroom, cue.read)


def play(newsroom: Newsroom, announce: Callable[[Cue], object] | None = None) -> Show:
    """Start the demo at a press whose `edition` is out."""
    show = Show(newsroom, announce)
    show.start()
    return show
