"""Waiting for the next part of a stream, but not for ever; at a cost that a token of a fast server can bear.

`asyncio.timeout` sets and cancels a timer each time, a fifth of what reading a token takes. Here one timer stands for
a whole stream, and is moved on when it rings too early.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TypeVar

T = TypeVar("T")


class Patience:
    """Of one stream, read by one task at a time. To be closed at its end.

    Args:
        seconds: To wait for the first part.
    """

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + seconds
        self._waiting: asyncio.Task[object] | None = None
        self._rang, self._cancelled_before = False, 0
        self._timer = self._loop.call_at(self._until, self._ring)

    async def next(self, parts: AsyncGenerator[T, None], seconds: float | None = None) -> T:
        """The next part.

        Args:
            parts: The stream.
            seconds: To wait for it, from now on; None for what is left.

        Raises:
            TimeoutError: Nothing came in time.
            StopAsyncIteration: The stream has ended.
        """
        if seconds is not None:
            self._until = self._loop.time() + seconds
            if self._timer.when() > self._until:
                self._timer.cancel()
                self._timer = self._loop.call_at(self._until, self._ring)
        task = asyncio.current_task()
        self._waiting, self._rang = task, False
        try:
            return await anext(parts)
        except BaseException as error:
            # As asyncio.timeout does it: a cancellation by somebody else at the same time is theirs.
            ended = self._rang and task is not None and task.uncancel() <= self._cancelled_before
            if ended and isinstance(error, asyncio.CancelledError):
                raise TimeoutError from None
            raise
        finally:
            self._waiting = None

    async def aclose(self) -> None:
        """Take the timer back."""
        self._timer.cancel()

    def _ring(self) -> None:
        now = self._loop.time()
        if now < self._until:
            self._timer = self._loop.call_at(self._until, self._ring)
        elif self._waiting is None:
            # Whoever reads is busy with the last part: the time is that of waiting alone.
            self._timer = self._loop.call_at(now + 0.1, self._ring)
        else:
            self._rang, self._cancelled_before = True, self._waiting.cancelling()
            self._waiting.cancel()
