"""What a study file says: names of evals, what counts as misaligned, groups, cards and mappings; typed.

Metrics keep their conditions as the normalised JSON of `loaders.study.conditions`, which is also what the store
keeps: `conditions.from_json` gives the typed tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal

from msgspec import Struct, field, to_builtins

from loaders.study.cards import LogEntry, RunCard
from loaders.study.conditions import describe, from_json, score_name
from loaders.table_mapping import TableMapping

Scalar = str | int | float | bool | None


class EvalDefinition(Struct, frozen=True, kw_only=True):
    """A name for the logs of a task, or of some of its variants."""

    name: str
    task: str
    """Glob on the task's name, with or without its package."""
    title: str | None = None
    where: dict[str, Scalar | list[Scalar]] = field(default_factory=dict)
    """Dotted path in the log to the value it must have: a glob where it is text; null where nothing is told."""
    cluster: str = "question"
    """What the samples of one cluster share: their question, or a field of their metadata."""


class MetricDefinition(Struct, frozen=True, kw_only=True):
    """What is counted, averaged or taken over from a log, in which evals, and which direction is better."""

    name: str
    title: str
    evals: tuple[str, ...]
    """Globs on an eval's name or task."""
    kind: Literal["rate", "mean", "reported"] = "rate"
    misaligned: dict[str, Any] | None = None
    """Condition (JSON) that is counted; rates only."""
    among: dict[str, Any] | None = None
    """Condition (JSON) for being in the denominator at all."""
    missing: dict[str, Any] | None = None
    """Condition (JSON) under which a sample is missing."""
    score: dict[str, str] | None = None
    """{score, key, field} of a mean."""
    reported: dict[str, str] | None = None
    """{metric, scorer, key, reducer} of a number that the log reports itself: the metric's own for kind reported,
    for other kinds the one that it should equal, shown beside it where it doesn't."""
    better: Literal["lower", "higher"] = "lower"
    unit: str | None = None


class GroupDefinition(Struct, frozen=True, kw_only=True):
    """Evals that are averaged."""

    name: str
    evals: tuple[str, ...]
    title: str | None = None
    metric: str | None = None
    """Name of the metric of each member; None takes each eval's default."""


class PublishedNumber(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number that was published, and which of the study's own it is compared with."""

    text: str
    value: float | None = None
    checkpoint: str | None = None
    eval: str | None = None
    metric: str | None = None
    """None takes the eval's default."""


class FigureDefinition(Struct, frozen=True, kw_only=True):
    """A plot of the study: the page that draws it, and what was published of it."""

    title: str
    link: str
    """The page's address without its server."""
    notes: str | None = None
    published: tuple[PublishedNumber, ...] = ()


class StudyFile(Struct, frozen=True, kw_only=True):
    """The content of a study file."""

    name: str | None = None
    title: str | None = None
    notes: str | None = None
    simulated: bool | str = False
    """True, or the text of the notice, where the data is not of real models."""
    runs: tuple[RunCard, ...] = ()
    logs: tuple[LogEntry, ...] = ()
    evals: tuple[EvalDefinition, ...] = ()
    metrics: tuple[MetricDefinition, ...] = ()
    groups: tuple[GroupDefinition, ...] = ()
    tables: tuple[TableMapping, ...] = ()
    figures: tuple[FigureDefinition, ...] = ()
    ignore: tuple[str, ...] = ()
    """Globs of files that are not read, relative to the study file's folder."""
    lines: dict[str, int] = field(default_factory=dict)
    """Line of each entry: `logs[0]`, `evals.NAME`."""


StudyKind = Literal["study", "eval", "metric", "group", "figure"]


class StudyRow(Struct, frozen=True, kw_only=True):
    """One row of the store's table `study`."""

    kind: StudyKind
    name: str
    position: int
    body: dict[str, Any]
    origin: str


def rule_text(metric: MetricDefinition) -> str:
    """What a metric counts, for people: `aligned < 75 among coherent > 50`."""
    match metric.kind:
        case "mean":
            score = metric.score or {}
            name = score_name(score["score"], score.get("key"))
            text = f"mean of {name}" + (f" {score['field']}" if "field" in score else "")
        case "reported":
            text = f"{(metric.reported or {}).get('metric', '')} as the log reports it"
        case _:
            text = describe(from_json(metric.misaligned))
    if metric.among is not None:
        text += f" among {describe(from_json(metric.among))}"
    if metric.missing is not None:
        text += f" (missing where {describe(from_json(metric.missing))})"
    return text


def task_names(task: str) -> tuple[str, ...]:
    """The names a task goes by: in full, and without its package (`inspect_evals/mmlu`, `mmlu`)."""
    last = task.rpartition("/")[2]
    return (task, last) if last and last != task else (task,)


def names_match(globs: Sequence[str], *names: str) -> bool:
    """Whether any of the globs matches any of the names; upper and lower case differ."""
    return any(fnmatchcase(name, glob) for glob in globs for name in names)


def study_rows(studies: Sequence[tuple[str, StudyFile]]) -> list[StudyRow]:
    """The rows of the table `study`, in force order: for each eval the first that matches wins.

    Args:
        studies: Origin ("study.yaml", "built-in") and content, the built-in last. Names may come twice: a metric is
            told apart by name *and* the evals it is for, so position decides.
    """
    rows: list[StudyRow] = []

    def add(kind: StudyKind, name: str, body: dict[str, Any], origin: str) -> None:
        rows.append(StudyRow(kind=kind, name=name, position=len(rows), body=body, origin=origin))

    for origin, study in studies:
        if study.name or study.title or study.notes or study.simulated:
            name = study.name or origin
            body = {"name": name, "title": study.title, "notes": study.notes, "simulated": study.simulated}
            add("study", name, body, origin)
        for item in study.evals:
            where = {"name": item.name, "title": item.title or item.name, "task": item.task}
            add("eval", item.name, where | {"where": item.where, "cluster": item.cluster}, origin)
        for metric in study.metrics:
            add("metric", metric.name, metric_body(metric, origin), origin)
        for group in study.groups:
            group_body = {"name": group.name, "title": group.title or group.name, "evals": list(group.evals)}
            add("group", group.name, group_body | {"metric": group.metric}, origin)
        for figure in study.figures:
            add("figure", figure.title, to_builtins(figure), origin)
    return rows


def metric_body(metric: MetricDefinition, origin: str) -> dict[str, Any]:
    """A definition as the store keeps it."""
    return {
        "name": metric.name,
        "title": metric.title,
        "evals": list(metric.evals),
        "kind": metric.kind,
        "misaligned": metric.misaligned,
        "among": metric.among,
        "missing": metric.missing,
        "score": metric.score,
        "reported": metric.reported,
        "better": metric.better,
        "unit": metric.unit,
        "origin": origin,
    }
