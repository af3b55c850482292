"""Tables as CSV that a spreadsheet can open without running what a log says.

A text that begins like a formula gets an apostrophe in front, as OWASP recommends against formula injection: replies,
names and judges' words come from logs, and `=HYPERLINK(...)` is a reply like any other. Numbers stay numbers, negative
ones too. Nothing is lost: `as_written` takes the apostrophe off again, and Parquet holds every text as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

# The command line prints rates as CSV without pandas, whose import takes longer than the query.
if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile(r"'*[\s\ufeff\u200b]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a text begins that a spreadsheet may take for a formula: = + - @, a tab or a line's end, or the same signs in
full width, which some turn into plain ones; white space before them does not count. One that begins so behind
apostrophes gets another one, or taking them off again would not give it back."""

BOM = "\ufeff"
"""Tells Excel that a file is UTF-8; pandas, polars, DuckDB and LibreOffice read past it."""

LINE_END = "\r\n"
"""As RFC 4180 has it. A cell with one of the two alone is quoted then; else a lone one would end its line for some."""


def defused(value: Any) -> Any:
    """A value as a cell of a CSV: texts harmless, lists and mappings as one text, anything else as it is."""
    if isinstance(value, str):
        return f"'{value}" if FORMULA.match(value) else value
    if isinstance(value, Mapping):
        return defused(json.dumps(value, default=str, ensure_ascii=False))
    # Columns of lists come from DuckDB as arrays.
    if isinstance(value, (list, tuple)) or getattr(value, "ndim", False):
        return defused("; ".join(map(str, value)))
    return value


def as_written(text: str) -> str:
    """The text behind a cell: takes off what `defused` put in front."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def csv_bytes(frame: pd.DataFrame, *, bom: bool = True) -> bytes:
    """A frame as a CSV: a header, numbers with all their digits, missing values empty, lists joined by "; ".

    It has no lines of comment, on which readers of CSV stumble: what the numbers are of stands in columns of their
    own, where it is told.

    Args:
        frame: Any; its index is left out.
        bom: Whether it begins with a byte order mark. Files for people do, or Excel shows `ü` as two letters; the
            command line's don't, since programs that split lines by themselves would take it for part of a name.
    """
    import pandas as pd

    cells = {
        defused(str(name)): column if column.dtype.kind in "biufMm" else column.map(defused, na_action="ignore")
        for name, column in frame.items()
    }
    text = pd.DataFrame(cells, index=frame.index).to_csv(index=False, lineterminator=LINE_END)
    return (BOM * bom + text).encode()
