"""One column of a probe as the documents of an Inspect log: header, samples, summaries, reductions."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from dashboard.probe.asked import Column, Framing, Sampling
from dashboard.probe.export.archive import json_bytes
from dashboard.probe.export.samples import added_usage, sample
from dashboard.probe.export.scores import scorers_of
from dashboard.probe.export.words import without_missing
from dashboard.probe.plans import columns_of, framings_of, sampling_of, threads
from dashboard.probe.protocols import BY_NAME
from dashboard.queries.probes import SavedProbe, SavedReply

TASK = "driftline/probe"
TAG = "driftline-probe"
VERSION = 2
"""Of the log format."""

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""Of the 22 characters that end the names of Inspect's logs."""

SUMMARY_FIELDS = (
    "id", "epoch", "input", "target", "metadata", "scores", "model_usage", "started_at", "completed_at", "total_time",
    "working_time", "uuid",
)  # fmt: skip
LONGEST_IN_SUMMARY = 1024
"""Longer texts of metadata and scores are cut in summaries, by Inspect's own rule."""


class LogDocuments(Struct, frozen=True):
    """A log before it is packed: the name of its file, and the JSON documents in it."""

    name: str
    members: list[tuple[str, Any]]


def documents(probe: SavedProbe) -> list[LogDocuments]:
    """The logs of a probe, one for each column that was asked anything."""
    framings, sampling = framings_of(probe), sampling_of(probe)
    by_column: dict[int, list[list[SavedReply]]] = {}
    for thread in threads(probe):
        by_column.setdefault(thread[0].position, []).append(thread)
    return [
        _documents(probe, position, column, framings, sampling, by_column[position])
        for position, column in enumerate(columns_of(probe))
        if position in by_column
    ]


def model_name(column: Column) -> str:
    """The model as Inspect would name it: by who serves it. Its name there is the endpoint's, never an address."""
    return BY_NAME[column.protocol].inspect_model(column.endpoint, column.model)


def unique(*parts: Any) -> str:
    """An id as Inspect's are, the same for the same parts."""
    number = int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:16], "big")
    letters = []
    for _ in range(22):
        number, at = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[at])
    return "".join(letters)


def utc(at: datetime) -> str:
    """A time of the store as Inspect writes it."""
    return at.replace(tzinfo=UTC).isoformat()


def _documents(
    probe: SavedProbe,
    position: int,
    column: Column,
    framings: Sequence[Framing],
    sampling: Sampling,
    asked: Sequence[list[SavedReply]],
) -> LogDocuments:
    model = model_name(column)
    order = {framing.name: at for at, framing in enumerate(framings)}
    prompts = {framing.name: framing.prompt for framing in framings}
    # Epochs in turn, as Inspect keeps them.
    asked = sorted(asked, key=lambda thread: (thread[0].sample, order[thread[0].framing]))
    samples = [
        sample(
            model, prompts[thread[0].framing], thread, sampling, probe.judges,
            lambda *parts: unique(probe.probe_id, position, *parts),
        )
        for thread in asked
    ]  # fmt: skip
    scorers = scorers_of(probe.judges, samples)
    reductions = list(_reductions(samples, [scorer["name"] for scorer in scorers]))
    spec = _spec(probe, position, column, model, framings, sampling) | {"scorers": scorers}
    plan = {"name": "plan", "steps": [], "config": {}}
    header = {
        "version": VERSION,
        "status": "success",
        "eval": spec,
        "plan": plan,
        "results": _results(samples, reductions),
        "stats": _stats(probe, model, samples),
        "invalidated": False,
        "tags": spec["tags"],
        "metadata": spec["metadata"],
    }
    summaries = [_summary(one) for one in samples]
    return LogDocuments(
        f"{utc(probe.created_at)[:19].replace(':', '-')}+00-00_probe_{spec['task_id']}.eval",
        [
            ("_journal/start.json", {"version": VERSION, "eval": spec, "plan": plan}),
            *((f"samples/{one['id']}_epoch_{one['epoch']}.json", one) for one in samples),
            ("_journal/summaries/1.json", summaries),
            ("summaries.json", summaries),
            *([("reductions.json", reductions)] if reductions else []),
            ("header.json", header),
        ],
    )


