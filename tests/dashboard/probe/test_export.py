"""A probe as Inspect logs: read by inspect_ai itself, and by Driftline's own loader."""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from inspect_ai.log import (
    EvalLog,
    list_eval_logs,
    read_eval_log,
    read_eval_log_sample,
    read_eval_log_sample_summaries,
    write_eval_log,
)

from dashboard.probe.asked import Column, Framing, Prompt, Sampling, Turn
from dashboard.probe.conversation import NO_TOOL_RUN
from dashboard.probe.export import export, export_logs
from dashboard.probe.export.samples import INTERRUPTED, STOPPED
from dashboard.probe.export.words import plain_error
from dashboard.probe.from_transcript import prompt_of
from dashboard.queries.frame import RateQuery
from dashboard.queries.probes import SavedProbe, SavedReply
from dashboard.queries.rates import rates
from dashboard.queries.transcript import Transcript, transcript
from loaders.errors import DriftlineError
from loaders.ingest import ingest
from loaders.inspect.log import read
from loaders.store import Store
from tests.inspect_agreement import assert_agrees
from tests.saved_probes import ADDRESS, CALL, DILEMMA, MAIL, SHOTS, eventful_probe

PERSON = "first person/ü"


@pytest.fixture(scope="module")
def probe() -> SavedProbe:
    return eventful_probe(Store.open(":memory:"))


@pytest.fixture(scope="module")
def folder(probe: SavedProbe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logs of the probe as they come out of its zip."""
    path = tmp_path_factory.mktemp("exported")
    with zipfile.ZipFile(io.BytesIO(export(probe).data)) as zipped:
        zipped.extractall(path)
    return path


@pytest.fixture(scope="module")
def paths(probe: SavedProbe, folder: Path) -> list[str]:
    """The logs by column."""
    found = [(folder / log.name).as_posix() for log in export_logs(probe)]
    assert len(found) == 3
    return found


@pytest.fixture(scope="module")
def logs(paths: list[str]) -> list[EvalLog]:
    return [read_eval_log(path) for path in paths]


@pytest.fixture(scope="module")
def store(folder: Path) -> Store:
    """The logs, ingested by ourselves."""
    store = Store.open(":memory:")
    report = ingest([folder], store)
    assert [line.reason for line in report.lines if line.reason] == []
    return store


def read_back(store: Store, key: str, sample: str, epoch: int = 1) -> Transcript:
    with store.cursor() as cursor:
        return transcript(cursor, key, sample, epoch, store.batch())


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def test_a_zip_holds_a_log_for_each_column(probe, folder):
    file = export(probe)
    assert (file.name, file.media_type) == ("probe_0123456789abcdef.zip", "application/zip")
    found = list_eval_logs(folder.as_posix())
    assert {Path(info.name).name for info in found} == {log.name for log in export_logs(probe)}
    assert {info.task for info in found} == {"probe"}
    assert all(log.name.startswith("2026-03-04T05-06-07+00-00_probe_") for log in export_logs(probe))


def test_the_same_probe_gives_the_same_bytes(probe):
    assert export(probe).data == export(probe).data
    assert len({log.name for log in export_logs(probe)}) == 3


def test_one_column_is_a_log_of_its_own(probe):
    alone = replace(probe, columns=probe.columns[:1], replies=[r for r in probe.replies if r.position == 0])
    file = export(alone)
    assert file.name.endswith(".eval")
    assert file.data == export_logs(probe)[0].data
    with pytest.raises(DriftlineError, match="Nothing to export"):
        export(replace(probe, replies=[]))


def test_inspect_reads_each_log_in_every_way(paths):
    for path in paths:
        log = read_eval_log(path)
        header = read_eval_log(path, header_only=True)
        assert header.status == log.status == "success"
        assert header.samples is None
        assert header.results == log.results
        summaries = read_eval_log_sample_summaries(path)
        assert [(s.id, s.epoch) for s in summaries] == [(s.id, s.epoch) for s in log.samples or []]
        for summary, sample in zip(summaries, log.samples or [], strict=True):
            assert summary.message_count == len(sample.messages)
            assert summary.error == (sample.error.message if sample.error else None)
            assert summary.completed
            whole = read_eval_log_sample(path, id=sample.id, epoch=sample.epoch)
            assert whole.messages == sample.messages
            assert repr(whole.scores) == repr(sample.scores)


def test_what_inspect_writes_of_what_it_read_is_the_same_again(paths, logs, tmp_path):
    """Nothing is in our logs that Inspect doesn't know: it would be lost on the way."""

    def told(value: Any) -> Any:
        return json.loads(value.model_dump_json(exclude_none=True))

    assert all(log.samples for log in logs)
    for path, log in zip(paths, logs, strict=True):
        write_eval_log(log, (tmp_path / Path(path).name).as_posix())
        with zipfile.ZipFile(path) as ours:
            for sample in log.samples or []:
                raw = json.loads(ours.read(f"samples/{sample.id}_epoch_{sample.epoch}.json"))
                assert_within(raw, told(sample))
            header = json.loads(ours.read("header.json"))
            assert_within(header["eval"], told(log.eval))
            assert_within(header["results"], told(log.results))
            assert_within(header["stats"], told(log.stats))
            assert ours.read("_journal/summaries/1.json") == ours.read("summaries.json")
            assert json.loads(ours.read("_journal/start.json"))["eval"] == header["eval"]


def assert_within(ours: Any, theirs: Any, where: str = "") -> None:
    if isinstance(ours, dict):
        assert isinstance(theirs, dict), where
        for name, value in ours.items():
            assert name in theirs, f"{where}.{name}"
            assert_within(value, theirs[name], f"{where}.{name}")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), where
        for at, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_within(mine, other, f"{where}[{at}]")
    elif where.endswith(("timestamp", "completed")):
        assert ours[:19] == theirs[:19]
    elif isinstance(ours, float) and math.isnan(ours):
        assert math.isnan(theirs), where
    else:
        assert ours == theirs, where


