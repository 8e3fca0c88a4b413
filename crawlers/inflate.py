"""Content codings undone piece by piece, under limits: gzip, deflate, br, zstd (RFC 9110 section 8.4).

A bomb is stopped after at most one step of output past the limit, whatever the size of what it would become.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: Output taken from a decompressor at a time.
STEP_BYTES = 256 * 1024

#: Output below which the ratio of decompressed to compressed bytes is not judged.
RATIO_FLOOR_BYTES = 2**20

#: Codings stacked on one answer; more than two is an attack.
MAX_CODINGS = 2

#: Largest window of a zstd answer that a client must support (RFC 9659): 8 MiB.
_ZSTD_WINDOW_LOG = 23


class InflateError(Exception):
    """The bytes are not what their coding promises."""


class BombError(InflateError):
    """More came out than the limits permit."""


class Decoder(Protocol):
    """One content coding."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of output of bounded size. Raises InflateError."""

    def finished(self) -> bool:
        """Whether the stream came to its own end."""


class _Zlib:
    """gzip (any number of members), zlib, and raw deflate as some servers send it under that name."""

    def __init__(self, coding: str) -> None:
        self._gzip = coding == "gzip"
        self._object = zlib.decompressobj(31 if self._gzip else 15)
        self._started = False
        self._ended = False
        self._plain = False
        self._head = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        if not self._started:
            data = self._begin(self._head + data)
        if self._plain:
            if data:
                yield data
            return
        while data:
            if self._ended:
                if not self._gzip or data[:1] != b"\x1f":
                    return  # padding after the last member
                self._object, self._ended = zlib.decompressobj(31), False
            try:
                piece = self._object.decompress(data, STEP_BYTES)
            except zlib.error as error:
                raise InflateError(str(error)) from error
            if piece:
                yield piece
            data = self._object.unconsumed_tail
            if self._object.eof:
                self._ended, data = True, self._object.unused_data

    def _begin(self, data: bytes) -> bytes:
        if len(data) < 2:
            self._head = data
            return b""
        self._started, self._head = True, b""
        if self._gzip:
            # Servers label plain bodies as gzip; browsers refuse, feed readers read on.
            self._plain = data[:2] != b"\x1f\x8b"
        elif (data[0] & 0x0F) != 8 or (data[0] << 8 | data[1]) % 31:
            self._object = zlib.decompressobj(-15)
        return data

    def finished(self) -> bool:
        return self._ended or self._plain or (not self._started and not self._head)


class _Brotli:
    def __init__(self) -> None:
        self._object = brotli.Decompressor()
        self._fed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._object.is_finished():
            return
        self._fed = self._fed or bool(data)
        try:
            piece = self._object.process(data, output_buffer_limit=STEP_BYTES)
            while piece:
                yield piece
                if self._object.is_finished():
                    return
                piece = self._object.process(b"", output_buffer_limit=STEP_BYTES)
        except brotli.error as error:
            raise InflateError(str(error)) from error

    def finished(self) -> bool:
        return not self._fed or bool(self._object.is_finished())


class _Zstd:
    def __init__(self) -> None:
        self._object = self._open()
        self._fed = False

    @staticmethod
    def _open() -> zstd.ZstdDecompressor:
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while data or not (self._object.needs_input or self._object.eof):
                if self._object.eof:
                    self._object = self._open()
                self._fed = True
                piece = self._object.decompress(data, STEP_BYTES)
                if piece:
                    yield piece
                data = self._object.unused_data if self._object.eof else b""
        except zstd.ZstdError as error:
            raise InflateError(str(error)) from error

    def finished(self) -> bool:
        return not self._fed or self._object.eof


def codings_of(content_encoding: str) -> tuple[str, ...]:
    """The codings to undo, first to undo first; what is unknown is taken as the body's own business."""
    names = [name.strip().lower().removeprefix("x-") for name in content_encoding.split(",")]
    known = [name for name in names if name in {"gzip", "deflate", "br", "zstd"}]
    return tuple(reversed(known))


def _decoder(coding: str) -> Decoder:
    if coding == "br":
        return _Brotli()
    return _Zstd() if coding == "zstd" else _Zlib(coding)


class Inflater:
    """Undoes the codings of one answer, counting what goes in and comes out.

    Knows nothing of HTTP beyond the names of the codings.
    """

    def __init__(self, content_encoding: str, *, max_bytes: int, max_ratio: int) -> None:
        codings = codings_of(content_encoding)
        if len(codings) > MAX_CODINGS:
            raise BombError(f"{len(codings)} stacked content codings")
        self._decoders = [_decoder(coding) for coding in codings]
        self._max_bytes = max_bytes
        self._max_ratio = max_ratio
        self.taken = 0
        self.given = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decoded pieces. Raises BombError past a limit and InflateError for broken data."""
        self.taken += len(data)
        yield from self._through(0, data)

    def _through(self, index: int, data: bytes) -> Iterator[bytes]:
        if index == len(self._decoders):
            self._count(len(data))
            yield data
            return
        for piece in self._decoders[index].feed(data):
            yield from self._through(index + 1, piece)

    def _count(self, size: int) -> None:
        self.given += size
        if self.given > self._max_bytes:
            raise BombError(f"more than {self._max_bytes} bytes after decompression")
        if self._decoders and self.given > RATIO_FLOOR_BYTES and self.given > self.taken * self._max_ratio:
            raise BombError(f"{self.given} bytes out of {self.taken}, more than {self._max_ratio} to 1")

    def finished(self) -> bool:
        """Whether every stream came to its own end; False means that the answer was cut short."""
        return all(decoder.finished() for decoder in self._decoders)


def gunzip(data: bytes, *, max_bytes: int, max_ratio: int) -> bytes:
    """A gzip file, such as a ``sitemap.xml.gz``, whole; InflateError when broken, short or past a limit."""
    inflater = Inflater("gzip", max_bytes=max_bytes, max_ratio=max_ratio)
    out = b"".join(inflater.feed(data))
    if not inflater.finished():
        raise InflateError("the gzip data ends early")
    return out
