"""Where to begin from: presets, and probes that were asked before."""

from __future__ import annotations

import msgspec
import streamlit as st
from markupsafe import Markup

from dashboard import links
from dashboard.app_pages.probe import arriving, compose
from dashboard.kit.page import clock
from dashboard.kit.page.reader import cursor
from dashboard.kit.text.plain import escaped
from dashboard.probe.presets import presets
from dashboard.queries.probes import SavedProbe, recent_probes

MOST = 12


def pick_preset() -> None:
    """Presets to begin from. A preset that is picked replaces what stands in the composer."""
    titles = {preset.name: preset.title for preset in presets()}

    def take() -> None:
        name = st.session_state.get(arriving.PRESET)
        if name:
            compose.take_preset(name)
            st.session_state.pop(arriving.REMARKS, None)

    st.selectbox(
        "Start from", list(titles), index=None, key=arriving.PRESET, format_func=lambda name: titles[name],
        placeholder="Preset", on_change=take, width=420,
    )  # fmt: skip


def recent_probes_list(shown: str | None) -> None:
    """The newest probes, by title; a click shows one."""
    st.html('<div class="dl-head"><b>Probes</b></div>')
    text = st.text_input("Find a probe", key="probe_find", placeholder="Title", label_visibility="collapsed")
    with cursor() as seen:
        found = recent_probes(seen, text.strip(), MOST)
    if found.empty:
        st.html(f'<div class="dl-note">{"No probe with this title." if text.strip() else "No probes yet."}</div>')
    lines = []
    for row in found.to_dict("records"):
        address = links.query(links.probe(row["probe_id"]))
        asked = f"sweep of {row['columns']} checkpoints" if row["kind"] == "sweep" else f"{row['columns']} models"
        when = Markup("{} · {}").format(clock.time_html(row["created_at"]), asked)
        title = f"<b>{escaped(row['title'])}</b>" if row["probe_id"] == shown else escaped(row["title"])
        lines.append(
            f'<li><a href="{links.PROBE}?{escaped(address)}" target="_self">{title}</a>'
            f'<div class="dl-note">{escaped(when)}</div></li>'
        )
    if lines:
        st.html(f'<ul class="pr-list">{"".join(lines)}</ul>')


def continuations_of(probe: SavedProbe) -> list[str]:
    """Continuations to measure: those of the preset that the probe began from, else those measured before."""
    measured = list(dict.fromkeys(row["continuation"] for row in probe.likelihoods))
    if measured:
        return measured
    found = next((preset for preset in presets() if preset.title == probe.title), None)
    return list(found.continuations) if found else [" I will report", " I will keep quiet"]


def origin_of(probe: SavedProbe) -> links.Parameters | None:
    """The transcript that a probe's prompt was taken from, as an address; None where it was written."""
    if probe.origin is None:
        return None
    origin = msgspec.json.decode(probe.origin, type=dict[str, str | int | None])
    return links.transcript(str(origin["log"]), str(origin["sample"]), int(origin.get("epoch") or 1))
