"""The one place through which every chart goes: it is shown, can be taken along as a file, and is known to the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import links, runtime
from dashboard.charts.palette import Scheme
from dashboard.charts.spec import spec_of
from dashboard.exports import picture as pictures
from dashboard.exports.facts import Facts, file_name, filters_of, measured, runs_of
from dashboard.exports.picture import Picture
from dashboard.exports.tables import csv_of, parquet_of
from dashboard.kit import caches
from dashboard.kit.page import shell
from dashboard.kit.page.fragments import fragment
from dashboard.kit.page.reader import reader
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import listed
from dashboard.review.audit import record
from loaders.store import Store

DRAWN = controls.DRAWN

Made = Callable[[], bytes]


@dataclass(frozen=True)
class Drawn:
    """A chart as it stands on the page, and the numbers behind it.

    Attributes:
        title: What it shows.
        chart: Altair's.
        data: The numbers behind it, as they are exported.
        scheme: For which it was drawn.
        keys: Labels and colours of a legend that stands outside it.
        runs: Runs that it tells of besides those of column `run`.
    """

    title: str
    chart: Any
    data: pd.DataFrame
    scheme: Scheme
    keys: tuple[tuple[str, str], ...] = ()
    runs: tuple[str, ...] = ()

    def picture(self) -> Picture:
        """The chart as a file needs it. Called while the page's script runs: facts come from the page's state."""
        return Picture(spec_of(self.chart, self.scheme), self.facts(), self.scheme, self.keys)

    def facts(self) -> Facts:
        """What the chart is of, from the page's state as it is now."""
        as_of = shell.as_of()
        studies = caches.studies(as_of)
        definitions, intervals = measured(self.data)
        address = controls.whole_address()
        return Facts(
            title=self.title,
            page=str(st.session_state[controls.PAGE]),
            studies=tuple(str(study.get("title") or study.get("name") or "") for study in studies),
            notices=shell.notice_lines(as_of),
            definitions=definitions,
            intervals=intervals,
            filters=filters_of(address),
            runs=runs_of(self.data, self.runs),
            as_of=as_of,
            when=shell.when(as_of),
            source=f"{st.session_state[controls.PAGE]}?{links.query(address | links.parameters(as_of=shell.pin()))}",
        )


def show(
    chart: Any,
    key: str,
    alt: str,
    data: pd.DataFrame,
    *,
    on_select: Callable[[], None] | None = None,
    keys: Sequence[tuple[str, str]] = (),
    runs: Sequence[str] = (),
) -> None:
    """Show a chart with its menu of files beneath.

    Args:
        chart: An Altair chart.
        key: Of the widget; every chart of a page has its own.
        alt: What is to be seen, for those who don't see it, and for who reads the file.
        data: The numbers behind it, as they are exported.
        on_select: Called after a click in it.
        keys: Labels and colours of a legend that stands outside it.
        runs: Runs that it tells of besides those of column `run`.
    """

    st.altair_chart(chart, key=key, on_select=on_select or "ignore", alt=alt)
    drawn = Drawn(alt, chart, data, shell.scheme(), tuple(keys), tuple(runs))
    st.session_state[DRAWN][key] = drawn
    fragment(export_menu)(key, drawn)


def drawn_charts() -> list[Drawn]:
    """The charts that the page shows, from top to bottom."""
    return list(st.session_state.get(DRAWN, {}).values())


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


def to_look_at(looks: list[str]) -> None:
    """What the reader should know before trusting the numbers; a few stand open, many are folded."""
    if looks:
        with st.expander(f"To look at ({len(looks)})", expanded=len(looks) <= 5):
            st.html(listed(looks))
