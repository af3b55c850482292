"""Snapshots through further training, from their parents' checkpoints on, and their whole ancestry stage by stage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.axes import ValueAxis
from dashboard.charts.curve_data import CurveData, Lineage, curve_data
from dashboard.charts.lead import framed
from dashboard.charts.marks import MarkStyle, click, mark_layers, tooltip_layers
from dashboard.charts.palette import INKS, Ink
from dashboard.charts.points import joined, marked_points
from dashboard.charts.shared_legend import obeying

DODGE = 0.012
"""Lineages with a checkpoint in common stand beside each other there; in widths of a stage."""

MARGIN = 0.12
"""Of a stage's width, free before its step 0 and after its last step."""


def through_training(rates: pd.DataFrame, runs: Sequence[str], lineage: Mapping[str, Lineage]) -> CurveData:
    """Curves of runs over their own steps, each beginning at step 0 with its parent's checkpoint if that has a rate.

    Args:
        rates: `RATE_COLUMNS` of these runs and their parents.
        runs: Which to draw.
        lineage: By run.

    Returns:
        A panel for each eval and metric. The point at a step 0 that is the parent's names the parent's checkpoint.
    """
    frames = [rates[rates["run"].isin(list(runs))]]
    origin: dict[int, int] = {}
    beyond = int(rates.index.max()) + 1 if len(rates) else 0
    for run in runs:
        place = lineage.get(run)
        own = frames[0][frames[0]["run"] == run]
        if place is None or place.parent_run is None or own.empty:
            continue
        begun = own[own["step"].notna()].groupby(["eval", "metric"])["step"].min()
        of_parent = rates[(rates["run"] == place.parent_run) & (rates["step"] == place.parent_step)]
        of_parent = of_parent[
            [begun.get(key, 0) > 0 for key in zip(of_parent["eval"], of_parent["metric"], strict=True)]
        ]
        if len(of_parent):
            start = of_parent.assign(run=run, run_label=own["run_label"].iloc[0], step=0)
            start.index = pd.RangeIndex(beyond, beyond + len(start))
            origin |= dict(zip(start.index, of_parent.index, strict=True))
            beyond += len(start)
            frames.append(start.astype(rates.dtypes.to_dict()))
    data = curve_data(pd.concat(frames), x="step", panels="eval")
    if not origin:
        return data
    true = marked_points(rates.loc[list(dict.fromkeys(origin.values()))])
    points = data.points.copy()
    for number, row in points["row"].items():
        if row in origin:
            points.loc[number, ["point", "row", "checkpoint"]] = true.loc[origin[row], ["point", "row", "checkpoint"]]
    return replace(data, points=points)


@dataclass(frozen=True, slots=True)
class StageData:
    """What the picture of lineages draws."""

    points: pd.DataFrame
    """`MARK_COLUMNS`, series (the snapshot whose lineage it is), style, panel, line and x: stages have width 1."""
    stages: pd.DataFrame
    """Columns x and label: where each stage begins."""
    ticks: dict[float, int]
    """Place on the axis to step."""


