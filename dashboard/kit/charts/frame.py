"""The one place through which every chart goes: it is shown, can be taken along as a file, and is known to the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import links, numerals, runtime
from dashboard.charts.keys import Key
from dashboard.charts.marks import SELECTION
from dashboard.charts.palette import Scheme
from dashboard.charts.spec import spec_of
from dashboard.exports import picture as pictures
from dashboard.exports.facts import Facts, file_name, filters_of, measured, runs_of
from dashboard.exports.figure import (
    DPI,
    LEAST_CM,
    MOST_CM,
    USUAL_CM,
    Figure,
    caption,
    figure_pdf,
    figure_png,
    figure_svg,
    heading_of,
)
from dashboard.exports.picture import Picture
from dashboard.exports.tables import csv_of, parquet_of
from dashboard.kit import caches
from dashboard.kit.charts.cite import cite_menu, has_statements
from dashboard.kit.charts.drawing import Drawing
from dashboard.kit.charts.point_links import has_points, points_menu
from dashboard.kit.page import shell
from dashboard.kit.page.fragments import fragment, sure
from dashboard.kit.page.reader import reader
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.choices import SPLITS
from dashboard.kit.text.plain import listed
from dashboard.review.audit import record
from dashboard.rooms import room_key
from loaders.store import Store

DRAWN = controls.DRAWN

Made = Callable[[], bytes]


@dataclass(frozen=True)
class Drawn:
    """A chart as it stands on the page, and the numbers behind it.

    Attributes:
        title: What it shows.
        drawing: How it is made.
        data: The numbers behind it, as they are exported.
        scheme: For which it was drawn.
        keys: Of a legend that stands outside it.
        runs: Runs that it tells of besides those of column `run`.
    """

    title: str
    drawing: Drawing
    data: pd.DataFrame
    scheme: Scheme
    keys: tuple[Key, ...] = ()
    runs: tuple[str, ...] = ()

    def picture(self) -> Picture:
        """The chart as a file needs it. Called while the page's script runs: facts come from the page's state."""
        return Picture(spec_of(self.drawing.chart(), self.scheme), self.facts(), self.scheme, self.keys)

    def facts(self) -> Facts:
        """What the chart is of, from the page's state as it is now."""
        as_of = shell.as_of()
        studies = caches.studies(as_of)
        definitions, intervals = measured(self.data)
        address = controls.whole_address()
        return Facts(
            title=self.title,
            page=controls.page(),
            studies=tuple(str(study.get("title") or study.get("name") or "") for study in studies),
            notices=shell.notice_lines(as_of),
            definitions=definitions,
            intervals=intervals,
            filters=filters_of(address),
            runs=runs_of(self.data, self.runs),
            as_of=as_of,
            when=shell.when(as_of),
            source=f"{controls.page()}?{links.query(address | links.parameters(as_of=shell.pin()))}",
        )


def show(
    drawing: Drawing,
    key: str,
    alt: str,
    data: pd.DataFrame,
    *,
    on_select: Callable[[], None] | None = None,
    keys: Sequence[Key] = (),
    runs: Sequence[str] = (),
    menu: bool = True,
) -> None:
    """Show a chart with its menu of files beneath.

    Args:
        drawing: The chart.
        key: Of the widget; every chart of a page has its own.
        alt: What is to be seen, for those who don't see it, and for who reads the file.
        data: The numbers behind it, as they are exported.
        on_select: Called after a click in it.
        keys: Of a legend that stands outside it.
        runs: Runs that it tells of besides those of column `run`.
        menu: Whether files are offered: not of a small picture, which leads to the whole.
    """
    drawn = st.session_state[DRAWN]
    # The same one when only a part of the page is drawn anew.
    number = list(drawn).index(key) if key in drawn else len(drawn)
    # Only a click on a mark is told: crosshair, zoom and legend are the drawing's own, and run nothing anew.
    mode = SELECTION if on_select else None
    shown = drawing.on_page(shell.scheme())
    drawn[key] = Drawn(alt, drawing, data, shell.scheme(), tuple(keys), tuple(runs))
    with st.container():  # One cell of a grid, its menu with it
        with st.container(key=room_key(f"chart_place_{number}", shown.room)):
            st.vega_lite_chart(
                shown.spec, key=key, on_select=sure(on_select) if on_select else "ignore", selection_mode=mode, alt=alt,
            )  # fmt: skip
        if menu:
            fragment(menus)(key, drawn[key], controls.state().get(SPLITS, []))


