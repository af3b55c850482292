"""Groups: the average of several evals of one checkpoint, with the interval of an average and its gaps named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from dashboard.queries.flags import combination_of
from dashboard.queries.standing import checkpoint_of
from dashboard.statistics import average_interval
from loaders.metrics.definitions import Group, Study

Row = dict[str, Any]


def group_rows(group: Group, metric: str, study: Study, rows: Sequence[Row]) -> list[Row]:
    """One row for every checkpoint, and combination of split values, at which a member was measured.

    Args:
        group: The group.
        metric: Name of its metric.
        study: For titles.
        rows: Rows of the members, one metric each, with repeats numbered; repeats are not averaged.
    """
    checkpoints: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if row["repeat"] == 0:
            stepless = row["step"] is None and row["step_label"] is None
            # A run without steps is one checkpoint, as long as each member has been measured once.
            key = (row["run"], row["variant"]) if stepless else checkpoint_of(row)
            checkpoints[(*key, *combination_of(row))].append(row)
    found = sorted({row["eval"] for row in rows})
    expected = [name for name in group.evals if name not in found and not is_glob(name)] + found
    # What is averaged is told by all checkpoints together: one that lacks the first member is not of another kind.
    measured = sorted((row for row in rows if row.get("rate") is not None), key=lambda row: expected.index(row["eval"]))
    usual = measured[0] if measured else None
    return [_average(group, study, metric, expected, members, usual) for members in checkpoints.values()]


def _average(
    group: Group, study: Study, metric: str, expected: Sequence[str], rows: Sequence[Row], usual: Row | None
) -> Row:
    first = rows[0]
    twice = [name for name, count in Counter(row["eval"] for row in rows).items() if count > 1]
    known = [row for row in rows if row.get("rate") is not None and not twice]
    alike = [row for row in known if usual and all(row[name] == usual[name] for name in ("kind", "unit", "better"))]
    row: Row = {name: first[name] for name in SHARED} | {
        "eval": group.name,
        "metric": metric,
        "kind": first["kind"],
        "group": True,
        "better": first["better"],
        "unit": first["unit"],
        "definition": f"mean of {group.title}: "
        + _definitions([(study.title(r["eval"]), f"{r['metric']}: {r['definition']}") for r in alike]),
        "repeat": 0,
        "flags": [],
        "disagrees": any(r["disagrees"] for r in alike),
        "complete": all(r["complete"] for r in alike),
        "status": _only(alike, "status"),
        "judge": _only(alike, "judge"),
        "model": _only(alike, "model"),
        "epochs": _only(alike, "epochs"),
        "created": max((r["created"] for r in alike if r["created"]), default=None),
    }
    for name in ("n", "n_missing", "n_all", "clusters"):
        values = [r.get(name) for r in alike]
        row[name] = None if not values or None in values else sum(values)
    # The k of n of several evals is another number than the mean of their rates.
    row["k"] = alike[0].get("k") if len(alike) == 1 else None
    averaged = {r["eval"] for r in alike}
    unlike = [r["eval"] for r in known if r["eval"] not in averaged]
    missing = [name for name in expected if name not in averaged and name not in unlike]
    row |= {"averaged": len(alike), "lacks": missing}
    if twice:
        row["flags"].append(f"No mean: {', '.join(twice)} was measured more than once, at unknown steps")
    else:
        if unlike:
            row["flags"].append(f"Left out (other kind or direction): {', '.join(unlike)}")
        if missing:
            row["flags"].append(f"Missing from the mean: {', '.join(missing)}")
    if not alike:
        return row
    bounds = [np.array([r.get(name, np.nan) for r in alike], dtype=np.float64) for name in ("rate", "low", "high")]
    average, low, high = average_interval(*bounds)
    stderr = np.array([r.get("stderr", np.nan) for r in alike], dtype=np.float64)
    row |= {"kind": alike[0]["kind"], "better": alike[0]["better"], "unit": alike[0]["unit"]}
    row |= {"rate": float(average), "low": float(low), "high": float(high)}
    row["stderr"] = float(np.sqrt(np.sum(stderr**2)) / len(alike))
    if not np.isnan(low):
        many = f"{len(alike)} of {len(alike) + len(missing)}" if missing else len(alike)
        row["interval"] = f"mean of {many} evals (variances added)" if len(alike) > 1 else alike[0]["interval"]
    for member in alike:
        row["flags"] += [f"{member['eval']}: {flag}" for flag in member["flags"]]
    return row


SHARED = (
    "run", "mix", "stage", "step", "tokens", "step_label", "variant", "split", "split2", "run_label", "colour",
    "placed", "lineage_step", "run_position",
)  # fmt: skip
"""What all evals of one checkpoint have in common."""


def _only(rows: Sequence[Row], name: str) -> Any:
    values = {row[name] for row in rows}
    return values.pop() if len(values) == 1 else None


def expected_members(group: Group, found: Sequence[str]) -> list[str]:
    """The members that an average should have: those that the group names, in its order, and all that were found.

    Args:
        group: The group.
        found: Names of evals.
    """
    return list(dict.fromkeys([name for name in group.evals if not is_glob(name)] + list(found)))


def is_glob(name: str) -> bool:
    """Whether a member stands for every eval whose name matches it."""
    return any(c in name for c in "*?[")


def _definitions(members: list[tuple[str, str]]) -> str:
    """Each member with what counts in it; said once where it is the same in all."""
    if len({text for _, text in members}) == 1 < len(members):
        return f"{', '.join(name for name, _ in members)} (each {members[0][1]})"
    return "; ".join(f"{name} ({text})" for name, text in members)
