"""What a curve draws: points on the axis or in the strip, lines with their start at the parent, stages."""

from __future__ import annotations

import pandas as pd

from dashboard.charts.curve_data import Lineage, curve_data
from tests.rates_rows import rate_row, rates_frame


def test_a_checkpoint_without_a_step_stands_in_the_strip_and_not_on_the_axis() -> None:
    rates = rates_frame(
        [
            rate_row("a", 0, 1, 10),
            rate_row("a", 100, 2, 10),
            rate_row("a", None, 3, 10, step_label="base_untrained"),
            rate_row("a", None, 4, 10, step_label="final"),
            rate_row("log-1", None, 5, 10, placed=False),
        ]
    )
    data = curve_data(rates)
    points = data.points.set_index("checkpoint")
    assert data.slots_before == ["base_untrained"]
    assert data.slots == ["final", "no step"]
    assert points.loc["a@0", "x"] == 0.0
    assert pd.isna(points.loc["a@0", "slot"])
    assert -1 < points.loc["a@base_untrained", "slot"] < 0
    assert 0 < points.loc["a@final", "slot"] < 1 < points.loc["log-1", "slot"] < 2
    assert data.lines["x"].tolist() == [0.0, 100.0]


def test_several_checkpoints_in_one_place_of_the_strip_stand_side_by_side() -> None:
    data = curve_data(rates_frame([rate_row(f"log-{i}", None, i, 10, placed=False) for i in range(4)]))
    assert sorted(data.points["slot"]) == [0.125, 0.375, 0.625, 0.875]


def test_zero_of_n_is_a_point_and_no_outcome_is_not() -> None:
    nothing = rate_row("a", 200, None, 0, rate=None, low=None, high=None)
    data = curve_data(rates_frame([rate_row("a", 100, 0, 100, high=0.037), nothing]))
    assert data.points[["k", "n", "rate", "low", "high"]].to_numpy().tolist() == [[0, 100, 0, 0, 0.037]]
    assert data.undrawn == ["a@200 · blackmail: no sample is scored by this metric"]


def test_the_line_goes_through_the_first_log_of_a_checkpoint_and_its_repeats_stand_beside() -> None:
    data = curve_data(
        rates_frame([rate_row("a", 1, 1, 10), rate_row("a", 1, 9, 10, repeat=1), rate_row("a", 2, 2, 10)])
    )
    assert data.lines["rate"].tolist() == [0.1, 0.2]
    assert data.points["mark"].tolist() == ["point", "repeat", "point"]
    assert data.points["point"].is_unique


def test_logs_that_are_not_whole_are_marked() -> None:
    rates = rates_frame(
        [
            rate_row("a", 1, 1, 10, complete=False, status="started"),
            rate_row("a", 2, 1, 10, status="cancelled"),
            rate_row("a", 3, 1, 10),
            rate_row("a", 4, 1, 10, status=None),
        ]
    )
    assert curve_data(rates).points["mark"].tolist() == ["incomplete", "incomplete", "point", "point"]


def test_on_the_lineage_axis_a_child_starts_at_its_parents_checkpoint() -> None:
    rates = rates_frame(
        [
            rate_row("sdf", 0, 8, 10, stage="sdf", lineage_step=0),
            rate_row("sdf", 400, 6, 10, stage="sdf", lineage_step=400),
            rate_row("rl", 50, 3, 10, lineage_step=450),
            rate_row("rl", 100, 1, 10, lineage_step=500),
        ]
    )
    lineage = {"sdf": Lineage(None, None, "sdf", 0), "rl": Lineage("sdf", 400, "rl", 400)}
    data = curve_data(rates, x="lineage", lineage=lineage, shown_runs=["rl"])
    assert data.lines[["x", "rate"]].to_numpy().tolist() == [[400, 0.6], [450, 0.3], [500, 0.1]]
    assert data.points["checkpoint"].tolist() == ["rl@50", "rl@100"]
    assert data.stages.to_numpy().tolist() == [[0.0, "SDF", "sdf"], [400.0, "RL", "rl"]]


