"""The commands in a terminal: open a store or find who owns it, do the work, print what came of it."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import webbrowser
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from dashboard import commands
from dashboard.admission import said_access, said_base_path
from dashboard.cli import store_path
from dashboard.exports.csv import defused
from dashboard.handover import Owner, find_owner, hand_over, hand_over_lines
from dashboard.places import bundled_studies, models_file, small_study
from dashboard.probe.endpoints import Declared
from loaders.errors import DriftlineError
from loaders.report import SPOKEN, FileLine, IngestReport
from loaders.store import Compacted, Store

if TYPE_CHECKING:
    from dashboard.queries.servable import Servable

EVALS_NAMED = 3
"""Of the evals in one file, so many are named in a report."""

CONFLICTS_NAMED = 20
"""So many kinds of conflicts are printed; the others are counted."""

SMALL = "smol"
"""What `driftline serve` calls the small study that comes along."""

QUEUE_SECONDS = 1.0
"""How long to wait for the lock before looking again whether a dashboard answers."""

# Names of logs hold colons and brackets: none of them is markup, and none an emoji.
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def run(given: argparse.Namespace) -> int:
    """Run one command.

    Raises:
        DriftlineError: Whatever a user can put right.
    """
    verbs = {
        "view": view,
        "ingest": ingest,
        "rates": rates,
        "compare": compare,
        "serve": serve,
        "export": export,
        "compact": compact,
    }
    return verbs[given.command](given)


@contextmanager
def owned(path: Path) -> Iterator[Store | Owner]:
    """The store at `path`, opened; or the dashboard that owns it. Commands that open it themselves queue."""
    owner = find_owner(path)
    if owner:
        yield owner
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600)
    owner = _queue(lock, path)
    if owner:
        yield owner
        return
    try:
        store = Store.open(path)
        try:
            yield store
        finally:
            store.close()
    finally:
        lock.release()


def _queue(lock: FileLock, path: Path) -> Owner | None:
    """Wait for the lock; or for a dashboard that has come up while waiting, which is returned."""
    said = False
    while True:
        try:
            lock.acquire(timeout=QUEUE_SECONDS if said else 0)
        except Timeout:
            owner = find_owner(path)
            if owner:
                return owner
            if not said:
                err.print("Another driftline command is using the store; waiting for it to end.")
                said = True
        else:
            return None


def view(given: argparse.Namespace) -> int:
    """Ingest, then serve."""
    from dashboard.server import Place, free_port, serve
    from dashboard.server_settings import auth_section

    access = said_access(given, auth_section)
    base_path = said_base_path(given.base_path)
    roots = [Path(given.path).expanduser()] if given.path else bundled_studies()
    path = store_path(given, [given.path] if given.path else [])
    declared = _declared(given)
    arguments = commands.IngestArguments([str(root.resolve()) for root in roots], _absolute(given.study))
    with owned(path) as place:
        if not isinstance(place, Owner):  # told before an ingest that may take long; nothing is bound yet
            free_port(given.port, given.host)
        report = _ingest(place, arguments)
        _print_report(report, brief=True)
        if isinstance(place, Owner):
            out.print(f"A dashboard on this store is running already (process {place.pid}).")
            if given.models or given.endpoint or access:
                err.print("It keeps the endpoints and access that it was started with; end it first to change them.")
            _open(place.url, given.no_browser)
            return 0
        # The port is looked for last: while it is not bound, another program could take it.
        where = Place(given.host, free_port(given.port, given.host), base_path, given.without_sign_in)
        watched = [Path(p) for p in report.roots]
        serve(place, where, watched, declared, access, lambda url: _open(url, given.no_browser))
    return 0


def _declared(given: argparse.Namespace) -> Declared:
    """The endpoints of the models file and of the flags."""
    from dashboard.probe.models_file import parse_endpoint, read_models_file, together

    named = Path(given.models).expanduser() if given.models else models_file()
    declared = read_models_file(named) if given.models or named.is_file() else Declared()
    return together(declared, map(parse_endpoint, given.endpoint))


def _open(url: str, no_browser: bool) -> None:
    out.print(f"Driftline is at {url} (Ctrl+C ends it)")
    if not no_browser and sys.stdout.isatty():
        webbrowser.open(url)


def ingest(given: argparse.Namespace) -> int:
    """Ingest and report; 1 if anything was rejected."""
    paths = [str(Path(path).expanduser().resolve()) for path in given.paths]
    arguments = commands.IngestArguments(paths, _absolute(given.study), given.dry_run)
    path = store_path(given, given.paths)
    # A dry run leaves no trace: where there is no store yet, it compares with an empty one in memory.
    with owned(path) if path.is_file() or not given.dry_run else _nothing() as place:
        report = _ingest(place, arguments)
    _print_report(report)
    return 1 if report.rejected else 0


@contextmanager
def _nothing() -> Iterator[Store]:
    store = Store.open(":memory:")
    try:
        yield store
    finally:
        store.close()


def _absolute(path: str | None) -> str | None:
    return str(Path(path).expanduser().resolve()) if path else None


def _ingest(place: Store | Owner, arguments: commands.IngestArguments) -> IngestReport:
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
    raise DriftlineError("The dashboard ended the ingest without a report; run it again: what is in stays in.")


def _print_report(report: IngestReport, brief: bool = False) -> None:
    told = [line for line in report.lines if line.outcome != "ignored"]
    shown = [line for line in told if not brief or line.outcome == "rejected"]
    for _, lines in groupby(shown, key=lambda line: line.path):
        out.print(_file(list(lines)), markup=False)
    for note in report.notes if not brief else []:
        out.print(f"note      {note}", markup=False)
    causes = Counter(report.conflicts)
    for conflict, count in list(causes.items())[:CONFLICTS_NAMED] if not brief else []:
        out.print(f"conflict  {conflict}" + (f" ({count} times)" if count > 1 else ""))
    if len(causes) > CONFLICTS_NAMED and not brief:
        out.print(f"conflict  {len(causes) - CONFLICTS_NAMED} more, see the Data page")
    if brief and causes:
        out.print(f"{len(causes)} {'conflict' if len(causes) == 1 else 'conflicts'}: see the Data page.")
    out.print(f"{report.summary()} ({report.seconds:.1f} s)", markup=False)


def _file(lines: list[FileLine]) -> str:
    """One line for a file; evals at the same place share it."""
    first = lines[0]
    parts = [f"{first.outcome:9} {first.path}"]
    if first.format:
        parts.append(first.format)
    evals = [line for line in lines if line.eval is not None]
    if evals:
        runs, steps, names = (
            list(dict.fromkeys(getattr(line, name) for line in evals)) for name in ("run", "step", "eval")
        )
        rules = [list(dict.fromkeys(getattr(line, name) for line in evals)) for name in ("run_rule", "step_rule")]
        parts.append(_several("run", runs, rules[0]))
        parts.append(_several("step", steps, rules[1]))
        named = ", ".join(map(str, names[:EVALS_NAMED]))
        more = f" and {len(names) - EVALS_NAMED} more" if len(names) > EVALS_NAMED else ""
        parts.append(f"{'evals' if len(names) > 1 else 'eval'} {named}{more}")
        parts.append(_plural(sum(line.samples or 0 for line in evals), "sample"))
        parts += _endings(evals)
    if first.reason:
        parts.append(first.reason)
    return "  ".join(parts)


def _several(what: str, values: Sequence[str | None], rules: Sequence[str | None]) -> str:
    """What all evals of a file share, with the rule that gave it; of several values, the first and how many."""
    told = ", ".join(rule or f"unassigned (no {what} inferred)" for rule in rules)
    if len(values) == 1:
        return f"{what} {values[0] if values[0] is not None else 'unknown'} [{told}]"
    named = ", ".join("unknown" if value is None else value for value in values[:EVALS_NAMED])
    more = f" and {len(values) - EVALS_NAMED} more" if len(values) > EVALS_NAMED else ""
    return f"{len(values)} {what}s {named}{more} [{told}]"


def _endings(evals: Sequence[FileLine]) -> list[str]:
    """How the logs of a file ended, where one did not end well."""
    ended = Counter(line.status for line in evals if line.status in SPOKEN)
    if len(evals) == 1:
        return [f"status {status}" for status in ended]
    return [f"{count} of {len(evals)} {SPOKEN[str(status)]}" for status, count in ended.items()]


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def rates(given: argparse.Namespace) -> int:
    """Print the table behind the curves."""
    arguments = msgspec.structs.replace(
        _rate_arguments(given), split=given.split, interval=given.interval, repeats=given.repeats
    )
    with _readable(given) as place:
        if isinstance(place, Owner):
            rows: list[dict[str, Any]] = json.loads(hand_over(place, "rates", msgspec.to_builtins(arguments)))
            left_out = json.loads(hand_over(place, "left-out", msgspec.to_builtins(arguments)))
        else:
            rows = commands.records(commands.run_rates(place, arguments), commands.RATE_COLUMNS)
            left_out = commands.run_left_out(place, arguments)
    without = sum(row["rate"] is None for row in rows)
    if without:
        left_out.append(f"{without} of {len(rows)} rows have no value: no sample has an outcome under their metric")
    for line in left_out:
        err.print(line)
    if given.format == "json":
        _print_json(rows)
    elif given.format == "csv":
        _print_csv(rows, commands.RATE_COLUMNS)
    else:
        # A checkpoint without a number has a name: "base", "final".
        shown = [row | {"step": row["step_label"] if row["step"] is None else row["step"]} for row in rows]
        columns = [name for name in commands.RATE_TABLE if any(row[name] is not None for row in shown)]
        fields = dict(zip(("split", "split2"), given.split, strict=False))
        out.print(_table(shown, columns, fields))
        for metric, definition in dict.fromkeys((row["metric"], row["definition"]) for row in rows):
            out.print(f"{metric}: {definition}", markup=False)
        disputed = sum(row["disagrees"] for row in rows)
        flagged = sum(bool(row["flags"]) for row in rows)
        if flagged:
            out.print(
                f"{flagged} rows have remarks, {disputed} of them disagree with their log's header"
                " (--format csv and json hold them).",
                markup=False,
            )
    return 0


def compare(given: argparse.Namespace) -> int:
    """Print the differences to a baseline, and say first what can't be compared."""
    arguments = commands.CompareArguments(
        checkpoints=given.checkpoints,
        baseline=given.baseline,
        eval=given.eval,
        metric=given.metric,
        correction=given.correction,
        as_of=given.as_of,
        split=given.split,
        interval=given.interval,
        repeats=given.repeats,
        target=given.target,
    )
    with _readable(given) as place:
        if isinstance(place, Owner):
            found: dict[str, Any] = json.loads(hand_over(place, "compare", msgspec.to_builtins(arguments)))
        else:
            found = commands.run_compare(place, arguments)
    if given.format == "json":
        _print_json(found)
        return 0
    for row in found["incomparable"]:
        err.print(f"{row['eval']}  {row['checkpoint']}: {row['message']}", markup=False)
    rows = found["differences"]
    if given.format == "csv":
        _print_csv(rows, list(rows[0]) if rows else [])
        return 0
    # Most evals have no variants; a column of nothing would take the place of numbers.
    fields = dict(zip(("split", "split2"), given.split, strict=False))
    columns = [name for name in commands.COMPARE_TABLE if any(row[name] is not None for row in rows)]
    out.print(_table(rows, columns, fields))
    # The table has no room for what must be known of its rows; CSV and JSON have it in a column.
    for line in dict.fromkeys(f"{row['eval']}  {row['checkpoint']}: {flag}" for row in rows for flag in row["flags"]):
        err.print(line, markup=False)
    family = next((row["family"] for row in rows), 0)
    out.print(
        f"Differences to {found['baseline']}; p_corrected: {found['correction']} over {family} comparisons;"
        f" {len(found['flips'])} questions flipped (--format json lists them).",
        markup=False,
    )
    if "plan" in found:
        out.print(f"\nQuestions that find a difference of {given.target:g} four times in five:", markup=False)
        columns = [name for name in commands.PLAN_TABLE if any(row[name] is not None for row in found["plan"])]
        out.print(_table(found["plan"], columns, fields))
    return 0


