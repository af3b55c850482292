"""Picking the definition in use, on every page the same: one of those that apply, or each eval's own default."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard.kit.pickers import controls

EACH = "each eval's default"
METRIC = "metric"


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition in use."""

    metrics: tuple[str, ...]
    """For a query: a name, or nothing where each eval has its own default."""
    names: tuple[str, ...]
    """For the address: every name in use, also when it is the default."""
    used: pd.DataFrame
    """Rows of `metrics_for`: what is used of each eval."""


def common_direction(used: pd.DataFrame) -> str | None:
    """Which direction is better, where all that is used agrees.

    Args:
        used: Rows of `metrics_for`.
    """
    directions = set(used["better"].dropna())
    return str(directions.pop()) if len(directions) == 1 else None


def pick_definition(metrics: pd.DataFrame) -> Definition:
    """Let the reader choose what counts; the names in use stand in the address.

    Args:
        metrics: Rows of `dashboard.queries.catalogue.metrics_for` for the evals in sight.
    """
    if metrics.empty:
        st.caption("The logs of these evals hold neither scores nor reported numbers.")
        return Definition((), (), metrics)
    defaults = metrics[metrics["default"]]
    default_names = tuple(dict.fromkeys(defaults["metric"]))
    titles = dict(zip(metrics["metric"], metrics["title"], strict=True))
    several = len(default_names) > 1
    options = [*([EACH] if several else []), *titles]
    named = controls.restored(METRIC)
    if named is not None and several and set(named) == set(default_names):
        controls.replace_restored(METRIC, [EACH])
    first = EACH if several else default_names[0]
    picked = controls.pick_one("What counts", METRIC, options, default=first, titles=titles)
    if picked == EACH:
        controls.remember(METRIC, list(default_names))
        return Definition((), default_names, defaults)
    return Definition((picked,), (picked,), metrics[metrics["metric"] == picked])
