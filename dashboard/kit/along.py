"""A question along the steps of a run: what it came to at each, where it changed, and the ways to its transcripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import links
from dashboard.kit import caches
from dashboard.kit.text.answers import STYLE, change_lines, strip_html
from dashboard.kit.text.plain import listed
from dashboard.pages import page_file
from dashboard.queries.beside import MOST, Along, AnswerQuery, along, worth_seeing
from dashboard.queries.rows import checkpoint_name, is_missing
from dashboard.queries.samples import SampleName
from dashboard.queries.transcript import Transcript
from dashboard.statistics.changes import first_change

ICON = ":material/view_column_2:"

Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts.

    Attributes:
        metric: Name; None where the eval has none.
        kind: Of it: rate, mean or reported.
        better: Its direction.
    """

    metric: str | None
    kind: str
    better: str | None


def counted_of(metrics: pd.DataFrame, eval_name: str, metric: str | None) -> Counted:
    """What counts of an eval: the metric that is named, else the eval's default.

    Args:
        metrics: `METRIC_COLUMNS`.
        eval_name: Of an eval.
        metric: Name; None for the default.
    """
    of = metrics[metrics["eval"] == eval_name]
    named = of[of["metric"] == metric]
    row = next(iter((named if len(named) else of[of["default"]]).to_dict("records")), None)
    if row is None:
        return Counted(None, "reported", None)
    return Counted(str(row["metric"]), str(row["kind"]), None if is_missing(row["better"]) else row["better"])


@dataclass(frozen=True)
class OfRun:
    """The answers along one run.

    Attributes:
        found: The outcomes.
        several_epochs: Whether questions were asked in more than one.
    """

    found: Along
    several_epochs: bool


def of_run(
    eval_name: str, run: str, counted: Counted, as_of: int, variant: str | None = None, sample: str | None = None
) -> OfRun:
    """The answers along a run; of one question alone where it is named."""
    query = AnswerQuery(eval_name, counted.metric, runs=(run,), variant=variant, sample=sample)
    frame = caches.answers(query, as_of)
    return OfRun(along(frame, counted.kind), bool(frame["epochs"].map(len).gt(1).any()))


def question_along(of: OfRun, sample: str, counted: Counted, now: Sequence[str]) -> None:
    """Tell where the outcome of a question changed, with a mark for every step."""
    lines = change_lines(of.found, sample, counted.kind, counted.better, of.several_epochs)
    st.html(listed(lines) + strip_html(of.found, sample, counted.kind, counted.better, now))


def steps_to_see(of: OfRun, sample: str) -> list[str]:
    """Names of up to six checkpoints of the run, chosen around the change."""
    values = of.found.values.get(sample, [])
    return [of.found.checkpoints[at] for at in worth_seeing(values, first_change(values))]


def other_checkpoints(read: Transcript, here: SampleName, within: links.Parameters, as_of: int) -> None:
    """Beside a transcript: where the outcome of its question changed along the run, and the way to the other steps.

    Args:
        read: The transcript.
        here: Its name.
        within: The filter that led to it: it may name the metric.
        as_of: Batch.
    """
    eval_name, run = str(read.log["eval"] or read.log["task"]), str(read.log["run"])
    named = within.get("metric", [])
    metrics = caches.metrics_for((eval_name,), as_of)
    counted = counted_of(metrics, eval_name, named[0] if len(named) == 1 else None)
    of = of_run(eval_name, run, counted, as_of, read.log["variant"], here.sample)
    now = checkpoint_name(read.log)
    with st.container(border=True):
        if len(of.found.steps) > 1:
            st.html(STYLE)
            question_along(of, here.sample, counted, [now])
            steps = steps_to_see(of, here.sample)
            steps = steps if now in steps else [now, *steps][:MOST]
            st.page_link(
                page_file(links.BESIDE), label="Side by side: this run", icon=ICON,
                query_params=links.beside(
                    eval_name, here.sample, steps, metric=counted.metric, epoch=here.epoch, run=run
                ),
            )  # fmt: skip
        else:
            st.page_link(
                page_file(links.BESIDE), label="Side by side: other runs", icon=ICON,
                query_params=links.beside(
                    eval_name, here.sample, [now, *_others(eval_name, now, as_of)], metric=counted.metric,
                    epoch=here.epoch, run=run,
                ),
            )  # fmt: skip


def _others(eval_name: str, now: str, as_of: int) -> list[str]:
    """The latest checkpoints of the first other runs that were measured by an eval."""
    coverage = caches.coverage(as_of)
    rows = coverage[coverage["eval"] == eval_name].to_dict("records")
    latest = {str(row["run"]): checkpoint_name(row) for row in rows}
    return [name for name in latest.values() if name != now][:2]


def along_this_run(samples: Sequence[Row], as_of: int) -> None:
    """From a point of a curve: a question of it at up to six steps of the run, around where its outcome changed.

    It is the first of the samples whose outcome changed along the run; the first of all where none did.

    Args:
        samples: Rows of `SAMPLE_COLUMNS`, those that the point's panel shows; at least one.
        as_of: Batch.
    """
    first = samples[0]
    eval_name, run = str(first["eval"]), str(first["run"])
    counted = counted_of(caches.metrics_for((eval_name,), as_of), eval_name, str(first["metric"]))
    variant = None if is_missing(first["variant"]) else str(first["variant"])
    of = of_run(eval_name, run, counted, as_of, variant)
    if len(of.found.steps) < 2:
        return
    questions = [str(row["sample"]) for row in samples if row["eval"] == eval_name]
    changed = (name for name in questions if first_change(of.found.values.get(name, [])) is not None)
    question = next(changed, questions[0])
    st.page_link(
        page_file(links.BESIDE), label="Side by side: this run", icon=ICON,
        query_params=links.beside(
            eval_name, question, steps_to_see(of, question), metric=counted.metric, run=run, view=links.BY_STEP
        ),
    )  # fmt: skip
