"""lighteval's `results_DATE.json`: one eval a task, with the metrics that it reports; its samples lie in Parquet files.

The layouts of all its versions are read: tasks are called `suite|task|shots|truncate`, `suite|task|shots` or
`task|shots`, and the model stands in `config_general`, in its `model_config`, or in a nanotron config.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from loaders.errors import RejectedFile
from loaders.json_text import clean, decode, json_text
from loaders.lm_eval import names
from loaders.lm_eval.reported import Odd, notes, reported_metrics
from loaders.lm_eval.settings import LONGEST, as_dict, digest, given, whole
from loaders.packed import read_plain, suffix_of
from loaders.records import EvalRecord, LoadedFile

FORMAT = "lighteval"
IDENTITY = "name"
CONFIG_SIGN = re.compile(rb'"config_general"\s*:\s*\{')
RESULTS_SIGN = re.compile(rb'"results"\s*:\s*\{\s*"[^"\\]+\|[0-9]+(?:\|[01])?"\s*:\s*\{')

ALL = "all"
"""The mean over all tasks, which is no eval."""
AVERAGE = ":_average"
"""Ends the name of a mean over the subsets of a task: `mmlu:_average`."""
NO_ARGUMENT = frozenset({"generation_parameters", "generation_config", "system_prompt"})
"""Fields of `model_config` that don't say which weights they are."""


class TaskName(NamedTuple):
    """A key of `results`, in its parts."""

    task: str
    suite: str | None
    shots: int | None


def matches(path: Path, head: bytes) -> bool:
    """Whether `read` is the one to read this file, by its first bytes."""
    return suffix_of(path.name) == ".json" and bool(CONFIG_SIGN.search(head) or RESULTS_SIGN.search(head))


def read(path: Path) -> LoadedFile:
    """Read a results file.

    Raises:
        RejectedFile: The file is broken; the reason says where.
    """
    try:
        document = decode(read_plain(path))
    except (OSError, ValueError) as error:
        raise RejectedFile(path, f"can't be read as JSON: {error}") from error
    results = as_dict(document, "results")
    if not results:
        raise RejectedFile(path, "there is no object `results` with tasks in it, which lighteval writes into each file")
    loaded = LoadedFile(FORMAT)
    common, odd = _common(document, path), list[Odd]()
    for key, metrics in results.items():
        if key == ALL:
            continue
        if not isinstance(metrics, dict):
            raise RejectedFile(path, f"`results.{key}` is no object of metrics")
        loaded.evals.append(_record(document, key, metrics, common, odd))
    if not loaded.evals:
        raise RejectedFile(path, "`results` holds only `all`, the mean of tasks, and none of the tasks themselves")
    loaded.notes += notes(odd)
    return loaded


def task_name(key: str) -> TaskName:
    """The parts of `suite|task|shots|truncate`, of which older and newer versions leave some out."""
    parts = key.split("|")
    if len(parts) >= 4 and parts[-1] in ("0", "1") and parts[-2].isdecimal():
        parts.pop()  # whether examples may be left out where the prompt gets too long
    shots = int(parts.pop()) if len(parts) > 1 and parts[-1].isdecimal() and len(parts[-1]) < 6 else None
    suite = parts.pop(0) if len(parts) > 1 else None
    return TaskName("|".join(parts), suite, shots)


def _record(
    document: dict[str, Any], key: str, metrics: dict[str, Any], common: dict[str, Any], odd: list[Odd]
) -> EvalRecord:
    name, config = task_name(key), as_dict(document, "config_general")
    own = _task_config(document, key, name)
    if name.shots is None:
        name = name._replace(shots=whole(own.get("num_fewshots")))
    average = name.task.endswith(AVERAGE)
    n = _documents(document, key, "effective_num_docs")
    version = as_dict(document, "versions").get(key, own.get("version"))
    arguments = {"num_fewshot": name.shots, "suite": name.suite}
    splits = own.get("evaluation_splits")
    dataset = {
        "path": own.get("hf_repo"),
        "name": own.get("hf_subset"),
        "split": ",".join(map(str, splits)) if isinstance(splits, list) else None,
    }
    metadata = {"group_subtasks": _members(document, key) or None} if average else {}
    return EvalRecord(
        clean(name.task),
        **common,
        task_version=None if version is None else str(version),
        n_samples_reported=n,
        n_planned=_documents(document, key, "original_num_docs"),
        task_args_json=_json(arguments),
        generate_config_json=_json(_generation(config)),
        dataset_json=_json(dataset),
        config_json=_json(_settings(config, name, own)),
        metadata_json=_json(metadata),
        reported=reported_metrics(metrics, n, odd, shares=not average, filters=False),
    )


