"""What trainers logged, under the curves: on one x axis, for the runs that are shown, hidden with its run."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from dashboard.charts.training import MOST, training_axis, training_points
from dashboard.queries.training import TRAINING_COLUMNS, training, training_metrics
from loaders.ingest import ingest
from loaders.store import Store
from tests.empty_stores import empty_store
from tests.log_files import write_log
from tests.pages import address, datasets, opened, shown, specs

LOSSES = {10: 2.5, 20: None, 30: 1.5, 40: 1.25}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two runs with evals at steps 10 and 30 that logged until step 40, and one that logged nothing."""
    root = tmp_path_factory.mktemp("study")
    for run in ("a", "b"):
        for step in (10, 30):
            write_log(root / f"{run}/checkpoint-{step}/log.eval", [1, 0, 0, 0], task="honeypot")
        rows: list[dict[str, Any]] = [
            {"step": step, "loss": loss if loss is not None else float("nan"), "num_tokens": 100 * step}
            for step, loss in LOSSES.items()
        ]
        state = {"global_step": 40, "log_history": rows}
        path = root / f"{run}/checkpoint-40/trainer_state.json"
        path.parent.mkdir()
        path.write_text(json.dumps(state))
    write_log(root / "silent/checkpoint-10/log.eval", [1, 0, 0, 0], task="honeypot")
    made = empty_store()
    ingest([root], made)
    return made


@pytest.mark.slow
def test_the_metric_is_drawn_under_the_rates_on_their_axis(store: Store) -> None:
    with shown(store):
        app = opened("curves", run=["a", "b"], training="train/loss")
        upper, lower = specs(app)
        (drawn,) = [frame for number, frame in datasets(app) if number == 1 and "alone" in frame]
        assert address(app)["training"] == ["train/loss"]
        assert app.selectbox(key="curves_training").options == ["None", "train/loss", "tokens"]
    told = {run: dict(zip(of["step"], of["rate"], strict=True)) for run, of in drawn.groupby("run")}
    assert {run: {k: None if pd.isna(v) else v for k, v in of.items()} for run, of in told.items()} == {
        "a": LOSSES,
        "b": LOSSES,
    }

    def x_scale(spec: dict[str, Any]) -> dict[str, Any]:
        (scale,) = {
            json.dumps(layer["encoding"]["x"]["scale"], sort_keys=True)
            for layer in spec["layer"]
            if layer.get("encoding", {}).get("x", {}).get("field") == "x"
        }
        return dict(json.loads(scale))

    assert x_scale(upper) == x_scale(lower)
    assert x_scale(lower)["domain"] == [0.0, 40.0]
    assert upper["config"]["axisY"] == lower["config"]["axisY"]


@pytest.mark.slow
def test_along_tokens_each_value_stands_at_the_tokens_of_its_step(store: Store) -> None:
    with shown(store):
        app = opened("curves", run="a", x="tokens", training="train/loss")
        (drawn,) = [frame for number, frame in datasets(app) if number == 1 and "alone" in frame]
    assert drawn["x"].tolist() == [1000.0, 2000.0, 3000.0, 4000.0]
    assert drawn["alone"].tolist() == [True, False, False, False]


@pytest.mark.slow
def test_no_metric_is_offered_where_nothing_was_logged(store: Store) -> None:
    with shown(store):
        app = opened("curves", run="silent")
        assert "curves_training" not in [box.key for box in app.selectbox]
        assert len(specs(app)) == 1


def test_nobody_reads_what_trained_a_run_that_he_may_not_see(store: Store) -> None:
    with store.cursor(hidden=["b"]) as cursor:
        assert training_metrics(cursor, ["b"], store.batch()) == []
        assert training(cursor, ["a", "b"], "train/loss", store.batch())["run"].unique().tolist() == ["a"]


def test_the_data_page_lists_the_checkpoint_that_waits(store: Store) -> None:
    with shown(store):
        app = opened("data", run="a")
        grid = app.dataframe[1].value
    assert grid[["step", "evals"]].values.tolist() == [["10", ""], ["30", ""], ["40", "(no results)"]]


def test_a_constant_learning_rate_is_no_zero() -> None:
    axis = training_axis(pd.DataFrame({"rate": [1e-5, None, 1e-5]}), "lr", fit=False)
    assert (axis.low, axis.high) == pytest.approx((-2.5e-7, 1.06e-5))
    assert axis.ticks[-1] == 1e-5


def test_a_long_line_keeps_its_peaks_ends_and_gaps() -> None:
    values = [1.0] * 5000
    values[1234], values[4321], values[2000] = 9.0, -9.0, float("nan")
    frame = pd.DataFrame({"run": "a", "step": range(5000), "value": values}).reindex(columns=list(TRAINING_COLUMNS))
    points, told = training_points(frame, "step", "run")
    assert told == []
    assert len(points) <= MOST + 3
    kept = points.set_index("step")["rate"]
    assert (kept[1234], kept[4321], kept.index[0], kept.index[-1]) == (9.0, -9.0, 0, 4999)
    assert pd.isna(kept[2000])
