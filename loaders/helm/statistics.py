"""HELM's statistics: what it reports for each split and perturbation, and what each instance came to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from loaders.audits.conversation import objects_of, text_of
from loaders.helm.names import Context, computed_on, context_of
from loaders.lm_eval.settings import as_dict, number, whole
from loaders.records import ReportedMetric
from loaders.shares import counted

INSTANCES = "num_instances"
BOOKKEEPING = re.compile(
    r"num_.*|batch_size|.*_runtime|training_.*_cost|finish_reason_.*|prompt_truncated|predicted_index|estimated_num_.*"
)
"""Statistics of the request, not of the reply: no scores."""


@dataclass
class Reports:
    """What HELM reports for one context: its metrics, and how many instances there are in it."""

    metrics: list[ReportedMetric] = field(default_factory=list)
    instances: int | None = None


def reports_by_context(stats: Any, counts: Mapping[tuple[Context, str], int]) -> dict[Context, Reports]:
    """What `stats.json` reports; what is derived from perturbed instances and others stands with the unperturbed.

    HELM's means are over trials of the mean over instances, and its standard deviations are over trials: there are no
    standard errors. Perplexity and the like are reported only, since they are no mean over instances.

    Args:
        stats: The file, decoded.
        counts: How many instances a statistic has a number for, as `counts_of` gives it; n is known by these alone.
    """
    found: dict[Context, Reports] = {}
    for stat in stats if isinstance(stats, list) else ():
        name = as_dict(stat, "name")
        metric = text_of(name.get("name"))
        if metric is None:
            continue
        context, derived = context_of(name), computed_on(name.get("perturbation"))
        value = mean(stat)
        if derived is not None:
            key, context = f"{derived}: {context.perturbation}", context._replace(perturbation=None)
            found.setdefault(context, Reports()).metrics.append(ReportedMetric(metric, value, key=key))
            continue
        reports = found.setdefault(context, Reports())
        if metric == INSTANCES:
            reports.instances = whole(value)
        n = counts.get((context, metric))
        reports.metrics.append(ReportedMetric(metric, value, n=n, k=counted(metric, value, n, None)))
    return found


def counts_of(per_instance: Any) -> dict[tuple[Context, str], int]:
    """How many instances of each context each statistic has a number for."""
    entries = per_instance if isinstance(per_instance, list) else []
    each = (one for entry in entries for one in values(entry))
    return Counter((context, metric) for context, metric, value in each if value is not None)


def values(entry: Any) -> Iterator[tuple[Context, str, float | None]]:
    """The statistics of one instance: context, name, and mean; None where nothing was counted."""
    for stat in objects_of(entry, "stats"):
        name = as_dict(stat, "name")
        if (metric := text_of(name.get("name"))) is not None:
            yield context_of(name), metric, mean(stat)


def mean(stat: Mapping[str, Any]) -> float | None:
    """The mean of a statistic; None where it counts nothing, or is no finite number."""
    count, total, told = number(stat.get("count")), number(stat.get("sum")), number(stat.get("mean"))
    if count is not None and count <= 0:
        return None
    if told is not None or total is None or count is None:
        return told
    return number(total / count)
