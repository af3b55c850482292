"""A chart as a file: PNG, SVG or Vega-Lite, with what it is of inside it.

The drawing is Vega's own: see `dashboard.exports.vega`.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from dashboard.charts.keys import Key
from dashboard.charts.palette import INKS, Scheme
from dashboard.charts.spec import FONT, WIDTH
from dashboard.exports.facts import Facts
from dashboard.exports.vega import pngs_of, svgs_of, text_only
from loaders.errors import DriftlineError

SVG = "http://www.w3.org/2000/svg"
MARGIN, LINE, SMALL = 14, 15, 11
"""Pixels: around all, from one line to the next, of a letter's height."""

PER_LINE = 150
"""Characters of a line under a picture: their mean width is less than half their height."""

MOST_LINES = 3
"""Of one fact under a picture; the file has the whole of it inside."""

MOST_WORDS = 95
"""Characters of a heading's line."""

ElementTree.register_namespace("", SVG)


@dataclass(frozen=True)
class Picture:
    """A chart with what it is of.

    Attributes:
        spec: Vega-Lite, from `dashboard.charts.spec.spec_of`.
        facts: What it is of.
        scheme: For light or dark paper.
        keys: Of a legend that stands outside the chart.
    """

    spec: dict[str, Any]
    facts: Facts
    scheme: Scheme = "light"
    keys: tuple[Key, ...] = ()


def vega_lite(picture: Picture) -> bytes:
    """The specification as a file: data inside, facts as `usermeta.driftline` and in words as its description."""
    facts = picture.facts
    usermeta = {
        **picture.spec.get("usermeta", {}),
        "driftline": {**facts.plain(), "keys": [key._asdict() for key in picture.keys]},
    }
    told = "\n".join([facts.heading, *facts.notices, *facts.lines()])
    spec = {**picture.spec, "usermeta": usermeta, "description": told}
    return json.dumps(spec, ensure_ascii=False, indent=1).encode()


def drawings(pictures: Sequence[Picture], prefix: str) -> list[str]:
    """The charts alone as SVG, for a page that tells the facts in its own words.

    Args:
        pictures: The charts.
        prefix: What the ids in them begin with; the number of the chart follows, so that each has its own.

    Raises:
        DriftlineError: One can't be drawn, or holds what a picture has no need of.
    """
    drawn = svgs_of([picture.spec for picture in pictures])
    parsed = [_parsed(text, f"{prefix}{number}-") for number, text in enumerate(drawn, start=1)]
    return [ElementTree.tostring(root, encoding="unicode") for root in parsed]


def _parsed(text: str, prefix: str = "") -> ElementTree.Element:
    # By Vega out of texts that it escapes, with neither doctype nor entities.
    root = ElementTree.fromstring(text)  # noqa: S314
    for element in root.iter():
        _harmless(element, prefix)
    return root


def _harmless(element: ElementTree.Element, prefix: str) -> None:
    """Let ids be the drawing's own, and nothing in it lead or run anywhere."""
    name = element.tag.rpartition("}")[2]
    if name in ("script", "foreignObject", "a", "image", "use", "style", "iframe"):
        raise DriftlineError(f"A drawing holds <{name}>, which no chart of Driftline has.")
    for attribute, value in list(element.attrib.items()):
        own = attribute.rpartition("}")[2].lower()
        if own.startswith("on") or own == "href":
            raise DriftlineError(f"A drawing holds {own}=, which no chart of Driftline has.")
        if own == "id":
            element.set(attribute, prefix + value)
        else:
            element.set(attribute, re.sub(r"url\(#([^)]*)\)", rf"url(#{prefix}\1)", value))


def svg(picture: Picture) -> bytes:
    """The chart as SVG, under a heading and over what it is of, which is in its metadata too.

    Raises:
        DriftlineError: It can't be drawn.
    """
    return svg_files([picture])[0]


def svg_files(pictures: Sequence[Picture]) -> list[bytes]:
    """Several charts, each as by `svg`.

    Raises:
        DriftlineError: One can't be drawn.
    """
    drawn = svgs_of([picture.spec for picture in pictures])
    return [_framed(picture, _parsed(text)) for picture, text in zip(pictures, drawn, strict=True)]


def _framed(picture: Picture, chart: ElementTree.Element) -> bytes:
    ink, facts = INKS[picture.scheme], picture.facts
    width = max(WIDTH, float(chart.get("width", WIDTH))) + 2 * MARGIN
    root = ElementTree.Element(f"{{{SVG}}}svg", {"version": "1.1"})
    ElementTree.SubElement(root, f"{{{SVG}}}title").text = text_only(facts.heading)
    ElementTree.SubElement(root, f"{{{SVG}}}desc").text = text_only("\n".join([*facts.notices, *facts.lines()]))
    ElementTree.SubElement(root, f"{{{SVG}}}metadata").text = text_only(json.dumps(facts.plain()))
    ElementTree.SubElement(root, f"{{{SVG}}}rect", {"width": "100%", "height": "100%", "fill": ink.paper})
    writer = _Writer(root)
    for line in _wrapped(facts.heading, MOST_WORDS, 2):
        writer.line(line, ink.text, size=15, weight="600", step=20)
    for notice in facts.notices:
        for line in _wrapped(notice, PER_LINE, MOST_LINES):
            writer.line(line, ink.alert, weight="600")
    writer.keys(picture.keys, width, ink.text)
    writer.y += 6
    chart.set("x", str(MARGIN))
    chart.set("y", str(writer.y))
    root.append(chart)
    writer.y += float(chart.get("height", 0)) + 8
    for fact in facts.lines():
        for line in _wrapped(fact, PER_LINE, MOST_LINES):
            writer.line(line, ink.muted)
    height = writer.y + MARGIN - 4
    for name, value in (("width", width), ("height", height)):
        root.set(name, f"{value:g}")
    root.set("viewBox", f"0 0 {width:g} {height:g}")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}'.encode()


