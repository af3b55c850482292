"""What there is: runs, evals and their metrics, and the grid of what each run has and lacks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import duckdb
import pandas as pd

from dashboard.queries.frame import COUNT, FLAG, LIST, NUMBER, TEXT, frame_of
from dashboard.queries.known_logs import known_logs
from dashboard.queries.scope import DEFAULT, scope_of
from dashboard.queries.sections import name_sections
from loaders.metrics.definitions import Metric
from loaders.store.sql import records

RUN_COLUMNS: dict[str, str] = {
    "run": TEXT, "run_label": TEXT, "base_model": TEXT, "parent_run": TEXT, "parent_step": COUNT, "stage": TEXT,
    "mix": TEXT, "mix_components": LIST, "mix_tokens": NUMBER, "seed": COUNT, "colour": TEXT, "links": LIST,
    "notes": TEXT, "card": TEXT, "lineage_offset": COUNT, "position": COUNT, "placed": FLAG, "logs": COUNT,
    "samples": COUNT, "evals": COUNT, "checkpoints": COUNT, "first_step": COUNT, "last_step": COUNT, "section": TEXT,
}  # fmt: skip
"""Columns of `runs`. `mix_components` is a list of {name, kind, tokens, share} of which all but the name may be None,
`links` a dict of name to address (either may be None); `checkpoints` counts steps and labels known from logs, trainers
or cards; `placed` is False for a log that stands alone. `section` is missing where all runs are of one
(`dashboard.queries.sections`)."""

RUNS = """
WITH logs AS MATERIALIZED (
    SELECT run, step, step_label, eval, n_samples, placed, mix, stage, root,
           regexp_replace(path, '/?[^/]*$', '') AS folder
    FROM live_evals($as_of)
),
points AS (
    SELECT run, step, step_label FROM live_checkpoints($as_of) UNION SELECT run, step, step_label FROM logs
),
of_points AS (
    SELECT run, count(*) AS checkpoints, min(step) AS first_step, max(step) AS last_step FROM points GROUP BY run
),
of_logs AS (
    SELECT run, count(*) AS logs, sum(coalesce(n_samples, 0))::BIGINT AS samples, count(DISTINCT eval) AS evals,
           bool_or(placed) AS placed, mode(mix) AS log_mix, mode(stage) AS log_stage,
           list(DISTINCT [root, folder]) FILTER (root IS NOT NULL) AS folders
    FROM logs GROUP BY run
)
SELECT p.run, r.label AS run_label, r.base_model, r.parent_run, r.parent_step, coalesce(r.stage, l.log_stage) AS stage,
       coalesce(r.mix, l.log_mix) AS mix, r.mix_json, r.mix_tokens, r.seed, r.colour, r.links_json, r.notes, r.card,
       r.lineage_offset, r.position, coalesce(l.placed, true) AS placed, coalesce(l.logs, 0) AS logs,
       coalesce(l.samples, 0) AS samples, coalesce(l.evals, 0) AS evals, coalesce(o.checkpoints, 0) AS checkpoints,
       o.first_step, o.last_step, r.section, l.folders
