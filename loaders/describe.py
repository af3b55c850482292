"""What a report says of files when all is decided: the evals of those that came in, and which had to be left out."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import msgspec

from loaders.report import FileLine, IngestReport, how_ended


def describe(cursor: duckdb.DuckDBPyConnection, batch: int, report: IngestReport) -> None:
    """Give the report's lines of new files their evals: one line an eval."""
    found: dict[str, list[FileLine]] = {}
    for path, *values, status, complete, reported in cursor.execute(DESCRIBE, {"batch": batch}).fetchall():
        line = FileLine(path, "", "", *values)
        line.status = how_ended(status, complete, line.samples, reported)
        found.setdefault(path, []).append(line)
    lines = []
    for line in report.lines:
        evals = found.get(line.path, []) if line.outcome in ("new", "changed", "moved") else []
        lines += [msgspec.structs.replace(e, format=line.format, outcome=line.outcome) for e in evals] or [line]
    report.lines = lines


def tell_undecided(report: IngestReport, paths: Sequence[str], reason: str) -> None:
    """Turn the lines of a file that came in, and of which nothing could be decided, into those of a rejected one."""
    for path in paths:
        before = next((line for line in report.lines if line.path == path), None)
        if before is not None and before.outcome in ("new", "changed"):
            report.ingested -= 1
        report.lines = [line for line in report.lines if line.path != path]
        report.lines.append(FileLine(path, before.format if before else "", "rejected", reason=reason))
        report.rejected += 1


DESCRIBE = """
SELECT l.path, e.run, coalesce(e.step::VARCHAR, e.step_label), e.eval, e.n_samples, e.run_rule, e.step_rule,
       e.status, e.complete, e.eval_id IN (SELECT eval_id FROM reported) AS reported
FROM live_evals($batch) e JOIN live_locations($batch) l USING (source_id)
WHERE e.batch = $batch OR l.batch_from = $batch
ORDER BY l.path, e.eval_id
"""
