"""What is nearest to a name that nothing bears (any more): similar names, steps close by, the same question elsewhere.

Nothing of a hidden run is ever suggested: what is read comes from views that hold none, or leaves hidden evals out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from heapq import nsmallest
from typing import Any

import duckdb

from dashboard.queries.known_logs import live_logs
from dashboard.queries.rows import Row, checkpoint_in, parse_step, step_order
from loaders.store.sql import among_logs, records

MOST = 3
"""Names that are suggested for one."""

LONGEST = 300
"""Characters of a name by which it is compared: an address may hold any text."""

LOG_WAS = """
SELECT e.eval_id, e.eval_key, coalesce(p.eval, e.task) AS eval, p.run, p.step, p.step_label, s.batch_from, s.batch_to
FROM seen_evals() e JOIN seen_sources() s USING (source_id) LEFT JOIN seen_placements() p USING (eval_id)
WHERE e.eval_key = $log
ORDER BY s.batch_from DESC, p.batch_from DESC NULLS LAST LIMIT 1
"""
"""Where a log was, in whatever batch."""

SAME_QUESTION = """
SELECT eval_id, min(epoch) AS epoch FROM live_samples($as_of) WHERE sample_key = $sample GROUP BY eval_id
"""

OTHER_SAMPLES = """
SELECT sample_key AS sample, min(epoch) AS epoch FROM {samples} WHERE eval_id IN (SELECT unnest($eval_ids::BIGINT[]))
GROUP BY sample_key ORDER BY try_cast(sample_key AS DOUBLE) NULLS LAST, sample_key
"""


@dataclass(frozen=True)
class Gone:
    """What there is of a transcript that isn't where a link says.

    Attributes:
        was: The log as it was in its last batch: eval, run, step, step_label, batch_from, batch_to; None where no
            batch ever held it.
        same: The same question elsewhere, the nearest first: log, sample, epoch, run, step, step_label, eval.
        others: Other samples of the log, those with similar names first: sample, epoch.
    """

    was: dict[str, Any] | None
    same: list[dict[str, Any]]
    others: list[dict[str, Any]]


def gone(con: duckdb.DuckDBPyConnection, log: str, sample: str, as_of: int) -> Gone:
    """Look for what a link to a transcript may have meant.

    Args:
        con: A cursor that this thread has to itself.
        log: Key of the eval in the link.
        sample: The sample's id in the link.
        as_of: Batch.
    """
    was = next(iter(records(con, LOG_WAS, {"log": log})), None)
    logs = live_logs(con, as_of)
    ids = [row["eval_id"] for row in logs if row["eval_key"] == log]
    among = among_logs("live_samples($as_of)", "$eval_ids", len(ids))
    samples = records(con, OTHER_SAMPLES.format(samples=among), {"eval_ids": ids, "as_of": as_of}) if ids else []
    others = {row["sample"]: row for row in samples}
    names = [*similar(sample, others), *others]
    return Gone(
        was=was,
        same=_same_question(con, log, sample, was or dict.fromkeys(("eval", "run", "step")), logs, as_of),
        others=[others[name] for name in list(dict.fromkeys(names))[:MOST]],
    )


def _same_question(
    con: duckdb.DuckDBPyConnection,
    log: str,
    sample: str,
    was: Mapping[str, Any],
    logs: Sequence[Mapping[str, Any]],
    as_of: int,
) -> list[dict[str, Any]]:
    """Where a question was asked: in the log itself, then in its run, then at steps close by."""
    epochs = dict(con.execute(SAME_QUESTION, {"sample": sample, "as_of": as_of}).fetchall())
    found = [
        {"log": row["eval_key"], "sample": sample, "epoch": epochs[row["eval_id"]]}
        | {name: row[name] for name in ("run", "step", "step_label", "eval")}
        for row in logs
        if row["eval_id"] in epochs and was["eval"] in (None, row["eval"])
    ]

    def distance(row: Mapping[str, Any]) -> tuple[Any, ...]:
        run, step, at = row["run"], row["step"], was["step"]
        apart = None if step is None or at is None else abs(step - at)
        return (
            row["log"] != log, run is None, run != was["run"], apart is None, apart or 0,
            run or "", step is None, step or 0, row["log"],
        )  # fmt: skip

    return nsmallest(MOST, found, key=distance)


def similar(name: str, names: Iterable[str], most: int = MOST) -> list[str]:
    """The names most like one that nothing bears, the most similar first; none where none is like it.

    Args:
        name: What was asked for.
        names: What there is.
        most: How many at most.
    """
    by_fold: dict[str, str] = {}
    for each in names:
        by_fold.setdefault(each.casefold()[:LONGEST], each)
    wanted = name.casefold()[:LONGEST]
    close = get_close_matches(wanted, by_fold, n=most, cutoff=0.5)
    holding = [each for each in by_fold if len(wanted) > 2 and (wanted in each or (len(each) > 2 and each in wanted))]
    return [by_fold[each] for each in list(dict.fromkeys([*close, *holding]))[:most]]


def nearest_steps(step: int | str, steps: Iterable[int | str], most: int = MOST) -> list[int | str]:
    """The steps closest to one that isn't there: by distance; of a label, similar labels, then the latest steps.

    Args:
        step: What was asked for.
        steps: What there is.
        most: How many at most.
    """
    there = sorted(dict.fromkeys(steps), key=step_order)
    if isinstance(step, int):
        near = sorted(there, key=lambda each: (isinstance(each, str), abs(each - step) if isinstance(each, int) else 0))
        return near[:most]
    labels = similar(step, [each for each in there if isinstance(each, str)])
    return list(dict.fromkeys([*labels, *reversed(there)]))[:most]


def near_checkpoints(name: str, rows: Iterable[Row], most: int = MOST) -> list[str]:
    """Checkpoints that a name of none may have meant: other steps of its run, else those of runs with similar names.

    Args:
        name: RUN@STEP, RUN@LABEL or RUN.
        rows: With run, step and step_label: what there is.
        most: How many at most.
    """
    runs: dict[str, dict[int | str, str]] = {}
    alone: dict[str, str] = {}
    for each in map(checkpoint_in, rows):
        if each.at is None:
            alone[each.run] = each.name
        else:
            runs.setdefault(each.run, {})[each.at] = each.name
    run, at, step_text = name.rpartition("@")
    run, step_text = (run, step_text) if at else (name, "")
    found: list[str] = []
    for near_run in [run] if run in runs or run in alone else similar(run, [*runs, *alone], most):
        steps = runs.get(near_run, {})
        near = nearest_steps(parse_step(step_text), steps, most) if step_text else sorted(steps, key=step_order)[::-1]
        found += [*([alone[near_run]] if near_run in alone else []), *(steps[step] for step in near)]
    return list(dict.fromkeys(found))[:most]
