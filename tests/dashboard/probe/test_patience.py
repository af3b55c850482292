"""Waiting for a stream: for as long as is allowed, and never mistaking somebody else's cancellation for silence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest

from dashboard.probe.clients.patience import Patience


async def parts(*pauses: float) -> AsyncGenerator[int, None]:
    for number, pause in enumerate(pauses):
        await asyncio.sleep(pause)
        yield number


def test_parts_come_as_they_are_and_then_the_end() -> None:
    async def read() -> list[int]:
        patience, stream, came = Patience(5), parts(0, 0.01, 0), []
        try:
            while True:
                came.append(await patience.next(stream, 5))
        except StopAsyncIteration:
            await patience.aclose()
            return came

    assert asyncio.run(read()) == [0, 1, 2]


@pytest.mark.parametrize(("first", "then", "pauses", "came"), [(0.2, 9, (9,), 0), (9, 0.2, (0, 0.1, 0.1, 9), 3)])
def test_silence_ends_the_waiting(first: float, then: float, pauses: tuple[float, ...], came: int) -> None:
    async def read() -> tuple[int, float]:
        patience, stream, count = Patience(first), parts(*pauses), 0
        try:
            while True:
                begun = time.monotonic()
                await patience.next(stream, then if count else None)
                count += 1
        except TimeoutError:
            waited = time.monotonic() - begun
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0
            await asyncio.sleep(0.15)  # and nothing rings again
            return count, waited

    count, waited = asyncio.run(read())
    assert count == came
    assert 0.19 < waited < 5


def test_a_reader_who_is_slow_is_not_silence() -> None:
    async def read() -> int:
        patience, stream = Patience(0.1), parts(0, 0, 0.02)
        await patience.next(stream)
        await asyncio.sleep(0.4)
        await patience.next(stream, 0.1)
        await asyncio.sleep(0.4)
        return await patience.next(stream, 0.5)

    assert asyncio.run(read()) == 2


def test_a_cancellation_by_somebody_else_is_theirs() -> None:
    async def read() -> str:
        async def wait() -> None:
            await Patience(5).next(parts(5))

        task = asyncio.create_task(wait())
        await asyncio.sleep(0.05)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return "cancelled"
        return "ended"

    assert asyncio.run(read()) == "cancelled"


def test_a_limit_around_it_keeps_its_own_time() -> None:
    async def read() -> str:
        try:
            async with asyncio.timeout(0.1) as limit:
                await Patience(5).next(parts(5))
        except TimeoutError:
            return "outer" if limit.expired() else "inner"
        return "none"

    assert asyncio.run(read()) == "outer"
