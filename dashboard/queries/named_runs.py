"""Which runs an address tells of: who may not see one of them must not see what the address stands in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import duckdb

from loaders.store.sql import records

NAMING = ("run", "checkpoint", "baseline", "against", "pair", "point", "model", "color")
"""Parameters in which the name of a run may stand, alone or within something longer: `advice@160`."""

EVERY_RUN = "SELECT run FROM seen_run_names() ORDER BY run"
HIDDEN_NAMES = "SELECT name FROM hidden_names() ORDER BY name"
OF_LOGS = """
SELECT DISTINCT p.run FROM seen_placements() p JOIN seen_evals() e USING (eval_id)
WHERE p.run IS NOT NULL AND e.eval_key IN (SELECT unnest($logs::VARCHAR[]))
"""
OF_PROBES = """
SELECT DISTINCT run FROM seen_probe_columns()
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
    named = {row["run"] for row in records(con, EVERY_RUN) if any(mentions(text, row["run"]) for text in texts)}
    named |= {value for value in address.get("run", []) if value}
    logs = [*address.get("log", []), *address.get("in_log", [])]
    named |= {row["run"] for row in records(con, OF_LOGS, {"logs": logs})}
    named |= {row["run"] for row in records(con, OF_PROBES, {"probes": [*address.get("probe", [])]})}
    return sorted(named)


def hidden_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """What the runs are called that a cursor may not see; none where it sees everything."""
    return [str(row["name"]) for row in records(con, HIDDEN_NAMES)]


def without(address: Mapping[str, Sequence[str]], names: Sequence[str]) -> dict[str, list[str]]:
    """An address without the values that tell of some runs.

    Args:
        address: Query parameters of a page.
        names: What the runs are called.
    """
    kept = {
        name: [value for value in values if not any(mentions(value, run) for run in names)]
        for name, values in address.items()
    }
    return {name: values for name, values in kept.items() if values}


def mentions(text: str, run: str) -> bool:
    """Whether a text holds the name of a run as a word of its own: `a` in `a@160`, but not in `a-2`."""
    return re.search(rf"(?<![\w-]){re.escape(run)}(?![\w-])", text) is not None
