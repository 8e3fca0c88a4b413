"""A press that is served, and a client that knows virtual hosts."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from newsroom.press import Newsroom
from newsroom.serve import Running, running


@dataclass(frozen=True)
class Got:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Asks the press for URLs as a crawler with a resolver for ``*.test`` would."""

    def __init__(self, press: Running) -> None:
        self.press = press

    def open(self, url: str, method: str = "GET", timeout: float = 10, **headers: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", self.press.port, timeout=timeout)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        names = {k.replace("_", "-"): v for k, v in headers.items()}
        connection.request(method, path, headers={"Host": parts.netloc, "Accept-Encoding": "identity", **names})
        return connection

    def get(self, url: str, method: str = "GET", timeout: float = 10, **headers: str) -> Got:
        connection = self.open(url, method, timeout, **headers)
        try:
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.headers.get("content-encoding") == "gzip" and "accept_encoding" not in headers:
            body = gzip.decompress(body)
        return Got(response.status, response.headers, body)

    def control(self, action: str, /, **values: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.press.port, timeout=30)
        connection.request("POST", f"/_control/{action}", body=json.dumps(values))
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return answer if response.status == 200 else (response.status, answer)

    def source(self, name: str) -> str:
        outlet, _, wanted = name.partition("/")
        newsroom = self.press.newsroom
        for _, source in newsroom.sources(outlet):
            if source.name == wanted:
                return newsroom.addresses.url(source.host, source.path)
        raise KeyError(name)


@pytest.fixture
def newsroom() -> Newsroom:
    return Newsroom(seed=7, backlog_days=2)


@pytest.fixture
def press(newsroom: Newsroom) -> Iterator[Running]:
    with running(newsroom) as served:
        yield served


@pytest.fixture
def client(press: Running) -> Client:
    return Client(press)
