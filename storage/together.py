"""Questions that tasks ask side by side, answered by one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Together(Generic[Question, Answer]):
    """Takes questions from any number of tasks; those that come while others are under way go together next."""

    def __init__(
        self, ask: Callable[[Sequence[Question]], Awaitable[Sequence[Answer | Exception]]], *, most: int
    ) -> None:
        """`ask` answers up to `most` questions, in order; an exception in place of an answer is raised to its asker."""
        self._ask = ask
        self._most = most
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def answer(self, question: Question) -> Answer:
        """The answer; raises what asking raised, to everybody whose question was among those asked."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return await answer

    async def _send(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                answers = [answer for _, answer in together]
                try:
                    _hand_out(await self._ask([question for question, _ in together]), answers)
                except Exception as error:
                    _hand_out([error] * len(answers), answers)
                except BaseException:
                    for answer in [*answers, *(answer for _, answer in self._waiting)]:
                        answer.cancel()
                    self._waiting = []
                    raise
        finally:
            self._sender = None


def _hand_out(replies: Sequence[Any], answers: Sequence[asyncio.Future[Any]]) -> None:
    for reply, answer in zip(replies, answers, strict=True):
        if answer.done():  # whoever asked is gone
            continue
        if isinstance(reply, Exception):
            answer.set_exception(reply)
        else:
            answer.set_result(reply)