def test_a_cycle_of_parents_ends() -> None:
    lineage = {"a": Lineage("b", 1, "rl", 0), "b": Lineage("a", 1, "sft", 1)}
    data = curve_data(rates_frame([rate_row("a", 1, 1, 10)]), x="lineage", lineage=lineage)
    assert data.stages["label"].tolist() == ["RL", "SFT"]


def test_what_is_measured_in_different_units_is_never_in_one_panel() -> None:
    rates = rates_frame(
        [
            rate_row("a", 1, 1, 10),
            rate_row("a", 1, None, 10, rate=-190.0, metric="reward", kind="mean", unit="points"),
        ]
    )
    for panels in ("one", "eval", "run"):
        assert curve_data(rates, panels=panels).points["panel"].nunique() == 2


def test_one_metric_name_with_two_units_is_two_panels() -> None:
    rates = rates_frame(
        [
            rate_row("a", 1, 1, 10, metric="mean_judge", eval="honest"),
            rate_row("a", 1, None, 10, rate=-190.0, metric="mean_judge", kind="mean", eval="reward"),
        ]
    )
    assert sorted(curve_data(rates).points["panel"]) == ["honest", "reward"]


def test_variants_of_one_run_are_lines_of_their_own() -> None:
    rates = rates_frame(
        [rate_row("a", step, 1, 10, variant=variant) for step in (1, 2) for variant in ("val", "rollout")]
    )
    data = curve_data(rates)
    assert data.lines["line"].nunique() == 2
    assert set(data.points["style"]) == {"val", "rollout"}


def test_series_can_be_mixes_and_runs_without_one_say_so() -> None:
    rates = rates_frame([rate_row("a", 1, 1, 10), rate_row("b", 1, 1, 10), rate_row("c", 1, 1, 10, mix=None)])
    data = curve_data(rates, series="mix")
    assert data.points["series"].tolist() == ["documents", "documents", "no mix"]
    assert data.lines["line"].nunique() == 3


def test_no_rates_give_empty_frames() -> None:
    data = curve_data(rates_frame([]))
    assert data.points.empty
    assert data.lines.empty
    assert data.slots == []


def test_a_stage_that_begins_for_several_runs_is_none_of_theirs() -> None:
    lineage = {name: Lineage(None, None, stage, 0) for name, stage in (("a", "sdf"), ("b", "sft"))}
    lineage |= {"c": Lineage("a", 400, "rl", 400)}
    rates = rates_frame([rate_row(name, 1, 3, 10, lineage_step=1) for name in "abc"])
    data = curve_data(rates, x="lineage", lineage=lineage)
    assert data.stages.to_numpy().tolist() == [[0.0, "SDF / SFT", ""], [400.0, "RL", "c"]]


def test_an_average_that_lacks_members_is_marked_and_no_line_goes_through_it() -> None:
    rows = [rate_row("a", step, step, 10, group=True, lacks=["x"] if step == 2 else []) for step in (1, 2, 3)]
    # Where all lack the same, they are averages of the same: a line joins them.
    rows += [rate_row("b", step, step, 10, group=True, lacks=["x"]) for step in (1, 2)]
    data = curve_data(rates_frame(rows))
    assert data.points["mark"].tolist() == ["point", "partial", "point", "partial", "partial"]
    assert data.lines.groupby("series")["x"].agg(list).to_dict() == {"a": [1, 3], "b": [1, 2]}


def test_what_was_left_out_is_named_where_nothing_is_drawn() -> None:
    row = rate_row("a", 1, None, None, flags=["1 value is infinite: left out.", "another"])
    assert curve_data(rates_frame([row])).undrawn == ["a@1 · blackmail: 1 value is infinite: left out"]
