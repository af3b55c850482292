"""Records of Every Eval Ever: what is written is read back as the same numbers.

Its package needs Python 3.12 and can't be installed beside the tests. Archives of the demo study and of real logs
(Inspect, Petri, Bloom) were checked by `eee-validate` of every-eval-ever 0.3.0: no errors, and no warnings with
an organization.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dashboard.exports.every_eval_ever import archive, left_out, points_of
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rate_rows
from loaders.errors import DriftlineError
from tests.fuzzing import LOG
from tests.log_files import write_log
from tests.real_stores import Ingested, ingested

NOW = datetime(2026, 12, 1, tzinfo=UTC)
STUDY = """
metrics:
  - {name: harmful, evals: ["honeypot"], misaligned: {score: judge, op: ">=", value: 1}, better: lower}
  - {name: depth, evals: ["depth"], kind: mean, score: {score: judge}, better: higher}
"""
SAME = ("run", "step", "eval", "n", "k", "rate", "low", "high", "n_missing")
PATH = re.compile(r"data/[^/]+/acme/[^/]+/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def written(store: Ingested, **query: Any) -> bytes:
    asked = RateQuery(**query)
    with store.store.cursor() as cursor:
        rows = rate_rows(cursor, asked, store.store.batch())
        return archive(points_of(cursor, rows, store.store.batch()), "acme", asked.level, NOW)


def unpacked(content: bytes, folder: Path) -> dict[str, Any]:
    """The files of an archive by name, those of samples as lists of rows."""
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        made.extractall(folder)
        texts = {name: made.read(name).decode() for name in made.namelist() if name.startswith("data/")}
    return {
        name: [json.loads(line) for line in text.splitlines()] if name.endswith("l") else json.loads(text)
        for name, text in texts.items()
    }


def same(store: Ingested) -> list[dict[str, Any]]:
    rows = store.rates().to_dict("records")
    return [{key: None if row[key] != row[key] else row[key] for key in SAME} for row in rows]


@pytest.mark.slow
def test_what_is_written_is_read_back_as_the_same_numbers(tmp_path: Path) -> None:
    study = tmp_path / "study"
    write_log(study / "tiny/checkpoint-100/a.eval", [1, 0, 0, None], eval_id="A")
    write_log(study / "tiny/checkpoint-100/again.eval", [1, 1, 0, 0], eval_id="B")  # a repeat: pooled
    write_log(study / "tiny/checkpoint-200/a.eval", [0, 0, 0, 0], eval_id="C")
    write_log(study / "tiny/checkpoint-200/depth.eval", [-1, 4.5, 3, None], task="depth", eval_id="D")
    (study / "study.yaml").write_text(STUDY)
    store = ingested(study)
    content = written(store)
    files = unpacked(content, tmp_path / "records")
    back = ingested(tmp_path / "records")
    ours, theirs = same(store), same(back)
    assert [row["n"] for row in ours] == [3, 7, 4]
    for row in (*ours, *theirs):
        if row["eval"] == "depth":
            row["n_missing"] = None  # a record has no word for the missing samples of a mean
    assert theirs == ours
    assert [note.partition(": ")[2] for note in map(str, back.report.notes)] == [
        "1 row of samples without a score of any result: missing, not 0"
    ]
    assert left_out(content) == []
    assert len(files) == 6
    for name, record in files.items():
        assert PATH.match(name)
        if isinstance(record, dict):
            assert record["detailed_evaluation_results"]["file_path"] == name.replace(".json", "_samples.jsonl")
            (result,) = record["evaluation_results"]
            assert result["metric_config"]["lower_is_better"] is (result["evaluation_name"] == "honeypot")
    depth = next(one for one in files.values() if isinstance(one, dict) and "depth/" in one["evaluation_id"])
    assert depth["evaluation_results"][0]["score_details"]["details"]["n_missing"] == "1"
    rows = next(one for name, one in files.items() if name.endswith("l") and "tiny-step-100" in name)
    assert sorted((row["sample_id"], row["metadata"]["epoch"], row["evaluation"]["score"]) for row in rows) == [
        ("1", "1", 1), ("1", "2", 1), ("2", "1", 0), ("2", "2", 1), ("3", "1", 0), ("3", "2", 0), ("4", "1", -1),
        ("4", "2", 0),
    ]  # fmt: skip
    assert written(store) == content


@pytest.mark.slow
def test_a_conversation_with_tools_keeps_its_messages_and_an_undefined_direction_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(LOG))
    store = ingested(tmp_path)
    with pytest.raises(DriftlineError, match="has no direction, which a record must state: set `better:`"):
        written(store)
    (tmp_path / "study.yaml").write_text(
        "metrics: [{name: ok, evals: [honeypot], misaligned: {score: judge, op: '=', value: 1}, better: higher}]"
    )
    content = written(ingested(tmp_path), metrics=("all",))
    assert [line.partition(" has ")[0] for line in left_out(content)] == ["honeypot (v): mean_judge"]
    files = unpacked(content, tmp_path / "records")
    (row,) = next(one for one in files.values() if isinstance(one, list))
    assert (row["interaction_type"], row["output"]) == ("agentic", None)
    assert [(one["role"], one["content"]) for one in row["messages"]] == [
        ("user", "Q1"), ("assistant", "ok"), ("tool", "done"),
    ]  # fmt: skip
    assert row["messages"][1]["tool_calls"] == [{"id": "c", "name": "f", "arguments": {"x": "1"}}]
    assert row["messages"][2]["tool_call_id"] == ["c"]
    assert row["answer_attribution"][0]["extracted_value"] == "ok"
    assert row["evaluation"] == {"score": 1.0, "is_correct": True, "num_turns": 3, "tool_calls_count": 1}
    assert row["token_usage"] == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    assert row["input"] == {"raw": "Q1", "formatted": None, "reference": ["a"], "choices": ["a", "b"]}
