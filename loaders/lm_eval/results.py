"""The document `results_*.json`: one eval a task, with the metrics that the harness reports of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.json_text import clean, json_text
from loaders.lm_eval import names
from loaders.lm_eval.samples import NO_FILTER, TaskSamples, join_filters
from loaders.records import EvalRecord, ReportedMetric, standard_error

MODEL_ARGS = ("peft", "delta", "pretrained", "model", "path", "engine")
"""Arguments that name the model, in the harness's own order (an adapter before what it sits on)."""
NEXT_ARG = re.compile(r",(?=\s*[A-Za-z_][\w.]*\s*=)")
NOT_METRICS = frozenset({"name", "alias", "sample_len", "sample_count"})
STDERR = "_stderr"
MISSING = "N/A"
TASK_OWN = frozenset({"version", "config_source"})
"""Metadata of a task that says nothing of its neighbours."""


def read_results(
    path: Path, document: dict[str, Any], samples: dict[str, TaskSamples], notes: list[str]
) -> list[EvalRecord]:
    """Make the evals of a results document, tasks and groups in its order.

    Args:
        path: The file, for its name's date and for errors.
        document: As decoded; `results` is an object.
        samples: What samples files beside it hold, by task.
        notes: Gets remarks.

    Raises:
        RejectedFile: A task's results are no object, or there are none at all.
    """
    results: dict[str, Any] = document["results"]
    if not results:
        raise RejectedFile(path, "`results` is empty: no task was evaluated")
    samples = {**_inline_samples(document), **samples}
    common = _common(document, path)
    records = []
    for task, metrics in results.items():
        if not isinstance(metrics, dict):
            raise RejectedFile(path, f"`results.{task}` is no object of metrics")
        record = _record(document, task, metrics, common)
        notes += _odd_errors(task, metrics)
        if task in _dict(document, "group_subtasks") and not record.reported:
            continue  # a group without numbers of its own is only a list of names
        held = samples.pop(task, None)
        if held:
            _attach(record, held, notes)
        records.append(record)
    for task, held in samples.items():
        record = EvalRecord(task, **common)
        _attach(record, held, notes)
        notes.append(f"samples of {task} stand beside results that have no such task")
        records.append(record)
    return records


def _odd_errors(task: str, metrics: dict[str, Any]) -> list[str]:
    """Remarks on standard errors that can be none, and are left out."""
    told = {name: _number(value) for name, value in metrics.items() if name.partition(",")[0].endswith(STDERR)}
    return [
        f"{task}: {name} of {value:g} can't be, and is left out"
        for name, value in told.items()
        if value is not None and standard_error(value) is None
    ]


def _attach(record: EvalRecord, held: TaskSamples, notes: list[str]) -> None:
    record.samples = held.records
    notes += held.notes
    documents = len({sample.sample_key for sample in held.records})
    if record.n_samples_reported not in (None, documents):
        notes.append(f"{record.task}: says {record.n_samples_reported} samples and holds {documents}")


