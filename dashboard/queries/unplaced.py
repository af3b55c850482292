"""Logs of which nothing says run or step: what they say of themselves, and where a study file would put them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import msgspec
import pandas as pd

from dashboard.queries.frame import COUNT, LIST, TEXT, TIME, frame_of
from loaders.placings import eval_evidence
from loaders.shelf import CardShelf
from loaders.store.sql import records
from loaders.study.definitions import StudyFile
from loaders.study.evidence import Placement
from loaders.study.placement import place

UNPLACED_COLUMNS: dict[str, str] = {
    "path": TEXT, "root": TEXT, "eval": TEXT, "model": TEXT, "created": TIME, "samples": COUNT, "status": TEXT,
    "said": LIST,
}  # fmt: skip
"""Columns of `unplaced`, a row for each file. `said` is a dict of what the log tells of itself: its metadata and
arguments."""

UNPLACED = """
SELECT path, root, eval, model, created, n_samples AS samples, status, metadata_json, tags_json, task_args_json,
       model_args_json
FROM live_evals($as_of) WHERE NOT placed ORDER BY root, path, eval_id
"""

EVIDENCE = """
SELECT eval_id, path, task, task_display, model, target_model, metadata_json, tags_json, task_args_json,
       model_args_json, generate_config_json, model_roles_json, stated_run, stated_step, stated_mix, stated_stage,
       stated_variant, stated_rule
FROM live_evals($as_of) WHERE root = $root AND list_contains($paths::VARCHAR[], path) ORDER BY path, eval_id
"""

NAMES = """
SELECT DISTINCT run, mix FROM live_evals($as_of) WHERE placed
UNION SELECT run, mix FROM live_runs($as_of)
WHERE run NOT IN (SELECT run FROM live_evals($as_of) WHERE NOT placed)
"""

SAID = ("metadata", "tags", "task_args", "model_args")


def unplaced(con: duckdb.DuckDBPyConnection, as_of: int) -> pd.DataFrame:
    """The files of which some log has no run or step: `UNPLACED_COLUMNS`; of several evals, their names joined.

    Args:
        con: A connection or cursor that this thread has to itself.
        as_of: The store as of the end of this batch.
    """
    files: dict[tuple[str, str], dict[str, Any]] = {}
    for row in records(con, UNPLACED, {"as_of": as_of}):
        said = _said(row)
        first = files.setdefault((row["root"], row["path"]), {**row, "said": said, "eval": []})
        if row["eval"] not in first["eval"]:
            first["eval"].append(row["eval"])
    return frame_of([{**row, "eval": ", ".join(row["eval"])} for row in files.values()], UNPLACED_COLUMNS)


def known_names(con: duckdb.DuckDBPyConnection, as_of: int) -> tuple[list[str], list[str]]:
    """The names of the runs and of the mixes that there are."""
    rows = con.execute(NAMES, {"as_of": as_of}).fetchall()
    runs, mixes = ({row[at] for row in rows if row[at]} for at in (0, 1))
    return sorted(runs), sorted(mixes)


def placed_as(
    con: duckdb.DuckDBPyConnection, as_of: int, root: str, paths: Sequence[str], at: str, study: StudyFile
) -> list[tuple[str, Placement]]:
    """Where logs belong with another study file, by the code that an ingest places them with: path and place of each.

    Args:
        con, as_of: As for `unplaced`.
        root: The folder that they lie in.
        paths: Of the logs, relative to it.
        at: Where the study file lies, relative to it.
        study: What it says.
    """
    tree = CardShelf.load(con, as_of).tree(root).with_study(at, study)
    rows = records(con, EVIDENCE, {"as_of": as_of, "root": root, "paths": list(paths)})
    return [(row["path"], place(eval_evidence(row), tree)) for row in rows]


def flat(said: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What a log says of itself, as names and values."""
    for name, value in said.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", _short(item)) for key, item in value.items())
        else:
            yield name, _short(value)


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name in SAID:
        text = row[f"{name}_json"]
        value = msgspec.json.decode(text) if text else None
        if value:
            found[name] = value
    return found


def _short(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
