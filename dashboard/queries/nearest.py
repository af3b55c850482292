"""What is nearest to a name that nothing bears (any more): similar names, steps close by, the same question elsewhere.

Nothing of a hidden run is ever suggested: what is read comes from views that hold none, or leaves hidden evals out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import duckdb

from dashboard.queries.rows import checkpoint_name, parse_step, step_of, step_order
from loaders.store.sql import records

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
WITH found AS (
    SELECT e.eval_key AS log, s.sample_key AS sample, min(s.epoch) AS epoch, e.run, e.step, e.step_label,
           coalesce(e.eval, e.task) AS eval
    FROM live_samples($as_of) s JOIN live_evals($as_of) e USING (eval_id)
    WHERE s.sample_key = $sample AND ($eval IS NULL OR coalesce(e.eval, e.task) = $eval)
    GROUP BY ALL
)
FROM found
ORDER BY log = $log DESC, run = $run DESC NULLS LAST, abs(step - $step) NULLS LAST, run, step NULLS LAST, log
LIMIT $most
"""

OTHER_SAMPLES = """
SELECT s.sample_key AS sample, min(s.epoch) AS epoch
FROM live_samples($as_of) s JOIN live_evals($as_of) e USING (eval_id) WHERE e.eval_key = $log
GROUP BY s.sample_key ORDER BY try_cast(s.sample_key AS DOUBLE) NULLS LAST, s.sample_key
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
    place = {name: was[name] if was else None for name in ("eval", "run", "step")}
    wanted = {"log": log, "sample": sample, "as_of": as_of, "most": MOST} | place
    others = {row["sample"]: row for row in records(con, OTHER_SAMPLES, {"log": log, "as_of": as_of})}
    names = [*similar(sample, others), *others]
    return Gone(
        was=was,
        same=records(con, SAME_QUESTION, wanted),
        others=[others[name] for name in list(dict.fromkeys(names))[:MOST]],
    )


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


def near_checkpoints(name: str, rows: Sequence[Mapping[Any, Any]], most: int = MOST) -> list[str]:
    """Checkpoints that a name of none may have meant: other steps of its run, else those of runs with similar names.

    Args:
        name: RUN@STEP, RUN@LABEL or RUN.
        rows: With run, step and step_label: what there is.
        most: How many at most.
    """
    runs: dict[str, dict[int | str, str]] = {}
    alone: dict[str, str] = {}
    for row in rows:
        step = step_of(row)
        if step is None:
            alone[str(row["run"])] = checkpoint_name(row)
        else:
            runs.setdefault(str(row["run"]), {})[step] = checkpoint_name(row)
    run, at, step_text = name.rpartition("@")
    run, step_text = (run, step_text) if at else (name, "")
    found: list[str] = []
    for each in [run] if run in runs or run in alone else similar(run, [*runs, *alone], most):
        steps = runs.get(each, {})
        near = nearest_steps(parse_step(step_text), steps, most) if step_text else sorted(steps, key=step_order)[::-1]
        found += [*([alone[each]] if each in alone else []), *(steps[step] for step in near)]
    return list(dict.fromkeys(found))[:most]
