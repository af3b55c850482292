"""The report of an ingest, as lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from dashboard import numerals
from dashboard.console.printing import out
from loaders.report import SPOKEN, FileLine, IngestReport

EVALS_NAMED = 3
"""Of the evals in one file, so many are named in a report."""

CONFLICTS_NAMED = 20
"""So many kinds of conflicts are printed; the others are counted."""


def print_report(report: IngestReport, brief: bool = False) -> None:
    """Print a report; what is brief tells only of what went wrong."""
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
        out.print(f"conflict  and {len(causes) - CONFLICTS_NAMED} more, see the Data page")
    if brief and causes:
        out.print(f"{len(causes)} {'conflict' if len(causes) == 1 else 'conflicts'}: see the Data page.")
    out.print(f"{report.summary()} ({numerals.seconds(report.seconds, 1)})", markup=False)


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
    return numerals.plural(count, word)
