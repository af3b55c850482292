"""Every real Inspect log, from its file through the store to the rates, against what inspect_ai reads in it."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageTool

from tests.inspect_agreement import expected_text, expected_values, without_nonfinite
from tests.real_stores import Ingested, shared

pytestmark = pytest.mark.slow

FOLDERS = ("inspect", "inspect_flow", "inspect_rl", "shutdown", "texts")

NO_LOG = "unknown format: a JSON object with .* and without an 'eval' or 'results'"
SKELETONS = (
    "basic", "empty", "escape_hatch", "gap_models", "leaf_tool_exclusion", "legacy_steps", "notable_caps",
    "notable_caps_uncapped", "parallel_spans", "steps_same_name",
)  # fmt: skip
REFUSED = {
    "inspect": {
        "_history/tests/log/test_eval_log/long_log.eval": r"Git LFS pointer \(size 0\.5 MB\)",
        **{f"tests/log/test_skeleton/{name}.json": NO_LOG for name in SKELETONS},
    },
    "texts": {
        "_history-tests-test_eval_log-log_invalid.json": r"not valid JSON \(",
        "tests-log-test_eval_log-log_invalid.json": r"not valid JSON \(",
        "tests-log-test_eval_log-log_version_3.json": r"newer Inspect: log version 4, known up to 2",
    },
}
"""What is no log, or none that anyone can read, and the reason that stays visible."""


@dataclass(frozen=True)
class Log:
    """One real log: in a store, and as inspect_ai reads it."""

    folder: str
    store: Ingested
    eval_id: int
    path: str
    theirs: EvalLog

    @property
    def samples(self) -> list[EvalSample]:
        return self.theirs.samples or []

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of this log; `$eval_id` is its id."""
        return self.store.rows(sql, eval_id=self.eval_id)


