"""A sweep as it comes: the rate of one prompt over checkpoints, beside an eval's curve and never mixed into it."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import runtime
from dashboard.charts.palette import INKS, Scheme
from dashboard.charts.sweep import MISSING, as_rates, point_names, sweep_axis, sweep_chart, sweep_data
from dashboard.parts import controls, shell
from dashboard.parts.chosen import POINT, choose, chosen_now, chosen_point, clickable
from dashboard.parts.plain import escaped, legend, listed
from dashboard.parts.probe import stream, sweep_eval
from dashboard.parts.probe.attempts import attempt
from dashboard.parts.probe.reply_html import thread_html
from dashboard.parts.probe.results import judges_of
from dashboard.parts.probe.sweep_eval import Beside
from dashboard.parts.series import colours_of, labels_of
from dashboard.probe import plans
from dashboard.queries.probe_rates import PEOPLE
from dashboard.queries.probes import SavedProbe
from dashboard.queries.sweep_rates import UNDER_WAY, last_replies, sweep_rates

DRAW_S = 1.0
"""Seconds between two drawings while replies or verdicts come."""
A_ROW = 3
"""Replies of the chosen checkpoint beside each other."""
WRAP = 70
"""Characters of a line under a chart's title: two charts stand beside each other."""

TABLE = "probe_sweep_table"
MOST_ERRORS = 4
"""Reasons of failures that are told at once."""


@dataclass(frozen=True)
class Shown:
    """What the reader has chosen to see of a sweep.

    Attributes:
        by: A judge's id, or `PEOPLE`.
        who: The same in words.
        chosen: The point that was clicked; "" for none.
        live: Whether something was under way when the page was drawn.
        beside: The eval's curve.
    """

    probe_id: str
    by: str
    who: str
    chosen: str
    live: bool
    runs: pd.DataFrame
    scheme: Scheme
    beside: Beside


def sweep(probe: SavedProbe, runs: pd.DataFrame, as_of: int) -> None:
    """Draw a sweep, and go on as long as something comes."""
    live = runtime.probes().engine.active(probe.probe_id)
    chosen = chosen_point()
    whose = st.columns([4, 4, 4], gap="small", vertical_alignment="bottom")
    with whose[0]:
        by, who = _rated_by(probe)
    swept = list(dict.fromkeys(str(column["run"]) for column in probe.columns if column["run"]))
    beside = sweep_eval.pick(swept, runs, as_of, whose[1], whose[2])
    if by == PEOPLE and not any(reply.marks for reply in probe.replies):
        st.html('<div class="dl-notice">Nobody judges yet: the curve comes from people\'s marks (see Mark), or have the'
                " replies judged by a model (Judge, above).</div>")  # fmt: skip
    shown = Shown(probe.probe_id, by, who, chosen, live, runs, shell.scheme(), beside)
    st.fragment(_drawn, run_every=DRAW_S if live else None)(shown)
    if chosen in point_names(as_rates(sweep_rates(probe, by), by=who)):
        controls.remember(POINT, chosen)
    else:
        sweep_eval.behind(beside, as_of)


def _rated_by(probe: SavedProbe) -> tuple[str, str]:
    judges = judges_of(probe)
    marked = any(reply.marks for reply in probe.replies)
    options = {**judges, **({PEOPLE: "People's marks"} if marked or not judges else {})}
    by = controls.pick_one("Curve by", "by", list(options), default=next(iter(options)), titles=options)
    return by, "people" if by == PEOPLE else options[by]


