"""Settings of logs side by side, and what makes two of them incomparable."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from dashboard.queries.flags import facets_of, shown
from dashboard.queries.matches import Match, Measured
from loaders.store.sql import records
from loaders.study.keys import CHECKPOINT_KEYS, MIX_KEYS, RUN_KEYS, STAGE_KEYS, STEP_KEYS, VARIANT_KEYS

TASK_ARGS = """
SELECT eval_id, task_args_json FROM live_evals($as_of) WHERE eval_id IN (SELECT unnest($eval_ids::BIGINT[]))
"""

OF_CHECKPOINT = STEP_KEYS | CHECKPOINT_KEYS | RUN_KEYS | MIX_KEYS | STAGE_KEYS | VARIANT_KEYS
"""Task args that say which checkpoint this is: they differ because the checkpoints do."""

Row = dict[str, Any]


def settings_of(con: duckdb.DuckDBPyConnection, rows: Sequence[Row], as_of: int) -> dict[int, dict[str, str]]:
    """The settings of each log for people, by eval id: judge, task version, epochs, sampling, task args.

    Args:
        con: A cursor of this thread.
        rows: Rows of measured logs.
        as_of: Batch.
    """
    args = records(con, TASK_ARGS, {"as_of": as_of, "eval_ids": [row["eval_id"] for row in rows]})
    by_log = {row["eval_id"]: json.loads(row["task_args_json"] or "{}") for row in args}
    found = {}
    for row in rows:
        # The log's, however its samples are split.
        settings = {"task": row["task"]} | facets_of(row | {"n_all": row["n_samples"] or row["n_all"]})
        for name, value in by_log[row["eval_id"]].items():
            if name.lower().replace("-", "_") not in OF_CHECKPOINT:
                settings[f"task_args.{name}"] = value
        found[row["eval_id"]] = {name: _text(value) for name, value in settings.items()}
    return found


def differing(match: Match, settings: Mapping[int, Mapping[str, str]]) -> list[Row]:
    """What differs between a log and the baseline's besides the checkpoint: rows of `INCOMPARABLE_COLUMNS`.

    Args:
        match: The two logs.
        settings: From `settings_of`.
    """
    here, there, pairs = match.here.row, match.there.row, match.pairs
    of_logs = [
        (name, value, other, f"{name} differs: {value} (baseline {other})")
        for name, value, other in _unlike(settings[here["eval_id"]], settings[there["eval_id"]])
        # How many there are is told by the questions and epochs, where these are known.
        if name != "number of samples" or not (match.here.questions and match.there.questions)
    ]
    if here["variant"] != there["variant"]:
        values = shown(here["variant"]), shown(there["variant"])
        of_logs.append(("variant", *values, f"variant differs: {values[0]} (baseline {values[1]})"))
    for row, whose in ((here, "this log"), (there, "the baseline's log")):
        if row["status"] != "success" or not row["complete"]:
            values = shown(here["status"]), shown(there["status"])
            message = f"{whose} is not finished: {row['status'] or 'still being written'}"
            of_logs.append(("status", *values, message))
    of_questions = []
    if pairs.other_prompts:
        message = f"{pairs.other_prompts} questions have the same id and another prompt"
        of_questions.append(("prompts", "", "", message + "; they are not taken for the same question"))
    if match.here.questions and match.there.questions and (pairs.only_here or pairs.only_there):
        values = str(len(pairs.here) + pairs.only_here), str(len(pairs.there) + pairs.only_there)
        message = f"answered questions differ: {values[0]} here, {values[1]} at the baseline, {len(pairs.here)} in both"
        of_questions.append(("questions", *values, message))
    # Settings are those of whole logs, questions those of the samples that are compared.
    whole = match.place | {"split": None, "split2": None}
    return [
        place | {"what": what, "value": value, "baseline_value": other, "message": message}
        for place, found in ((whole, of_logs), (match.place, of_questions))
        for what, value, other, message in found
    ]


def side_by_side(measured: Sequence[Measured], settings: Mapping[int, Mapping[str, str]]) -> list[Row]:
    """Rows of `SETTING_COLUMNS`: every setting of every log, one log for each eval, variant and checkpoint."""
    logs = {(one.row["eval"], one.row["variant"] or "", one.checkpoint): one.row for one in measured}
    rows = []
    for name, variant in dict.fromkeys(key[:2] for key in logs):
        of = {key[2]: row for key, row in logs.items() if key[:2] == (name, variant)}
        for setting in dict.fromkeys(setting for row in of.values() for setting in settings[row["eval_id"]]):
            values = {at: settings[row["eval_id"]].get(setting, shown(None)) for at, row in of.items()}
            rows += [
                {
                    "eval": name, "variant": variant or None, "setting": setting, "checkpoint": at, "value": value,
                    "differs": len(set(values.values())) > 1, "eval_key": of[at]["eval_key"],
                }
                for at, value in values.items()
            ]  # fmt: skip
    return rows


def _unlike(here: Mapping[str, str], there: Mapping[str, str]) -> list[tuple[str, str, str]]:
    names = dict.fromkeys([*here, *there])
    pairs = [(name, here.get(name, shown(None)), there.get(name, shown(None))) for name in names]
    return [each for each in pairs if each[1] != each[2]]


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list, bool)) else shown(value)
