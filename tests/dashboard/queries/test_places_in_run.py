"""Which checkpoint of a run comes first, and which is its latest."""

from __future__ import annotations

import pytest

from dashboard.queries.checkpoints import place_in_run


@pytest.mark.parametrize("label", ["base", "base_untrained", "Base-Untrained", "untrained", "init"])
@pytest.mark.parametrize("step", [0, None])
def test_an_untrained_model_comes_before_all_else(label: str, step: int | None) -> None:
    others = [(0, None), (10, None), ("best", None), ("final", None)]
    assert all(place_in_run(step, label) < place_in_run(*other) for other in others)
    assert place_in_run(label) == place_in_run(step, label)


@pytest.mark.parametrize("label", ["final", "last", "main"])
def test_what_says_that_it_is_last_is_the_last(label: str) -> None:
    assert all(place_in_run(label) > place_in_run(*other) for other in [(10**9, None), ("best", None), (0, "base")])
