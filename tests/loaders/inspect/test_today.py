"""Logs as inspect_ai writes them today, in every format and shape, checked against what it reads back."""

from __future__ import annotations

import json
import math
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalError,
    EvalLog,
    EvalMetric,
    EvalResults,
    EvalRetryError,
    EvalSampleLimit,
    EvalScore,
    MetadataEdit,
    ProvenanceData,
    TagsEdit,
    edit_eval_log,
    edit_score,
    read_eval_log,
)
from inspect_ai.log._log import EvalScorer
from inspect_ai.log._recorders.chunked import convert_eval_logs_to_chunked
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    ContentDocument,
    ContentImage,
    ContentReasoning,
    ContentText,
    ModelOutput,
    ModelUsage,
    get_model,
)
from inspect_ai.model._model_config import ModelConfig
from inspect_ai.scorer import Score, ScoreEdit, includes, match
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import Tool, ToolCall, ToolCallError, tool

from loaders.inspect.archive import ZSTD
from loaders.inspect.log import matches, read
from loaders.records import EvalRecord, LoadedFile, SampleRecord
from tests.inspect_agreement import assert_agrees, assert_header_agrees, assert_sample_agrees, parsed, scores_of
from tests.inspect_writer import eval_log, eval_sample, write_log, write_unfinished_log

PNG = "data:image/png;base64," + "iVBORw0KGgo" * 3000
EVERY_FORMAT = pytest.mark.parametrize("suffix", [".eval", ".json"])


def loaded_and_agreeing(log: EvalLog, path: Path) -> LoadedFile:
    """The log written, loaded, and compared with what inspect_ai reads back."""
    write_log(log, path)
    with path.open("rb") as file:
        assert matches(path, file.read(4096))
    loaded = read(path)
    assert_agrees(loaded, read_eval_log(path.as_posix()))
    return loaded


def only_sample(loaded: LoadedFile) -> SampleRecord:
    (sample,) = loaded.evals[0].samples
    return sample


@EVERY_FORMAT
def test_ids_of_every_kind_and_epochs(tmp_path: Path, suffix: str) -> None:
    ids: list[int | str] = [7, 70, "7a", "a/b/c", "../up", "höhe 中文 🎈", "a_epoch_1/messages/0", "x/sample", " "]
    log = eval_log([eval_sample(i, epoch) for i in ids for epoch in (1, 2, 3)], config=EvalConfig(epochs=3))
    record = loaded_and_agreeing(log, tmp_path / f"log{suffix}").evals[0]
    assert len(record.samples) == 27
    assert {s.sample_key for s in record.samples if s.id_is_number} == {"7", "70"}
    assert record.n_samples_reported == 27
    assert [s.epoch for s in record.samples] == [1] * 9 + [2] * 9 + [3] * 9


@EVERY_FORMAT
def test_scores_of_every_kind(tmp_path: Path, suffix: str) -> None:
    scores = {
        "number": Score(value=0.25),
        "whole": Score(value=3),
        "letter": Score(value="I", reason="refusal"),
        "digits": Score(value="0.5"),
        "yes": Score(value=True),
        "no": Score(value=False),
        "dict": Score(value={"harmful": 1.0, "verdict": "yes", "seen": True, "none": None}, explanation="why"),
        "list": Score(value=[1, "b", False]),
        "unscored": Score.unscored(reason="grader_failed", metadata={"grade": math.nan, "kept": 1}),
        "infinite": Score(value=math.inf),
        "partly": Score(value={"a": math.nan, "b": -math.inf, "c": 0}),
        "empty": Score(value={}, explanation="nothing to say"),
    }
    sample = only_sample(loaded_and_agreeing_scores(eval_log([eval_sample(scores=scores)]), tmp_path / f"log{suffix}"))
    assert scores_of(sample) == {
        ("number", None): 0.25,
        ("whole", None): 3.0,
        ("letter", None): "I",
        ("digits", None): "0.5",
        ("yes", None): True,
        ("no", None): False,
        ("dict", "harmful"): 1.0,
        ("dict", "verdict"): "yes",
        ("dict", "seen"): True,
        ("dict", "none"): None,
        ("list", "0"): 1.0,
        ("list", "1"): "b",
        ("list", "2"): False,
        ("unscored", None): "nan",
        ("infinite", None): math.inf,
        ("partly", "a"): "nan",
        ("partly", "b"): -math.inf,
        ("partly", "c"): 0.0,
        ("empty", None): None,
    }
    rows = {(row.scorer, row.key): row for row in sample.scores}
    assert rows["dict", "harmful"].explanation == rows["dict", "none"].explanation == "why"
    assert rows["empty", None].explanation == "nothing to say"
    assert rows["unscored", None].reason == "grader_failed"
    assert parsed(rows["unscored", None].metadata_json, None) == {"grade": None, "kept": 1}
    assert [row.scorer for row in sample.scores][:3] == ["number", "whole", "letter"]


