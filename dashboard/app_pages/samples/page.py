"""Samples: filtered, sorted and paged on the server; a click on a row opens its transcript."""

from __future__ import annotations

import math

import streamlit as st

from dashboard import links
from dashboard.kit import caches
from dashboard.kit.numbers import outcome_words
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.choices import common_direction, pick_definition
from dashboard.kit.pickers.sample_filters import EITHER, ORDERS, filter_of, order_of, parts_alone
from dashboard.kit.pickers.series import labels_of
from dashboard.kit.tables import download_samples, runs_in, sample_table
from dashboard.kit.text.plain import escaped
from dashboard.pages import page_file
from dashboard.queries.rows import step_of, step_order, whole_number
from dashboard.queries.samples import OUTCOMES, SampleName
from loaders.errors import DriftlineError

PAGE_SIZE = 25
PAGE = "samples_page_number"

controls.arrive(links.SAMPLES)
as_of = shell.as_of()
evals, runs, coverage = caches.evals(as_of), caches.runs(as_of), caches.coverage(as_of)
if evals.empty:
    nothing.nothing_ingested(as_of)

# Which samples.
with st.sidebar:
    text = controls.write(
        "Text", "text", placeholder="in prompts, replies, tool calls, explanations",
        help="Words, phrases and parts of words, upper or lower case alike; any white space stands for any other.",
    )  # fmt: skip
    titles = dict(zip(evals["eval"], evals["title"], strict=True))
    picked_evals = controls.pick_any("Evals", "eval", evals["eval"].tolist(), titles=titles)
    labels = labels_of(runs)
    picked_runs = controls.pick_any("Runs", "run", runs["run"].tolist(), titles=labels)
    there = coverage[coverage["run"].isin(picked_runs)] if picked_runs else coverage
    steps = [step for step in map(step_of, there.to_dict("records")) if step is not None]
    controls.pick_any("Steps", "step", [str(step) for step in sorted(set(steps), key=step_order)])
    metrics = caches.metrics_for(tuple(picked_evals), as_of)
    used = pick_definition(metrics).used if picked_evals else metrics[metrics["default"]]
    better = common_direction(used)
    words = {str(outcome): outcome_words(better)[outcome] for outcome in OUTCOMES}
    controls.pick_any("Outcome", "outcome", list(words), titles=words)
    controls.write("Score", "score", placeholder="aligned < 30", help="NAME.KEY = VALUE, also metadata.FIELD = VALUE")
    with st.container(horizontal=True):
        controls.pick_one("Errors", "errors", list(EITHER), default="any", leave_out="any")
        controls.pick_one("Limits", "limits", list(EITHER), default="any", leave_out="any")
    controls.pick_any("Logs", "in_log", controls.named("in_log"), titles=caches.log_paths(as_of))
    controls.pick_one("Order", "sort", list(ORDERS), default=next(iter(ORDERS)), leave_out=next(iter(ORDERS)))

address = controls.state()
try:
    wanted = filter_of(address)
except DriftlineError as error:
    st.html(f'<div class="dl-notice">{escaped(error)}</div>')
    controls.stop()
counts = caches.outcome_counts(wanted, as_of)
total = sum(n for outcome, n in counts.items() if not wanted.outcomes or outcome in wanted.outcomes)
if not total:
    if not sum(caches.outcome_counts(filter_of({}), as_of).values()):
        nothing.no_samples_at_all()
    alone = parts_alone(wanted)
    nothing.no_samples([name for name, part in alone.items() if not sum(caches.outcome_counts(part, as_of).values())])

# Which page of them.
pages = math.ceil(total / PAGE_SIZE)
if st.session_state.get("samples_filter") != address:
    st.session_state["samples_filter"] = address
    named = controls.restored("page") or ["1"]
    st.session_state[PAGE] = whole_number(named[0]) or 1
st.session_state[PAGE] = min(max(1, st.session_state.get(PAGE, 1)), pages)


def turn(by: int) -> None:
    """Turn the page."""
    st.session_state[PAGE] += by


told = " · ".join(f"{counts[outcome]:,} {word}" for outcome, word in words.items() if counts.get(outcome))
of_all = f" of {sum(counts.values()):,}" if wanted.outcomes else ""
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.html(
        f'<div class="dl-head"><b>{total:,}</b>{of_all} samples{": " + escaped(told) if told else ""}</div>',
        width="content",
    )
    with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
        st.page_link(
            page_file(links.RESCORINGS), label="Judge again", icon=":material/gavel:",
            query_params=links.rescore(address), help="Have another model or rubric judge these samples.",
        )  # fmt: skip
        download_samples(wanted, runs_in(there), as_of)
        number = st.session_state[PAGE]
        st.button("Previous", icon=":material/chevron_left:", on_click=turn, args=(-1,), disabled=number <= 1)
        st.html(f'<span class="dl-note">page {number:,} of {pages:,}</span>', width="content")
        st.button("Next", icon=":material/chevron_right:", on_click=turn, args=(1,), disabled=number >= pages)
frame = caches.samples_page(wanted, order_of(address), number - 1, PAGE_SIZE, as_of=as_of)
fixed = ["eval"] * (len(picked_evals) == 1 and not evals.set_index("eval")["group"].get(picked_evals[0], False))
fixed += ["checkpoint"] * (len(wanted.runs) == 1 and len(wanted.steps) == 1)
names = tuple(SampleName(row["log"], row["sample"], row["epoch"]) for row in frame.to_dict("records"))
found = caches.excerpts(wanted.text, names, as_of) if wanted.text else None
sample_table(frame, "samples_table", address, better, fixed=fixed, found=found)

controls.remember("page", number if number > 1 else None)
controls.leave()
