"""What a sample recorded of its model calls: events, and the messages that they share. Read only where it is asked for.

Today's Inspect keeps the messages of all calls once (`events_data.messages`, in chunked samples `messages/`) and refers
to them by half-open ranges; until 2026 each call held its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from loaders.inspect import limits
from loaders.inspect.decode import decode
from loaders.inspect.documents import NULL, EventDoc, EventsDataDoc, MessageDoc, OutputDoc, SampleDoc
from loaders.inspect.errors import Unreadable

EVENTS = msgspec.json.Decoder(list[EventDoc] | None)
DATA = msgspec.json.Decoder(EventsDataDoc | None)
MESSAGE = msgspec.json.Decoder(MessageDoc)
MESSAGES = msgspec.json.Decoder(list[MessageDoc] | None)
RANGES = msgspec.json.Decoder(list[tuple[int, int]] | None)
OUTPUT = msgspec.json.Decoder(OutputDoc | None)


class Recorded(NamedTuple):
    """Where events and shared messages come from.

    Attributes:
        events: All of them, in order.
        shared: The shared message with an index, None where there is none.
    """

    events: Callable[[], list[EventDoc]]
    shared: Callable[[int], Raw | None]


def own_record(sample: SampleDoc) -> Recorded:
    """What a whole sample recorded, decoded only once somebody asks for it."""
    pool: list[Raw] | None = None

    def events() -> list[EventDoc]:
        return decode(EVENTS, sample.events, "events") or []

    def shared(index: int) -> Raw | None:
        nonlocal pool
        if pool is None:
            data = decode(DATA, sample.events_data, "events_data")
            pool = data.messages if data is not None else []
        return pool[index] if 0 <= index < len(pool) else None

    return Recorded(events, shared)


def asked(call: EventDoc, recorded: Recorded) -> list[MessageDoc]:
    """The messages that a model was called with.

    Raises:
        Unreadable: It refers to messages that aren't there.
    """
    ranges = decode(RANGES, call.input_refs, "a model call")
    if ranges is None:
        return decode(MESSAGES, call.input, "a model call") or []
    return referred(ranges, recorded.shared, "a model call")


def answered(call: EventDoc) -> tuple[OutputDoc | None, MessageDoc | None]:
    """What a model answered: its output, and the message of the first choice."""
    output = decode(OUTPUT, call.output, "a model call")
    if output is None or not output.choices or bytes(output.choices[0].message) == NULL:
        return output, None
    return output, decode(MESSAGE, output.choices[0].message, "a model call")


def referred(ranges: Sequence[tuple[int, int]], shared: Callable[[int], Raw | None], where: str) -> list[MessageDoc]:
    """The messages in half-open ranges of a sequence.

    Raises:
        Unreadable: One is missing or damaged, or the ranges are absurd.
    """
    if sum(max(0, end - start) for start, end in ranges) > limits.MAX_MESSAGES:
        raise Unreadable(f"{where} refers to more than {limits.MAX_MESSAGES:,} messages")
    messages = []
    for index in (index for start, end in ranges for index in range(start, end)):
        raw = shared(index)
        if raw is None:
            raise Unreadable(f"{where} refers to message {index:,}, which is not there")
        messages.append(decode(MESSAGE, raw, f"{where}, message {index}"))
    return messages
