"""`driftline formats`."""

from __future__ import annotations

import argparse

from dashboard.console.printing import out, print_csv, print_json, table
from loaders.registry import registered

COLUMNS = ("name", "reads", "package", "problem")


def formats(given: argparse.Namespace) -> int:
    """List the formats in the order in which they are tried; 1 if one could not be loaded."""
    found = registered()
    rows = [
        {"name": known.name, "reads": known.reads, "package": known.package, "problem": None} for known in found.formats
    ] + [
        {"name": known.name, "reads": None, "package": known.package, "problem": known.reason}
        for known in found.unloadable
    ]
    if given.format == "json":
        print_json(rows)
    elif given.format == "csv":
        print_csv(rows, COLUMNS)
    else:
        shown = [name for name in COLUMNS if any(row[name] is not None for row in rows)]
        out.print(table(rows, shown))
        out.print(
            "Tables (CSV, TSV, JSON lines, Parquet) are read as study.yaml says: `driftline map FILE` proposes how."
        )
    return 1 if found.unloadable else 0
