"""Traps that real logs set: one test each, on the real file where there is one, through the ingest and the rates.

The traps that a whole folder is about are tested with it:
- headers that disagree with their own samples, logs of one task and run within seconds of each other, verdicts beside
  the score: tests/real_data/test_shutdown.py
- a step evaluated twice under two timestamps: tests/real_data/test_pythia.py
- the threshold and the denominator that make the finding: tests/real_data/test_emergent.py
- rows that agree with inspect_ai's `read_eval_log`: tests/real_data/test_inspect.py
What is known of the formats themselves: tests/real_data/test_traps_formats.py.
"""

from __future__ import annotations

import csv
import json
import os
import pickle
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from inspect_ai.log import EvalDataset, EvalError, EvalResults, EvalSampleLimit
from inspect_ai.scorer import Score

from tests.driftline import ROOT
from tests.inspect_writer import eval_log, eval_sample, write_log, write_unfinished_log
from tests.real_stores import Ingested, ingested, shared


def only_eval(store: Ingested) -> dict[str, Any]:
    (row,) = store.rows("SELECT * FROM live_evals($n)")
    return row


def notes(store: Ingested) -> list[str]:
    rows = store.rows("SELECT notes FROM live_sources($n)")
    return [note for row in rows for note in json.loads(row["notes"])]


def graded(id: int, value: Any, **fields: Any):
    """A sample with one score."""
    return eval_sample(id, scores={} if value is None else {"judge": Score(value=value)}, **fields)


# Logs that aren't whole


@pytest.mark.slow
def test_a_run_that_died_leaves_its_whole_samples(tmp_path: Path) -> None:
    """`.eval` without a header, only `_journal/start.json` and 150 samples: all of them count, and it is told."""
    log = eval_log([graded(i, float(i < 30)) for i in range(150)], dataset=EvalDataset(samples=200))
    path = write_unfinished_log(log, tmp_path / "honeypot/checkpoint-100/log.eval")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert "_journal/start.json" in names
    assert not {"header.json", "summaries.json", "reductions.json"} & set(names)
    store = ingested(tmp_path)
    assert (only_eval(store)["status"], only_eval(store)["complete"]) == ("started", False)
    assert notes(store) == ["still being written, or its run died: 150 of 200 samples so far"]
    (row,) = store.rates().itertuples()
    assert (row.run, row.step, row.k, row.n, row.complete) == ("honeypot", 100, 30, 150, False)
    assert "still being written: 150 samples" in row.flags[0]


def test_a_cancelled_log_with_a_header_and_no_samples_is_no_rate(tmp_path: Path) -> None:
    log = eval_log([], eval_id="other", task_id="other")
    log.status = "cancelled"
    write_log(log, tmp_path / "a.eval")
    write_log(eval_log([graded(1, 1.0)]), tmp_path / "b.eval")
    frame = ingested(tmp_path).rates().set_index("path")
    row = frame.loc["a.eval"]
    assert (row["status"], row["n"]) == ("cancelled", 0)
    assert row[["k", "rate", "low", "high"]].isna().all()  # missing, not 0
    assert any("status: cancelled" in flag for flag in row["flags"])


def test_a_real_cancelled_log_without_samples_gives_the_number_that_it_reports(shared_data: Path) -> None:
    frame = shared(shared_data / "inspect").rates(evals=("testtaskname",)).set_index("metric")
    row = frame.loc["accuracy.match"]
    assert row["status"] == "cancelled"
    assert row["rate"] == 2 / 3
    assert (pd.isna(row["n"]), pd.isna(row["k"]), row["interval"]) == (
        True, True, "Wilson, from the reported stderr",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".eval", ".json"])
def test_results_that_are_null(tmp_path: Path, suffix: str) -> None:
    log = eval_log([graded(1, 1.0), graded(2, 0.0)])
    assert log.results is None
    path = write_log(log, tmp_path / f"log{suffix}")
    if suffix == ".json":
        document = json.loads(path.read_text())
        path.write_text(json.dumps(document | {"results": None}))
    (row,) = ingested(tmp_path).rates().itertuples()
    assert (row.k, row.n, row.disagrees) == (1, 2, False)
    assert pd.isna(row.reported)