def framed_alone(picture: Picture) -> ElementTree.Element:
    """The chart as SVG with nothing around it but a legend that stands outside it, and what it is of in its metadata.

    Raises:
        DriftlineError: It can't be drawn.
    """
    ink, facts = INKS[picture.scheme], picture.facts
    chart = _parsed(svgs_of([picture.spec])[0])
    width = float(chart.get("width", WIDTH))
    root = ElementTree.Element(f"{{{SVG}}}svg", {"version": "1.1"})
    ElementTree.SubElement(root, f"{{{SVG}}}title").text = text_only(facts.heading)
    ElementTree.SubElement(root, f"{{{SVG}}}metadata").text = text_only(json.dumps(facts.plain()))
    ElementTree.SubElement(root, f"{{{SVG}}}rect", {"width": "100%", "height": "100%", "fill": ink.paper})
    writer = _Writer(root)
    writer.y = 0.0
    writer.keys(picture.keys, width, ink.text)
    chart.set("y", f"{writer.y:g}")
    root.append(chart)
    height = writer.y + float(chart.get("height", 0))
    for name, value in (("width", width), ("height", height)):
        root.set(name, f"{value:g}")
    root.set("viewBox", f"0 0 {width:g} {height:g}")
    return root


class _Writer:
    """Writes lines of text from the top of a picture downwards."""

    def __init__(self, root: ElementTree.Element) -> None:
        self.root, self.y = root, float(MARGIN)

    def line(self, text: str, colour: str, *, size: int = SMALL, weight: str = "400", step: int = LINE) -> None:
        self.y += step
        self._text(text, MARGIN, self.y - step + size, colour, size, weight)

    def keys(self, keys: tuple[Key, ...], width: float, colour: str) -> None:
        """A legend, in as many lines as it takes."""
        if not keys:
            return
        x, self.y = float(MARGIN), self.y + 6
        for key in keys:
            mark = 34 if key.symbol else 15
            room = mark + 11 + 0.58 * 13 * len(key.label)
            if x + room > width - MARGIN and x > MARGIN:
                x, self.y = float(MARGIN), self.y + 18
            if key.symbol:
                place = f"translate({x + mark / 2 - 2:g},{self.y + 8:g}) scale(7)"
                look = {"fill": key.colour, "stroke": key.colour, "stroke-width": "0.24"}
                ElementTree.SubElement(self.root, f"{{{SVG}}}path", {"d": key.symbol, "transform": place, **look})
            else:
                dot = {"cx": f"{x + 5:g}", "cy": f"{self.y + 8:g}", "r": "5", "fill": key.colour}
                ElementTree.SubElement(self.root, f"{{{SVG}}}circle", dot)
            self._text(key.label, x + mark, self.y + 12.5, colour, 13, "400")
            x += room
        self.y += 18

    def _text(self, text: str, x: float, y: float, colour: str, size: int, weight: str) -> None:
        look = {"font-family": FONT, "font-size": str(size), "font-weight": weight, "fill": colour}
        ElementTree.SubElement(self.root, f"{{{SVG}}}text", {"x": f"{x:g}", "y": f"{y:g}", **look}).text = text_only(
            text
        )


def _wrapped(text: str, width: int, most: int) -> list[str]:
    """A text in lines; one word that is too long is broken, and beyond `most` lines the rest is left out."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    lines: list[str] = []
    rest = printable.strip()
    while rest and len(lines) < most:
        gap = max(rest.rfind(sign, width // 2, width) for sign in " &")
        cut = len(rest) if len(rest) <= width else gap if gap > 0 else width
        lines.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    if rest:
        lines[-1] = lines[-1][: width - 2] + " …"
    return lines


def png(picture: Picture) -> bytes:
    """The same picture as PNG; what it is of stands in it, and in its text chunks as well.

    Raises:
        DriftlineError: It can't be drawn.
    """
    return png_files([picture])[0]


def png_files(pictures: Sequence[Picture]) -> list[bytes]:
    """Several charts, each as by `png`.

    Raises:
        DriftlineError: One can't be drawn.
    """
    drawn = pngs_of([content.decode() for content in svg_files(pictures)])
    return [_told(content, picture.facts) for content, picture in zip(drawn, pictures, strict=True)]


def _told(content: bytes, facts: Facts) -> bytes:
    """A PNG with its facts in text chunks, behind its header."""
    told = {
        "Title": facts.heading,
        "Description": "\n".join([*facts.notices, *facts.lines()]),
        "Source": facts.source,
        "Software": f"Driftline {facts.driftline}",
        "driftline": json.dumps(facts.plain(), ensure_ascii=False),
    }
    after = content.index(b"IHDR") + 4 + 13 + 4
    return content[:after] + b"".join(_text_chunk(*entry) for entry in told.items()) + content[after:]


def _text_chunk(keyword: str, text: str) -> bytes:
    """A chunk of international text (iTXt: tEXt is Latin-1 only), as section 11.3.3 of the PNG specification has it."""
    body = b"iTXt" + keyword.encode("latin-1") + b"\0\0\0\0\0" + text_only(text).encode()
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
