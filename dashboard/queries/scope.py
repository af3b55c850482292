"""Which evals there are, and what some names of evals and groups mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from dashboard.queries.known_logs import known_logs
from loaders.metrics.definitions import Group, Metric, Study

DEFAULT = "default"
"""Name of a group's metric where its members have different defaults."""


@dataclass(frozen=True)
class Scope:
    """What some names of evals and groups mean.

    Attributes:
        study: The study in force.
        logs: Of the evals and of the groups' members, with their variants (`dashboard.queries.known_logs`): everybody's
            rows, which nobody changes.
        shown: The evals that are asked for themselves.
        groups: The groups that are asked for.
        applicable: Eval name -> metrics, the default first; empty where an eval has nothing to measure.
    """

    study: Study
    logs: list[dict[str, Any]]
    shown: list[str]
    groups: list[Group]
    applicable: dict[str, list[Metric]]
    measured: dict[str, int] = field(default_factory=dict)
    """Eval name -> how many of its logs hold what its default metric is made of."""

    def members(self, group: Group) -> list[tuple[str, Metric]]:
        """The evals of a group that there are, each with the metric that is averaged."""
        pairs = []
        for name in group.members(list(self.applicable)):
            metrics = self.applicable[name]
            of = [m for m in metrics if m.name == group.metric] if group.metric else metrics
            pairs += [(name, metric) for metric in of[:1]]
        return pairs

    def group_metric(self, group: Group) -> str:
        """Name of a group's metric: its own, or the one default of its members."""
        names = {metric.name for _, metric in self.members(group)}
        return group.metric or (names.pop() if len(names) == 1 else DEFAULT)


def scope_of(con: duckdb.DuckDBPyConnection, evals: Sequence[str], as_of: int, splits: Sequence[str] = ()) -> Scope:
    """Read what is needed to speak of some evals and groups; of all of them where none is named.

    Args:
        con: A cursor of this thread.
        evals: Names of evals and groups. A name that nothing bears is nothing.
        as_of: Batch.
        splits: Fields by which samples are split: logs that differ in one of them are no variants.
    """
    known = known_logs(con, as_of)
    study = known.study(con)
    groups = [group for group in study.groups if not evals or group.name in evals]
    needed = set(evals)
    if evals and groups:
        names = known.names(con)
        needed.update(name for group in groups for name in group.members(names))
    logs = known.with_variants(con, needed if evals else None, splits)
    names = list(dict.fromkeys(log["eval"] for log in logs))
    shown = [name for name in names if not evals or name in evals]
    measures = known.measures(con, names)
    applicable = {name: metrics for name, (metrics, _) in measures.items()}
    measured = {name: logs for name, (_, logs) in measures.items()}
    return Scope(study, logs, shown, groups, applicable, measured)
