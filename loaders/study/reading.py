"""Reads `run.yaml` and `study.yaml`: every problem of a file at once, each with line, field and what is allowed."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path as FilePath
from typing import Any, TypeVar

import msgspec

from loaders.study import schema
from loaders.study.cards import CardCheckpoint, LogEntry, Mix, Parent, RunCard
from loaders.study.checks import card_problems, study_problems
from loaders.study.conditions import dotted, from_json, to_json
from loaders.study.definitions import (
    EvalDefinition,
    FigureDefinition,
    GroupDefinition,
    MetricDefinition,
    StudyFile,
    rule_text,
)
from loaders.study.yaml_files import checked, file_bytes
from loaders.study.yaml_lines import parse
from loaders.table_mapping import TableMapping

T = TypeVar("T")


def read_run_card(path: FilePath | str) -> RunCard:
    """The run card in a file.

    Raises:
        StudyError: The file can't be read, is not YAML or breaks the schema; names every problem with its line.
    """
    return parse_run_card(file_bytes(path), path)


def read_study(path: FilePath | str) -> StudyFile:
    """The study in a file.

    Raises:
        StudyError: As `read_run_card`.
    """
    return parse_study(file_bytes(path), path)


def parse_run_card(text: str | bytes, path: FilePath | str) -> RunCard:
    """The run card in a text; the path is only named in errors.

    Raises:
        StudyError: As `read_run_card`.
    """
    card = _card(checked(text, path, schema.RUN_CARD, card_problems))
    return msgspec.structs.replace(card, lines=_entry_lines(text))


def parse_study(text: str | bytes, path: FilePath | str) -> StudyFile:
    """The study in a text; the path is only named in errors.

    Raises:
        StudyError: As `read_run_card`.
    """
    study = _study(checked(text, path, schema.STUDY, study_problems))
    return msgspec.structs.replace(study, lines=_entry_lines(text))


def _entry_lines(text: str | bytes) -> dict[str, int]:
    """The line of each entry of a file that is in order: `logs[0]`, `evals.NAME`."""
    document = parse(text.encode() if isinstance(text, str) else text)
    return {
        dotted(where): line
        for where, line in document.lines.items()
        if len(where) == 2 and where[0] in ("runs", "logs", "tables", "evals", "metrics", "groups", "figures", "ignore")
    }


@cache
def builtin_study() -> StudyFile:
    """The definitions of known evals that come with Driftline (`builtin.yaml`)."""
    file = resources.files("loaders.study").joinpath("builtin.yaml")
    return parse_study(file.read_bytes(), "builtin.yaml")


def _step(step: int | str | None) -> int | str | None:
    """A step as number where it is one (`"0400"`), else its label."""
    return int(step) if isinstance(step, str) and step.isdecimal() and int(step) <= schema.LARGEST else step


def _card(value: dict[str, Any]) -> RunCard:
    fields = dict(value)
    if "color" in fields:
        fields["colour"] = fields.pop("color")
    if "parent" in fields:
        fields["parent"] = _parent(fields["parent"])
    if "mix" in fields:
        mix = fields["mix"]
        fields["mix"] = Mix(name=mix) if isinstance(mix, str) else msgspec.convert(mix, Mix)
    if "step" in fields:
        fields["step"] = _step(fields["step"])
    fields["checkpoints"] = tuple(map(_checkpoint, fields.get("checkpoints", ())))
    fields["logs"] = tuple(map(_log, fields.get("logs", ())))
    return msgspec.convert(fields, RunCard)


def _parent(value: str | dict[str, Any]) -> Parent:
    if isinstance(value, dict):
        return msgspec.convert(value, Parent)
    run, at, step = value.rpartition("@")
    return Parent(run, int(step)) if at else Parent(value)


def _checkpoint(value: dict[str, Any]) -> CardCheckpoint:
    step = _step(value["step"])
    place: dict[str, Any] = {"step": step} if isinstance(step, int) else {"step": None, "label": step}
    return msgspec.convert(value | place, CardCheckpoint)


def _log(value: dict[str, Any]) -> LogEntry:
    return msgspec.convert(value | ({"step": _step(value["step"])} if "step" in value else {}), LogEntry)


def _study(value: dict[str, Any]) -> StudyFile:
    return StudyFile(
        name=value.get("name"),
        title=value.get("title"),
        notes=value.get("notes"),
        simulated=value.get("simulated", False),
        runs=tuple(map(_card, value.get("runs", ()))),
        logs=tuple(map(_log, value.get("logs", ()))),
        evals=_named(value.get("evals", {}), EvalDefinition),
        metrics=tuple(map(_metric, value.get("metrics", ()))),
        groups=_named(value.get("groups", {}), GroupDefinition),
        tables=tuple(msgspec.convert(table, TableMapping) for table in value.get("tables", ())),
        figures=tuple(msgspec.convert(figure, FigureDefinition) for figure in value.get("figures", ())),
        ignore=tuple(value.get("ignore", ())),
    )


def _named(items: dict[str, Any], kind: type[T]) -> tuple[T, ...]:
    return tuple(msgspec.convert(item | {"name": name}, kind) for name, item in items.items())


def _metric(value: dict[str, Any]) -> MetricDefinition:
    conditions: dict[str, Any] = {
        field: to_json(from_json(value[field])) for field in ("misaligned", "among", "missing") if field in value
    }
    fields: dict[str, Any] = {"title": "", **value, **conditions}
    metric = msgspec.convert(fields, MetricDefinition)
    return metric if metric.title else msgspec.structs.replace(metric, title=rule_text(metric))
