"""The table of runs: numbers that reconcile, what is searched, and means over fewer evals in a block of their own."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.charts.families import Member
from dashboard.charts.standing_rows import standing_rows
from dashboard.charts.standing_table import blocks, matching, run_table, sort_rows
from dashboard.queries.catalogue import runs
from dashboard.queries.frame import RateQuery
from dashboard.queries.overview import standings
from tests.builders import StoreBuilder, built_once, log, samples


@built_once
def study() -> StoreBuilder:
    """A base, a run from it with fewer questions in common, and one that lacks an eval of the group."""
    made = StoreBuilder()
    made.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    made.group("both", ["blackmail", "framing"])
    made.run("sft", label="SFT (plain)", stage="sft", mix="chat")
    made.run("rl", label="RL", parent_run="sft", parent_step=100, stage="rl", mix="chat")
    made.run("short", label="Short", stage="rl", section="odds")
    for task in ("blackmail", "framing"):
        made.add(log(samples([1] * 40 + [0] * 60), task=task), run="sft", step=100)
        made.add(log(samples([0] * 50), task=task), run="rl", step=50)
        made.add(log(samples([1] * 2 + [0] * 48), task=task), run="rl", step=1500)
    made.add(log(samples([1] + [0] * 19), task="blackmail"), run="short", step=5)
    return made


def table_of(name: str) -> pd.DataFrame:
    made = study()
    with made.cursor() as con:
        every = runs(con, made.batch)
        found = standings(con, RateQuery(evals=(name,)), made.batch)
    rows, trail = standing_rows(found.rates, found.runs, every, [Member(run, 0, 0) for run in ("sft", "rl", "short")])
    return run_table(rows, trail, every, fraction=True).set_index("run", drop=False)


@pytest.mark.slow
def test_a_row_reconciles_its_rate_with_counts_and_its_change_with_what_both_answered() -> None:
    row = table_of("blackmail").loc["rl"]
    assert row["rate_text"] == "4.0% [1.1, 13.5] (2/50)"
    assert row["rate"] == pytest.approx(4.0)
    assert row["trend"] == pytest.approx([0.0, 4.0])
    # Only the first fifty of the parent's hundred questions: 40 of 50, and not its own 40%.
    assert row["compared"] == "4.0% vs 80.0% · sft@100 · paired, 50 questions"
    assert row["change"] == pytest.approx(-76.0)
    assert row["change_text"].startswith("−76.0 [−")
    assert row["result"] == "▼ better"
    assert (row["parent"], row["step"], row["checkpoint"]) == ("sft@100", 1500, "rl@1500")


def test_a_mean_over_fewer_evals_is_said_to_be_one_and_never_stands_among_whole_ones() -> None:
    table = table_of("both")
    assert table["evals"].to_dict() == {"sft": "", "rl": "", "short": "1 of 2 evals"}
    assert table.loc["sft", "rate_text"].endswith("(n = 200)")
    # It would be in the middle.
    assert sort_rows(table, "rate")["run"].tolist() == ["rl", "short", "sft"]
    for by in ("none", "stage"):
        *whole, last = blocks(sort_rows(table, "rate"), by)
        assert (last.whole, last.rows["run"].tolist()) == (False, ["short"])
        assert [run for block in whole for run in block.rows["run"]] == ["rl", "sft"]
    assert [block.title for block in blocks(table, "stage")] == ["sft", "rl", ""]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "found"),
    [("", ["sft", "rl", "short"]), ("^rl$", ["rl", "short"]), ("PLAIN|short", ["sft", "short"]), ("sft@", ["rl"]),
     ("better", ["rl"]), (r"\(", ["sft"])],
)  # fmt: skip
def test_runs_are_found_by_a_regular_expression_over_names_and_what_they_are(pattern: str, found: list[str]) -> None:
    assert matching(table_of("blackmail"), pattern)["run"].tolist() == found


def test_what_is_no_regular_expression_is_said_to_be_none() -> None:
    with pytest.raises(ValueError, match="missing"):
        matching(table_of("blackmail"), "(rl")


@pytest.mark.slow
def test_more_groups_than_have_a_table_each_share_the_last() -> None:
    row = table_of("blackmail").iloc[[0]]
    many = pd.concat([row.assign(mix=f"mix {number % 20}") for number in range(25)])
    found = blocks(many, "mix")
    assert [block.title for block in found] == [*(f"mix {number}" for number in range(12)), "8 other groups"]
    assert sum(len(block.rows) for block in found) == 25
