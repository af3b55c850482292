"""From rates to what a curve draws: points, strips of checkpoints without a numeric step, lines, stage rules.

Pure: a frame of rates in (columns of `dashboard.queries.frame.RATE_COLUMNS`), tidy numeric frames out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from dashboard.charts.palette import looks_of
from dashboard.charts.points import MARK_COLUMNS, SeriesBy, joinable, joined, marked_points, series_of, without_rate
from dashboard.queries.rows import is_missing

Row = Mapping[Any, Any]
XAxis = Literal["step", "tokens", "lineage"]
PanelsBy = Literal["one", "eval", "run", "split"]

X_COLUMNS: dict[XAxis, str] = {"step": "step", "tokens": "tokens", "lineage": "lineage_step"}

BEFORE_TRAINING = re.compile(r"^(base|init|start|pretrained|untrained)", re.IGNORECASE)
"""Labels of checkpoints that stand before the first step; all others without a step stand after the last."""

UNPLACED = "no step"

POINT_COLUMNS = (*MARK_COLUMNS, "series", "line", "panel", "style", "x", "slot")
"""Columns of `CurveData.points`. `x` is missing where the checkpoint has no place on the axis; then `slot` is its place
in the strip, in widths of a slot: negative left of the curve (base models), positive right of it."""


LINE_COLUMNS = ("line", "series", "panel", "style", "x", "rate", "low", "high")
BAND = ("band_low", "band_high")
"""The simultaneous band of a line, outside its intervals step by step."""

OF_A_LINE = ["run", "eval", "metric", "variant", "split", "split2", "step"]


@dataclass(frozen=True, slots=True)
class Lineage:
    """What the lineage axis needs to know of one run."""

    parent_run: str | None
    parent_step: int | None
    stage: str | None
    offset: int | None


@dataclass(frozen=True, slots=True)
class CurveData:
    """All frames behind one picture, which may have several panels."""

    points: pd.DataFrame
    """One row a drawn rate (`POINT_COLUMNS`)."""
    lines: pd.DataFrame
    """Columns `LINE_COLUMNS`: what the lines join, parents' checkpoints included; and `BAND` where rates have one."""
    stages: pd.DataFrame
    """Columns x, label and run: where a stage begins, on the lineage axis only; the run if it is that of one alone."""
    slots: list[str] = field(default_factory=list)
    """Labels of the strip's places, right of the curve, in order."""
    slots_before: list[str] = field(default_factory=list)
    """The same left of the curve, the outermost first."""
    undrawn: list[str] = field(default_factory=list)
    """Rows that can't be drawn, and why, for people."""
    missing: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(POINT_COLUMNS)))
    """Rows like those of `points` that have a place and no rate, where they were asked for."""


def curve_data(
    rates: pd.DataFrame,
    *,
    x: XAxis = "step",
    series: SeriesBy = "run",
    panels: PanelsBy = "one",
    lineage: Mapping[str, Lineage] | None = None,
    shown_runs: Sequence[str] | None = None,
    with_missing: bool = False,
) -> CurveData:
    """Place every rate on the axis or in a strip, and say what the lines join.

    Args:
        rates: Rows of `RATE_COLUMNS`. May hold rows of parents that are not to be drawn but to be joined to.
        x: Which axis. Lineage adds up the steps of a run and of those it was trained from.
        series: What gets a colour: each run, or each data mix.
        panels: One picture, or one an eval, or one a run. What is measured in different units is never in one.
        lineage: By run; needed for x = "lineage".
        shown_runs: Rows of other runs serve only as the start of their children's lines.
        with_missing: Give rows without a rate their places, too: a gap is to be seen as one.
    """
    frame = marked_points(rates)
    frame["x"] = pd.to_numeric(frame[X_COLUMNS[x]], errors="coerce").astype("float64")
    frame["line"] = joined(frame, ["run", "eval", "metric", "variant", "split", "split2"])
    frame["series"] = series_of(frame, series)
    frame["panel"] = _panel_names(frame, panels)
    frame["style"] = joined(frame, _style_columns(frame, panels, series))

    shown = frame if shown_runs is None else frame[frame["run"].isin(list(shown_runs))]
    undrawn = without_rate(shown)
    shown = shown if with_missing else shown[shown["rate"].notna()]
    slots_before, slots = _slots(shown, x)
    placed = shown.assign(slot=_slot_places(shown, x, slots_before, slots))
    points, missing = placed[placed["rate"].notna()], placed[placed["rate"].isna()]

    lines = points[points["x"].notna() & (points["repeat"] == 0)]
    lines = lines[joinable(lines, ["line"])]
    stages = pd.DataFrame({"x": pd.Series(dtype="float64"), **dict.fromkeys(("label", "run"), pd.Series(dtype="str"))})
    if x == "lineage" and lineage:
        starts = _starts_at_parent(frame[frame["rate"].notna()], lines, lineage)
        # A parent's checkpoint is no step of its child's band.
        starts = starts.assign(**{name: float("nan") for name in BAND if name in starts})
        lines = pd.concat([starts, lines], ignore_index=True) if len(starts) else lines
        stages = _stage_rules(points["run"].unique().tolist(), lineage)
    lines = lines.sort_values("x", kind="stable")
    return CurveData(
        points=points[list(POINT_COLUMNS)].reset_index(drop=True),
        lines=lines[[*LINE_COLUMNS, *(name for name in BAND if name in lines)]].reset_index(drop=True),
        stages=stages,
        slots=slots,
        slots_before=slots_before,
        undrawn=undrawn,
        missing=missing[list(POINT_COLUMNS)].reset_index(drop=True),
    )


