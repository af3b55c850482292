"""Columns that are read off a model: names in order, and the dtype of each by its type."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

import pytest

from dashboard.queries.frame import COUNT, FLAG, LIST, NUMBER, RATE_COLUMNS, TEXT, TIME, columns_of
from dashboard.queries.rate import ANSWERED, PRINTED, Rate


class Measured(TypedDict, total=False):
    """A model with a field of every type."""

    name: str
    seen: int | None
    share: float | None
    whole: bool
    when: datetime | None
    texts: list[str]
    either: int | str | None


def test_a_dtype_follows_from_the_type() -> None:
    dtypes = {"name": TEXT, "seen": COUNT, "share": NUMBER, "whole": FLAG, "when": TIME, "texts": LIST, "either": LIST}
    assert list(columns_of(Measured).items()) == list(dtypes.items())


def test_some_of_the_fields_stand_in_the_order_that_is_wanted() -> None:
    assert list(columns_of(Measured, ("share", "name")).items()) == [("share", NUMBER), ("name", TEXT)]
    with pytest.raises(KeyError, match="shares"):
        columns_of(Measured, ("shares",))


def test_what_commands_print_and_answer_are_fields_of_a_rate() -> None:
    answered = columns_of(Rate, ANSWERED)
    assert tuple(answered)[: len(PRINTED)] == PRINTED
    assert answered.items() <= RATE_COLUMNS.items()
