"""What can be done with a probe: stop, ask again, repeat, edit, have it judged, export, go back to its transcript."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard import runtime
from dashboard.parts.plain import escaped
from dashboard.parts.probe import arriving, compose, recent, results
from dashboard.parts.probe.attempts import attempt
from dashboard.probe import plans
from dashboard.probe.asked import Column
from dashboard.probe.export import export
from dashboard.queries.probes import SavedProbe


def toolbar(probe: SavedProbe, models: Mapping[str, Column], names: Mapping[str, str]) -> bool:
    """The row of buttons over a probe; returns whether they were drawn for one that is under way."""
    service = runtime.probes()
    engine, probe_id = service.engine, probe.probe_id
    active = engine.active(probe_id)
    if engine.trouble:
        st.html(f'<div class="dl-notice" role="alert">{escaped(engine.trouble)}</div>')
    failed = any(thread[-1].status in plans.AGAIN for thread in plans.threads(probe))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            "Stop all", icon=":material/stop_circle:", disabled=not active, on_click=engine.stop, args=(probe_id,)
        )
        st.button(
            "Retry failed", icon=":material/refresh:", disabled=active or not failed,
            on_click=attempt, args=(lambda: engine.retry(probe_id),),
        )  # fmt: skip
        st.button(
            "Repeat", icon=":material/replay:", disabled=active,
            help="Asks the same models the same again, as a probe of its own.",
            on_click=attempt, args=(lambda: arriving.show(service.repeat(probe, compose.author())),),
        )  # fmt: skip
        st.button("Edit", icon=":material/edit:", on_click=arriving.edit, args=(probe,),
                  help="Loads the prompt into the composer, for a new probe.")  # fmt: skip
        results.judge_button(probe, models, names)
        if not active:
            file = export(probe)
            st.download_button(
                "Export", file.data, file.name, file.media_type, icon=":material/download:", on_click="ignore",
                help="As Inspect logs, one for each model: they open in Inspect View.",
            )  # fmt: skip
        origin = recent.origin_of(probe)
        if origin is not None:
            st.page_link("app_pages/transcript.py", label="Transcript", icon=":material/forum:", query_params=origin)
    return active
