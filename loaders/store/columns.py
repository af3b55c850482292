"""The columns that records become, and appending many of them at once."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import duckdb
import pyarrow as pa

TEXT, INT, FLOAT, BOOL, TIME = pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.timestamp("us")
SQL_TYPES = {TEXT: "VARCHAR", INT: "BIGINT", FLOAT: "DOUBLE", BOOL: "BOOLEAN", TIME: "TIMESTAMP"}

FEW = 80
"""Up to so many rows go in as lists of values; above, as an Arrow table, which costs more to set up and less a row."""

SHORT = 100_000
"""Rows with a text of more characters go in as an Arrow table however few they are: DuckDB 1.5 takes time that grows
with the square of a text's length for one with quotation marks within a list of values (4 s for 2 MB, seen here)."""

EVAL_FIELDS: dict[str, pa.DataType] = {
    "log_eval_id": TEXT, "log_run_id": TEXT, "task_id": TEXT, "task": TEXT, "task_display": TEXT,
    "task_version": TEXT, "task_file": TEXT,
    "model": TEXT, "target_model": TEXT, "judge": TEXT, "status": TEXT, "complete": BOOL, "created": TIME,
    "completed": TIME, "error": TEXT, "epochs": INT, "log_version": INT, "n_samples_reported": INT, "n_planned": INT,
    "task_args_json": TEXT, "model_args_json": TEXT, "model_roles_json": TEXT, "config_json": TEXT,
    "generate_config_json": TEXT, "dataset_json": TEXT, "tags_json": TEXT, "metadata_json": TEXT,
    "revision_json": TEXT, "scorers_json": TEXT, "solver_json": TEXT, "stats_json": TEXT, "packages_json": TEXT,
    "stated_run": TEXT, "stated_step": TEXT, "stated_mix": TEXT, "stated_stage": TEXT, "stated_variant": TEXT,
    "stated_rule": TEXT,
}  # fmt: skip
SAMPLE_FIELDS: dict[str, pa.DataType] = {
    "sample_key": TEXT, "id_is_number": BOOL, "epoch": INT, "input": TEXT, "target": TEXT, "choices_json": TEXT,
    "reply": TEXT, "stop_reason": TEXT, "uuid": TEXT, "error": TEXT, "error_traceback": TEXT, "retries": INT,
    "limit_type": TEXT, "limit_value": FLOAT, "invalidated": BOOL, "started_at": TEXT, "completed_at": TEXT,
    "total_time": FLOAT, "working_time": FLOAT, "metadata_json": TEXT, "model_usage_json": TEXT,
}  # fmt: skip
SCORE_FIELDS: dict[str, pa.DataType] = {
    "scorer": TEXT, "key": TEXT, "value_num": FLOAT, "value_text": TEXT, "value_type": TEXT, "answer": TEXT,
    "explanation": TEXT, "reason": TEXT, "metadata_json": TEXT, "history_json": TEXT,
}  # fmt: skip
MESSAGE_FIELDS: dict[str, pa.DataType] = {
    "role": TEXT, "text": TEXT, "content_json": TEXT, "reasoning": TEXT, "tool_calls_json": TEXT,
    "tool_call_id": TEXT, "function": TEXT, "error_json": TEXT, "model": TEXT, "source": TEXT, "message_id": TEXT,
    "metadata_json": TEXT,
}  # fmt: skip
REPORTED_FIELDS: dict[str, pa.DataType] = {
    "metric": TEXT, "value": FLOAT, "scorer": TEXT, "key": TEXT, "reducer": TEXT, "stderr": FLOAT, "n": INT,
    "k": INT,
}  # fmt: skip
TRAINED_FIELDS: dict[str, pa.DataType] = {
    "folder": TEXT, "step": INT, "epoch": FLOAT, "tokens": INT, "base_model": TEXT, "lora_rank": INT,
    "lora_alpha": FLOAT, "trainer_json": TEXT,
}  # fmt: skip

Given = dict[str, tuple[pa.DataType, list[Any]]]
"""Columns that are not fields of the records: type and values, one a record."""


def append(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    given: Given,
    fields: dict[str, pa.DataType] | None = None,
    records: list[Any] | None = None,
) -> None:
    """Append records to a table, column by column.

    Args:
        given: Columns by name; they say how many rows there are.
        fields: Fields of the records that are columns of the same name.
    """
    fields, records = fields or {}, records or []
    count = len(next(iter(given.values()))[1])
    if not count:
        return
    kinds = {name: kind for name, (kind, _) in given.items()} | fields
    columns = {name: values for name, (_, values) in given.items()}
    columns |= {name: list(map(attrgetter(name), records)) for name in fields}
    names = ", ".join(kinds)
    # Table and column names, here and below, are our own.
    if count <= FEW and not any(isinstance(v, str) and len(v) > SHORT for c in columns.values() for v in c):
        lists = ", ".join(f"unnest(?::{SQL_TYPES[kind]}[])" for kind in kinds.values())
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {lists}", [columns[name] for name in kinds])
        return
    cursor.register("incoming", pa.table({name: pa.array(columns[name], kinds[name]) for name in kinds}))
    cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming")  # noqa: S608
    cursor.unregister("incoming")