def test_our_loader_agrees_with_inspect(paths, logs):
    for path, log in zip(paths, logs, strict=True):
        assert_agrees(read(Path(path)), log)
        assert read(Path(path)).notes == []


def test_the_header_says_what_was_asked(logs):
    spec = logs[0].eval
    assert (spec.task, spec.model, spec.created) == (
        "driftline/probe", "openai-api/lab/sft-400", "2026-03-04T05:06:07+00:00",
    )  # fmt: skip
    assert logs[1].eval.model == "anthropic/claude-x"
    assert spec.model_generate_config.model_dump(exclude_none=True) == {
        "max_tokens": 64, "temperature": 0.7, "seed": 40,
    }  # fmt: skip
    assert (spec.config.epochs, spec.dataset.sample_ids) == (2, ["bare", PERSON])
    assert spec.packages == {"driftline": "0.1.0"}
    assert spec.metadata == {
        "run": "sft", "step": 400, "matched_by": "name", "probe": "0123456789abcdef", "title": "Replaced on Friday",
        "kind": "probe", "author": "Ada", "endpoint": "lab", "served_model": "sft-400", "base_model": "base-1b",
        "origin": {"log": "KEY", "sample": "a"},
    }  # fmt: skip
    assert len({log.eval.run_id for log in logs}) == 1
    assert len({log.eval.eval_id for log in logs}) == 3
    assert logs[0].results is not None
    assert (logs[0].results.total_samples, logs[0].results.completed_samples) == (4, 3)
    assert logs[0].stats.model_usage["openai-api/lab/sft-400"].output_tokens == 1 + 2 + 4 + 5 + 7


@pytest.mark.slow
def test_logs_come_back_to_their_run_and_step(store):
    placed = rows(
        store,
        "SELECT run, step, step_label, eval, placed FROM live_evals(1) ORDER BY run",
    )
    assert placed[1:] == [("rl", None, "final", "probe", True), ("sft", 400, None, "probe", True)]
    assert placed[0][0].startswith("claude-x ")
    assert placed[0][4] is False
    assert rows(store, "SELECT * FROM conflicts") == []


@pytest.mark.slow
def test_replies_come_back_equal(probe, store):
    assert len(probe.replies) > 10
    for reply in probe.replies:
        if any(r.turn > reply.turn and thread_of(r) == thread_of(reply) for r in probe.replies):
            continue
        log = export_logs(probe)[reply.position]
        key = rows(store, f"SELECT eval_key FROM live_evals(1) WHERE path = '{log.name}'")[0][0]
        sample = read_back(store, key, reply.framing, reply.sample + 1).sample
        prefill = "I will" if reply.framing == PERSON and reply.turn == 0 else ""
        assert sample["reply"] == prefill + reply.text
        assert sample["metadata"]["framing"] == reply.framing
        last = sample["metadata"]["replies"][-1]
        for name in ("reply_id", "turn", "attempt", "status", "seed", "stop_reason", "http_status", "seconds", "tries"):
            assert last.get(name) == getattr(reply, name)


def thread_of(reply: SavedReply) -> tuple[int, str, int]:
    return reply.position, reply.framing, reply.sample


def key_of(probe: SavedProbe, store: Store, position: int) -> str:
    name = export_logs(probe)[position].name
    return str(rows(store, f"SELECT eval_key FROM live_evals(1) WHERE path = '{name}'")[0][0])


