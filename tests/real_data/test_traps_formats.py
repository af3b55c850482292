"""What is known of the log formats, each fact in a test: on the real file where there is one, through the ingest."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalError, TagsEdit, edit_eval_log, edit_score, read_eval_log
from inspect_ai.log import ProvenanceData as Provenance
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser
from inspect_ai.scorer import Score, ScoreEdit

from dashboard.statistics import wilson_interval
from loaders.ingest import ingest
from tests.inspect_writer import eval_log, eval_sample, write_log, write_unfinished_log
from tests.real_stores import Ingested, ingested, shared

DEFLATE, ZSTD = 8, 93


def scored(value: Any, id: int = 1, scorer: str = "judge", **fields: Any):
    return eval_sample(id, scores={scorer: Score(value=value)}, **fields)


def scores(store: Ingested) -> list[dict[str, Any]]:
    return store.rows("SELECT * FROM live_scores($n) ORDER BY sample_id, scorer, key")


# Inspect


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "method"), [("shutdown", DEFLATE), ("inspect_rl", ZSTD)])
def test_members_are_deflate_or_zstd(shared_data: Path, folder: str, method: int) -> None:
    """Python 3.11's own zipfile can't read the second."""
    archives = list((shared_data / folder).rglob("*.eval"))
    for path in archives:
        with zipfile.ZipFile(path) as archive:
            assert {member.compress_type for member in archive.infolist()} == {method}
    store = shared(shared_data / folder)
    assert len(store.rows("SELECT * FROM live_evals($n) WHERE n_samples > 0")) == len(archives)


@pytest.mark.slow
def test_a_log_without_a_header_is_completed_later(tmp_path: Path) -> None:
    path = tmp_path / "r/checkpoint-5/log.eval"
    path.parent.mkdir(parents=True)
    whole = eval_log([scored(1.0), scored(0.0, 2), scored(0.0, 3)])
    write_unfinished_log(eval_log([scored(1.0)]), path)
    store = ingested(tmp_path)
    (before,) = store.rows("SELECT eval_key, complete, n_samples FROM live_evals($n)")
    write_log(whole, path)
    report = ingest([tmp_path], store.store)
    (after,) = store.rows("SELECT eval_key, complete, n_samples FROM live_evals($n)")
    assert [line.outcome for line in report.lines] == ["changed"]
    assert (before["complete"], before["n_samples"]) == (False, 1)
    assert (after["complete"], after["n_samples"]) == (True, 3)
    assert after["eval_key"] == before["eval_key"]  # links keep pointing at it
    assert store.rates()[["k", "n"]].values.tolist() == [[1, 3]]


@pytest.mark.slow
def test_versions_2_and_3_come_in_and_4_is_from_the_future(shared_data: Path, tmp_path: Path) -> None:
    rows = shared(shared_data / "inspect").rows("SELECT DISTINCT log_version FROM live_evals($n) ORDER BY 1")
    assert [row["log_version"] for row in rows] == [2, 3]
    newer = (shared_data / "inspect/tests/log/test_eval_log/log_version_3.txt").read_bytes()
    (tmp_path / "log.json").write_bytes(newer)
    (reason,) = ingested(tmp_path).rejected.values()
    assert "log version 4" in reason


def test_nan_in_a_header_is_a_missing_number(shared_data: Path, tmp_path: Path) -> None:
    text = (shared_data / "inspect/tests/log/test_eval_log/log_with_nan.txt").read_text()
    assert "NaN" in text
    (tmp_path / "log.json").write_text(text)
    store = ingested(tmp_path)
    assert store.report.rejected == 0
    metrics = {row["metric"]: row["value"] for row in store.rows("SELECT * FROM live_reported($n)")}
    assert metrics["accuracy"] is None


def test_nan_and_infinity_as_scores(tmp_path: Path) -> None:
    """NaN is unscored, so missing; infinity is a number that an average can't take unnoticed."""
    write_log(eval_log([scored(math.nan), scored(2.0, 2), scored(4.0, 3)]), tmp_path / "log.eval")
    store = ingested(tmp_path)
    assert [row["value_type"] for row in scores(store)] == ["nan", "number", "number"]
    (row,) = store.rates().itertuples()
    assert (row.rate, row.n, row.n_missing) == (3.0, 2, 1)


