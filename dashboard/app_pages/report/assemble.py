"""From what was chosen for a review to the review: notes, transcripts and tables are read from the store here.

It runs when the file is asked for, outside the page's script: nothing of Streamlit's is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urljoin

import duckdb
import pandas as pd

from dashboard import links, numerals
from dashboard.app_pages.report.collect import Collected
from dashboard.app_pages.report.replies import conversations_of
from dashboard.charts.points import point_id
from dashboard.exports.facts import filters_of, runs_of
from dashboard.exports.review import Conversation, Note, Review, View
from dashboard.kit.notes.thread_html import STATES, anchor_text
from dashboard.kit.numbers import outcome_words
from dashboard.kit.pickers.sample_filters import filter_of, order_of
from dashboard.kit.text.transcript import provenance, score_parts
from dashboard.queries.beside import AnswerQuery, answers
from dashboard.queries.catalogue import metrics_for
from dashboard.queries.probes import read_probe
from dashboard.queries.rows import checkpoint_name, step_of, whole_number
from dashboard.queries.samples import samples_page
from dashboard.queries.saved_views import SavedView
from dashboard.queries.transcript import Transcript, transcript
from dashboard.queries.transcript_hash import transcript_hashes
from dashboard.queries.verdicts import judged_metrics, verdicts_on
from dashboard.review.threads.reading import Thread, on_point, on_reply, threads_in_sample, threads_on
from dashboard.texts.messages import Part, messages_of_sample
from loaders.errors import DriftlineError
from loaders.store import Store
from loaders.version import version

SAMPLES_SHOWN = 50
SAMPLE_TABLE = [
    "run",
    "step",
    "step_label",
    "eval",
    "sample",
    "epoch",
    "outcome",
    "value",
    "explanation",
    "reply",
    "prompt",
]

SampleName = tuple[str, str, int]

WEB = re.compile(r"https?://")


@dataclass(frozen=True)
class Plan:
    """What a review is to hold.

    Attributes:
        title, introduction: As they are written.
        author: Who makes it.
        views: In order, each with what its page showed; None where it isn't visited.
        samples: Log, sample and epoch of the transcripts chosen besides.
        with_notes: Whether notes are taken along.
        as_of: The batch of transcripts and tables that no view pins.
        notices: What has to be said of the studies.
        before: What is said before some views, by their ids.
        base: Address of the dashboard, to which the views' links lead; "" for no links.
    """

    title: str
    introduction: str
    author: str
    views: tuple[tuple[SavedView, Collected | None], ...]
    samples: tuple[SampleName, ...]
    with_notes: bool
    as_of: int
    notices: tuple[str, ...]
    before: Mapping[str, str] = field(default_factory=dict)
    base: str = ""


def runs_told(review: Review, plan: Plan) -> tuple[str, ...]:
    """All the runs that a review tells of: of its views, its charts and its transcripts."""
    of_views = [run for view, _ in plan.views for run in view.runs]
    charts = [chart for view in review.views for chart in view.charts]
    of_charts = [run for chart in charts for run in (*chart.picture.facts.runs, *runs_of(chart.numbers))]
    told = [*review.conversations, *(one for view in review.views for one in view.conversations)]
    of_transcripts = [run for one in told for run in one.runs]
    return tuple(dict.fromkeys([*of_views, *of_charts, *of_transcripts]))


def assemble(store: Store, hidden: Sequence[str], plan: Plan) -> Review:
    """Read everything that a review holds, as its author may see it.

    Args:
        store: Where.
        hidden: Patterns of the runs that the author may not see.
        plan: What is wanted.

    Raises:
        DriftlineError: A transcript that was chosen is not there.
    """
    with store.cursor(hidden=tuple(hidden)) as cursor:
        views = tuple(_view(cursor, view, shown, plan) for view, shown in plan.views)
        others = tuple(_sample(cursor, name, plan.as_of, plan.with_notes) for name in plan.samples)
    made = f"By {plan.author}, {numerals.time(datetime.now(UTC))}"
    return Review(plan.title, plan.introduction, made, plan.notices, views, others, version())


def _view(con: duckdb.DuckDBPyConnection, view: SavedView, shown: Collected | None, plan: Plan) -> View:
    as_of = shown.as_of if shown else view.as_of or plan.as_of
    facts = shown.charts[0].picture.facts if shown and shown.charts else None
    address = {**view.address, links.AS_OF: [str(as_of)]}
    table: pd.DataFrame | None = None
    conversations: tuple[Conversation, ...] = ()
    missing = []
    try:
        table = _table(con, view, as_of)
        conversations = _conversations(con, view, as_of, plan.with_notes)
    except DriftlineError as error:
        missing.append(str(error))
    if not (shown and shown.charts) and table is None and not conversations and not missing:
        missing.append("This page has no charts; its link leads to it.")
    by = f"Saved by {view.author}, {numerals.time(view.created_at)}"
    edited = f"; last edited by {view.edited_by}, {numerals.time(view.edited_at)}" if view.version > 1 else ""
    return View(
        title=view.title,
        note=view.note,
        saved=by + edited,
        page=view.page,
        source=facts.source if facts else f"{view.page}?{links.query(address)}",
        batch=facts.batch if facts else numerals.data_of("", as_of),
        filters=facts.filters if facts else filters_of(view.address),
        charts=shown.charts if shown else (),
        table=table,
        conversations=conversations,
        notes=_point_notes(con, shown) if shown and plan.with_notes else (),
        missing=tuple(missing),
        before=plan.before.get(view.view_id, ""),
        link=urljoin(plan.base, f"{view.page}?{links.query(address)}") if WEB.match(plan.base) else "",
    )


def _table(con: duckdb.DuckDBPyConnection, view: SavedView, as_of: int) -> pd.DataFrame | None:
    """The samples of a view of the Samples page: the page of them that it names."""
    if view.page != links.SAMPLES:
        return None
    number = whole_number(next(iter(view.address.get("page", [])), "1")) or 1
    size = whole_number(next(iter(view.address.get("rows", [])), "")) or SAMPLES_SHOWN
    frame = samples_page(
        con, filter_of(view.address), sort=order_of(view.address), page=number - 1, size=size, as_of=as_of
    )
    return frame[SAMPLE_TABLE]


def _conversations(
    con: duckdb.DuckDBPyConnection, view: SavedView, as_of: int, with_notes: bool
) -> tuple[Conversation, ...]:
    """Transcripts and replies that a view shows."""
    if view.page == links.TRANSCRIPT:
        name = links.sample_of(view.address)
        return (_sample(con, name, as_of, with_notes),) if name else ()
    if view.page == links.BESIDE:
        return tuple(_sample(con, name, as_of, with_notes) for name in _beside(con, view.address, as_of))
    probe = next(iter(view.address.get("probe", [])), "")
    if view.page != links.PROBE or not probe:
        return ()
    found = read_probe(con, probe)
    return tuple(
        replace(one, notes=tuple(_notes(threads_on(con, [on_reply(probe, reply.reply_id) for reply in replies]))))
        if with_notes
        else one
        for one, replies in conversations_of(found)
    )


def _beside(con: duckdb.DuckDBPyConnection, address: links.Parameters, as_of: int) -> list[SampleName]:
    """The transcripts that the Side by side page puts beside each other: of each checkpoint, in the epoch picked."""
    one = {name: next(iter(values), "") for name, values in address.items()}
    checkpoints, epochs = address.get("checkpoint", []), address.get("epoch", [])
    if not (one.get("eval") and one.get("sample") and checkpoints):
        return []
    query = AnswerQuery(
        one["eval"], one.get("metric") or None, tuple(checkpoints), variant=one.get("variant") or None,
        sample=one["sample"],
    )  # fmt: skip
    rows = {row["checkpoint"]: row for row in answers(con, query, as_of).to_dict("records")}
    # One epoch in an address is that of all columns.
    wanted = dict(zip(checkpoints, epochs * (len(checkpoints) if len(epochs) == 1 else 1), strict=False))
    found = []
    for name in checkpoints:
        if name in rows:
            there = [int(epoch) for epoch in rows[name]["epochs"]]
            asked = whole_number(wanted.get(name, ""))
            found.append((str(rows[name]["log"]), one["sample"], asked if asked in there else there[0]))
    return found


def _sample(con: duckdb.DuckDBPyConnection, name: SampleName, as_of: int, with_notes: bool) -> Conversation:
    log, sample, epoch = name
    found = transcript(con, log, sample, epoch, as_of)
    # Where the logs lie on somebody's machine is nobody else's business.
    known = [(label, str(value)) for label, value in provenance(found.log, found.sample) if label != "Folder"]
    about = [(label, value) for label, value in known if value not in ("None", "", "NaT", "nan")]
    checkpoint = checkpoint_name(found.log)
    return Conversation(
        title=f"{found.log['eval'] or found.log['task']} · {sample} · epoch {epoch} · {checkpoint}",
        runs=(str(found.log["run"]),),
        about=(*about, ("Data", f"import {as_of}")),
        messages=tuple(messages_of_sample(found.messages, found.sample)),
        scores=tuple(score_parts(found.scores)),
        labels=tuple(_labels(con, found, name, as_of)),
        notes=tuple(_notes(threads_in_sample(con, log, sample, epoch))) if with_notes else (),
    )


def _labels(con: duckdb.DuckDBPyConnection, found: Transcript, name: SampleName, as_of: int) -> Iterable[Part]:
    """What people hold of a sample, under each metric by which they labelled it."""
    judged = judged_metrics(con)
    if not judged:
        return
    metrics = metrics_for(con, (str(found.log["eval"] or found.log["task"]),), as_of).set_index("metric")
    now = transcript_hashes(con, [found.sample["sample_id"]])[found.sample["sample_id"]]
    for metric in judged:
        known = metrics.loc[metric] if metric in metrics.index else None
        better = None if known is None else known["better"]
        words = outcome_words(better if isinstance(better, str) else None)
        title = metric if known is None else known["title"]
        for one in verdicts_on(con, metric, *name):
            earlier = "" if one.transcript_hash == now else " · on an earlier version of the transcript: excluded"
            told = f"{one.author}: {words[one.verdict]} · {title} · {numerals.time(one.marked_at)}{earlier}"
            yield Part("verdict", one.note, told)


def _point_notes(con: duckdb.DuckDBPyConnection, shown: Collected) -> tuple[Note, ...]:
    """The threads on the points that the charts of a view show."""
    anchors = {}
    for chart in shown.charts:
        if {"eval", "metric", "run", "step", "repeat", "variant", "split", "split2"} <= set(chart.numbers):
            for row in chart.numbers.to_dict("records"):
                anchor = on_point(point_id(row), str(row["run"]), step_of(row))
                anchors[anchor.text] = anchor
    return tuple(_notes(threads_on(con, list(anchors.values()))))


def _notes(threads: Iterable[Thread]) -> Iterable[Note]:
    for thread in threads:
        state = " · ".join([STATES[thread.resolved], *thread.tags])
        said = tuple((comment.author, numerals.time(comment.created_at), comment.text) for comment in thread.comments)
        yield Note(anchor_text(thread.anchor), state, said)
