"""What the noise of each checkpoint's number is made of: questions, answers, and the judge where it was asked twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from dashboard.queries.frame import AT_COLUMNS, COUNT, NUMBER, TEXT, RateQuery, frame_of
from dashboard.queries.questions import Part, Question, questions
from dashboard.queries.rates import chosen_metrics
from dashboard.queries.rescorings import LAST
from dashboard.queries.scope import scope_of
from dashboard.queries.standing import points_of
from dashboard.statistics import Components, components, judge_variance
from loaders.metrics.definitions import Reported
from loaders.store.sql import records

Row = dict[str, Any]

COMPONENT_COLUMNS: dict[str, str] = AT_COLUMNS | {
    "metric": TEXT, "questions": COUNT, "epochs": NUMBER, "stderr": NUMBER, "of_questions": NUMBER,
    "of_answers": NUMBER, "of_judge": NUMBER, "twice_questions": NUMBER, "twice_epochs": NUMBER,
    "second_judge": NUMBER, "best": TEXT, "reason": TEXT,
}  # fmt: skip
"""Columns of `noise_components`. `of_...` are shares of the variance of the rate or mean, which add up to 1;
`twice_...` and `second_judge` by which share the interval would be shorter (0.29 is 29 %); `best` is what shortens it
most, and of equals what costs least."""

ONE_EPOCH = "one epoch: questions and answers can't be told apart"
TWO_QUESTIONS = "fewer than two questions"
MORE_QUESTIONS, MORE_EPOCHS, ANOTHER_JUDGE = "more questions", "more epochs", "another judge"
LEAST_GAIN = 0.01
"""Of an interval's length: less is no gain."""

JUDGES = f"""
WITH last AS ({LAST})
SELECT i.eval_key AS log, count(l.verdict) AS judges, count_if(l.verdict = 'misaligned') AS positive
FROM seen_judging_items() i JOIN last l USING (judging_id, position)
WHERE i.eval_key IN (SELECT unnest($logs::VARCHAR[]))
GROUP BY i.eval_key, i.sample_key, i.epoch, i.transcript_hash HAVING count(l.verdict) > 1
"""  # noqa: S608 - LAST is a constant
"""Verdicts of re-scorings on each transcript that two or more of them judged."""


def noise_components(con: duckdb.DuckDBPyConnection, query: RateQuery, as_of: int) -> pd.DataFrame:
    """The parts of the noise of every number that is asked for: `COMPONENT_COLUMNS`.

    The judge's part is that of all re-scorings of the logs of an eval together.

    Args:
        con: A cursor of this thread.
        query: Which runs, evals and metrics.
        as_of: Batch.
    """
    scope = scope_of(con, query.evals, as_of)
    repeats = "newest" if query.repeats == "each" else query.repeats
    in_sight = [log for log in scope.logs if not query.runs or log["run"] in query.runs]
    logs = [log for log in points_of(in_sight, repeats) if log["repeat"] == 0]
    found: list[Row] = []
    for name in scope.shown:
        mine = [log for log in logs if log["eval"] == name]
        judge = _judge(con, mine)
        for metric in chosen_metrics(scope.applicable[name], query.metrics) if mine else ():
            if isinstance(metric.source, Reported):
                continue
            answers = questions(con, metric, mine, {name: scope.study.cluster_field(name)}, as_of)
            for log in mine:
                row = {column: log[column] for column in AT_COLUMNS} | {"metric": metric.name}
                answered = answers.get(Part(log["eval_id"]), {})
                found.append(row | _parts(answered, judge if metric.kind == "rate" else float("nan")))
    return frame_of(found, COMPONENT_COLUMNS)


def _judge(con: duckdb.DuckDBPyConnection, logs: Sequence[Row]) -> float:
    rows = records(con, JUDGES, {"logs": [log["eval_key"] for log in logs]})
    return judge_variance([row["judges"] for row in rows], [row["positive"] for row in rows])


def _parts(answered: dict[str, Question], judge: float) -> Row:
    rows = [row for row in answered.values() if row["n"]]
    if len(rows) < 2:
        return {"questions": len(rows), "reason": TWO_QUESTIONS}
    n, totals, squares = ([row[name] for row in rows] for name in ("n", "total", "squares"))
    found = components(n, totals, squares, judge)
    told: Row = {"questions": found.count, "epochs": found.epochs}
    if np.isnan(found.answers):
        stderr = float(np.sqrt(found.questions / found.count))
        return told | {"stderr": stderr, "reason": ONE_EPOCH, "best": MORE_QUESTIONS if stderr > 0 else None}
    whole = found.variance()
    told["stderr"] = float(np.sqrt(whole))
    return told | (_shares(found, whole) if whole > 0.0 else {"reason": "all answers are the same"})


def _shares(found: Components, whole: float) -> Row:
    size = found.count * found.epochs
    judge = 0.0 if np.isnan(found.judge) else found.judge / size / whole
    gains = {
        MORE_QUESTIONS: 1.0 - float(np.sqrt(found.variance(questions=2.0) / whole)),
        MORE_EPOCHS: 1.0 - float(np.sqrt(found.variance(epochs=2.0) / whole)),
        ANOTHER_JUDGE: 1.0 - float(np.sqrt(found.variance(judges=2.0) / whole)),
    }
    # Twice the questions and twice the epochs take as many answers; new questions are never worse. A second judge takes
    # no answers: where it gives as much, it is the cheaper one.
    best = max(gains, key=lambda name: (round(gains[name], 2), name == ANOTHER_JUDGE, name == MORE_EPOCHS))
    return {
        "of_questions": found.questions / found.count / whole,
        "of_answers": found.answers / size / whole,
        "of_judge": None if np.isnan(found.judge) else judge,
        "twice_questions": gains[MORE_QUESTIONS], "twice_epochs": gains[MORE_EPOCHS],
        "second_judge": None if np.isnan(found.judge) else gains[ANOTHER_JUDGE],
        "best": best if gains[best] > LEAST_GAIN else None,
    }  # fmt: skip