def serve(given: argparse.Namespace) -> int:
    """Serve checkpoints, or print how; the store is let go of before a server starts."""
    from dashboard.queries.servable import ALL, Servable, choose
    from dashboard.serving.start import Options
    from dashboard.serving.terminal import Asked
    from dashboard.serving.terminal import serve as serve_them

    options = Options(given.max_model_len, given.dtype, tuple(given.extra))
    texts, name = list(given.checkpoints), None
    if not (given.path or given.store) and all(text.partition("/")[0] == SMALL for text in texts):
        name = SMALL
        known = _of_small_study()
        runs = dict.fromkeys(one.run for one in known if one.has_weights)
        texts = [
            wanted
            for text in texts
            for wanted in ([text.partition("/")[2]] if "/" in text else [f"{run}@{ALL}" for run in runs])
        ]
    else:
        with _readable(given) as place:
            if isinstance(place, Owner):
                rows = json.loads(hand_over(place, "servable", {}))
                known = [msgspec.convert(row, Servable) for row in rows]
            else:
                known = commands.run_servable(place)
    asked = Asked(
        checkpoints=choose(texts, known),
        engine=given.engine,
        port=given.port,
        options=options,
        name=name,
        printed=given.printed,
    )
    return serve_them(asked, out, err)


def _of_small_study() -> list[Servable]:
    folder = small_study()
    if not folder.is_dir():
        raise DriftlineError(f"The small study is not there: {folder}. Name a study of yours with --path PATH.")
    with _nothing() as store:
        commands.run_ingest(store, commands.IngestArguments([str(folder)]), None)
        return commands.run_servable(store)


