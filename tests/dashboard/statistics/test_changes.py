"""The first step at which an outcome changed, against a search by hand through every short sequence."""

from __future__ import annotations

import itertools
import math

import pytest

from dashboard.statistics.changes import differ, disagree, first_change, majority

VALUES = [None, 0.0, 0.5, 1.0]


def by_hand(values):
    """Walk along, remember the first value, and note what happens."""
    start = before = first = back = None
    differing = known = 0
    for at, value in enumerate(values):
        if value is None:
            continue
        known += 1
        if start is None:
            start = before = at
        elif value != values[start]:
            differing += 1
            if first is None:
                first = at
        elif first is None:
            before = at
        elif back is None:
            back = at
    return None if first is None else (start, before, first, back, differing, known)


@pytest.mark.parametrize("length", range(7))
def test_it_is_what_a_walk_along_the_steps_finds(length: int) -> None:
    for values in itertools.product(VALUES, repeat=length):
        found = first_change(values)
        expected = by_hand(values)
        if expected is None:
            assert found is None
        else:
            assert found is not None
            assert (found.start, found.before, found.first, found.back, found.differing, found.known) == expected
            assert found.stays == (expected[3] is None)


def test_what_is_missing_is_no_change_and_never_zero() -> None:
    assert first_change([0.0, None, math.nan, 0.0]) is None
    assert first_change([None, 1.0, None]) is None
    assert first_change([None, 1.0, math.nan, 0.0]).first == 3
    assert first_change([]) is None


def test_thirds_that_were_summed_otherwise_are_the_same() -> None:
    assert first_change([1 / 3, (0.1 + 0.2 + 0.7) / 3]) is None
    assert first_change([1e9 + 1, 1e9 + 3]) is not None


@pytest.mark.parametrize(
    ("fraction", "most"),
    [(0.0, 0.0), (1 / 3, 0.0), (0.5, 0.5), (2 / 3, 1.0), (1.0, 1.0), (None, None), (math.nan, None)],
)
def test_the_majority_of_epochs_and_a_tie_is_neither(fraction: float | None, most: float | None) -> None:
    assert majority(fraction) == most


def test_who_disagrees() -> None:
    for values in itertools.product([None, 0.0, 1.0], repeat=4):
        assert disagree(values) == (len(set(values) - {None}) > 1)
    assert not disagree([math.nan, 1.0])
    assert not differ(None, 1.0)
