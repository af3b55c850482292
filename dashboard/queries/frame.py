"""What may be asked of the rates, and the columns of the answer: what queries, charts and commands agree on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dashboard.queries.standing import REPEATS, Repeats
from loaders.metrics.splits import check_splits

# Commands print rows: importing pandas takes longer than the query.
if TYPE_CHECKING:
    import pandas as pd

ALL_METRICS = "all"
"""As the only name in `RateQuery.metrics`: every definition that applies, and the automatic metrics."""

Method = Literal["wilson", "clopper-pearson"]


@dataclass(frozen=True, slots=True)
class RateQuery:
    """Which rates to compute. Hashable, so that it can be the key of a cache.

    An empty tuple means "all" of that kind; a name that nothing bears matches nothing.
    """

    runs: tuple[str, ...] = ()
    mixes: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    evals: tuple[str, ...] = ()
    """Names of evals and of groups. When empty: every eval and every group."""
    metrics: tuple[str, ...] = ()
    """Names of metrics. When empty: the default of each eval; ("all",): every one that applies."""
    level: float = 0.95
    """Confidence level of the intervals, between 0 and 1."""
    method: Method = "wilson"
    """Interval of a rate over independent samples, and of the effective sample size of clustered ones."""
    splits: tuple[str, ...] = ()
    """Fields that split every eval, at most two: `metadata.NAME`, `task_args.NAME` or `variant`."""

    repeats: Repeats = "pooled"
    """What becomes of independent evaluations of one checkpoint with the same settings."""

    def __post_init__(self) -> None:
        if self.repeats not in REPEATS:
            raise ValueError(f'repeats is "{self.repeats}" (allowed: {", ".join(REPEATS)})')
        if not 0.0 < self.level < 1.0:
            raise ValueError(f"level is {self.level}, and must lie between 0 and 1, like 0.95")
        if self.method not in ("wilson", "clopper-pearson"):
            raise ValueError(f'method is "{self.method}" (allowed: wilson, clopper-pearson)')
        check_splits(self.splits)


TEXT, COUNT, NUMBER, FLAG, TIME, LIST = "str", "Int64", "float64", "bool", "datetime64[us, UTC]", "object"

RATE_COLUMNS: dict[str, str] = {
    "run": TEXT,
    "mix": TEXT,
    "stage": TEXT,
    "step": COUNT,
    "tokens": NUMBER,
    "eval": TEXT,
    "metric": TEXT,
    "n": COUNT,
    "k": COUNT,
    "rate": NUMBER,
    "low": NUMBER,
    "high": NUMBER,
    "interval": TEXT,
    "n_missing": COUNT,
    "step_label": TEXT,
    "variant": TEXT,
    "split": TEXT,
    "split2": TEXT,
    "run_label": TEXT,
    "colour": TEXT,
    "placed": FLAG,
    "kind": TEXT,
    "group": FLAG,
    "better": TEXT,
    "unit": TEXT,
    "definition": TEXT,
    "n_all": COUNT,
    "stderr": NUMBER,
    "clusters": COUNT,
    "n_eff": NUMBER,
    "eval_id": COUNT,
    "eval_key": TEXT,
    "path": TEXT,
    "created": TIME,
    "status": TEXT,
    "complete": FLAG,
    "task": TEXT,
    "task_version": TEXT,
    "judge": TEXT,
    "epochs": COUNT,
    "model": TEXT,
    "repeat": COUNT,
    "pooled": COUNT,
    "eval_keys": LIST,
    "partial": FLAG,
    "graded": COUNT,
    "planned": COUNT,
    "reported": NUMBER,
    "disagrees": FLAG,
    "flags": LIST,
    "lineage_step": COUNT,
    "lacks": LIST,
}
"""Columns of the rates, in order, each with its pandas dtype. Missing counts are NA, missing numbers and texts NaN.

`rate`, `low`, `high`, `stderr` and `reported` are fractions from 0 to 1 for kind "rate", and in the score's own
unit for kinds "mean" and "reported". `n` counts the samples in the denominator, `n_missing` those without an
outcome (errored, unscored, invalidated), `n_all` all samples; the others, `n_all - n - n_missing`,
are outside the definition's `among`. `k` is missing where outcomes are not yes or no. A row with `group` is an
average over several evals of one checkpoint and has no `eval_id`; it has no `k`, for k of n is another number than the
mean of rates, and `lacks` names the members that it is without: it is no number to set beside whole averages. `flags`
is a list of sentences for people.

`pooled` counts the independent evaluations in a row, `eval_keys` are theirs, `repeat` is 0 for the one that a line goes
through. `partial` rows are of a part of an evaluation (limited, errored, cancelled) where there is no whole one:
`graded` of `planned` samples.

`split` and `split2` are the values of the fields in `RateQuery.splits`, as text: true or false, numbers, lists and
objects as JSON; missing where the samples have no such field, or nothing is split. There is a row for each combination
of values in a log: its counts, clusters and interval are those of these samples alone. `reported` is a number of the
whole log, and stands only where the log has one combination.
"""


def frame_of(rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    """Build a frame with exactly these columns and dtypes, also from no rows.

    Args:
        rows: One dict a row; an absent or None entry is a missing value.
        columns: Name to pandas dtype, in order.
    """
    import pandas as pd

    return pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=dtype) for name, dtype in columns.items()},
        columns=list(columns),
    )


def plain_rows(rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> list[dict[str, Any]]:
    """The same rows as `frame_of` has them, in Python's own values: all columns, a missing value None.

    Args:
        rows: As for `frame_of`.
        columns: As for `frame_of`.
    """
    return [{name: _plain(row.get(name), dtype) for name, dtype in columns.items()} for row in rows]


PLAIN: dict[str, Callable[[Any], Any]] = {TEXT: str, COUNT: int, NUMBER: float}
"""Python's own type for a pandas dtype; values of the others stay as they are."""


def _plain(value: Any, dtype: str) -> Any:
    if dtype == FLAG:
        return bool(value)
    # What is not equal to itself is not a number, and no value.
    return None if value is None or value != value else PLAIN.get(dtype, lambda same: same)(value)


def empty_rates() -> pd.DataFrame:
    """The answer when there is nothing to show: all columns, no rows."""
    return frame_of([], RATE_COLUMNS)
