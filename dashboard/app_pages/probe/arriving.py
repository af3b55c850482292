"""What an address brings to the Probe page: a probe to show, or a prompt for the composer."""

from __future__ import annotations

from collections import Counter

import msgspec
import streamlit as st

from dashboard import links
from dashboard.app_pages.probe import compose
from dashboard.kit import caches
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import listed
from dashboard.probe import plans
from dashboard.probe.from_transcript import prompt_of
from dashboard.probe.sweeps import LEAST
from dashboard.probe.tools_of import offered_in_file
from dashboard.queries.probes import SavedProbe
from dashboard.queries.rows import checkpoint_name, whole_number
from loaders.errors import DriftlineError

SHOWN, REMARKS, PRESET = "probe_shown", "probe_remarks", "probe_preset"


def take_address(as_of: int) -> None:
    """On the runs on which the address counts, do what it says."""
    address = controls.source()
    if address is None:
        return
    named = [value for value in address.get("probe", []) if value]
    st.session_state[SHOWN] = named[0] if named else None
    if "log" in address and not named:
        _take_transcript(address, as_of)
    preset = address.get("preset", [""])[0]
    if preset and not named:
        compose.take_preset(preset)


def _take_transcript(address: links.Parameters, as_of: int) -> None:
    name = links.sample_of(address)
    if name is None:
        return
    try:
        read = caches.transcript(*name, as_of)
    except DriftlineError as error:
        st.session_state[REMARKS] = [str(error)]
        return
    upto = whole_number(address.get("upto", [""])[0])
    title = f"{checkpoint_name(read.log)} · {read.log['eval'] or read.log['task']} · sample {name[1]}"
    try:
        taken = prompt_of(read, upto, offered_in_file(read))
    except DriftlineError as error:
        st.session_state[REMARKS] = [str(error)]
        return
    origin = msgspec.json.encode({"log": name[0], "sample": name[1], "epoch": name[2], "upto": upto}).decode()
    if compose.stands_at(origin):
        # Come back to, by the menu or the browser's Back: what the reader made of the prompt stays.
        return
    compose.load(taken.prompt, title=title, origin=origin)
    st.session_state[REMARKS] = [f"Prompt from {title}.", *taken.remarks]


def keep_transcript() -> None:
    """Let the transcript that the composer's prompt is from stand in the address: a reload brings it back."""
    origin = compose.origin()
    for name, value in (msgspec.json.decode(origin) if origin else {}).items():
        controls.remember(name, value)


def shown() -> str | None:
    """The probe that the page shows; None while nothing is asked."""
    found: str | None = st.session_state.get(SHOWN)
    return found


def show(probe_id: str | None) -> None:
    """Show a probe from the next run on; None clears the page for a new one."""
    st.session_state[SHOWN] = probe_id
    st.session_state.pop(REMARKS, None)


def ask(asked: compose.Asked) -> None:
    """Ask, and show the probe that comes of it.

    Raises:
        DriftlineError: It can't be asked.
    """
    show(compose.send(asked))


def remarks() -> None:
    """Say where the prompt in the composer comes from, and what could not be taken over."""
    told = st.session_state.get(REMARKS)
    if told:
        st.html(f'<div class="dl-notice">{listed(told)}</div>')


def edit(probe: SavedProbe) -> None:
    """Put a probe's prompt and settings into the composer; its own first framing is what is edited."""
    framings = plans.framings_of(probe)
    bare = next((framing for framing in framings if framing.name == "bare"), framings[0])
    compose.load(bare.prompt, title=probe.title, origin=probe.origin)
    compose.load_sampling(plans.sampling_of(probe))
    if probe.kind == "sweep":
        of_run = Counter(str(column["run"]) for column in probe.columns if column["run"])
        runs = [run for run, checkpoints in of_run.items() if checkpoints >= LEAST]
        compose.load_sweep(runs, with_parents=len(runs) < len(of_run))
    show(None)
