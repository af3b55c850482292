"""The metrics that come with Driftline: built-in definitions, and those that are made for scores without one."""

from __future__ import annotations

from itertools import groupby

from dashboard.docs.markdown import code, escaped, table
from loaders.metrics.definitions import automatic_grade, automatic_number, automatic_reported
from loaders.study.definitions import rule_text
from loaders.study.reading import builtin_study

AUTOMATIC = (
    automatic_number("SCORER", "KEY", yes_or_no=True),
    automatic_number("SCORER", "KEY", yes_or_no=False),
    automatic_grade("SCORER", "KEY", partial=False),
    automatic_grade("SCORER", "KEY", partial=True),
    automatic_reported("METRIC", "SCORER", "KEY"),
)
"""One of each kind."""


def builtin_text() -> str:
    """The built-in evals, and a table of metrics for each set of evals that they are for."""
    study = builtin_study()
    rows = [
        (
            code(item.name),
            escaped(item.title or item.name),
            code(item.task),
            ", ".join(code(f"{field} = {_value(value)}") for field, value in item.where.items()),
        )
        for item in study.evals
    ]
    parts = ["## Evals", table(("Eval", "Title", "Task", "Where"), rows), "## Metrics"]
    for evals, metrics in groupby(study.metrics, key=lambda metric: metric.evals):
        parts.append(f"Of {', '.join(map(code, evals))}:")
        parts.append(
            table(
                ("Metric", "Title", "Definition", "Kind", "Better"),
                [(code(m.name), escaped(m.title), code(rule_text(m)), m.kind, m.better) for m in metrics],
            )
        )
    return "\n\n".join(parts)


def automatic_text() -> str:
    """A table of the metrics that are made for scores and reported numbers without a definition."""
    rows = [(code(m.name), code(m.text), m.kind, m.better or "not defined") for m in AUTOMATIC]
    return table(("Metric", "Definition", "Kind", "Better"), rows)


def _value(value: object) -> str:
    if isinstance(value, list):
        return " or ".join(map(_value, value))
    return "none" if value is None else str(value)