def _drawn(shown: Shown) -> None:
    """Everything that changes while replies come; drawn anew by itself."""
    live = runtime.probes().engine.active(shown.probe_id)
    if shown.chosen != chosen_now() or shown.live != live:
        st.rerun()  # the toolbar, the axes and the address, too
    probe = stream.read(shown.probe_id)
    labels = labels_of(shown.runs)
    frame = sweep_rates(probe, shown.by, labels)
    rates = as_rates(frame, by=shown.who)
    frame["point"] = point_names(rates)
    data = sweep_data(rates)
    axis = sweep_axis([data.points, shown.beside.fractions], live=live)
    span = [*data.points["x"].dropna(), *data.missing["x"].dropna(), *shown.beside.steps]
    colours = colours_of(shown.runs, "run")[0]
    asked = frame.drop_duplicates("run")
    if len(asked) > 1:
        grey = INKS[shown.scheme].muted
        st.html(legend([(row["run_label"], colours.get(row["run"], grey)) for row in asked.to_dict("records")]))
    # As many lines over both charts: their plots stand at one height.
    lines, beside = _subtitle(probe, shown.who), shown.beside.told(WRAP)
    most = max(len(lines), len(beside))
    lines, beside = ([*told, *[""] * (most - len(told))] for told in (lines, beside))
    left, right = st.columns(2, gap="small")
    with left:
        chart = sweep_chart(
            data, axis, scheme=shown.scheme, colours=colours, labels=labels, title="This prompt", subtitle=lines,
            x_span=span, selected=shown.chosen,
        )  # fmt: skip
        clickable(chart, "probe_sweep_chart", alt="The rate of this prompt over checkpoints")
        notes = [MISSING] if len(data.missing) else []
        notes += [_progress(frame)] if live else []
        if notes:
            st.html(f'<div class="dl-note">{escaped(" · ".join(notes))}</div>')
    with right:
        sweep_eval.draw(shown.beside, axis, beside, span, shown.scheme, shown.chosen)
    errors = _errors(probe)
    if errors:
        st.html(listed(errors))
    _table(frame)
    at = frame[frame["point"] == shown.chosen]
    if len(at):
        _behind(probe, at.iloc[0].to_dict())
    else:
        st.html('<div class="dl-note">A click on a point or a row shows the replies behind it.</div>')
    if live and runtime.probes().engine.trouble:
        st.html(f'<div class="dl-notice" role="alert">{escaped(runtime.probes().engine.trouble)}</div>')


def _subtitle(probe: SavedProbe, who: str) -> list[str]:
    samples = plans.sampling_of(probe).samples
    each = f"{samples} samples each" if samples > 1 else "1 sample each"
    told = [
        f"One prompt, {each}: a rate of this prompt, not of the eval",
        f"misaligned as marked by {who} (lower is better) · 95 % intervals: Wilson",
    ]
    return [line for text in told for line in textwrap.wrap(text, WRAP)]


def _progress(frame: pd.DataFrame) -> str:
    total = int(frame["n"].fillna(0).sum() + frame["n_missing"].sum())
    waiting, unjudged = int(frame["under_way"].sum()), int(frame["unjudged"].sum())
    return f"{total - waiting} of {total} replies have come, {unjudged} wait for a verdict"


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
    more = [f"and {len(found) - MOST_ERRORS} more reasons"] if len(found) > MOST_ERRORS else []
    return [f"{count} failed: {reason}" for reason, count in found[:MOST_ERRORS]] + more


def _table(frame: pd.DataFrame) -> None:
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
    points = frame["point"].tolist()

    def take() -> None:
        cells = st.session_state[TABLE].selection.cells
        if cells:
            choose(points[cells[0][0]])

    number = partial(st.column_config.NumberColumn, width=70)
    st.dataframe(
        table.drop(columns=["Framing"] if frame["framing"].nunique() < 2 else []),
        key=TABLE, on_select=take, selection_mode="single-cell", hide_index=True, placeholder="–",
        height="content" if len(table) <= 12 else 420,
        column_config={
            "Run": st.column_config.TextColumn(pinned=True),
            "Misaligned": number(), "Of": number(),
            **{name: number(format="%.1f %%") for name in ("Rate", "Low", "High")},
            "Missing": st.column_config.TextColumn(width=260),
        },
        alt="The rate of every checkpoint; a click on a row shows its replies",
    )  # fmt: skip


def _step(row: dict[Any, Any]) -> str:
    if not pd.isna(row["step"]):
        return f"{row['step']:,}"
    return str(row["model"] if pd.isna(row["step_label"]) else row["step_label"])


def _missing(row: dict[Any, Any]) -> str:
    parts = [("under_way", "under way"), ("failed", "failed or stopped"), ("unjudged", "without a verdict")]
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