def _common(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """Fields that all evals of a file share."""
    config = as_dict(document, "config_general")
    model_config = as_dict(config, "model_config")
    nanotron = as_dict(as_dict(config, "config"), "general")
    arguments = {key: value for key, value in model_config.items() if key not in NO_ARGUMENT}
    arguments |= {key: nanotron.get(key) for key in ("run", "step")}
    arguments |= {"dtype": arguments.get("dtype") or config.get("model_dtype"), "sha": config.get("model_sha")}
    named = (config.get("model_name"), *(arguments.get(key) for key in ("model_name", "pretrained", "model")))
    model = next((name for name in named if isinstance(name, str) and name), None)
    seconds = config.get("total_evaluation_time_secondes")
    return {
        "model": clean(model) if model else None,
        "created": names.created(path.name),
        "model_args_json": _json(arguments),
        "revision_json": _json({"type": "git", "commit": sha}) if (sha := _sha(config.get("lighteval_sha"))) else None,
        "stats_json": _json({"total_evaluation_time_seconds": seconds}),
    }


def _settings(config: dict[str, Any], name: TaskName, own: dict[str, Any]) -> dict[str, Any]:
    """The settings under the names that lm-evaluation-harness's have here too, and the task's own."""
    model_config = as_dict(config, "model_config")
    prompt = model_config.get("system_prompt") or config.get("system_prompt")
    template = model_config.get("override_chat_template", config.get("use_chat_template"))
    dtype = model_config.get("dtype") or config.get("model_dtype")
    return {
        "num_fewshot": name.shots,
        "limit": config.get("max_samples"),
        "chat_template": template,
        "system_prompt": (prompt if len(prompt) <= LONGEST else digest(prompt)) if isinstance(prompt, str) else None,
        "gen_kwargs": _generation(config) or None,
        "dtype": dtype.removeprefix("torch.") if isinstance(dtype, str) and dtype else None,
        "num_fewshot_seeds": config.get("num_fewshot_seeds"),
        "task_config": own or None,
    }


def _generation(config: dict[str, Any]) -> dict[str, Any]:
    """The settings of generation that were given; what is null is the server's own."""
    told = as_dict(config, "generation_parameters") or as_dict(as_dict(config, "model_config"), "generation_parameters")
    return {key: value for key, value in given(told).items() if value is not None}


def _task_config(document: dict[str, Any], key: str, name: TaskName) -> dict[str, Any]:
    configs = as_dict(document, "config_tasks")
    suited = f"{name.suite}|{name.task}"
    for known in (key, f"{suited}|{name.shots}", suited, f"{name.task}|{name.shots}", name.task):
        if isinstance(configs.get(known), dict):
            return as_dict(configs, known)
    return {}


def _documents(document: dict[str, Any], key: str, field: str) -> int | None:
    """How many documents a task has or asked; of an average, its members' in all; -1 is not known."""
    keys = _members(document, key) or [key]
    each = [whole(_task_config(document, one, task_name(one)).get(field)) for one in keys]
    return sum(one for one in each if one is not None) or None if None not in each else None


def _members(document: dict[str, Any], key: str) -> list[str]:
    """The keys of the subsets that a `TASK:_average` is the mean of."""
    mean = task_name(key)
    if not mean.task.endswith(AVERAGE):
        return []
    start = mean.task.removesuffix(AVERAGE) + ":"
    return [
        other
        for other in as_dict(document, "results")
        if other != key
        and (named := task_name(other)).task.startswith(start)
        and (named.suite, named.shots) == (mean.suite, mean.shots)
    ]


def _sha(value: Any) -> str | None:
    return value if isinstance(value, str) and value not in ("", "?") else None


def _json(value: dict[str, Any]) -> str | None:
    """JSON text of what is set; None where nothing is."""
    kept = {key: item for key, item in value.items() if item is not None and item != ""}
    return json_text(kept) if kept else None
