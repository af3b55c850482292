"""What a file may hold: more is refused with its reason, without being held, and the good log beside comes in."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loaders import bounds, json_text, packed
from loaders.ingest import ingest
from loaders.inspect import dense, limits
from loaders.study.globs import glob_matches
from loaders.study.yaml_lines import MAX_BYTES
from loaders.table_mapping import Lookup
from tests.empty_stores import empty_store
from tests.loaders.inspect.test_hostile import HEADER, SAMPLE, write_zip
from tests.log_files import write_log

pytestmark = pytest.mark.slow

LONG = 50_000


def outcome(tmp_path: Path, write: Callable[[Path], None]) -> str | None:
    """Why the odd file that is written is rejected, None where it isn't; the good log beside it is in."""
    write_log(tmp_path / "good/checkpoint-10/log.eval", [1, 0], task="good_task", model="vllm/org/good")
    (tmp_path / "odd").mkdir()
    write(tmp_path / "odd")
    store = empty_store()
    began = time.monotonic()
    report = ingest([tmp_path], store)
    assert time.monotonic() - began < 10
    with store.cursor() as cursor:
        good = "SELECT n_samples FROM live_evals($n) WHERE task = 'good_task' AND step = 10"
        assert cursor.execute(good, {"n": store.batch()}).fetchall() == [(2,)]
    reasons = [line.reason for line in report.lines if line.outcome == "rejected"]
    assert len(reasons) < 2
    return reasons[0] if reasons else None


def log(samples: list[dict[str, Any]], **spec: Any) -> Callable[[Path], None]:
    """Writes an Inspect log with samples of these fields."""
    members = {f"samples/{at}_epoch_1.json": json.dumps(SAMPLE | {"id": at} | one) for at, one in enumerate(samples)}
    header = json.dumps(HEADER | {"eval": HEADER["eval"] | spec})
    return lambda folder: (write_zip(folder / "a.eval", {"header.json": header} | members), None)[1]


ATTACHED = {"attachments": {"k": "x" * 5000}, "messages": [{"role": "user", "content": "attachment://k"}]}


@pytest.mark.parametrize("sample", [ATTACHED, {"messages": [{"role": "user", "content": "y" * 5000}]}])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_text_of_many_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: dict[str, Any]) -> None:
    monkeypatch.setattr(bounds, "MAX_TEXT", 90_000)
    reason = outcome(tmp_path, log([sample] * 20))
    assert reason is not None
    assert reason.startswith("samples/17_epoch_1.json: its samples hold more than 90,000 characters of text")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("field", ["metadata", "tags", "scorers", "task_args"])
def test_nested_lists_in_a_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    monkeypatch.setattr(limits, "MAX_VALUES", 1000)
    reason = outcome(tmp_path, log([], **{field: {"x": [[]] * 2000}}))
    assert reason == f"header.json, eval.{field} holds more than 1,000 lists and objects"


VALUES = "holds more than 1,000 values"
MANY: list[tuple[str, dict[str, Any]]] = [
    ("messages", {"messages": [{"role": "user"}] * 2000}),
    ("messages", {"messages": [{"role": "user", "content": [{}] * 2000}]}),
    ("messages", {"messages": [{"role": "user", "tool_calls": [{}] * 2000}]}),
    ("input", {"input": [{"role": "user"}] * 2000}),
    ("target", {"target": [""] * 2000}),
    ("scores", {"scores": {str(at): {} for at in range(2000)}}),
    ("scores", {"scores": {"s": {"value": [1] * 2000}}}),
    ("output", {"output": {"choices": [{}] * 2000}}),
    ("error_retries", {"error_retries": [{}] * 2000}),
    ("attachments", {"attachments": {str(at): "" for at in range(2000)}}),
]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("field", "sample"), MANY)
def test_values_of_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, sample: dict[str, Any]
) -> None:
    monkeypatch.setattr(limits, "MAX_SAMPLE_VALUES", 1000)
    monkeypatch.setattr(dense, "LARGE", 1000)
    assert outcome(tmp_path, log([{}, sample])) == f"samples/1_epoch_1.json, {field} {VALUES}"


@pytest.mark.parametrize(("field", "sample"), MANY[:2])
def test_values_of_a_sample_in_a_json_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, sample: dict[str, Any]
) -> None:
    monkeypatch.setattr(limits, "MAX_SAMPLE_VALUES", 1000)
    monkeypatch.setattr(dense, "LARGE", 1000)
    document = json.dumps(HEADER | {"samples": [SAMPLE, SAMPLE | {"id": 2} | sample]})
    assert outcome(tmp_path, lambda odd: (odd / "a.json").write_text(document)) == f"samples[1], {field} {VALUES}"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("field", ["results", "log_updates", "config_updates"])