FROM (SELECT run FROM live_run_places($as_of) UNION SELECT run FROM points) p
LEFT JOIN live_runs($as_of) r USING (run) LEFT JOIN of_points o USING (run) LEFT JOIN of_logs l USING (run)
WHERE p.run IS NOT NULL
ORDER BY r.position NULLS LAST, p.run
"""

COVERAGE_COLUMNS: dict[str, str] = {
    "run": TEXT, "run_label": TEXT, "mix": TEXT, "stage": TEXT, "step": COUNT, "step_label": TEXT, "tokens": NUMBER,
    "eval": TEXT, "variant": TEXT, "logs": COUNT, "complete_logs": COUNT, "samples": COUNT, "placed": FLAG,
}  # fmt: skip
"""Columns of `coverage`. `eval` is missing, and `logs` 0, for a checkpoint that was never evaluated; `complete_logs`
counts those that were finished with success."""

COVERAGE = """
WITH evaluated AS (
    SELECT run, any_value(run_label) AS run_label, min(run_position) AS run_position, any_value(mix) AS mix,
           any_value(stage) AS stage, step, step_label, max(tokens) AS tokens, eval, variant, count(*) AS logs,
           count_if(complete AND status = 'success') AS complete_logs,
           sum(coalesce(n_samples, 0))::BIGINT AS samples, bool_and(placed) AS placed
    FROM live_evals($as_of) GROUP BY run, step, step_label, eval, variant
),
waiting AS (
    SELECT c.run, r.label AS run_label, r.position AS run_position, r.mix, r.stage, c.step, c.step_label,
           max(c.tokens) AS tokens, NULL AS eval, NULL AS variant, 0 AS logs, 0 AS complete_logs, 0 AS samples,
           true AS placed
    FROM live_checkpoints($as_of) c LEFT JOIN live_run_places($as_of) r USING (run)
    WHERE NOT EXISTS (FROM evaluated e WHERE e.run = c.run AND e.step IS NOT DISTINCT FROM c.step
                      AND (c.step IS NOT NULL OR e.step_label IS NOT DISTINCT FROM c.step_label))
    GROUP BY ALL
)
FROM evaluated UNION ALL BY NAME FROM waiting
ORDER BY run_position NULLS LAST, run, step NULLS LAST, step_label, eval, variant
"""

STUDY_FILES = "SELECT DISTINCT root, path FROM live_cards($as_of) WHERE kind <> 'run card'"

EVAL_COLUMNS: dict[str, str] = {
    "eval": TEXT, "title": TEXT, "group": FLAG, "members": LIST, "tasks": LIST, "runs": COUNT, "logs": COUNT,
    "samples": COUNT, "default_metric": TEXT, "cluster": TEXT, "measured": COUNT,
}  # fmt: skip
"""Columns of `evals`. Groups are rows too: `members` are the evals that there are, `logs` and `samples` theirs.
`measured` counts the logs that hold what the default metric is made of: 0 where there is no number to show."""

METRIC_COLUMNS: dict[str, str] = {
    "eval": TEXT, "metric": TEXT, "title": TEXT, "default": FLAG, "kind": TEXT, "better": TEXT, "unit": TEXT,
    "definition": TEXT, "origin": TEXT,
}  # fmt: skip
"""Columns of `metrics_for`, the default of each eval first. `origin` is a study file, "built-in" or "automatic"."""

STUDIES = """
SELECT body, origin, names_hidden(json_extract_string(body, '$.name')) AS name,
       names_hidden(json_extract_string(body, '$.title')) AS title,
       names_hidden(json_extract_string(body, '$.notes')) AS notes,
       names_hidden(json_extract_string(body, '$.simulated')) AS simulated
FROM live_study($as_of) WHERE kind = 'study' ORDER BY position
"""


def runs(con: duckdb.DuckDBPyConnection, as_of: int) -> pd.DataFrame:
    """Every run that a card, a checkpoint or a log speaks of, in the study's order: `RUN_COLUMNS`."""
    return frame_of(run_rows(con, as_of), RUN_COLUMNS)


def run_rows(con: duckdb.DuckDBPyConnection, as_of: int) -> list[dict[str, Any]]:
    """The rows of `runs`, in the same order; what is absent from one is None. All get the same: nobody changes them."""
    return known_logs(con, as_of).runs(lambda: _find_runs(con, as_of))


def _find_runs(con: duckdb.DuckDBPyConnection, as_of: int) -> list[dict[str, Any]]:
    rows = records(con, RUNS, {"as_of": as_of})
    files = records(con, STUDY_FILES, {"as_of": as_of})
    studies = {(file["root"], str(PurePosixPath(file["path"]).parent).removeprefix(".")) for file in files}
    sections = name_sections(rows, studies)
    for row in rows:
        row["section"] = sections[row["run"]]
        del row["folders"]
        row["run_label"] = row["run_label"] or row["run"]
        row["mix_components"] = (json.loads(row.pop("mix_json") or "null") or {}).get("components") or None
        row["links"] = json.loads(row.pop("links_json") or "null")
    return rows


REPEATED = """
SELECT 1 FROM live_evals($as_of) WHERE role = 'speaks' AND (step IS NOT NULL OR step_label IS NOT NULL)
GROUP BY run, step, step_label, eval, variant, settings HAVING count(*) > 1 LIMIT 1
"""


def has_repeats(con: duckdb.DuckDBPyConnection, as_of: int) -> bool:
    """Whether any checkpoint was evaluated more than once on the same eval with the same settings."""
    return bool(records(con, REPEATED, {"as_of": as_of}))


