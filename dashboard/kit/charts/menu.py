"""The menu under a chart: the chart and its numbers as files, each made only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import runtime
from dashboard.exports import picture as pictures
from dashboard.exports.facts import Facts, file_name
from dashboard.exports.tables import csv_of, parquet_of
from dashboard.kit.page.reader import reader
from dashboard.review.audit import record
from loaders.store import Store

if TYPE_CHECKING:
    from dashboard.kit.charts.drawn import Drawn

Made = Callable[[], bytes]


def export_menu(key: str, drawn: Drawn) -> None:
    """Offer a chart as files.

    The menu's buttons are made when it is opened, and the files when a button is clicked: a page of twenty charts
    draws nothing twice for files that nobody asks for.

    Args:
        key: Of the chart.
        drawn: The chart.
    """
    menu = st.popover("Export", icon=":material/download:", type="tertiary", key=f"export {key}", on_change="rerun")
    if not menu.open:
        return
    with menu:
        picture = drawn.picture()
        facts = picture.facts
        files: dict[str, tuple[str, str, Made]] = {
            "PNG": ("png", "image/png", partial(pictures.png, picture)),
            "SVG": ("svg", "image/svg+xml", partial(pictures.svg, picture)),
            "Vega-Lite": ("vl.json", "application/json", partial(pictures.vega_lite, picture)),
            "Numbers as CSV": ("csv", "text/csv", partial(csv_of, drawn.data, facts)),
            "Numbers as Parquet": ("parquet", "application/vnd.apache.parquet", partial(parquet_of, drawn.data, facts)),
        }
        who, store = reader().name, runtime.store()
        for name, (ending, kind, make) in files.items():
            st.download_button(
                name, partial(made, store, who, name, facts, make), file_name(facts, ending), kind,
                on_click="ignore", key=f"export {key} {ending}", type="tertiary",
            )  # fmt: skip
        st.caption(f"Each says inside what it is of: {facts.batch}, filters, definition, source.")


def made(store: Store, who: str, name: str, facts: Facts, make: Made) -> bytes:
    """Make a file, and write down who took it. Runs when the button is clicked, outside the page's script."""
    content = make()
    record(
        store, who, "export", f"{facts.title} as {name.removeprefix('Numbers as ')}", address=facts.source,
        runs=facts.runs, details={"bytes": len(content)},
    )  # fmt: skip
    return content