def test_values_of_a_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    monkeypatch.setattr(limits, "MAX_SAMPLE_VALUES", 1000)
    monkeypatch.setattr(dense, "LARGE", 1000)
    header = json.dumps(HEADER | {field: {"scores": [{"name": "a"}] * 2000} if field == "results" else [{}] * 2000})
    assert outcome(tmp_path, lambda odd: write_zip(odd / "a.eval", {"header.json": header})) == (
        f"header.json, {field} {VALUES}"
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_values_of_what_is_no_strict_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_TREE_VALUES", 1000)
    reason = outcome(tmp_path, log([{"total_time": float("nan"), "events": [{}] * 2000}]))
    assert reason == "samples/0_epoch_1.json is not strict JSON, and holds more than 1,000 values"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_records_of_many_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_RECORDS", 100)
    reason = outcome(tmp_path, log([{"messages": [{"role": "user", "content": ""}] * 9}] * 20))
    assert reason is not None
    assert reason.startswith("samples/10_epoch_1.json: more than 100 samples, messages and scores")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_events_and_what_stands_in_texts_are_no_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SAMPLE_VALUES", 100)
    monkeypatch.setattr(dense, "LARGE", 1000)
    code = {"role": "assistant", "content": 'if (a[0], "\\"b") {}, ' * 500}
    assert outcome(tmp_path, log([{"events": [{"a": [1, 2]}] * 2000, "messages": [code]}])) is None


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["/a" * LONG, "step 1 of " * LONG, "checkpoint-1" * LONG])
def test_a_model_s_name_without_end(tmp_path: Path, name: str) -> None:
    reason = outcome(tmp_path, log([{}], model=name))
    assert reason == f"model is a name of {len(name):,} characters (allowed: 4,096)"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "spec",
    [
        {"tags": ["a" + " " * LONG + "b", "a=b" + " " * LONG + "c", "step" + "-" * LONG]},
        {"metadata": dict.fromkeys(("checkpoint", "step", "run", "mix", "weights"), "/a- 1 of" * LONG)},
        {"model_args": dict.fromkeys(("revision", "base_url", "lora_path", "iteration"), "step 1 of " * LONG)},
        {"model_roles": {"target": {"model": "/a" * LONG, "args": {"adapter": "-1" * LONG}}}},
        {"model": ("a/step 1 of " * LONG)[:4000], "task": ("t/" * LONG)[:4000]},
    ],
)
def test_long_texts_are_looked_into_no_further(tmp_path: Path, spec: dict[str, Any]) -> None:
    reason = outcome(tmp_path, log([{}], **spec))
    assert reason is None or reason.startswith("target_model is a name of")


def lists(path: Path) -> None:
    path.write_text('{"results": {"a": {"alias": "a"}}, "x": ' + json.dumps([[]] * 2000) + "}")


def sparse(name: str, begins: str) -> Callable[[Path], None]:
    """Writes a file of which only the beginning is on the disk."""

    def write(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.write(begins.encode())
            file.truncate(3_000_000)

    return write


PIECE = "more than 1,000,000 bytes, which is the most that is read in one piece: split it"


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (sparse("trainer_state.json", '{"global_step": 1}\n'), f"can't be read as JSON: {PIECE}"),
        (sparse("results_2026-01-02T03-04-05.json", '{"results": {'), f"can't be read as JSON: {PIECE}"),
        (sparse("wandb-summary.json", '{"_step": 1}\n'), f"can't be read: {PIECE}"),
        (sparse("samples_arc.jsonl", '{"doc_id": 1}\n'),
         "can't be read: line 2 is longer than 1,000,000 bytes, the most that is read of one"),
        (sparse("run.yaml", "name: x\n"), f"longer than {MAX_BYTES:,} bytes, and no more are read"),
        (lambda folder: lists(folder / "results_2026-01-02T03-04-05.json"),
         "can't be read as JSON: more than 1,000 lists and objects"),
        (lambda folder: (folder / "trainer_state.json.gz").write_bytes(gzip.compress(b" " * 3_000_000)), None),
        (lambda folder: (folder / "results_2026-01-02T03-04-05.json.gz").write_bytes(gzip.compress(b" " * 3_000_000)),
         f"can't be read as JSON: {PIECE}"),
        (lambda folder: (folder / "samples_a.jsonl").write_text('{"doc_id": 1}\n' * 200_000),
         "can't be read: more than 2,000,000 bytes up to line 142858, the most that is read: split it"),
    ],
)  # fmt: skip
def test_files_that_are_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None], reason: str | None
) -> None:
    monkeypatch.setattr(packed, "MAX_WHOLE_BYTES", 1_000_000)
    monkeypatch.setattr(packed, "MAX_LINES_BYTES", 2_000_000)
    monkeypatch.setattr(json_text, "MAX_VALUES", 1000)
    found = outcome(tmp_path, write)
    assert reason is None or found == reason


def test_globs_take_time_that_grows_with_their_length() -> None:
    began = time.monotonic()
    assert not glob_matches("*a" * 40 + ".eval", "a" * 250 + ".evalx")
    assert not glob_matches("**/a/" * 30 + "x", "a/" * 200 + "y")
    assert glob_matches("**/a*a/**/*b*b/**/" + "*c" * 40 + "*", "a/" * 90 + "aa/" + "x/" * 90 + "abb/" + "c" * 200)
    assert time.monotonic() - began < 1


def test_so_do_the_patterns_of_tables(tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        entry = 'match: "*.csv", eval: {path: "((a|aa)+)+$"}, scores: {s: score}'
        (folder / "study.yaml").write_text("tables:\n- {" + entry + "}\n")
        (folder / f"{'a' * 60}b.csv").write_text("id,score\n1,1\n")

    assert "wants a path that matches" in (outcome(tmp_path, write) or "")
    with pytest.raises(ValueError, match="looks ahead or behind: patterns here are RE2's"):
        Lookup(path="(?=a)(b)")
