"""Conversations put side by side: turn by turn, and within a turn role by role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

ANSWERS = "assistant"
"""The role whose message ends a turn."""

Place = int | None
"""Which message of a conversation stands in a row, from 0; None for none."""


@dataclass(frozen=True, slots=True)
class TurnRow:
    """Messages that stand beside each other.

    Attributes:
        turn: Number of their turn, from 0. A turn is what a model was told, and what it replied.
        role: Of all of them.
        places: One for each conversation.
    """

    turn: int
    role: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows that follow each other, all alike or all different.

    Attributes:
        alike: Whether every conversation says the same in them.
        rows: Indices of the rows.
        turns: How many whole turns they are.
    """

    alike: bool
    rows: range
    turns: int


def side_by_side(conversations: Sequence[Sequence[str]]) -> list[TurnRow]:
    """Align conversations.

    A conversation with a message more in a turn (a system prompt, a second tool's result) leaves the others a gap
    there, and they are beside each other again at the reply.

    Args:
        conversations: The roles of the messages of each.

    Returns:
        Rows that hold every message of every conversation once, each in its order.
    """
    turns = [_turns(roles) for roles in conversations]
    rows: list[TurnRow] = []
    for number in range(max(map(len, turns), default=0)):
        waiting = [list(of[number]) if number < len(of) else [] for of in turns]
        while any(waiting):
            role = _next_role([[roles[at] for at in left] for roles, left in zip(conversations, waiting, strict=True)])
            places = tuple(
                left.pop(0) if left and roles[left[0]] == role else None
                for roles, left in zip(conversations, waiting, strict=True)
            )
            rows.append(TurnRow(number, role, places))
    return rows


def _turns(roles: Sequence[str]) -> list[range]:
    ends = [at + 1 for at, role in enumerate(roles) if role == ANSWERS]
    if not ends or ends[-1] < len(roles):
        ends.append(len(roles))
    return [range(start, end) for start, end in zip([0, *ends], ends, strict=False) if end > start]


def _next_role(left: Sequence[Sequence[str]]) -> str:
    """The role of the next row: one that no other conversation is still to come to, else the one that most are at.

    A reply ends the turn, so it waits for whatever others were told before theirs.
    """
    heads = [roles[0] for roles in left if roles]
    heads = [role for role in heads if role != ANSWERS] or heads
    for role in dict.fromkeys(heads):
        if not any(role in roles[1:] for roles in left if roles and roles[0] != role):
            return role
    return Counter(heads).most_common(1)[0][0]


def alike(row: TurnRow, said: Sequence[Sequence[str]]) -> bool:
    """Whether every conversation says the same in a row.

    Args:
        row: A row of them.
        said: What each message of each conversation says.
    """
    texts = {None if at is None else of[at] for at, of in zip(row.places, said, strict=True)}
    return len(texts) == 1


def partings(rows: Sequence[TurnRow], said: Sequence[Sequence[str]], reference: int) -> list[int | None]:
    """The first row in which each conversation is not the reference's; None for those that never part from it.

    Args:
        rows: From `side_by_side`.
        said: What each message of each conversation says.
        reference: Which conversation the others are held against.
    """

    def text(conversation: int, row: TurnRow) -> str | None:
        at = row.places[conversation]
        return None if at is None else said[conversation][at]

    return [
        next((number for number, row in enumerate(rows) if text(one, row) != text(reference, row)), None)
        for one in range(len(said))
    ]


def stretches(rows: Sequence[TurnRow], said: Sequence[Sequence[str]]) -> list[Stretch]:
    """Rows grouped into those in which all conversations say the same, and those in which they don't.

    Args:
        rows: From `side_by_side`.
        said: What each message of each conversation says.
    """
    of_turn = Counter(row.turn for row in rows)
    found = []
    for same, group in groupby(range(len(rows)), key=lambda at: alike(rows[at], said)):
        within = list(group)
        inside = Counter(rows[at].turn for at in within)
        whole = sum(count == of_turn[turn] for turn, count in inside.items())
        found.append(Stretch(same, range(within[0], within[-1] + 1), whole))
    return found