def loaded_and_agreeing_scores(log: EvalLog, path: Path) -> LoadedFile:
    """As `loaded_and_agreeing`, but an empty score is our row without a value, which the oracle doesn't have."""
    write_log(log, path)
    loaded = read(path)
    theirs = read_eval_log(path.as_posix())
    assert_header_agrees(loaded.evals[0], theirs)
    return loaded


@EVERY_FORMAT
def test_edited_scores_keep_their_history(tmp_path: Path, suffix: str) -> None:
    log = eval_log([eval_sample(1), eval_sample(2)])
    who = ProvenanceData(author="reviewer", reason="misread")
    edit_score(log, 1, "includes", ScoreEdit(value="I", provenance=who), recompute_metrics=False)
    edit_score(
        log, 1, "includes", ScoreEdit(value=math.nan, explanation="new", provenance=who), recompute_metrics=False
    )
    edited, untouched = loaded_and_agreeing(log, tmp_path / f"log{suffix}").evals[0].samples
    (row,) = edited.scores
    assert (row.value_type, row.explanation) == ("nan", "new")
    assert [edit["value"] for edit in parsed(row.history_json, None)] == ["C", "I", None]
    assert untouched.scores[0].history_json is None


@EVERY_FORMAT
def test_errors_retries_limits_and_invalidation(tmp_path: Path, suffix: str) -> None:
    error = EvalError(message="boom", traceback="Traceback ...", traceback_ansi="")
    retry = EvalRetryError(message="first", traceback="", traceback_ansi="")
    log = eval_log(
        [
            eval_sample(1, error=error, scores=None, output=ModelOutput()),
            eval_sample(2, error_retries=[retry, retry]),
            eval_sample(3, error_retries=[]),
            eval_sample(4, limit=EvalSampleLimit(type="message", limit=30)),
            eval_sample(5, invalidation=ProvenanceData(author="reviewer")),
        ]
    )
    failed, repeated, once, limited, invalid = loaded_and_agreeing(log, tmp_path / f"log{suffix}").evals[0].samples
    assert (failed.error, failed.error_traceback, failed.scores) == ("boom", "Traceback ...", [])
    assert failed.reply == "Paris.", "without an output the last assistant message is the reply"
    assert (repeated.retries, once.retries, limited.retries) == (2, 0, None)
    assert (limited.limit_type, limited.limit_value, limited.error) == ("message", 30.0, None)
    assert (invalid.invalidated, limited.invalidated) == (True, False)


@EVERY_FORMAT
def test_failed_cancelled_and_empty_evals(tmp_path: Path, suffix: str) -> None:
    log = eval_log(None)
    log.status, log.error = "error", EvalError(message="no sandbox", traceback="", traceback_ansi="")
    record = loaded_and_agreeing(log, tmp_path / f"error{suffix}").evals[0]
    assert (record.status, record.error, record.samples, record.complete) == ("error", "no sandbox", [], True)
    log = eval_log([eval_sample(1)], dataset=EvalDataset(samples=3, sample_ids=[1, 2, 3]))
    log.status = "cancelled"
    loaded = loaded_and_agreeing(log, tmp_path / f"cancelled{suffix}")
    assert loaded.evals[0].status == "cancelled"
    assert loaded.notes == ["says 3 samples and holds 1"]


