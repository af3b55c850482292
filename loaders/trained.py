"""What trainers left, placed by its folder, and what it tells of runs and checkpoints: mixes, tokens, adapters."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from loaders.shelf import CardShelf
from loaders.store.reconcile import rows_of
from loaders.study.cards import Mix, is_untrained
from loaders.study.evidence import Conflict, Placement, RunRow
from loaders.study.naming import steps_in_model
from loaders.study.placement import place_checkpoint
from loaders.study.trained_on import mix_of_config
from loaders.study.tree import CardTree
from loaders.training import wandb

TRACKERS = re.compile(
    r"(?:^|/)(?:wandb/[^/]*run[^/]*(?:/files)?|(?:runs/)?[A-Z][a-z]{2}[0-9]{2}_[0-9]{2}-[0-9]{2}-[0-9]{2}_[^/]+"
    r"|tb|tb_logs|tensorboard|tensorboard_logs|events)(?=/)"
)
"""Folders that trackers make within a run's own: W&B's, HF's and PyTorch's `runs/Nov30_08-31-59_host`, and the like."""
NAMELESS = re.compile(r"(?:wandb|run|scan|full)?[-_]?(?:history|export|metrics|logs?)?", re.IGNORECASE)
"""Names of a history's file that name no run."""


@dataclass
class Trained:
    """A checkpoint that a trainer left, and where that puts it."""

    record: dict[str, Any]
    path: str
    placement: Placement
    folder: str | None
    """Where the checkpoint lies, as an absolute path; None where its weights are kept elsewhere."""


@dataclass
class Logged:
    """What trainers logged, placed.

    Attributes:
        places: Rows of `training_places`.
        placements: One a file.
        tokens: That training had seen, by run and step.
    """

    places: list[dict[str, Any]] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    tokens: dict[tuple[str, int], float] = field(default_factory=dict)


@lru_cache(maxsize=1000)
def from_json(text: str | None) -> Any:
    """The evals of one file share most of their JSON, and none of what is decided changes it."""
    return json.loads(text) if text else {}


def place_trained(
    cursor: duckdb.DuckDBPyConnection, batch: int, shelf: CardShelf, without: Collection[int]
) -> tuple[list[Trained], list[Conflict]]:
    """Place what trainers left by its folder; what has no step of its own belongs to a run, not to a checkpoint."""
    trained: list[Trained] = []
    told: list[Conflict] = []
    for record in rows_of(cursor, TRAINED, batch):
        root, path, source = record.pop("root"), record.pop("path"), record.pop("source_id")
        if source in without:
            continue
        placement = place_checkpoint(path, shelf.tree(root))
        step = record["step"] if placement.step is None else placement.step
        if record["step"] not in (None, step):
            message = (
                f"the trainer's state says step {record['step']}, and {placement.step_rule} says {step}: {step} counts"
            )
            candidates = [("trainer state", str(record["step"])), (placement.step_rule or "", str(step))]
            told.append(Conflict(kind="step", field="step", message=message, candidates=candidates, path=path))
        if step is not None:
            placement = msgspec.structs.replace(placement, step=step)
        folder = None if record["folder"] is None else str(Path(root, path).parent / record["folder"])
        trained.append(Trained(record, path, placement, folder))
    return trained, told


def place_logged(
    cursor: duckdb.DuckDBPyConnection, batch: int, shelf: CardShelf, without: Collection[int], told: list[Trained]
) -> Logged:
    """Place what trainers logged, by its folder and by the cards.

    Args:
        told: What trainers left: the tokens of a checkpoint's own state count before those of a log.
    """
    found = Logged()
    for row in rows_of(cursor, LOGGED, batch):
        if row["source_id"] in without:
            continue
        placement = _place_log(row["path"], row["format"], shelf.tree(row["root"]))
        found.places.append({"source_id": row["source_id"], "run": placement.run})
        found.placements.append(placement)
        for step, tokens in zip(row["steps"] or (), row["readings"] or (), strict=True):
            found.tokens.setdefault((placement.run, step), tokens)
    for one in told:
        if one.record["tokens"] is not None and one.placement.step is not None:
            found.tokens[one.placement.run, one.placement.step] = float(one.record["tokens"])
    return found


def _place_log(path: str, format: str, tree: CardTree) -> Placement:
    """The run of a log: of the card that speaks of it, else of the folder in which training ran, not of the tracker's.

    A history of W&B that people downloaded lies beside those of other runs: it is called like its own.
    """
    placement = place_checkpoint(path, tree)
    if (placement.run_rule or "").startswith("folder name"):
        home = TRACKERS.sub("", path).lstrip("/")
        folder, _, name = home.rpartition("/")
        stem = name.partition(".")[0]
        if format == wandb.FORMAT and name != wandb.SUMMARY and not NAMELESS.fullmatch(stem):
            home = f"{folder}/{stem}/{name}".lstrip("/")
        placement = place_checkpoint(home, tree)
    return msgspec.structs.replace(placement, step=None, step_label=None)


def with_runs_of_weights(placements: dict[int, Placement], trained: list[Trained]) -> dict[int, Placement]:
    """Placements of evals whose model is called by where Tinker keeps its weights, in the run that trained them."""
    runs: dict[str, set[str]] = {}
    for one in trained:
        weights = from_json(one.record["trainer_json"]).get("sampler_path") if one.folder is None else None
        for step in steps_in_model(weights)[:1] if weights else ():
            runs.setdefault(step.run or "", set()).add(one.placement.run)
    known = {name: of.pop() for name, of in runs.items() if len(of) == 1}
    return {
        eval_id: msgspec.structs.replace(
            place, run=known[place.run], run_rule=f"checkpoints.jsonl, which lists {place.run}"
        )
        if place.run in known and (place.run_rule or "").startswith("model name")
        else place
        for eval_id, place in placements.items()
    }


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


def checkpoint_rows(
    trained: list[Trained], shelf: CardShelf, tokens: dict[tuple[str, int], float]
) -> list[dict[str, Any]]:
    """Checkpoints known from trainers or cards, with evals or without; one row a run and step."""
    rows: dict[tuple[str, int | None, str | None], dict[str, Any]] = {}
    for one in trained:
        run, step = one.placement.run, one.placement.step
        label = one.record["step_label"] if step is None else None
        if step is None and label is None:
            continue
        row = rows.setdefault((run, step, label), _checkpoint(run, step, label, one.path))
        row["tokens"] = None if step is None else tokens.get((run, step))
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

LOGGED = """
SELECT l.root, l.path, source_id, s.format, t.steps, t.readings
FROM (SELECT source_id FROM live_logged($batch) UNION SELECT source_id FROM live_trained($batch)) x
JOIN live_sources($batch) s USING (source_id) JOIN live_locations($batch) l USING (source_id)
LEFT JOIN (FROM live_logged($batch) WHERE metric = 'tokens') t USING (source_id)
ORDER BY l.root, l.path
"""
