"""A chart as a figure of a paper: as wide as asked, on light ground, without heading and footer; its caption beside it.

Letters are 9 points high at any width: the drawing is laid out anew for it, not scaled.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from dashboard.charts.line_ends import PLOT_WIDTH
from dashboard.charts.spec import FONT, on_light
from dashboard.exports.facts import Facts
from dashboard.exports.picture import Picture, framed_alone
from dashboard.exports.vega import pdf_of, png_at

CM, INCH = 96 / 2.54, 96
"""Pixels of a drawing in a centimetre and in an inch, as CSS has them."""

POINTS = 72 / 96
"""In which PDF measures, in a pixel."""

DPI = 300

LEAST_CM, MOST_CM, USUAL_CM = 6.0, 40.0, 17.0
"""Widths: a narrow column, a poster, and the text of an A4 page."""

FONT_FILES = "static/static/media/SourceSansVF-Upright.*.woff2"
"""Within Streamlit: the font of the pages, under the SIL Open Font License, which lets documents embed it."""


@dataclass(frozen=True)
class Figure:
    """A figure, to be drawn.

    Attributes:
        picture: The chart, for whichever ground.
        width_cm: Of the figure.
    """

    picture: Picture
    width_cm: float

    @property
    def pixels(self) -> float:
        """Its width."""
        return self.width_cm * CM

    def spec(self) -> dict[str, Any]:
        """The chart laid out for its width, without heading, on light ground."""
        bare = {name: value for name, value in self.picture.spec.items() if name != "title"}
        text = json.dumps(on_light(bare, self.picture.scheme))
        spec: dict[str, Any] = json.loads(text.replace(PLOT_WIDTH, f"{self.pixels:.0f}"))
        return {**spec, "width": round(self.pixels)}

    def drawing(self) -> ElementTree.Element:
        """It as SVG, with a legend that stands outside the chart."""
        root = framed_alone(Picture(self.spec(), self.picture.facts, "light", self.picture.keys))
        # A chart whose rows or cells have a width of their own is scaled.
        scale = self.pixels / float(root.get("width", self.pixels))
        for side in ("width", "height"):
            root.set(side, f"{float(root.get(side, 0)) * scale:.2f}")
        return root


def figure_svg(figure: Figure) -> bytes:
    """As SVG, as wide as asked, its font inside.

    Raises:
        DriftlineError: It can't be drawn.
    """
    root = figure.drawing()
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    root.set("width", f"{width / CM:.3f}cm")
    root.set("height", f"{height / CM:.3f}cm")
    style = ElementTree.Element("{http://www.w3.org/2000/svg}style")
    style.text = font_face()
    root.insert(0, style)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}'.encode()


def figure_png(figure: Figure) -> bytes:
    """As PNG of 300 dots an inch, which it says of itself.

    Raises:
        DriftlineError: It can't be drawn.
    """
    return png_at(ElementTree.tostring(figure.drawing(), encoding="unicode"), DPI / INCH, DPI)


def figure_pdf(figure: Figure) -> bytes:
    """As PDF, its fonts inside.

    Raises:
        DriftlineError: It can't be drawn.
    """
    root = figure.drawing()
    for side in ("width", "height"):
        # A PDF takes a pixel of the drawing for one of its points.
        root.set(side, f"{float(root.get(side, 0)) * POINTS:.3f}")
    return pdf_of(ElementTree.tostring(root, encoding="unicode"))


def caption(facts: Facts, heading: str, small_print: str) -> str:
    """What stands under a figure, and where its numbers are from.

    Args:
        facts: Of the chart.
        heading: What it shows.
        small_print: The line that stood under its heading.
    """
    told = [f"{heading}. {small_print}.".replace("..", "."), *facts.notices]
    return "\n".join([*told, "", *facts.lines()]) + "\n"


def heading_of(picture: Picture) -> tuple[str, str]:
    """What stands over a chart: its title and the line under it."""
    title = picture.spec.get("title", {})
    text = title.get("text", "") if isinstance(title, dict) else title
    # A long title is an expression that breaks it where the page is narrow; the facts have it as a text.
    text = " ".join(text) if isinstance(text, list) else text if isinstance(text, str) else picture.facts.title
    return text or picture.facts.title, " ".join(title.get("subtitle", [])) if isinstance(title, dict) else ""


def font_face() -> str:
    """CSS that brings the font along."""
    folder = files("streamlit")
    file = next(Path(str(folder)).glob(FONT_FILES))
    content = base64.b64encode(file.read_bytes()).decode()
    name = FONT.partition(",")[0]
    return f"@font-face{{font-family:'{name}';src:url(data:font/woff2;base64,{content});font-weight:200 900}}"
