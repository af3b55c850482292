"""The public functions of the loader: which file stands for a run, and reading it with those beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loaders.audits.conversation import objects_of, text_of
from loaders.audits.folder import begins
from loaders.errors import RejectedFile
from loaders.helm.instances import samples_by_context
from loaders.helm.names import BESIDE, PER_INSTANCE, RUN_SPEC, SCENARIO, STATE, STATS, Context, task_name
from loaders.helm.statistics import Reports, counts_of, reports_by_context
from loaders.json_text import decode, json_text
from loaders.lm_eval.settings import LONGEST, as_dict, digest, whole
from loaders.packed import read_plain
from loaders.records import EvalRecord, LoadedFile, SampleRecord

FORMAT = "helm"
IDENTITY = "content"
SIGN = b'"scenario_spec"'
GENERATION = ("temperature", "max_tokens", "stop_sequences", "num_outputs")
"""Of the adapter's settings, those of generation."""
LISTS = frozenset({STATS, PER_INSTANCE})


def matches(path: Path, head: bytes) -> bool:
    """Whether `read` is the one to read this file, by its name and its first bytes."""
    return path.name == RUN_SPEC and SIGN in head


def is_document(document: Any) -> bool:
    """Whether a JSON document is a run's specification, whatever stands in it first."""
    return isinstance(document, dict) and "adapter_spec" in document and "scenario_spec" in document


def companions(path: Path) -> list[Path]:
    """The other files of the run that a file stands for; none where it stands for none."""
    if path.name != RUN_SPEC or not begins(path, matches):
        return []
    return [other for name in BESIDE if (other := path.with_name(name)).is_file()]


def read(path: Path) -> LoadedFile:
    """Read a run: an eval for each split and perturbation, with its samples and the numbers that HELM reports.

    Another file of the run that can't be read leaves the rest in, with a note that says what is wrong with it.

    Raises:
        RejectedFile: The specification is broken, or there are no results; the reason says what to do.
    """
    try:
        run = decode(read_plain(path))
    except (OSError, ValueError) as error:
        raise RejectedFile(path, f"can't be read as JSON: {error}") from error
    if not is_document(run):
        raise RejectedFile(path, "has no `adapter_spec` and `scenario_spec`, as each of HELM's: copy it again")
    loaded = LoadedFile(FORMAT)
    files = {name: _beside(path.with_name(name), loaded.notes) for name in BESIDE}
    samples = samples_by_context(files[STATE], files[PER_INSTANCE], loaded.notes)
    trials = whole(as_dict(run, "adapter_spec").get("num_train_trials")) or 1
    reports = reports_by_context(files[STATS], counts_of(files[PER_INSTANCE]) if trials == 1 else {})
    contexts = sorted({*samples, *reports}, key=lambda context: tuple(part or "" for part in context))
    if not contexts:
        raise RejectedFile(
            path,
            f"a HELM run without results: {STATS} and {STATE} are not beside it, or empty. Let the run end, or put"
            " them into this folder",
        )
    common = _common(run, as_dict(files, SCENARIO), objects_of(files[STATE], "request_states"))
    for context in contexts:
        its, told = samples.get(context, []), reports.get(context, Reports())
        loaded.evals.append(_record(run, common, trials, context, its, told))
    if any(its for its in samples.values()) and not any(one.scores for its in samples.values() for one in its):
        loaded.notes.append(f"no sample has a score: there are none in {PER_INSTANCE}")
    return loaded


def _beside(path: Path, notes: list[str]) -> Any:
    """Another file of the run, decoded; None where it isn't there or can't be read, which a note says."""
    if not path.is_file():
        if path.name != SCENARIO:
            notes.append(f"{path.name} is not beside it")
        return None
    try:
        document = decode(read_plain(path))
    except (OSError, ValueError) as error:
        notes.append(f"{path.name} is left out: can't be read as JSON: {error}")
        return None
    expected = list if path.name in LISTS else dict
    if not isinstance(document, expected):
        notes.append(f"{path.name} is left out: holds a JSON {type(document).__name__}, no {expected.__name__}")
        return None
    return document


def _record(
    run: dict[str, Any],
    common: dict[str, Any],
    trials: int,
    context: Context,
    samples: list[SampleRecord],
    reports: Reports,
) -> EvalRecord:
    scenario = as_dict(run, "scenario_spec")
    class_name = text_of(scenario.get("class_name")) or "scenario"
    name = text_of(run.get("name")) or class_name.rpartition(".")[2]
    dataset = {"name": class_name.rpartition(".")[2], "path": class_name, **context._asdict()}
    return EvalRecord(
        task_name(name, context),
        **common,
        epochs=trials if trials > 1 else None,
        n_samples_reported=None if reports.instances is None else reports.instances * trials,
        dataset_json=_json(dataset),
        samples=samples,
        reported=reports.metrics,
    )


def _common(run: dict[str, Any], scenario: dict[str, Any], requests: list[dict[str, Any]]) -> dict[str, Any]:
    """Fields that all evals of a run share."""
    adapter = as_dict(run, "adapter_spec")
    deployment = text_of(adapter.get("model_deployment"))
    instructions = text_of(adapter.get("instructions"))
    config = {
        "num_fewshot": whole(adapter.get("max_train_instances")),
        "limit": whole(adapter.get("max_eval_instances")),
        "system_prompt": digest(instructions) if instructions and len(instructions) > LONGEST else instructions,
    }
    metadata = {
        "run_spec": run.get("name"),
        "groups": run.get("groups"),
        "metrics": [one.get("class_name") for one in objects_of(run, "metric_specs")],
        "adapter_spec": adapter,
        "data_augmenter_spec": run.get("data_augmenter_spec"),
        "scenario": scenario,
    }
    return {
        "model": text_of(adapter.get("model")) or deployment,
        "created": _first(requests),
        "model_args_json": _json({"model_deployment": deployment}),
        "task_args_json": _json({**as_dict(as_dict(run, "scenario_spec"), "args"), "method": adapter.get("method")}),
        "config_json": _json(config),
        "generate_config_json": _json({key: adapter.get(key) for key in GENERATION}),
        "metadata_json": _json(metadata),
    }


def _first(requests: list[dict[str, Any]]) -> datetime | None:
    """When the model was first asked: HELM writes no other date. Of an answer out of its cache, when that was asked."""
    told = [whole(as_dict(one, "result").get("request_datetime")) for one in requests]
    try:
        return datetime.fromtimestamp(min(one for one in told if one), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _json(value: dict[str, Any]) -> str | None:
    """JSON text of what is set; None where nothing is."""
    kept = {key: item for key, item in value.items() if item is not None and item != ""}
    return json_text(kept) if kept else None
