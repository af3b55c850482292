"""Small pictures of plots: every number with its interval, few letters. They lead to the page that draws it in full.

Panels stand side by side in one plot: each has a part of the width, and the height that its own unit takes.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.axes import X_TITLES
from dashboard.charts.marks import SVG
from dashboard.charts.palette import DASHES, INKS, SHAPES, SIGNS, Scheme, looks_of, shape_of
from dashboard.queries.checkpoints import place_of
from dashboard.queries.rows import checkpoint_in, checkpoint_name, is_missing

HEIGHT = 130

EDGE = 0.08
"""Part of a panel's width that stays free at either side."""

LEAST_TOKENS = 1e6
"""Where fewer tokens, none too, are drawn on a logarithmic scale."""

MOST_NAMED, MOST_KEYS = 6, 8
"""Places that are named under a picture, and runs in its legend; of more there is no room."""

NAME_LETTERS, LEAST_LETTERS = 60, 10
"""Letters of all the names under a picture in one line, and of each at least; what has more takes a second line."""

Along = Literal["step", "lineage", "tokens", "pair", "category"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a small picture is laid out.

    Attributes:
        along: What goes to the right: steps, tokens, the other eval of a pair, or one place for each row.
        every: Whether all checkpoints are drawn; else the latest of each run.
        log: Whether tokens are shown on a logarithmic scale.
        checkpoints: Those that are drawn; all where none is named.
        order: Runs or checkpoints, in the order in which they are drawn.
    """

    along: Along
    every: bool
    log: bool = False
    checkpoints: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


def plan_of(page: str, address: Mapping[str, list[str]]) -> Plan:
    """Lay a picture out as the page of an address begins to.

    Args:
        page: Its name.
        address: Its query parameters.
    """
    checkpoints = tuple(address.get("checkpoint", ()))
    every = page in ("curves", "persistence") or address.get("steps") == ["all"] or bool(checkpoints)
    if page in ("curves", "persistence"):
        told = address.get("x", ["step"])[0]
        along: Along = "lineage" if told == "lineage" else "tokens" if told == "tokens" else "step"
        return Plan(along, every, log="log_x" in address)
    view = address.get("view", ["efficiency"])[0] if page == "mixes" else ""
    if view in ("efficiency", "scaling"):
        return Plan("tokens", every, log=view == "efficiency")
    along = "pair" if view == "eval-vs-eval" else "category"
    return Plan(along, every, checkpoints=checkpoints, order=checkpoints or tuple(address.get("run", ())))


def thumbnail_points(rates: pd.DataFrame, plan: Plan, offsets: Mapping[str, int | None]) -> pd.DataFrame:
    """Place every number of a small picture.

    Args:
        rates: `RATE_COLUMNS`.
        plan: From `plan_of`.
        offsets: Steps of each run's parents before its first.

    Returns:
        Columns run, checkpoint, panel, short (a name that takes little room), name, rate, low, high, kind, line (joins
        what is one line), x (0 to the number of panels), y, y_low and y_high (0 to 1), told, across (the other eval of
        a pair). No row where nothing can be placed.
    """
    frame = rates[(rates["repeat"] == 0) & rates["rate"].notna()].reset_index(drop=True)
    frame["checkpoint"] = [checkpoint_name(row) for row in frame.to_dict("records")]
    if plan.checkpoints:
        frame = frame[frame["checkpoint"].isin(plan.checkpoints)]
    if not plan.every and len(frame):
        frame = _latest(frame)
    if plan.along == "category":
        place = {name: at for at, name in enumerate(plan.order)}
        by = frame["checkpoint" if plan.checkpoints else "run"].map(place).fillna(len(place))
        frame = frame.loc[by.sort_values(kind="stable").index]
    frame["at"] = _along(frame, plan, offsets)
    frame["across"] = ""
    frame = _pairs(frame) if plan.along == "pair" else frame
    frame = frame[frame["at"].notna()].reset_index(drop=True)
    if frame.empty:
        return frame.assign(panel="", short="", name="", line="", x=0.0, y=0.0, y_low=0.0, y_high=0.0, told="")
    several = [name for name in ("eval", "metric") if frame[name].nunique() > 1]
    frame["panel"] = frame[several].agg(" · ".join, axis=1) if several else ""
    splits = [name for name in ("split", "split2") if frame[name].nunique(dropna=False) > 1]
    # A split tells logs apart that are variants else.
    apart = splits or [name for name in ("variant",) if frame[name].nunique(dropna=False) > 1]
    frame["short"] = frame[splits or ["run_label"]].fillna("").astype(str).agg(" · ".join, axis=1)
    frame["name"] = frame[["checkpoint", *apart]].fillna("").astype(str).agg(" · ".join, axis=1)
    frame["line"] = frame[["run", "panel", *apart]].fillna("").astype(str).agg(" | ".join, axis=1)
    number = {panel: at for at, panel in enumerate(dict.fromkeys(frame["panel"]))}
    frame["x"] = frame["panel"].map(number) + EDGE + (1 - 2 * EDGE) * _within(frame, plan)
    top = frame[["rate", "high"]].max(axis=1).groupby(_unit(frame)).transform("max").replace(0, 1.0)
    for name, value in (("y", "rate"), ("y_low", "low"), ("y_high", "high")):
        frame[name] = frame[value] / top
    frame["told"] = [_told(row) for row in frame.to_dict("records")]
    return frame


def _unit(frame: pd.DataFrame) -> pd.Series:
    """What shares a scale: all rates, and each other metric by itself."""
    return frame["metric"].where(frame["kind"] != "rate", "rate")


def _latest(frame: pd.DataFrame) -> pd.DataFrame:
    last: dict[tuple[str, ...], tuple[int, int]] = {}
    rows = [(tuple(row[name] for name in ("run", "eval", "metric")), row) for row in frame.to_dict("records")]
    places = [place_of(checkpoint_in(row)) for _, row in rows]
    for (line, _), place in zip(rows, places, strict=True):
        last[line] = max(place, last.get(line, place))
    return frame[[last[line] == place for (line, _), place in zip(rows, places, strict=True)]]


def _along(frame: pd.DataFrame, plan: Plan, offsets: Mapping[str, int | None]) -> pd.Series:
    if plan.along not in ("tokens", "step", "lineage"):
        return pd.Series(0.0, index=frame.index)
    values = frame["tokens" if plan.along == "tokens" else "step"].astype("float64")
    if plan.along == "lineage":
        values = values + frame["run"].map(dict(offsets)).astype("float64")
    least = LEAST_TOKENS if plan.along == "tokens" else 1
    return values.clip(lower=least).map(math.log10) if plan.log else values


def _pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """The second eval of each checkpoint, placed along the first."""
    names = list(dict.fromkeys(frame["eval"]))
    if len(names) != 2:
        return frame.iloc[:0]
    first = frame[frame["eval"] == names[0]].drop_duplicates("checkpoint").set_index("checkpoint")["rate"]
    second: pd.DataFrame = frame[frame["eval"] == names[1]]
    return second.assign(at=second["checkpoint"].map(first), across=names[0])


def _within(frame: pd.DataFrame, plan: Plan) -> pd.Series:
    """Where in its panel each point stands, from 0 to 1; all panels have the same axis."""
    if plan.along == "category":
        order = {name: at for at, name in enumerate(dict.fromkeys(frame["name"]))}
        return frame["name"].map(order) / max(1, len(order) - 1) if len(order) > 1 else frame["at"] + 0.5
    low, high = frame["at"].min(), frame["at"].max()
    return (frame["at"] - low) / (high - low) if high > low else frame["at"] * 0 + 0.5


def _told(row: Mapping[Any, Any]) -> str:
    number = numerals.value_of(row["rate"], row["kind"])
    if is_missing(row["low"]):
        return number
    return f"{number} {numerals.between(row['low'], row['high'], row['kind'])}"


def thumbnail_chart(
    points: pd.DataFrame, plan: Plan, colours: Mapping[str, str], titles: Mapping[str, str], scheme: Scheme
) -> alt.LayerChart:
    """Draw a small picture.

    Args:
        points: From `thumbnail_points`, at least one.
        plan: What they were placed by.
        colours: Of runs.
        titles: Of evals and metrics.
        scheme: Of the page.
    """
    ink = INKS[scheme]
    panels = list(dict.fromkeys(points["panel"]))
    looks = looks_of({run: colours.get(run, ink.muted) for run in points["run"]})
    drawn = points.assign(colour=points["run"].map(colours).fillna(ink.muted), look=points["run"].map(looks))
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, len(panels)], nice=False), axis=_axis(plan, points, titles))
    one_unit = _unit(points).nunique() == 1
    top = points[["rate", "high"]].max(axis=1).max() or 1.0
    ticks = alt.Axis(
        values=[0, 0.5, 1], title=None, grid=True, gridColor=ink.faint, domain=False, ticks=False,
        labelExpr=f"format(datum.value * {top}, '{_form(points)}')",
    )  # fmt: skip
    scale, axis = alt.Scale(domain=[0, 1.05], nice=False), ticks if one_unit else None
    y = alt.Y("y:Q", scale=scale, axis=axis)
    base = alt.Chart(drawn).encode(x=x, color=alt.Color("colour:N", scale=None, legend=None))
    layers: list[Any] = [
        base.mark_rule(strokeWidth=1.2, opacity=0.6).encode(y=alt.Y("y_low:Q", scale=scale, axis=axis), y2="y_high:Q")
    ]
    if plan.along in ("step", "lineage"):
        dash = alt.Scale(domain=list(range(len(DASHES))), range=[list(each) for each in DASHES])
        dashes = alt.StrokeDash("look:N", scale=dash, legend=None)
        layers.append(base.mark_line(strokeWidth=1.6).encode(y=y, detail="line:N", strokeDash=dashes))
    tooltip = [alt.Tooltip("name:N", title="checkpoint"), alt.Tooltip("eval:N"), alt.Tooltip("told:N", title="value")]
    shape = alt.Shape("look:N", scale=alt.Scale(domain=list(range(len(SHAPES))), range=list(SHAPES)), legend=None)
    layers.append(base.mark_point(filled=True, size=34, opacity=1).encode(y=y, shape=shape, tooltip=tooltip))
    names = _names(points, plan, panels, titles)
    if len(names):
        room = alt.ExprRef(f"width / {len(names)}")
        layers.append(
            alt.Chart(names).mark_text(color=ink.muted, fontSize=11, baseline="top", limit=room, lineBreak="\n")
            .encode(x=x, y=alt.value(HEIGHT - 26), text="name:N")
        )  # fmt: skip
    chart: alt.LayerChart = alt.LayerChart(layer=layers)
    return chart.properties(height=HEIGHT, usermeta=SVG)


def _names(points: pd.DataFrame, plan: Plan, panels: list[str], titles: Mapping[str, str]) -> pd.DataFrame:
    """What stands under the picture: the panels, or the places of the only one; x and name."""
    if len(panels) > 1:
        places = [(at + 0.5, _heading(panel, titles)) for at, panel in enumerate(panels)]
    elif plan.along == "category" and len(points) <= MOST_NAMED:
        places = list(zip(points["x"], points["short"], strict=True))
    else:
        places = []
    letters = max(LEAST_LETTERS, NAME_LETTERS // max(1, len(places)))
    lines = [
        (x, "\n".join(textwrap.wrap(name, letters, max_lines=2, placeholder=" …", break_long_words=False)))
        for x, name in places
    ]
    return pd.DataFrame(lines, columns=["x", "name"])


def legend_of(points: pd.DataFrame, plan: Plan, colours: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """The runs that need a legend, with colour and sign: none where places are named, or where there are too many.

    Args:
        points: From `thumbnail_points`.
        plan: What they were placed by.
        colours: Of runs.
    """
    runs = list(dict.fromkeys(points["run"]))
    named = plan.along == "category" and points["panel"].nunique() == 1 and len(points) <= MOST_NAMED
    named = named and (points["short"].nunique() == len(points) or len(runs) == 1)
    if named or len(runs) > MOST_KEYS:
        return {}
    looks = looks_of({run: colours[run] for run in runs if run in colours})
    return {run: (colours[run], SIGNS[shape_of(looks[run])]) for run in runs if run in looks}


def _axis(plan: Plan, points: pd.DataFrame, titles: Mapping[str, str]) -> alt.Axis | None:
    """What goes to the right, where it is a number."""
    if plan.along == "category":
        return None
    across = str(points["across"].iloc[0])
    name = titles.get(across, across) if plan.along == "pair" else X_TITLES[plan.along]
    return alt.Axis(labels=False, ticks=False, grid=False, title=name + (" (log)" if plan.log else ""), titlePadding=4)


def _form(points: pd.DataFrame) -> str:
    return numerals.D3_WHOLE_PERCENT if (points["kind"] == "rate").all() else numerals.D3_SHORT


def _heading(panel: str, titles: Mapping[str, str]) -> str:
    return " · ".join(titles.get(part, part) for part in panel.split(" · "))