@pytest.mark.slow
@pytest.mark.parametrize("status", ["success", "error", "cancelled", "started"])
@pytest.mark.parametrize("suffix", [".eval", ".json"])
def test_every_status_comes_in_and_is_told(tmp_path: Path, status: str, suffix: str) -> None:
    log = eval_log([scored(1.0), scored(0.0, 2)])
    log.status = status
    log.error = EvalError(message="out of memory", traceback="", traceback_ansi="") if status == "error" else None
    write_log(log, tmp_path / f"log{suffix}")
    store = ingested(tmp_path)
    (row,) = store.rates().itertuples()
    assert (row.status, row.k, row.n) == (status, 1, 2)
    assert bool(row.flags) == (status != "success")
    (told,) = store.rows("SELECT error FROM live_evals($n)")
    assert told["error"] == ("out of memory" if status == "error" else None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (0.25, [(None, 0.25, None, "number")]),
        (3, [(None, 3.0, None, "number")]),
        (True, [(None, 1.0, None, "bool")]),
        (False, [(None, 0.0, None, "bool")]),
        ("C", [(None, None, "C", "text")]),
        ("some words", [(None, None, "some words", "text")]),
        ([1, "I", False], [("0", 1.0, None, "number"), ("1", None, "I", "text"), ("2", 0.0, None, "bool")]),
        ({"a": 1, "b": None}, [("a", 1.0, None, "number"), ("b", None, None, "missing")]),
    ],
)
def test_a_score_is_a_row_for_every_scalar_in_it(tmp_path: Path, value: Any, rows: list[Any]) -> None:
    write_log(eval_log([scored(value)]), tmp_path / "log.eval")
    found = scores(ingested(tmp_path))
    assert [(row["key"], row["value_num"], row["value_text"], row["value_type"]) for row in found] == rows


def test_epochs_are_resamples_of_one_question(shared_data: Path) -> None:
    """Real: one question in 4 epochs tells no more than one question."""
    frame = shared(shared_data / "inspect_flow").rates(evals=("gpqa_diamond",))
    assert frame[["k", "n", "clusters"]].values.tolist() == [[4, 4, 1]] * 2
    assert frame["n_eff"].tolist() == [1.0, 1.0]
    assert (frame["low"] < 0.25).all()


def test_message_pools_are_unfolded(shared_data: Path) -> None:
    """Real: the newer form of the log keeps each message once, and says the same as the older one."""
    store = shared(shared_data / "inspect")
    rows = store.rows(
        "SELECT e.path, list(m.text ORDER BY m.idx) AS texts FROM live_messages($n) m"
        " JOIN live_samples($n) s USING (sample_id) JOIN live_evals($n) e ON e.eval_id = s.eval_id"
        " WHERE e.path LIKE '%log_message_deduplication.eval' GROUP BY ALL ORDER BY ALL"
    )
    assert len(rows) == 2
    assert len(rows[0]["texts"]) == 12
    for row in rows:
        assert all(row["texts"])


def test_attachments_are_in_their_places(tmp_path: Path) -> None:
    """Long content is kept once and referred to: in messages, explanations, answers and metadata."""
    long = "What I would do is this. " * 200
    log = eval_log(
        [
            eval_sample(
                1,
                input="attachment://one",
                messages=[ChatMessageUser(content="attachment://one"), ChatMessageAssistant(content="short")],
                scores={"judge": Score(value=1, explanation="attachment://one", metadata={"why": "attachment://one"})},
                attachments={"one": long},
            )
        ]
    )
    write_log(log, tmp_path / "log.eval")
    store = ingested(tmp_path)
    (sample,) = store.rows("SELECT input FROM live_samples($n)")
    messages = store.rows("SELECT text FROM live_messages($n) ORDER BY idx")
    (score,) = scores(store)
    assert sample["input"] == messages[0]["text"] == score["explanation"] == long
    assert json.loads(score["metadata_json"]) == {"why": long}


def test_an_edited_score_counts_as_edited_and_keeps_its_history(tmp_path: Path) -> None:
    log = eval_log([scored("C"), scored("I", 2)])
    by = Provenance(author="reviewer", reason="misread")
    edit_score(log, 1, "judge", ScoreEdit(value="I", provenance=by), recompute_metrics=False)
    write_log(log, tmp_path / "log.eval")
    store = ingested(tmp_path)
    assert store.rates()[["k", "n"]].values.tolist() == [[0, 2]]
    edited, untouched = scores(store)
    assert [edit["value"] for edit in json.loads(edited["history_json"])] == ["C", "I"]
    assert untouched["history_json"] is None


# Other evals and tools


@pytest.mark.slow
def test_a_task_is_one_eval_whether_or_not_its_log_repeats_the_name_as_display_name(
    shared_data: Path, tmp_path: Path
) -> None:
    """Real: `mmlu_0_shot` is displayed so in one log, and as `inspect_evals/mmlu_0_shot` in another."""
    store = shared(shared_data / "inspect", shared_data / "inspect_flow")
    rows = store.rows("SELECT eval, task_display FROM live_evals($n) WHERE task = 'inspect_evals/mmlu_0_shot'")
    assert {row["task_display"] for row in rows} == {"mmlu_0_shot", "inspect_evals/mmlu_0_shot"}
    assert {row["eval"] for row in rows} == {"mmlu_0_shot"}
    write_log(eval_log([scored(1.0)], task="pkg/honeypot", task_display_name="Honeypot (long)"), tmp_path / "x.eval")
    assert ingested(tmp_path).rates()["eval"].tolist() == ["Honeypot (long)"]


