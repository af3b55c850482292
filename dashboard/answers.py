"""What scripts, notebooks and agents ask of a store: questions as plain structs, and answers as bytes of a file.

Who owns the store answers, this process or a running dashboard, with the same code. A question carries the runs of
which nothing may be seen; whoever runs a command sees all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from dashboard import commands, numerals
from loaders.errors import DriftlineError
from loaders.records import TARGET_VIEW
from loaders.store import Store

# Each question imports what it needs: importing takes longer than most of them.
if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from dashboard.exports.encoded import Encoding

MOST_ROWS = 100_000
LISTED = 40
"""So many allowed names are told."""


class Question(Struct, kw_only=True, tag=True):
    """What every question has.

    Attributes:
        as_of: The import; None for the newest.
        hidden: Patterns of the runs of which nothing may be seen.
        encoding: Of the answer's data.
    """

    as_of: int | None = None
    hidden: tuple[str, ...] = ()
    encoding: Literal["json", "csv", "parquet"] = "json"


class Runs(Question, tag="runs"):
    """Which runs there are."""


class Evals(Question, tag="evals"):
    """Which evals there are, with their metrics."""


class Views(Question, tag="views"):
    """What SQL may name."""


class Rates(Question, tag="rates"):
    """The rates behind the Curves page, with all their columns."""

    rates: commands.RateArguments = msgspec.field(default_factory=commands.RateArguments)


class Compare(Question, tag="compare"):
    """What the Compare page shows: the differences as a table; as JSON all of it."""

    compare: commands.CompareArguments


class Samples(Question, tag="samples"):
    """Samples by a filter; an empty tuple means any."""

    run: tuple[str, ...] = ()
    mix: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    step: tuple[int | str, ...] = ()
    eval: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    metric: str | None = None
    outcome: tuple[str, ...] = ()
    text: str | None = None
    sort: str | None = None
    descending: bool = False
    limit: int = 100
    offset: int = 0
    full: bool = False
    """Long texts whole, not their beginnings."""
    excerpts: bool = False
    """In place of prompt, reply and judge's words: where `text` stands first, with what is around it."""


class Transcript(Question, tag="transcript"):
    """One sample: as JSON log, sample, scores, messages and views of others; else a row for each message."""

    log: str
    sample: str
    epoch: int = 1
    view: str = TARGET_VIEW
    """Of an audit whose messages: those that its target saw in the end, or `auditor`, `combined` or `branch-1`."""


class Query(Question, tag="query"):
    """One SELECT over the views."""

    sql: str
    limit: int = 1000
    seconds: float = 10.0


class Gaps(Question, tag="gaps"):
    """Which checkpoints of a run an eval has no results of: `dashboard.queries.missing.Missing` as JSON."""

    run: str
    eval: str


Asked: TypeAlias = Runs | Evals | Views | Rates | Compare | Samples | Transcript | Query | Gaps


class Answer(Struct):
    """What came of a question: `data` is a file in its encoding; `more` that rows beyond the limit were left out."""

    data: bytes
    rows: int
    more: bool = False
    notes: list[str] = msgspec.field(default_factory=list)


def answer(store: Store, asked: Asked) -> Answer:
    """Answer a question.

    Raises:
        DriftlineError: It asks for something that is not there, or may not be asked; says what is.
    """
    return ANSWERS[type(asked)](store, asked)


def _runs(store: Store, asked: Runs) -> Answer:
    from dashboard.queries.catalogue import runs

    return _framed(store, asked, runs)


def _evals(store: Store, asked: Evals) -> Answer:
    from dashboard.queries.catalogue import evals, metrics_for

    def found(con: duckdb.DuckDBPyConnection, as_of: int) -> pd.DataFrame:
        metrics = metrics_for(con, (), as_of)
        named = {name: of["metric"].tolist() for name, of in metrics.groupby("eval")}
        frame = evals(con, as_of)
        frame["metrics"] = frame["eval"].map(lambda name: named.get(name, []))
        return frame

    return _framed(store, asked, found)


