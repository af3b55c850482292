"""The logs of a batch as a reader may see them, and what they hold and are of: found out once, for every page.

As of a finished batch nothing ever changes, but what is hidden: an eval that is placed in a private run later is hidden
in earlier batches too. `MOMENT` holds all that decides it, and is asked anew each time, of the reader's own cursor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

import duckdb

from dashboard.queries.standing import with_variants
from loaders.metrics.applicable import contents_of, logs_with, metrics_of
from loaders.metrics.definitions import Metric, Study, read_study
from loaders.store.lending import memory_of
from loaders.store.sql import records

Row = dict[str, Any]

EVALS = """
SELECT eval_id, eval_key, coalesce(eval, task) AS eval, variant, variant AS stated_variant, run, step, step_label,
       tokens, mix, stage,
       coalesce(placed, false) AS placed, batch, run_label, colour, run_position, lineage_offset + step AS lineage_step,
       path, created, status, complete, task, task_version, judge, epochs,
       coalesce(target_model, model) AS model, coalesce(n_samples, 0) AS n_samples,
       generate_config_json, dataset_json, lead_id, role, standing, partial, graded, planned, settings,
       coalesce(json_extract_string(config_json, '$.score_on_error') = 'true', false) AS score_on_error,
       row_number() OVER (ORDER BY run_position NULLS LAST, run NULLS LAST, step NULLS LAST, step_label NULLS LAST,
                          coalesce(eval, task) NULLS LAST, eval_id) AS log_place
FROM live_evals($as_of)
ORDER BY run_position, run, eval, step, eval_id
"""
"""`log_place` is a log's place in the order in which samples stand where no other is asked for: one number is sorted
sooner than six columns."""

MOMENT = """
SELECT b.batch, b.started_at, b.finished_at, getvariable('hidden_runs') AS patterns,
       getvariable('hidden_digest') AS hidden
FROM seen_batches() b WHERE b.batch = $as_of AND b.finished_at IS NOT NULL
"""
"""All that decides what the logs and runs of a batch are to a reader. No row of a batch that is not finished,
or forgotten."""

SHARED = (
    "eval", "run", "step_label", "mix", "stage", "run_label", "colour", "status", "task", "task_version", "judge",
    "model", "generate_config_json", "dataset_json", "role", "standing", "settings",
)  # fmt: skip
"""Columns in which logs mostly have the same few texts: kept once, not once a log."""


class KnownLogs:
    """The logs of a batch and what was made of them, each when it is first asked for.

    All who ask get the same rows, and must leave them as they are.
    """

    def __init__(self, as_of: int) -> None:
        self._as_of = as_of
        self._lock = threading.RLock()
        self._study: Study | None = None
        self._all: list[Row] | None = None
        self._by_eval: dict[str, list[Row]] = {}
        self._of_splits: dict[tuple[str, ...], dict[str, list[Row]]] = {}
        self._measures: dict[str, tuple[list[Metric], int]] = {}
        self._runs: list[Row] | None = None

    def __len__(self) -> int:
        return len(self._all or ()) * (1 + len(self._of_splits)) + len(self._runs or ())

    def study(self, con: duckdb.DuckDBPyConnection) -> Study:
        """The study in force."""
        with self._lock:
            if self._study is None:
                self._study = read_study(con, self._as_of)
            return self._study

    def logs(self, con: duckdb.DuckDBPyConnection) -> list[Row]:
        """Every log, with its place and settings: the columns of `EVALS`."""
        with self._lock:
            if self._all is None:
                texts: dict[str, str] = {}
                self._all = records(con, EVALS, {"as_of": self._as_of})
                for log in self._all:
                    for name in SHARED:
                        if log[name] is not None:
                            log[name] = texts.setdefault(log[name], log[name])
                    self._by_eval.setdefault(log["eval"], []).append(log)
            return self._all

    def runs(self, find: Callable[[], list[Row]]) -> list[Row]:
        """Every run (`dashboard.queries.catalogue.run_rows`).

        Args:
            find: Finds them out, for the reader whose logs these are.
        """
        with self._lock:
            if self._runs is None:
                self._runs = find()
            return self._runs

    def names(self, con: duckdb.DuckDBPyConnection) -> list[str]:
        """Every eval's name."""
        self.logs(con)
        return list(self._by_eval)

    def with_variants(
        self, con: duckdb.DuckDBPyConnection, names: Collection[str] | None = None, splits: Sequence[str] = ()
    ) -> list[Row]:
        """The logs with what makes each another measurement (`dashboard.queries.standing.with_variants`).

        Args:
            con: A cursor of this thread, of the reader.
            names: Of the evals that are wanted; None for all.
            splits: As there.
        """
        with self._lock:
            logs = self.logs(con)
            known = self._of_splits.setdefault(tuple(splits), {})
            wanted = [name for name in self._by_eval if names is None or name in names]
            for name in wanted:
                if name not in known:
                    known[name] = with_variants(self._by_eval[name], splits)
            if len(wanted) == 1:
                return list(known[wanted[0]])
            # In the order of all logs.
            following = {name: iter(known[name]) for name in wanted}
            return [next(following[log["eval"]]) for log in logs if log["eval"] in following]

    def measures(self, con: duckdb.DuckDBPyConnection, names: Collection[str]) -> dict[str, tuple[list[Metric], int]]:
        """The metrics that apply to evals, by name, the default first; and how many logs hold what that is made of."""
        with self._lock:
            self.logs(con)
            new = [name for name in names if name in self._by_eval and name not in self._measures]
            if new:
                # What applies is told by every log of an eval's name, not only by those that a filter leaves.
                contents = contents_of(con, [log for name in new for log in self._by_eval[name]], self._as_of)
                for name, held in contents.items():
                    metrics = metrics_of(self.study(con), name, held)
                    self._measures[name] = metrics, logs_with(metrics[0], held) if metrics else 0
            return {name: self._measures[name] for name in names if name in self._measures}


def known_logs(con: duckdb.DuckDBPyConnection, as_of: int) -> KnownLogs:
    """What is known of the logs of a batch, for the reader whose cursor this is.

    Args:
        con: A cursor of this thread.
        as_of: Batch.
    """
    moment = con.execute(MOMENT, {"as_of": as_of}).fetchone()
    if moment is None:
        return KnownLogs(as_of)
    return memory_of(con).keep(("logs", *map(str, moment)), lambda: KnownLogs(as_of))


def live_logs(con: duckdb.DuckDBPyConnection, as_of: int) -> list[Row]:
    """Every log as of a batch: the columns of `EVALS`. The rows are everybody's."""
    return known_logs(con, as_of).logs(con)