def stage_data(rates: pd.DataFrame, runs: Sequence[str], lineage: Mapping[str, Lineage]) -> StageData:
    """Lay the lineages of some runs side by side: their parents' stages, aligned from the last stage backwards.

    Args:
        rates: `RATE_COLUMNS` of these runs and of all that they were trained from.
        runs: The last run of each lineage.
        lineage: By run.
    """
    chains = {run: _chain(run, lineage) for run in runs}
    depth = max((len(chain) for chain in chains.values()), default=0)
    marked = marked_points(rates)
    marked = marked[marked["rate"].notna() & marked["step"].notna() & (marked["repeat"] == 0)]
    parts = []
    for number, (run, chain) in enumerate(chains.items()):
        for back, (ancestor, until) in enumerate(chain):
            some = marked[marked["run"] == ancestor]
            some = some if until is None else some[some["step"] <= until]
            parts.append(some.assign(series=run, stage_at=depth - 1 - back, beside=number - (len(chains) - 1) / 2))
    if not parts:
        return StageData(marked.assign(series="", style="", panel="", line="", x=0.0), _frame({}), {})
    points = pd.concat(parts, ignore_index=True)
    last = points.groupby("stage_at")["step"].max()
    within = points["step"].astype("float64") / points["stage_at"].map(last).astype("float64").replace(0.0, 1.0)
    at = points["stage_at"] + MARGIN + within * (1 - 2 * MARGIN)
    points["x"] = at + points["beside"] * DODGE
    ticks = dict(zip(at.round(6), points["step"].astype(int), strict=True))
    points["panel"] = joined(points, ["eval", "metric"])
    extra = [name for name in ("variant", "split", "split2") if points[name].nunique(dropna=False) > 1]
    points["style"] = joined(points, extra) if extra else ""
    points["line"] = points["series"] + " " + points["style"]
    named: dict[int, dict[str, None]] = {}
    for chain in chains.values():
        for back, (ancestor, _) in enumerate(chain):
            stage = lineage[ancestor].stage if ancestor in lineage else None
            label = "" if stage is None else stage.upper() if len(stage) <= 3 else stage
            named.setdefault(depth - 1 - back, {})[label] = None
    return StageData(points, _frame({at: " / ".join(filter(None, of)) for at, of in sorted(named.items())}), ticks)


def _frame(stages: Mapping[int, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {"x": pd.Series(list(stages), dtype="float64"), "label": pd.Series(stages.values(), dtype="str")}
    )


def _chain(run: str, lineage: Mapping[str, Lineage]) -> list[tuple[str, int | None]]:
    """A run and all that it was trained from, each with the last step that led on; a cycle ends where it closes."""
    chain: list[tuple[str, int | None]] = [(run, None)]
    place = lineage.get(run)
    while place is not None and place.parent_run is not None and place.parent_run not in dict(chain):
        chain.append((place.parent_run, place.parent_step))
        place = lineage.get(place.parent_run)
    return chain


def stage_chart(
    data: StageData, panel: str, y: ValueAxis, style: MarkStyle, *, title: str, subtitle: Sequence[str], selected: str
) -> alt.LayerChart:
    """Draw the lineages on one eval: the stages as bands, a line for each lineage through them.

    Args:
        data: Of all panels; at least one point of this one.
        panel: Which.
        y: The vertical axis.
        style: What all panels share.
        title: The panel's heading.
        subtitle: Lines under it.
        selected: A `point` to be ringed.
    """
    ink = INKS[style.scheme]
    points = data.points[data.points["panel"] == panel]
    steps = {f"{at:.6f}": step for at, step in data.ticks.items()}
    x = alt.X(
        "x:Q",
        title="Training step within each stage",
        scale=alt.Scale(domain=[0, len(data.stages)], nice=False),
        axis=alt.Axis(
            values=sorted(data.ticks), grid=False, labelOverlap=True,
            labelExpr=f"format({json.dumps(steps)}[format(datum.value, '.6f')], '{numerals.D3_STEP}')",
        ),
    )  # fmt: skip
    line = alt.Chart(points).mark_line(strokeWidth=2).encode(
        x=x, color=style.colour(), detail=alt.Detail("line:N"), **y.encode("rate"), **style.dash()
    )  # fmt: skip
    series = [
        line,
        *mark_layers(points, {"x": x}, y, style, selected),
        *tooltip_layers(points, {"x": x}, y),
    ]
    series[-1] = series[-1].add_params(click())
    return framed([*_stages(data.stages, x, y, ink), *obeying(series, style)], style, title, subtitle)


def _stages(stages: pd.DataFrame, x: alt.X, y: ValueAxis, ink: Ink) -> list[alt.Chart]:
    """The grid, and where each stage begins, with its name."""
    grid = alt.Chart(pd.DataFrame({"rate": y.ticks})).mark_rule(color=ink.faint).encode(**y.encode("rate"))
    base = alt.Chart(stages).encode(x=x)
    label = base.mark_text(align="left", baseline="top", dx=4, dy=2, color=ink.muted, fontWeight="bold")
    return [
        grid,
        base.mark_rule(color=ink.muted, strokeDash=[4, 3]),
        label.encode(y=alt.YValue(0), text=alt.Text("label:N")),
    ]