CONVERSATION = [
    ChatMessageSystem(content="Use tools.", metadata={"n": 1}),
    ChatMessageUser(content=[ContentText(text="Look:"), ContentImage(image=PNG), ContentText(text="What is it?")]),
    ChatMessageAssistant(
        content=[ContentReasoning(reasoning="Let me think."), ContentText(text="I call a tool.")],
        tool_calls=[ToolCall(id="c1", function="bash", arguments={"cmd": "ls -l", "n": 2, "deep": {"x": [1, None]}})],
        model="mockllm/model",
        source="generate",
    ),
    ChatMessageTool(content="a.txt\n" * 500, tool_call_id="c1", function="bash"),
    ChatMessageTool(
        content="", tool_call_id="c2", function="bash", error=ToolCallError(type="timeout", message="too slow")
    ),
    ChatMessageAssistant(content=[ContentText(text="Done: ü 🎈", refusal=True)], model="mockllm/model"),
    ChatMessageUser(content=[ContentDocument(document="https://example.org/a.pdf"), ContentImage(image="pic.png")]),
    ChatMessageAssistant(content=[ContentReasoning(reasoning="cipher", summary="In short.", redacted=True)]),
    ChatMessageUser(content=[ContentText(text="plain")]),
]


@EVERY_FORMAT
def test_messages_with_parts_tools_media_and_reasoning(tmp_path: Path, suffix: str) -> None:
    log = eval_log([eval_sample(input=CONVERSATION[:2], messages=CONVERSATION)])
    sample = only_sample(loaded_and_agreeing(log, tmp_path / f"log{suffix}"))
    _, user, caller, _, failed, refusal, media, redacted, plain = sample.messages
    assert user.text == "Look:\n[image/png, 25 kB]\nWhat is it?"
    assert sample.input == f"Use tools.\n{user.text}"
    assert [part["type"] for part in parsed(user.content_json, [])] == ["text", "image", "text"]
    assert parsed(user.content_json, [])[1]["image"] == "[image/png, 25 kB]"
    assert (caller.reasoning, caller.text) == ("Let me think.", "I call a tool.")
    assert parsed(caller.tool_calls_json, None)[0]["arguments"] == {"cmd": "ls -l", "n": 2, "deep": {"x": [1, None]}}
    assert parsed(failed.error_json, None) == {"type": "timeout", "message": "too slow"}
    assert parsed(refusal.content_json, None)[0]["refusal"] is True
    assert media.text == "[document: https://example.org/a.pdf]\n[image: pic.png]"
    assert (redacted.reasoning, redacted.text) == ("In short.", "")
    assert (plain.text, plain.content_json) == ("plain", None)


def test_small_media_stay_in_the_content(tmp_path: Path) -> None:
    small = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
    log = eval_log([eval_sample(messages=[ChatMessageUser(content=[ContentImage(image=small)])])])
    (message,) = only_sample(loaded_and_agreeing(log, tmp_path / "log.eval")).messages
    assert parsed(message.content_json, None)[0]["image"] == small
    assert message.text == "[image/gif, 15 bytes]"


def test_attachments_are_resolved_wherever_they_stand(tmp_path: Path) -> None:
    path = write_log(
        eval_log(
            [
                eval_sample(
                    messages=[
                        ChatMessageUser(content="attachment://long"),
                        ChatMessageAssistant(
                            content="plain",
                            tool_calls=[ToolCall(id="1", function="f", arguments={"text": ["attachment://long"]})],
                        ),
                        ChatMessageUser(content="attachment://unknown"),
                    ],
                    metadata={"prompt": "attachment://long", "picture": "attachment://png", "same": "attachment://no"},
                    scores={
                        "judge": Score(value=1, explanation="attachment://long", metadata={"g": "attachment://long"})
                    },
                    attachments={"long": "a long text \x00 with NUL", "png": PNG},
                )
            ]
        ),
        tmp_path / "log.json",
    )
    sample = only_sample(read(path))
    text = "a long text \ufffd with NUL"
    assert [message.text for message in sample.messages] == [text, "plain", "attachment://unknown"]
    assert parsed(sample.messages[1].tool_calls_json, None)[0]["arguments"] == {"text": [text]}
    assert parsed(sample.metadata_json, None) == {
        "prompt": text,
        "picture": "[image/png, 25 kB]",
        "same": "attachment://no",
    }
    assert (sample.scores[0].explanation, parsed(sample.scores[0].metadata_json, None)) == (text, {"g": text})


