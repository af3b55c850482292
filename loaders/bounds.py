"""What one file may hold, whatever wrote it: more is refused by name, so that no ingest takes all memory or time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from loaders.errors import RejectedFile
from loaders.records import EvalRecord, LoadedFile, SampleRecord

MAX_NAME = 4096
"""Characters of a name: as long as a path can be. Names are looked into with patterns, and stand in every chart."""

MAX_TEXT = 512 * 1024**2
"""Characters of the texts of all samples of a file, which are held until they are written."""

MAX_RECORDS = 5_000_000
"""Samples, messages and scores of a file together: they are held, too, however little stands in each."""


def check(path: Path, loaded: LoadedFile) -> None:
    """Hold what was read of a file against the bounds, and count its characters where its loader has not.

    Raises:
        RejectedFile: It holds more; says of what, and how much is allowed.
    """
    for what, length in _names(loaded):
        if length > MAX_NAME:
            raise RejectedFile(path, f"{what} is a name of {length:,} characters (allowed: {MAX_NAME:,})")
    if loaded.characters is None:
        loaded.characters = sum(characters(sample) for one in loaded.evals for sample in one.samples)
    if loaded.characters > MAX_TEXT:
        raise RejectedFile(path, too_much())


def too_much() -> str:
    """Why a file with more text than `MAX_TEXT` is refused."""
    return f"its samples hold more than {MAX_TEXT:,} characters of text, all of which is held at once: split it"


def too_many() -> str:
    """Why a file with more records than `MAX_RECORDS` is refused."""
    return f"more than {MAX_RECORDS:,} samples, messages and scores, all of which are held at once: split it"


def characters(sample: SampleRecord) -> int:
    """Of the fields that may be long."""
    told = (
        sample.input,
        sample.reply,
        sample.target,
        sample.metadata_json,
        sample.choices_json,
        sample.error_traceback,
    )
    found = sum(map(len, filter(None, told)))
    for message in chain(sample.messages, *sample.views.values()):
        found += len(message.text) + len(message.content_json or "") + len(message.tool_calls_json or "")
    for score in sample.scores:
        found += len(score.explanation or "") + len(score.answer or "") + len(score.metadata_json or "")
    return found


def _names(loaded: LoadedFile) -> Iterator[tuple[str, int]]:
    """Every name in a file with its length, as far as they are told apart by what they name."""
    for record in loaded.evals:
        yield from _of_eval(record)
    for series in loaded.training:
        yield "the name of a metric", len(series.metric)
    for one in loaded.checkpoints:
        yield "base_model", len(one.base_model or "")


def _of_eval(record: EvalRecord) -> Iterator[tuple[str, int]]:
    for field in NAMES:
        yield field, len(getattr(record, field) or "")
    scores = {(score.scorer, score.key) for sample in record.samples for score in sample.scores}
    for scorer, key in scores:
        yield "a scorer", max(len(scorer), len(key or ""))
    for metric in record.reported:
        yield "a metric", max(len(metric.metric), len(metric.scorer or ""), len(metric.key or ""))
    if record.samples:
        yield "the id of a sample", max(len(sample.sample_key) for sample in record.samples)


NAMES = (
    "task", "task_display", "log_eval_id", "model", "target_model", "judge", "stated_run", "stated_step", "stated_mix",
    "stated_stage", "stated_variant",
)  # fmt: skip