@pytest.mark.slow
def test_agentic_misalignment_has_a_rate_for_each_key_and_an_eval_for_each_scenario(tmp_path: Path) -> None:
    values = [
        {"harmful": 1.0, "classifier_verdict": 1.0},
        {"harmful": 0.0, "classifier_verdict": 1.0},
        {"harmful": 0.0, "classifier_verdict": 0.0},
    ]
    for scenario in ("blackmail", "leaking", None):
        log = eval_log(
            [scored(value, id, "harmfulness_scorer") for id, value in enumerate(values, start=1)],
            task="inspect_evals/agentic_misalignment",
            task_args={"scenario": scenario, "goal_type": "explicit"} if scenario else {},
            eval_id=f"e-{scenario}",
        )
        write_log(log, tmp_path / f"{scenario}.eval")
    frame = ingested(tmp_path).rates(metrics=("harmful", "classifier_verdict"))
    # Blackmail is the task's default, which older logs don't record.
    assert frame.groupby("eval").size().to_dict() == {"blackmail": 4, "leaking": 2}
    told = frame.groupby("metric")[["k", "n"]].first()
    assert told.to_dict("index") == {"classifier_verdict": {"k": 2, "n": 3}, "harmful": {"k": 1, "n": 3}}
    assert set(ingested(tmp_path).rates()["metric"]) == {"harmful"}


def test_a_response_without_a_verdict_is_missing_and_never_harmless(tmp_path: Path) -> None:
    for number, verdict in ((1, {"harmful_behavior": True}), (2, {"error": "timeout"}), (3, None)):
        path = tmp_path / f"results/x/models/m/murder_explicit/sample_{number:03}/response.json"
        path.parent.mkdir(parents=True)
        document = {"raw_response": "...", "metadata": {"model": "m"}}
        path.write_text(json.dumps(document | ({"classification": verdict} if verdict else {})))
    store = ingested(tmp_path)
    assert (store.report.ingested, store.report.rejected) == (1, 0)
    (row,) = store.rates().itertuples()
    assert (row.metric, row.k, row.n, row.n_missing) == ("harmful_behavior", 1, 1, 2)


def test_todays_harness_says_n_and_the_rate_has_it(tmp_path: Path) -> None:
    results = {
        "results": {"sciq": {"alias": "sciq", "acc,none": 0.75, "acc_stderr,none": 0.0137}},
        "configs": {"sciq": {"task": "sciq"}}, "versions": {"sciq": 1.0}, "git_hash": "abc",
        "n-samples": {"sciq": {"original": 1000, "effective": 1000}},
        "config": {"model": "hf", "model_args": "pretrained=org/m,revision=step7"},
    }  # fmt: skip
    (tmp_path / "results_2025-01-01T00-00-00.000000.json").write_text(json.dumps(results))
    (row,) = ingested(tmp_path).rates().itertuples()
    assert (row.metric, row.rate, row.n, row.stderr) == ("acc", 0.75, 1000, 0.0137)
    assert (row.k, row.interval, row.low) == (750, "Wilson", pytest.approx(wilson_interval(750, 1000)[0]))


# Where run and step stand


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "spec", "run", "step"),
    [
        ("long-intervention-1.3b-deduped-step57000_eval_results.eval", {}, "long-intervention-1.3b-deduped", 57000),
        ("160m_step512.eval", {}, "160m", 512),
        ("tuned/eval_logs/004_val/x.eval", {}, "tuned", 4),
        ("tuned/checkpoint-1000/x.eval", {}, "tuned", 1000),
        ("tuned/step_0400/x.eval", {}, "tuned", 400),
        ("tuned/global_step_200/x.eval", {}, "tuned", 200),
        ("x.eval", {"model": "vllm/org/tuned-ckpt-500"}, "tuned", 500),
        ("x.eval", {"model": "vllm/base", "model_args": {"lora_path": "loras/tuned/checkpoint-30"}}, "tuned", 30),
        ("x.eval", {"task_args": {"step": 40}, "model": "vllm/org/tuned"}, "tuned", 40),
        ("x.eval", {"metadata": {"run": "tuned", "step": 50}}, "tuned", 50),
        ("x.eval", {"tags": ["run:tuned", "step=60"]}, "tuned", 60),
    ],
)
def test_places_where_the_step_stands(tmp_path: Path, path: str, spec: dict[str, Any], run: str, step: int) -> None:
    write_log(eval_log([scored(1.0)], **spec), _folder(tmp_path / path))
    store = ingested(tmp_path)
    (row,) = store.rates().itertuples()
    assert (row.run, row.step, row.placed) == (run, step, True)
    assert store.report.conflicts == []


