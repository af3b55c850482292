"""Audit: who shared, exported, asked, judged, wrote and signed in, and when; for admins alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import streamlit as st

from dashboard import links, numerals, runtime
from dashboard.exports.csv import csv_bytes
from dashboard.kit.data_table import data_table
from dashboard.kit.page import clock
from dashboard.kit.page.reader import ALLOWED, cursor, reader
from dashboard.kit.pickers import controls
from dashboard.kit.tables import noted
from dashboard.kit.text.plain import escaped
from dashboard.queries.audit import AuditFilter, audit_page, people
from dashboard.queries.rows import whole_number
from dashboard.review.audit import ACTIONS

PAGE_SIZE = 50
PAGE = "audit_page_number"

controls.arrive(links.AUDIT)
if not reader().may("admin"):
    st.html(f'<div class="dl-notice" role="alert">{ALLOWED["admin"]} You are signed in as {reader().role}.</div>')
    controls.stop()


def day(text: str) -> datetime | None:
    """The beginning of a day that was written; None where nothing was, or something else, which is said."""
    if not text:
        return None
    with suppress(ValueError):
        return datetime.strptime(text, "%Y-%m-%d")
    st.html(f'<div class="dl-notice" role="alert">{escaped(text)} is not a date: write YYYY-MM-DD.</div>')
    return None


# Which rows.
with cursor() as seen:
    everybody = people(seen)
with st.sidebar:
    who = controls.pick_any("Who", "who", everybody)
    actions = controls.pick_any(
        "What", "action", list(ACTIONS), titles={name: name.replace("_", " ") for name in ACTIONS}
    )
    text = controls.write("Text", "text", placeholder="action or link")
    since = day(controls.write("From", "since", placeholder="2026-01-31"))
    until = day(controls.write("To", "until", placeholder="2026-12-31", help="Inclusive, in UTC."))
wanted = AuditFilter(tuple(who), tuple(actions), text, since, until + timedelta(days=1) if until else None)
address = controls.state()
if st.session_state.get("audit_filter") != address:
    st.session_state["audit_filter"] = address
    st.session_state[PAGE] = whole_number((controls.restored("page") or ["1"])[0]) or 1
with cursor() as seen:
    frame = audit_page(seen, wanted, max(0, st.session_state[PAGE] - 1), PAGE_SIZE)
    if frame.empty and st.session_state[PAGE] > 1:
        st.session_state[PAGE] = 1
        frame = audit_page(seen, wanted, 0, PAGE_SIZE)
if frame.empty:
    st.html('<div class="dl-note">No entries match.</div>')
    controls.stop()
total = int(frame["total"].iloc[0])
pages, number = math.ceil(total / PAGE_SIZE), st.session_state[PAGE]


def turn(by: int) -> None:
    """Turn the page."""
    st.session_state[PAGE] += by


def everything(hidden: Sequence[str]) -> bytes:
    """All rows of the filter as CSV, as a reader may see them."""
    with runtime.store().cursor(hidden=hidden) as asked:
        return csv_bytes(audit_page(asked, wanted).drop(columns="total"))


with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    rows = "row" if total == 1 else "entries, newest first"
    st.html(f'<div class="dl-head"><b>{numerals.count(total)}</b> {rows}</div>', width="content")
    with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
        st.button("Previous", icon=":material/chevron_left:", on_click=turn, args=(-1,), disabled=number <= 1)
        st.html(f'<span class="dl-note">page {numerals.part(number, pages)}</span>', width="content")
        st.button("Next", icon=":material/chevron_right:", on_click=turn, args=(1,), disabled=number >= pages)
data_table(
    frame.drop(columns="total").assign(action=frame["action"].str.replace("_", " "), runs=frame["runs"].map(", ".join)),
    height="content" if len(frame) <= PAGE_SIZE else 620,
    column_config={
        "happened_at": clock.time_column("When", exact=True),
        "subject": st.column_config.TextColumn("what", width=360),
        "address": st.column_config.TextColumn(width=300),
    },
    alt="Audit log",
)
st.download_button(
    "Download as CSV", noted(f"audit log, {total} rows, as CSV", (), partial(everything, reader().hidden)),
    "audit.csv", "text/csv", icon=":material/download:", on_click="ignore",
)  # fmt: skip
controls.remember("page", number if number > 1 else None)
controls.leave()
