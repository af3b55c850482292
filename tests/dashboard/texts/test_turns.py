"""Conversations side by side: every message once, replies beside replies, and where they part."""

from __future__ import annotations

import random

import pytest

from dashboard.texts.turns import partings, side_by_side, stretches

ROLES = ["system", "user", "assistant", "tool"]


def rows_of(*conversations: str) -> list[tuple[int, str, tuple[int | None, ...]]]:
    """Rows of conversations given by the first letters of their roles."""
    named = {role[0]: role for role in ROLES}
    rows = side_by_side([[named[letter] for letter in letters] for letters in conversations])
    return [(row.turn, row.role[0], row.places) for row in rows]


def test_the_same_roles_stand_beside_each_other() -> None:
    assert rows_of("suata", "suata") == [
        (0, "s", (0, 0)), (0, "u", (1, 1)), (0, "a", (2, 2)), (1, "t", (3, 3)), (1, "a", (4, 4)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("sua", "ua", [("s", (0, None)), ("u", (1, 0)), ("a", (2, 1))]),
        ("ua", "sua", [("s", (None, 0)), ("u", (0, 1)), ("a", (1, 2))]),
        ("uatta", "uata", [("u", (0, 0)), ("a", (1, 1)), ("t", (2, 2)), ("t", (3, None)), ("a", (4, 3))]),
        ("uata", "uaua", [("u", (0, 0)), ("a", (1, 1)), ("t", (2, None)), ("u", (None, 2)), ("a", (3, 3))]),
        ("ua", "", [("u", (0, None)), ("a", (1, None))]),
        ("u", "ua", [("u", (0, 0)), ("a", (None, 1))]),
    ],
)
def test_a_message_more_leaves_a_gap_and_the_replies_stay_beside_each_other(first, second, expected) -> None:
    assert [(role, places) for _, role, places in rows_of(first, second)] == expected


def test_every_message_stands_once_in_its_order_and_in_a_row_of_its_role_whatever_the_conversations() -> None:
    draw = random.Random(5)
    for _ in range(300):
        conversations = [draw.choices(ROLES, k=draw.randrange(9)) for _ in range(draw.randrange(2, 7))]
        rows = side_by_side(conversations)
        for number, roles in enumerate(conversations):
            places = [(row.places[number], row.role) for row in rows if row.places[number] is not None]
            assert places == list(enumerate(roles))
        # The n-th replies of all that have one are beside each other.
        for nth in range(9):
            where = {
                next(at for at, row in enumerate(rows) if row.places[number] == replies[nth])
                for number, roles in enumerate(conversations)
                if len(replies := [at for at, one in enumerate(roles) if one == "assistant"]) > nth
            }
            assert len(where) <= 1


def test_where_each_parts_from_the_reference_and_what_is_alike_in_all() -> None:
    roles = ["user", "assistant"] * 4
    said = [list("abcdefgh"), list("abcdeFgh"), list("abcdefgh"), list("abcXefgh")]
    rows = side_by_side([roles] * 4)
    assert partings(rows, said, 0) == [None, 5, None, 3]
    assert partings(rows, said, 1) == [5, None, 5, 3]
    assert [(each.alike, list(each.rows), each.turns) for each in stretches(rows, said)] == [
        (True, [0, 1, 2], 1), (False, [3], 0), (True, [4], 0), (False, [5], 0), (True, [6, 7], 1),
    ]  # fmt: skip


def test_a_message_that_one_lacks_is_where_they_part() -> None:
    rows = side_by_side([["user", "assistant"], ["user"]])
    assert partings(rows, [["q", "r"], ["q"]], 0) == [None, 1]
    assert [each.alike for each in stretches(rows, [["q", "r"], ["q"]])] == [True, False]


def test_nothing_is_beside_nothing() -> None:
    assert side_by_side([]) == side_by_side([[], []]) == []
    assert stretches([], []) == []
