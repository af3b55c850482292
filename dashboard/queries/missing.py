"""The checkpoints of a run that an eval has no results of, and how that eval was run elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
from msgspec import Struct, field

from dashboard.queries.checkpoints import place_of
from dashboard.queries.servable import Servable, servable
from loaders.errors import DriftlineError
from loaders.store.sql import records

RESULTS = """
SELECT DISTINCT run, step, CASE WHEN step IS NULL THEN step_label END AS step_label FROM live_evals($as_of)
WHERE run = $run AND eval = $eval AND complete AND status = 'success' AND n_samples > 0
"""

EXAMPLE = """
SELECT task, task_file, model, epochs, task_args_json, model_roles_json, config_json, generate_config_json, path
FROM live_evals($as_of) WHERE eval = $eval AND format = 'inspect' AND status = 'success'
ORDER BY run IS NOT DISTINCT FROM $run DESC, created DESC NULLS LAST, path LIMIT 1
"""

EVALS = """
SELECT DISTINCT eval FROM live_evals($as_of) WHERE NOT EXISTS (FROM live_evals($as_of) WHERE eval = $eval) ORDER BY eval
"""

ROOT = """
SELECT coalesce(
    (SELECT min(root) FROM live_evals($as_of) WHERE run = $run),
    (SELECT max(root) FROM live_locations($as_of) WHERE list_contains($above, root)),
    (SELECT min(root) FROM live_locations($as_of))
) AS root
"""
"""Where a run's logs lie; of one without any its checkpoints, and the innermost folder around them."""


class Example(Struct, kw_only=True):
    """How an eval was run: the settings of its newest Inspect log, of the same run where there is one.

    Attributes:
        task: As the log names it; with the file before it where that is no package's.
        path: The log.
    """

    task: str
    path: str
    task_args: dict[str, Any] = field(default_factory=dict)
    model_roles: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    generate_config: dict[str, Any] = field(default_factory=dict)


class Missing(Struct, kw_only=True):
    """What is to be run.

    Attributes:
        root: The folder that was ingested.
        checkpoints: Those without results, in order; each with where its weights lie.
        evaluated: How many of the run's have results.
        example: None where the eval was never run with Inspect.
    """

    run: str
    eval: str
    root: str | None
    checkpoints: list[Servable]
    evaluated: int
    example: Example | None = None
    evals: list[str] = field(default_factory=list)
    """The evals that there are, where the one that was named is none of them."""


def missing(con: duckdb.DuckDBPyConnection, run: str, eval: str, as_of: int) -> Missing:
    """The checkpoints of a run without a finished log of an eval.

    Args:
        con: A cursor that this thread has to itself.
        run: A run.
        eval: The name of an eval, or a task that was never run.
        as_of: Batch.

    Raises:
        DriftlineError: There is no such run, or no checkpoint of it is known.
    """
    known = servable(con, as_of)
    of = sorted((one for one in known if one.run == run), key=place_of)
    if not of:
        there = ", ".join(dict.fromkeys(one.run for one in known)) or "none"
        raise DriftlineError(f"{run}: no checkpoint of such a run is known (allowed: {there}).")
    values = {"as_of": as_of, "run": run, "eval": eval}
    done = {(row["step"], row["step_label"]) for row in records(con, RESULTS, values)}
    without = [one for one in of if (one.step, one.identity.step_label) not in done]
    found = records(con, EXAMPLE, values)
    folders = [Path(told) for one in of for told in (one.folder, one.adapter) if told]
    above = sorted({str(parent) for folder in folders for parent in folder.parents})
    root = records(con, ROOT, {"as_of": as_of, "run": run, "above": above})
    return Missing(
        run=run,
        eval=eval,
        root=root[0]["root"] if root else None,
        checkpoints=without,
        evaluated=len(of) - len(without),
        example=_example(found[0]) if found else None,
        evals=[] if found else [row["eval"] for row in records(con, EVALS, {"as_of": as_of, "eval": eval})],
    )


def _example(row: dict[str, Any]) -> Example:
    task, file = row["task"], row["task_file"]
    # A package's task is found by its name, from wherever; one in a file by both.
    named = task if not file or "/" in task else f"{file}@{task}"
    parts = {name: _object(row[f"{name}_json"]) for name in ("task_args", "model_roles", "config", "generate_config")}
    if row["epochs"] is not None:
        parts["config"]["epochs"] = row["epochs"]
    return Example(task=named, path=row["path"], **parts)


def _object(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