def drawn_charts() -> list[Drawn]:
    """The charts that the page shows, from top to bottom."""
    return list(st.session_state.get(DRAWN, {}).values())


def menus(key: str, drawn: Drawn, splits: Sequence[str]) -> None:
    """What stands under a chart: its files, and its points where there are some.

    Args:
        key: Of the chart.
        drawn: The chart.
        splits: The fields that its numbers are split by.
    """
    with st.container(horizontal=True, gap="small"):
        export_menu(key, drawn)
        if has_statements(drawn.data):
            cite_menu(key, drawn.data, drawn.facts)
        if has_points(drawn.data):
            points_menu(key, drawn.data, splits)


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
        offer_figure(key, picture)
        st.caption("With heading and provenance")
        files: dict[str, tuple[str, str, Made]] = {
            "PNG": ("png", "image/png", partial(pictures.png, picture)),
            "SVG": ("svg", "image/svg+xml", partial(pictures.svg, picture)),
            "Vega-Lite": ("vl.json", "application/json", partial(pictures.vega_lite, picture)),
            "Data as CSV": ("csv", "text/csv", partial(csv_of, drawn.data, facts, every=False)),
            "Data as CSV, all columns": ("all.csv", "text/csv", partial(csv_of, drawn.data, facts)),
            "Data as Parquet": ("parquet", "application/vnd.apache.parquet", partial(parquet_of, drawn.data, facts)),
        }
        offer(key, facts, files)
        st.caption("Each file contains its filters, definition and source.")


def offer_figure(key: str, picture: Picture) -> None:
    """Offer a chart as a figure of a paper, with its caption as a text beside it.

    Args:
        key: Of the chart.
        picture: The chart.
    """
    width = st.number_input(
        "Figure width (cm)", LEAST_CM, MOST_CM, USUAL_CM, 0.5, format=numerals.FIELD_LENGTH, key=f"figure width {key}",
        help="Letters are 9 pt high at any width. A column is often 8.5 cm, the text of an A4 page 17 cm.",
    )  # fmt: skip
    figure = Figure(picture, width)
    said = caption(picture.facts, *heading_of(picture))
    offer(f"figure {key}", picture.facts, {
        f"Figure, PNG {DPI} dpi": ("figure.png", "image/png", partial(figure_png, figure)),
        "Figure, PDF": ("figure.pdf", "application/pdf", partial(figure_pdf, figure)),
        "Figure, SVG": ("figure.svg", "image/svg+xml", partial(figure_svg, figure)),
        "Figure, caption": ("figure.txt", "text/plain", said.encode),
    })  # fmt: skip


def offer(key: str, facts: Facts, files: Mapping[str, tuple[str, str, Made]]) -> None:
    """A button for each file.

    Args:
        key: What the buttons' keys hold.
        facts: What the files are of.
        files: Name to the file's ending, its type, and how it is made.
    """
    who, store = reader().name, runtime.store()
    for name, (ending, kind, make) in files.items():
        st.download_button(
            name, partial(made, store, who, name, facts, make), file_name(facts, ending), kind,
            on_click="ignore", key=f"export {key} {ending}", type="tertiary",
        )  # fmt: skip


def made(store: Store, who: str, name: str, facts: Facts, make: Made) -> bytes:
    """Make a file, and write down who took it. Runs when the button is clicked, outside the page's script."""
    content = make()
    record(
        store, who, "export", f"{facts.title} as {name.removeprefix('Data as ')}", address=facts.source,
        runs=facts.runs, details={"bytes": len(content)},
    )  # fmt: skip
    return content


def to_look_at(looks: list[str]) -> None:
    """What the reader should know before trusting the numbers; a few stand open, many are folded."""
    if looks:
        with st.expander(f"Warnings ({numerals.count(len(looks))})", expanded=len(looks) <= 5):
            st.html(listed(looks))
