"""What was ordered by hand: stories out of turn, revisions, retractions."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime

from newsroom.rhythm import day_of
from newsroom.story import Revision, Story


class Orders:
    """The only part of the press that is not a function of seed and time.

    Everything carries its moment, so that the same orders at the same newsroom times give the
    same press. Knows nothing of how it is shown.
    """

    def __init__(self) -> None:
        self._stories: dict[str, dict[date, list[Story]]] = defaultdict(lambda: defaultdict(list))
        self._revisions: dict[str, list[Revision]] = defaultdict(list)
        self._retractions: dict[str, datetime] = {}
        self._moves: dict[str, datetime] = {}
        self._generation: dict[str, int] = defaultdict(int)

    def publish(self, story: Story) -> None:
        """Add a story; it appears at its own moment."""
        self._stories[story.outlet][day_of(story.published)].append(story)
        self._generation[story.outlet] += 1

    def revise(self, key: str, revision: Revision) -> None:
        """Change a story from the revision's moment on."""
        self._revisions[key].append(revision)

    def retract(self, key: str, at: datetime) -> None:
        """Take a story back."""
        self._retractions[key] = at

    def restore(self, key: str) -> None:
        """Show a story again that was taken back."""
        self._retractions.pop(key, None)

    def move(self, key: str, at: datetime) -> None:
        """Give a story another address."""
        self._moves[key] = at
        self._generation[key.partition(":")[0]] += 1

    def moved(self, key: str) -> datetime | None:
        """When the story got another address."""
        return self._moves.get(key)

    def stories(self, outlet: str, day: date) -> list[Story]:
        """Ordered stories of one outlet and WIB day."""
        return self._stories[outlet][day] if outlet in self._stories else []

    def of(self, outlet: str) -> list[Story]:
        """Every ordered story of one outlet, by publication."""
        days = self._stories[outlet].values() if outlet in self._stories else ()
        return sorted((story for day in days for story in day), key=lambda s: (s.published, s.number))

    def revisions(self, key: str) -> list[Revision]:
        """Ordered revisions of one story."""
        return self._revisions.get(key, [])

    def retraction(self, key: str) -> datetime | None:
        """When the story was taken back."""
        return self._retractions.get(key)

    def last_retraction(self, outlet: str, now: datetime) -> datetime | None:
        """The latest moment by ``now`` at which the outlet took something back."""
        mine = (at for key, at in self._retractions.items() if key.startswith(f"{outlet}:") and at <= now)
        return max(mine, default=None)

    def generation(self, outlet: str) -> int:
        """Grows with each ordered story, so that what was computed before is not believed."""
        return self._generation.get(outlet, 0)