def test_header(tmp_path: Path) -> None:
    log = eval_log(
        [eval_sample()],
        task="inspect_evals/agentic_misalignment",
        task_version="2-A",
        task_file="x.py",
        task_args={"scenario": "blackmail", "prod": False},
        model_args={"revision": "step143000"},
        model_roles={
            "grader": ModelConfig(model="openai/gpt-5"),
            "target": [ModelConfig(model="vllm/a"), ModelConfig(model="vllm/b")],
        },
        model="none/none",
        tags=["run:x", "step=100"],
        metadata={"step": 100},
        packages={"inspect_ai": "0.3.285"},
        config=EvalConfig(epochs=4, limit=10),
        created="2026-01-02T05:04:00+02:00",
    )
    record = loaded_and_agreeing(log, tmp_path / "log.eval").evals[0]
    assert (record.task_version, record.epochs) == ("2-A", 4)
    assert record.created == datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    assert (record.model, record.target_model, record.judge) == ("none/none", "vllm/a, vllm/b", "openai/gpt-5")
    assert parsed(record.task_args_json, None)["scenario"] == "blackmail"
    assert record.n_samples_reported == 4


@pytest.mark.parametrize(
    ("spec", "judge"),
    [
        ({"scorers": [EvalScorer(name="model_graded_qa", options={"model": "openai/gpt-4o"})]}, "openai/gpt-4o"),
        ({"scorers": [EvalScorer(name="q", options={"model": ["a/b", "c/d"]})]}, "a/b, c/d"),
        ({"scorers": [EvalScorer(name="q", options={"judge_model": "a/b"}), EvalScorer(name="m")]}, "a/b"),
        ({"task_args": {"grader_model": "google/gemini"}}, "google/gemini"),
        ({"task_args": {"model": "google/gemini"}}, None),
        ({"model_roles": {"target": ModelConfig(model="a/b")}}, None),
        ({}, None),
    ],
)
def test_judge(tmp_path: Path, spec: dict[str, Any], judge: str | None) -> None:
    record = loaded_and_agreeing(eval_log([eval_sample()], **spec), tmp_path / "log.eval").evals[0]
    assert (record.judge, record.target_model) == (judge, None)


@EVERY_FORMAT
def test_reported_metrics(tmp_path: Path, suffix: str) -> None:
    scores = {
        "honeypot": Score(value={"harmful": 1, "verdict": 0}),
        "match": Score(value="I"),
        "match1": Score(value="C"),
    }
    log = eval_log([eval_sample(scores=scores)])

    def metrics(**values: float) -> dict[str, EvalMetric]:
        return {name: EvalMetric(name=name, value=value) for name, value in values.items()}

    log.results = EvalResults(
        total_samples=48,
        completed_samples=48,
        scores=[
            EvalScore(name="harmful", scorer="honeypot", metrics=metrics(mean=0.5, stderr=0.1), scored_samples=40),
            EvalScore(name="verdict", scorer="honeypot", reducer="mode", metrics=metrics(std=0.2, stderr=0.1)),
            EvalScore(name="match1", scorer="match", metrics=metrics(accuracy=1)),
        ],
    )
    record = loaded_and_agreeing(log, tmp_path / f"log{suffix}").evals[0]
    rows = [(m.scorer, m.key, m.reducer, m.metric, m.value, m.stderr, m.n) for m in record.reported]
    assert rows == [
        ("honeypot", "harmful", None, "mean", 0.5, 0.1, 40),
        ("honeypot", "harmful", None, "stderr", 0.1, None, 40),
        ("honeypot", "verdict", "mode", "std", 0.2, None, None),
        ("honeypot", "verdict", "mode", "stderr", 0.1, None, None),
        ("match1", None, None, "accuracy", 1.0, None, None),
    ]
    assert record.n_samples_reported == 48