@pytest.fixture(scope="module")
def folders(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of logs. Those that inspect_ai's repository calls .txt get the suffix by which logs are known."""
    texts = tmp_path_factory.mktemp("texts")
    for path in (shared_data / "inspect").rglob("*.txt"):
        name = path.relative_to(shared_data / "inspect").with_suffix(".json").as_posix()
        shutil.copy(path, texts / name.replace("/", "-"))
    return {name: texts if name == "texts" else shared_data / name for name in FOLDERS}


@pytest.fixture(scope="module")
def stores(folders: dict[str, Path]) -> dict[str, Ingested]:
    return {name: shared(folder) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def logs(folders: dict[str, Path], stores: dict[str, Ingested]) -> list[Log]:
    """Every log that inspect_ai reads."""
    found = []
    for name, folder in folders.items():
        ids = {row["path"]: row["eval_id"] for row in stores[name].rows(BY_PATH)}
        for path in sorted(folder.rglob("*")):
            if path.suffix not in (".eval", ".json"):
                continue
            try:
                theirs = read_eval_log(path.as_posix(), resolve_attachments="full")
            except Exception:  # noqa: BLE001 - its errors have no common class; what it refuses is tested below
                continue
            relative = path.relative_to(folder).as_posix()
            found.append(Log(name, stores[name], ids[relative], relative, theirs))
    return found


BY_PATH = "SELECT l.path, e.eval_id FROM live_locations($n) l JOIN live_evals($n) e USING (source_id)"
SAMPLES = "SELECT * FROM live_samples($n) WHERE eval_id = $eval_id ORDER BY sample_id"


def test_every_file_is_ingested_or_rejected_with_a_right_reason(
    folders: dict[str, Path], stores: dict[str, Ingested], logs: list[Log]
) -> None:
    assert len(logs) >= 78
    for name, store in stores.items():
        here = {path.relative_to(folders[name]).as_posix() for path in folders[name].rglob("*") if path.is_file()}
        named = {path for path in here if path.endswith((".eval", ".json"))}
        reasons = REFUSED.get(name, {})
        assert set(store.rejected) == set(reasons)
        for path, reason in store.rejected.items():
            assert re.search(reasons[path], reason), (path, reason)
        come_in = {row["path"] for row in store.rows("SELECT path FROM live_locations($n)")} - set(reasons)
        assert come_in == named - set(reasons)
        # inspect_rl's manifest speaks of the run, all others are logs: exactly those that inspect_ai reads.
        read = {log.path for log in logs if log.folder == name}
        assert come_in - read == ({"docs/example_run/manifest.json"} if name == "inspect_rl" else set())


def test_no_real_log_is_given_a_run_or_step_that_it_does_not_tell(stores: dict[str, Ingested]) -> None:
    # A model with one log a task is a run of its name; so are two forms of one evaluation.
    for name, fewer in (("inspect", 3), ("texts", 3)):
        places = stores[name].rows("SELECT run, step, step_label, placed FROM live_evals($n)")
        assert not any(row["placed"] for row in places)
        assert {(row["step"], row["step_label"]) for row in places} == {(None, None)}
        assert len({row["run"] for row in places}) == len(places) - fewer
        assert stores[name].report.conflicts == []


def test_headers(logs: list[Log]) -> None:
    for log in logs:
        (row,) = log.rows("SELECT * FROM live_evals($n) WHERE eval_id = $eval_id")
        spec = log.theirs.eval
        assert (row["task"], row["model"], row["status"]) == (spec.task, spec.model, log.theirs.status), log.path
        assert row["error"] == (log.theirs.error.message if log.theirs.error else None), log.path
        assert row["epochs"] == spec.config.epochs, log.path
        assert row["created"].isoformat() + "+00:00" == spec.created, log.path
        assert row["n_samples"] == len(log.samples), log.path
        assert json.loads(row["task_args_json"] or "{}") == spec.task_args, log.path
        assert row["log_eval_id"] in (spec.eval_id, None), log.path  # inspect_ai makes one up where there is none


def test_header_metrics(logs: list[Log]) -> None:
    compared = 0
    for log in logs:
        ours = log.rows("SELECT * FROM live_reported($n) WHERE eval_id = $eval_id")
        expected = [
            (score.name, score.reducer, name, None if math.isnan(metric.value) else float(metric.value))
            for score in (log.theirs.results.scores if log.theirs.results else [])
            for name, metric in score.metrics.items()
        ]
        told = [(row["key"] or row["scorer"], row["reducer"], row["metric"], row["value"]) for row in ours]
        assert sorted(map(repr, told)) == sorted(map(repr, expected)), log.path
        compared += len(expected)
    assert compared > 150


def test_ids_with_their_type_and_epochs(logs: list[Log]) -> None:
    numbers = texts = 0
    for log in logs:
        ours = [
            (int(row["sample_key"]) if row["id_is_number"] else row["sample_key"], row["epoch"])
            for row in log.rows(SAMPLES)
        ]
        assert ours == [(sample.id, sample.epoch) for sample in log.samples], log.path
        assert len(set(ours)) == len(ours), log.path
        numbers += sum(isinstance(key, int) for key, _ in ours)
        texts += sum(isinstance(key, str) for key, _ in ours)
    assert numbers > 1000
    assert texts > 0


def test_inputs_targets_replies_errors_and_limits(logs: list[Log]) -> None:
    for log in logs:
        for ours, theirs in zip(log.rows(SAMPLES), log.samples, strict=True):
            where = (log.path, theirs.id, theirs.epoch)
            asked = theirs.input
            text = asked if isinstance(asked, str) else "\n".join(expected_text(message) for message in asked)
            assert ours["input"] == text, where
            if isinstance(theirs.target, list) and len(theirs.target) > 1:
                assert json.loads(ours["target"]) == theirs.target, where
            else:
                assert (ours["target"] or "") == "".join(theirs.target), where
            assert (ours["reply"] or "") == theirs.output.completion, where
            assert ours["error"] == (theirs.error.message if theirs.error else None), where
            assert ours["limit_type"] == (theirs.limit.type if theirs.limit else None), where
            assert ours["limit_value"] == (theirs.limit.limit if theirs.limit else None), where
            assert json.loads(ours["metadata_json"] or "{}") == without_nonfinite(theirs.metadata), where


def test_scores_by_key_with_explanations_and_answers(logs: list[Log]) -> None:
    compared = 0
    for log in logs:
        ours: dict[Any, Any] = defaultdict(dict)
        for row in log.rows(SCORES):
            where = (row["sample_key"], row["epoch"])
            assert (row["scorer"], row["key"]) not in ours[where], (log.path, where)
            told = (value_of(row), row["answer"], row["explanation"], json.loads(row["metadata_json"] or "{}"))
            ours[where][row["scorer"], row["key"]] = told
        theirs = {
            (str(sample.id), sample.epoch): {
                (scorer, key): (value, score.answer, score.explanation, without_nonfinite(score.metadata or {}))
                for scorer, score in sample.scores.items()
                for key, value in expected_values(score).items()
            }
            for sample in log.samples
            if sample.scores
        }
        assert ours == theirs, log.path
        compared += sum(len(scores) for scores in theirs.values())
    assert compared > 1200


SCORES = """
SELECT s.sample_key, s.epoch, c.* FROM live_scores($n) c JOIN live_samples($n) s USING (sample_id)
WHERE c.eval_id = $eval_id
"""


def value_of(row: dict[str, Any]) -> Any:
    """The value that a row of scores stands for, NaN as "nan"."""
    number, text = row["value_num"], row["value_text"]
    if row["value_type"] == "text":
        assert number is None
        return text
    assert text is None
    if row["value_type"] == "bool":
        return bool(number)
    return number if row["value_type"] == "number" else {"nan": "nan", "missing": None}[row["value_type"]]


def test_messages_with_tool_calls_and_attachments(logs: list[Log]) -> None:
    messages = calls = 0
    for log in logs:
        ours: dict[Any, list[Any]] = defaultdict(list)
        for row in log.rows(MESSAGES):
            ours[row["sample_key"], row["epoch"]].append(row)
        theirs = {(str(sample.id), sample.epoch): sample.messages for sample in log.samples if sample.messages}
        assert set(ours) == set(theirs), log.path
        for key, expected in theirs.items():
            assert [row["idx"] for row in ours[key]] == list(range(len(expected))), (log.path, key)
            for row, message in zip(ours[key], expected, strict=True):
                assert told_by_row(row) == told_by_message(message), (log.path, key, row["idx"])
                messages += 1
                calls += len(told_by_message(message)[2])
    assert messages > 3000
    assert calls > 20


MESSAGES = """
SELECT s.sample_key, s.epoch, m.* FROM live_messages($n) m JOIN live_samples($n) s USING (sample_id)
WHERE s.eval_id = $eval_id ORDER BY s.sample_id, m.idx
"""


def told_by_row(row: dict[str, Any]) -> tuple[Any, ...]:
    calls = [(call["id"], call["function"], call["arguments"]) for call in json.loads(row["tool_calls_json"] or "[]")]
    error = json.loads(row["error_json"]) if row["error_json"] else None
    for column in ("text", "content_json", "tool_calls_json"):
        # Text that only mentions the protocol would be another matter; in these logs there is none.
        assert "attachment://" not in (row[column] or "")
    return row["role"], row["text"], calls, row["function"], error and (error["type"], error["message"])


def told_by_message(message: ChatMessage) -> tuple[Any, ...]:
    calls = message.tool_calls or [] if isinstance(message, ChatMessageAssistant) else []
    function = message.function if isinstance(message, ChatMessageTool) else None
    error = message.error if isinstance(message, ChatMessageTool) else None
    told = [(call.id, call.function, call.arguments) for call in calls]
    return message.role, expected_text(message), told, function, error and (error.type, error.message)


@pytest.fixture(scope="module")
def every(stores: dict[str, Ingested]) -> dict[str, pd.DataFrame]:
    """Every metric of every log, by folder."""
    return {name: store.rates(metrics=("all",)) for name, store in stores.items()}


def rates_of(log: Log, every: dict[str, pd.DataFrame]) -> pd.DataFrame:
    frame = every[log.folder]
    return frame[frame["eval_id"] == log.eval_id]


def test_rates_are_a_plain_recount_of_the_samples(logs: list[Log], every: dict[str, pd.DataFrame]) -> None:
    grades = {"C": 1.0, "P": 0.5, "I": 0.0}
    compared = superseded = 0
    for log in logs:
        values: dict[str, list[float]] = defaultdict(list)
        for sample in log.samples:
            for scorer, score in (sample.scores or {}).items():
                value = score.value
                assert isinstance(value, str | int | float), (log.path, value)
                name = f"correct_{scorer}" if isinstance(value, str) else f"mean_{scorer}"
                number = grades.get(value) if isinstance(value, str) else float(value)
                values[name] += [] if number is None or math.isnan(number) else [number]
        frame = rates_of(log, every).set_index("metric")
        if frame.empty and values:
            superseded += 1  # another form of the same evaluation speaks
            continue
        for name, numbers in values.items():
            row = frame.loc[name]
            assert row["n"] == len(numbers), (log.path, name)
            assert row["n_missing"] == row["n_all"] - row["n"]
            assert row["n_all"] == len(log.samples)
            if numbers:
                assert row["rate"] == pytest.approx(sum(numbers) / len(numbers), rel=1e-12), (log.path, name)
                compared += 1
            else:
                assert math.isnan(row["rate"]), (log.path, name)  # not 0
    assert compared > 50
    assert superseded <= 3


def test_sound_headers_stand_beside_the_rates_and_agree(logs: list[Log], every: dict[str, pd.DataFrame]) -> None:
    sound = [log for log in logs if log.samples and "shutdown" not in log.theirs.eval.task]
    compared = 0
    for log in sound:
        frame = rates_of(log, every).set_index("metric")
        assert not frame["disagrees"].any(), log.path
        for score in log.theirs.results.scores if log.theirs.results else []:
            mean = score.metrics.get("accuracy") or score.metrics.get("mean")
            for name in {f"correct_{score.scorer}", f"mean_{score.scorer}"} & set(frame.index):
                if mean is not None and not math.isnan(mean.value) and not math.isnan(frame.loc[name, "rate"]):
                    assert frame.loc[name, "reported"] == mean.value, (log.path, name)
                    compared += 1
    assert compared > 30


def test_epochs_are_clusters_and_the_interval_says_so(logs: list[Log], every: dict[str, pd.DataFrame]) -> None:
    several = 0
    for log in logs:
        epochs = {sample.epoch for sample in log.samples}
        frame = rates_of(log, every)
        for row in frame[(frame["kind"] == "rate") & (frame["n"] > 0)].itertuples():
            assert row.clusters == len({str(sample.id) for sample in log.samples}), log.path
            assert ("clustered by question" in row.interval) == (len(epochs) > 1), log.path
            several += len(epochs) > 1
    assert several >= 10
