"""From what was chosen for a review to the review: notes, transcripts and tables are read from the store here.

It runs when the file is asked for, outside the page's script: nothing of Streamlit's is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

import duckdb
import pandas as pd

from dashboard import links
from dashboard.charts.points import point_id
from dashboard.exports.facts import filters_of, runs_of
from dashboard.exports.review import Block, Conversation, Note, Review, Turn, View, score_blocks, turn_of
from dashboard.parts.exports.collect import Collected
from dashboard.parts.review.thread_html import STATES, anchor_text, when
from dashboard.parts.sample_filters import filter_of, order_of
from dashboard.parts.transcript_html import provenance, without_messages
from dashboard.queries.probes import SavedReply, read_probe
from dashboard.queries.samples import samples_page
from dashboard.queries.saved_views import SavedView
from dashboard.queries.threads import Thread, on_point, on_reply, threads_in_sample, threads_on
from dashboard.queries.transcript import transcript
from loaders import __version__
from loaders.errors import DriftlineError
from loaders.store import Store

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
    """

    title: str
    introduction: str
    author: str
    views: tuple[tuple[SavedView, Collected | None], ...]
    samples: tuple[SampleName, ...]
    with_notes: bool
    as_of: int
    notices: tuple[str, ...]


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
    made = f"By {plan.author}, {when(datetime.now(UTC))}"
    return Review(plan.title, plan.introduction, made, plan.notices, views, others, __version__)


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
        missing.append("The page draws nothing here that a file can hold; its address leads to it.")
    by = f"Saved by {view.author}, {when(view.created_at)}"
    edited = f"; last edited by {view.edited_by}, {when(view.edited_at)}" if view.version > 1 else ""
    return View(
        title=view.title,
        note=view.note,
        saved=by + edited,
        page=view.page,
        source=facts.source if facts else f"{view.page}?{links.query(address)}",
        batch=facts.batch if facts else f"as of batch {as_of}",
        filters=facts.filters if facts else filters_of(view.address),
        charts=shown.charts if shown else (),
        table=table,
        conversations=conversations,
        notes=_point_notes(con, shown) if shown and plan.with_notes else (),
        missing=tuple(missing),
    )


def _table(con: duckdb.DuckDBPyConnection, view: SavedView, as_of: int) -> pd.DataFrame | None:
    """The samples of a view of the Samples page: the page of them that it names."""
    if view.page != links.SAMPLES:
        return None
    number = links.whole_number(next(iter(view.address.get("page", [])), "1")) or 1
    frame = samples_page(
        con, filter_of(view.address), sort=order_of(view.address), page=number - 1, size=SAMPLES_SHOWN, as_of=as_of
    )
    return frame[SAMPLE_TABLE]


def _conversations(
    con: duckdb.DuckDBPyConnection, view: SavedView, as_of: int, with_notes: bool
) -> tuple[Conversation, ...]:
    """Transcripts and replies that a view shows."""
    if view.page == links.TRANSCRIPT:
        name = links.sample_of(view.address)
        return (_sample(con, name, as_of, with_notes),) if name else ()
    probe = next(iter(view.address.get("probe", [])), "")
    return tuple(_replies(con, probe, with_notes)) if view.page == links.PROBE and probe else ()


def _sample(con: duckdb.DuckDBPyConnection, name: SampleName, as_of: int, with_notes: bool) -> Conversation:
    log, sample, epoch = name
    found = transcript(con, log, sample, epoch, as_of)
    messages = found.messages or without_messages(found.sample)
    # Where the logs lie on somebody's machine is nobody else's business.
    known = [(label, str(value)) for label, value in provenance(found.log, found.sample) if label != "Folder"]
    about = [(label, value) for label, value in known if value not in ("None", "", "NaT", "nan")]
    checkpoint = links.checkpoint(found.log)
    return Conversation(
        title=f"{found.log['eval'] or found.log['task']} · {sample} · epoch {epoch} · {checkpoint}",
        runs=(str(found.log["run"]),),
        about=(*about, ("As of", f"batch {as_of}")),
        turns=tuple(turn_of(number, message) for number, message in enumerate(messages, start=1)),
        scores=score_blocks(found.scores),
        notes=tuple(_notes(threads_in_sample(con, log, sample, epoch))) if with_notes else (),
    )


def _replies(con: duckdb.DuckDBPyConnection, probe_id: str, with_notes: bool) -> Iterable[Conversation]:
    """The conversations of a probe, one for each framing, column and sample."""
    probe = read_probe(con, probe_id)

    def place(reply: SavedReply) -> tuple[str, int, int]:
        return reply.framing, reply.position, reply.sample

    for (framing, position, sample), replies in groupby(probe.replies, key=place):
        column = probe.columns[position]
        turns: list[Turn] = []
        on = []
        for reply in replies:
            on.append(on_reply(probe_id, reply.reply_id))
            if reply.user_text is not None:
                turns.append(Turn("user", (Block("", reply.user_text),)))
            parts = [Block("Reasoning", reply.reasoning), Block("", reply.text)]
            parts += [Block("Calls a tool", call) for call in reply.calls]
            parts += [Block("", f"({reply.status}: {reply.error or 'no error was given'})")] * (
                reply.status != "complete"
            )
            parts += [
                Block(f"Judged {mark['verdict'] or 'without a verdict'} by {author}", mark["note"] or "")
                for author, mark in reply.marks.items()
            ]
            turns.append(
                Turn("assistant", tuple(block for block in parts if block.text or block.label not in ("", "Reasoning")))
            )
        step = "" if column["run"] is None else links.checkpoint(column)
        yield Conversation(
            title=f"{probe.title} · {step or column['model']} · reply {sample + 1}"
            + (f" · {framing}" if framing else ""),
            runs=(str(column["run"]),) if column["run"] is not None else (),
            about=(("Model", f"{column['model']} at {column['endpoint']}"), ("Probe", probe_id)),
            turns=tuple(turns),
            notes=tuple(_notes(threads_on(con, on))) if with_notes else (),
        )


def _point_notes(con: duckdb.DuckDBPyConnection, shown: Collected) -> tuple[Note, ...]:
    """The threads on the points that the charts of a view show."""
    anchors = {}
    for chart in shown.charts:
        if {"eval", "metric", "run", "step", "repeat", "variant", "split", "split2"} <= set(chart.numbers):
            for row in chart.numbers.to_dict("records"):
                anchor = on_point(point_id(row), str(row["run"]), links.step_of(row))
                anchors[anchor.text] = anchor
    return tuple(_notes(threads_on(con, list(anchors.values()))))


def _notes(threads: Iterable[Thread]) -> Iterable[Note]:
    for thread in threads:
        state = " · ".join([STATES[thread.resolved], *thread.tags])
        said = tuple((comment.author, when(comment.created_at), comment.text) for comment in thread.comments)
        yield Note(anchor_text(thread.anchor), state, said)