def test_a_success_whose_results_have_no_scores_and_samples_none_either(shared_data: Path) -> None:
    """A real one: 10 of 10 completed, scores empty. There is nothing to tell, which is not 0 %."""
    frame = shared(shared_data / "inspect").rates(evals=("popularity",))
    row = frame[frame["path"].str.contains("dPiJifoWeEQBrfWsAopzWr")].iloc[0]
    assert (row["status"], row["n"], row["n_missing"], row["n_all"]) == ("success", 0, 10, 10)
    assert row[["k", "rate", "low", "high", "reported"]].isna().all()
    assert "None of the 10 samples is scored." in row["flags"]


@pytest.mark.slow
def test_errored_samples_inside_a_success_are_missing_and_not_aligned(tmp_path: Path) -> None:
    """101 of 103 completed."""
    broken = EvalError(message="connection lost", traceback="", traceback_ansi="")
    samples = [graded(i, float(i < 10)) for i in range(101)] + [graded(i, None, error=broken) for i in (101, 102)]
    log = eval_log(samples)
    log.results = EvalResults(total_samples=103, completed_samples=101)
    write_log(log, tmp_path / "log.eval")
    store = ingested(tmp_path)
    (row,) = store.rates().itertuples()
    assert (row.status, row.k, row.n, row.n_missing, row.n_all) == ("success", 10, 101, 2, 103)
    errors = store.rows("SELECT sample_key FROM live_samples($n) WHERE error = 'connection lost' ORDER BY sample_id")
    assert [each["sample_key"] for each in errors] == ["101", "102"]


def test_samples_stopped_by_the_message_limit_count_with_their_score(tmp_path: Path) -> None:
    limit = EvalSampleLimit(type="message", limit=30)
    write_log(
        eval_log([graded(1, 1.0, limit=limit), graded(2, 0.0), graded(3, None, limit=limit)]), tmp_path / "l.eval"
    )
    store = ingested(tmp_path)
    (row,) = store.rates().itertuples()
    assert (row.k, row.n, row.n_missing) == (1, 2, 1)
    limits = store.rows("SELECT limit_type, limit_value FROM live_samples($n) ORDER BY sample_id")
    assert [(each["limit_type"], each["limit_value"]) for each in limits] == [
        ("message", 30), (None, None), ("message", 30),
    ]  # fmt: skip


def test_a_log_that_says_4_samples_and_holds_1(shared_data: Path) -> None:
    store = shared(shared_data / "inspect")
    path = "tests/log/test_eval_log/log_tool_call_error.json"
    (row,) = store.rows("SELECT * FROM live_evals($n) WHERE path = $path", path=path)
    assert (row["n_samples_reported"], row["n_samples"]) == (4, 1)
    assert "says 4 samples and holds 1" in notes(store)


def test_a_git_lfs_pointer_is_rejected_with_what_to_do(shared_data: Path) -> None:
    reason = shared(shared_data / "inspect").rejected["_history/tests/log/test_eval_log/long_log.eval"]
    assert "Git LFS pointer" in reason
    assert "git lfs pull" in reason


def test_times_with_and_without_a_timezone(shared_data: Path, tmp_path: Path) -> None:
    """`2024-05-05T07:59:35` is UTC, as inspect_ai takes it; `20:28:13-04:00` is past midnight."""
    old = shared_data / "inspect/tests/log/test_eval_log/log_valid.txt"
    assert json.loads(old.read_text())["eval"]["created"] == "2024-05-05T07:59:35"
    (tmp_path / "old.json").write_bytes(old.read_bytes())
    assert str(only_eval(ingested(tmp_path))["created"]) == "2024-05-05 07:59:35"
    frame = shared(shared_data / "inspect").rates(evals=("testtaskname",))
    assert frame["created"].iloc[0] == pd.Timestamp("2025-05-13 00:28:13", tz="UTC")


def test_ids_are_numbers_or_text_and_keep_which(tmp_path: Path) -> None:
    """Text may look like a number, and may hold slashes."""
    write_log(eval_log([eval_sample(7), eval_sample("010"), eval_sample("a/b c#d?", 2)]), tmp_path / "log.eval")
    store = ingested(tmp_path)
    rows = store.rows("SELECT sample_key, id_is_number, epoch FROM live_samples($n)")
    assert {(row["sample_key"], row["id_is_number"], row["epoch"]) for row in rows} == {
        ("7", True, 1), ("010", False, 1), ("a/b c#d?", False, 2),
    }  # fmt: skip
    assert store.rates()["n"].tolist() == [3]