@EVERY_FORMAT
def test_edited_tags_and_metadata(tmp_path: Path, suffix: str) -> None:
    log = eval_log([eval_sample()], tags=["b", "a"], metadata={"step": 1, "old": True})
    edits = [
        TagsEdit(tags_add=["c"], tags_remove=["a"]),
        MetadataEdit(metadata_set={"step": 2}, metadata_remove=["old"]),
    ]
    log = edit_eval_log(log, edits, ProvenanceData(author="me"))
    loaded = loaded_and_agreeing(log, tmp_path / f"log{suffix}")
    assert parsed(loaded.evals[0].tags_json, None) == ["b", "c"]
    assert parsed(loaded.evals[0].metadata_json, None) == {"step": 2}
    assert "its tags or metadata were edited once afterwards" in loaded.notes


def test_todays_zip_is_zstd_and_its_samples_carry_usage(tmp_path: Path) -> None:
    usage = {"mockllm/model": ModelUsage(input_tokens=5, output_tokens=7, total_tokens=12)}
    path = tmp_path / "log.eval"
    sample = only_sample(loaded_and_agreeing(eval_log([eval_sample(model_usage=usage)]), path))
    with zipfile.ZipFile(path) as archive:
        assert {member.compress_type for member in archive.infolist()} == {ZSTD}
    assert parsed(sample.model_usage_json, None)["mockllm/model"]["output_tokens"] == 7


@pytest.mark.slow
def test_a_log_still_being_written_comes_in_as_far_as_it_goes(tmp_path: Path) -> None:
    log = eval_log(
        [eval_sample(i) for i in range(150)],
        dataset=EvalDataset(samples=1000, sample_ids=list(range(200))),
        config=EvalConfig(epochs=2),
    )
    path = write_unfinished_log(log, tmp_path / "log.eval")
    with zipfile.ZipFile(path) as archive:
        assert "header.json" not in archive.namelist()
    loaded = read(path)
    assert_agrees(loaded, read_eval_log(path.as_posix()))
    record = loaded.evals[0]
    assert (record.status, record.complete, len(record.samples), record.n_samples_reported) == (
        "started",
        False,
        150,
        400,
    )
    assert loaded.notes == ["still being written, or its run died: 150 of 400 samples so far"]


def test_a_log_that_has_only_begun(tmp_path: Path) -> None:
    loaded = read(write_unfinished_log(eval_log([]), tmp_path / "log.eval"))
    assert (loaded.evals[0].status, loaded.evals[0].complete, loaded.evals[0].samples) == ("started", False, [])


def test_a_json_log_still_being_written(tmp_path: Path) -> None:
    log = eval_log([eval_sample()])
    log.status = "started"
    record = loaded_and_agreeing(log, tmp_path / "log.json").evals[0]
    assert (record.status, record.complete) == ("started", False)


def test_of_a_sample_written_twice_the_last_counts(tmp_path: Path) -> None:
    log = eval_log([eval_sample(1, scores={"s": Score(value=0)}), eval_sample(1, scores={"s": Score(value=1)})])
    path = write_unfinished_log(log, tmp_path / "log.eval")
    again = eval_sample(1, scores={"s": Score(value=2)}).model_dump_json()
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("samples/1_epoch_1.json", again)
    loaded = read(path)
    assert_agrees(loaded, read_eval_log(path.as_posix()))
    assert only_sample(loaded).scores[0].value_num == 2


@tool
def lookup() -> Tool:
    async def execute(place: str) -> str:
        """Look a place up.

        Args:
            place: Its name.
        """
        return f"{place}: " + "known for its towers. " * 20

    return execute


@pytest.mark.slow
def test_a_real_run_with_tools_and_epochs(tmp_path: Path) -> None:
    usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)

    def outputs() -> list[ModelOutput]:
        pair = [
            ModelOutput.for_tool_call("mockllm/model", "lookup", {"place": "Pisa"}),
            ModelOutput.from_content("mockllm/model", "In Pisa, " + "there is a tower. " * 20),
        ]
        for output in pair:
            output.usage = usage
        return pair

    task = Task(
        dataset=[Sample(id="q/1", input="Where? " * 40, target="Pisa", metadata={"category": "a"})],
        solver=[use_tools(lookup()), generate()],
        scorer=[includes(), match()],
        epochs=3,
    )
    model = get_model("mockllm/model", custom_outputs=[output for _ in range(3) for output in outputs()])
    (log,) = run_eval(task, model=model, log_dir=tmp_path.as_posix(), log_format="eval", display="none", max_samples=1)
    assert log.status == "success"
    (path,) = tmp_path.glob("*.eval")
    loaded = read(path)
    assert_agrees(loaded, read_eval_log(path.as_posix()))
    record = loaded.evals[0]
    assert [s.epoch for s in record.samples] == [1, 2, 3]
    assert [m.role for m in record.samples[0].messages] == ["user", "assistant", "tool", "assistant"]
    assert {(m.scorer, m.metric) for m in record.reported} >= {("includes", "accuracy"), ("match", "accuracy")}
    assert loaded.notes == []


