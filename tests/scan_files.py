"""Scans of Inspect Scout as its recorder writes them, and a log that they are of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from inspect_ai.log import read_eval_log, write_eval_log

from tests.log_files import write_log


def row(sample: str, value: Any, kind: str, **more: Any) -> dict[str, Any]:
    """A result, as the recorder writes it: every value is text, of a type of its own."""
    return {
        "transcript_id": sample, "scan_id": "S", "scanner_key": "hits", "scanner_params": "{}",
        "input_type": "transcript", "value": value, "value_type": kind, "answer": None, "explanation": f"why {sample}",
        "metadata": "{}", "message_references": "[]", "scan_error": None, "timestamp": "2026-01-01T10:00:00+00:00",
        **more,
    }  # fmt: skip


def write_scan(folder: Path, *rows: dict[str, Any], scan: str = "S", name: str = "hits") -> Path:
    """A scanner's results in the folder of a scan."""
    place = folder / f"scan_id={scan}"
    place.mkdir(parents=True, exist_ok=True)
    (place / "_scan.json").write_text(json.dumps({"scan_id": scan, "scanners": {name: {}}}))
    (place / "_errors.jsonl").write_text("")
    pq.write_table(pa.Table.from_pylist(list(rows)), place / f"{name}.parquet")
    return place / f"{name}.parquet"


def write_scanned_log(path: Path) -> list[str]:
    """A log of four samples; their uuids, by which scans name them."""
    written = read_eval_log(write_log(path, [1, 1, 1, 0], model="vllm/org/m", eval_id="E").as_posix())
    for sample in written.samples or []:
        sample.uuid = f"uuid-{sample.id}"
    write_eval_log(written, path.as_posix())
    return [sample.uuid for sample in written.samples or []]
