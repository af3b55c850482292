"""Samples: filtered, sorted and paged on the server; a click on a row opens its transcript."""

from __future__ import annotations

import math

import streamlit as st

from dashboard import links, numerals
from dashboard.kit import caches
from dashboard.kit.numbers import outcome_words
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import controls, kept
from dashboard.kit.pickers.choices import common_direction, pick_definition
from dashboard.kit.pickers.sample_filters import (
    EITHER,
    ERRORS,
    LIMITS,
    ORDER_TITLES,
    ORDERS,
    filter_of,
    order_of,
    parts_alone,
)
from dashboard.kit.pickers.series import labels_of
from dashboard.kit.tables import download_samples, runs_in, sample_table
from dashboard.kit.text.plain import escaped
from dashboard.pages import page_file
from dashboard.queries.rows import step_of, step_order, whole_number
from dashboard.queries.samples import OUTCOMES, SampleFilter, SampleName
from loaders.errors import DriftlineError
from loaders.metrics.applicable import COUNTING

SIZES = ("50", "100")  # rows a page
PAGE = "samples_page_number"

controls.arrive(links.SAMPLES)
as_of = shell.as_of()
evals, runs, coverage = caches.evals(as_of), caches.runs(as_of), caches.coverage(as_of)
if evals.empty:
    nothing.nothing_ingested(as_of)

# Which samples.
with st.sidebar:
    text = controls.write(
        "Text", "text", placeholder="prompts, replies, tool calls, explanations",
        help="Words, phrases and parts of words. Case and kind of whitespace don't matter.",
    )  # fmt: skip
    titles = dict(zip(evals["eval"], evals["title"], strict=True))
    picked_evals = controls.pick_any("Evals", "eval", evals["eval"].tolist(), titles=controls.findable(titles))
    labels = labels_of(runs)
    picked_runs = controls.pick_any("Runs", "run", runs["run"].tolist(), titles=controls.findable(labels))
    chosen = kept.runs(runs["run"])
    if chosen and set(chosen) != set(picked_runs):
        # Offered alone: a filter that came from elsewhere would change what is counted here without a word.
        st.button(
            f"Only {numerals.plural(len(chosen), 'run')} shown elsewhere", icon=":material/filter_alt:",
            type="tertiary", on_click=controls.put, args=("run", chosen), help="The runs chosen on other pages",
        )  # fmt: skip
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
        controls.pick_one("Errors", "errors", list(EITHER), default="any", titles=ERRORS, leave_out="any")
        controls.pick_one("Hit a limit", "limits", list(EITHER), default="any", titles=LIMITS, leave_out="any")
    controls.pick_any("Logs", "in_log", controls.named("in_log"), titles=caches.log_paths(as_of))
    first_order = next(iter(ORDERS))
    controls.pick_one("Sort by", "sort", list(ORDERS), default=first_order, titles=ORDER_TITLES, leave_out=first_order)
    size = int(controls.pick_one("Rows per page", "rows", SIZES, default=SIZES[0], leave_out=SIZES[0]))

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
    alone = {name: sum(caches.outcome_counts(part, as_of).values()) for name, part in parts_alone(wanted).items()}
    if wanted.outcomes:
        each = caches.outcome_counts(SampleFilter(metric=wanted.metric), as_of)
        alone["Outcome"] = sum(n for outcome, n in each.items() if outcome in wanted.outcomes)
    nothing.no_samples([name for name, n in alone.items() if not n])

# Which page of them.
pages = math.ceil(total / size)
if controls.source() is not None or st.session_state.get("samples_filter") != address:
    st.session_state["samples_filter"] = address
    named = controls.restored("page") or ["1"]
    st.session_state[PAGE] = whole_number(named[0]) or 1
st.session_state[PAGE] = min(max(1, st.session_state.get(PAGE, 1)), pages)


def turn(by: int) -> None:
    """Turn the page."""
    st.session_state[PAGE] += by


told = " · ".join(f"{numerals.count(counts[outcome])} {word}" for outcome, word in words.items() if counts.get(outcome))
told = f": {told}" if told else ""
many = "sample" if total == 1 else "samples"
of_all = f" of {numerals.count(sum(counts.values()))}" if wanted.outcomes else ""
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.html(
        f'<div class="dl-head"><b>{numerals.count(total)}</b>{of_all} {many}{escaped(told)}</div>',
        width="content",
    )
    with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
        number = st.session_state[PAGE]
        st.button("Previous", icon=":material/chevron_left:", on_click=turn, args=(-1,), disabled=number <= 1)
        st.number_input(
            "Page", 1, pages, step=1, key=PAGE, label_visibility="collapsed", width=70, disabled=pages == 1,
        )  # fmt: skip
        st.html(f'<span class="dl-note">of {numerals.count(pages)}</span>', width="content")
        st.button("Next", icon=":material/chevron_right:", on_click=turn, args=(1,), disabled=number >= pages)
        with st.popover("Actions", help="Re-score or download these samples"):
            st.page_link(
                page_file(links.RESCORINGS), label="Re-score", icon=":material/gavel:",
                query_params=links.rescore(address), help="Score these samples with another judge model or rubric.",
            )  # fmt: skip
            download_samples(wanted, runs_in(there), as_of)
frame = caches.samples_page(wanted, order_of(address), number - 1, size, as_of=as_of)
fixed = ["eval"] * (len(picked_evals) == 1 and not evals.set_index("eval")["group"].get(picked_evals[0], False))
fixed += ["checkpoint"] * (len(wanted.runs) == 1 and len(wanted.steps) == 1)
names = tuple(SampleName(row["log"], row["sample"], row["epoch"]) for row in frame.to_dict("records"))
found = caches.excerpts(wanted.text, names, as_of) if wanted.text else None
sample_table(frame, "samples_table", address, better, fixed=fixed, found=found)
if wanted == filter_of({}):
    # Else the number of all samples would be another one on Overview and Data, without a word.
    logs = caches.logs(as_of)
    beside = logs[~logs["role"].isin(COUNTING) & (logs["samples"] > 0)]
    if len(beside):
        st.page_link(
            page_file(links.DATA), icon=":material/info:", query_params={"show": ["standing"]},
            label=f"Not listed: {numerals.plural(int(beside['samples'].sum()), 'sample')} of"
            f" {numerals.plural(len(beside), 'replaced or excluded log')}",
        )  # fmt: skip

controls.remember("page", number if number > 1 else None)
controls.leave()
