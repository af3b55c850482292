"""What the commands do with a store, whether this process owns it or a dashboard does it for them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

from loaders.errors import DriftlineError
from loaders.report import IngestReport
from loaders.store import Compacted, Store

# Each command imports what it needs where it needs it: importing takes longer than most of them.
if TYPE_CHECKING:
    import duckdb

    from dashboard.queries.compare import CompareQuery
    from dashboard.queries.frame import RateQuery
    from dashboard.queries.scope import Scope
    from dashboard.queries.servable import Servable
    from loaders.ingest import Progress

Row = dict[str, Any]

RATE_TABLE = [
    "run", "mix", "stage", "step", "tokens", "eval", "variant", "split", "split2", "metric", "n", "k", "rate",
    "low", "high", "interval", "n_missing",
]  # fmt: skip
"""The columns that `driftline rates` prints: the table behind the curves."""
RATE_COLUMNS = [
    *RATE_TABLE,
    "step_label",
    "definition",
    "repeat",
    "pooled",
    "partial",
    "graded",
    "planned",
    "reported",
    "disagrees",
    "flags",
]
"""The columns of `driftline rates` as CSV and JSON: also the rule in use, and what is to be known of a number."""

COMPARE_TABLE = [
    "eval", "metric", "variant", "split", "split2", "checkpoint", "n", "rate", "baseline_rate", "difference", "low",
    "high", "p", "p_corrected", "method",
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

    def query(self) -> CompareQuery:
        """The same question, as the page asks it.

        Raises:
            DriftlineError: What is no field, or more of them than go together.
        """
        from dashboard.queries.compare import CompareQuery

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
            )
        except ValueError as error:
            raise DriftlineError(f"--split: {error}.") from error


class ExportArguments(Struct):
    """`driftline export`."""

    what: str
    """rates or samples."""
    format: str
    """csv or parquet."""
    rates: RateArguments = field(default_factory=RateArguments)


def run_ingest(store: Store, given: IngestArguments, progress: Progress | None) -> IngestReport:
    """Ingest, or tell what an ingest would do."""
    from loaders.dry_run import dry_run
    from loaders.ingest import ingest

    paths = [Path(path) for path in given.paths]
    study = Path(given.study) if given.study else None
    work = dry_run if given.dry_run else ingest
    return work(paths, store, study=study, progress=progress)


def _batch(store: Store, asked: int | None) -> int:
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
        raise DriftlineError(f"--as-of {asked}: not a batch of this store (there are: {there}).")
    return asked


FINISHED = "SELECT batch FROM seen_batches() WHERE finished_at IS NOT NULL ORDER BY batch"


class Rates(Struct):
    """What `driftline rates` answers."""

    rows: list[Row]
    """`RATE_COLUMNS`, in plain values."""
    left_out: list[str]
    """What has no row with a number, by reason; a line each."""


def run_rates(store: Store, given: RateArguments) -> Rates:
    """The rates as of a batch (default: the newest).

    Raises:
        DriftlineError: As `_rate_rows`.
    """
    from dashboard.queries.frame import RATE_COLUMNS as OF_FRAME
    from dashboard.queries.frame import plain_rows

    rows, scope = _rate_rows(store, given)
    return Rates(plain_rows(rows, {name: OF_FRAME[name] for name in RATE_COLUMNS}), _left_out(scope, given))


def _rate_rows(store: Store, given: RateArguments) -> tuple[list[Row], Scope]:
    """The rates as they are measured, and what they were taken from.

    Raises:
        DriftlineError: A name or field that was asked for is not in the store; the message lists those that are.
    """
    from dashboard.queries.frame import RateQuery
    from dashboard.queries.rates import rate_rows
    from dashboard.queries.scope import scope_of

    as_of = _batch(store, given.as_of)
    query = given.query()
    with store.cursor() as cursor:
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
        found.append(f"left out: {len(empty)} logs without any outcome ({names})")
    if unplaced:
        found.append(f"{unplaced} of {len(logs)} logs have no run or step: each is a row by itself")
    return found


def _explain_unknown_fields(
    cursor: duckdb.DuckDBPyConnection, rows: list[Row], given: RateArguments | CompareArguments, as_of: int
) -> None:
    for name, column in zip(given.split, ("split", "split2"), strict=False):
        if rows and all(row.get(column) is None for row in rows):
            from dashboard.queries.fields import field_rows

            there = ", ".join(row["field"] for row in field_rows(cursor, given.eval, as_of)) or "none"
            raise DriftlineError(f"--split {name}: nothing that is asked for has this field (there are: {there}).")


def _explain_nothing(everything: list[Row], given: RateArguments) -> None:
    for option in ("run", "mix", "stage", "eval", "metric"):
        there = sorted({str(row[option]) for row in everything if row[option] is not None})
        unknown = [name for name in getattr(given, option) if name not in there and name != "all"]
        if unknown:
            choice = ", ".join(there[:40]) or "none"
            raise DriftlineError(f"--{option} {unknown[0]}: not in the store (there are: {choice}).")


def run_compare(store: Store, given: CompareArguments) -> dict[str, Any]:
    """Compare checkpoints as of a batch (default: the newest), in plain values: what page, command and JSON share.

    Raises:
        DriftlineError: A checkpoint, name or field that is not in the store (the message lists what is), or a target
            that is no difference.
    """
    from dashboard.queries.compare import COLUMNS, compare_rows
    from dashboard.queries.frame import RateQuery, plain_rows
    from dashboard.queries.planning import PLAN_COLUMNS
    from dashboard.queries.rates import rate_rows

    as_of = _batch(store, given.as_of)
    query = given.query()
    with store.cursor() as cursor:
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
    """A whole table as the bytes of a file.

    Raises:
        DriftlineError: An unknown table or format.
    """
    if given.what == "rates":
        from dashboard.queries.frame import RATE_COLUMNS as OF_FRAME
        from dashboard.queries.frame import frame_of

        frame = frame_of(_rate_rows(store, given.rates)[0], OF_FRAME)
        frame = frame.assign(flags=frame["flags"].map("; ".join))
    elif given.what == "samples":
        from dashboard.queries.samples import SampleFilter, all_samples

        as_of = _batch(store, given.rates.as_of)
        wanted = SampleFilter(
            runs=tuple(given.rates.run), evals=tuple(given.rates.eval), metric=next(iter(given.rates.metric), None)
        )
        with store.cursor() as cursor:
            frame = all_samples(cursor, wanted, as_of)
    else:
        raise DriftlineError(f"export {given.what}: not a table (allowed: rates, samples).")
    if given.format == "csv":
        from dashboard.exports.csv import csv_bytes

        return csv_bytes(frame, bom=False)
    if given.format == "parquet":
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()
    raise DriftlineError(f"export to .{given.format}: not a format (allowed: csv, parquet).")


def run_compact(store: Store) -> Compacted:
    """Write the store anew without the free room in its file.

    Raises:
        DriftlineError: It is being read for too long, or the disk lacks room.
    """
    return store.compact() or Compacted(0, 0)
