"""Rates pulled towards each other: those of one eval and metric are of one population of checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dashboard.statistics import Shrunk, shrunk_means, shrunk_rates
from dashboard.statistics.shrinkage import FEWEST

if TYPE_CHECKING:
    import pandas as pd

ALIKE = ["eval", "metric", "kind", "group", "variant", "split", "split2"]
"""What cells of one population have in common."""
SHRUNK_COLUMNS = ("shrunk", "shrunk_low", "shrunk_high", "shrunk_cells")
"""Posterior mean and 95% interval, and how many cells the model is of; missing where a cell is in none."""


def with_shrunk(rates: pd.DataFrame) -> pd.DataFrame:
    """Rates with `SHRUNK_COLUMNS`.

    Rates of k of n are shrunk by the beta-binomial model, with the effective sample size where samples are clustered;
    means, and averages over evals, by the normal one, with their standard errors. Of several logs of a checkpoint the
    one that lines go through is in the model.

    Args:
        rates: Rows of `RATE_COLUMNS`, with an index that names each row once.
    """
    found = rates.assign(**dict.fromkeys(SHRUNK_COLUMNS, np.nan))
    usable = rates[rates["rate"].notna() & (rates["repeat"].fillna(0) == 0)]
    for _, cells in usable.groupby(ALIKE, dropna=False, sort=False):
        counted = cells[cells["k"].notna() & (cells["n"].fillna(0) > 0)]
        cells = counted if len(counted) else cells[cells["stderr"].fillna(0) > 0]
        if len(cells) < FEWEST:
            continue
        shrunk = _counted(cells) if len(counted) else _measured(cells)
        values = (shrunk.estimate, shrunk.low, shrunk.high, np.full(len(cells), float(len(cells))))
        for name, value in zip(SHRUNK_COLUMNS, values, strict=True):
            found.loc[cells.index, name] = value
    return found


def _counted(cells: pd.DataFrame) -> Shrunk:
    n = cells["n_eff"].fillna(cells["n"].astype("float64")).to_numpy(float)
    rate = cells["rate"].to_numpy(float)
    return shrunk_rates(rate * n, n)


def _measured(cells: pd.DataFrame) -> Shrunk:
    shrunk = shrunk_means(cells["rate"].to_numpy(float), cells["stderr"].to_numpy(float))
    if cells["kind"].iloc[0] != "rate":
        return shrunk
    return Shrunk(
        np.clip(shrunk.estimate, 0, 1), np.clip(shrunk.low, 0, 1), np.clip(shrunk.high, 0, 1), shrunk.centre,
        shrunk.spread,
    )  # fmt: skip
