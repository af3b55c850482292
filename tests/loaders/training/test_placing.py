"""Training records in the store: whose they are, which of several files counts, what waits, what is hidden."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tensorboardX import SummaryWriter

from loaders.ingest import ingest
from loaders.store import Store
from tests.empty_stores import empty_store
from tests.inspect_writer import eval_log, eval_sample, write_log


def jsonl(path: Path, *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def asked(store: Store, sql: str, hidden: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    with store.cursor(hidden=hidden) as cursor:
        return cursor.execute(sql, {"n": store.batch()}).fetchall()


CURVES = "SELECT run, metric, step, value FROM live_training($n) ORDER BY ALL"
WAITING = "SELECT run, step, step_label FROM live_checkpoints($n) ORDER BY ALL"


def test_trackers_folders_and_downloads_find_their_runs(tmp_path: Path) -> None:
    jsonl(tmp_path / "rl-a/metrics.jsonl", {"step": 0, "reward": 0.5})
    with SummaryWriter(str(tmp_path / "sft-a/runs/Nov30_08-31-59_host")) as writer:
        writer.add_scalar("train/loss", 0.5, 3)
    summary = tmp_path / "sft-b/wandb/run-20260101_000000-abcdef12/files/wandb-summary.json"
    summary.parent.mkdir(parents=True)
    summary.write_text('{"_step": 4, "train/loss": 0.25}')
    for name in ("sft-c", "sft-d"):  # histories of two runs in one folder are never one run
        jsonl(tmp_path / f"downloads/{name}.jsonl", {"_step": 1, "train/loss": 1.0})
    (tmp_path / "sft-e").mkdir()
    (tmp_path / "sft-e/history.csv").write_text("_step,train/loss\n1,2.0\n")
    store = empty_store()
    report = ingest([tmp_path], store)
    assert (report.rejected, report.left) == (0, 0)
    assert asked(store, CURVES) == [
        ("rl-a", "reward", 0, 0.5), ("sft-a", "train/loss", 3, 0.5), ("sft-b", "train/loss", 4, 0.25),
        ("sft-c", "train/loss", 1, 1.0), ("sft-d", "train/loss", 1, 1.0), ("sft-e", "train/loss", 1, 2.0),
    ]  # fmt: skip


def test_of_several_states_the_latest_counts_and_tensorboards_rounding_last(tmp_path: Path) -> None:
    for step, loss in ((10, 0.3), (100, 0.1)):
        folder = tmp_path / f"sft/checkpoint-{step}"
        folder.mkdir(parents=True)
        state = {"global_step": step, "log_history": [{"step": 5, "loss": loss}]}
        (folder / "trainer_state.json").write_text(json.dumps(state))
    with SummaryWriter(str(tmp_path / "sft/tb")) as writer:
        writer.add_scalar("train/loss", 0.1, 5)
        writer.add_scalar("train/loss", 0.5, 6)
    store = empty_store()
    ingest([tmp_path], store)
    assert asked(store, CURVES) == [("sft", "train/loss", 5, 0.1), ("sft", "train/loss", 6, 0.5)]


def test_checkpoints_wait_until_a_log_of_their_weights_comes_in(tmp_path: Path) -> None:
    at = "tinker://11111111-2222-3333-4444-555555555555:train:0/sampler_weights"
    rows = [{"name": name, "sampler_path": f"{at}/{name}", "batch": 1} for name in ("000020", "000040", "final")]
    jsonl(tmp_path / "rl-a/checkpoints.jsonl", *rows)
    weights = tmp_path / "grpo/step_100/model.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"\0" * 64)
    (tmp_path / "logs").mkdir()
    for name in ("000020", "final"):
        sample = eval_sample(id=1, scores={"judge": {"value": 1.0}})
        write_log(
            eval_log([sample], model=f"tinker-sampling/{at}/{name}", eval_id=name), tmp_path / f"logs/{name}.eval"
        )
    store = empty_store()
    ingest([tmp_path], store)
    assert asked(store, WAITING) == [
        ("grpo", 100, None), ("rl-a", 20, None), ("rl-a", 40, None), ("rl-a", None, "final"),
    ]  # fmt: skip
    assert asked(store, "SELECT run, step, step_label FROM live_evals($n) ORDER BY ALL") == [
        ("rl-a", 20, None),
        ("rl-a", None, "final"),
    ]


@pytest.mark.slow
def test_what_trained_a_private_run_is_hidden_wherever_it_lies(tmp_path: Path) -> None:
    for folder in ("x7", "open"):
        jsonl(tmp_path / f"{folder}/metrics.jsonl", {"step": 1, "reward": 0.5, "num_tokens": 3})
    (tmp_path / "x7/run.yaml").write_text("name: secret-run\n")
    store = empty_store()
    ingest([tmp_path], store)
    everything = asked(store, CURVES)
    assert {run for run, *_ in everything} == {"secret-run", "open"}
    assert asked(store, CURVES, ("secret*",)) == [row for row in everything if row[0] == "open"]
    paths = asked(store, "SELECT path FROM live_locations($n)", ("secret*",))
    assert ("x7/metrics.jsonl",) not in paths
    (tmp_path / "x7/run.yaml").write_text("name: public-now\n")
    ingest([tmp_path], store)
    assert {row[0] for row in asked(store, CURVES, ("secret*",))} == {"open"}, "what was ever private stays so"


@pytest.mark.slow
def test_a_file_that_grows_leaves_no_trail(tmp_path: Path) -> None:
    path = tmp_path / "rl-a/metrics.jsonl"
    store = empty_store()
    for count in range(1, 5):
        jsonl(path, *({"step": step, "reward": float(step)} for step in range(count)))
        ingest([tmp_path], store, forget_seconds=0.0)
    assert [row[2] for row in asked(store, CURVES)] == [0, 1, 2, 3]
    assert asked(store, "SELECT count(*) FROM main.training WHERE $n > 0")[0][0] <= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["metrics.jsonl", "events.out.tfevents.1.x", "wandb-summary.json", "history.csv"])
def test_a_broken_file_keeps_no_other_out(tmp_path: Path, name: str) -> None:
    jsonl(tmp_path / "good/metrics.jsonl", {"step": 1, "reward": 0.5})
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / name).write_text('{"step": oops, "_step,_step,')
    store = empty_store()
    report = ingest([tmp_path], store)
    assert {line.path: line.outcome for line in report.lines}["good/metrics.jsonl"] == "new"
    assert [row[0] for row in asked(store, CURVES)] == ["good"]
    assert all(line.reason for line in report.lines if line.outcome == "rejected")
