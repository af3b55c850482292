"""Places of an endpoint: so many at once, first come first served, and alone when that is asked for."""

from __future__ import annotations

import asyncio

from dashboard.probe.places import Places


class Counter:
    """Notes who is in, and how many there were at the most."""

    def __init__(self) -> None:
        self.inside: set[str] = set()
        self.most = 0
        self.order: list[str] = []
        self.beside_alone: set[str] = set()

    async def stay(self, places: Places, name: str, alone: bool = False, urgent: bool = False) -> None:
        async with places.alone() if alone else places.one(urgent=urgent):
            self.inside.add(name)
            self.order.append(name)
            self.most = max(self.most, len(self.inside))
            await asyncio.sleep(0.01)
            if alone:
                self.beside_alone |= self.inside - {name}
            self.inside.discard(name)


def test_no_more_than_the_places_and_in_their_order() -> None:
    async def run() -> Counter:
        counter, places = Counter(), Places(3)
        await asyncio.gather(*(counter.stay(places, str(at)) for at in range(9)))
        return counter

    counter = asyncio.run(run())
    assert counter.most == 3
    assert counter.order == [str(at) for at in range(9)]


def test_who_is_alone_waits_for_those_before_and_keeps_out_those_after() -> None:
    async def run() -> Counter:
        counter, places = Counter(), Places(3)
        await asyncio.gather(
            counter.stay(places, "a"), counter.stay(places, "b"),
            counter.stay(places, "alone", alone=True), counter.stay(places, "c"),
        )  # fmt: skip
        return counter

    counter = asyncio.run(run())
    assert counter.order == ["a", "b", "alone", "c"]
    assert counter.beside_alone == set()


def test_who_gives_up_waiting_leaves_every_place_free() -> None:
    async def run() -> int:
        counter, places = Counter(), Places(2)
        first = asyncio.create_task(counter.stay(places, "first"))
        waiting = asyncio.create_task(counter.stay(places, "alone", alone=True))
        await asyncio.sleep(0.002)
        waiting.cancel()
        await asyncio.gather(first, waiting, return_exceptions=True)
        await asyncio.gather(*(counter.stay(places, str(at)) for at in range(4)))
        return counter.most

    assert asyncio.run(run()) == 2


def test_what_is_urgent_waits_for_one_and_not_for_all() -> None:
    async def run() -> Counter:
        counter, places = Counter(), Places(2)
        waiting = [asyncio.create_task(counter.stay(places, str(at))) for at in range(8)]
        await asyncio.sleep(0.002)
        await asyncio.gather(*waiting, counter.stay(places, "verdict", urgent=True))
        return counter

    counter = asyncio.run(run())
    assert counter.order.index("verdict") <= 3
    assert counter.most == 2
