"""`driftline map`."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

import msgspec

from dashboard import numerals
from dashboard.console.printing import err, out, table
from dashboard.placing.preview import RATE_COLUMNS, Preview, preview
from dashboard.placing.target import Target, target_above
from loaders.errors import DriftlineError
from loaders.proposals.tables import KINDS, Proposal, entries_of, propose
from loaders.study.editing import added_text, edit, write
from loaders.tabular.glance import Glance, glance
from loaders.tabular.rows import SUFFIXES, is_table

FIRST = 5


def map(given: argparse.Namespace) -> int:
    """Propose a mapping for tables, and show what it gives; write it where that is said."""
    files = [Path(file).expanduser() for file in given.files]
    for file in files:
        if file.is_dir():
            raise DriftlineError(f"{file} is a folder: name tables in it, such as {shlex.quote(str(file))}/*.csv.")
        if not file.is_file():
            raise DriftlineError(f"{file}: no such file.")
        if not is_table(file):
            raise DriftlineError(f"{file} is no table: {', '.join(sorted(SUFFIXES))} are read.")
    files = [file.resolve() for file in files]
    target = _target(given, files)
    tables = {file.relative_to(target.root).as_posix(): glance(file) for file in files}
    (path, found), *_ = tables.items()
    if not found.columns:
        raise DriftlineError(f"{files[0]}: {found.problem or 'it has no columns'}.")
    proposal = _with(propose(path, found, {name: each.columns for name, each in tables.items()}, target.folders), given)
    entries = entries_of(proposal.mapping, proposal.metrics)
    change = edit(target.file, entries)
    out.print(f"{KINDS[proposal.kind]}: {path}")
    for note in proposal.notes:
        out.print(f"  {note}")
    _print_rows(found)
    out.print(f"\nFor {target.file}:\n")
    out.print(added_text(entries))
    tried = preview(target, list(tables), entries)
    _print_rates(tried, proposal)
    if tried.problems or not tried.rates:
        return 1
    if not given.write:
        out.print(f"Add --write to write it to {target.file}.")
        return 0
    write(change)
    out.print(f"Written to {target.file}. Next: driftline view {shlex.quote(str(target.root))}", soft_wrap=True)
    return 0


def _target(given: argparse.Namespace, files: list[Path]) -> Target:
    if given.study is None:
        return target_above(files)
    study = Path(given.study).expanduser().resolve()
    root = study.parent
    outside = next((file for file in files if not file.is_relative_to(root)), None)
    if outside is not None:
        raise DriftlineError(f"{outside} lies outside of {root}: a study file speaks of what is in its folder.")
    return Target(root, "study.yaml", study)


def _with(proposal: Proposal, given: argparse.Namespace) -> Proposal:
    """The proposal with what the options say."""
    said = {name: getattr(given, name) for name in ("run", "eval", "mix", "stage") if getattr(given, name) is not None}
    if given.step is not None:
        said["step"] = int(given.step) if given.step.isdecimal() else given.step
    proposal.mapping = msgspec.structs.replace(proposal.mapping, **said)
    if given.eval is not None:
        proposal.metrics = [metric | {"evals": [given.eval]} for metric in proposal.metrics]
    return proposal


def _print_rows(found: Glance) -> None:
    out.print("\nFirst rows:")
    rows = [{name: _short(row.get(name)) for name in found.columns} for row in found.rows[:FIRST]]
    out.print(table(rows, list(found.columns)))


def _short(cell: object) -> str:
    text = "" if cell is None else " ".join(str(cell).split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _print_rates(tried: Preview, proposal: Proposal) -> None:
    for problem in tried.problems:
        err.print(f"driftline: {problem}")
    for note in tried.notes:
        out.print(f"note  {note}")
    if not tried.rates:
        err.print(f"driftline: no rates: {_why_none(proposal)}")
        return
    out.print(f"Rates ({numerals.plural(tried.read, 'file')} read):")
    out.print(table(tried.rates, list(RATE_COLUMNS), RATE_COLUMNS))
    if tried.left_out:
        out.print(f"{numerals.plural(tried.left_out, 'more file')} too large for a preview.")
    if tried.unplaced:
        out.print(f"{numerals.plural(tried.unplaced, 'eval')} without a run or step: give --run and --step.")


def _why_none(proposal: Proposal) -> str:
    """What is missing from an entry that gives no rates."""
    if not proposal.mapping.scores and not proposal.mapping.reported:
        return "no column is read as a score. Name it under `scores:` in the entry, and write that to study.yaml."
    held = "; ".join(f"{name}: {', '.join(values)}" for name, values in proposal.verdicts.items())
    if held:
        return f"a score holds words ({held}). Add a metric to study.yaml that says which of them is misaligned."
    return "no row has a score."