def _print_json(content: Any) -> None:
    json.dump(content, sys.stdout, indent=1)
    print()


def _print_csv(rows: list[dict[str, Any]], columns: list[str]) -> None:
    writer = csv.DictWriter(sys.stdout, columns)
    writer.writeheader()
    writer.writerows({name: defused(value) for name, value in row.items()} for row in rows)


def _table(rows: list[dict[str, Any]], columns: list[str], titles: Mapping[str, str] | None = None) -> Table:
    """A table of rows; columns are headed by their titles, where these are given, else by their names."""
    table = Table(box=None, pad_edge=False)
    titles = titles or {}
    texts = {
        "run", "mix", "stage", "eval", "variant", "split", "split2", "metric", "interval", "checkpoint", "method",
        "test",
    }  # fmt: skip
    cells = [[_cell(row[name]) for name in columns] for row in rows]
    heads = [titles.get(name, name) for name in columns]
    widest = [max([len(head), *(len(row[at]) for row in cells)]) for at, head in enumerate(heads)]
    # Where the terminal is too narrow, long names are cut, and numbers never: Rich by itself drops narrow columns.
    widths = [min(width, 12) if name in texts else width for name, width in zip(columns, widest, strict=True)]
    gaps = 2 * max(0, len(columns) - 1)
    # A pipe or a file has no width: names are whole there.
    room = (out.width if out.is_terminal else gaps + sum(widest)) - gaps - sum(widths)
    for at, (name, head) in enumerate(zip(columns, heads, strict=True)):
        more = min(max(0, room), widest[at] - widths[at])
        widths[at] += more
        room -= more
        justify: Literal["left", "right"] = "left" if name in texts else "right"
        table.add_column(Text(head), justify=justify, no_wrap=True, width=widths[at])
    if room < 0 or not out.is_terminal:
        table.width = gaps + sum(widths)
    for row in cells:
        table.add_row(*map(Text, row))  # plain: a name from a log may look like markup
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) >= 1000 else f"{value:.4g}"
    return "".join(c if c.isprintable() else " " for c in str(value))


