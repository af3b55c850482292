"""The study in force, as of a batch: metric definitions, settings of evals, groups, and what applies to which eval."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import msgspec

from loaders.store.sql import records
from loaders.study.conditions import All, AnyOf, Condition, Not, SampleTest, ScoreTest, from_json
from loaders.study.definitions import MetricDefinition, names_match, rule_text, task_names

STUDY = "SELECT kind, name, body, origin FROM live_study($as_of) ORDER BY position, name"


MEANS = ("mean", "accuracy")
"""Header metrics that are the mean of a scorer's values."""


@dataclass(frozen=True)
class Rule:
    """Outcome of a sample: yes or no, by a condition on its scores."""

    misaligned: Condition


@dataclass(frozen=True)
class ScoreValue:
    """Outcome of a sample: the number that a scorer gave."""

    score: str
    """Name of the scorer; a glob."""
    key: str | None = None
    field: str = "value"


@dataclass(frozen=True)
class Grade:
    """Outcome of a sample: a letter grade, C as 1, P as 0.5, I as 0, N as missing."""

    score: str
    key: str | None = None


@dataclass(frozen=True)
class Reported:
    """No outcome of samples, but a number that the log reports."""

    metric: str
    scorer: str | None = None
    """None: whichever scorer reports it."""
    key: str | None = None
    reducer: str | None = None
    """None: the mean, or none named."""


Source = Rule | ScoreValue | Grade | Reported


@dataclass(frozen=True)
class Metric:
    """What is computed of an eval's samples, and how it is to be read.

    Attributes:
        name: The word in links.
        title: For people.
        kind: rate (fraction of samples; also a share that logs report), mean (of a score) or reported (another number
            as the log says).
        source: Where the outcome of a sample comes from.
        among: Samples that count at all; None for all.
        missing: Samples whose outcome is missing although they have scores.
        text: The rule in one line: `aligned < 75`.
        better: lower, higher, or None where nobody said.
        unit: Of the values, where they are no fractions.
        origin: The study file, "built-in" or "automatic".
        header: The header's number that should be the same, where there is one to compare with.
        evals: Globs on eval name or task; empty for automatic metrics, which are made for one eval.
    """

    name: str
    title: str
    kind: str
    source: Source
    text: str
    origin: str
    better: str | None = None
    unit: str | None = None
    among: Condition | None = None
    missing: Condition | None = None
    header: tuple[Reported, ...] = ()
    evals: tuple[str, ...] = ()

    @property
    def counts_samples(self) -> bool:
        """Whether it is a rate of the samples themselves, so that each has an outcome of yes or no."""
        return self.kind == "rate" and not isinstance(self.source, Reported)

    def concerns(self, eval_name: str, task: str) -> bool:
        """Whether the definition was written for this eval."""
        return names_match(self.evals, eval_name, *task_names(task))


@dataclass(frozen=True)
class Group:
    """Several evals whose average is an eval of its own."""

    name: str
    title: str
    evals: tuple[str, ...]
    metric: str | None
    """Name of the metric of every member; None: the default of each."""

    def members(self, names: Sequence[str]) -> list[str]:
        """The evals that are meant, of those that there are; `evals` may hold globs."""
        return [name for name in names if names_match(self.evals, name)]


@dataclass(frozen=True)
class Study:
    """Everything that study files and built-ins say about evals and metrics, in the order in which it counts."""

    metrics: tuple[Metric, ...] = ()
    groups: tuple[Group, ...] = ()
    clusters: dict[str, str] | None = None
    """Eval name -> metadata field whose equal values make a cluster. Others cluster by question."""
    titles: dict[str, str] | None = None
    """Eval or group name -> title."""

    def cluster_field(self, eval_name: str) -> str | None:
        """The sample metadata field that clusters the samples of an eval; None: the question does."""
        return (self.clusters or {}).get(eval_name)

    def title(self, eval_name: str) -> str:
        """Title of an eval or group; its name where nobody gave one."""
        return (self.titles or {}).get(eval_name, eval_name)


def read_study(con: duckdb.DuckDBPyConnection, as_of: int) -> Study:
    """The study as of a batch."""
    metrics: list[Metric] = []
    groups: list[Group] = []
    clusters: dict[str, str] = {}
    titles: dict[str, str] = {}
    for row in records(con, STUDY, {"as_of": as_of}):
        body = json.loads(row["body"])
        if row["kind"] == "metric":
            metrics.append(as_metric(body, row["origin"]))
        elif row["kind"] == "group":
            groups.append(
                Group(row["name"], body.get("title") or row["name"], tuple(body["evals"]), body.get("metric"))
            )
        if row["kind"] in ("eval", "group"):
            titles.setdefault(row["name"], body.get("title") or row["name"])
        if row["kind"] == "eval" and body.get("cluster") not in (None, "question"):
            clusters.setdefault(row["name"], body["cluster"].removeprefix("metadata."))
    return Study(tuple(metrics), tuple(groups), clusters, titles)


