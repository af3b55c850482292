"""The places of an endpoint: so many requests may be under way at once, and now and then one must be alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Places:
    """First come, first served. Belongs to one event loop.

    Args:
        count: Requests that may be under way at once.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = asyncio.Semaphore(count)
        self._door = asyncio.Lock()
        """Whoever waits for a place stands in it, so that nobody who came later goes first."""

    @asynccontextmanager
    async def one(self, *, urgent: bool = False) -> AsyncIterator[None]:
        """Take one place.

        Args:
            urgent: Go before all who wait but the first of them: for what finishes work that was begun.
        """
        if urgent:
            await self._free.acquire()
        else:
            async with self._door:
                await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Take all places: nothing else is under way meanwhile."""
        taken = 0
        async with self._door:
            try:
                while taken < self._count:
                    await self._free.acquire()
                    taken += 1
                yield
            finally:
                for _ in range(taken):
                    self._free.release()