def _spec(
    probe: SavedProbe,
    position: int,
    column: Column,
    model: str,
    framings: Sequence[Framing],
    sampling: Sampling,
) -> dict[str, Any]:
    names = [framing.name for framing in framings]
    return {
        "eval_id": unique("eval", probe.probe_id, position),
        "run_id": unique("run", probe.probe_id),
        "created": utc(probe.created_at),
        "task": TASK,
        "task_id": unique("task", probe.probe_id, position),
        "task_version": 0,
        "task_attribs": {},
        "task_args": {},
        "tags": [TAG],
        "dataset": {"name": probe.title, "samples": len(names), "sample_ids": names, "shuffled": False},
        "model": model,
        "model_generate_config": without_missing({
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "seed": sampling.seed,
        }),
        "model_args": {},
        # A conversation that broke off later keeps the scores of the replies before.
        "config": {"epochs": sampling.samples, "epochs_reducer": ["mean"], "score_on_error": True},
        "packages": {"driftline": probe.driftline},
        "metadata": _metadata(probe, column),
    }  # fmt: skip


def _metadata(probe: SavedProbe, column: Column) -> dict[str, Any]:
    """What the log says of itself; `run`, `step` and `checkpoint` are read by our rules of placement."""
    at = column.checkpoint
    placed = {} if at is None else {
        "run": at.run,
        "step": at.at,
        "checkpoint": None if at.step is None else at.step_label,
        "matched_by": column.matched_by,
    }  # fmt: skip
    return without_missing({
        **placed,
        "probe": probe.probe_id,
        "title": probe.title,
        "kind": probe.kind,
        "author": probe.author,
        "repeats": probe.repeats,
        "endpoint": column.endpoint,
        "served_model": column.model,
        "base_model": column.parent,
        "origin": None if probe.origin is None else msgspec.json.decode(probe.origin),
    })  # fmt: skip


def _summary(one: dict[str, Any]) -> dict[str, Any]:
    told = {name: one[name] for name in SUMMARY_FIELDS if name in one}
    told["metadata"] = _thin(one["metadata"])
    told["scores"] = {
        name: {field: _cut(value) for field, value in score.items()} | {"metadata": _thin(score["metadata"])}
        for name, score in one["scores"].items()
    }
    if "error" in one:
        told["error"] = one["error"]["message"]
    if "limit" in one:
        told |= {"limit": one["limit"]["type"], "limit_reason": one["limit"]["reason"]}
    return told | {"completed": True, "message_count": len(one["messages"])}


def _thin(metadata: dict[str, Any]) -> dict[str, Any]:
    """Long texts cut; anything else that is long left out."""
    return {
        name: _cut(value)
        for name, value in metadata.items()
        if isinstance(value, str) or len(json_bytes(value)) <= LONGEST_IN_SUMMARY
    }


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_IN_SUMMARY:
        return value[: LONGEST_IN_SUMMARY - 3] + "..."
    return value


def _reductions(samples: Sequence[dict[str, Any]], scorers: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Each scorer's mean over the epochs of each framing; scores that could not be given don't count."""
    for scorer in scorers:
        values: dict[str, list[float]] = {}
        for one in samples:
            if scorer in one["scores"]:
                values.setdefault(one["id"], []).append(one["scores"][scorer]["value"])
        reduced = []
        for name, given in values.items():
            told = [value for value in given if not math.isnan(value)]
            mean = sum(told) / len(told) if told else math.nan
            reduced.append({"value": mean, "sample_id": name})
        yield {"scorer": scorer, "reducer": "mean", "samples": reduced}


def _results(samples: Sequence[dict[str, Any]], reductions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    scores = []
    for reduction in reductions:
        values = [each["value"] for each in reduction["samples"] if not math.isnan(each["value"])]
        mean = {"mean": {"name": "mean", "value": sum(values) / len(values), "params": {}}} if values else {}
        scores.append({
            "name": reduction["scorer"],
            "scorer": reduction["scorer"],
            "reducer": "mean",
            "scored_samples": len(values),
            "unscored_samples": len(reduction["samples"]) - len(values),
            "params": {},
            "metrics": mean,
        })  # fmt: skip
    return {
        "total_samples": len(samples),
        "completed_samples": sum("error" not in one for one in samples),
        "scores": scores,
    }


def _stats(probe: SavedProbe, model: str, samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    usage = added_usage(one["model_usage"].get(model) for one in samples)
    ended = [one["completed_at"] for one in samples if "completed_at" in one]
    return {
        "started_at": utc(probe.created_at),
        "completed_at": max([utc(probe.created_at), *ended]),
        "model_usage": {model: usage} if usage else {},
    }
