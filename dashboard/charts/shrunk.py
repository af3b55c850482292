"""Points of a heatmap as of a model, with what was measured beside it. Pure."""

from __future__ import annotations

import pandas as pd

from dashboard import numerals
from dashboard.queries.shrinkage import SHRUNK_COLUMNS
from dashboard.statistics.shrinkage import FEWEST

MODEL = "hierarchical model"


def shrunk_points(points: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """Points whose rate and bounds are the model's, where it has the cell.

    Args:
        points: Rows of `category_points`.
        rates: What they were made of, with `SHRUNK_COLUMNS`.

    Returns:
        With two more columns, missing where a cell is as it was measured: `raw`, the measured value, and `measured`,
        the same with its interval.
    """
    found = rates.loc[points["row"], list(SHRUNK_COLUMNS)].reset_index(drop=True)
    points = points.reset_index(drop=True)
    changed = found["shrunk"].notna()
    kept = points[changed].to_dict("records")
    raw = [numerals.value_of(row["rate"], row["kind"]) for row in kept]
    told = [
        f"{value} {numerals.between(row['low'], row['high'], row['kind'])}" if pd.notna(row["low"]) else value
        for value, row in zip(raw, kept, strict=True)
    ]
    points["raw"] = pd.Series(raw, index=points.index[changed], dtype="object")
    points["measured"] = pd.Series(told, index=points.index[changed], dtype="object")
    for name, model in zip(("rate", "low", "high"), SHRUNK_COLUMNS, strict=False):
        points[name] = points[name].where(~changed, found[model])
    # Of averages the head stays: it says of how many evals.
    heads = points["interval"].fillna("").str.partition(" (")[0]
    named = heads.where(points["group"].fillna(False).astype(bool), "")
    points["interval"] = points["interval"].where(~changed, [f"{head} ({MODEL})" if head else MODEL for head in named])
    return points


def shrunk_words(points: pd.DataFrame) -> list[str]:
    """What is to be known of shrunk cells, and which were left as they are.

    Args:
        points: From `shrunk_points`.
    """
    cells = points[points["rate"].notna() & (points["repeat"] == 0)]
    left = int(cells["raw"].isna().sum())
    needed = f"the model needs {FEWEST} checkpoints with rates on an eval"
    if left == len(cells):
        return [f"No cell is shrunk: {needed}"]
    said = [
        "Cells are as of a hierarchical model: rates of one eval and metric are of one population, to whose mean each"
        " is pulled. For a finding, cite what was measured: it is in each cell, in its tooltip, in Cite and in Data."
    ]
    if left:
        said.append(f"{numerals.plural(left, 'cell')} as measured: {needed}")
    return said
