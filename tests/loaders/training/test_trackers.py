"""Files of TensorBoard, W&B and Tinker: each number as the writer's own library has it, cut and broken files too."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tensorboardX import SummaryWriter
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event

from loaders.errors import RejectedFile
from loaders.records import LoadedFile
from loaders.training import tensorboard, tinker, wandb
from tests.fuzzing import KINDS, variations, write_variation


def told(loaded: LoadedFile) -> dict[str, dict[int, float | None]]:
    return {one.metric: dict(zip(one.steps, one.readings, strict=True)) for one in loaded.training}


def events(folder: Path) -> Path:
    with SummaryWriter(str(folder), flush_secs=1) as writer:
        for step in range(5):
            writer.add_scalar("train/loss", 1 / (step + 1), step * 10)
            writer.add_scalar("train/learning_rate", 1e-5 * step, step * 10)
        writer.add_text("note", "no scalar", 0)
        writer.add_histogram("weights", np.arange(9), 0)
        writer.add_scalar("train/loss", math.nan, 50)
    (path,) = folder.iterdir()
    return path


LOSSES: dict[int, float | None] = {step * 10: float(np.float32(1 / (step + 1))) for step in range(5)}


def test_scalars_of_tensorboard_are_those_that_were_written(tmp_path: Path) -> None:
    path = events(tmp_path)
    assert tensorboard.matches(path, b"")
    loaded = tensorboard.read(path)
    assert told(loaded) == {
        "train/loss": {**LOSSES, 50: None},
        "train/learning_rate": {step * 10: float(np.float32(1e-5 * step)) for step in range(5)},
    }
    assert loaded.growing
    assert loaded.training[0].rank == pytest.approx(path.stat().st_mtime, abs=60)


def test_scalars_as_tensorflow_writes_them(tmp_path: Path) -> None:
    writer = EventsWriter(str(tmp_path / "events"))
    for step, content in ((1, {"float_val": [0.25]}), (2, {"tensor_content": np.float32(0.5).tobytes()})):
        event = Event(step=step, wall_time=1.0)
        value = event.summary.value.add(tag="loss")
        value.tensor.dtype = 1
        for name, given in content.items():
            setattr(value.tensor, name, given) if isinstance(given, bytes) else value.tensor.float_val.extend(given)
        writer.write_event(event)
    writer.close()
    (path,) = tmp_path.iterdir()
    assert told(tensorboard.read(path)) == {"loss": {1: 0.25, 2: 0.5}}


@pytest.mark.slow
def test_an_event_file_cut_anywhere_gives_what_is_whole_or_is_rejected(tmp_path: Path) -> None:
    path = events(tmp_path / "whole")
    whole = path.read_bytes()
    cut = tmp_path / "events.out.tfevents.1.cut"
    counts = []
    for length in range(0, len(whole), 7):
        cut.write_bytes(whole[:length])
        try:
            found = told(tensorboard.read(cut)).get("train/loss", {})
        except RejectedFile:
            found = {}
        assert found.items() <= {**LOSSES, 50: None}.items()
        counts.append(len(found))
    assert counts == sorted(counts)
    assert counts[-1] >= 5


def test_a_broken_event_file_keeps_what_is_before_the_break(tmp_path: Path) -> None:
    path = events(tmp_path)
    whole = path.read_bytes()
    at = whole.rindex(b"train/loss")
    path.write_bytes(whole[:at] + b"X" + whole[at + 1 :])
    loaded = tensorboard.read(path)
    assert told(loaded)["train/loss"] == LOSSES
    assert any(note.startswith("is broken at byte") for note in loaded.notes)
    path.write_bytes(b"no event file, but called like one")
    with pytest.raises(RejectedFile, match="no event file of TensorBoard"):
        tensorboard.read(path)


HISTORY = pd.DataFrame(
    {
        "_step": [0, 1, 2, 3, 4],
        "_runtime": [1.5, 2.5, 3.5, 4.5, 5.5],
        "train/global_step": [10, 20, 30, 40, None],
        "train/loss": [2.5, math.inf, 0.125, None, None],
        "train/note": ["a", None, None, None, None],
        "eval/loss": [None, None, None, 1 / 3, None],
    }
)
WANTED = {"train/loss": {10: 2.5, 20: None, 30: 0.125}, "eval/loss": {40: 1 / 3}}


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_history_of_wandb_is_as_pandas_writes_it(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"history.{kind}"
    if kind == "csv":
        HISTORY.to_csv(path)
    else:  # as `scan_history` gives rows: without what a call of log didn't hold
        rows = HISTORY.to_dict("records")
        lines(path, *({k: v for k, v in row.items() if v == v} for row in rows))
    assert wandb.matches(path, path.read_bytes()[:4096])
    loaded = wandb.read(path)
    assert told(loaded) == WANTED
    assert [note for note in loaded.notes if "NaN or infinite" in note]
    path.write_bytes(path.read_bytes()[:-8])
    cut = wandb.read(path)
    assert "cut off" in cut.notes[0]
    assert told(cut)["train/loss"] == WANTED["train/loss"]


def test_a_charts_export_is_a_table_of_several_runs(cases: Path) -> None:
    (path,) = (cases / "wandb-export-wide").glob("*.csv")
    head = path.read_bytes()
    assert not wandb.matches(path, head)
    assert not wandb.matches(path, head.replace(b'"Step"', b'"_step"'))


def test_a_run_folders_summary_holds_the_last_values(tmp_path: Path) -> None:
    path = tmp_path / wandb.SUMMARY
    summary = {"_step": 7, "_runtime": 3.2, "train/loss": 0.5, "_wandb": {"runtime": 3}, "h": {"_type": "histogram"}}
    path.write_text(json.dumps(summary))
    assert told(wandb.read(path)) == {"train/loss": {7: 0.5}}


def lines(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def test_tinkers_metrics_with_the_sum_of_its_batches_as_tokens(tmp_path: Path) -> None:
    rows = [
        {"step": step, "num_tokens": 100 + step, "train_mean_nll": 2 / (step + 1), "note": "x"} for step in range(4)
    ]
    path = lines(tmp_path / "metrics.jsonl", *rows)
    assert tinker.matches(path, path.read_bytes())
    frame = pd.read_json(path, lines=True, precise_float=True).set_index("step")
    assert told(tinker.read(path)) == {
        "train_mean_nll": frame["train_mean_nll"].to_dict(),
        "num_tokens": frame["num_tokens"].astype(float).to_dict(),
        "tokens": frame["num_tokens"].cumsum().astype(float).to_dict(),
    }
    lines(path, *rows[1:])
    assert "tokens" not in told(tinker.read(path)), "the tokens of step 0 are not known"


def test_a_line_that_is_still_written_waits_and_a_broken_one_is_named(tmp_path: Path) -> None:
    path = lines(tmp_path / "metrics.jsonl", {"step": 0, "r": 1}, "{oops", [1], {"step": 1, "r": 2})
    path.write_text(path.read_text() + '{"step": 2, "r": 0.12')
    loaded = tinker.read(path)
    assert told(loaded) == {"r": {0: 1.0, 1: 2.0}}
    assert "line 5" in loaded.notes[0]
    assert "line 2 is not valid JSON" in loaded.notes[1]
    assert "line 3 is a JSON list" in loaded.notes[1]
    lines(path, "{oops")
    with pytest.raises(RejectedFile, match="line 1 is not valid JSON"):
        tinker.read(path)


def test_tinkers_checkpoints_are_those_that_can_be_sampled(tmp_path: Path) -> None:
    def row(name: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "batch": 3, "epoch": 1, "state_path": f"tinker://u/weights/{name}", **more}

    sampled = {"sampler_path": "tinker://u/sampler_weights/x"}
    path = lines(tmp_path / "checkpoints.jsonl", row("000020", **sampled), row("000030"), row("final", **sampled))
    loaded = tinker.read(path)
    assert [(one.folder, one.step, one.step_label) for one in loaded.checkpoints] == [
        (None, 20, None),
        (None, None, "final"),
    ]
    assert loaded.notes == ["left out: 1 of training state alone, which can't be sampled"]


def test_rollout_summaries_come_to_their_means(tmp_path: Path) -> None:
    rows = [
        {"split": "train", "iteration": 10, "total_reward": reward, "trajectory_metrics": {"format": 1.0},
         "steps": [{"reward": reward, "metrics": {"hack": hack}} for hack in hacks]}
        for reward, hacks in ((1.0, [0, 1]), (0.0, [1]), (0.5, []))
    ]  # fmt: skip
    path = lines(tmp_path / "iteration_000010/train_rollout_summaries.jsonl", *rows)
    assert tinker.matches(path, path.read_bytes()[:4096])
    assert told(tinker.read(path)) == {
        "rollouts/train/total_reward": {10: 0.5},
        "rollouts/train/format": {10: 1.0},
        "rollouts/train/hack": {10: 2 / 3},
    }


@pytest.mark.parametrize("kind", ["tinker metrics", "tinker checkpoints", "tinker rollouts", "wandb summary"])
def test_whatever_one_field_holds_a_file_is_read_or_rejected(tmp_path: Path, kind: str) -> None:
    load = wandb.read if kind.startswith("wandb") else tinker.read
    for at, odd in variations(KINDS[kind]):
        path = write_variation(tmp_path, KINDS[kind], at, odd, 0)
        try:
            loaded = load(path)
        except RejectedFile:
            continue
        for series in loaded.training:
            assert series.steps == sorted(set(series.steps))
            assert len(series.readings) == len(series.steps)
            assert all(value is None or math.isfinite(value) for value in series.readings)
