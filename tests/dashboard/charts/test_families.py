"""Runs in families: each below its parent, families together, cut into pieces that fit a sheet."""

from __future__ import annotations

from dashboard.charts.families import families, pieces


def order(parents: dict[str, str | None]) -> list[tuple[str, int, int]]:
    return [(member.run, member.depth, member.family) for member in families(parents)]


def test_children_follow_their_parents_in_the_order_of_the_study() -> None:
    parents = {"rl": "sft", "alone": None, "sft": None, "rl-2": "sft", "more": "rl"}
    assert order(parents) == [("sft", 0, 0), ("rl", 1, 0), ("more", 2, 0), ("rl-2", 1, 0), ("alone", 0, 1)]


def test_unknown_parents_and_circles_lose_no_run() -> None:
    parents = {"a": "b", "b": "a", "c": "gone", "d": "a", "e": "e"}
    found = order(parents)
    assert sorted(run for run, _, _ in found) == sorted(parents)
    assert ("c", 0, 2) in found
    assert ("d", 1, 0) in found


def test_a_family_is_torn_apart_only_where_it_is_larger_than_a_piece() -> None:
    parents = {"a": None, "a1": "a", "b": None, "b1": "b", "b2": "b", "b3": "b", "b4": "b", "c": None}
    cut = [[member.run for member in piece] for piece in pieces(families(parents), most=3)]
    assert cut == [["a", "a1"], ["b", "b1", "b2"], ["b3", "b4", "c"]]
