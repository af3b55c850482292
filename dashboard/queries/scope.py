"""Which evals there are, and what some names of evals and groups mean."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from dashboard.queries.standing import with_variants
from loaders.metrics.applicable import contents_of, logs_with, metrics_of
from loaders.metrics.definitions import Group, Metric, Study, read_study
from loaders.store.sql import records

EVALS = """
SELECT eval_id, eval_key, coalesce(eval, task) AS eval, variant, run, step, step_label, tokens, mix, stage,
       coalesce(placed, false) AS placed, run_label, colour, run_position, lineage_offset + step AS lineage_step,
       path, created, status, complete, task, task_version, judge, epochs,
       coalesce(target_model, model) AS model, coalesce(n_samples, 0) AS n_samples,
       generate_config_json, dataset_json, lead_id, role, standing, partial, graded, planned, settings,
       coalesce(json_extract_string(config_json, '$.score_on_error') = 'true', false) AS score_on_error
FROM live_evals($as_of)
WHERE $names::VARCHAR[] IS NULL OR coalesce(eval, task) IN (SELECT unnest($names::VARCHAR[]))
ORDER BY run_position, run, eval, step, eval_id
"""

NAMES = "SELECT DISTINCT coalesce(eval, task) FROM live_evals($as_of)"

DEFAULT = "default"
"""Name of a group's metric where its members have different defaults."""


@dataclass(frozen=True)
class Scope:
    """What some names of evals and groups mean.

    Attributes:
        study: The study in force.
        logs: Rows of `live_evals` of the evals and of the groups' members, with their variants
            (`dashboard.queries.standing`).
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


def live_evals(
    con: duckdb.DuckDBPyConnection, as_of: int, names: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """Every log as of a batch, with its place and settings: the columns of `EVALS`.

    Args:
        con: A cursor of this thread.
        as_of: Batch.
        names: Of the evals that are wanted; None for all.
    """
    return records(con, EVALS, {"as_of": as_of, "names": None if names is None else list(names)})


def scope_of(con: duckdb.DuckDBPyConnection, evals: Sequence[str], as_of: int, splits: Sequence[str] = ()) -> Scope:
    """Read what is needed to speak of some evals and groups; of all of them where none is named.

    Args:
        con: A cursor of this thread.
        evals: Names of evals and groups. A name that nothing bears is nothing.
        as_of: Batch.
        splits: Fields by which samples are split: logs that differ in one of them are no variants.
    """
    study = read_study(con, as_of)
    groups = [group for group in study.groups if not evals or group.name in evals]
    needed = set(evals)
    if evals and groups:
        names = [row[0] for row in con.execute(NAMES, {"as_of": as_of}).fetchall()]
        needed.update(name for group in groups for name in group.members(names))
    logs = with_variants(live_evals(con, as_of, needed if evals else None), splits)
    shown = [name for name in dict.fromkeys(log["eval"] for log in logs) if not evals or name in evals]
    # What applies is told by every log of an eval's name, not only by those that a filter leaves.
    contents = contents_of(con, logs, as_of)
    applicable = {name: metrics_of(study, name, held) for name, held in contents.items()}
    measured = {name: logs_with(metrics[0], contents[name]) if metrics else 0 for name, metrics in applicable.items()}
    return Scope(study, logs, shown, groups, applicable, measured)