def coverage(con: duckdb.DuckDBPyConnection, as_of: int) -> pd.DataFrame:
    """What was evaluated at which checkpoint, and which checkpoints wait for an eval: `COVERAGE_COLUMNS`."""
    return frame_of(records(con, COVERAGE, {"as_of": as_of}), COVERAGE_COLUMNS)


def evals(con: duckdb.DuckDBPyConnection, as_of: int) -> pd.DataFrame:
    """Every eval by name, and every group of which there is a member: `EVAL_COLUMNS`."""
    scope = scope_of(con, (), as_of)
    study = scope.study
    by_name: dict[str, list[dict[str, Any]]] = {}
    for log in scope.logs:
        by_name.setdefault(log["eval"], []).append(log)

    def row(
        name: str, of: list[dict[str, Any]], metric: str | None, members: list[str] | None = None
    ) -> dict[str, Any]:
        return {
            "eval": name,
            "title": study.title(name),
            "group": members is not None,
            "members": members or [],
            "tasks": sorted({log["task"] for log in of}),
            "runs": len({log["run"] for log in of}),
            "logs": len(of),
            "samples": sum(log["n_samples"] for log in of),
            "default_metric": metric,
            "cluster": study.cluster_field(name) or "question",
            "measured": sum(scope.measured.get(each, 0) for each in ([name] if members is None else members)),
        }

    rows = [row(name, of, next((m.name for m in scope.applicable[name]), None)) for name, of in by_name.items()]
    for group in scope.groups:
        members = group.members(list(by_name))
        if members:
            of = [log for name in members for log in by_name[name]]
            rows.append(row(group.name, of, scope.group_metric(group), members))
    place = {name: i for i, name in enumerate(study.titles or {})}
    rows.sort(key=lambda r: (place.get(r["eval"], len(place)), r["eval"]))
    return frame_of(rows, EVAL_COLUMNS)


def metrics_for(con: duckdb.DuckDBPyConnection, evals: Sequence[str], as_of: int) -> pd.DataFrame:
    """Every metric that applies to some evals or groups (to all of them where none is named): `METRIC_COLUMNS`."""
    scope = scope_of(con, evals, as_of)
    rows = [
        _metric_row(name, metric, number == 0)
        for name in scope.shown
        for number, metric in enumerate(scope.applicable[name])
    ]
    for group in scope.groups:
        metrics = [metric for _, metric in scope.members(group)]
        if metrics:
            row = _metric_row(group.name, metrics[0], True) | {"metric": scope.group_metric(group)}
            if row["metric"] == DEFAULT:
                row["title"] = "Each eval's default"
            texts = dict.fromkeys(metric.text for metric in metrics)
            rows.append(row | {"definition": f"mean of {group.title}: " + "; ".join(texts)})
    return frame_of(rows, METRIC_COLUMNS)


def studies(con: duckdb.DuckDBPyConnection, as_of: int) -> list[dict[str, Any]]:
    """What study files say of themselves: name, title, notes, simulated (bool, or the notice's text), origin."""
    rows = records(con, STUDIES, {"as_of": as_of})
    # What names a run that may not be seen is left out; that a study is simulated is said in other words then.
    instead = {"name": None, "title": None, "notes": None, "simulated": True}
    return [
        json.loads(row["body"])
        | {"origin": row["origin"]}
        | {name: text for name, text in instead.items() if row[name]}
        for row in rows
    ]


def _metric_row(name: str, metric: Metric, default: bool) -> dict[str, Any]:
    return {
        "eval": name,
        "metric": metric.name,
        "title": metric.title,
        "default": default,
        "kind": metric.kind,
        "better": metric.better,
        "unit": metric.unit,
        "definition": metric.text,
        "origin": metric.origin,
    }


KNOWN = """
SELECT run, step, step_label, any_value(path) AS path, any_value(base_model) AS base_model FROM (
    SELECT run, step, step_label, path, base_model FROM live_checkpoints($as_of)
    UNION ALL SELECT run, step, step_label, NULL, NULL FROM live_evals($as_of)
) WHERE run IS NOT NULL GROUP BY ALL ORDER BY run, step NULLS LAST, step_label
"""


def known_checkpoints(con: duckdb.DuckDBPyConnection, as_of: int) -> list[dict[str, Any]]:
    """Every checkpoint that logs, trainers or cards tell of: run, step, step_label, path of its folder, base_model."""
    return records(con, KNOWN, {"as_of": as_of})
