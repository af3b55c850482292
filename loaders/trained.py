"""What trainers left, placed by its folder, and what it tells of runs and checkpoints: mixes, tokens, adapters."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from loaders.errors import unforeseen
from loaders.shelf import CardShelf
from loaders.store.reconcile import rows_of
from loaders.study.cards import Mix, is_untrained
from loaders.study.evidence import Conflict, Placement, RunRow
from loaders.study.placement import place_checkpoint
from loaders.study.trained_on import mix_of_config
from loaders.trainer import tokens_told


@dataclass
class Trained:
    """A checkpoint that a trainer left, and where that puts it."""

    record: dict[str, Any]
    path: str
    placement: Placement
    folder: str
    """Where the checkpoint lies, as an absolute path."""


Told = tuple[str | None, int | None, Conflict]
"""A conflict with the path and the eval that it is about."""


@lru_cache(maxsize=1000)
def from_json(text: str | None) -> Any:
    """The evals of one file share most of their JSON, and none of what is decided changes it."""
    return json.loads(text) if text else {}


def place_trained(
    cursor: duckdb.DuckDBPyConnection, batch: int, shelf: CardShelf, without: Collection[int]
) -> tuple[list[Trained], list[Told], dict[int, str]]:
    """Place what trainers left by its folder; what has no step of its own belongs to a run, not to a checkpoint."""
    trained: list[Trained] = []
    told: list[Told] = []
    odd: dict[int, str] = {}
    for record in rows_of(cursor, TRAINED, batch):
        root, path, source = record.pop("root"), record.pop("path"), record.pop("source_id")
        if source in without:
            continue
        try:
            record["tokens_by_step"] = tokens_told(from_json(record["trainer_json"]))
        except Exception as error:  # noqa: BLE001 - whatever is in one file, the others are decided
            odd[source] = unforeseen(error)
            continue
        placement = place_checkpoint(path, shelf.tree(root))
        step = record["step"] if placement.step is None else placement.step
        if record["step"] not in (None, step):
            message = (
                f"the trainer's state says step {record['step']}, and {placement.step_rule} says {step}: {step} counts"
            )
            candidates = [("trainer state", str(record["step"])), (placement.step_rule or "", str(step))]
            told.append((path, None, Conflict(kind="step", field="step", message=message, candidates=candidates)))
        if step is not None:
            placement = msgspec.structs.replace(placement, step=step)
        folder = Path(root, path).parent / record["folder"]
        trained.append(Trained(record, path, placement, str(folder)))
    return trained, told, odd


def with_base_models(runs: list[RunRow], trained: list[Trained]) -> list[RunRow]:
    """Runs with the base model that their trainers name, where no card does and all that they left agrees."""
    named: dict[str, set[str]] = {}
    for one in trained:
        if one.record["base_model"]:
            named.setdefault(one.placement.run, set()).add(one.record["base_model"])
    known = {run: models.pop() for run, models in named.items() if len(models) == 1}
    return [msgspec.structs.replace(run, base_model=run.base_model or known.get(run.run)) for run in runs]


def with_mixes(runs: list[RunRow], trained: list[Trained]) -> list[RunRow]:
    """Runs with the data that their training configurations name, as far as no card or log tells their mix."""
    named: dict[str, dict[str, Mix]] = {}
    for one in trained:
        if one.path.rpartition("/")[2] == "training_config.json":
            mix = mix_of_config(from_json(one.record["trainer_json"]))
            if mix is not None and mix.name is not None:
                named.setdefault(one.placement.run, {})[mix.name] = mix
    known = {run: next(iter(mixes.values())) for run, mixes in named.items() if len(mixes) == 1}
    found = []
    for run in runs:
        mix = known.get(run.run)
        if mix is not None and run.mix_json is None:
            mix = msgspec.structs.replace(mix, name=run.mix or mix.name)
            body = msgspec.json.encode(mix).decode()
            run = msgspec.structs.replace(run, mix=mix.name, mix_json=body, mix_tokens=mix.tokens())
        found.append(run)
    return found


def trainer_tokens(trained: list[Trained]) -> dict[tuple[str, int], float]:
    """Tokens by run and step: of the checkpoint's own state, else of a later state's log of its run."""
    tokens: dict[tuple[str, int], float] = {}
    for one in trained:
        for step, count in one.record["tokens_by_step"].items():
            tokens.setdefault((one.placement.run, step), count)
    for one in trained:
        if one.record["tokens"] is not None and one.placement.step is not None:
            tokens[one.placement.run, one.placement.step] = float(one.record["tokens"])
    return tokens


def checkpoint_rows(
    trained: list[Trained], shelf: CardShelf, tokens: dict[tuple[str, int], float]
) -> list[dict[str, Any]]:
    """Checkpoints known from trainers or cards, with evals or without; one row a run and step."""
    rows: dict[tuple[str, int | None, str | None], dict[str, Any]] = {}
    for one in trained:
        run, step = one.placement.run, one.placement.step
        if step is None:
            continue
        row = rows.setdefault((run, step, None), _checkpoint(run, step, None, one.path))
        row["tokens"] = tokens.get((run, step))
        row["epoch"] = one.record["epoch"] if row["epoch"] is None else row["epoch"]
        row["base_model"] = row["base_model"] or one.record["base_model"]
        rank = {name: one.record[name] for name in ("lora_rank", "lora_alpha") if one.record[name] is not None}
        row["details_json"] = json.dumps(rank) if rank else row["details_json"]
        row["folder"] = row["folder"] or one.folder
        if one.path.rpartition("/")[2] == "adapter_config.json":
            row["adapter"] = one.folder
    for path, run, checkpoint in (item for tree in shelf.trees.values() for item in tree.told_checkpoints()):
        step = 0 if checkpoint.step is None and is_untrained(checkpoint.label) else checkpoint.step
        label = None if step is not None else checkpoint.label
        row = rows.setdefault((run, step, label), _checkpoint(run, step, label, path))
        row["tokens"] = checkpoint.tokens if row["tokens"] is None else row["tokens"]
        row["epoch"] = checkpoint.epoch if row["epoch"] is None else row["epoch"]
        # What people say of weights comes before what lies in a folder: they may have merged or moved them.
        row["weights"] = checkpoint.weights or row["weights"]
        row["adapter"] = checkpoint.adapter or row["adapter"]
    return list(rows.values())


def _checkpoint(run: str, step: int | None, label: str | None, path: str) -> dict[str, Any]:
    return {
        "run": run, "step": step, "step_label": label, "tokens": None, "epoch": None, "base_model": None,
        "path": path, "details_json": None, "weights": None, "adapter": None, "folder": None,
    }  # fmt: skip


TRAINED = """
SELECT l.root, l.path, t.*
FROM live_trained($batch) t JOIN live_locations($batch) l USING (source_id)
ORDER BY l.root, l.path
"""
