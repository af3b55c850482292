"""The first screen of the Overview claims what the corrected changes show, says 0 as 0, and keeps what has a caveat."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.app_pages.overview.cards import Card, change_cards, changes_of, doubt_card, headline, new_card
from dashboard.app_pages.overview.choice import destinations
from dashboard.charts.families import Member
from dashboard.charts.standing_rows import standing_rows
from dashboard.charts.standing_table import run_table
from dashboard.kit.pickers.checked import chosen_after
from dashboard.queries.catalogue import runs
from dashboard.queries.frame import RateQuery
from dashboard.queries.overview import logs, standings
from tests.builders import StoreBuilder, log, samples

STATE = {"eval": ["both"], "metric": ["misaligned"]}


def study() -> StoreBuilder:
    """A group of two evals: runs that get better, worse, no different, and better on one eval alone."""
    made = StoreBuilder()
    made.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    made.group("both", ["blackmail", "framing"])
    for run, counts, tasks in (
        ("better", (60, 20), 2), ("far-better", (60, 5), 2), ("worse", (20, 60), 2), ("same", (30, 29), 2),
        ("half", (60, 0), 1),
    ):  # fmt: skip
        made.run(run, label=run.capitalize())
        for task in ("blackmail", "framing")[:tasks]:
            for step, count in enumerate(counts):
                made.add(log(samples([1] * count + [0] * (100 - count)), task=task), run=run, step=step)
    return made


def rows_of(made: StoreBuilder, name: str = "both") -> pd.DataFrame:
    with made.cursor() as con:
        every = runs(con, made.batch)
        found = standings(con, RateQuery(evals=(name,)), made.batch)
    members = [Member(run, 0, number) for number, run in enumerate(every["run"])]
    return standing_rows(found.rates, found.runs, every, members)[0]


def logs_of(made: StoreBuilder) -> pd.DataFrame:
    with made.cursor() as con:
        return logs(con, made.batch)


@pytest.mark.slow
def test_cards_count_significant_changes_over_whole_means_alone() -> None:
    changes = changes_of(rows_of(study()))
    better, worse = change_cards(changes, STATE, "pp")
    told = "of 4 changes, significantly (Holm); 1 over fewer evals left out"
    assert (better.title, better.count, better.told) == ("Improved", 2, told)
    assert better.named == ("Far-better −55.0 pp", "Better −40.0 pp")
    assert better.link is not None
    assert better.link.label == "Curves of 2 runs"
    assert better.link.state == STATE | {"run": ["far-better", "better"]}
    assert (worse.title, worse.count, worse.named) == ("Got worse", 1, ("Worse +40.0 pp",))
    assert headline(changes) == (
        "2 of 4 changes since the parent (or first step) are significantly better, 1 significantly worse"
        " (Holm over 5 changes)."
    )


def test_without_a_change_nothing_is_claimed_and_0_is_said() -> None:
    made = StoreBuilder()
    made.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    made.add(log(samples([1, 0])), run="run", step=1)
    changes = changes_of(rows_of(made, "blackmail"))
    assert headline(changes).startswith("No change can be tested")
    assert [(card.count, card.link) for card in change_cards(changes, {}, "pp")] == [(0, None), (0, None)]
    assert doubt_card(rows_of(made, "blackmail"), {}).count == 0


def test_where_no_direction_is_better_changes_are_higher_or_lower() -> None:
    made = StoreBuilder()
    made.run("run")
    for step in (0, 10):
        made.add(log(samples([step + n * (1 + step) % 7 for n in range(50)])), run="run", step=step)
    changes = changes_of(rows_of(made, "blackmail"))
    assert [(card.title, card.count) for card in change_cards(changes, {}, "")] == [("Higher", 1), ("Lower", 0)]
    assert "1 of 1 changes" in headline(changes)
    assert "significantly higher" in headline(changes)


@pytest.mark.slow
def test_what_is_new_is_of_the_latest_import() -> None:
    made = study()
    first = new_card(logs_of(made), [], made.batch, STATE)
    assert (first.count, first.told) == (5, "runs, all with the first import: 18 logs")
    made.next_batch()
    made.add(log(samples([0] * 10)), run="same", step=9)
    new = new_card(logs_of(made), ["same"], made.batch, STATE)
    assert (new.count, new.told) == (1, "of 5 runs with new logs: 1 log in import 2")
    assert new.link is not None
    assert new.link.state == STATE | {"run": ["same"]}
    made.next_batch()
    none = new_card(logs_of(made), ["same"], made.batch, STATE)
    assert (none.count, none.told) == (0, "runs with new logs in import 3; the last logs came with import 2")


@pytest.mark.slow
def test_rates_with_a_caveat_are_counted_by_kind_the_gravest_first() -> None:
    made = study()
    made.add(log(samples([0] * 10), status="error"), run="cut", step=9)
    card: Card = doubt_card(rows_of(made), STATE)
    assert (card.count, card.told) == (2, "of 6 latest rates: 1 incomplete log, 2 incomplete means")
    assert card.named == ("cut",)
    assert card.link is not None
    assert card.link.state == {"show": ["files"]}


@pytest.mark.parametrize(
    ("before", "checked", "after"),
    [
        ([], [0], ["a"]), (["a"], [0, 1], ["a"]), (["a"], [0], []), (["b", "gone"], [2, 0], ["b", "gone", "a"]),
        (["a", "b"], [], []),
    ],
)  # fmt: skip
def test_any_row_of_a_run_selects_it_and_any_unselects_it(
    before: list[str], checked: list[int], after: list[str]
) -> None:
    assert chosen_after(before, [(["a", "a", "b"], checked)]) == after


@pytest.mark.slow
def test_selected_runs_lead_on_as_far_as_pages_and_addresses_take_them() -> None:
    made = StoreBuilder()
    for number in range(90):
        made.add(log(samples([1, 0])), run=f"a-run-with-a-longer-name-{number}", step=1)
    with made.cursor() as con:
        every = runs(con, made.batch)
    table = run_table(rows_of(made, "blackmail"), pd.DataFrame({"place": [], "rate": []}), every, fraction=True)
    names = table["run"].tolist()
    assert set(destinations(table, names[:8], STATE)) == {"curves", "mixes", "persistence", "compare"}
    assert destinations(table, names[:2], STATE)["compare"]["checkpoint"] == [f"{run}@1" for run in names[:2]]
    assert set(destinations(table, names[:9], STATE)) == {"curves", "mixes", "persistence"}
    assert destinations(table, names, STATE) == {}