def test_tags_of_inspect_flow_tell_run_step_and_section(shared_data: Path, tmp_path: Path) -> None:
    logs = sorted((shared_data / "inspect_flow").rglob("*mmlu*.eval"))
    for path, (section, run) in zip(logs, (("mixes", "tuned"), ("ablations", "plain")), strict=True):
        edits = [TagsEdit(tags_add=[f"section={section}", f"run={run}", "step=60"])]
        write_log(
            edit_eval_log(read_eval_log(str(path)), edits, Provenance(author="flow")), _folder(tmp_path / path.name)
        )
    store = ingested(tmp_path)
    assert store.report.conflicts == []
    rows = store.rows("SELECT run, section FROM live_runs($n) ORDER BY run")
    assert rows == [{"run": "plain", "section": "ablations"}, {"run": "tuned", "section": "mixes"}]
    assert {(row.run, row.step) for row in store.rates().itertuples()} == {("plain", 60), ("tuned", 60)}


def test_a_run_card_beside_the_logs_tells_what_nothing_else_does(tmp_path: Path) -> None:
    write_log(eval_log([scored(1.0)]), _folder(tmp_path / "a/x.eval"))
    (tmp_path / "a/run.yaml").write_text("name: tuned\nlogs: [{match: 'x*.eval', step: 70}]\n")
    (row,) = ingested(tmp_path).rates().itertuples()
    assert (row.run, row.step) == ("tuned", 70)


def test_two_places_that_disagree_are_told_with_both_values(tmp_path: Path) -> None:
    log = eval_log([scored(1.0)], metadata={"run": "tuned", "step": 50})
    write_log(log, _folder(tmp_path / "tuned/checkpoint-1000/x.eval"))
    store = ingested(tmp_path)
    (row,) = store.rates().itertuples()
    assert row.step == 50
    (conflict,) = store.rows("SELECT field, candidates_json FROM live_conflicts($n)")
    assert conflict["field"] == "step"
    assert json.loads(conflict["candidates_json"]) == [
        ["metadata.step", "50"], ["folder name checkpoint-1000", "1000"],
    ]  # fmt: skip
    assert len(store.report.conflicts) == 1


def _folder(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


# Trainers


def test_a_real_trainer_state_is_a_checkpoint_that_waits_for_evals(shared_data: Path) -> None:
    """12,030 steps, 216 rows of history, tokens never counted (0 seen), several eval sets at one step."""
    store = shared(shared_data / "trainer_state")
    (row,) = store.rows("SELECT run, step, epoch, tokens FROM live_checkpoints($n)")
    assert row == {"run": "trainer_state", "step": 12_030, "epoch": 30.0, "tokens": None}  # not 0
    history = json.loads((shared_data / "trainer_state/trainer_state.json").read_text())["log_history"]
    wanted = {row["step"]: row["loss"] for row in history if "loss" in row}
    rows = store.rows("SELECT step, value FROM live_training($n) WHERE metric = 'train/loss'")
    assert {row["step"]: row["value"] for row in rows} == wanted
    assert store.rates().empty


def test_tokens_of_a_trainer_are_on_the_evals_of_its_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "tuned/checkpoint-100"
    folder.mkdir(parents=True)
    state = {"global_step": 100, "epoch": 0.5, "num_input_tokens_seen": 123_456, "log_history": []}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    (folder / "adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "base_model_name_or_path": "org/base", "r": 8, "lora_alpha": 16})
    )
    write_log(eval_log([scored(1.0)]), folder / "x.eval")
    store = ingested(tmp_path)
    (row,) = store.rates().itertuples()
    assert (row.run, row.step, row.tokens) == ("tuned", 100, 123_456)
    (run,) = store.rows("SELECT run, base_model FROM live_runs($n)")
    assert run == {"run": "tuned", "base_model": "org/base"}


def test_a_card_knows_the_base_model_better_and_two_trainers_that_differ_tell_none(tmp_path: Path) -> None:
    for run, models in (("a", ("org/x", "org/x")), ("b", ("org/x", "org/y")), ("c", ("org/x", "org/x"))):
        for step, model in zip((1, 2), models, strict=True):
            path = _folder(tmp_path / f"{run}/checkpoint-{step}/adapter_config.json")
            path.write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": model}))
    (tmp_path / "c/run.yaml").write_text("name: c\nbase_model: told\n")
    rows = ingested(tmp_path).rows("SELECT run, base_model FROM live_runs($n)")
    assert {row["run"]: row["base_model"] for row in rows} == {"a": "org/x", "b": None, "c": "told"}
