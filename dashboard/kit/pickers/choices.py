"""What pages of charts let the reader choose, in the same words: evals, definitions, splits, repeats, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard import links
from dashboard.charts.points import SeriesBy
from dashboard.kit import caches
from dashboard.kit.page import nothing
from dashboard.kit.pickers import controls, kept
from dashboard.kit.text.plain import escaped
from dashboard.pages import page_file
from dashboard.queries.equivalence import Margins
from dashboard.queries.frame import Method
from dashboard.queries.standing import REPEATS, Repeats

SPLITS = "split"
MOST_SPLITS = 2

MOST_VALUES = 24
"""Values of a field beyond which it tells samples apart rather than kinds of them: it is not offered."""

SERIES: dict[SeriesBy, str] = {"run": "Run", "mix": "Mix", "split": "Group"}

INTERVALS: dict[Method, str] = {"wilson": "Wilson", "clopper-pearson": "Clopper-Pearson"}

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
    picked = controls.pick_many(
        label, "eval", names, default=default, titles=controls.findable(titles), placeholder="Select evals"
    )
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
        "Group by",
        SPLITS,
        # A field that a link names is obeyed, whatever number of values it has.
        [*offered, *(name for name in fields["field"] if name in named and name not in offered)],
        placeholder="None",
        most=MOST_SPLITS,
        help="A rate for each value of a field: of the samples' or the log's metadata, or of the task's arguments.",
    )
    absent = [name for name in picked if name not in set(fields["field"])]
    if absent:
        told = f"None of the picked evals has the field {' or '.join(absent)}: no groups are formed."
        st.html(f'<div class="dl-notice" role="alert">{escaped(told)}</div>')
    return tuple(picked)


def pick_repeats(as_of: int) -> Repeats:
    """Choose what becomes of repeated evals; asked only where there are any."""
    if not caches.has_repeats(as_of):
        return "pooled"
    return controls.switch(
        "Repeated evals", "repeats", REPEATS, default="pooled",
        help="Independent evals of one checkpoint with the same settings: pooled (clustered by question), the newest"
        " alone, or each drawn.",
    )  # fmt: skip


def pick_interval() -> Method:
    """Choose the method of confidence intervals."""
    return controls.switch(
        "Confidence interval", "interval", INTERVALS,
        help="Of rates, 95%. Wilson's covers 95% on average; Clopper-Pearson's covers at least 95% everywhere, and is"
        " wider.",
    )  # fmt: skip


MARGIN = 5.0
"""Percentage points: what the sample size planning begins with, too."""


def pick_margins(used: pd.DataFrame) -> Margins:
    """Set the equivalence margins: within them a difference counts as none. One of rates, one of all other numbers.

    Args:
        used: Rows of `metrics_for`: what is measured.
    """
    rates = used["kind"] == "rate"
    score = None
    rate = _margin("Equivalence margin (pp)", "margin", MARGIN, 100.0) if rates.any() else MARGIN
    if not rates.all():
        score = _margin("Equivalence margin (score)", "margin_score", 0.0, None)
    return Margins(rate / 100.0 if rate else None, score or None)


def _margin(label: str, name: str, default: float, most: float | None) -> float:
    return controls.number(
        label, name, default=default, least=0.0, most=most, begin=kept.number(name),
        changed=lambda value: kept.keep_number(name, value),
        help="A difference within ± this margin counts as none. Equivalent: two one-sided tests (TOST), each at 5%,"
        " which is the 90% interval within the margin. Choose it before you look. 0: not tested.",
    )  # fmt: skip


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
    """Let the reader choose the metric; the names in use stand in the address.

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
    picked = controls.pick_one(
        "Metric", METRIC, options, default=first, titles=controls.findable(titles) | {EACH: "Default of each eval"}
    )
    if picked == EACH:
        controls.remember(METRIC, list(default_names))
        found = Definition((), default_names, defaults)
    else:
        found = Definition((picked,), (picked,), metrics[metrics["metric"] == picked])
    undirected = list(dict.fromkeys(found.used[found.used["better"].isna()]["eval"]))
    if undirected:
        st.page_link(
            page_file(links.DATA), label="Direction not defined: define a metric", icon=":material/add_chart:",
            query_params={"show": ["metric"], "eval": undirected},
        )  # fmt: skip
    return found