def chunked(path: Path, folder: Path, **sizes: int) -> Path:
    """The log with every sample in the chunked shape, by inspect_ai's own converter."""
    convert_eval_logs_to_chunked(path.as_posix(), folder.as_posix(), **sizes)
    return folder / path.name


def chunkable_log() -> EvalLog:
    long = "a long question, again and again. " * 30
    talk = [
        message
        for turn in range(7)
        for message in (
            ChatMessageUser(content=f"{turn} {long}"),
            ChatMessageAssistant(
                content=[ContentText(text=f"{turn} {long}{long}")],
                tool_calls=[ToolCall(id=f"c{turn}", function="f", arguments={"text": long, "turn": turn})],
            ),
        )
    ]
    return eval_log(
        [
            eval_sample("a/b", messages=[*talk, *CONVERSATION], input=long, metadata={"note": long, "n": [1, 2]}),
            eval_sample(5, messages=talk[:4], metadata={}, scores={"judge": Score(value=math.nan, explanation=long)}),
            eval_sample("empty", messages=[]),
            eval_sample("a_epoch_1", 2, messages=[talk[0], talk[0], talk[3], talk[0]]),
        ]
    )


@pytest.mark.parametrize("sizes", [{}, {"chunk_size": 3, "attachments_chunk_bytes": 2000}])
def test_chunked_samples_say_the_same_as_whole_ones(tmp_path: Path, sizes: dict[str, int]) -> None:
    whole = write_log(chunkable_log(), tmp_path / "log.eval")
    path = chunked(whole, tmp_path / "chunked", **sizes)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert "samples/a/b_epoch_1/sample.json" in names
    assert sum("/messages/" in name for name in names) > (8 if sizes else 2)
    theirs = read_eval_log(whole.as_posix())
    record = read(path).evals[0]
    assert_header_agrees(record, theirs)
    for ours, expected in zip(record.samples, theirs.samples or [], strict=True):
        assert_sample_agrees(ours, expected)
    assert [len(sample.messages) for sample in record.samples] == [4, 23, 0, 4]


def test_chunked_and_whole_samples_in_one_log(tmp_path: Path) -> None:
    log = chunkable_log()
    path = chunked(write_log(log, tmp_path / "log.eval"), tmp_path / "chunked")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("samples/more_epoch_1.json", eval_sample("more").model_dump_json())
        # An id that looks like a chunk of another sample.
        looks = "a/b_epoch_1/messages/0"
        archive.writestr(f"samples/{looks}_epoch_1.json", eval_sample(looks).model_dump_json())
        # The same sample in both shapes: Inspect takes the whole one.
        archive.writestr("samples/5_epoch_1.json", eval_sample(5, scores={"judge": Score(value=9)}).model_dump_json())
    samples = {(s.sample_key, s.epoch): s for s in read(path).evals[0].samples}
    assert set(samples) == {("a/b", 1), ("5", 1), ("empty", 1), ("a_epoch_1", 2), ("more", 1), (looks, 1)}
    assert samples["5", 1].scores[0].value_num == 9


def test_a_log_renamed_is_known_by_its_content(tmp_path: Path) -> None:
    record = read(write_log(eval_log([eval_sample()]), tmp_path / "log.json").rename(tmp_path / "log.eval")).evals[0]
    assert isinstance(record, EvalRecord)
    assert len(record.samples) == 1


def test_every_json_column_is_compact(tmp_path: Path) -> None:
    sample = only_sample(read(write_log(eval_log([eval_sample(metadata={"a": {"b": [1, 2]}})]), tmp_path / "log.json")))
    assert sample.metadata_json == json.dumps({"a": {"b": [1, 2]}}, separators=(",", ":"))
