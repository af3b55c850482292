"""Which runs an address tells of: who may not see one of them must not see what the address stands in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import duckdb

from dashboard.queries.sql import records

NAMING = ("run", "checkpoint", "baseline", "against", "pair", "point", "model")
"""Parameters in which the name of a run may stand, alone or within something longer: `advice@160`."""

EVERY_RUN = """
SELECT run FROM (SELECT run FROM placements UNION SELECT run FROM runs UNION SELECT run FROM checkpoints
                 UNION SELECT run FROM probe_columns)
WHERE run IS NOT NULL AND ($hidden_only IS FALSE OR is_hidden(run)) ORDER BY run
"""
OF_LOGS = """
SELECT DISTINCT p.run FROM placements p JOIN evals e USING (eval_id)
WHERE p.run IS NOT NULL AND e.eval_key IN (SELECT unnest($logs::VARCHAR[]))
"""
OF_PROBES = """
SELECT DISTINCT run FROM probe_columns
WHERE run IS NOT NULL AND probe_id IN (SELECT unnest($probes::VARCHAR[]))
"""


def runs_named(con: duckdb.DuckDBPyConnection, address: Mapping[str, Sequence[str]]) -> list[str]:
    """All the runs that an address tells of: named, of a log that is named, or asked in a probe that is named.

    Args:
        con: A cursor that sees everything.
        address: Query parameters of a page.

    Returns:
        Names of runs, sorted. What stands in `run=` is one, also where the store has none of that name.
    """
    texts = [value for name in NAMING for value in address.get(name, []) if value]
    named = {run for run in _every(con, hidden_only=False) if any(mentions(text, run) for text in texts)}
    named |= {value for value in address.get("run", []) if value}
    logs = [*address.get("log", []), *address.get("in_log", [])]
    named |= {row["run"] for row in records(con, OF_LOGS, {"logs": logs})}
    named |= {row["run"] for row in records(con, OF_PROBES, {"probes": [*address.get("probe", [])]})}
    return sorted(named)


def without_hidden(con: duckdb.DuckDBPyConnection, address: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """An address without the values that tell of runs which a cursor may not see.

    Args:
        con: A cursor, with what it may not see.
        address: Query parameters of a page.
    """
    hidden = _every(con, hidden_only=True)
    kept = {
        name: [v for v in values if name not in NAMING or not any(mentions(v, run) for run in hidden)]
        for name, values in address.items()
    }
    return {name: values for name, values in kept.items() if values}


def mentions(text: str, run: str) -> bool:
    """Whether a text holds the name of a run as a word of its own: `a` in `a@160`, but not in `a-2`."""
    return re.search(rf"(?<![\w-]){re.escape(run)}(?![\w-])", text) is not None


def _every(con: duckdb.DuckDBPyConnection, *, hidden_only: bool) -> list[str]:
    return [str(row["run"]) for row in records(con, EVERY_RUN, {"hidden_only": hidden_only})]
