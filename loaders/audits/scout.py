"""Scans of Inspect Scout: a Parquet file for each scanner, with a row for each transcript that it read.

A scan measures samples of logs that lie elsewhere, and may come in before or after them: its rows are kept by the uuid
of the sample, and joined to it by the store's views (`live_scans`).
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.errors import RejectedFile
from loaders.inspect.scores import scalar
from loaders.inspect.times import normal_time
from loaders.json_text import clean, json_text
from loaders.records import SCAN, LoadedFile, ScanRecord

FORMAT = "scout"
SCAN_FOLDER = "scan_id="
SPEC = "_scan.json"
BESIDE = (SPEC, "_errors.jsonl", "_summary.json")
"""What stands beside the results, and is no table."""
MAGIC = b"PAR1"

NEEDED = ("transcript_id", "value", "value_type")
COLUMNS = (
    *NEEDED, "scanner_key", "scanner_name", "scanner_params", "scan_id", "timestamp", "input_type", "label", "answer",
    "explanation", "metadata", "message_references", "event_references", "scan_error", "validation_target",
    "validation_result", "validation_split",
)  # fmt: skip
WHOLE = "transcript"
"""What a row must be of: those of single messages and events are no measures of a sample."""
SHORT = 40
PATTERN = re.compile(r"[*?\[\]]")
"""Characters that mean something in the definition of a metric."""


def matches(path: Path, head: bytes) -> bool:
    """Whether `read` is the one to read this file: results that lie in the folder of a scan."""
    return is_result(str(path)) and head.startswith(MAGIC) and path.with_name(SPEC).is_file()


def is_result(path: str) -> bool:
    """Whether a file is called and lies as a scanner's results do."""
    place = Path(path)
    return place.suffix == ".parquet" and place.parent.name.startswith(SCAN_FOLDER)


def companions(path: Path) -> list[Path]:
    """What is said of a scan beside its results."""
    return [path.with_name(name) for name in BESIDE if path.with_name(name).is_file()] if is_result(str(path)) else []


def read(path: Path) -> LoadedFile:
    """Read one scanner's results.

    Raises:
        RejectedFile: It is no Parquet file, or lacks a column that every result has.
    """
    try:
        file = pq.ParquetFile(path)
        names = [name for name in COLUMNS if name in file.schema_arrow.names]
        if lacking := [name for name in NEEDED if name not in names]:
            raise RejectedFile(path, f"has no column {', '.join(lacking)}, as results of Inspect Scout do")
        rows = file.read(columns=names).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise RejectedFile(path, f"is no sound Parquet file: {str(error).splitlines()[0]}") from error
    loaded = LoadedFile(FORMAT)
    parts = 0
    for row in rows:
        if row.get("input_type") not in (None, WHOLE):
            parts += 1
        elif isinstance(row["transcript_id"], str) and row["transcript_id"]:
            loaded.scans += _records(row, path)
    failed = sum(bool(row.get("scan_error")) for row in rows)
    if failed:
        loaded.notes.append(f"{failed} of {len(rows)} transcripts could not be scanned, and are missing")
    if parts:
        loaded.notes.append(f"{parts} of {len(rows)} results are of messages or events, and are left out")
    return loaded


def _records(row: dict[str, Any], path: Path) -> list[ScanRecord]:
    """The rows of one result: one, or one for each key of an object."""
    error = row.get("scan_error")
    values = {None: None} if error else _values(row["value"], row["value_type"])
    metadata = {name: _decoded(row.get(name)) for name in ("scanner_params", "metadata", "message_references")}
    kept = {name: value for name, value in metadata.items() if value}
    kept |= {name: row[name] for name in ("scan_id", "label") if isinstance(row.get(name), str) and row[name]}
    if checks := _checks(row):
        kept["validation"] = checks
    found = []
    for key, value in values.items():
        number, text, kind = scalar(value)
        found.append(
            ScanRecord(
                clean(row["transcript_id"]),
                scorer_of(row, path),
                None if key is None else clean(str(key)),
                number,
                text,
                kind,
                _text(row.get("answer")),
                _text(row.get("explanation")),
                _text(error),
                json_text(kept) if kept else None,
                normal_time(_text(row.get("timestamp"))),
            )
        )
    return found


def scorer_of(row: dict[str, Any], path: Path) -> str:
    """What a scanner's results are called: `scan:NAME`, with its parameters, since others make another measure."""
    name = _text(row.get("scanner_key")) or _text(row.get("scanner_name")) or path.stem
    params = _decoded(row.get("scanner_params"))
    if not isinstance(params, dict) or not params:
        return f"{SCAN}{name}"
    told = ", ".join(f"{key}={value}" for key, value in sorted(params.items()))
    if len(told) > SHORT or PATTERN.search(told):
        told = hashlib.sha256(json_text(dict(sorted(params.items()))).encode()).hexdigest()[:8]
    return f"{SCAN}{name}({told})"


def _values(value: Any, kind: Any) -> dict[Any, Any]:
    """The value as its type says, by key where it has several; of a set of results, how many there are."""
    match kind:
        case "boolean":
            return {None: {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())}
        case "number":
            return {None: _number(value)}
        case "string":
            return {None: value if isinstance(value, str) else None}
        case "object" if isinstance(decoded := _decoded(value), dict):
            return dict(decoded) or {None: None}
        case "resultset" if isinstance(decoded := _decoded(value), list):
            return {None: len(decoded)}
        case "array":
            return {None: _text(value)}
    return {None: None}


def _checks(row: dict[str, Any]) -> list[dict[str, Any]]:
    """What a validation set expects of a transcript, and whether the scanner met it: by label where there are several.

    As Inspect Scout counts: a target that is false, 0, empty or "none" expects nothing to be found.
    """
    target, met = _decoded(row.get("validation_target")), _decoded(row.get("validation_result"))
    if target is None:
        return []
    split = _text(row.get("validation_split"))
    beside = {} if split is None else {"split": split}
    by_label = met if isinstance(met, dict) else {None: met}
    found = []
    for label, each in by_label.items():
        if isinstance(each, bool):
            expected = target.get(label) if isinstance(target, dict) else target
            named = {} if label is None else {"label": clean(str(label))}
            found.append({**named, "expected": _is_positive(expected), "met": each, **beside})
    return found


def _is_positive(target: Any) -> bool:
    return bool(target) and not (isinstance(target, str) and target.lower() == "none")


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _decoded(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str | bytes) else value
    except (ValueError, RecursionError):
        return None


def _text(value: Any) -> str | None:
    return clean(value) if isinstance(value, str) and value else None
