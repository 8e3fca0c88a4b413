"""Events as entries of a Redis stream, each under its own number.

The entry of event 57 has the id ``57-0``. A stream takes an id once and only above its last, so an event
whose answer got lost on the way is not added twice. An id that is refused while the stream holds another
event there (or none any more), as with a stream older than the database, is added behind the last one
instead, and so is every replay: consumers drop repeated events by their ``key``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from redis.asyncio import Redis

from config.model import Stream
from scheduler.delivery.target import Accepted, Answer, TargetDown
from storage.events import Event
from storage.redis import FAILURES, reason_of

#: Fields of an entry that are JSON.
DOCUMENTS = ("detail", "article")
#: Fields of an entry, in order; what there is none of is empty text.
FIELDS = (
    "schema", "event_id", "key", "event", "article_id", "revision", "outlet_id", "created_at", "materiality", "detail",
    "article",
)  # fmt: skip

# One script, so that a batch is added in order: of single commands the second may pass where the first
# failed, and the first would end up behind it. ARGV: length, width of an event, replayed; then for each
# event its id, its key and its fields with their values.
_ADD = """
local stream, length, width, replayed = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'

local function is_there(id, key)
  local found = redis.call('XRANGE', stream, id, id)
  if #found == 0 then return false end
  local fields = found[1][2]
  for f = 1, #fields, 2 do
    if fields[f] == 'key' then return fields[f + 1] == key end
  end
  return false
end

local function behind_last()
  if redis.call('EXISTS', stream) == 0 then return '0-*' end
  local facts = redis.call('XINFO', 'STREAM', stream)
  for f = 1, #facts, 2 do
    if facts[f] == 'last-generated-id' then return string.match(facts[f + 1], '^%d+') .. '-*' end
  end
end

for i = 4, #ARGV, width + 2 do
  local id, key = ARGV[i], ARGV[i + 1]
  local fields = {}
  for f = i + 2, i + 1 + width do fields[#fields + 1] = ARGV[f] end
  local reply = nil
  if not replayed then
    reply = redis.pcall('XADD', stream, 'MAXLEN', '~', length, id, unpack(fields))
    if type(reply) == 'table' and reply.err and not string.find(reply.err, 'equal or smaller', 1, true) then
      return reply
    end
  end
  if replayed or (type(reply) == 'table' and reply.err and not is_there(id, key)) then
    redis.call('XADD', stream, 'MAXLEN', '~', length, behind_last(), unpack(fields))
  end
end
return 1
"""


class StreamTarget:
    """One stream."""

    batch = 200
    patience = timedelta(0)

    def __init__(self, stream: Stream, redis: Redis, *, owned: bool = False) -> None:
        self._stream = stream
        self._redis = redis
        self._owned = owned
        self._add = redis.register_script(_ADD)

    async def send(self, events: Sequence[Event], *, replayed: bool) -> list[Answer]:
        """Add all in one round trip. Raises TargetDown when Redis is away, full or read-only."""
        arguments: list[str | int] = [self._stream.length, len(FIELDS) * 2, int(replayed)]
        for event in events:
            arguments += [f"{event.id}-0", event.key, *_fields(event)]
        try:
            await self._add(keys=[self._stream.key], args=arguments)
        except FAILURES as error:
            raise TargetDown(f"stream {self._stream.key}: {reason_of(error)}") from error
        return [Accepted()] * len(events)

    async def close(self) -> None:
        """Close the connection, if it is this target's own."""
        if self._owned:
            await self._redis.aclose()


def _fields(event: Event) -> list[str]:
    envelope = event.envelope()
    documents = {name: json.dumps(envelope.pop(name), ensure_ascii=False) for name in DOCUMENTS}
    return [part for name in FIELDS for part in (name, documents.get(name) or _text(envelope[name]))]


def _text(value: object) -> str:
    return "" if value is None else str(value)
