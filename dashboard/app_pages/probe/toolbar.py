"""What can be done with a probe: stop, ask again, repeat, edit, have it judged, export, go back to its transcript."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard import links, runtime
from dashboard.app_pages.probe import arriving, compose, noting, recent, results
from dashboard.kit.page.reader import attempt, reader
from dashboard.kit.tables import noted
from dashboard.kit.text.plain import escaped
from dashboard.pages import page_file
from dashboard.probe import plans
from dashboard.probe.asked import Column
from dashboard.probe.export import export
from dashboard.queries.probes import SavedProbe


def toolbar(probe: SavedProbe, models: Mapping[str, Column], names: Mapping[str, str]) -> bool:
    """The row of buttons over a probe; returns whether they were drawn for one that is under way."""
    engine = runtime.probes().engine
    active = engine.active(probe.probe_id)
    if engine.trouble:
        st.html(f'<div class="dl-notice" role="alert">{escaped(engine.trouble)}</div>')
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if reader().may("prober"):
            _ask_more(probe, models, names, active)
        if not active:
            file = export(probe)
            runs = [str(column["run"]) for column in probe.columns if column["run"] is not None]
            st.download_button(
                "Export", noted(f"{probe.title}: as Inspect logs", runs, lambda: file.data), file.name, file.media_type,
                icon=":material/download:", on_click="ignore",
                help="Inspect logs, one per model.",
            )  # fmt: skip
        origin = recent.origin_of(probe)
        if origin is not None:
            st.page_link(page_file(links.TRANSCRIPT), label="Transcript", icon=":material/forum:", query_params=origin)
    return active


def _ask_more(probe: SavedProbe, models: Mapping[str, Column], names: Mapping[str, str], active: bool) -> None:
    """What asks models, or keeps them from being asked."""
    service = runtime.probes()
    engine, probe_id = service.engine, probe.probe_id
    failed = any(thread[-1].status in plans.AGAIN for thread in plans.threads(probe))
    st.button(
        "Stop all", icon=":material/stop_circle:", disabled=not active,
        on_click=attempt, args=(lambda: engine.stop(probe_id),),
    )  # fmt: skip
    st.button(
        "Retry failed", icon=":material/refresh:", disabled=active or not failed,
        on_click=attempt, args=(lambda: engine.retry(probe_id),),
    )  # fmt: skip
    st.button(
        "Repeat", icon=":material/replay:", disabled=active,
        help="Sends the same prompt to the same models as a new probe.",
        on_click=attempt, args=(lambda: _repeat(probe),),
    )  # fmt: skip
    st.button("Edit", icon=":material/edit:", on_click=arriving.edit, args=(probe,),
              help="Opens the prompt in a new probe.")  # fmt: skip
    results.judge_button(probe, models, names)


def _repeat(probe: SavedProbe) -> None:
    probe_id = runtime.probes().repeat(probe, compose.author())
    noting.started(probe_id, probe.title, plans.columns_of(probe))
    arriving.show(probe_id)
