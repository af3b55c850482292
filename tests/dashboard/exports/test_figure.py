"""Figures for papers: as wide as asked, light, without heading and footer, their fonts inside, the caption beside."""

from __future__ import annotations

import re
import struct
from typing import Any
from xml.etree import ElementTree

import altair as alt
import pandas as pd
import pytest

from dashboard.charts.keys import Key
from dashboard.charts.marks import chart_heading
from dashboard.charts.palette import INKS, Scheme
from dashboard.charts.spec import page_spec, spec_of
from dashboard.exports.columns import shown_columns
from dashboard.exports.facts import Facts
from dashboard.exports.figure import Figure, caption, figure_pdf, figure_png, figure_svg, heading_of
from dashboard.exports.picture import Picture
from tests.dashboard.charts.test_palette import contrast
from tests.rates_rows import rate_row, rates_frame

FACTS = Facts(
    title="Curves: blackmail", page="curves", notices=("Simulated.",), definitions=("misaligned: judge = 1",),
    runs=("a",), as_of=3, source="curves?eval=blackmail",
)  # fmt: skip
TITLE = "Blackmail: misalignment rate of all the runs that were trained in May"


def chart(scheme: Scheme) -> Any:
    frame = pd.DataFrame({"x": [0, 1], "y": [0.2, 0.4]})
    line = alt.Chart(frame).mark_line(color="#0072B2").encode(x="x:Q", y="y:Q")
    text = alt.Chart(frame).mark_text(color=INKS[scheme].text, text="containerSize").encode(x="x:Q", y="y:Q")
    return alt.layer(line, text).properties(
        height=120, title=chart_heading(TITLE, ["Lower is better · n = 300"], INKS[scheme])
    )


def figure(width: float, scheme: Scheme = "light") -> Figure:
    return Figure(Picture(spec_of(chart(scheme), scheme), FACTS, scheme, (Key("Run A", "#0072B2"),)), width)


@pytest.mark.slow
@pytest.mark.parametrize("width", [8.5, 17.0])
def test_a_png_is_as_wide_as_asked_at_300_dpi_and_says_so(width: float) -> None:
    content = figure_png(figure(width))
    pixels = struct.unpack(">I", content[16:20])[0]
    at = content.index(b"pHYs") + 4
    per_metre, _, unit = struct.unpack(">IIB", content[at : at + 9])
    assert unit == 1
    assert per_metre == round(300 / 0.0254)
    assert pixels / per_metre * 100 == pytest.approx(width, abs=0.05)


@pytest.mark.slow
def test_a_pdf_and_an_svg_are_as_wide_as_asked_and_have_their_fonts_inside() -> None:
    pdf = figure_pdf(figure(17.0))
    box = re.search(rb"MediaBox ?\[0 0 ([0-9.]+) ", pdf)
    assert box
    assert float(box[1]) / 72 * 2.54 == pytest.approx(17.0, abs=0.05)
    assert b"/FontFile" in pdf
    root = ElementTree.fromstring(figure_svg(figure(8.5)))
    assert root.get("width", "").endswith("cm")
    assert float(root.get("width", "").removesuffix("cm")) == pytest.approx(8.5, abs=0.05)
    faces = [element.text or "" for element in root.iter() if element.tag.endswith("}style")]
    assert len(faces) == 1
    assert "url(data:font/woff2;base64," in faces[0]
    names = {(element.get("font-family") or "").partition(",")[0] for element in root.iter()} - {""}
    assert all(f"font-family:'{name}'" in faces[0] for name in names)


@pytest.mark.slow
def test_a_figure_has_no_heading_and_no_footer_but_the_legend_that_stood_outside() -> None:
    texts = "".join(ElementTree.fromstring(figure_svg(figure(17.0))).itertext())
    drawn = texts.partition("font-weight:200 900}")[2]
    assert "Run A" in drawn
    assert "Blackmail: misalignment" not in drawn.replace(FACTS.title, "")
    assert "n = 300" not in drawn


def test_a_dark_page_gives_a_light_figure_with_the_same_lines() -> None:
    assert figure(17.0, "dark").spec() == figure(17.0, "light").spec()


def test_the_caption_says_what_stood_over_and_under_the_chart() -> None:
    picture = figure(17.0).picture
    heading, small = heading_of(picture)
    said = caption(FACTS, TITLE, small)
    assert said.startswith(f"{TITLE}. Lower is better · n = 300.\nSimulated.\n")
    assert heading
    assert all(line in said for line in FACTS.lines())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_of_a_chart_on_a_page_stand_out_from_it(scheme: Scheme) -> None:
    config = page_spec(chart(scheme).configure_axisY(offset=3), scheme)["config"]
    assert config["axisY"] == {"offset": 3}
    colours = [
        value for part in ("axis", "legend", "header", "title") for name, value in config[part].items()
        if name.lower().endswith("color")
    ]  # fmt: skip
    assert len(colours) >= 8
    assert min(contrast(colour, INKS[scheme].paper) for colour in colours) >= 4.5


def test_a_short_csv_leaves_out_what_says_nothing() -> None:
    columns = shown_columns(rates_frame([rate_row("a", 1, 3, 10)]))
    assert {"run", "step", "eval", "rate", "low", "high", "k", "n"} <= set(columns)
    assert not {"path", "eval_id", "split", "split2", "unit", "run_label"} & set(columns)
