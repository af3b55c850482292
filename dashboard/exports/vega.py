"""Vega-Lite to SVG, SVG to PNG and PDF: by vl-convert, in a process of its own that is ended when it takes too long.

Drawn are texts that come from logs: what XML has no place for is left out of them, long ones are cut, and a
specification that would load anything from anywhere is refused.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dashboard import numerals
from loaders.errors import DriftlineError

VERSION = "6.4"
"""Of Vega-Lite: of those that vl-convert has, the one that Altair writes for."""

SCALE = 2
"""Pixels of a PNG for each of the picture: sharp in print and on dense screens."""

LONGEST = 400
"""Characters of one text that are drawn: more than has room anywhere, and what is no trouble to measure."""

SECONDS = 60
"""That a drawing may take, and a third of it for each further one."""

NO_TEXT = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""What XML 1.0 has no place for: control characters, halves of surrogates, U+FFFE and U+FFFF."""

PROCESS = Path(__file__).with_name("vega_process.py")


def text_only(text: str) -> str:
    """A text without what no XML file may hold."""
    return NO_TEXT.sub("", text)


def svgs_of(specs: Sequence[dict[str, Any]]) -> list[str]:
    """Draw specifications as SVG.

    Raises:
        DriftlineError: One can't be drawn, would load something, or takes too long.
    """
    job = {"specs": [_drawable(spec) for spec in specs], "version": VERSION}
    return [str(svg) for svg in _ask(job, len(specs))["svgs"]] if specs else []


def pngs_of(svgs: Sequence[str]) -> list[bytes]:
    """Draw SVGs, of text as `text_only` gives it, as PNG.

    Raises:
        DriftlineError: One can't be drawn, or takes too long.
    """
    answer = _ask({"svgs": list(svgs), "scale": SCALE}, len(svgs)) if svgs else {"pngs": []}
    return [base64.b64decode(content) for content in answer["pngs"]]


def png_at(svg: str, scale: float, dpi: int) -> bytes:
    """Draw an SVG as PNG that says how many dots of it are an inch.

    Args:
        svg: Of text as `text_only` gives it.
        scale: Dots for each pixel of the drawing.
        dpi: What the file says.

    Raises:
        DriftlineError: It can't be drawn, or takes too long.
    """
    # The renderer multiplies its scale by the resolution over 72.
    answer = _ask({"svgs": [svg], "scale": scale * 72 / dpi, "ppi": dpi}, 1)
    return base64.b64decode(answer["pngs"][0])


def pdf_of(svg: str) -> bytes:
    """Draw an SVG as PDF with the fonts inside.

    Raises:
        DriftlineError: It can't be drawn, or takes too long.
    """
    return base64.b64decode(_ask({"to_pdf": [svg]}, 1)["pdfs"][0])


def _ask(job: dict[str, Any], many: int) -> dict[str, list[str]]:
    limit = SECONDS * (1 + (many - 1) / 3)
    try:
        done = subprocess.run(  # noqa: S603 - our own file, by the Python that runs this
            [sys.executable, "-I", str(PROCESS)], input=json.dumps(job).encode(), capture_output=True, timeout=limit,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DriftlineError(f"This chart can't be drawn: it takes longer than {numerals.seconds(limit)}.") from error
    if done.returncode != 0:
        said = text_only(done.stderr.decode(errors="replace")).strip().splitlines() or ["no reason was given"]
        raise DriftlineError(f"This chart can't be drawn: {said[-1][:300]}")
    answer: dict[str, list[str]] = json.loads(done.stdout)
    return answer


def _drawable(part: Any) -> Any:
    """A specification whose texts can be drawn.

    Raises:
        DriftlineError: It names data that lie elsewhere.
    """
    if isinstance(part, dict):
        data = part.get("data")
        if isinstance(data, dict) and "url" in data:
            raise DriftlineError("This chart can't be drawn: its data are not inside it.")
        return {text_only(str(name)): _drawable(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_drawable(value) for value in part]
    if isinstance(part, str):
        clean = text_only(part)
        return clean if len(clean) <= LONGEST else clean[: LONGEST - 1] + "…"
    return part
