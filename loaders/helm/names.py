"""What HELM's files are called, and what it calls the instances that it keeps apart: splits and perturbations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from loaders.audits.conversation import text_of

RUN_SPEC, SCENARIO, STATE = "run_spec.json", "scenario.json", "scenario_state.json"
STATS, PER_INSTANCE = "stats.json", "per_instance_stats.json"
BESIDE = (PER_INSTANCE, SCENARIO, STATE, STATS)

PERTURBED = "perturbed"
"""What a number is computed on where it is of perturbed instances; else of their originals, or the worst of both."""
NO_PARAMETER = frozenset({"name", "robustness", "fairness", "computed_on"})
OF_MODEL = ("model=", "model_deployment=")


class Context(NamedTuple):
    """Instances that HELM never pools with others."""

    split: str | None = None
    sub_split: str | None = None
    perturbation: str | None = None


def context_of(named: Mapping[str, Any]) -> Context:
    """The context of an instance, or of a statistic by its name."""
    return Context(
        text_of(named.get("split")), text_of(named.get("sub_split")), perturbation(named.get("perturbation"))
    )


def perturbation(value: Any) -> str | None:
    """What a perturbation is called, with its parameters: `misspelling(prob=0.1)`; None for none."""
    if not isinstance(value, Mapping) or not value:
        return None
    given = sorted(f"{key}={one}" for key, one in value.items() if key not in NO_PARAMETER and one is not None)
    name = text_of(value.get("name")) or "perturbation"
    return f"{name}({','.join(given)})" if given else name


def computed_on(value: Any) -> str | None:
    """Of a derived statistic, what it is computed on besides perturbed instances: `worst`, `original`."""
    told = text_of(value.get("computed_on")) if isinstance(value, Mapping) else None
    return None if told == PERTURBED else told


def task_name(run: str, context: Context) -> str:
    """What an eval is called: the run without its model, and what it is of."""
    scenario, _, arguments = run.partition(":")
    kept = [one for one in arguments.split(",") if one and not one.startswith(OF_MODEL)]
    kept += [f"{field}={told}" for field, told in context._asdict().items() if told]
    return ":".join(part for part in (scenario, ",".join(kept)) if part)