def _views(store: Store, asked: Views) -> Answer:
    from dashboard.queries.one_select import views_of

    return _framed(store, asked, views_of)


def _rates(store: Store, asked: Rates) -> Answer:
    frame, left_out = commands.rates_frame(store, asked.rates, asked.hidden)
    if asked.encoding == "parquet":  # a text is more to a frame than a list
        frame = frame.assign(flags=frame["flags"].map("; ".join))
    return _of(frame, asked.encoding, notes=left_out)


def _compare(store: Store, asked: Compare) -> Answer:
    import pandas as pd

    found = commands.run_compare(store, asked.compare, asked.hidden)
    if asked.encoding == "json":
        from dashboard.exports.encoded import plain

        return Answer(msgspec.json.encode(plain(found)), len(found["differences"]))
    notes = [f"{row['eval']}  {row['checkpoint']}: {row['message']}" for row in found["incomparable"]]
    return _of(pd.DataFrame(found["differences"]), asked.encoding, notes=notes)


def _samples(store: Store, asked: Samples) -> Answer:
    from dashboard.queries.sample_filter import OUTCOMES, SampleFilter
    from dashboard.queries.samples import PREVIEW, SORTS, samples_page

    if not 0 < asked.limit <= MOST_ROWS or asked.offset < 0:
        raise DriftlineError(f"A limit from 1 to {numerals.count(MOST_ROWS)} and an offset from 0 are allowed.")
    _one_of("outcome", asked.outcome, OUTCOMES)
    _one_of("sort", [asked.sort] if asked.sort else [], SORTS)
    wanted = SampleFilter(
        runs=asked.run, mixes=asked.mix, stages=asked.stage, steps=asked.step, evals=asked.eval, logs=asked.log,
        metric=asked.metric, outcomes=asked.outcome, text=asked.text,  # type: ignore[arg-type]
    )  # fmt: skip
    sort = ((asked.sort, asked.descending),) if asked.sort else ()
    as_of = commands.batch_of(store, asked.as_of)
    with store.cursor(asked.hidden) as con:
        chars = None if asked.full else PREVIEW
        frame = samples_page(con, wanted, sort, size=asked.limit + 1, skip=asked.offset, chars=chars, as_of=as_of)
        if frame.empty:
            _explain_none(con, asked, as_of)
        more, frame = len(frame) > asked.limit, frame.head(asked.limit)
        if asked.excerpts:
            frame = _with_excerpts(con, frame, asked.text or "", as_of)
    return _of(frame, asked.encoding, more)


def _with_excerpts(con: duckdb.DuckDBPyConnection, frame: pd.DataFrame, text: str, as_of: int) -> pd.DataFrame:
    """Where the text stands in each sample, in place of the beginnings of its texts."""
    import pandas as pd

    from dashboard.queries.excerpts import excerpts
    from dashboard.queries.samples import SampleName

    names = [
        SampleName(log, sample, int(epoch))
        for log, sample, epoch in zip(frame["log"], frame["sample"], frame["epoch"], strict=True)
    ]
    found = excerpts(con, text, names, as_of)
    kept = frame[["run", "step", "step_label", "eval", "outcome", "log", "sample", "epoch"]]
    told = [(one.place, one.text) if (one := found.get(name)) else (None, None) for name in names]
    return kept.join(pd.DataFrame(told, columns=["place", "excerpt"], index=kept.index, dtype="str"))


def _transcript(store: Store, asked: Transcript) -> Answer:
    import pandas as pd

    from dashboard.exports.encoded import plain
    from dashboard.queries.transcript import transcript

    with store.cursor(asked.hidden) as con:
        found = transcript(con, asked.log, asked.sample, asked.epoch, commands.batch_of(store, asked.as_of))
    messages = found.seen_in(asked.view)
    if asked.encoding == "json":
        parts = {"log": found.log, "sample": found.sample, "scores": found.scores, "messages": messages}
        parts |= {"views": found.views}
        return Answer(msgspec.json.encode(plain(parts)), len(messages))
    rows = [
        {name: value if value is None or isinstance(value, str | int) else msgspec.json.encode(plain(value)).decode()
         for name, value in row.items() if name not in ("source_id", "batch_from", "batch_to")}
        for row in messages
    ]  # fmt: skip
    return _of(pd.DataFrame(rows), asked.encoding)


