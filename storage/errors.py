"""What can go wrong below the crawl, as exceptions that say what to do."""

from __future__ import annotations


class StorageError(Exception):
    """Something that storage cannot do as asked."""


class StorageUnavailable(StorageError):
    """The database does not answer, is full or is locked; the same call may be repeated later."""


class StorageCorrupt(StorageUnavailable):
    """Pages of the database cannot be read; the same call may work when its disk or its backup is back."""


class StaleToken(StorageError):
    """A run whose lease has passed to another tried to write; it must stop and drop what it holds."""

    def __init__(self, source_id: str, token: int, fence: int | None) -> None:
        super().__init__(
            f"source {source_id}: token {token} is not in force (the source's is {fence}); "
            "another run has taken over, so nothing was written"
        )
        self.source_id = source_id
        self.token = token
        self.fence = fence


class UnknownSource(StorageError):
    """A source that was never declared."""

    def __init__(self, source_id: str) -> None:
        super().__init__(f"source {source_id} is not in the sources table; apply the configuration first")
        self.source_id = source_id


class InvalidDecision(StorageError):
    """A decision that cannot be written, such as one without its article."""


class SchemaOutdated(StorageError):
    """The database's tables are of another version than this program's."""
