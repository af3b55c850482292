"""Which logs speak for a checkpoint: the facts fetched for `loaders.study.standing`, and its decision written down."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import duckdb
import msgspec

from loaders.store.reconcile import reconcile, rows_of
from loaders.study.settings import RESCORED, SettingFacts, settings_of
from loaders.study.standing import LogFacts, SampleFacts, shared, standings

SETTINGS = (
    "task_args_json", "config_json", "generate_config_json", "model_args_json", "dataset_json", "solver_json",
    "scorers_json", "model_roles_json",
)  # fmt: skip
SETTING_FACTS = ("judge", "task_version", *SETTINGS)

AT_ONCE = 5000
"""So many logs' settings are fetched together."""


def settle_standings(cursor: duckdb.DuckDBPyConnection, batch: int) -> None:
    """Decide anew, as of a batch whose placements are written, which logs and which of their samples speak."""
    settings = _settings_of(cursor, batch)
    logs = [_log_facts(row, *settings[row["eval_id"]]) for row in rows_of(cursor, LOGS, batch)]
    several = shared(logs)
    rows = cursor.execute(ATTEMPTED, [several]).fetchall() if several else []
    samples = [
        SampleFacts(sample_id, eval_id, (key, epoch), uuid, graded, invalidated)
        for sample_id, eval_id, key, epoch, uuid, graded, invalidated in rows
    ]
    found, passed_over = standings(logs, samples)
    of = {sample.sample_id: sample.eval_id for sample in samples}
    over = [{"sample_id": sample_id, "eval_id": of[sample_id]} for sample_id in sorted(passed_over)]
    reconcile(cursor, batch, "standings", [msgspec.structs.asdict(one) for one in found])
    reconcile(cursor, batch, "passed_over", over)


def _settings_of(cursor: duckdb.DuckDBPyConnection, batch: int) -> dict[int, tuple[str, str]]:
    """`_settings` of every log, fetched some at a time: evals of one file repeat those of it, at any length."""
    found: dict[int, tuple[str, str]] = {}
    after = -1
    while True:
        rows = rows_of(cursor, TEXTS, batch, {"after": after, "most": AT_ONCE})
        found |= {row["eval_id"]: _settings(*(row[name] for name in SETTING_FACTS)) for row in rows}
        if len(rows) < AT_ONCE:
            return found
        after = rows[-1]["eval_id"]


def _log_facts(row: dict[str, Any], settings: str, asked: str) -> LogFacts:
    where = (row["run"], row["step"], row["step_label"], row["eval"], row["variant"])
    # A log of which nothing says the step is of a checkpoint of its own: it is beside no other but itself.
    alone = row["step"] is None and row["step_label"] is None
    # A retry keeps the task's id and gets another eval id; logs of old versions have no id of the task.
    # Without one, a copy at the same checkpoint is known by its content.
    own = next((f"{name} {row[name]}" for name in ("task_id", "log_eval_id") if row[name]), None)
    ids = (own or f"content {row['content_hash']} {row['at']}",)
    return LogFacts(
        eval_id=row["eval_id"],
        place=(*where, own or row["eval_id"]) if alone else where,
        ids=ids,
        path=row["path"] or "",
        status=row["status"] or "success",
        complete=bool(row["complete"]),
        created=row["created"],
        completed=row["completed"],
        n_samples=row["n_samples"] or 0,
        n_graded=row["n_graded"],
        n_edits=row["n_edits"],
        n_stated=row["n_samples_reported"],
        n_planned=row["n_planned"],
        n_reported=row["n_reported"],
        judge=row["judge"],
        settings=settings,
        asked=asked,
    )


@lru_cache(maxsize=10_000)
def _settings(judge: str | None, version: str | None, *texts: str | None) -> tuple[str, str]:
    """The settings as text, and those that logs of one evaluation share."""
    names = (name.removesuffix("_json") for name in SETTINGS)
    decoded = {name: json.loads(text) if text else {} for name, text in zip(names, texts, strict=True)}
    found = settings_of(SettingFacts(judge=judge, task_version=version, **decoded))
    asked = {name: value for name, value in found.items() if name not in RESCORED}
    return json.dumps(found, sort_keys=True), json.dumps(asked, sort_keys=True)


LOGS = """
SELECT e.eval_id, l.path, p.run, p.step, p.step_label, p.eval, p.variant, e.task_id, e.log_eval_id, e.status,
       e.complete, e.created, e.completed, e.n_samples, e.n_samples_reported, e.n_planned, e.judge,
       s.content_hash, row_number() OVER (PARTITION BY e.source_id ORDER BY e.eval_id) AS at,
       coalesce(g.n_graded, 0) AS n_graded, coalesce(g.n_edited, 0) + coalesce(v.n_void, 0) AS n_edits, r.n_reported
FROM evals e JOIN live_sources($batch) s USING (source_id) JOIN live_placements($batch) p USING (eval_id)
LEFT JOIN (SELECT source_id, min(path) AS path FROM live_locations($batch) GROUP BY source_id) l USING (source_id)
LEFT JOIN (SELECT eval_id, count(DISTINCT sample_id) FILTER (value_type NOT IN ('missing', 'nan')) AS n_graded,
                  count(history_json) AS n_edited
           FROM live_scores($batch) GROUP BY eval_id) g USING (eval_id)
LEFT JOIN (SELECT eval_id, count(*) AS n_void FROM live_samples($batch) WHERE invalidated GROUP BY eval_id) v
    USING (eval_id)
LEFT JOIN (SELECT eval_id, max(n) AS n_reported FROM live_reported($batch) GROUP BY eval_id) r USING (eval_id)
ORDER BY e.eval_id
"""

TEXTS = f"""
SELECT eval_id, {", ".join(SETTING_FACTS)} FROM evals SEMI JOIN live_sources($batch) s USING (source_id)
WHERE eval_id > $after ORDER BY eval_id LIMIT $most
"""  # noqa: S608 - columns of our own

ATTEMPTED = """
SELECT s.sample_id, s.eval_id, s.sample_key, coalesce(s.epoch, 1), s.uuid,
       (s.error IS NULL OR coalesce(json_extract_string(e.config_json, '$.score_on_error') = 'true', false))
       AND EXISTS (FROM scores c WHERE c.sample_id = s.sample_id AND c.value_type NOT IN ('missing', 'nan')) AS graded,
       coalesce(s.invalidated, false)
FROM samples s JOIN evals e USING (eval_id) WHERE s.eval_id IN (SELECT unnest(?::BIGINT[]))
ORDER BY s.sample_id
"""
