"""What an ingest would do, found out by doing it in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from loaders.ingest import Progress, ingest
from loaders.report import IngestReport
from loaders.roots import roots_of
from loaders.store import Store

CONTENTS = "SELECT path, content_hash FROM locations l JOIN sources s USING (source_id) WHERE l.batch_to IS NULL"


def dry_run(
    paths: Sequence[Path], store: Store, *, study: Path | None = None, progress: Progress | None = None
) -> IngestReport:
    """Read everything below some paths into a store in memory, and report on it; `store` is only looked at.

    The lines tell of every file, also those that `store` holds already: they are "unchanged".

    Raises:
        DriftlineError: As `ingest`.
    """
    trial = Store.open(":memory:")
    try:
        with store.cursor() as real:
            roots = roots_of(paths, real, study)
        report = ingest(roots.paths, trial, study=study, progress=progress)
        report.notes[:0] = roots.notes
        with trial.cursor() as cursor, store.cursor() as real:
            contents = dict(cursor.execute(CONTENTS).fetchall())
            held = {(path, digest) for path, digest in real.execute(CONTENTS).fetchall()}
    finally:
        trial.close()
    known = {path for path, digest in contents.items() if (path, digest) in held}
    lines = []
    for line in report.lines:
        if line.outcome == "new" and line.path in known:
            line = msgspec.structs.replace(line, outcome="unchanged")
        lines.append(line)
    unchanged = {line.path for line in lines if line.outcome == "unchanged"}
    return msgspec.structs.replace(
        report,
        dry_run=True,
        batch=store.batch(),
        lines=lines,
        unchanged=len(unchanged),
        ingested=report.ingested - len(unchanged),
    )
