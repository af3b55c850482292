"""What stands around the points of a panel: its axis, title and subtitle, and what its kinds of marks mean."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import pandas as pd

from dashboard import numerals
from dashboard.charts.axes import ValueAxis, value_axis
from dashboard.queries.rows import checkpoint_name, is_missing

MOST_DEFINITIONS = 3
"""Told under charts; more are counted."""

DIRECTIONS = {"lower": "lower is better", "higher": "higher is better"}

MISALIGNMENT = "Misalignment rate"
"""The axis of rates of which lower is better, whatever their metrics are titled: the subtitle names these."""

MARKS = {
    "repeat": "hollow: repeated eval of the same checkpoint, not on the line",
    "incomplete": "hollow, dashed: incomplete log, graded/planned samples below",
    "partial": "hatched: incomplete mean (some evals missing), not joined to complete ones",
}


def is_fraction(points: pd.DataFrame) -> bool:
    """Whether numbers are shown in per cent: rates, and reported metrics without a unit that lie in 0..1."""
    if (points["kind"] == "rate").all():
        return True
    values = points["rate"].dropna()
    return bool((points["kind"] == "reported").all() and points["unit"].isna().all() and values.between(0, 1).all())


def axes_by_panel(points: pd.DataFrame, titles: Mapping[str, str], *, zoom: bool = False) -> dict[str, ValueAxis]:
    """Choose the axis of every panel: the same for all panels in per cent, its own for each score in its own unit.

    Args:
        points: Rows of `CurveData.points`.
        titles: Title of each metric.
        zoom: Fit axes in per cent to what is there, instead of beginning at 0.
    """
    panels = {str(name): some for name, some in points.groupby("panel", sort=False)}
    fractions = {name: is_fraction(some) for name, some in panels.items()}
    axes = {}
    for name, some in panels.items():
        title = measure(some, titles)
        together = points[points["panel"].map(fractions).astype(bool)] if fractions[name] else some
        axes[name] = value_axis(together, fraction=fractions[name], title=title, zoom=zoom)
    return axes


def measure(points: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """What the numbers of a panel are, as the title of their axis.

    Args:
        points: Columns metric, kind, unit and better.
        titles: Title of each metric.
    """
    kinds, metrics = set(points["kind"].dropna()), points["metric"].unique()
    if kinds <= {"rate"}:
        return MISALIGNMENT if (points["better"] == "lower").all() else "Rate"
    if kinds == {"reported"} and len(metrics) == 1:
        return textwrap.shorten(titles.get(metrics[0], metrics[0]), 40, placeholder=" …")
    units = points["unit"].dropna().unique()
    return ("Mean score" if kinds == {"mean"} else "Score") + (f" ({units[0]})" if len(units) == 1 else "")


def panel_title(panel: str, points: pd.DataFrame, eval_titles: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """Say what a panel shows: "Blackmail: misalignment rate".

    Args:
        panel: What makes it a panel, if it is not the evals in it.
        points: The panel's rows, of `MARK_COLUMNS`.
        eval_titles: Title of each eval.
        titles: Title of each metric.
    """
    evals = [eval_titles.get(name, name) for name in points["eval"].unique()]
    what = ", ".join(evals[:4]) + (f" and {len(evals) - 4} more" if len(evals) > 4 else "")
    if panel and not (len(evals) == 1 and panel.startswith(points["eval"].iloc[0])):
        what = panel
    return titled(what, points, titles)


def titled(what: str, points: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """What is measured, behind what it is measured on: "Honeypots: misalignment rate, mean of 3 evals".

    Args:
        what: Evals, or what else makes a panel.
        points: As for `panel_title`.
        titles: Title of each metric.
    """
    word = measure(points, titles)
    averages = points[points["group"].fillna(False).astype(bool)]["interval"].dropna()
    mean = f", {_method(averages.mode().iloc[0])[0]}" if len(averages) == len(points) > 0 else ""
    return f"{what}: {word[0].lower()}{word[1:]}{mean}"


def _method(interval: str) -> tuple[str, str]:
    """What an interval is of and how it was made: "mean of 3 evals (variances added)"; else the method alone."""
    head, _, rest = interval.partition(" (")
    return head, rest.removesuffix(")")


def subtitle(points: pd.DataFrame, titles: Mapping[str, str]) -> list[str]:
    """The line under a panel's title, what a narrow screen must not lose first.

    Args:
        points: The panel's rows, of `MARK_COLUMNS`.
        titles: Title of each metric.
    """
    directions = {DIRECTIONS.get(str(better)) for better in points["better"].unique()}
    direction = directions.pop() if len(directions) == 1 else None
    methods = [
        how if group and how else what
        for group, (what, how) in (
            (group, _method(interval))
            for group, interval in points[["group", "interval"]].dropna(subset="interval").itertuples(index=False)
        )
    ]
    metrics = points["metric"].unique()
    told = [
        *([direction[0].upper() + direction[1:]] if direction else []),
        _counts(points["n"]),
        *([f"95% CI: {'; '.join(dict.fromkeys(methods))}"] if methods else []),
        titles.get(metrics[0], metrics[0]) if len(metrics) == 1 else f"{len(metrics)} metrics",
    ]
    if (points["flags"] != "").any():
        told.append("red ring: warning")
    return [" · ".join(told)]


def _counts(n: pd.Series) -> str:
    """Samples behind each point."""
    known = n.dropna()
    if known.empty:
        return "n not reported"
    low, high = numerals.count(known.min()), numerals.count(known.max())
    span = f"n = {low}" if low == high else f"n = {low}–{high}"
    return span + (", some not reported" if len(known) < len(n) else " per point" if len(n) > 1 else "")


def definitions(points: pd.DataFrame, titles: Mapping[str, str]) -> list[str]:
    """The definitions in use, in full: what stands under the charts.

    Args:
        points: Rows of all panels.
        titles: Title of each metric.
    """
    told = []
    for rule in points.drop_duplicates(["metric", "definition"]).to_dict("records"):
        title, rule_text = titles.get(rule["metric"], rule["metric"]), rule["definition"]
        direction = DIRECTIONS.get(str(rule["better"]))
        text = title if title == rule_text or is_missing(rule_text) else f"{title}: {rule_text}"
        told.append(text + (f" ({direction})" if direction else ""))
    if len(told) > MOST_DEFINITIONS:
        return [f"{len(told)} definitions: the tooltips and the table name them"]
    return told


def marks_legend(points: pd.DataFrame) -> list[str]:
    """Explain the marks that occur."""
    legend = [text for mark, text in MARKS.items() if (points["mark"] == mark).any()]
    if (points["flags"] != "").any():
        legend.append("Red ring: warning, see Warnings below")
    return legend


def flags_by_text(rates: pd.DataFrame, limit: int = 6) -> list[str]:
    """Every flag once, with the points that have it.

    Args:
        rates: Rows of `RATE_COLUMNS`.
        limit: Points named for each; the others are counted.
    """
    of_flag: dict[str, list[str]] = {}
    for row in rates.to_dict("records"):
        for flag in row["flags"]:
            what = row["eval"] if is_missing(row["variant"]) else f"{row['eval']}, {row['variant']}"
            of_flag.setdefault(flag, []).append(f"{checkpoint_name(row)} ({what})")
    told = []
    for flag, where in of_flag.items():
        named = list(dict.fromkeys(where))
        more = f" and {len(named) - limit} more" if len(named) > limit else ""
        told.append(f"{flag} · {', '.join(named[:limit])}{more}")
    return told
