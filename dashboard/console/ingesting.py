"""`driftline ingest`."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dashboard import commands
from dashboard.console.ingest_report import print_report
from dashboard.console.opening import check_there, nothing, owned, store_place, without_pandas
from dashboard.console.printing import err
from dashboard.handover import Owner, hand_over_lines
from loaders.errors import DriftlineError
from loaders.report import IngestReport
from loaders.store import Store


def ingest(given: argparse.Namespace) -> int:
    """Ingest and report; 1 if anything was rejected."""
    paths = [str(Path(path).expanduser().resolve()) for path in given.paths]
    arguments = commands.IngestArguments(paths, absolute(given.study), given.dry_run)
    path = store_place(given, given.paths)
    check_there(*paths)
    # A dry run leaves no trace: where there is no store yet, it compares with an empty one in memory.
    new = isinstance(path, Path) and not path.is_file()
    with without_pandas(), nothing() if new and given.dry_run else owned(path) as place:
        report = ingested(place, arguments)
    print_report(report)
    return 1 if report.rejected else 0


def absolute(path: str | None) -> str | None:
    """A path as it is for a process that stands in another folder."""
    return str(Path(path).expanduser().resolve()) if path else None


def ingested(place: Store | Owner, arguments: commands.IngestArguments) -> IngestReport:
    """Ingest, by whoever owns the store, with a bar of how far it is.

    Raises:
        DriftlineError: It could not be done.
    """
    columns = (TextColumn("Reading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}", markup=False), console=err, transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(done: int, total: int, path: str) -> None:
            bar.update(task, completed=done, total=total, description=path[-60:])

        if isinstance(place, Store):
            return commands.run_ingest(place, arguments, progress)
        for line in hand_over_lines(place, "ingest", msgspec.to_builtins(arguments)):
            if "error" in line:
                raise DriftlineError(line["error"])
            if "report" in line:
                return msgspec.convert(line["report"], IngestReport)
            progress(line["done"], line["total"], line["path"])
    raise DriftlineError("The dashboard ended the ingest without a report: run it again. What was imported is kept.")
