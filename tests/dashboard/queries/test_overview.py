"""Where runs stand: their latest checkpoint, the change since their parent's, and what differs between logs."""

from __future__ import annotations

from typing import Any

import pytest
from statsmodels.stats.multitest import multipletests

from dashboard.queries.compare import CompareQuery, compare
from dashboard.queries.frame import RateQuery
from dashboard.queries.overview import Standings, logs, standings, unlike_settings
from dashboard.queries.rows import is_missing
from tests.builders import StoreBuilder, log, samples

QUERY = RateQuery(evals=("blackmail",))


def builder() -> StoreBuilder:
    """An SFT run at two steps, an RL run from its second, and one whose parent was never measured where it left."""
    made = StoreBuilder()
    made.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    made.run("sft")
    made.run("rl", parent_run="sft", parent_step=200)
    made.run("lost", parent_run="sft", parent_step=150)
    made.add(log(samples([1] * 40 + [0] * 60)), run="sft", step=100)
    made.add(log(samples([1] * 30 + [0] * 70)), run="sft", step=200)
    made.add(log(samples([1] * 20 + [0] * 80)), run="rl", step=50)
    made.add(log(samples([0] * 100)), run="rl", step=400)
    made.add(log(samples([1] * 10 + [0] * 90)), run="lost", step=10)
    return made


def stands(made: StoreBuilder, query: RateQuery = QUERY) -> Standings:
    with made.cursor() as cursor:
        return standings(cursor, query, made.batch)


def by_run(found: Standings) -> dict[Any, dict[Any, Any]]:
    """Rows of the standings by run, the latest rate among them."""
    rows = {}
    for row in found.runs.to_dict("records"):
        latest = {} if is_missing(row["row"]) else found.rates.loc[row["row"]].to_dict()
        change = {f"change_{end}": row[end] for end in ("low", "high")}
        rows[row["run"]] = row | {name: latest.get(name) for name in ("rate", "step", "high")} | change
    return rows


def test_each_run_stands_at_its_highest_step_with_the_bound_of_0_of_100() -> None:
    rows = by_run(stands(builder()))
    assert {run: (row["step"], row["rate"]) for run, row in rows.items()} == {
        "sft": (200, 0.3), "rl": (400, 0.0), "lost": (10, 0.1),
    }  # fmt: skip
    assert rows["rl"]["high"] == pytest.approx(0.037, abs=5e-4)


@pytest.mark.slow
def test_the_change_since_the_parent_is_that_of_the_comparison() -> None:
    made = builder()
    rows = by_run(stands(made))
    for run, checkpoint, baseline, since in (
        ("rl", "rl@400", "sft@200", "parent"),
        ("sft", "sft@200", "sft@100", "start"),
    ):
        with made.cursor() as cursor:
            query = CompareQuery((baseline, checkpoint), evals=("blackmail",))
            told = compare(cursor, query, made.batch).differences.iloc[0]
        row = rows[run]
        assert (row["baseline"], row["since"], bool(row["paired"])) == (baseline, since, True)
        assert row["difference"] == pytest.approx(told["difference"], abs=1e-12)
        assert [row["change_low"], row["change_high"], row["p"]] == pytest.approx(list(told[["low", "high", "p"]]))
    assert rows["rl"]["difference"] == pytest.approx(-0.3)
    assert rows["sft"]["difference"] == pytest.approx(-0.1)


@pytest.mark.slow
def test_changes_are_one_family_corrected_by_holm() -> None:
    found = stands(builder()).runs.dropna(subset=["p"])
    assert found["family"].tolist() == [2, 2]
    assert found["p_corrected"].tolist() == pytest.approx(multipletests(found["p"], method="holm")[1])


def test_without_a_parents_rate_it_says_why_there_is_no_change() -> None:
    made = builder()
    made.run("somewhere", parent_run="sft")
    made.run("orphan", parent_run="gone", parent_step=1)
    made.run("waiting")
    for run in ("somewhere", "orphan"):
        made.add(log(samples([1, 0])), run=run, step=5)
    rows = by_run(stands(made))
    assert rows["lost"]["why_not"] == "sft@150 was never measured on this"
    assert rows["somewhere"]["why_not"] == "at which step it left sft is not known"
    assert rows["orphan"]["why_not"] == "gone@1 was never measured on this"
    assert all(is_missing(rows[run]["difference"]) for run in ("lost", "somewhere", "orphan"))
    assert rows["waiting"]["rate"] is None


def test_a_checkpoint_that_calls_itself_final_is_the_latest() -> None:
    made = builder()
    made.add(log(samples([1, 1, 1, 0])), run="rl", step=None, step_label="final")
    assert by_run(stands(made))["rl"]["rate"] == 0.75


def test_variants_stand_beside_each_other_and_change_since_their_own() -> None:
    made = StoreBuilder()
    made.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    made.run("run")
    for step, counts in ((0, (2, 8)), (10, (4, 5))):
        for variant, count in zip(("calm", "urgent"), counts, strict=True):
            made.add(log(samples([1] * count + [0] * (10 - count))), run="run", step=step, variant=variant)
    found = stands(made).runs
    assert dict(zip(found["variant"], found["difference"].round(9), strict=True)) == {"calm": 0.2, "urgent": -0.3}


def test_a_groups_change_names_the_members_that_are_missing() -> None:
    made = builder()
    made.group("both", ["blackmail", "framing"])
    made.add(log(samples([1] * 5 + [0] * 5), task="framing"), run="rl", step=400)
    row = by_run(stands(made, RateQuery(evals=("both",))))["rl"]
    assert row["difference"] == pytest.approx(-0.3)
    assert row["baseline_rate"] == pytest.approx(0.3)
    assert "Missing from the change: framing" in row["flags"]


def test_standings_are_of_one_eval() -> None:
    with builder().cursor() as cursor, pytest.raises(ValueError, match="one eval"):
        standings(cursor, RateQuery(), 1)


def test_settings_that_differ_are_counted() -> None:
    made = StoreBuilder()
    for step, judge in enumerate(["new", "new", "old", "new"]):
        made.add(log(samples([1, 0]), judge=judge, task_version="1"), run="a" if step < 3 else "b", step=step)
    with made.cursor() as cursor:
        found = unlike_settings(cursor, made.batch).to_dict("records")
        every = logs(cursor, made.batch)
    assert [
        (row["setting"], row["usual"], row["others"], row["logs"], row["unlike"], row["runs"]) for row in found
    ] == [("judge", "new", ["old"], 4, 1, ["a"])]
    assert every["samples"].tolist() == [2, 2, 2, 2]


def test_repeats_that_are_pooled_are_told_and_variants_named() -> None:
    made = StoreBuilder()
    made.run("r")
    for shots, more in ((0, 1), (0, 2), (5, 3)):
        made.add(log(samples([1, 0] * more), task_args={"num_fewshot": shots}), run="r", step=100)
    made.add(log(samples([1, 0]), task_args={"num_fewshot": 0}), run="r", step=200)
    with made.cursor() as cursor:
        rows = logs(cursor, made.batch)
    told = [None if is_missing(text) else text for text in rows.sort_values(["step", "samples"])["standing"]]
    assert told == ["2 logs pooled", "2 logs pooled", None, None]
    assert sorted(set(rows["variant"])) == ["few-shot=0", "few-shot=5"]
