"""Misbehaviour on the wire: what no proper HTTP server can be made to do."""

from __future__ import annotations

from newsroom import hostile
from newsroom.hostile import Connection
from newsroom.misbehaviour import Case, on_the_wire
from newsroom.web import Answer, Wire


def _head(answer: Answer, length: int | None) -> bytes:
    return hostile.head(answer.status, dict(answer.headers), length)


@on_the_wire
def slow_first_byte(case: Case) -> Wire:
    """Says nothing for `seconds` (10 by default), then answers properly."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.pause(case.number("seconds", 10))
        await connection.write(_head(answer, len(answer.body)) + answer.body)
        connection.close()

    return send


@on_the_wire
def drip(case: Case) -> Wire:
    """Sends the body in pieces of `bytes` (16) every `seconds` (0.5)."""

    async def send(connection: Connection, answer: Answer) -> None:
        step = max(1, int(case.number("bytes", 16)))
        await connection.write(_head(answer, len(answer.body)))
        for at in range(0, len(answer.body), step):
            if not await connection.write(answer.body[at : at + step]) or not await connection.pause(
                case.number("seconds", 0.5)
            ):
                return
        connection.close()

    return send


@on_the_wire
def stall(case: Case) -> Wire:
    """Sends half of the body, then nothing for `seconds` (300 by default), then closes."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.write(_head(answer, len(answer.body)) + answer.body[: len(answer.body) // 2])
        await connection.pause(case.number("seconds", 300))
        connection.close()

    return send


@on_the_wire
def truncated(case: Case) -> Wire:
    """Promises the whole body by Content-Length, sends half of it and closes."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.write(_head(answer, len(answer.body)) + answer.body[: len(answer.body) // 2])
        connection.close()

    return send


@on_the_wire
def reset(case: Case) -> Wire:
    """Resets the connection instead of an answer, or after `bytes` of it."""

    async def send(connection: Connection, answer: Answer) -> None:
        count = int(case.number("bytes", 0))
        if count:
            await connection.write((_head(answer, len(answer.body)) + answer.body)[:count])
            await connection.pause(0.05)
        connection.reset()

    return send


@on_the_wire
def hang_up(case: Case) -> Wire:
    """Closes the connection without a word."""

    async def send(connection: Connection, answer: Answer) -> None:
        connection.close()

    return send


@on_the_wire
def endless_body(case: Case) -> Wire:
    """Sends a body that does not end before `megabytes` (512 by default), without a length."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.write(_head(answer.without("content-encoding"), None) + answer.body)
        piece = b"<!-- iklan -->" * 4681
        for _ in range(int(case.number("megabytes", 512)) * 16):
            if not await connection.write(piece):
                return
        connection.close()

    return send


@on_the_wire
def endless_headers(case: Case) -> Wire:
    """Sends headers that do not end before `megabytes` (512 by default)."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(int(case.number("megabytes", 512)) * 64):
            lines = b"".join(b"x-iklan-%d-%d: %s\r\n" % (number, n, b"a" * 1000) for n in range(16))
            if not await connection.write(lines):
                return
        connection.close()

    return send


@on_the_wire
def bad_status_line(case: Case) -> Wire:
    """Answers with a first line that is not HTTP."""

    async def send(connection: Connection, answer: Answer) -> None:
        await connection.write(b"BERITA 200 BAGUS\r\n\r\n" + answer.body)
        connection.close()

    return send
