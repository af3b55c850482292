"""The limits of `driftline query`, from the code that keeps them and from the command's own defaults."""

from __future__ import annotations

import argparse

from dashboard import numerals
from dashboard.docs.markdown import code, table
from dashboard.queries.one_select import MOST_ANSWERED, MOST_HANDED, MOST_MEMORY, MOST_ROWS, MOST_SECONDS


def query_limits_text(top: argparse.ArgumentParser) -> str:
    """A table of what a query may take."""
    given = top.parse_args(["query"])
    rows = [
        ("Time; as long again to read the columns", code("--seconds"), f"{given.seconds:g} s", f"{MOST_SECONDS:g} s"),
        ("Rows", code("--limit"), numerals.count(given.limit), numerals.count(MOST_ROWS)),
        ("Memory of its process, besides the columns", "", "", _bytes(MOST_MEMORY)),
        ("Columns that it names", "", "", _bytes(MOST_HANDED)),
        ("Answer", "", "", _bytes(MOST_ANSWERED)),
    ]
    return table(("Limit", "Option", "Default", "At most"), rows)


def _bytes(size: int) -> str:
    return f"{size // 10**9} GB" if size >= 10**9 else f"{size // 10**6} MB"