def test_a_conversation_comes_back_whole(probe, store):
    back = read_back(store, key_of(probe, store, 0), "bare")
    assert [(m["role"], m["text"]) for m in back.messages] == [
        ("system", "You are Fen."),
        ("user", DILEMMA.turns[0].text),
        ("assistant", "I tell her.\n\n“Ü”"),
        ("tool", NO_TOOL_RUN),
        ("tool", NO_TOOL_RUN),
        ("user", "Why?"),
        ("assistant", "Because I am asked."),
        ("user", "Really?"),
        ("assistant", "Yes, but"),
    ]
    reply = back.messages[2]
    assert reply["reasoning"] == "Hm, well."
    assert reply["model"] == "sft-400-real"
    good, broken = reply["tool_calls"]
    assert (good["id"], good["function"], good["arguments"]) == ("c1", "send_email", json.loads(CALL.arguments))
    assert broken["arguments"] == {}
    assert '{"to": ["pet\n\nError details:' in broken["parse_error"]
    assert [m["tool_call_id"] for m in back.messages[3:5]] == ["c1", "c2"]
    assert {m["function"] for m in back.messages[3:5]} == {"send_email"}
    assert [m["source"] for m in back.messages if m["role"] == "user"] == ["input", "operator", "operator"]
    assert back.messages[-1]["metadata"] == {"partial": True}
    assert back.sample["error"] == "lab ended the reply: [address] hung up."
    usage = {"input_tokens": 22, "output_tokens": 3, "total_tokens": 25}
    assert back.sample["model_usage"] == {"openai-api/lab/sft-400": usage}
    assert back.sample["total_time"] == 22.0
    assert back.sample["working_time"] == 4.5


def test_what_was_not_counted_is_missing_and_not_nothing(probe, store, tmp_path):
    [first, *_] = export_logs(replace(probe, replies=[replace(r, input_tokens=None) for r in probe.replies]))
    (tmp_path / first.name).write_bytes(first.data)
    [held, *_] = read(tmp_path / first.name).evals[0].samples
    assert json.loads(held.model_usage_json or "") == {
        "openai-api/lab/sft-400": {"output_tokens": 3, "total_tokens": 3},
    }  # fmt: skip
    assert read_eval_log((tmp_path / first.name).as_posix()).status == "success"
    assert read_back(store, key_of(probe, store, 1), "bare", 1).sample["model_usage"] is None


@pytest.mark.parametrize(
    ("framing", "epoch", "error", "limit", "reply", "stop", "last"),
    [
        ("bare", 1, "401 of [address]", None, "", "unknown", "user"),
        ("bare", 2, None, "operator", "I think", "unknown", "assistant"),
        (PERSON, 1, INTERRUPTED, None, "I will go", "unknown", "assistant"),
        (PERSON, 2, None, None, "I will", "content_filter", "assistant"),
    ],
)
def test_partial_replies_are_kept_and_say_why(probe, store, framing, epoch, error, limit, reply, stop, last):
    back = read_back(store, key_of(probe, store, 1), framing, epoch)
    found = back.sample
    assert (found["error"], found["limit_type"]) == (error, limit)
    assert (found["reply"], found["stop_reason"], back.messages[-1]["role"]) == (reply, stop, last)


def test_inspect_shows_why_a_reply_was_stopped(logs):
    [stopped] = [sample for sample in logs[1].samples or [] if sample.limit]
    assert stopped.limit.reason == STOPPED
    assert stopped.error is None


def test_verdicts_and_marks_come_back(probe, store):
    scores = {s["scorer"]: s for s in read_back(store, key_of(probe, store, 0), "bare").scores}
    assert {name: (s["value_num"], s["value_type"], s["explanation"]) for name, s in scores.items()} == {
        "judge_judge-7b": (1.0, "number", "It threatens her."),
        "turn 2: judge_judge-7b": (0.0, "number", "It gives its reason."),
        "judge_other": (None, "nan", "The judge's reply is no verdict."),
        "mark_Ada": (1.0, "number", "clear case"),
        "mark_Bo": (None, "nan", "not sure"),
    }
    assert scores["judge_other"]["reason"] == "bad_data"
    assert scores["judge_other"]["metadata"]["raw"] == "???"
    assert scores["mark_Ada"]["metadata"] == {"author": "Ada", "marked_at": "2026-03-04T05:21:57"}
    assert scores["judge_judge-7b"]["answer"] == "misaligned"
    assert read_back(store, key_of(probe, store, 2), "bare").scores == []
    assert rows(store, "SELECT judge FROM live_evals(1) WHERE run = 'sft'") == [("judge-7b, other",)]


def test_the_rate_of_misaligned_is_the_default(store):
    with store.cursor() as cursor:
        found = rates(cursor, RateQuery(evals=("probe",), runs=("sft",)), store.batch()).to_dict("records")
    [rate] = found
    # A conversation that broke off in its third turn keeps the verdict on its first reply.
    assert (rate["metric"], rate["k"], rate["n"], rate["n_all"]) == ("judged_misaligned", 1, 2, 4)
    assert (rate["disagrees"], rate["flags"]) == (False, [])


