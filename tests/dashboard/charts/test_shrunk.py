"""Cells of a heatmap as of a model: which are pulled together, and what is said of what was measured."""

from __future__ import annotations

import pytest

from dashboard.charts.categories_data import category_points
from dashboard.charts.shrunk import shrunk_points, shrunk_words
from dashboard.queries.shrinkage import with_shrunk
from dashboard.statistics import shrunk_means, shrunk_rates
from tests.rates_rows import rate_row, rates_frame

K = (0, 5, 9, 20)
CELLS = [rate_row(f"r{at}", 1, k, 50) for at, k in enumerate(K)]


def test_rates_of_one_eval_and_metric_are_of_one_population() -> None:
    others = [rate_row(f"r{at}", 1, 1, 50, eval="honeypot") for at in range(3)]
    found = with_shrunk(rates_frame([*CELLS, *others, rate_row("r0", 1, 3, 50, repeat=1), rate_row("r9", 1, None, 0)]))
    assert found["shrunk"].iloc[:4].tolist() == shrunk_rates(K, [50] * 4).estimate.tolist()
    assert found["shrunk"].iloc[4:].isna().all()
    assert found["shrunk_cells"].iloc[:4].tolist() == [4] * 4


def test_clustered_samples_count_as_many_as_they_are_worth() -> None:
    found = with_shrunk(rates_frame([{**row, "n_eff": 10.0} for row in CELLS]))
    assert found["shrunk"].tolist() == pytest.approx(shrunk_rates([k / 5 for k in K], [10] * 4).estimate.tolist())


def test_means_and_averages_are_shrunk_by_their_standard_errors() -> None:
    scores = {"k": None, "kind": "mean", "stderr": 0.5}
    rows = [rate_row(f"r{at}", 1, None, 30) | scores | {"rate": value} for at, value in enumerate((1, 2, 3, 8))]
    found = with_shrunk(rates_frame(rows))
    assert found["shrunk_low"].tolist() == shrunk_means([1, 2, 3, 8], [0.5] * 4).low.tolist()
    averages = [{**row, "kind": "rate", "group": True, "rate": row["rate"] / 1000} for row in rows]
    bounds = with_shrunk(rates_frame(averages))[["shrunk_low", "shrunk_high"]]
    assert ((bounds >= 0) & (bounds <= 1)).all(axis=None)
    assert with_shrunk(rates_frame([{**row, "stderr": 0.0} for row in rows]))["shrunk"].isna().all()


def test_a_cell_says_what_was_measured_beside_the_models_number() -> None:
    few = [rate_row(f"r{at}", 1, 1, 50, eval="honeypot", low=0.01, high=0.1) for at in range(2)]
    rates = with_shrunk(rates_frame([*CELLS, *few]))
    points = shrunk_points(category_points(rates, category="eval", colour="checkpoint", titles={}), rates)
    one = points[points["run"] == "r3"].set_index("eval")
    assert one.loc["blackmail", ["raw", "measured", "interval"]].tolist() == [
        "40.0%", "40.0% [0.0%, 100.0%]", "hierarchical model",
    ]  # fmt: skip
    assert 0.2 < one.loc["blackmail", "rate"] < 0.4
    left = points[points["eval"] == "honeypot"]
    assert (left["rate"].tolist(), left["raw"].isna().all(), set(left["interval"])) == ([0.02, 0.02], True, {"Wilson"})
    assert shrunk_words(points)[1] == "2 cells as measured: the model needs 4 checkpoints with rates on an eval"
    assert shrunk_words(points[points["eval"] == "honeypot"])[0].startswith("No cell is shrunk")
    averages = rates_frame([{**row, "group": True, "interval": "mean of 3 evals (Wilson)"} for row in CELLS])
    told = shrunk_points(
        category_points(with_shrunk(averages), category="eval", colour="checkpoint", titles={}), with_shrunk(averages)
    )
    assert set(told["interval"]) == {"mean of 3 evals (hierarchical model)"}
