"""Answers: JSON with an ETag, streams of lines, errors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

LINES = "application/x-ndjson"


def error(status: int, message: str) -> JSONResponse:
    """One sentence on what went wrong."""
    return JSONResponse({"error": message}, status)


def answer(request: Request, value: Mapping[str, Any]) -> Response:
    """JSON, or 304 when the reader has the same."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return tagged(request, body, "application/json")


def tagged(request: Request, body: bytes, media_type: str) -> Response:
    """The body under an ETag made of it, or 304 (RFC 9110 section 13.1.2)."""
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept", "X-Content-Type-Options": "nosniff"}
    asked = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if tag in asked or "*" in asked:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def wants_lines(request: Request) -> bool:
    """Whether the reader asks for JSON Lines."""
    return LINES in request.headers.get("accept", "")


def lines(records: AsyncIterator[Mapping[str, Any]], limit: int | None) -> StreamingResponse:
    """One JSON object a line, as they are read from the database."""

    async def write() -> AsyncIterator[bytes]:
        count, chunk = 0, bytearray()
        async for record in records:
            chunk += json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            count += 1
            if len(chunk) > 65_536:
                yield bytes(chunk)
                chunk.clear()
            if count == limit:
                break
        if chunk:
            yield bytes(chunk)

    return StreamingResponse(write(), media_type=LINES, headers={"Vary": "Accept", "X-Accel-Buffering": "no"})