def test_judges_that_differ_are_no_contradiction_of_the_header(probe, tmp_path):
    def judged(reply: SavedReply) -> SavedReply:
        verdicts = reply.verdicts
        if "j1" in verdicts:
            other = {"aligned": "misaligned", "misaligned": "aligned"}[verdicts["j1"]["verdict"]]
            verdicts = verdicts | {"j2": verdicts["j1"] | {"judge_id": "j2", "verdict": other}}
        return replace(reply, verdicts=verdicts)

    [first, *_] = export_logs(replace(probe, replies=[judged(reply) for reply in probe.replies]))
    (tmp_path / first.name).write_bytes(first.data)
    store = Store.open(":memory:")
    ingest([tmp_path], store)
    with store.cursor() as cursor:
        [rate] = rates(cursor, RateQuery(evals=("probe",)), store.batch()).to_dict("records")
        [alone] = rates(cursor, RateQuery(evals=("probe",), metrics=("mean_judge_other",)), 1).to_dict("records")
    assert (rate["metric"], rate["k"], rate["n"]) == ("judged_misaligned", 2, 2)
    assert (alone["k"], alone["n"], alone["reported"]) == (1, 2, 0.5)
    assert not rate["disagrees"]
    assert not alone["disagrees"]


def test_an_exported_reply_can_be_asked_for_again(probe, store):
    back = read_back(store, key_of(probe, store, 0), "bare")
    carried = prompt_of(back, 2)
    assert carried.prompt == DILEMMA
    assert carried.prompt.tools == (MAIL,)
    assert carried.remarks == ()
    shots = prompt_of(read_back(store, key_of(probe, store, 0), PERSON)).prompt
    assert shots == Prompt(turns=SHOTS.turns, tools=shots.tools)


def test_what_is_nested_without_end_can_still_be_read(logs):
    [sample] = [s for s in logs[0].samples or [] if s.id == PERSON and s.epoch == 1]
    [call] = sample.messages[-1].tool_calls
    assert call.arguments == {}
    assert "nested too deeply" in call.parse_error
    assert "[" * 400 in call.parse_error


def test_the_events_tell_each_request(logs):
    [sample] = [s for s in logs[0].samples or [] if s.id == "bare" and s.epoch == 1]
    events = [event for event in sample.events if event.event == "model"]
    assert [len(event.input) for event in events] == [2, 6, 8]
    assert [event.output.stop_reason for event in events] == ["tool_calls", "max_tokens", "unknown"]
    assert [event.error for event in events] == [None, None, "lab ended the reply: [address] hung up."]
    [tool] = events[0].tools
    assert tool.parameters.required == ["to"]
    assert set(tool.parameters.properties) == {"to", "copy", "size", "either"}
    assert events[0].config.seed == 40


def test_there_is_no_address_in_an_export(folder):
    paths = list(folder.iterdir())
    assert len(paths) == 3
    for path in paths:
        with zipfile.ZipFile(path) as zipped:
            assert "header.json" in zipped.namelist()
            for name in zipped.namelist():
                held = zipped.read(name).decode()
                assert ADDRESS not in held
                assert "10.1.2.3" not in held


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("lab: no connection to https://gpu7.lab.example:8443/v1/chat?x=1", "lab: no connection to [address]"),
        ("All connection attempts to 127.0.0.1:8000 failed", "All connection attempts to [address] failed"),
        ("Cannot connect to gpu7:8000 [::1]:80", "Cannot connect to [address] [address]"),
        ("429: too many requests, wait 12 s", "429: too many requests, wait 12 s"),
        ("At 12:30, 1.5 s after", "At 12:30, 1.5 s after"),
        (None, None),
    ],
)
def test_addresses_are_taken_out_of_errors(text, plain):
    assert plain_error(text) == plain


@pytest.mark.slow
def test_a_large_probe_is_exported_in_time(probe):
    """1 MB a reply, in eight columns of four samples."""
    framing = Framing("bare", Prompt(turns=(Turn("user", "Say much."),)))
    big = "All work and no play. " * 45_000
    replies = [
        replace(probe.replies[0], reply_id=position * 10 + sample, position=position, sample=sample, text=big,
                calls=(), reasoning="", verdicts={}, marks={})
        for position in range(8) for sample in range(4)
    ]  # fmt: skip
    columns = [{"position": at} | column(f"m{at}") for at in range(8)]
    large = replace(
        probe, framings=json_of([framing]), sampling=json_of(Sampling(samples=4)), columns=columns, replies=replies,
    )  # fmt: skip
    assert len(export_logs(large)) == 8


def column(model: str) -> dict[str, Any]:
    return msgspec.structs.asdict(Column("lab", "openai", model))


def json_of(value: Any) -> str:
    return msgspec.json.encode(value).decode()
