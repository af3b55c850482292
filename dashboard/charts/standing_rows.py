"""From where runs stand to the rows of a picture: one for each run, with its course and its change. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard import numerals
from dashboard.charts.doubts import doubts_of
from dashboard.charts.families import Member
from dashboard.charts.points import MARK_COLUMNS, joinable, lacks_of, marked_points
from dashboard.queries.checkpoints import place_of
from dashboard.queries.rows import checkpoint_in, is_missing, step_of
from dashboard.texts.verdicts import verdict_words

Row = Mapping[Any, Any]

DRAWN_COLUMNS = (
    *MARK_COLUMNS, "series", "style", "label", "about", "at", "place", "middle", "indent", "first", "since",
    "baseline_rate", "change", "change_low", "change_high", "p", "p_holm", "change_method", "verdict", "arrow", "tone",
    "changes_shown", "from_parent",
)  # fmt: skip
ROW_COLUMNS = (
    *DRAWN_COLUMNS, "step", "step_label", "averaged", "lacks", "doubts", "baseline", "paired", "questions",
    "compared_rate", "change_over", "change_lacks",
)  # fmt: skip
"""Columns of the rows, and those of them that are drawn. `place` counts rows from the top, `middle` is half a row
further down; `indent` is in steps of lineage; `first` marks the first row of a family. `at` names the checkpoint for
people, `since` what the change is a change from (whose own number is `baseline_rate`, beside which that of the run is
`compared_rate`), and whether it is paired. `verdict` says what the change shows, `arrow` the same as a sign; `tone` is
better, worse, or none; `changes_shown` is whether the interval excludes 0 and Holm's p is small; `from_parent` is
whether the change is one from a parent run, and not from the run's own first step. A group's change is over
`change_over` evals, and lacks `change_lacks`; `doubts` are those of `dashboard.charts.doubts` about the latest rate."""

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
    points = marked_points(rates)
    by_row = dict(zip(points["row"], points.to_dict("records"), strict=True))
    flags, disagree = rates["flags"], rates["disagrees"]
    lines = _lines(points, by_row)
    about = {row["run"]: row for row in runs.to_dict("records")}
    of_run: dict[str, list[dict[Any, Any]]] = {}
    for standing in standings[standings["row"].notna()].to_dict("records"):
        of_run.setdefault(standing["run"], []).append(standing)
    rows: list[dict[Any, Any]] = []
    trail: list[dict[str, Any]] = []
    family = None
    for member in members:
        mine = of_run.get(member.run, [])
        for standing in mine:
            at = int(standing["row"])
            latest = by_row[at]
            row = latest | _words(about[member.run], standing, latest, several=len(mine) > 1)
            row["doubts"] = doubts_of(latest | {"flags": flags[at], "disagrees": disagree[at]})
            row |= _change(standing, str(latest["better"]), str(latest["kind"]))
            row |= {
                "place": len(rows),
                "middle": len(rows) + 0.5,
                "indent": member.depth,
                "first": family != member.family,
            }
            trail += _course(lines[_line(latest)], latest, len(rows))
            rows.append(row)
            family = member.family
    frame = pd.DataFrame(rows, columns=list(ROW_COLUMNS))
    return frame, pd.DataFrame(trail, columns=list(TRAIL_COLUMNS))


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


def _change(standing: Row, better: str, kind: str) -> dict[str, Any]:
    """What the change shows, in words; a sign and a tone say the same."""
    if is_missing(standing["difference"]):
        why = "" if is_missing(standing["why_not"]) else f"no change: {standing['why_not']}"
        return {"verdict": why, "arrow": "", "tone": "none", "changes_shown": False, "since": "", "from_parent": False}
    change, low, high = (standing[name] for name in ("difference", "low", "high"))
    alone = bool(low > 0 or high < 0)
    shown = standing["verdict"] == "significant"
    direction = "higher" if change > 0 else "lower"
    word = direction if better not in ("lower", "higher") else "better" if better == direction else "worse"
    verdict, arrow = verdict_words(standing, kind, word), ""
    if alone:
        arrow = {"higher": "▲" if shown else "△", "lower": "▼" if shown else "▽"}[direction]
        if standing["verdict"] == "inconclusive":
            verdict = f"{word} (not significant after Holm correction)"
    if is_missing(low):
        verdict = "no interval"
    first = str(standing["baseline"]).rpartition("@")[2]
    own = f"step {numerals.count(int(first))}" if first.isdecimal() else first
    start = own if standing["since"] == "start" else ""
    same = ", paired" if standing["paired"] else ""
    return {
        "since": f"{start or standing['baseline']}{same}",
        "baseline": start or standing["baseline"],
        "paired": bool(standing["paired"]),
        "questions": standing["questions"],
        "compared_rate": standing["rate"],
        "baseline_rate": standing["baseline_rate"],
        "change_over": standing["members"],
        "change_lacks": lacks_of(standing),
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
        "from_parent": standing["since"] != "start",
    }


def _line(point: Row) -> tuple[str, str | None]:
    """The line that a point is of: its run and variant."""
    return point["run"], None if is_missing(point["variant"]) else point["variant"]


def _lines(points: pd.DataFrame, by_row: Mapping[int, Row]) -> dict[tuple[str, str | None], list[tuple[Row, bool]]]:
    """The points with a rate of each line, and whether each may be joined with the others."""
    there = points[points["repeat"].eq(0) & points["rate"].notna()].sort_values(["step", "created"], kind="stable")
    found: dict[tuple[str, str | None], list[tuple[Row, bool]]] = {}
    for row, joins in zip(there["row"], joinable(there, ["run", "variant"]), strict=True):
        found.setdefault(_line(by_row[row]), []).append((by_row[row], joins))
    return found


def _course(line: Sequence[tuple[Row, bool]], latest: Row, place: int) -> list[dict[str, Any]]:
    """The checkpoints of one line, by step; in order and evenly where some have no number."""
    mine = [point for point, joins in line if joins or point["row"] == latest["row"]]
    mine.sort(key=lambda point: place_of(checkpoint_in(point)))
    steps = [float(point["step"]) for point in mine if not is_missing(point["step"])]
    if len(set(steps)) < len(mine):
        steps = [float(number) for number in range(len(mine))]
    first, length = min(steps), max(steps) - min(steps)
    return [
        {
            "run": point["run"], "series": point["run"], "line": str(place), "place": place,
            "along": (step - first) / length if length > 0 else 1.0,
            "rate": point["rate"], "low": point["low"], "high": point["high"], "last": point["row"] == latest["row"],
        }
        for point, step in zip(mine, steps, strict=True)
    ]  # fmt: skip
