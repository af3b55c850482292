"""Which columns of a table tell something to a reader; all of them are in the whole files."""

from __future__ import annotations

from typing import Any

import pandas as pd


def shown_columns(numbers: pd.DataFrame) -> list[str]:
    """The columns of a table that tell something: no path, no internal name, nothing empty."""
    left_out = {
        "colour", "placed", "kind", "group", "n_all", "clusters", "n_eff", "eval_id", "eval_key", "path", "created",
        "status", "complete", "task_version", "repeat", "disagrees", "lineage_step", "run_label", "definition",
        "baseline_eval_key", "members", "averaged", "better", "log", "model", "n_eval",
    }  # fmt: skip
    columns = [str(name) for name in numbers if name not in left_out]
    return [name for name in columns if not numbers[name].map(is_empty).all()] or columns[:1]


def is_empty(value: Any) -> bool:
    """Whether a cell says nothing."""
    if isinstance(value, (list, tuple, dict)):
        return not value
    return value is None or value is pd.NA or value == "" or value != value