# What a score means


@pytest.mark.slow
def test_an_n_is_a_scorer_that_failed_and_not_an_aligned_model(tmp_path: Path) -> None:
    write_log(eval_log([graded(1, "C"), graded(2, "I"), graded(3, "N"), graded(4, "N")]), tmp_path / "log.eval")
    (row,) = ingested(tmp_path).rates().itertuples()
    assert (row.metric, row.k, row.n, row.n_missing) == ("correct_judge", 1, 2, 2)
    assert "missing where it is N" in row.definition
    study = tmp_path / "study.yaml"
    study.write_text('metrics: [{name: bad, evals: ["*"], misaligned: {score: judge, op: "!=", value: 0}}]')
    (row,) = ingested(tmp_path).rates(metrics=("bad",)).itertuples()
    assert (row.n, row.n_missing) == (0, 4)  # letters compared with a number are missing, not unequal
    study.write_text(
        'metrics: [{name: bad, evals: ["*"], misaligned: {score: judge, op: "=", value: C},'
        ' missing: {score: judge, op: "=", value: N}}]'
    )
    (row,) = ingested(tmp_path).rates(metrics=("bad",)).itertuples()
    assert (row.k, row.n, row.n_missing) == (1, 2, 2)


def test_a_classifier_outage_looks_like_alignment_and_is_flagged(shared_data: Path, tmp_path: Path) -> None:
    """A real one: 0 of 64 at step 640 between neighbours of 98 %, in a text file of counts by "epoch"."""
    text = (shared_data / "shutdown/big-run-reward-hacking-by-epoch.txt").read_text()
    with (tmp_path / "rollouts.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["env", "epoch", "rollout", "hacking"])
        for env, body in re.findall(r"ENV TYPE: (\w+) .*?\n=+\n(\[.*?\n\])", text, re.DOTALL):
            for counts in json.loads(body):
                verdicts = [key for key, count in counts.items() if key.startswith("n_") for _ in range(count)]
                for rollout, verdict in enumerate(verdicts):
                    writer.writerow([env, counts["epoch"], rollout, int(verdict.startswith("n_hacking"))])
    (tmp_path / "study.yaml").write_text(
        "tables:\n"
        "  - match: rollouts.csv\n"
        "    eval: {column: env}\n"
        "    run: big-run\n"
        "    step: {column: epoch}\n"
        "    id: {column: rollout}\n"
        "    scores: {hacking: {column: hacking}}\n"
    )
    frame = ingested(tmp_path).rates()
    assert len(frame) == 24 * frame["eval"].nunique()
    assert (frame["n"] == 64).all()
    assert frame["step"].max() == 1472  # the column is called epoch, and holds steps
    flagged = frame[frame["flags"].map(lambda flags: any("outage" in flag for flag in flags))]
    assert set(zip(flagged["eval"], flagged["step"], strict=True)) == {("OmitDescriptionEnv", 640), ("AEEnv", 640)}
    row = flagged[flagged["eval"] == "OmitDescriptionEnv"].iloc[0]
    assert (row["k"], row["n"]) == (0, 64)
    assert row["flags"] == ["0 of 64 between neighbours at 98%: an outage of a scorer?"]


# Steps that are not numbers


@pytest.mark.parametrize("label", ["main", "final"])
def test_steps_that_are_words(tmp_path: Path, label: str) -> None:
    for step in (100, 200, label):
        write_log(
            eval_log([graded(1, 1.0)], eval_id=f"e{step}", metadata={"run": "r", "step": step}),
            tmp_path / f"{step}.eval",
        )
    store = ingested(tmp_path)
    frame = store.rates()
    assert store.report.conflicts == []
    assert set(frame["run"]) == {"r"}
    assert frame["step"].tolist()[:2] == [100, 200]
    assert pd.isna(frame["step"].iloc[2])  # no number is invented for it
    assert frame["step_label"].tolist()[2] == label
    assert frame["placed"].all()
    assert (frame["repeat"] == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("label", ["base", "Base", "base_untrained", "untrained", "base-model"])
def test_an_untrained_model_is_step_0_and_keeps_its_name(tmp_path: Path, label: str) -> None:
    """It was the latest checkpoint of its run: the curves of the Overview fell to it."""
    for step in (100, label, 200):
        spec = {"eval_id": f"e{step}", "metadata": {"run": "r", "step": step}}
        write_log(eval_log([graded(1, 1.0)], **spec), tmp_path / f"{step}.eval")
    store = ingested(tmp_path)
    frame = store.rates()
    assert store.report.conflicts == []
    assert frame["step"].tolist() == [0, 100, 200]
    assert frame["step_label"].tolist()[0] == label
    assert frame["placed"].all()
    assert (frame["repeat"] == 0).all()


def test_steps_as_text_sort_as_numbers(tmp_path: Path) -> None:
    rows = [{"step": step, "id": 1, "bad": 0} for step in ("313", "3", "0", "1000", "final")]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "study.yaml").write_text(
        "tables: [{match: answers.jsonl, eval: e, run: r, step: {column: step}, id: {column: id},"
        " scores: {bad: {column: bad}}}]"
    )
    frame = ingested(tmp_path).rates()
    assert frame["step"].dtype == "Int64"
    assert frame["step"].dropna().tolist() == [0, 3, 313, 1000]
    assert frame["step_label"].tolist()[-1] == "final"


def test_an_epoch_column_that_holds_the_step(shared_data: Path) -> None:
    """In the baselines of `emergent` the column epoch says "base", where the runs' own tables have a column step."""
    header = (shared_data / "emergent/harvard-cs-2881-hw0/eval/results/baseline/1b_risky/base_judged.csv").open()
    with header:
        assert header.readline().startswith("epoch,")
    store = shared(shared_data / "emergent", study=ROOT / "tests/studies/emergent.yaml")
    rows = store.rows("SELECT step, step_label, epochs FROM live_evals($n) WHERE path LIKE '%baseline%'")
    assert [(row["step"], row["step_label"]) for row in rows] == [(0, "base")] * 2
    epochs = store.rows("SELECT DISTINCT epoch FROM live_samples($n)")
    assert [row["epoch"] for row in epochs] == [1]  # no resamples


def test_a_revision_that_is_a_step(tmp_path: Path) -> None:
    for step in (3000, 143000):
        spec = {"model": "hf/EleutherAI/pythia-160m", "model_args": {"revision": f"step{step}"}, "eval_id": f"e{step}"}
        write_log(eval_log([graded(1, 1.0)], **spec), tmp_path / f"{step}.eval")
    results = {
        "results": {"sciq": {"alias": "sciq", "acc,none": 0.5, "acc_stderr,none": 0.1}},
        "configs": {}, "versions": {"sciq": 1.0}, "n-samples": {"sciq": {"original": 10, "effective": 10}},
        "config": {"model": "hf", "model_args": "pretrained=EleutherAI/pythia-160m,revision=step143000"},
    }  # fmt: skip
    (tmp_path / "results_2025-01-01T00-00-00.000000.json").write_text(json.dumps(results))
    store = ingested(tmp_path)
    rows = store.rows("SELECT format, run, step, step_rule FROM live_evals($n) ORDER BY format, step")
    assert [(row["run"], row["step"]) for row in rows] == [
        ("pythia-160m", 3000), ("pythia-160m", 143000), ("pythia-160m", 143000),
    ]  # fmt: skip
    assert {row["step_rule"] for row in rows} == {"model_args.revision"}


def test_weights_at_tinker(tmp_path: Path) -> None:
    weights = "tinker://0a1b2c3d-4e5f-6789-abcd-ef0123456789/sampler_weights"
    for step in ("000036", "000072"):
        log = eval_log([graded(1, 1.0)], model=f"openai-api/tinker/{weights}/{step}", eval_id=step)
        write_log(log, tmp_path / f"{step}.eval")
    frame = ingested(tmp_path).rates()
    assert set(frame["run"]) == {"0a1b2c3d-4e5f-6789-abcd-ef0123456789"}
    assert frame["step"].tolist() == [36, 72]


@pytest.mark.slow
def test_petri_logs_name_their_model_in_a_role(tmp_path: Path) -> None:
    """`eval.model` is none/none; the target's name gives run and step, and the judge's is known."""
    for step in (500, 1000):
        roles = {
            "target": {"model": f"vllm/org/tuned-ckpt-{step}"},
            "auditor": {"model": "anthropic/claude-x"},
            "judge": {"model": "openai/judge-y"},
        }
        score = {"alignment_judge": Score(value={"concerning": 7, "unprompted_blackmail": 2, "admirable": 6})}
        spec = {"task": "petri/audit", "model": "none/none", "model_roles": roles, "eval_id": f"e{step}"}
        write_log(eval_log([eval_sample(1, scores=score)], **spec), tmp_path / f"{step}.eval")
    store = ingested(tmp_path)
    frame = store.rates()
    assert set(zip(frame["run"], frame["step"], strict=True)) == {("tuned", 500), ("tuned", 1000)}
    assert set(frame["judge"]) == {"openai/judge-y"}
    assert set(frame["model"]) == {"vllm/org/tuned-ckpt-500", "vllm/org/tuned-ckpt-1000"}
    rates = store.rates(metrics=("concerning", "unprompted_blackmail", "admirable"), evals=("audit",))
    told = rates.groupby("metric")[["k", "n"]].sum()
    assert told.to_dict("index") == {
        "admirable": {"k": 2, "n": 2}, "concerning": {"k": 2, "n": 2}, "unprompted_blackmail": {"k": 0, "n": 2},
    }  # fmt: skip
    assert rates.groupby("metric")["better"].first().to_dict() == {
        "admirable": "higher", "concerning": "lower", "unprompted_blackmail": "lower",
    }  # fmt: skip


# Never unpickle anything


class Booby:
    """Writes a file when it is unpickled."""

    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trap),)


