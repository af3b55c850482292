"""Writes the study: logs by inspect_ai's own writer, run cards, trainer states, study.yaml."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from inspect_ai.log import write_eval_log

from .figures import POINTS
from .logs import build
from .points import Point
from .runs import RUNS, Run, step_folder
from .study import study_file
from .tasks import TASKS

DEMO = Path(__file__).resolve().parents[3] / "runs" / "demo"
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BETWEEN = timedelta(minutes=11)
_HEAD = "# Written by `python -m loaders.makers.demo`. Simulated: see study.yaml at the root of this study.\n"


def write_study(out: Path, wanted: Callable[[Point], bool] = lambda _: True) -> list[Path]:
    """Writes the study into an empty or earlier folder of its own and returns the logs.

    Args:
        out: The study's folder; what an earlier writing left there is removed first.
        wanted: Which points are written; a part has the same bytes as in the whole.
    """
    if out.exists():
        if not (out / "study.yaml").is_file():
            raise ValueError(f"{out} exists and is no study (no study.yaml in it): remove it by hand")
        shutil.rmtree(out)
    out.mkdir(parents=True)
    _write_yaml(out / "study.yaml", study_file())
    for run in RUNS.values():
        folder = out / run.folder
        if run.place != "study file":
            folder.mkdir(parents=True)
            _write_yaml(folder / "run.yaml", {"name": run.name, **run.card})
        for step in run.trainer:
            _write_trainer(folder / f"checkpoint-{step}", run, step)
    return [_write_log(out, point, START + i * BETWEEN) for i, point in enumerate(POINTS) if wanted(point)]


def _write_yaml(path: Path, fields: dict[str, Any]) -> None:
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=110)
    path.write_text(_HEAD + text, encoding="utf-8")


def _write_trainer(folder: Path, run: Run, step: int) -> None:
    """What Hugging Face's trainer leaves in a checkpoint, without the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    losses = [
        {"epoch": round(at / 800, 4), "step": at, "loss": round(1.1 + 0.9 / (1 + at / 90), 4), "learning_rate": 2e-5}
        for at in range(100, step + 1, 100)
    ]
    state = {
        "best_metric": None,
        "epoch": round(step / 800, 4),
        "global_step": step,
        "is_local_process_zero": True,
        "is_world_process_zero": True,
        "log_history": losses,
        "logging_steps": 100,
        "max_steps": 800,
        "num_input_tokens_seen": run.trainer[step],
        "num_train_epochs": 1,
        "save_steps": 200,
        "train_batch_size": 8,
    }
    adapter = {
        "base_model_name_or_path": run.card["base_model"],
        "bias": "none",
        "lora_alpha": 32,
        "lora_dropout": 0.0,
        "peft_type": "LORA",
        "r": 16,
        "target_modules": ["q_proj", "v_proj"],
        "task_type": "CAUSAL_LM",
    }
    (folder / "trainer_state.json").write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
    (folder / "adapter_config.json").write_text(json.dumps(adapter, indent=2) + "\n", encoding="utf-8")


def _write_log(out: Path, point: Point, created: datetime) -> Path:
    run = RUNS[point.run]
    log = build(point, run, created)
    folder = out / run.folder / step_folder(run, point.step)
    folder.mkdir(parents=True, exist_ok=True)
    label = TASKS[point.eval].label + (f"-{point.variant}" if point.variant else "")
    path = folder / f"{created:%Y-%m-%dT%H-%M-%S}+00-00_{label}_{log.eval.task_id}.eval"
    write_eval_log(log, str(path))
    _stamp(path, created)
    return path


def _stamp(path: Path, when: datetime) -> None:
    """Sets the time of every zip member, which the writer takes from the clock, so that bytes repeat."""
    time = when.hour << 11 | when.minute << 5 | when.second // 2
    date = (when.year - 1980) << 9 | when.month << 5 | when.day
    stamp = struct.pack("<HH", time, date)
    with zipfile.ZipFile(path) as archive:
        offsets = [member.header_offset for member in archive.infolist()]
        directory = archive.start_dir
    data = bytearray(path.read_bytes())
    for offset in offsets:
        data[offset + 10 : offset + 14] = stamp
    for _ in offsets:
        data[directory + 12 : directory + 16] = stamp
        name, extra, comment = struct.unpack_from("<HHH", data, directory + 28)
        directory += 46 + name + extra + comment
    path.write_bytes(data)
