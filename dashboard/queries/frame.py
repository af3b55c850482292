"""What may be asked of the rates, and the columns of the answer: what queries, charts and commands agree on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_type_hints

from dashboard.queries.rate import Rate
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

DTYPES = {str: TEXT, int: COUNT, float: NUMBER, bool: FLAG, datetime: TIME}
"""The pandas dtype of a field, by its type; of lists and all else it is LIST."""


def columns_of(model: type, names: Sequence[str] = ()) -> dict[str, str]:
    """The columns of a model's fields, in order, each with its pandas dtype.

    Missing counts are NA, missing numbers and texts NaN; flags are never missing.

    Args:
        model: A class with annotated fields.
        names: Some of its fields, in the order that is wanted; none: all of them, in their own.
    """
    hints = get_type_hints(model)
    return {name: _dtype(hints[name]) for name in names or hints}


def _dtype(hint: Any) -> str:
    told = [kind for kind in get_args(hint) if kind is not NoneType] if isinstance(hint, UnionType) else [hint]
    return DTYPES.get(told[0], LIST) if len(told) == 1 else LIST


RATE_COLUMNS = columns_of(Rate)
"""The columns of the rates."""
AT_COLUMNS = columns_of(Rate, ("run", "step", "step_label", "eval"))
"""The columns that name a checkpoint on an eval."""


def frame_of(rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    """Build a frame with exactly these columns and dtypes, also from no rows.

    Args:
        rows: One dict a row; an absent or None entry is a missing value.
        columns: Name to pandas dtype, in order.
    """
    import pandas as pd

    return pd.DataFrame(
        {name: _array(_column(rows, name), dtype) for name, dtype in columns.items()}, columns=list(columns), copy=False
    )


def _array(values: list[Any], dtype: Any) -> Any:
    """A column's values without an index: columns that bring one each take twice as long to put together."""
    import numpy as np
    import pandas as pd

    if dtype in (NUMBER, FLAG):
        return np.array(values, dtype=dtype)
    # An array of lists is one of their values to all but a series.
    return pd.Series(values, dtype=dtype).array if dtype == LIST else pd.array(values, dtype=dtype)


def _column(rows: Sequence[dict[str, Any]], name: str) -> list[Any]:
    # Most columns stand in every row: a lookup without a default, from C, takes a third of the time.
    try:
        return list(map(itemgetter(name), rows))
    except KeyError:
        return [row.get(name) for row in rows]


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