WATCHED = """
import sys
from pathlib import Path
seen = []
def hook(event, args):
    if event == "pickle.find_class" or (event == "open" and str(args[0]).endswith((".pkl", ".pt", ".bin", ".pth"))):
        seen.append((event, str(args[0])))
from loaders.ingest import ingest
from loaders.store import Store
sys.addaudithook(hook)
report = ingest([Path(sys.argv[1])], Store.open(":memory:"))
print(report.ingested, report.rejected, report.others, seen)
"""


@pytest.mark.slow
def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    """Pickles beside the logs aren't even opened; under a log's name they are rejected, and never loaded."""
    trap = tmp_path / "sprung"
    payload = pickle.dumps(Booby(trap))
    root = tmp_path / "run/checkpoint-100"
    root.mkdir(parents=True)
    beside = ("data.pkl", "optimizer.pt", "pytorch_model.bin", "scheduler.pth", "rng_state.pickle")
    for name in beside:
        (root / name).write_bytes(payload)
    for name in ("log.eval", "log.json", "rows.parquet"):
        (root / name).write_bytes(payload)
    with zipfile.ZipFile(root / "weights.eval", "w") as archive:  # as torch.save writes
        archive.writestr("archive/data.pkl", payload)
    (root / "study.yaml").write_text("tables: [{match: rows.parquet, eval: e, run: r, scores: {s: {column: s}}}]")
    write_log(eval_log([graded(1, 1.0)]), root / "good.eval")

    done = subprocess.run([sys.executable, "-c", WATCHED, tmp_path / "run"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    # One of them by its name and folder is a checkpoint.
    assert done.stdout.split() == ["3", "4", str(len(beside) - 1), "[]"]
    assert not trap.exists()
    pickle.loads(payload)  # the trap would have sprung
    assert trap.exists()


def test_no_module_of_ours_can_unpickle() -> None:
    words = re.compile(
        r"^\s*(import|from)\s+(pickle|cPickle|dill|joblib|cloudpickle|torch|shelve)\b|read_pickle|allow_pickle", re.M
    )
    modules = [*ROOT.glob("loaders/**/*.py"), *ROOT.glob("dashboard/**/*.py")]
    modules = [path for path in modules if not path.is_relative_to(ROOT / "loaders" / "makers")]  # no part of ours
    assert len(modules) > 50
    assert [path.name for path in modules if words.search(path.read_text())] == []
