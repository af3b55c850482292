"""What trainers logged, under the curves: the metric that is picked, and its chart on the same x axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from dashboard.charts.curve_data import CurveData, XAxis
from dashboard.charts.curves import CurveStyle, x_frame
from dashboard.charts.points import SeriesBy
from dashboard.charts.training import training_axis, training_chart, training_points
from dashboard.kit import caches
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.charts.frame import show
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.series import colours_of

LABEL_ROOM = 60
"""Pixels of the labels of rates, and of what trainers logged: both charts begin at the same place."""

NOT_SMOOTHED = "As the trainer logged it, not smoothed"


@dataclass(frozen=True)
class Trained:
    """What trainers logged of one metric.

    Attributes:
        metric: Its name.
        numbers: `TRAINING_COLUMNS`.
        points: What is drawn of it (`dashboard.charts.training.training_points`).
        told: What can't be drawn, for people.
        colours: Of its series.
        labels: Of its series.
    """

    metric: str
    numbers: pd.DataFrame
    points: pd.DataFrame
    told: Sequence[str]
    colours: Mapping[str, str]
    labels: Mapping[str, str]

    def room_in(self, style: CurveStyle) -> CurveStyle:
        """The style of the curves above with room for what is drawn below: the steps of both, one left edge."""
        return replace(style, x_span=tuple(self.points["x"]), label_room=LABEL_ROOM) if len(self.points) else style


def pick_training(runs: Sequence[str], as_of: int) -> str:
    """Pick one of the metrics that trainers logged of some runs; "" for none."""
    metrics = caches.training_metrics(tuple(runs), as_of)
    if not metrics and not controls.restored("training"):
        return ""
    return controls.pick_one(
        "Training metric", "training", ["", *metrics], default="", titles={"": "None"}, leave_out="",
        help="What the trainer logged, under the rates on the same x axis.",
    )  # fmt: skip


def trained_of(
    metric: str, shown_runs: Sequence[str], runs: pd.DataFrame, x: XAxis, series: SeriesBy, as_of: int
) -> Trained | None:
    """What was logged of the runs that are shown; None where no metric is picked.

    Args:
        metric: From `pick_training`.
        shown_runs: Names.
        runs: `RUN_COLUMNS`.
        x: The axis of the curves.
        series: What gives the curves their color; what is logged belongs to no group of samples.
        as_of: Batch.
    """
    if not metric:
        return None
    numbers = caches.training(tuple(shown_runs), metric, as_of)
    by: SeriesBy = "run" if series == "split" else series
    points, told = training_points(numbers, x, by)
    there = points["series"].unique()
    colours, labels = colours_of(runs, by)
    return Trained(
        metric, numbers, points, told, {name: colours[name] for name in there}, {name: labels[name] for name in there}
    )


def draw_training(trained: Trained, data: CurveData, panel: str, above: CurveStyle, *, fit: bool) -> None:
    """Draw it under the curves.

    Args:
        trained: What was logged; nothing is drawn where none of it has a place.
        data: The curves.
        panel: The only panel of the curves; "" for several.
        above: The style of the curves.
        fit: Whether the vertical axis is fitted to what is there.
    """
    if trained.points.empty:
        return
    style = replace(
        above,
        colours={**above.colours, **trained.colours},
        labels={**above.labels, **trained.labels},
        styles=[""],
        style_legend=False,
        legend=not set(trained.colours) <= set(above.colours),
        shared_legend="",
        plot_height=180,
    )
    axis = training_axis(trained.points, trained.metric, fit=fit)
    chart = drawing(
        training_chart, trained.points, x_frame(data, panel, above), axis, style,
        title=trained.metric, subtitle=[NOT_SMOOTHED],
    )  # fmt: skip
    show(chart, "training", f"Training: {trained.metric}", trained.numbers)
