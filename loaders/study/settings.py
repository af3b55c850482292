"""How an eval was measured, apart from the checkpoint: what makes two logs of one eval the same measurement or not.

Few-shot examples, chat template and system prompt have one name each, wherever a log states them. What only says where
a server is, how often it is tried, or which weights are evaluated is no setting.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from loaders.inspect.judge import JUDGE_OPTIONS, model_names
from loaders.study.keys import (
    ADAPTER_KEYS,
    CHECKPOINT_KEYS,
    MIX_KEYS,
    NESTED_KEYS,
    RUN_KEYS,
    STAGE_KEYS,
    STEP_KEYS,
    VARIANT_KEYS,
)

FEW_SHOT, CHAT_TEMPLATE, SYSTEM_PROMPT, SOLVER = "few-shot", "chat template", "system prompt", "solver"
FORMING = (FEW_SHOT, CHAT_TEMPLATE, SYSTEM_PROMPT, SOLVER)
"""Settings that form the prompt: two logs of one run that differ in them never share a line, whatever their steps."""

JUDGE, SCORER, TASK_VERSION, DATASET = "judge", "scorer", "task version", "dataset"
TASK_ARGS = "task_args."
"""Begins the settings that are arguments of the task, and the fields by which samples are split by them."""

AUDITORS = ("auditor",)
"""Model roles that ask instead of a dataset (Petri), called as the argument that names them in older audits."""

RESCORED = (JUDGE, SCORER, TASK_VERSION, DATASET)
"""Settings that may differ between logs of one evaluation: scored afresh by newer code, on another machine."""

NAMES = {
    **dict.fromkeys(
        ("num_fewshot", "n_shot", "n_shots", "num_shots", "nshot", "shots", "k_shot", "few_shot", "fewshot",
         "num_few_shot", "n_fewshot", "n_few_shot"), FEW_SHOT),
    **dict.fromkeys(("chat_template", "apply_chat_template", "chat_template_sha"), CHAT_TEMPLATE),
    **dict.fromkeys(
        ("system_prompt", "system_message", "system_instruction", "system_instruction_sha"), SYSTEM_PROMPT),
}  # fmt: skip
"""Keys of settings that have a name of their own; compared in lower case, with `_` for `-`."""

NOT_SAMPLING = frozenset(
    {
        "adaptive_connections", "attempt_timeout", "batch", "cache", "cache_prompt", "max_connections",
        "max_retries", "max_tool_output", "modalities", "timeout", "extra_headers", "extra_query", "base_url",
        "api_key", "user", "service_tier",
    }
)  # fmt: skip
"""Settings of generation that don't change what a model says."""

NO_SETTING = (
    STEP_KEYS | CHECKPOINT_KEYS | RUN_KEYS | MIX_KEYS | STAGE_KEYS | VARIANT_KEYS | NESTED_KEYS | ADAPTER_KEYS
    | {
        "seed", "base_url", "api_key", "api_base", "host", "port", "url", "endpoint", "server", "model", "model_name",
        "max_retries", "max_connections", "timeout", "retries", "retry", "log_dir", "output_dir", "limit",
        "max_workers", "num_workers", "batch_size", "device", "cache_dir", "revision",
    }
)  # fmt: skip
"""Arguments that name weights, servers, patience or places."""

OF_MODEL_ARGS = frozenset(
    {
        "temperature", "top_p", "top_k", "max_tokens", "max_new_tokens", "do_sample", "dtype", "quantization",
        "load_in_4bit", "load_in_8bit", "enable_thinking", "think_end_token",
    }
) | NAMES.keys()  # fmt: skip
"""Arguments of a model that change what it says."""

OF_CONFIG = frozenset({"message_limit", "token_limit", "time_limit", "working_limit", "cost_limit", "gen_kwargs",
                       "fewshot_as_multiturn"}) | NAMES.keys()  # fmt: skip


USUAL = frozenset({("generate", "tool_calls=loop")})
"""What Inspect's own steps are given where nobody says otherwise; not every version writes it."""


class SettingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a log states of how it was measured; objects as decoded, of any type."""

    judge: str | None = None
    task_version: str | None = None
    task_args: Any = None
    config: Any = None
    generate_config: Any = None
    model_args: Any = None
    dataset: Any = None
    solver: Any = None
    scorers: Any = None
    model_roles: Any = None


def settings_of(facts: SettingFacts) -> dict[str, str]:
    """Each setting that a log states, by name, as text: two logs with equal settings were measured alike.

    Task args are called `task_args.NAME`, as where samples are split by them.
    """
    found: dict[str, Any] = {}
    for key, value in _items(facts.generate_config):
        # Another seed makes a repeat, not another measurement.
        if _key(key) not in NOT_SAMPLING | ADAPTER_KEYS | {"seed", "num_choices"}:
            found[NAMES.get(_key(key), key)] = _without_weights(value)
    for key, value in _items(facts.model_args):
        if _key(key) in OF_MODEL_ARGS:
            found[NAMES.get(_key(key), key)] = value
    for key, value in _items(facts.config):
        if _key(key) in OF_CONFIG:
            found[NAMES.get(_key(key), key.replace("_", " "))] = value
    system_prompts = [found.get(SYSTEM_PROMPT), *_system_messages(facts.solver)]
    found[SOLVER] = " > ".join(_other_steps(facts.solver))
    found[SCORER] = ", ".join(_with_options(facts.scorers))
    for key, value in _items(facts.task_args):
        if _key(key) not in NO_SETTING:
            found[NAMES.get(_key(key), f"{TASK_ARGS}{key}")] = value
    # Of several system prompts each is asked; an argument mostly repeats the solver's.
    system_prompts.append(found.get(SYSTEM_PROMPT))
    found[SYSTEM_PROMPT] = "\n".join(dict.fromkeys(text for each in system_prompts if (text := _text(each))))
    dataset = facts.dataset.get("name") if isinstance(facts.dataset, Mapping) else None
    for role in AUDITORS:
        # Another auditor makes another measurement; which weights play the other roles says no more than the model.
        names = model_names(facts.model_roles.get(role)) if isinstance(facts.model_roles, Mapping) else []
        found[f"{TASK_ARGS}{role}"] = ", ".join(names) or found.get(f"{TASK_ARGS}{role}")
    found |= {JUDGE: facts.judge, TASK_VERSION: facts.task_version, DATASET: dataset}
    if found.get(CHAT_TEMPLATE) is False:
        del found[CHAT_TEMPLATE]
    texts = {name: _text(value) for name, value in found.items()}
    return {name: text for name, text in texts.items() if text}


def setting_of(field: str) -> str:
    """The setting that a field is by which samples are split: few-shot of `task_args.num_fewshot`."""
    return NAMES.get(_key(field.removeprefix(TASK_ARGS)), field) if field.startswith(TASK_ARGS) else field


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    return iter(value.items()) if isinstance(value, Mapping) else iter(())


def _key(key: Any) -> str:
    return str(key).lower().replace("-", "_")


def _without_weights(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {key: item for key, item in value.items() if _key(key) not in ADAPTER_KEYS | NOT_SAMPLING} or None


def _steps(solver: Any) -> Iterator[tuple[str, Any]]:
    """The steps of a plan, each its name and what it was given."""
    steps = solver.get("steps") if isinstance(solver, Mapping) else None
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, Mapping) and isinstance(step.get("solver"), str):
            yield step["solver"].rpartition("/")[2], step.get("params")


def _system_messages(solver: Any) -> Iterator[str]:
    for name, params in _steps(solver):
        if name == "system_message":
            yield from (value for _, value in _items(params) if isinstance(value, str))


def _other_steps(solver: Any) -> Iterator[str]:
    """What is done with a question besides the system prompt: `chain_of_thought(template=...) > generate`."""
    for name, params in _steps(solver):
        if name != "system_message":
            given = _given(params)
            yield f"{name}({given})" if given and (name, given) not in USUAL else name


def _with_options(scorers: Any) -> Iterator[str]:
    """The scorers that were given more than a model, which is the judge: `model_graded_qa(template=...)`."""
    for scorer in scorers if isinstance(scorers, list) else ():
        if isinstance(scorer, Mapping):
            given = _given(scorer.get("options"), JUDGE_OPTIONS)
            if given:
                yield f"{scorer.get('name')}({given})"


def _given(params: Any, left_out: Collection[str] = ()) -> str:
    """Arguments of a solver or scorer, as text; without those that name weights, servers, patience or places."""
    told = {key: _text(value) for key, value in _items(params) if _key(key) not in NO_SETTING}
    return ", ".join(f"{key}={text}" for key, text in sorted(told.items()) if text and key not in left_out)


def _text(value: Any) -> str:
    """A value so that equal ones are equal texts: 0.0 is 0, keys of objects are in order."""
    if value is None or value == "" or value == {} or value == []:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return value if isinstance(value, str) else msgspec.json.encode(value, order="deterministic").decode()
