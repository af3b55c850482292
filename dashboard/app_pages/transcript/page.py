"""Transcript: one sample in full. Everything in it is untrusted text, and shown as nothing else."""

from __future__ import annotations

import json
import math
from secrets import randbelow

import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.transcript.gone import gone_transcript
from dashboard.app_pages.transcript.highlights import highlights
from dashboard.app_pages.transcript.message_picker import message_picker, place_of
from dashboard.app_pages.transcript.rescorings import verdicts_of
from dashboard.app_pages.transcript.sample_notes import (
    chosen_anew,
    chosen_message,
    forget_message,
    notes_of,
    notes_on_messages,
    pick_message,
    sample_notes,
)
from dashboard.app_pages.transcript.verdict_panel import header_html, labelled, verdict_panel
from dashboard.app_pages.transcript.views import pick_in_view, switch_view
from dashboard.kit import caches
from dashboard.kit.along import other_checkpoints
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.sample_filters import filter_of, order_of
from dashboard.kit.tables import noted
from dashboard.kit.text.plain import escaped, facts
from dashboard.kit.text.references import references_of
from dashboard.kit.text.scan_checks import checks_html
from dashboard.kit.text.transcript import MESSAGES_A_PART, extras, find, found_in_words, judgements_of, provenance
from dashboard.pages import page_file
from dashboard.queries.rows import checkpoint_name, whole_number
from dashboard.queries.samples import SampleName
from dashboard.queries.transcript import NoSuchSample
from dashboard.texts.finding import sought
from dashboard.texts.messages import messages_of_sample
from dashboard.texts.rendering import draw, folded_html, judgement_html, messages_html
from loaders.errors import DriftlineError
from loaders.records import SCAN, TARGET_VIEW

HERE, WITHIN, PART = "transcript_here", "transcript_within", "transcript_part"
SEEDS = 2**31

controls.arrive(links.TRANSCRIPT)
as_of = shell.as_of()
address = controls.source()
if address is not None:
    name = links.sample_of(address)
    st.session_state[HERE] = None if name is None else SampleName(*name)
    st.session_state[WITHIN] = {k: v for k, v in address.items() if k in links.FILTER}
    st.session_state[PART] = whole_number(address.get("part", ["1"])[0]) or 1
    if "find" not in address and "text" in address:
        # From a search: what it found is marked, until something else is to be.
        controls.replace_restored("find", address["text"])
here: SampleName | None = st.session_state[HERE]
within: links.Parameters = st.session_state[WITHIN]
if here is None:
    here = st.session_state[HERE] = caches.any_sample(randbelow(SEEDS), as_of)
if here is None:
    nothing.no_samples_at_all()
for parameter, values in {**within, **links.transcript(*here)}.items():
    controls.remember(parameter, values)
try:
    read = caches.transcript(here.log, here.sample, here.epoch, as_of)
    around = caches.neighbours(filter_of(within), order_of(within), here, as_of)
except NoSuchSample as error:
    gone_transcript(str(error), here, as_of)
    controls.stop()
except DriftlineError as error:
    st.html(f'<div class="dl-notice">{escaped(error)}</div>')
    around = None
log, sample, messages = read.log, read.sample, read.messages
threads = notes_of(here)
judged = [*judgements_of(read.scores), *verdicts_of(here, sample["sample_id"])]
checked = caches.scan_validations(as_of) if any(each.by.startswith(SCAN) for each in judged) else []
wanted = sought(next(iter(controls.named("find")), "").strip())


def go(to: SampleName) -> None:
    """Move to another sample of the same filter."""
    st.session_state[HERE], st.session_state[PART] = to, 1
    forget_message()


def go_anywhere() -> None:
    """Move to some other sample of all; a filter would keep the neighbours of another."""
    there = caches.any_sample(randbelow(SEEDS), as_of)
    if there is not None:
        st.session_state[WITHIN] = {}
        go(there)


def turn(by: int) -> None:
    """Turn to another part of a long conversation."""
    st.session_state[PART] += by


# Which sample this is, and the way to others.
checkpoint = checkpoint_name(log)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    epoch = f" · epoch {here.epoch}" if (log["epochs"] or 1) > 1 or here.epoch != 1 else ""
    st.html(
        f'<div class="dl-head"><b>{escaped(checkpoint)}</b> · {escaped(log["eval"] or log["task"])} · sample'
        f" <b>{escaped(here.sample)}</b>{escaped(epoch)}</div>",
        width="content",
    )
    with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
        # Far above the messages: it listens by the time that they are there.
        picker = st.container(width="content")
        st.page_link(page_file(links.SAMPLES), label="Samples", icon=":material/list:", query_params=within or None)
        previous, following = (around.previous, around.next) if around else (None, None)
        st.button(
            "Previous", icon=":material/chevron_left:", on_click=go, args=(previous,), disabled=previous is None,
            shortcut="K",
        )  # fmt: skip
        if around:
            st.html(
                f'<span class="dl-note">{numerals.part(around.position, around.total)}</span>',
                width="content",
            )
        st.button(
            "Next", icon=":material/chevron_right:", on_click=go, args=(following,), disabled=following is None,
            shortcut="J",
        )  # fmt: skip
        st.button("Random", icon=":material/shuffle:", on_click=go_anywhere, type="tertiary", help="A random sample")
