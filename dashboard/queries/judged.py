"""What several judges say of the same transcripts: the log's own score, and re-scorings; a row for each sample."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import duckdb
import pandas as pd

from dashboard.queries.found_samples import find
from dashboard.queries.frame import COUNT, TEXT, frame_of
from dashboard.queries.rescorings import LAST, SavedRescoring
from dashboard.queries.sample_filter import SampleFilter
from dashboard.queries.sample_order import order_by
from dashboard.queries.transcript_hash import transcript_hashes
from loaders.store.sql import records

FIRST = "first"
"""Stands for the log's own score where else a judging_id does."""

CURRENT, EARLIER, GONE = "current", "earlier version", "gone"

PLACE_COLUMNS: dict[str, str] = {
    "run": TEXT, "step": COUNT, "step_label": TEXT, "eval": TEXT, "log": TEXT, "sample": TEXT, "epoch": COUNT,
    "cluster": TEXT, "state": TEXT,
}  # fmt: skip
"""Where a sample stands, as of a batch. `state`: current; "earlier version" where a re-scoring judged another
transcript under the same name; gone where the batch holds no such sample. `run` and the like are
missing of what is gone."""

RATER_COLUMNS: dict[str, str] = {"verdict": TEXT, "reason": TEXT, "error": TEXT}
"""Of each rater, named RATER.COLUMN. `verdict`: misaligned or aligned; missing where there is none."""

ITEMS = f"""
WITH last AS ({LAST})
SELECT i.position, i.sample_id, i.eval_key AS log, i.sample_key AS sample, i.epoch, i.transcript_hash,
       l.verdict, l.reason, l.error
FROM seen_judging_items() i LEFT JOIN last l USING (judging_id, position)
WHERE i.judging_id = $judging
ORDER BY i.position
"""  # noqa: S608 - LAST is a constant

NOW = """,
wanted AS (SELECT unnest($logs::VARCHAR[]) AS log, unnest($samples::VARCHAR[]) AS sample,
                  unnest($epochs::BIGINT[]) AS epoch),
page AS (SELECT f.* FROM found f SEMI JOIN wanted w ON f.log = w.log AND f.sample = w.sample AND f.epoch = w.epoch),
details AS ({details})
SELECT p.sample_id, p.run, p.step, p.step_label, p.eval, p.log, p.sample, p.epoch, p.cluster, p.outcome, p.better,
       d.explanation
FROM page p LEFT JOIN details d USING (sample_id) ORDER BY {order}
"""
"""The samples of these names as they are as of a batch, with their outcomes under the definition in use."""

NATURAL = order_by(())


def judged(con: duckdb.DuckDBPyConnection, rescorings: Sequence[SavedRescoring], as_of: int) -> pd.DataFrame:
    """What the log's own score and some re-scorings say of the samples that all of these re-scorings are about.

    The score counts as it does on the Samples page: under the definition that the first re-scoring was selected by.
    What it counts is misaligned, or aligned where more of it is better. An outcome that is a number is no verdict.

    Args:
        con: A cursor that this thread has to itself; what it may not see is not among them.
        rescorings: At least one.
        as_of: Batch.

    Returns:
        `PLACE_COLUMNS`, and `RATER_COLUMNS` of `FIRST` and of each re-scoring's id, in the order of the Samples page;
        what is gone comes last.
    """
    items = [_items(con, rescoring) for rescoring in rescorings]
    names = [name for name in items[0] if all(name in of for of in items[1:])]
    now = _now(con, rescorings[0], names, as_of)
    moved = [
        now[name]["sample_id"]
        for name in names
        if name in now and any(of[name]["sample_id"] != now[name]["sample_id"] for of in items)
    ]
    hashes = transcript_hashes(con, moved) if moved else {}
    rows: list[dict[str, Any]] = []
    for name in [*(name for name in now), *(name for name in names if name not in now)]:
        here, said = now.get(name), [of[name] for of in items]
        row = dict(zip(("log", "sample", "epoch"), name, strict=True)) | {"state": _state(here, said, hashes)}
        if here is not None:
            row |= {column: here[column] for column in ("run", "step", "step_label", "eval", "cluster")}
            row |= {f"{FIRST}.verdict": _first(here), f"{FIRST}.reason": here["explanation"]}
        for rescoring, one in zip(rescorings, said, strict=True):
            row |= {f"{rescoring.judging_id}.{column}": one[column] for column in RATER_COLUMNS}
        rows.append(row)
    raters = [FIRST, *(rescoring.judging_id for rescoring in rescorings)]
    columns = {f"{rater}.{name}": kind for rater in raters for name, kind in RATER_COLUMNS.items()}
    return frame_of(rows, PLACE_COLUMNS | columns)


Name = tuple[str, str, int]


def _items(con: duckdb.DuckDBPyConnection, rescoring: SavedRescoring) -> dict[Name, dict[str, Any]]:
    rows = records(con, ITEMS, {"judging": rescoring.judging_id})
    return {(row["log"], row["sample"], row["epoch"]): row for row in rows}


def _now(
    con: duckdb.DuckDBPyConnection, rescoring: SavedRescoring, names: Sequence[Name], as_of: int
) -> dict[Name, dict[str, Any]]:
    """The samples of these names as they are now; none where nothing of them is there."""
    address: dict[str, list[str]] = json.loads(rescoring.selection)["address"]
    logs = tuple(dict.fromkeys(log for log, _, _ in names))
    evals = tuple(name for name in address.get("eval", []) if name)
    found = find(con, SampleFilter(evals=evals, logs=logs, metric=rescoring.metric), as_of) if names else None
    if found is None:
        return {}
    sql = NOW.format(details=found.details, order=NATURAL)
    parts = [list(part) for part in zip(*names, strict=True)]
    of = dict(zip(("logs", "samples", "epochs"), parts, strict=True))
    return {(r["log"], r["sample"], r["epoch"]): r for r in found.records(con, sql, of)}


def _state(here: dict[str, Any] | None, said: Sequence[dict[str, Any]], hashes: dict[int, str]) -> str:
    if here is None:
        return GONE
    same = all(
        one["sample_id"] == here["sample_id"] or one["transcript_hash"] == hashes[here["sample_id"]] for one in said
    )
    return CURRENT if same else EARLIER


def _first(here: dict[str, Any]) -> str | None:
    if here["outcome"] not in ("misaligned", "aligned"):
        return None
    if here["better"] != "higher":
        return str(here["outcome"])
    return "aligned" if here["outcome"] == "misaligned" else "misaligned"