def _common(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """Fields that all evals of a file share."""
    config = _dict(document, "config")
    arguments = parse_arguments(config.get("model_args"))
    named = next((str(arguments[key]) for key in MODEL_ARGS if arguments.get(key)), None)
    packages = {
        "lm_eval": document.get("lm_eval_version"),
        "transformers": document.get("transformers_version"),
    }
    seconds = document.get("total_evaluation_time_seconds")
    return {
        # `config.model` is the backend ("hf", "neox"), not the model.
        "model": clean(named) if named else _text(document.get("model_name")),
        "created": _started(document.get("date")) or names.created(path.name),
        "model_args_json": json_text(arguments) if arguments else None,
        "revision_json": _json({"type": "git", "commit": document.get("git_hash")}, need="commit"),
        "packages_json": _json({k: v for k, v in packages.items() if v not in (None, MISSING)}),
        "stats_json": _json({"total_evaluation_time_seconds": seconds}, need="total_evaluation_time_seconds"),
    }


def _record(document: dict[str, Any], task: str, metrics: dict[str, Any], common: dict[str, Any]) -> EvalRecord:
    config = _dict(document, "config")
    own = _dict(_dict(document, "configs"), task)
    counted = _dict(_dict(document, "n-samples"), task).get("effective", metrics.get("sample_len"))
    n = counted if isinstance(counted, int) else None
    shots = _dict(document, "n-shot").get(task, config.get("num_fewshot"))
    version = _dict(document, "versions").get(task)
    dataset = {"path": own.get("dataset_path"), "name": own.get("dataset_name"), "split": own.get("test_split")}
    generation = {**_dict(own, "generation_kwargs"), **parse_arguments(config.get("gen_kwargs"))}
    return EvalRecord(
        clean(task),
        **common,
        task_version=None if version in (None, MISSING) else str(version),
        n_samples_reported=n,
        task_args_json=_json({"num_fewshot": shots}, need="num_fewshot"),
        generate_config_json=_json(generation),
        dataset_json=_json({key: value for key, value in dataset.items() if value is not None}),
        config_json=_json(_settings(document, config, own)),
        metadata_json=_json(_metadata(document, task, metrics, own)),
        reported=reported_metrics(metrics, n),
    )


def _settings(document: dict[str, Any], config: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    settings = {key: value for key, value in config.items() if key != "model_args"}
    for key in ("system_instruction", "fewshot_as_multiturn", "chat_template_sha"):
        if document.get(key) is not None:
            settings[key] = document[key]
    if own:
        settings["task_config"] = own
    return settings


def _metadata(document: dict[str, Any], task: str, metrics: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What was given as `--metadata`, which the harness keeps with each task; a group has what its tasks share."""
    metadata = dict(_dict(own, "metadata")) if own else _shared_metadata(document)
    facts = {
        "alias": metrics.get("alias"),
        "higher_is_better": _dict(document, "higher_is_better").get(task),
        "group_subtasks": _dict(document, "group_subtasks").get(task),
        "task_hash": _dict(document, "task_hashes").get(task),
    }
    return {**metadata, **{key: value for key, value in facts.items() if value is not None}}


def _shared_metadata(document: dict[str, Any]) -> dict[str, Any]:
    configs = _dict(document, "configs")
    each = [_dict(configs[task], "metadata") for task in configs if isinstance(configs[task], dict)]
    if not each:
        return {}
    return {k: v for k, v in each[0].items() if k not in TASK_OWN and all(m.get(k) == v for m in each)}


def reported_metrics(metrics: dict[str, Any], n: int | None) -> list[ReportedMetric]:
    """The metrics of one task: `metric` and `metric_stderr` (2023), `metric,filter` and `metric_stderr,filter` (today).

    Args:
        metrics: `results[task]`.
        n: How many documents the file says were evaluated; a group counts by metric instead.
    """
    counts = _dict(metrics, "sample_count")
    found = []
    for name, value in metrics.items():
        if name in NOT_METRICS or not name.strip():  # 0.4.0 gives groups a metric " "
            continue
        metric, _, filter_name = name.partition(",")
        base = metric.removesuffix(STDERR)
        if base != metric and _joined(base, filter_name) in metrics:
            continue
        count = counts.get(name, n)
        for key, item in value.items() if isinstance(value, dict) else [(None, value)]:
            found.append(
                ReportedMetric(
                    clean(metric),
                    _number(item),
                    scorer=None if filter_name in ("", NO_FILTER) else clean(filter_name),
                    key=key,
                    stderr=standard_error(_number(metrics.get(_joined(metric + STDERR, filter_name)))),
                    n=count if isinstance(count, int) else None,
                )
            )
    return found


def _joined(metric: str, filter_name: str) -> str:
    return f"{metric},{filter_name}" if filter_name else metric


def parse_arguments(arguments: Any) -> dict[str, Any]:
    """`pretrained=org/model,revision=step100` as a dict of texts; a dict as it is; anything else is empty."""
    if isinstance(arguments, dict):
        return arguments
    if not isinstance(arguments, str):
        return {}
    pairs = (part.partition("=") for part in NEXT_ARG.split(arguments) if "=" in part)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _inline_samples(document: dict[str, Any]) -> dict[str, TaskSamples]:
    """Rows within the document, where a script dumped what `simple_evaluate` returned."""
    inline = _dict(document, "samples")
    return {
        task: join_filters([row for row in rows if isinstance(row, dict) and "doc_id" in row], task)
        for task, rows in inline.items()
        if isinstance(rows, list)
    }


def _started(date: Any) -> datetime | None:
    if not isinstance(date, int | float) or isinstance(date, bool):
        return None
    try:
        return datetime.fromtimestamp(date, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _number(value: Any) -> float | None:
    """Numbers and booleans; None for "N/A", NaN and everything else."""
    if not isinstance(value, int | float) or value != value:
        return None
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None


def _dict(document: Any, key: str) -> dict[str, Any]:
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _json(value: dict[str, Any], need: str | None = None) -> str | None:
    """JSON text; None for an empty object, or where the value of `need` is missing."""
    return json_text(value) if value and (need is None or value.get(need) is not None) else None