def export(given: argparse.Namespace) -> int:
    """Write a table to a file, whole or not at all."""
    target = Path(given.file).expanduser()
    format = target.suffix.lstrip(".").lower()
    if format not in ("csv", "parquet"):
        raise DriftlineError(f"{target}: the ending says the format; allowed: .csv, .parquet.")
    arguments = commands.ExportArguments(given.what, format, _rate_arguments(given))
    with _readable(given) as place:
        if isinstance(place, Owner):
            content = hand_over(place, "export", msgspec.to_builtins(arguments))
        else:
            content = commands.run_export(place, arguments)
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(content)
        Path(file.name).replace(target)
    except OSError as error:
        raise DriftlineError(f"{target} can't be written: {error.strerror}.") from error
    out.print(f"Wrote {target} ({len(content):,} bytes).", markup=False)
    return 0


def compact(given: argparse.Namespace) -> int:
    """Write a store anew without its free room, and say what that came to."""
    with _readable(given) as place:
        if isinstance(place, Owner):
            done = msgspec.json.decode(hand_over(place, "compact", {}), type=Compacted)
        else:
            done = commands.run_compact(place)
    out.print(f"Compacted: {done.before / 1e6:,.1f} MB before, {done.after / 1e6:,.1f} MB after.")
    return 0


def _rate_arguments(given: argparse.Namespace) -> commands.RateArguments:
    return commands.RateArguments(given.run, given.mix, given.stage, given.eval, given.metric, given.as_of)


@contextmanager
def _readable(given: argparse.Namespace) -> Iterator[Store | Owner]:
    """A store that must be there already.

    Raises:
        DriftlineError: It isn't.
    """
    path = store_path(given, [given.path] if given.path else [])
    if not path.is_file():
        where = given.path or "PATH"
        raise DriftlineError(f"There is no store at {path} yet: run `driftline ingest {where}` first.")
    with owned(path) as place:
        yield place
