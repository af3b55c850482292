"""What trainers logged while they trained: loss, reward, learning rate and the like, by step."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pandas as pd

from dashboard.queries.frame import COUNT, NUMBER, TEXT, frame_of
from loaders.store.sql import records

TRAINING_COLUMNS: dict[str, str] = {
    "run": TEXT, "run_label": TEXT, "mix": TEXT, "metric": TEXT, "step": COUNT, "tokens": NUMBER,
    "lineage_step": NUMBER, "value": NUMBER,
}  # fmt: skip
"""Columns of `training`. `tokens` is missing where the trainer did not count them at that step, and `value` where it
logged what is not finite."""

FIRST = ("loss", "train_mean_nll", "reward", "total_reward", "reward/total", "learning_rate", "lr")
"""How the names of the metrics end that are looked for most, in their order."""

METRICS = "SELECT DISTINCT metric FROM live_training_series($as_of) WHERE run IN (SELECT unnest($runs)) ORDER BY metric"

TRAINING = """
WITH logged AS MATERIALIZED (
    FROM live_training($as_of) WHERE run IN (SELECT unnest($runs)) AND metric IN ($metric, 'tokens')
)
SELECT l.run, coalesce(r.label, l.run) AS run_label, r.mix, l.metric, l.step, t.value AS tokens,
       l.step + r.lineage_offset AS lineage_step, l.value
FROM logged l LEFT JOIN live_run_places($as_of) r USING (run)
LEFT JOIN logged t ON t.metric = 'tokens' AND t.run = l.run AND t.step = l.step
WHERE l.metric = $metric
ORDER BY r.position NULLS LAST, l.run, l.step
"""


def training_metrics(con: duckdb.DuckDBPyConnection, runs: Sequence[str], as_of: int) -> list[str]:
    """The metrics that trainers logged of any of some runs: training losses, rewards and learning rates first."""
    found = [row["metric"] for row in records(con, METRICS, {"runs": list(runs), "as_of": as_of})]
    return sorted(found, key=_rank)


def training(con: duckdb.DuckDBPyConnection, runs: Sequence[str], metric: str, as_of: int) -> pd.DataFrame:
    """One metric of some runs at every step at which it was logged: `TRAINING_COLUMNS`, in the order of steps."""
    rows = records(con, TRAINING, {"runs": list(runs), "metric": metric, "as_of": as_of})
    return frame_of(rows, TRAINING_COLUMNS)


def _rank(metric: str) -> tuple[int, bool, str]:
    last = metric.rpartition("/")[2]
    place = next((at for at, end in enumerate(FIRST) if metric.endswith(f"/{end}") or last == end), len(FIRST))
    return place, metric.startswith(("eval/", "test/")), metric
