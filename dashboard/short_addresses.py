"""Long lists of names in an address, in fewer characters: what a name shares with the one before it is not said again.

Mail and chat cut addresses of more than some 2,000 characters. Names of runs that nobody gave a card are long, and
much alike. Shorter addresses name everything as it is; both kinds are read. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from dashboard.links import Parameters, query

ROOM = 1800
"""Characters behind the question mark from which on lists are packed; the rest of an address has room before 2,000."""

PACKED = "."
"""Ends the name of a parameter whose list is packed; browsers and Python leave it as it is."""

ENTRY = re.compile(r"(\d+)\.(\d+)\.(\d+)\.")


def shortened(address: Parameters, room: int = ROOM) -> Parameters:
    """An address that has room, its longest lists packed first; the same where it has.

    Args:
        address: Parameters by name, none of which ends in a dot.
        room: Characters that it may have.
    """
    short = dict(address)
    for name in sorted(address, key=lambda name: len(query({name: address[name]})), reverse=True):
        if len(query(short)) <= room:
            break
        packed = {name + PACKED: [pack(address[name])]}
        if len(query(packed)) < len(query({name: address[name]})):
            short = {key: value for key, value in short.items() if key != name} | packed
    return short


def whole(address: Parameters) -> Parameters:
    """An address with its lists unpacked; what can't be read is left out."""
    found: Parameters = {}
    for name, values in address.items():
        if not name.endswith(PACKED):
            found[name] = values
        elif (names := unpack("".join(values))) is not None:
            found[name.removesuffix(PACKED)] = names
    return found


def pack(names: Sequence[str]) -> str:
    """Names in one text: of each how much it begins and ends with as the one before, and what is between.

    Three lengths, each before a dot, and as many characters as the third says: no character needs another before it.
    """
    parts, before = [], ""
    for name in names:
        head = _alike(before, name)
        tail = _alike(before[head:][::-1], name[head:][::-1])
        middle = name[head : len(name) - tail]
        parts.append(f"{head}.{tail}.{len(middle)}.{middle}")
        before = name
    return "".join(parts)


def _alike(one: str, other: str) -> int:
    """With how many characters two texts begin alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def unpack(text: str) -> list[str] | None:
    """The names of `pack`; None for what it never made."""
    names: list[str] = []
    before, at = "", 0
    while at < len(text):
        entry = ENTRY.match(text, at)
        if entry is None:
            return None
        head, tail, length = map(int, entry.groups())
        at = entry.end() + length
        if head + tail > len(before) or at > len(text):
            return None
        before = before[:head] + text[entry.end() : at] + before[len(before) - tail :]
        names.append(before)
    return names
