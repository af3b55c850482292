"""Runs that differ by their seed alone, as one line: its mean over seeds, for another seed and other questions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from dashboard.queries.catalogue import run_rows
from dashboard.queries.frame import COUNT, LIST, NUMBER, TEXT, RateQuery, frame_of
from dashboard.queries.questions import Part, Question, questions
from dashboard.queries.rates import chosen_metrics
from dashboard.queries.scope import scope_of
from dashboard.queries.standing import points_of
from dashboard.statistics import Replicates, replicate_mean
from loaders.metrics.definitions import Metric, Reported
from loaders.study.naming import seed_of, without_seed

Row = dict[str, Any]

REPLICATE_COLUMNS: dict[str, str] = {
    "line": TEXT, "runs": LIST, "seeds": LIST, "eval": TEXT, "metric": TEXT, "kind": TEXT, "variant": TEXT,
    "step": COUNT, "replicates": COUNT, "questions": COUNT, "rates": LIST, "mean": NUMBER, "low": NUMBER,
    "high": NUMBER, "between_seeds": NUMBER, "reason": TEXT,
}  # fmt: skip
"""Columns of `replicates`: a row for each line, eval, metric and step that two seeds or more have. `rates` are the
seeds' own over the `questions` that all of them answered, `between_seeds` the standard deviation of a seed's true rate;
`reason` says why there is no interval."""

NO_QUESTIONS = "the seeds have no two questions in common"
ALL_ALIKE = "every answer is the same at every seed: nothing tells what another seed would do"


def lines_of(runs: Sequence[Row]) -> dict[tuple[Any, ...], list[Row]]:
    """Runs by all that they are but their seed: name, mix, stage, base, parent, section. Those without a seed are out.

    Args:
        runs: From `run_rows`.
    """
    found: dict[tuple[Any, ...], list[Row]] = {}
    for run in runs:
        seed = run["seed"] if run["seed"] is not None else seed_of(run["run"])
        if seed is None:
            continue
        parent = run["parent_run"]
        mix = run["mix"] and without_seed(run["mix"], seed)
        key = (
            without_seed(run["run"], seed), mix, json.dumps(run["mix_components"], default=str), run["stage"],
            run["base_model"], parent and without_seed(parent, seed), run["parent_step"], run["section"],
        )  # fmt: skip
        found.setdefault(key, []).append(run | {"seed": seed})
    return {key: of for key, of in found.items() if len({run["seed"] for run in of}) > 1}


def replicates(con: duckdb.DuckDBPyConnection, query: RateQuery, as_of: int) -> pd.DataFrame:
    """The mean over seeds of every line with replicates: `REPLICATE_COLUMNS`.

    Args:
        con: A cursor of this thread.
        query: Which runs, evals and metrics; a line is of the runs among these.
        as_of: Batch.
    """
    lines = lines_of([run for run in run_rows(con, as_of) if not query.runs or run["run"] in query.runs])
    if not lines:
        return frame_of([], REPLICATE_COLUMNS)
    line_of = {run["run"]: (key, run["seed"]) for key, of in lines.items() for run in of}
    scope = scope_of(con, query.evals, as_of)
    repeats = "newest" if query.repeats == "each" else query.repeats
    logs = [
        log
        for log in points_of(scope.logs, repeats)
        if log["run"] in line_of and log["step"] is not None and log["repeat"] == 0
    ]
    found: list[Row] = []
    for name in scope.shown:
        for metric in chosen_metrics(scope.applicable[name], query.metrics):
            mine = [log for log in logs if log["eval"] == name]
            if mine and not isinstance(metric.source, Reported):
                answers = questions(con, metric, mine, {name: scope.study.cluster_field(name)}, as_of)
                found += _rows(metric, mine, answers, line_of, query.level)
    return frame_of(found, REPLICATE_COLUMNS)


def _rows(
    metric: Metric,
    logs: Sequence[Row],
    answers: dict[Part, dict[str, Question]],
    line_of: dict[str, tuple[tuple[Any, ...], int]],
    level: float,
) -> list[Row]:
    points: dict[tuple[Any, ...], dict[int, tuple[str, dict[str, Question]]]] = {}
    for log in logs:
        key, seed = line_of[log["run"]]
        answered = answers.get(Part(log["eval_id"]), {})
        points.setdefault((key, log["variant"], log["step"]), {})[seed] = (log["run"], answered)
    found = []
    for (key, variant, step), by_seed in sorted(points.items(), key=lambda item: (str(item[0][:2]), item[0][2])):
        if len(by_seed) < 2:
            continue
        seeds = sorted(by_seed)
        row: Row = {
            "line": key[0], "runs": [by_seed[seed][0] for seed in seeds], "seeds": seeds, "eval": logs[0]["eval"],
            "metric": metric.name, "kind": metric.kind, "variant": variant, "step": step, "replicates": len(seeds),
        }  # fmt: skip
        table = _means([by_seed[seed][1] for seed in seeds])
        row |= _told(replicate_mean(table, level, rate=metric.kind == "rate"), table) if table.size else {}
        found.append(row | ({} if table.size and table.shape[1] > 1 else {"reason": NO_QUESTIONS}))
    return found


def _means(answered: Sequence[dict[str, Question]]) -> np.ndarray[Any, Any]:
    """Means by seed and cluster, over the questions that all seeds answered."""
    common = [name for name in answered[0] if all(name in of and of[name]["n"] for of in answered)]
    clusters = list(dict.fromkeys(answered[0][name]["cluster"] for name in common))
    table = np.zeros((len(answered), len(clusters)))
    for row, of in enumerate(answered):
        for column, cluster in enumerate(clusters):
            means = [of[name]["total"] / of[name]["n"] for name in common if answered[0][name]["cluster"] == cluster]
            table[row, column] = np.mean(means)
    return table


def _told(found: Replicates, table: np.ndarray[Any, Any]) -> Row:
    alike = bool(np.isnan(found.low)) and found.questions > 1
    return {
        "questions": found.questions, "rates": table.mean(axis=1).tolist(), "mean": float(found.estimate),
        "low": float(found.low), "high": float(found.high), "between_seeds": float(np.sqrt(found.between_seeds)),
        "reason": ALL_ALIKE if alike else None,
    }  # fmt: skip
