"""Who graded, and who was graded, where the log names them."""

from __future__ import annotations

from typing import Any

from loaders.inspect.documents import ResultDoc, ScorerDoc

JUDGE_ROLES = ("grader", "judge", "scorer", "classifier", "critic")
"""Model roles that grade. Other roles (auditor, target, user, monitor) take part in the conversation."""

JUDGE_OPTIONS = (
    "model", "models", "grader", "grader_model", "judge", "judge_model", "judge_llm", "scorer_model",
    "classifier_model", "critic_model",
)  # fmt: skip
"""Scorer options that name a model."""

JUDGE_TASK_ARGS = tuple(option for option in JUDGE_OPTIONS if option not in ("model", "models"))
"""Task arguments that name a grading model; `model` alone would be the one evaluated."""

PLACEHOLDERS = ("none/none", "none", "")
"""`eval.model` where the evaluated model is only a role."""


def model_names(config: Any) -> list[str]:
    """The names in a model role or option: a name, a config with `model`, or a list of these."""
    if isinstance(config, str):
        return [config] if config else []
    if isinstance(config, dict):
        return model_names(config.get("model") or config.get("name"))
    if isinstance(config, list):
        return [name for item in config for name in model_names(item)]
    return []


def judge(
    roles: dict[str, Any], scorers: list[ScorerDoc], results: list[ResultDoc], task_args: dict[str, Any]
) -> str | None:
    """The grading model, from the first of roles, scorer options and task arguments that names any.

    Several are joined by ", ".
    """
    sources = [
        [roles.get(role) for role in JUDGE_ROLES],
        [_option(options, name) for options in _options(scorers, results) for name in JUDGE_OPTIONS],
        [task_args.get(name) for name in JUDGE_TASK_ARGS],
    ]
    for source in sources:
        names = [name for config in source for name in model_names(config)]
        if names:
            return ", ".join(dict.fromkeys(names))
    return None


def target_model(model: str | None, roles: dict[str, Any]) -> str | None:
    """The evaluated model where a role names it (Petri), and `eval.model` is a placeholder or only stands by."""
    if model is not None and model not in PLACEHOLDERS and "auditor" not in roles:
        return None
    return ", ".join(dict.fromkeys(model_names(roles.get("target")))) or None


def _options(scorers: list[ScorerDoc], results: list[ResultDoc]) -> list[Any]:
    """Scorers' options as the spec has them, else (before 2025) as the results repeat them."""
    return [scorer.options for scorer in scorers] or [result.params for result in results]


def _option(options: Any, name: str) -> Any:
    return options.get(name) if isinstance(options, dict) else None
