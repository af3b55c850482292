"""A sweep as it comes: the rate of one prompt over checkpoints, beside an eval's curve and never mixed into it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import numerals, runtime
from dashboard.app_pages.probe import stream, sweep_eval
from dashboard.app_pages.probe.reply_html import thread_html
from dashboard.app_pages.probe.results import judges_of
from dashboard.charts.axes import ValueAxis
from dashboard.charts.keys import Key
from dashboard.charts.palette import INKS, Scheme
from dashboard.charts.sweep import MISSING, as_rates, point_names, sweep_axis, sweep_chart, sweep_data
from dashboard.kit.charts.chosen import POINT, choose, chosen_now, chosen_point, clickable
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.data_table import data_table
from dashboard.kit.page import shell
from dashboard.kit.page.fragments import fragment, sure
from dashboard.kit.page.reader import attempt, reader
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.series import colours_of, labels_of
from dashboard.kit.text.plain import escaped, legend, listed
from dashboard.probe import plans
from dashboard.queries.probe_rates import PEOPLE
from dashboard.queries.probes import SavedProbe
from dashboard.queries.sweep_rates import UNDER_WAY, last_replies, sweep_rates

DRAW_S = 1.5
"""Seconds between two drawings while replies or verdicts come."""
A_ROW = 3
"""Replies of the chosen checkpoint beside each other."""
TABLE = "probe_sweep_table"
MOST_ERRORS = 4
"""Reasons of failures that are told at once."""


@dataclass(frozen=True)
class Shown:
    """What is shown of a sweep, as long as the page itself is not drawn anew.

    Attributes:
        by: A judge's id, or `PEOPLE`.
        who: The same in words.
        chosen: The point that was clicked; "" for none.
        live: Whether something was under way when the page was drawn.
        axis, span: Of the rates, and steps that are on the other one in any case: both pictures have the same.
        lines: Under the chart's title.
    """

    probe_id: str
    by: str
    who: str
    chosen: str
    live: bool
    runs: pd.DataFrame
    scheme: Scheme
    axis: ValueAxis
    span: Sequence[float]
    lines: Sequence[str]


def sweep(probe: SavedProbe, runs: pd.DataFrame, as_of: int) -> None:
    """Draw a sweep, and go on as long as something comes."""
    live = runtime.probes().engine.active(probe.probe_id)
    chosen, scheme = chosen_point(), shell.scheme()
    places = st.columns(3, gap="small", vertical_alignment="bottom")
    with places[0]:
        by, who = _rated_by(probe)
    swept = list(dict.fromkeys(str(column["run"]) for column in probe.columns if column["run"]))
    beside = sweep_eval.pick(swept, runs, as_of, places[1], places[2])
    if by == PEOPLE and not any(reply.marks for reply in probe.replies):
        st.html('<div class="dl-notice">No judge yet: rate the replies by hand (Rate), or score them with a model'
                " (Judge, above).</div>")  # fmt: skip
    _legend(probe, runs, scheme)

    rates = as_rates(sweep_rates(probe, by), by=who)
    data = sweep_data(rates)
    axis = sweep_axis(data, beside.fractions, live=live)
    span = [*data.points["x"].dropna(), *data.missing["x"].dropna(), *beside.steps]
    # A line over each of both charts: their plots stand at one height.
    own, others = _subtitle(probe, who), beside.told()
    shown = Shown(probe.probe_id, by, who, chosen, live, runs, scheme, axis, span, own)
    again = DRAW_S if live else None
    left, right = st.columns(2, gap="small")
    with left:
        fragment(_curve, every=again)(shown)
    with right:
        sweep_eval.draw(beside, axis, others, span, scheme, chosen)
    fragment(_numbers, every=again)(shown)
    if chosen in point_names(rates):
        controls.remember(POINT, chosen)
    else:
        sweep_eval.behind(beside, as_of)


def _rated_by(probe: SavedProbe) -> tuple[str, str]:
    judges = judges_of(probe)
    marked = any(reply.marks for reply in probe.replies)
    options = {**judges, **({PEOPLE: "Human ratings"} if marked or not judges else {})}
    by = controls.pick_one("Curve by", "by", list(options), default=next(iter(options)), titles=options)
    return by, "people" if by == PEOPLE else options[by]


def _legend(probe: SavedProbe, runs: pd.DataFrame, scheme: Scheme) -> None:
    """One for both charts."""
    colours, labels = colours_of(runs, "run")
    asked = list(dict.fromkeys(str(column["run"] or column["model"]) for column in probe.columns))
    if len(asked) > 1:
        st.html(legend([Key(labels.get(run, run), colours.get(run, INKS[scheme].muted)) for run in asked]))


def _now(shown: Shown) -> SavedProbe:
    """The probe with what has come by now; the page itself is drawn anew where more than that has changed."""
    live = runtime.probes().engine.active(shown.probe_id)
    if shown.chosen != chosen_now() or shown.live != live:
        st.rerun()
    return stream.read(shown.probe_id)


def _curve(shown: Shown) -> None:
    """The chart; drawn anew by itself while replies come."""
    probe = _now(shown)
    colours, labels = colours_of(shown.runs, "run")
    frame = sweep_rates(probe, shown.by, labels)
    data = sweep_data(as_rates(frame, by=shown.who))
    chart = drawing(
        sweep_chart, data, shown.axis, scheme=shown.scheme, colours=colours, labels=labels, title="This prompt",
        subtitle=shown.lines, x_span=shown.span, selected=shown.chosen,
    )  # fmt: skip
    clickable(
        chart, "probe_sweep_chart", "Misalignment rate of this prompt by checkpoint",
        frame.drop(columns=["position", "run_label"]),
        keys=[Key(labels.get(run, run), colours.get(run, INKS[shown.scheme].muted)) for run in frame["run"].unique()],
    )  # fmt: skip
    notes = [MISSING] if len(data.missing) else []
    notes += [_progress(frame)] if shown.live else []
    if notes:
        st.html(f'<div class="dl-note">{escaped(" · ".join(notes))}</div>')


def _numbers(shown: Shown) -> None:
    """The table, and the replies of the checkpoint that was chosen; drawn anew by itself while replies come."""
    probe = _now(shown)
    trouble = runtime.probes().engine.trouble
    if trouble:
        st.html(f'<div class="dl-notice" role="alert">{escaped(trouble)}</div>')
    errors = _errors(probe)
    if errors:
        st.html(listed(errors))
    frame = sweep_rates(probe, shown.by, labels_of(shown.runs))
    points = point_names(as_rates(frame, by=shown.who))
    _table(frame, points)
    if shown.chosen in points:
        _behind(probe, frame.iloc[points.index(shown.chosen)].to_dict())
    else:
        st.html('<div class="dl-note">Click a point or a row to show its replies.</div>')


def _subtitle(probe: SavedProbe, who: str) -> list[str]:
    samples = plans.sampling_of(probe).samples
    return [
        f"Not the eval: one prompt, n = {samples} per point · lower is better · 95% CI: Wilson,"
        f" anytime-valid where replies are unscored · by {who}"
    ]


def _progress(frame: pd.DataFrame) -> str:
    total = int(frame["n"].fillna(0).sum() + frame["n_missing"].sum())
    waiting, unjudged = int(frame["under_way"].sum()), int(frame["unjudged"].sum())
    return f"{total - waiting} of {total} replies, {unjudged} unscored"


def _errors(probe: SavedProbe) -> list[str]:
    """Why replies and verdicts failed, each reason once, the most frequent ones first."""
    reasons = Counter(reply.error for reply in last_replies(probe) if reply.status == "failed" and reply.error)
    unjudged = Counter(
        f"The judge: {verdict['error']}"
        for reply in probe.replies
        for verdict in reply.verdicts.values()
        if verdict["verdict"] is None and verdict["error"]
    )
    found = (reasons + unjudged).most_common()
    more = [f"and {len(found) - MOST_ERRORS} more errors"] if len(found) > MOST_ERRORS else []
    return [f"{count} failed: {reason}" for reason, count in found[:MOST_ERRORS]] + more


def _table(frame: pd.DataFrame, points: Sequence[str]) -> None:
    """A row for each checkpoint; a click on one chooses it."""
    table = pd.DataFrame(
        {
            "Run": frame["run_label"],
            "Checkpoint": [_step(row) for row in frame.to_dict("records")],
            "Framing": frame["framing"],
            "Misaligned": frame["k"].where(frame["n"] > 0),
            "Of": frame["n"],
            "Rate": 100 * frame["rate"],
            "Low": 100 * frame["low"],
            "High": 100 * frame["high"],
            "Missing": [_missing(row) for row in frame.to_dict("records")],
        }
    )

    def take() -> None:
        cells = st.session_state[TABLE].selection.cells
        if cells:
            choose(points[cells[0][0]])

    number = partial(st.column_config.NumberColumn, width=70)
    data_table(
        table.drop(columns=["Framing"] if frame["framing"].nunique() < 2 else []),
        key=TABLE, on_select=sure(take), selection_mode="single-cell", placeholder="–",
        height="content" if len(table) <= 12 else 420,
        column_config={
            "Run": st.column_config.TextColumn(pinned=True),
            "Misaligned": number(), "Of": number(),
            **{name: number(format=numerals.COLUMN_PERCENT) for name in ("Rate", "Low", "High")},
            "Missing": st.column_config.TextColumn(width=260),
        },
        alt="Misalignment rate by checkpoint; click a row to show its replies",
    )  # fmt: skip


def _step(row: dict[Any, Any]) -> str:
    if not pd.isna(row["step"]):
        return numerals.count(row["step"])
    return str(row["model"] if pd.isna(row["step_label"]) else row["step_label"])


def _missing(row: dict[Any, Any]) -> str:
    parts = [("under_way", "running"), ("failed", "failed or stopped"), ("unjudged", "unscored")]
    return ", ".join(f"{row[name]} {words}" for name, words in parts if row[name])


def _behind(probe: SavedProbe, row: dict[Any, Any]) -> None:
    """The replies of one checkpoint to one framing."""
    position, framing = int(row["position"]), row["framing"]
    column = probe.columns[position]
    threads = [t for t in plans.threads(probe) if t[0].position == position and t[0].framing == framing]
    prefill = next((f.prompt.prefill for f in plans.framings_of(probe) if f.name == framing), None)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            told = f"<b>{escaped(row['run_label'])} {escaped(_step(row))}</b> · {escaped(framing)}"
            where = f"{column['model']} at {column['endpoint']}"
            st.html(f'<div class="dl-head">{told}<div class="dl-note">{escaped(where)}</div></div>', width="content")
            if reader().may("prober"):
                _buttons(probe.probe_id, position, {thread[-1].status for thread in threads})
        for at in range(0, len(threads), A_ROW):
            for thread, place in zip(threads[at : at + A_ROW], st.columns(A_ROW, gap="small"), strict=False):
                place.html(thread_html(thread, prefill=prefill, judges=list(judges_of(probe))))


def _buttons(probe_id: str, position: int, statuses: set[str]) -> None:
    """Stop or ask again, for this checkpoint alone."""
    engine = runtime.probes().engine
    if statuses & UNDER_WAY:
        st.button("Stop", icon=":material/stop_circle:", type="tertiary", key="probe_sweep_stop",
                  on_click=attempt, args=(partial(engine.stop, probe_id, [position]),))  # fmt: skip
    elif statuses & set(plans.AGAIN) and st.button(
        "Retry", icon=":material/refresh:", type="tertiary", key="probe_sweep_retry"
    ):
        attempt(partial(engine.retry, probe_id, [position]))
        st.rerun()
