"""`driftline samples`, `transcript`, `search` and `query`: what scripts ask, by whoever owns the store."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from dashboard import answers, numerals
from dashboard.console.opening import readable
from dashboard.console.printing import err, out, table, write_file
from dashboard.handover import Owner, hand_over
from loaders.errors import DriftlineError
from loaders.records import TARGET_VIEW

SHOWN = {
    "samples": ("run", "step", "eval", "sample", "epoch", "outcome", "value", "log", "reply"),
    "search": ("run", "step", "eval", "sample", "epoch", "outcome", "log", "place", "excerpt"),
}
"""The columns of the table; files have them all."""
WIDE = 60
"""Characters of a cell of the table."""
HINTS = {
    "No log with the key": "`driftline samples` prints the keys, in the column log.",
    "Binder Error: Referenced column": "`driftline query` without SQL lists all views and columns.",
}
"""What a command adds to errors that begin so: where to find the name that was meant."""


def samples(given: argparse.Namespace) -> int:
    """Print samples by a filter."""
    names = [name for name in answers.Samples.__struct_fields__ if hasattr(given, name)]
    options = {name: getattr(given, name) for name in names}
    options["step"] = [int(step) if step.isascii() and step.isdecimal() else step for step in given.step]
    asked = msgspec.convert({"type": "samples"} | options, answers.Samples)
    return _print(given, asked, SHOWN["samples"])


def search(given: argparse.Namespace) -> int:
    """Print where a text stands."""
    if not given.text.strip():
        raise DriftlineError("Search for which text? It is empty.")
    asked = answers.Samples(
        text=given.text, excerpts=True, run=tuple(given.run), eval=tuple(given.eval), limit=given.limit
    )
    return _print(given, asked, SHOWN["search"])


def query(given: argparse.Namespace) -> int:
    """Print what a SELECT finds; without one, what it may name."""
    if given.sql is None:
        return _print(given, answers.Views(), ("view", "column", "type"))
    return _print(given, answers.Query(sql=given.sql, limit=given.limit, seconds=given.seconds), None)


def transcript(given: argparse.Namespace) -> int:
    """Print one sample."""
    asked = answers.Transcript(
        log=given.log, sample=given.sample, epoch=given.epoch, view=given.view, as_of=given.as_of
    )
    if given.format != "table":
        return _print(given, asked, None)
    told: dict[str, Any] = msgspec.json.decode(ask(given, asked).data)
    log, sample = told["log"], told["sample"]
    place = " ".join(str(log[name]) for name in ("run", "step", "eval") if log[name] is not None)
    out.print(f"{place}  sample {sample['sample_key']}, epoch {sample['epoch']}  ({log['path']})")
    if told["views"]:
        others = [name for name in (TARGET_VIEW, *told["views"]) if name != given.view]
        out.print(f"As the {given.view} view has it (--view {' or '.join(others)} for another)")
    for message in told["messages"]:
        out.print(f"\n[{message['role']}]")
        for text in (message["reasoning"] and f"(reasoning) {message['reasoning']}", message["text"]):
            if text:
                out.print(text)
        for call in message["tool_calls"] or []:
            out.print(f"(tool call) {call.get('function')} {msgspec.json.encode(call.get('arguments')).decode()}")
    if sample["error"]:
        out.print(f"\nError: {sample['error']}")
    for score in told["scores"]:
        name = ".".join(filter(None, (score["scorer"], score["key"])))
        value = score["value_text"] if score["value_num"] is None else numerals.figures(score["value_num"])
        out.print(f"\n{name}: {value if value is not None else '–'}")
        if score["explanation"]:
            out.print(score["explanation"])
    return 0


def ask(given: argparse.Namespace, asked: answers.Asked) -> answers.Answer:
    """Have a question answered by whoever owns the store that options name (`path`, `store`).

    Raises:
        DriftlineError: There is no store, or what is asked for is not there.
    """
    try:
        with readable(given) as place:
            if isinstance(place, Owner):
                return msgspec.json.decode(hand_over(place, "ask", msgspec.to_builtins(asked)), type=answers.Answer)
            return answers.answer(place, asked)
    except DriftlineError as error:
        hint = next((told for begun, told in HINTS.items() if str(error).startswith(begun)), None)
        if hint is None:
            raise
        raise DriftlineError(f"{error} {hint}") from error


def _print(given: argparse.Namespace, asked: answers.Asked, columns: tuple[str, ...] | None) -> int:
    asked.as_of = given.as_of
    asked.encoding = "json" if given.format == "table" else given.format
    if given.format == "parquet" and not given.out and sys.stdout.isatty():
        raise DriftlineError("Parquet is no text: name a file with --out FILE.")
    found = ask(given, asked)
    if given.format == "table":
        rows = msgspec.json.decode(found.data)
        _print_table(rows, columns)
    elif given.out:
        write_file(Path(given.out).expanduser(), found.data)
    elif given.format == "parquet":
        sys.stdout.buffer.write(found.data)
    else:
        sys.stdout.write(found.data.decode())
        if given.format == "json":
            print()
    for note in found.notes:
        err.print(note)
    if found.more:
        err.print(f"The first {numerals.plural(found.rows, 'row')}; there are more (--limit N).")
    return 0


def _print_table(rows: list[dict[str, Any]], columns: tuple[str, ...] | None) -> None:
    if not rows:
        out.print("Nothing found.")
        return
    shown = [
        {name: _short(value) for name, value in row.items()}
        | ({"step": row["step_label"]} if row.get("step") is None and row.get("step_label") else {})
        for row in rows
    ]
    out.print(table(shown, columns or list(rows[0])))


def _short(value: Any) -> Any:
    if not isinstance(value, str | list | dict):
        return value
    text = " ".join((value if isinstance(value, str) else msgspec.json.encode(value).decode()).split())
    return text if len(text) <= WIDE else f"{text[: WIDE - 1]}…"
