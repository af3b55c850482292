"""The document `results_*.json`: one eval a task, with the metrics that the harness reports of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.json_text import clean, json_text
from loaders.lm_eval import names
from loaders.lm_eval.reported import MISSING, Odd, reported_metrics
from loaders.lm_eval.reported import notes as notes_of
from loaders.lm_eval.samples import TaskSamples, join_filters
from loaders.lm_eval.settings import as_dict, few_shot, given, leaves, parse_arguments, planned, settings, whole
from loaders.records import EvalRecord

MODEL_ARGS = ("peft", "delta", "pretrained", "model", "path", "engine")
"""Arguments that name the model, in the harness's own order (an adapter before what it sits on)."""
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
    records: list[EvalRecord] = []
    odd: list[Odd] = []
    for task, metrics in results.items():
        if not isinstance(metrics, dict):
            raise RejectedFile(path, f"`results.{task}` is no object of metrics")
        record = _record(document, task, metrics, common, odd)
        if task in as_dict(document, "group_subtasks") and not record.reported:
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
    notes += notes_of(odd)
    return records


def arguments_and_tasks(document: dict[str, Any]) -> tuple[str, list[str]]:
    """The model's arguments as they were typed (empty where they are no text), and the tasks of a document."""
    arguments = as_dict(document, "config").get("model_args")
    tasks = dict.fromkeys([*as_dict(document, "configs"), *as_dict(document, "results")])
    return (arguments if isinstance(arguments, str) else "", list(tasks))


def filters_of(document: dict[str, Any], task: str) -> list[str]:
    """The names of a task's filters, in the order that the harness goes through them."""
    metrics = (name.partition(",")[2] for name in as_dict(as_dict(document, "results"), task))
    reported = list(dict.fromkeys(name for name in metrics if name))
    listed = as_dict(as_dict(document, "configs"), task).get("filter_list")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    told = [str(entry.get("name")) for entry in entries]
    return told if set(told) == set(reported) else reported


def _attach(record: EvalRecord, held: TaskSamples, notes: list[str]) -> None:
    record.samples = held.records
    notes += held.notes
    documents = len({sample.sample_key for sample in held.records})
    if record.n_samples_reported not in (None, documents):
        notes.append(f"{record.task}: says {record.n_samples_reported} samples and holds {documents}")


def _common(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """Fields that all evals of a file share."""
    config = as_dict(document, "config")
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


def _record(
    document: dict[str, Any], task: str, metrics: dict[str, Any], common: dict[str, Any], odd: list[Odd]
) -> EvalRecord:
    config = as_dict(document, "config")
    own = as_dict(as_dict(document, "configs"), task)
    group = bool(leaves(document, task))
    said = whole(metrics.get("sample_len"))
    n = said if group and said is not None else planned(document, task, "effective")
    n = said if n is None else n
    version = as_dict(document, "versions").get(task)
    dataset = {"path": own.get("dataset_path"), "name": own.get("dataset_name"), "split": own.get("test_split")}
    generation = {**as_dict(own, "generation_kwargs"), **given(config.get("gen_kwargs"))}
    return EvalRecord(
        clean(task),
        **common,
        task_version=None if version in (None, MISSING) else str(version),
        n_samples_reported=n,
        n_planned=planned(document, task, "original"),
        task_args_json=_json({"num_fewshot": few_shot(document, task)}, need="num_fewshot"),
        generate_config_json=_json(generation),
        dataset_json=_json({key: value for key, value in dataset.items() if value is not None}),
        config_json=_json(settings(document, task)),
        metadata_json=_json(_metadata(document, task, metrics, own)),
        reported=reported_metrics(metrics, n, odd, shares=not group),
    )


def _metadata(document: dict[str, Any], task: str, metrics: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What was given as `--metadata`, which the harness keeps with each task; a group has what its tasks share."""
    metadata = dict(as_dict(own, "metadata")) if own else _shared_metadata(document)
    facts = {
        "alias": metrics.get("alias"),
        "higher_is_better": as_dict(document, "higher_is_better").get(task),
        "group_subtasks": as_dict(document, "group_subtasks").get(task),
        "task_hash": as_dict(document, "task_hashes").get(task),
    }
    return {**metadata, **{key: value for key, value in facts.items() if value is not None}}


def _shared_metadata(document: dict[str, Any]) -> dict[str, Any]:
    configs = as_dict(document, "configs")
    each = [as_dict(configs[task], "metadata") for task in configs if isinstance(configs[task], dict)]
    if not each:
        return {}
    return {k: v for k, v in each[0].items() if k not in TASK_OWN and all(m.get(k) == v for m in each)}


def _inline_samples(document: dict[str, Any]) -> dict[str, TaskSamples]:
    """Rows within the document, where a script dumped what `simple_evaluate` returned."""
    inline = as_dict(document, "samples")
    return {
        task: join_filters(
            [row for row in rows if isinstance(row, dict) and "doc_id" in row], task, filters_of(document, task)
        )
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


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _json(value: dict[str, Any], need: str | None = None) -> str | None:
    """JSON text; None for an empty object, or where the value of `need` is missing."""
    return json_text(value) if value and (need is None or value.get(need) is not None) else None
