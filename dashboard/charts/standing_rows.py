"""From where runs stand to the rows of a picture: one for each run, with its course and its change. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard import numerals
from dashboard.charts.families import Member
from dashboard.charts.points import MARK_COLUMNS, joinable, marked_points
from dashboard.queries.checkpoints import place_in_run
from dashboard.queries.rows import is_missing, step_of

Row = Mapping[Any, Any]

ALPHA = 0.05

ROW_COLUMNS = (
    *MARK_COLUMNS, "series", "style", "label", "about", "at", "place", "middle", "indent", "first", "since",
    "baseline_rate", "change", "change_low", "change_high", "p", "p_holm", "change_method", "verdict", "arrow",
    "tone", "changes_shown",
)  # fmt: skip
"""Columns of the rows. `place` counts rows from the top, `middle` is half a row further down; `indent` is in steps of
lineage; `first` marks the first row of a family. `at` names the checkpoint for people, `since` what the change is a
change from (whose own number is `baseline_rate`), and whether it is paired. `verdict` says what the change shows,
`arrow` the same as a sign; `tone` is better, worse, or none; `changes_shown` is whether the interval excludes 0 and
Holm's p is small."""

TRAIL_COLUMNS = ("run", "series", "line", "place", "along", "rate", "low", "high", "last")
"""Columns of the courses: `along` is the place of a checkpoint in its run, from 0 to 1."""


def standing_rows(
    rates: pd.DataFrame, standings: pd.DataFrame, runs: pd.DataFrame, members: Sequence[Member]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of one piece of the picture, and the courses of their runs. Runs without a rate are left out.

    Args:
        rates: `RATE_COLUMNS` of one eval and metric, all runs.
        standings: `STANDING_COLUMNS` of the same.
        runs: `RUN_COLUMNS`.
        members: The runs to show, in order.

    Returns:
        Columns `ROW_COLUMNS`, a row for each run and variant; and columns `TRAIL_COLUMNS`, a row for each checkpoint.
    """
    points = marked_points(rates).set_index("row", drop=False)
    about = {row["run"]: row for row in runs.to_dict("records")}
    of_run: dict[str, list[dict[Any, Any]]] = {}
    for standing in standings[standings["row"].notna()].to_dict("records"):
        of_run.setdefault(standing["run"], []).append(standing)
    rows: list[dict[Any, Any]] = []
    trails: list[pd.DataFrame] = []
    family = None
    for member in members:
        mine = of_run.get(member.run, [])
        for standing in mine:
            latest: dict[Any, Any] = points.loc[int(standing["row"])].to_dict()
            row = latest | _words(about[member.run], standing, latest, several=len(mine) > 1)
            row |= _change(standing, str(latest["better"]))
            row |= {
                "place": len(rows),
                "middle": len(rows) + 0.5,
                "indent": member.depth,
                "first": family != member.family,
            }
            trails.append(_trail(points, latest, len(rows)))
            rows.append(row)
            family = member.family
    frame = pd.DataFrame(rows, columns=list(ROW_COLUMNS))
    trail = pd.concat(trails, ignore_index=True) if trails else pd.DataFrame(columns=list(TRAIL_COLUMNS))
    return frame, trail[list(TRAIL_COLUMNS)]


def _words(run: Row, standing: Row, latest: Row, *, several: bool) -> dict[str, Any]:
    step = step_of(latest)
    at = "" if step is None else f"step {numerals.step(step)}" if isinstance(step, int) else step
    label = str(run["run_label"])
    if several and not is_missing(standing["variant"]):
        label += f" · {standing['variant']}"
    about = [run["stage"], None if run["mix"] in (run["run"], run["run_label"]) else run["mix"], at]
    return {
        "run": run["run"],
        "series": run["run"],
        "style": "",
        "label": label,
        "about": " · ".join(str(part) for part in about if not is_missing(part) and part),
        "at": at,
    }


def _change(standing: Row, better: str) -> dict[str, Any]:
    """What the change shows, in words; a sign and a tone say the same."""
    if is_missing(standing["difference"]):
        why = "" if is_missing(standing["why_not"]) else f"no change: {standing['why_not']}"
        return {"verdict": why, "arrow": "", "tone": "none", "changes_shown": False, "since": ""}
    change, low, high = (standing[name] for name in ("difference", "low", "high"))
    alone = bool(low > 0 or high < 0)
    shown = alone and bool(standing["p_corrected"] < ALPHA)
    direction = "higher" if change > 0 else "lower"
    word = direction if better not in ("lower", "higher") else "better" if better == direction else "worse"
    verdict, arrow = "no significant difference", ""
    if alone:
        arrow = {"higher": "▲" if shown else "△", "lower": "▼" if shown else "▽"}[direction]
        verdict = word if shown else f"{word}, n.s. after Holm"
    if is_missing(low):
        verdict = "no interval"
    first = str(standing["baseline"]).rpartition("@")[2]
    own = f"its step {numerals.count(int(first))}" if first.isdecimal() else f"its {first}"
    start = own if standing["since"] == "start" else ""
    same = ", paired" if standing["paired"] else ""
    return {
        "since": f"{start or standing['baseline']}{same}",
        "baseline_rate": standing["baseline_rate"],
        "change": change,
        "change_low": low,
        "change_high": high,
        "p": standing["p"],
        "p_holm": standing["p_corrected"],
        "change_method": standing["method"],
        "verdict": verdict,
        "arrow": arrow,
        "tone": word if alone and word in ("better", "worse") else "none",
        "changes_shown": shown,
    }


def _trail(points: pd.DataFrame, latest: Row, place: int) -> pd.DataFrame:
    """The checkpoints of one line, by step; in order and evenly where some have no number."""
    same = points["run"].eq(latest["run"]) & points["repeat"].eq(0) & points["rate"].notna()
    variant = points["variant"].isna() if is_missing(latest["variant"]) else points["variant"].eq(latest["variant"])
    mine = points[same & variant]
    mine = mine[joinable(mine, ["run"]) | mine["row"].eq(latest["row"])].sort_values(["step", "created"], kind="stable")
    places = [
        place_in_run(step_of(row), None if is_missing(row["step_label"]) else row["step_label"])
        for row in mine.to_dict("records")
    ]
    mine = mine.iloc[sorted(range(len(mine)), key=places.__getitem__)]
    steps = mine["step"].astype("float64")
    if steps.isna().any() or steps.nunique() < len(steps):
        steps = pd.Series(range(len(mine)), index=mine.index, dtype="float64")
    length = steps.max() - steps.min()
    along = (steps - steps.min()) / length if length > 0 else steps * 0 + 1.0
    return mine.assign(
        series=mine["run"], line=str(place), place=place, along=along, last=mine["row"].eq(latest["row"])
    )
