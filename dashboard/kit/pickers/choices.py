"""What pages of charts let the reader choose, in the same words: evals, definitions, splits, repeats, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import pandas as pd
import streamlit as st

from dashboard.kit import caches
from dashboard.kit.page import nothing
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import escaped
from dashboard.queries.frame import Method
from dashboard.queries.standing import REPEATS, Repeats

SPLITS = "split"
MOST_SPLITS = 2

MOST_VALUES = 24
"""Values of a field beyond which it tells samples apart rather than kinds of them: it is not offered."""

INTERVALS = {"wilson": "Wilson", "clopper-pearson": "Clopper-Pearson"}

EACH = "each eval's default"
METRIC = "metric"


def pick_evals(evals: pd.DataFrame, default: Sequence[str], *, label: str = "Evals") -> list[str]:
    """Pick evals and groups of them; the page ends here where none is picked.

    Args:
        evals: `EVAL_COLUMNS`.
        default: Names to begin with.
        label: Of the widget.
    """
    titles = titles_of(evals)
    names = evals["eval"].tolist()
    picked = controls.pick_many(label, "eval", names, default=default, titles=titles, placeholder="Pick evals")
    if not picked:
        nothing.nothing_picked("eval")
    return picked


def titles_of(evals: pd.DataFrame) -> dict[str, str]:
    """Name of each eval and group to its title.

    Args:
        evals: `EVAL_COLUMNS`.
    """
    return dict(zip(evals["eval"], evals["title"], strict=True))


def pick_splits(evals: Sequence[str], as_of: int) -> tuple[str, ...]:
    """Pick up to two fields by which every rate is split: of samples' and logs' metadata, task args, the variant.

    Args:
        evals: Evals and groups in sight: their fields are offered, of those that have a few values.
        as_of: Batch.
    """
    fields = caches.fields(tuple(evals), as_of)
    offered = fields[fields["values"].between(2, MOST_VALUES)]["field"].tolist()
    named = controls.named(SPLITS)
    if not offered and not named:
        return ()
    picked = controls.pick_any(
        "Split by",
        SPLITS,
        # A field that a link names is obeyed, whatever number of values it has.
        [*offered, *(name for name in fields["field"] if name in named and name not in offered)],
        placeholder="Not split",
        most=MOST_SPLITS,
        help="A rate for each value of a field: of the samples' or the log's metadata, or of the task's arguments.",
    )
    absent = [name for name in picked if name not in set(fields["field"])]
    if absent:
        told = f"None of the picked evals has the field {' or '.join(absent)}: nothing is split by it."
        st.html(f'<div class="dl-notice" role="alert">{escaped(told)}</div>')
    return tuple(picked)


def pick_repeats(as_of: int) -> Repeats:
    """Choose what becomes of repeated evals; asked only where there are any."""
    if not caches.has_repeats(as_of):
        return "pooled"
    picked: Repeats = st.segmented_control(
        "Repeated evals",
        list(REPEATS),
        default="pooled",
        key="repeats",
        bind="query-params",
        required=True,
        format_func=str.capitalize,
        help="Independent evals of one checkpoint with the same settings: pooled (clustered by question), the newest"
        " alone, or each drawn.",
    )
    return picked


def pick_interval() -> Method:
    """Choose how intervals of rates are made."""
    picked = st.segmented_control(
        "Intervals of rates",
        list(INTERVALS),
        default="wilson",
        key="interval",
        bind="query-params",
        required=True,
        format_func=INTERVALS.__getitem__,
        help="95 %. Wilson's covers 95 % on average; Clopper-Pearson's covers at least 95 % everywhere, and is wider.",
    )
    return cast("Method", picked)


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