def as_metric(body: dict[str, Any], origin: str) -> Metric:
    """The metric of a definition, as `loaders.study.definitions.metric_body` has it."""
    definition = msgspec.convert(body, MetricDefinition)
    among, missing = (from_json(c) if c else None for c in (definition.among, definition.missing))
    source: Source
    if definition.kind == "rate":
        source = Rule(from_json(definition.misaligned))
    elif definition.kind == "mean":
        source = ScoreValue(**(definition.score or {}))
    else:
        source = Reported(**(definition.reported or {}))
    if definition.kind != "reported" and definition.reported:
        header: tuple[Reported, ...] = (Reported(**definition.reported),)
    else:
        header = _comparable(source) if among is None and missing is None else ()
    return Metric(
        name=definition.name,
        title=definition.title,
        kind=definition.kind,
        source=source,
        text=rule_text(definition),
        origin=origin,
        better=definition.better,
        unit=definition.unit,
        among=among,
        missing=missing,
        header=header,
        evals=definition.evals,
    )


def _comparable(source: Source) -> tuple[Reported, ...]:
    """Header metrics that a log's own scorers would compute from the very same values."""
    match source:
        case Rule(ScoreTest(field="value", op="=", value=(1 | 1.0 | True)) as test):
            return tuple(Reported(name, test.score, test.key) for name in MEANS)
        case ScoreValue(field="value"):
            return tuple(Reported(name, source.score, source.key) for name in MEANS)
        case Grade():
            return tuple(Reported(name, source.score, source.key) for name in reversed(MEANS))
        case _:
            return ()


def automatic_number(scorer: str, key: str | None, yes_or_no: bool) -> Metric:
    """The mean of a score that no definition speaks of; a rate where all its values are yes or no."""
    source = ScoreValue(_literal(scorer), key)
    name = f"mean_{scorer}" + (f".{key}" if key is not None else "")
    text = "mean of " + scorer + (f".{key}" if key is not None else "")
    return Metric(
        name=name,
        title=name,
        kind="rate" if yes_or_no else "mean",
        source=source,
        text=text,
        origin="automatic",
        header=_comparable(source),
    )


def automatic_grade(scorer: str, key: str | None, partial: bool) -> Metric:
    """The rate of C among letter grades; a mean where some are P, which counts half."""
    source = Grade(_literal(scorer), key)
    shown = scorer + (f".{key}" if key is not None else "")
    return Metric(
        name=f"correct_{shown}",
        title=f"correct_{shown}",
        kind="mean" if partial else "rate",
        source=source,
        text=f"{shown} = C" + (" (P counts half)" if partial else "") + "; missing where it is N",
        origin="automatic",
        better="higher",
        header=_comparable(source),
    )


def automatic_reported(metric: str, scorer: str | None, key: str | None) -> Metric:
    """A number of a log whose samples are not there to compute it from."""
    name = ".".join(part for part in (metric, scorer if scorer != "none" else None, key) if part)
    return Metric(
        name=name,
        title=name,
        kind="reported",
        source=Reported(metric, scorer, key),
        text=f"{name} as the log reports it",
        origin="automatic",
    )


NO_METRIC = re.compile(
    r"alias|bypass|n|counts?|samples|sample_len|total|(num|n)_\w+|\w+_counts?|(\w*_)?(stderr|std_err|se)(_\w+)?",
    re.IGNORECASE,
)
"""Names of what logs report beside their metrics: counts, standard errors, placeholders (lm-eval's `bypass`)."""

PROPORTIONS = frozenset({"acc", "acc_norm", "exact_match", "pct_stereotype", "em", "accuracy"})
"""Reported metrics that are a share of yes-or-no answers, so that n and the value tell k."""


def is_metric(name: str) -> bool:
    """Whether a reported number is a measurement: no count, standard error or placeholder.

    Args:
        name: As the log reports it.
    """
    return NO_METRIC.fullmatch(name) is None


def as_share(metric: Metric) -> Metric:
    """A reported number that is a share, as a rate: from 0 to 100%, with the interval of a proportion."""
    return replace(metric, kind="rate") if metric.kind == "reported" and metric.unit is None else metric


def _literal(name: str) -> str:
    """A scorer's name as a glob that matches nothing else."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def tests_of(condition: Condition | None) -> Sequence[ScoreTest]:
    """Every test on a score in a condition."""
    match condition:
        case None | SampleTest():
            return []
        case ScoreTest():
            return [condition]
        case Not(member):
            return tests_of(member)
        case All(members) | AnyOf(members):
            return [test for member in members for test in tests_of(member)]
