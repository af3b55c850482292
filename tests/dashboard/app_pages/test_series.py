"""What pages begin with: an eval that has numbers, and how many runs are left out."""

from __future__ import annotations

import pytest

from dashboard.kit.pickers.series import default_evals, shown_of
from dashboard.queries.catalogue import evals, metrics_for
from tests.builders import StoreBuilder, log, reported, samples


def first_of(store: StoreBuilder) -> list[str]:
    with store.cursor() as cursor:
        return default_evals(evals(cursor, store.batch), metrics_for(cursor, (), store.batch))


def test_an_eval_that_has_numbers_is_begun_with() -> None:
    store = StoreBuilder()
    for step in range(3):
        store.add(log(samples([None, None]), task="unscored"), step=step)
        store.add(log([], task="empty", reported=[reported("acc", None)]), step=step)
        store.add(log([], task="endless", reported=[reported("word_perplexity", float("inf"))]), step=step)
    store.add(log(samples([1, 0]), task="scored"), step=1)
    assert first_of(store) == ["scored"]


def test_a_group_without_a_number_is_not_begun_with() -> None:
    store = StoreBuilder()
    store.group("nothing", ["unscored"])
    store.add(log(samples([None, None]), task="unscored"), step=1)
    store.add(log([], task="arc", reported=[reported("acc", 0.5)]), step=1)
    assert first_of(store) == ["arc"]


def test_where_nothing_has_a_number_something_is_shown_all_the_same() -> None:
    store = StoreBuilder()
    store.add(log(samples([None]), task="unscored"), step=1)
    assert first_of(store) == ["unscored"]


@pytest.mark.parametrize(
    ("shown", "told"),
    [(list("abcdefgh"), "8 of 9 runs shown"), (list("abcdefghi"), ""), ([], ""), (["a", "other"], "1 of 9 runs shown")],
)
def test_what_is_left_out_is_counted(shown: list[str], told: str) -> None:
    assert shown_of(shown, list("abcdefghi") * 2) == told
