"""`driftline rates`, `compare`, `export` and `compact`: what is asked of a store that is there."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import msgspec

from dashboard import commands, numerals
from dashboard.console.opening import readable, without_pandas
from dashboard.console.printing import err, out, print_csv, print_json, table, write_file
from dashboard.handover import Owner, hand_over
from dashboard.queries.rate import ANSWERED, PRINTED
from loaders.errors import DriftlineError
from loaders.store import Compacted

RECORDS, EVERY_EVAL_EVER = "zip", "every-eval-ever"


def rates(given: argparse.Namespace) -> int:
    """Print the table behind the curves."""
    arguments = msgspec.structs.replace(
        _rate_arguments(given), split=given.split, interval=given.interval, repeats=given.repeats
    )
    with without_pandas(), readable(given) as place:
        if isinstance(place, Owner):
            answer = json.loads(hand_over(place, "rates", msgspec.to_builtins(arguments)))
            # By json, as the dashboard wrote it: rates may be infinite, which msgspec's JSON has no word for.
            found = msgspec.convert(answer, commands.Rates)
        else:
            found = commands.run_rates(place, arguments)
    rows, left_out = found.rows, found.left_out
    without = sum(row["rate"] is None for row in rows)
    if without:
        left_out.append(f"{without} of {len(rows)} rows have no value: no sample is scored by their metric")
    for line in left_out:
        err.print(line)
    if given.format == "json":
        print_json(rows)
    elif given.format == "csv":
        print_csv(rows, ANSWERED)
    elif not rows:
        out.print("Nothing found.")
    else:
        # A checkpoint without a number has a name: "base", "final".
        shown = [{**row, "step": row["step_label"] if row["step"] is None else row["step"]} for row in rows]
        columns = [name for name in PRINTED if any(row[name] is not None for row in shown)]
        fields = dict(zip(("split", "split2"), given.split, strict=False))
        out.print(table(shown, columns, fields))
        for metric, definition in dict.fromkeys((row["metric"], row["definition"]) for row in rows):
            out.print(f"{metric}: {definition}", markup=False)
        disputed = sum(row["disagrees"] for row in rows)
        flagged = sum(bool(row["flags"]) for row in rows)
        if flagged:
            out.print(
                f"Warnings: {numerals.plural(flagged, 'row')}, {disputed} with a log total that differs from its"
                " samples (--format csv and json list them).",
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
        margin=given.margin,
    )
    with without_pandas(), readable(given) as place:
        if isinstance(place, Owner):
            found: dict[str, Any] = json.loads(hand_over(place, "compare", msgspec.to_builtins(arguments)))
        else:
            found = commands.run_compare(place, arguments)
    if given.format == "json":
        print_json(found)
        return 0
    for row in found["incomparable"]:
        err.print(f"{row['eval']}  {row['checkpoint']}: {row['message']}", markup=False)
    rows = found["differences"]
    if given.format == "csv":
        print_csv(rows, list(rows[0]) if rows else [])
        return 0
    # Most evals have no variants; a column of nothing would take the place of numbers.
    fields = dict(zip(("split", "split2"), given.split, strict=False))
    columns = [name for name in commands.COMPARE_TABLE if any(row[name] is not None for row in rows)]
    out.print(table(rows, columns, fields))
    # The table has no room for what must be known of its rows; CSV and JSON have it in a column.
    for line in dict.fromkeys(f"{row['eval']}  {row['checkpoint']}: {flag}" for row in rows for flag in row["flags"]):
        err.print(line, markup=False)
    family = next((row["family"] for row in rows), 0)
    out.print(
        f"Differences from {found['baseline']}; p_corrected: {found['correction']} over {family} comparisons;"
        f" {numerals.plural(len(found['flips']), 'flipped question')} (--format json lists them).",
        markup=False,
    )
    if "plan" in found:
        out.print(f"\nQuestions needed to detect a difference of {given.target:g} with 80% power:", markup=False)
        columns = [name for name in commands.PLAN_TABLE if any(row[name] is not None for row in found["plan"])]
        out.print(table(found["plan"], columns, fields))
    return 0


def export(given: argparse.Namespace) -> int:
    """Write a table, or records, to a file, whole or not at all."""
    target = Path(given.file).expanduser()
    format = target.suffix.lstrip(".").lower()
    allowed = (RECORDS,) if given.what == EVERY_EVAL_EVER else ("csv", "parquet")
    if format not in allowed:
        raise DriftlineError(f"{target}: unknown extension (allowed: {', '.join(f'.{one}' for one in allowed)}).")
    arguments = commands.ExportArguments(given.what, format, _rate_arguments(given), given.organization)
    with readable(given) as place:
        if isinstance(place, Owner):
            content = hand_over(place, "export", msgspec.to_builtins(arguments))
        else:
            content = commands.run_export(place, arguments)
    if format == RECORDS:
        from dashboard.exports.every_eval_ever import left_out

        for line in left_out(content):
            err.print(f"left out: {line}", markup=False)
    write_file(target, content)
    return 0


def compact(given: argparse.Namespace) -> int:
    """Write a store anew without its free room, and say what that came to."""
    with readable(given) as place:
        if isinstance(place, Owner):
            done = msgspec.json.decode(hand_over(place, "compact", {}), type=Compacted)
        else:
            done = commands.run_compact(place)
    out.print(f"Compacted: {numerals.megabytes(done.before)} before, {numerals.megabytes(done.after)} after.")
    return 0


def _rate_arguments(given: argparse.Namespace) -> commands.RateArguments:
    return commands.RateArguments(given.run, given.mix, given.stage, given.eval, given.metric, given.as_of)