def with_bands(rates: pd.DataFrame, bands: pd.DataFrame) -> pd.DataFrame:
    """Rates with the simultaneous bands of their lines, in the same order.

    Args:
        rates: `RATE_COLUMNS`.
        bands: `dashboard.queries.line_bands.BAND_COLUMNS` of the same runs and evals.

    Returns:
        With `BAND`; missing where a rate is on no line, as of a repeat.
    """
    found = rates.merge(bands[[*OF_A_LINE, *BAND]], on=OF_A_LINE, how="left", validate="many_to_one")
    found.index = rates.index
    alone = found["repeat"] > 0
    return found.assign(**{name: found[name].mask(alone) for name in BAND})


def reaching_bands(points: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """Points with their bands for intervals, where they have some: what an axis has to hold.

    Args:
        points: Rows of `CurveData.points`.
        rates: What `row` is an index of.
    """
    if not set(BAND) <= set(rates):
        return points
    ends = {name: points["row"].map(rates[f"band_{name}"]).fillna(points[name]) for name in ("low", "high")}
    return points.assign(**ends)


def tell_twins_apart(data: CurveData, colours: Mapping[str, str]) -> tuple[CurveData, list[str]]:
    """Where dash and shape tell something else, give series that share a colour with another a style of their own.

    Where they don't, `MarkStyle` gives each series its dash and shape by itself.

    Args:
        data: Everything that is drawn.
        colours: Series to colour.

    Returns:
        The data, the name of such a series added to its `style`; and those series.
    """
    if data.points["style"].nunique() < 2:
        return data, []
    there = set(data.points["series"])
    twins = [name for name, look in looks_of({n: c for n, c in colours.items() if n in there}).items() if look]
    return replace(data, points=with_twins(data.points, twins), lines=with_twins(data.lines, twins)), twins


def with_twins(frame: pd.DataFrame, twins: Sequence[str]) -> pd.DataFrame:
    """A frame with the name of each twin added to its `style`.

    Args:
        frame: Columns series and style.
        twins: Series that need a style of their own.
    """
    pairs = zip(frame["style"], frame["series"], strict=True)
    return frame.assign(style=[" · ".join(filter(None, (style, name * (name in twins)))) for style, name in pairs])


def _measure(frame: pd.DataFrame) -> pd.Series:
    """What a row's number is, so that 3 % and 3.2 points never share an axis."""
    return frame["kind"].fillna("rate") + " " + frame["unit"].fillna("")


def _panel_names(frame: pd.DataFrame, panels: PanelsBy) -> pd.Series:
    """Name every row's panel: by the choice made, and apart where numbers of different units meet."""
    choices: dict[PanelsBy, list[str]] = {
        "one": [], "eval": ["eval", "metric"], "run": ["run_label"], "split": ["split", "split2"],
    }  # fmt: skip
    columns = choices[panels]
    named = frame.assign(run_label=frame["run_label"].fillna(frame["run"]))
    measures = _measure(frame)
    if panels != "eval" and measures.nunique() > 1:
        of = {
            column: {
                measure: " / ".join(some[column].astype(str).unique()) for measure, some in frame.groupby(measures)
            }
            for column in ("metric", "eval")
        }
        # Two measures may bear one metric's name: the mean of a score that is yes or no in one eval only.
        telling = "metric" if len(set(of["metric"].values())) == len(of["metric"]) else "eval"
        named["measure"] = measures.map(of[telling])
        columns = [*columns, "measure"]
    return joined(named, columns)


def _style_columns(frame: pd.DataFrame, panels: PanelsBy, series: SeriesBy) -> list[str]:
    """What, besides colour and panel, tells lines apart: those of eval, metric, variant and split that differ."""
    told = {"eval": {"eval", "metric"}, "split": {"split", "split2"}}.get(panels, set())
    told |= {"split", "split2"} if series == "split" else set()
    candidates = [c for c in ("eval", "metric", "variant", "split", "split2") if c not in told]
    telling = [c for c in candidates if frame[c].nunique(dropna=False) > 1]
    # Logs that differ in what they are split by are often variants, each of its own name: once is enough.
    by_split = frame.groupby(["split", "split2"], dropna=False)["variant"].nunique(dropna=False)
    if frame["split"].notna().any() and (by_split <= 1).all():
        telling = [c for c in telling if c != "variant"]
    return telling


def _slot_label(row: Row, x: XAxis) -> str:
    if not is_missing(row["step_label"]):
        return str(row["step_label"])
    if not is_missing(row["step"]):
        return f"no {x}"
    return UNPLACED


def _slots(points: pd.DataFrame, x: XAxis) -> tuple[list[str], list[str]]:
    strip = points[points["x"].isna()].to_dict("records")
    labels = list(dict.fromkeys(_slot_label(row, x) for row in strip))
    before = [label for label in labels if BEFORE_TRAINING.match(label)]
    after = sorted((label for label in labels if label not in before), key=lambda label: label == UNPLACED)
    return before, after


def _slot_places(points: pd.DataFrame, x: XAxis, before: list[str], after: list[str]) -> pd.Series:
    """Give those without an x a place in the strip: the slot's number, and side by side within it."""
    number = {label: index - len(before) for index, label in enumerate(before)}
    number |= {label: index for index, label in enumerate(after)}
    rows = points.to_dict("records")
    slots = pd.Series(
        [number[_slot_label(row, x)] if is_missing(row["x"]) else None for row in rows],
        index=points.index,
        dtype="float64",
    )
    rank = points.groupby([points["panel"], slots]).cumcount()
    count = points.groupby([points["panel"], slots])["point"].transform("count")
    return slots + (rank + 0.5) / count


def _starts_at_parent(rates: pd.DataFrame, lines: pd.DataFrame, lineage: Mapping[str, Lineage]) -> pd.DataFrame:
    """The first point of each child's line: its parent's checkpoint, where that was evaluated the same way."""
    by_key = {
        (
            row["run"],
            row["step"],
            row["eval"],
            row["metric"],
            None if is_missing(row["variant"]) else row["variant"],
        ): row
        for row in rates[(rates["repeat"] == 0) & rates["step"].notna()].to_dict("records")
    }
    starts = []
    for _, group in lines.groupby("line", sort=False):
        child = group.sort_values("x", kind="stable").iloc[0].to_dict()
        place = lineage.get(str(child["run"]))
        if place is None or place.parent_run is None or place.offset is None:
            continue
        variant = None if is_missing(child["variant"]) else child["variant"]
        parent = by_key.get((place.parent_run, place.parent_step, child["eval"], child["metric"], variant))
        if parent is None or child["x"] <= place.offset:
            continue
        starts.append(child | {"x": float(place.offset)} | {c: parent[c] for c in ("rate", "low", "high")})
    return pd.DataFrame(starts)


def _stage_rules(runs: Sequence[str], lineage: Mapping[str, Lineage]) -> pd.DataFrame:
    """Where each stage of these runs and of their forebears begins. A cycle of parents ends where it closes."""
    begins: dict[tuple[float, str, str], None] = {}
    for run in runs:
        seen: set[str] = set()
        at: str | None = run
        while at is not None and at in lineage and at not in seen:
            seen.add(at)
            place = lineage[at]
            if place.stage and place.offset is not None:
                label = place.stage.upper() if len(place.stage) <= 3 else place.stage
                begins[(float(place.offset), label, at)] = None
            at = place.parent_run
    rules = pd.DataFrame(sorted(begins), columns=["x", "label", "run"])
    if rules.empty:
        return rules
    told = {"label": lambda some: " / ".join(dict.fromkeys(some)), "run": lambda some: some.iloc[0] * (len(some) == 1)}
    return rules.groupby("x").agg(told).reset_index()
