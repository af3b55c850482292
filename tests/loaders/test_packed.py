"""Files packed with gzip are read as what is within, whichever format that is."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from loaders.ingest import ingest
from loaders.report import IngestReport
from tests.empty_stores import empty_store
from tests.fuzzing import LM_EVAL, LM_EVAL_SAMPLE, LOG

DATE = "2025-05-14T17-02-12.477774"
LIGHTEVAL = {
    "config_general": {"model_name": "org/odd", "model_config": {"model_name": "org/odd", "revision": "step5"}},
    "results": {"lighteval|arc|0": {"acc": 0.5}, "all": {"acc": 0.5}},
}


def pack(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))
    return path


def ingested(folder: Path) -> tuple[IngestReport, list[Any]]:
    store = empty_store()
    report = ingest([folder], store)
    with store.cursor() as cursor:
        rows = cursor.execute("SELECT run, step, eval, n_samples FROM live_evals(?)", [report.batch]).fetchall()
    return report, rows


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [
        ("odd/checkpoint-5/log.json.gz", LOG, ("odd", 5, "honeypot", 1)),
        (f"results_{DATE}.json.gz", LM_EVAL, ("odd", 5, "arc", 0)),
        (f"org/odd/results_{DATE}.json.gz", LIGHTEVAL, ("odd", 5, "arc", 0)),
    ],
)
def test_each_format_is_read_packed_as_it_is_plain(tmp_path: Path, name: str, document: Any, expected: Any) -> None:
    (tmp_path / "plain" / name).parent.mkdir(parents=True)
    (tmp_path / "plain" / name.removesuffix(".gz")).write_text(json.dumps(document))
    pack(tmp_path / "packed" / name, json.dumps(document))
    plain, packed = (ingested(tmp_path / folder)[1] for folder in ("plain", "packed"))
    assert plain == packed == [expected]


def test_packed_samples_join_their_results(tmp_path: Path) -> None:
    (tmp_path / f"results_{DATE}.json").write_text(json.dumps(LM_EVAL))
    pack(tmp_path / f"samples_arc_{DATE}.jsonl.gz", json.dumps(LM_EVAL_SAMPLE) + "\n")
    report, rows = ingested(tmp_path)
    assert rows == [("odd", 5, "arc", 1)]
    assert len(report.lines) == 1


def test_a_file_beside_its_packed_self_counts_once(tmp_path: Path) -> None:
    (tmp_path / f"results_{DATE}.json").write_text(json.dumps(LM_EVAL))
    pack(tmp_path / f"results_{DATE}.json.gz", json.dumps(LM_EVAL))
    assert len(ingested(tmp_path)[1]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"no gzip", gzip.compress(json.dumps(LOG).encode())[:-9], b"\x1f\x8bxx", b""])
def test_a_damaged_one_is_refused_by_itself(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json.gz").write_bytes(data)
    (tmp_path / "b.json").write_text(json.dumps(LOG))
    report, rows = ingested(tmp_path)
    assert len(rows) == 1
    (line,) = [line for line in report.lines if line.outcome == "rejected"]
    assert line.path == "a.json.gz"
