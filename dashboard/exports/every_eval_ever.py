"""Records of Every Eval Ever (schema 0.3): what is known of each checkpoint on each eval, as its data store takes it.

A record is a checkpoint on an eval, with a result for each metric and the samples behind it. What the schema needs and
nobody said is left out, and told: it has no place for "not defined".
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas as pd

from dashboard.exports.every_eval_ever_samples import Outcome, sample_row
from dashboard.queries.sample_details import log_rows, sample_rows
from dashboard.queries.samples import SampleFilter, all_samples
from loaders.errors import DriftlineError
from loaders.version import version

SCHEMA = "0.3.0"
LEFT_OUT = "left-out.txt"
UNKNOWN = "unknown"
WRITTEN = (2000, 1, 1, 0, 0, 0)
"""Of every file in the archive: equal records are equal bytes."""
UNSAFE = re.compile(r"[^\w.+=-]+")
GENERATION = {"temperature": (int, float), "top_p": (int, float), "top_k": (int, float), "max_tokens": (int,)}

Row = dict[str, Any]
Place = tuple[str, str, int]
"""Log, sample and epoch."""


@dataclass(frozen=True)
class Point:
    """A checkpoint on an eval.

    Attributes:
        rates: A row of `rate_rows` for each metric.
        logs: Those that count in it, oldest first (`log_rows`).
        samples: Theirs (`sample_rows`).
        outcomes: For each metric, the outcome of each sample by log, sample and epoch; none for one that is outside
            the metric's denominator, or that counts in no point.
    """

    rates: list[Row]
    logs: list[Row]
    samples: list[Row] = field(default_factory=list)
    outcomes: dict[str, dict[Place, Outcome]] = field(default_factory=dict)


def points_of(con: duckdb.DuckDBPyConnection, rates: Sequence[Row], as_of: int) -> list[Point]:
    """The checkpoints and evals that some rates are of, with the samples behind them.

    Args:
        con: A cursor of this thread.
        rates: Rows of `rate_rows`; averages over evals are no results of their own.
        as_of: Batch.
    """
    by_point: dict[tuple[str, ...], list[Row]] = {}
    for row in rates:
        if not row.get("group"):
            by_point.setdefault((row["eval"], *row["eval_keys"]), []).append(row)
    outcomes = {
        pair: _outcomes(con, *pair, as_of)
        for pair in dict.fromkeys((row["eval"], row["metric"]) for of in by_point.values() for row in of)
    }
    points = []
    for (name, *logs), of in by_point.items():
        known = {
            # Of a mean, samples without a number are no rows: any number could be one of its values.
            row["metric"]: {
                place: outcome
                for place, outcome in outcomes[name, row["metric"]].items()
                if place[0] in logs and (row["kind"] == "rate" or not outcome.missing)
            }
            for row in of
        }
        points.append(Point(of, log_rows(con, logs, as_of), sample_rows(con, logs, as_of), known))
    return points


def _outcomes(con: duckdb.DuckDBPyConnection, name: str, metric: str, as_of: int) -> dict[Place, Outcome]:
    found = all_samples(con, SampleFilter(evals=(name,), metric=metric), as_of)
    counting = found[found["outcome"].isin(("misaligned", "aligned", "missing", "scored"))]
    columns = (counting[column] for column in ("log", "sample", "epoch", "value", "answer"))
    return {
        (log, sample, int(epoch)): Outcome(
            float(value) if math.isfinite(value) else None, None if pd.isna(answer) else answer
        )
        for log, sample, epoch, value, answer in zip(*columns, strict=True)
    }


def archive(points: Sequence[Point], organization: str, level: float, now: datetime) -> bytes:
    """A ZIP file of records and their samples, at the paths that the data store has for them.

    Args:
        points: What to write.
        organization: Who trained the models and ran the evals: the folder that the models are filed under.
        level: The confidence level of the intervals in the rows.
        now: When the records are made.

    Raises:
        DriftlineError: There is no record to write.
    """
    left_out: list[str] = []
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as out:
        for point in points:
            for name, data in _files(point, organization, level, now, left_out):
                out.writestr(zipfile.ZipInfo(name, WRITTEN), data, zipfile.ZIP_DEFLATED)
        if not out.namelist():
            told = "; ".join(dict.fromkeys(left_out)) or "no checkpoint has a number"
            raise DriftlineError(f"There is nothing to write: {told}.")
        if left_out:
            out.writestr(zipfile.ZipInfo(LEFT_OUT, WRITTEN), "\n".join(dict.fromkeys(left_out)) + "\n")
    return content.getvalue()


def left_out(content: bytes) -> list[str]:
    """What an archive says is not in it, a sentence each."""
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        return made.read(LEFT_OUT).decode().splitlines() if LEFT_OUT in made.namelist() else []


def _files(
    point: Point, organization: str, level: float, now: datetime, left_out: list[str]
) -> Iterator[tuple[str, bytes]]:
    first = point.rates[0]
    name = first["eval"] if not first.get("variant") else f"{first['eval']} ({first['variant']})"
    results = [found for row in point.rates if (found := _result(row, point, name, level, left_out))]
    if not results:
        return
    step = first.get("step_label") or (f"step-{first['step']}" if first.get("step") is not None else None)
    model = "-".join(part for part in (first.get("run"), step) if part)
    identity = f"{_portable(organization)}/{_portable(model)}"
    made = str(int(now.timestamp()))
    record: Row = {
        "schema_version": SCHEMA,
        "evaluation_id": f"{name}/{identity}/{made}",
        "retrieved_timestamp": made,
        "source_metadata": {
            "source_name": "Driftline",
            "source_type": "evaluation_run",
            "source_organization_name": organization,
            "evaluator_relationship": "other",
            "additional_details": {"driftline": version(), "logs": json.dumps([log["path"] for log in point.logs])},
        },
        "eval_library": _library(point.logs),
        "model_info": {"name": model, "id": identity, "additional_details": _model(first)},
        "evaluation_results": results,
    }
    if (created := _seconds(first.get("created"))) is not None:
        record["evaluation_timestamp"] = created
    # The same point keeps its name, so that a later export takes the place of an earlier one.
    digest = hashlib.sha256(json.dumps([identity, name, *sorted(first["eval_keys"])]).encode()).digest()
    stem = f"data/{_portable(name)}/{identity}/{uuid.UUID(bytes=digest[:16], version=4)}"
    rows = _sample_rows(point, record, {result["evaluation_result_id"] for result in results})
    if rows:
        lines = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows).encode()
        record["detailed_evaluation_results"] = {
            "format": "jsonl",
            "file_path": f"{stem}_samples.jsonl",
            "hash_algorithm": "sha256",
            "checksum": hashlib.sha256(lines).hexdigest(),
            "total_rows": len(rows),
        }
        yield f"{stem}_samples.jsonl", lines
    yield f"{stem}.json", json.dumps(record, ensure_ascii=False, allow_nan=False, indent=2).encode()


def _result(row: Row, point: Point, name: str, level: float, left_out: list[str]) -> Row | None:
    """One metric's number, as an entry of `evaluation_results`; None where the schema can't hold it."""
    metric, of = row["metric"], f"{name}: {row['metric']}"
    row = {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}
    if row.get("rate") is None:
        left_out.append(f"{of} of {row.get('run')} at step {row.get('step')} has no number")
        return None
    if row.get("better") not in ("lower", "higher"):
        left_out.append(f"{of} has no direction, which a record must state: set `better:` in study.yaml")
        return None
    is_rate = row["kind"] == "rate"
    unknown = is_rate and any(one.missing for one in point.outcomes.get(metric, {}).values())
    config = {
        "evaluation_description": row.get("definition"),
        "metric_id": metric,
        "metric_name": metric,
        "metric_unit": "proportion" if is_rate else row.get("unit"),
        "lower_is_better": row["better"] == "lower",
        **({"score_type": "continuous", "min_score": 0.0, "max_score": 1.0} if is_rate else {}),
        **({"has_unknown_level": True} if unknown else {}),
        "additional_details": {"judge": row["judge"]} if row.get("judge") else None,
    }
    interval = row.get("low") is not None and row.get("high") is not None
    uncertainty = {
        "standard_error": {"value": row["stderr"]} if row.get("stderr") is not None else None,
        "confidence_interval": {
            "lower": row["low"],
            "upper": row["high"],
            "confidence_level": level,
            "method": row.get("interval") or UNKNOWN,
        }
        if interval
        else None,
        "num_samples": row.get("n"),
    }
    details = {key: str(row[key]) for key in ("k", "n_missing", "pooled") if row.get(key) is not None}
    result = {
        "evaluation_result_id": metric,
        "evaluation_name": name,
        "source_data": {"dataset_name": row.get("task") or name, "source_type": "other"},
        "metric_config": _set(config),
        "score_details": _set({"score": row["rate"], "details": details or None, "uncertainty": _set(uncertainty)}),
    }
    generation = _generation(point.logs)
    return result | ({"generation_config": {"generation_args": generation}} if generation else {})


def _sample_rows(point: Point, record: Row, results: set[str]) -> list[Row]:
    """A row for each sample and result that it counts in.

    Pooled logs ask a question several times: its samples are numbered on, as epochs.
    """
    rows: list[Row] = []
    asked: dict[str, int] = {}
    better = {row["metric"]: row["better"] for row in point.rates}
    for sample in point.samples:
        place = (sample["log"], sample["sample_key"], sample["epoch"])
        counting = {
            metric: outcomes[place]
            for metric, outcomes in point.outcomes.items()
            if metric in results and place in outcomes
        }
        if not counting:
            continue
        epoch = asked[sample["sample_key"]] = asked.get(sample["sample_key"], 0) + 1
        for metric, outcome in counting.items():
            row = sample_row(sample, outcome, epoch, better[metric])
            rows.append({
                "schema_version": SCHEMA,
                "evaluation_id": record["evaluation_id"],
                "model_id": record["model_info"]["id"],
                "evaluation_name": record["evaluation_results"][0]["evaluation_name"],
                "evaluation_result_id": metric,
                **row,
            })  # fmt: skip
    return rows


def _library(logs: Sequence[Row]) -> Row:
    """What ran the evals: the package that a log names, else the format that it is in."""
    for log in logs:
        for name, told in (log.get("packages") or {}).items():
            return {"name": str(name), "version": str(told or UNKNOWN)}
    return {"name": logs[0]["format"] if logs else UNKNOWN, "version": UNKNOWN}


def _model(row: Row) -> dict[str, str]:
    """What is known of a checkpoint; `run` and `step` bring it back to its place when the record is read."""
    known = {key: row.get(key) for key in ("run", "step", "step_label", "tokens", "mix", "stage", "model")}
    return {
        "deployment_type": UNKNOWN,
        "model_availability": UNKNOWN,
        **{key: str(value) for key, value in known.items() if value is not None},
    }


def _generation(logs: Sequence[Row]) -> Row:
    config = (logs[0].get("generate_config") if logs else None) or {}
    return {
        key: config[key]
        for key, types in GENERATION.items()
        if isinstance(config.get(key), types) and not isinstance(config[key], bool)
    }


def _seconds(value: Any) -> str | None:
    """A time of the store, which is UTC, in seconds since 1970."""
    return str(int(value.replace(tzinfo=UTC).timestamp())) if isinstance(value, datetime) else None


def _set(values: Mapping[str, Any]) -> Row:
    return {key: value for key, value in values.items() if value is not None and value != {}}


def _portable(name: str) -> str:
    """A name as a part of a path in the data store; `data` is its own."""
    kept = UNSAFE.sub("-", name).strip(".-") or UNKNOWN
    return f"{kept}_" if kept.lower() == "data" else kept
