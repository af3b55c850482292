"""What the commands do with a store, whether this process owns it or a dashboard does it for them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from msgspec import Struct, field

from dashboard.queries.rate import ANSWERED, Rate
from loaders.errors import DriftlineError
from loaders.report import IngestReport
from loaders.store import Compacted, Held, Store

# Each command imports what it needs where it needs it: importing takes longer than most of them.
if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from dashboard.queries.compare import CompareQuery
    from dashboard.queries.frame import RateQuery
    from dashboard.queries.scope import Scope
    from dashboard.queries.servable import Servable
    from loaders.ingest import Progress

Row = dict[str, Any]

COMPARE_TABLE = [
    "eval", "metric", "variant", "split", "split2", "checkpoint", "n", "rate", "baseline_rate", "difference", "low",
    "high", "p", "p_corrected", "verdict", "method",
]  # fmt: skip
"""The columns of `driftline compare` as a table; CSV and JSON have them all."""
PLAN_TABLE = ["eval", "metric", "variant", "split", "split2", "checkpoint", "questions", "epochs", "needed", "method"]
"""The columns of what `driftline compare --target` adds to the table."""


class IngestArguments(Struct):
    """`driftline ingest`. Paths are absolute: the process that does it may stand in another folder."""

    paths: list[str]
    study: str | None = None
    dry_run: bool = False


class RateArguments(Struct):
    """`driftline rates`. An empty list means all."""

    run: list[str] = field(default_factory=list)
    mix: list[str] = field(default_factory=list)
    stage: list[str] = field(default_factory=list)
    eval: list[str] = field(default_factory=list)
    metric: list[str] = field(default_factory=list)
    as_of: int | None = None
    split: list[str] = field(default_factory=list)
    """Fields that split every eval; none where empty."""
    interval: Literal["wilson", "clopper-pearson"] = "wilson"
    repeats: Literal["pooled", "newest", "each"] = "pooled"

    def query(self) -> RateQuery:
        """The same question, as the pages ask it.

        Raises:
            DriftlineError: What is no field, or more of them than go together.
        """
        from dashboard.queries.frame import RateQuery

        try:
            return RateQuery(
                runs=tuple(self.run),
                mixes=tuple(self.mix),
                stages=tuple(self.stage),
                evals=tuple(self.eval),
                metrics=tuple(self.metric),
                splits=tuple(self.split),
                method=self.interval,
                repeats=self.repeats,
            )
        except ValueError as error:
            raise DriftlineError(f"--split: {error}.") from error


class CompareArguments(Struct):
    """`driftline compare`. Empty lists mean all, no baseline the first checkpoint."""

    checkpoints: list[str]
    baseline: str | None = None
    eval: list[str] = field(default_factory=list)
    metric: list[str] = field(default_factory=list)
    correction: Literal["holm", "bh", "none"] = "holm"
    as_of: int | None = None
    split: list[str] = field(default_factory=list)
    """Fields that split every eval; none where empty."""
    interval: Literal["wilson", "clopper-pearson"] = "wilson"
    repeats: Literal["pooled", "newest", "each"] = "pooled"
    target: float | None = None
    """A difference, in the units of the differences: how many questions would it take to find it?"""
    margin: float | None = None
    """An equivalence margin, in the same units."""

    def query(self) -> CompareQuery:
        """The same question, as the page asks it.

        Raises:
            DriftlineError: What is no field, or more of them than go together; a margin that is none.
        """
        from dashboard.queries.compare import CompareQuery
        from dashboard.queries.equivalence import Margins

        try:
            margins = Margins(self.margin, self.margin)
        except ValueError as error:
            raise DriftlineError(f"--margin: {error}.") from error
        try:
            return CompareQuery(
                checkpoints=tuple(self.checkpoints),
                baseline=self.baseline,
                evals=tuple(self.eval),
                metrics=tuple(self.metric),
                correction=self.correction,
                splits=tuple(self.split),
                method=self.interval,
                repeats=self.repeats,
                margins=margins,
            )
        except ValueError as error:
            raise DriftlineError(f"--split: {error}.") from error


class ExportArguments(Struct):
    """`driftline export`."""

    what: str
    """rates, samples or every-eval-ever."""
    format: str
    """csv or parquet; zip of records."""
    rates: RateArguments = field(default_factory=RateArguments)
    organization: str = "unknown"
    """Of records: who trained the models."""


def run_ingest(store: Store, given: IngestArguments, progress: Progress | None) -> IngestReport:
    """Ingest, or tell what an ingest would do."""
    from loaders.dry_run import dry_run
    from loaders.ingest import ingest

    paths = [Path(path) for path in given.paths]
    study = Path(given.study) if given.study else None
    work = dry_run if given.dry_run else ingest
    return work(paths, store, study=study, progress=progress)


def batch_of(store: Store, asked: int | None) -> int:
    """The batch that is asked for; the newest where none is.

    Raises:
        DriftlineError: There is none of that number, or none any more.
    """
    if asked is None:
        return store.batch()
    with store.cursor() as cursor:
        kept = [row[0] for row in cursor.execute(FINISHED).fetchall()]
    if asked not in kept:
        there = ", ".join(map(str, kept[-40:])) or "none"
        raise DriftlineError(f"--as-of {asked}: not an import of this store (allowed: {there}).")
    return asked


FINISHED = "SELECT batch FROM seen_batches() WHERE finished_at IS NOT NULL ORDER BY batch"


class Rates(Struct):
    """What `driftline rates` answers."""

    rows: list[Rate]
    """The fields `ANSWERED`, in plain values."""
    left_out: list[str]
    """What has no row with a number, by reason; a line each."""


def run_rates(store: Store, given: RateArguments) -> Rates:
    """The rates as of a batch (default: the newest).

    Raises:
        DriftlineError: As `_rate_rows`.
    """
    from dashboard.queries.frame import columns_of, plain_rows

    rows, scope = _rate_rows(store, given)
    # What these columns are read off is a rate's own fields.
    told = cast("list[Rate]", plain_rows(rows, columns_of(Rate, ANSWERED)))
    return Rates(told, _left_out(scope, given))


def rates_frame(store: Store, given: RateArguments, hidden: Sequence[str] = ()) -> tuple[pd.DataFrame, list[str]]:
    """The rates with all their columns (`RATE_COLUMNS`), and what has no row with a number.

    Raises:
        DriftlineError: As `_rate_rows`.
    """
    from dashboard.queries.frame import RATE_COLUMNS, frame_of

    rows, scope = _rate_rows(store, given, hidden)
    return frame_of(rows, RATE_COLUMNS), _left_out(scope, given)


def _rate_rows(store: Store, given: RateArguments, hidden: Sequence[str] = ()) -> tuple[list[Row], Scope]:
    """The rates as they are measured, and what they were taken from.

    Args:
        store: Asked.
        given: What for.
        hidden: Patterns of runs of which nothing is found.

    Raises:
        DriftlineError: A name or field that was asked for is not in the store; the message lists those that are.
    """
    from dashboard.queries.frame import RateQuery
    from dashboard.queries.rates import rate_rows
    from dashboard.queries.scope import scope_of

    as_of = batch_of(store, given.as_of)
    query = given.query()
    with store.cursor(hidden) as cursor:
        scope = scope_of(cursor, query.evals, as_of, query.splits)
        rows = rate_rows(cursor, query, as_of, scope)
        if not rows:
            _explain_nothing(rate_rows(cursor, RateQuery(metrics=("all",)), as_of), given)
        _explain_unknown_fields(cursor, rows, given, as_of)
    return rows, scope


def _left_out(scope: Scope, given: RateArguments) -> list[str]:
    logs = [
        log
        for log in scope.logs
        if all(not names or log[name] in names for name, names in (("run", given.run), ("mix", given.mix)))
        and (not given.stage or log["stage"] in given.stage)
    ]
    nothing = {name for name, metrics in scope.applicable.items() if not metrics}
    empty = [log for log in logs if log["eval"] in nothing]
    unplaced = sum(not log["placed"] for log in logs)
    found = []
    if empty:
        names = ", ".join(sorted({log["eval"] for log in empty})[:5])
        found.append(f"left out: {len(empty)} unscored logs ({names})")
    if unplaced:
        found.append(f"{unplaced} of {len(logs)} logs have no run or step: each is its own row")
    return found


def _explain_unknown_fields(
    cursor: duckdb.DuckDBPyConnection, rows: list[Row], given: RateArguments | CompareArguments, as_of: int
) -> None:
    for name, column in zip(given.split, ("split", "split2"), strict=False):
        if rows and all(row.get(column) is None for row in rows):
            from dashboard.queries.fields import field_rows

            there = ", ".join(row["field"] for row in field_rows(cursor, given.eval, as_of)) or "none"
            raise DriftlineError(f"--split {name}: no selected log has this field (allowed: {there}).")


def _explain_nothing(everything: list[Row], given: RateArguments) -> None:
    for option in ("run", "mix", "stage", "eval", "metric"):
        there = sorted({str(row[option]) for row in everything if row[option] is not None})
        unknown = [name for name in getattr(given, option) if name not in there and name != "all"]
        if unknown:
            choice = ", ".join(there[:40]) or "none"
            raise DriftlineError(f"--{option} {unknown[0]}: not in the store (allowed: {choice}).")


def run_compare(store: Store, given: CompareArguments, hidden: Sequence[str] = ()) -> dict[str, Any]:
    """Compare checkpoints as of a batch (default: the newest), in plain values: what page, command and JSON share.

    Args:
        store: Asked.
        given: What for.
        hidden: Patterns of runs of which nothing is found.

    Raises:
        DriftlineError: A checkpoint, name or field that is not in the store (the message lists what is), or a target
            that is no difference.
    """
    from dashboard.queries.compare import COLUMNS, compare_rows
    from dashboard.queries.frame import RateQuery, plain_rows
    from dashboard.queries.planning import PLAN_COLUMNS
    from dashboard.queries.rates import rate_rows

    as_of = batch_of(store, given.as_of)
    query = given.query()
    with store.cursor(hidden) as cursor:
        found = compare_rows(cursor, query, as_of)
        if not found.rows["rates"]:
            names = RateArguments(eval=given.eval, metric=given.metric)
            _explain_nothing(rate_rows(cursor, RateQuery(metrics=("all",)), as_of), names)
        _explain_unknown_fields(cursor, found.rows["rates"], given, as_of)
    told: dict[str, Any] = {
        name: plain_rows(found.rows[name], COLUMNS[name])
        for name in ("differences", "flips", "changes", "incomparable")
    }
    if given.target is not None:
        basis = plain_rows(found.rows["basis"], COLUMNS["basis"])
        told["plan"] = plain_rows(_planned(basis, given.target), PLAN_COLUMNS)
    return {"baseline": found.baseline, "checkpoints": found.checkpoints, "correction": found.correction} | told


def _planned(basis: list[Row], target: float) -> list[Row]:
    from dashboard.queries.planning import plan_rows

    try:
        return plan_rows(basis, target)
    except ValueError as error:
        raise DriftlineError(f"--target: {error}.") from error


def run_servable(store: Store) -> list[Servable]:
    """The checkpoints that the newest batch knows of, with where their weights lie."""
    from dashboard.queries.servable import servable

    with store.cursor() as cursor:
        return servable(cursor, store.batch())


def run_export(store: Store, given: ExportArguments) -> bytes:
    """A whole table, or all records, as the bytes of a file.

    Raises:
        DriftlineError: An unknown table or format, or nothing to write.
    """
    if given.what == "every-eval-ever":
        return _every_eval_ever(store, given)
    if given.what == "rates":
        frame, _ = rates_frame(store, given.rates)
        frame = frame.assign(flags=frame["flags"].map("; ".join))
    elif given.what == "samples":
        from dashboard.queries.samples import SampleFilter, all_samples

        as_of = batch_of(store, given.rates.as_of)
        asked = given.rates
        wanted = SampleFilter(
            runs=tuple(asked.run), mixes=tuple(asked.mix), stages=tuple(asked.stage), evals=tuple(asked.eval),
            metric=next(iter(asked.metric), None),
        )  # fmt: skip
        with store.cursor() as cursor:
            frame = all_samples(cursor, wanted, as_of)
        if frame.empty:
            # Says which name is not there; the rates know them all.
            _rate_rows(store, given.rates)
    else:
        raise DriftlineError(f"export {given.what}: not a table (allowed: rates, samples, every-eval-ever).")
    if given.format == "csv":
        from dashboard.exports.csv import csv_bytes

        return csv_bytes(frame, bom=False)
    if given.format == "parquet":
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()
    raise DriftlineError(f"export to .{given.format}: not a format (allowed: csv, parquet).")


def _every_eval_ever(store: Store, given: ExportArguments) -> bytes:
    from dashboard.exports.every_eval_ever import archive, points_of

    if given.format != "zip":
        raise DriftlineError(f"export {given.what} to .{given.format}: not a format (allowed: zip).")
    as_of = batch_of(store, given.rates.as_of)
    rows, _ = _rate_rows(store, given.rates)
    with store.cursor() as cursor:
        points = points_of(cursor, rows, as_of)
    return archive(points, given.organization, given.rates.query().level, datetime.now(UTC))


class BackupArguments(Struct):
    """`driftline backup`. The path is absolute: the process that does it may stand in another folder."""

    file: str
    replace: bool = False


def run_backup(store: Store, given: BackupArguments) -> list[Held]:
    """Copy the store into a file.

    Returns:
        What each table of the copy holds.

    Raises:
        DriftlineError: As `Store.backup`.
    """
    return store.backup(Path(given.file), replace=given.replace)


def run_compact(store: Store) -> Compacted:
    """Write the store anew without the free room in its file.

    Raises:
        DriftlineError: It is being read for too long, or the disk lacks room.
    """
    return store.compact() or Compacted(0, 0)