def _query(store: Store, asked: Query) -> Answer:
    from dashboard.exports.encoded import encoded
    from dashboard.queries.one_select import select

    as_of = commands.batch_of(store, asked.as_of)
    with store.cursor(asked.hidden) as con:
        found = select(con, asked.sql, as_of, rows=asked.limit, seconds=asked.seconds)
    return Answer(encoded(found.table, asked.encoding), found.table.num_rows, found.more)


def _gaps(store: Store, asked: Gaps) -> Answer:
    from dashboard.queries.missing import missing

    as_of = commands.batch_of(store, asked.as_of)
    with store.cursor(asked.hidden) as con:
        found = missing(con, asked.run, asked.eval, as_of)
    return Answer(msgspec.json.encode(found), len(found.checkpoints))


ANSWERS: dict[type, Callable[[Store, Any], Answer]] = {
    Runs: _runs,
    Evals: _evals,
    Views: _views,
    Rates: _rates,
    Compare: _compare,
    Samples: _samples,
    Transcript: _transcript,
    Query: _query,
    Gaps: _gaps,
}


def _framed(store: Store, asked: Question, query: Callable[[duckdb.DuckDBPyConnection, int], pd.DataFrame]) -> Answer:
    as_of = commands.batch_of(store, asked.as_of)
    with store.cursor(asked.hidden) as con:
        return _of(query(con, as_of), asked.encoding)


def _of(frame: pd.DataFrame, encoding: Encoding, more: bool = False, notes: list[str] | None = None) -> Answer:
    from dashboard.exports.encoded import encoded, table_of

    return Answer(encoded(table_of(frame), encoding), len(frame), more, notes or [])


def _one_of(what: str, given: Collection[str], allowed: Collection[str]) -> None:
    if unknown := [name for name in given if name not in allowed]:
        raise DriftlineError(f"{what} {unknown[0]}: unknown (allowed: {', '.join(allowed)}).")


def _explain_none(con: duckdb.DuckDBPyConnection, asked: Samples, as_of: int) -> None:
    """Say which name is not in the store, where there is one; nothing else is wrong with finding nothing."""
    from dashboard.queries.scope import scope_of

    scope = scope_of(con, (), as_of)
    for name in ("run", "mix", "stage", "eval"):
        there = {str(log[name]) for log in scope.logs if log[name] is not None}
        there |= {group.name for group in scope.groups} if name == "eval" else set()
        if unknown := [one for one in getattr(asked, name) if one not in there]:
            told = ", ".join(sorted(there)[:LISTED]) or "none"
            raise DriftlineError(f"{name} {unknown[0]}: not in the store (allowed: {told}).")
    of = [log for log in scope.logs if not asked.run or log["run"] in asked.run]
    steps = {log["step"] if log["step"] is not None else log["step_label"] for log in of} - {None}
    if unknown_steps := [step for step in asked.step if step not in steps]:
        ordered = sorted(steps, key=lambda step: (isinstance(step, str), step))
        told = ", ".join(map(str, ordered[:LISTED])) or "none"
        where = "of these runs" if asked.run else "in the store"
        raise DriftlineError(f"step {unknown_steps[0]}: no such step {where} (allowed: {told}).")
    if unknown_logs := [key for key in asked.log if key not in {log["eval_key"] for log in scope.logs}]:
        raise DriftlineError(f"log {unknown_logs[0]}: not in the store (`log` of other samples has their keys).")
    if asked.metric is not None:
        metrics = {metric.name for of in scope.applicable.values() for metric in of}
        _one_of("metric", [asked.metric], sorted(metrics))