judged_by = labelled(here, log["eval"] or log["task"], within.get("metric", []), as_of)
st.html(header_html(judged_by, read.scores))
for trouble, what in (("error", "Error"), ("limit_type", "Stopped by a limit")):
    if sample[trouble]:
        value = f" ({sample['limit_value']:g})" if trouble == "limit_type" and sample["limit_value"] else ""
        st.html(f'<div class="dl-notice">{what}: {escaped(str(sample[trouble])[:2000] + value)}</div>')
if sample["invalidated"]:
    st.html('<div class="dl-notice">Invalidated sample: excluded from all rates.</div>')

talk, beside = st.columns([7, 4], gap="medium")
with talk:
    view = switch_view(read.views)
    seen = read.seen_in(view)
    chosen = chosen_message(len(seen))
    is_target = view == TARGET_VIEW
    place = place_of(str((here, view, chosen, wanted)))
    if seen:
        with picker:
            message_picker(place, to_be_seen=bool(chosen or wanted), pick=pick_message)
    conversation = messages_of_sample(seen, sample)
    text = controls.write("Find", "find", placeholder="Find in this transcript")
    if not text and "text" in within:
        controls.remember("find", [])
    shown = list(range(len(conversation)))
    if wanted:
        found = find(conversation, judged, wanted)
        if len(conversation) > MESSAGES_A_PART:
            shown = list(found.messages)
        st.html(f'<div class="dl-note">{found_in_words(found, len(conversation))}</div>')
    parts = max(1, math.ceil(len(shown) / MESSAGES_A_PART))
    newly = chosen_anew(chosen)
    if newly is not None and newly - 1 in shown:
        st.session_state[PART] = shown.index(newly - 1) // MESSAGES_A_PART + 1
    part = st.session_state[PART] = min(max(1, st.session_state[PART]), parts)
    if parts > 1:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button("Earlier", icon=":material/arrow_upward:", on_click=turn, args=(-1,), disabled=part <= 1)
            told = f"part {numerals.part(part, parts)}, {numerals.count(len(shown))} messages"
            st.html(f'<span class="dl-note">{told}</span>', width="content")
            st.button("Later", icon=":material/arrow_downward:", on_click=turn, args=(1,), disabled=part >= parts)
    of_part = [conversation[index] for index in shown[(part - 1) * MESSAGES_A_PART : part * MESSAGES_A_PART]]
    noted_on = notes_on_messages(threads) if is_target else {}
    drawn = draw(of_part, wanted, notes=noted_on, chosen=chosen, can_be_picked=bool(seen))
    st.html(messages_html(drawn, place) or '<div class="dl-note">The log has no messages of this sample.</div>')

with beside:
    if not read.scores:
        st.caption("Not scored.")
    for judgement in judged:
        with st.container(border=True):
            checks = [each for each in checked if each.scorer == judgement.by]
            st.html(judgement_html(judgement, wanted) + checks_html(checks))
    if pointed := references_of(read.scores, messages, read.views):
        highlights(pointed, pick_in_view)
    with st.container(border=True):
        verdict_panel(here, judged_by, caches.transcript_hash(sample["sample_id"]), as_of)
    with st.container(border=True):
        # Notes are on messages of the target, which are what counts.
        sample_notes(threads, here, messages if is_target else [], as_of)
    asked_at = [index for index, message in enumerate(messages) if message["role"] in ("user", "tool")]
    if asked_at or not messages:
        with st.container(border=True):
            upto = None
            if len(asked_at) > 1:
                upto = st.selectbox(
                    "Replay on other checkpoints from", asked_at, index=len(asked_at) - 1, key="probe_upto",
                    format_func=lambda at: f"message {at + 1}, {messages[at]['role']}",
                )  # fmt: skip
            elif asked_at:
                upto = asked_at[0]
            st.page_link(
                page_file(links.PROBE), label="Prompt other models", icon=":material/science:",
                query_params=links.probe_this(here.log, here.sample, here.epoch, upto),
            )  # fmt: skip
    other_checkpoints(read, here, within, as_of)
    with st.container(border=True):
        st.html(facts(provenance(log, sample)) + folded_html(extras(log, sample)))
    whole = json.dumps(
        {"log": log, "sample": sample, "scores": read.scores, "messages": messages, "views": read.views},
        indent=1, default=str,
    )  # fmt: skip
    file = f"{here.sample}-{here.epoch}.json".replace("/", "_")
    st.download_button(
        "Download as JSON",
        noted(f"sample {here.sample} of {checkpoint_name(log)} as JSON", [str(log["run"])], whole.encode),
        file, "application/json", icon=":material/download:", on_click="ignore",
    )  # fmt: skip

controls.remember("part", st.session_state[PART] if st.session_state[PART] > 1 else None)
controls.leave()
