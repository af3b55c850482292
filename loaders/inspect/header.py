"""A log's header as an eval record, without its samples."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from loaders.inspect.decode import ANY, check_parts, decode, plain
from loaders.inspect.documents import (
    ABSENT,
    ConfigDoc,
    DatasetDoc,
    LogDoc,
    MetricDoc,
    PlanDoc,
    ResultDoc,
    ScorerDoc,
    SpecDoc,
    StatsDoc,
)
from loaders.inspect.errors import Unreadable
from loaders.inspect.judge import judge, target_model
from loaders.inspect.resolve import Budget, Resolver
from loaders.inspect.times import parse_time
from loaders.json_text import clean, clean_tree
from loaders.records import EvalRecord, ReportedMetric, standard_error

STATUSES = ("success", "error", "cancelled", "started")

CONFIG = msgspec.json.Decoder(ConfigDoc | None)
DATASET = msgspec.json.Decoder(DatasetDoc | None)
STATS = msgspec.json.Decoder(StatsDoc | None)
SCORERS = msgspec.json.Decoder(list[ScorerDoc] | None)

MEANS = ("accuracy", "mean")
"""Metrics that the metric `stderr` beside them is the standard error of."""


def eval_record(log: LogDoc, where: str) -> EvalRecord:
    """The eval of a header, its samples and metrics still missing.

    Args:
        log: The header.
        where: The member that it was read from, for errors.

    Raises:
        Unreadable: A status that Inspect doesn't know, or a field of the wrong type.
    """
    if log.status not in STATUSES:
        raise Unreadable(f"{where}: status {log.status[:50]!r} (allowed: {', '.join(STATUSES)})")
    spec, plan = log.eval, log.plan or PlanDoc()
    for part, name in ((spec, "eval"), (plan, "plan"), (log, "the log")):
        for field, raw in msgspec.structs.asdict(part).items():
            if isinstance(raw, Raw):
                check_parts(raw, f"{where}, {name}.{field}")
    json = Resolver(_no_attachment, Budget()).json
    config = decode(CONFIG, spec.config, f"{where}, eval.config") or ConfigDoc()
    dataset = decode(DATASET, spec.dataset, f"{where}, eval.dataset") or DatasetDoc()
    stats = decode(STATS, log.stats, f"{where}, stats") or StatsDoc()
    scorers = decode(SCORERS, spec.scorers, f"{where}, eval.scorers") or []
    roles, task_args = _object(spec.model_roles, where), _object(spec.task_args, where)
    tags, metadata = _tags_and_metadata(log, where)
    return EvalRecord(
        task=clean(spec.task),
        log_eval_id=plain(spec.eval_id),
        log_run_id=plain(spec.run_id),
        task_id=plain(spec.task_id),
        task_display=plain(spec.task_display_name),
        task_version=plain(spec.task_version),
        task_file=plain(spec.task_file),
        model=plain(spec.model),
        target_model=plain(target_model(spec.model, roles)),
        judge=plain(judge(roles, scorers, results(log), task_args)),
        status=log.status,
        complete=log.status != "started",
        created=parse_time(spec.created),
        completed=parse_time(stats.completed_at),
        error=None if log.error is None else clean(log.error.message),
        epochs=config.epochs,
        log_version=log.version,
        n_samples_reported=_said(log, config, dataset),
        n_planned=_planned(log, config, dataset),
        task_args_json=json(_if_object(spec.task_args)),
        model_args_json=json(_if_object(spec.model_args)),
        model_roles_json=json(_if_object(spec.model_roles)),
        config_json=json(spec.config),
        generate_config_json=_generate_config(spec, plan, where),
        dataset_json=json(spec.dataset),
        tags_json=tags,
        metadata_json=metadata,
        revision_json=json(_if_object(spec.revision)),
        scorers_json=json(spec.scorers),
        solver_json=_solver(spec, plan, where),
        stats_json=json(log.stats),
        packages_json=json(_if_object(spec.packages)),
    )


OBJECTS = ("task_args", "model_args", "model_roles", "model_generate_config", "metadata", "revision", "packages")
"""Fields of the spec that are objects in every log that Inspect wrote."""


def odd_fields(log: LogDoc) -> list[str]:
    """Remarks on the fields of a header that are left out, being of another type than they must be."""
    fields = {f"eval.{name}": getattr(log.eval, name) for name in OBJECTS}
    fields["plan.config"] = (log.plan or PlanDoc()).config
    return [f"{name} is no object, and is left out" for name, raw in fields.items() if _if_object(raw) is not raw]


def _if_object(raw: Raw) -> Raw:
    return raw if bytes(raw).lstrip()[:1] in (b"{", b"n", b"") else ABSENT


def results(log: LogDoc) -> list[ResultDoc]:
    """The results of each scorer, in version 1 logs of the only one."""
    if log.results is None:
        return []
    if log.results.scorer is not None:
        only = log.results.scorer
        if log.results.metrics:
            only.metrics = log.results.metrics
        return [only]
    return log.results.scores


def reported_metrics(log: LogDoc, score_names: set[str]) -> list[ReportedMetric]:
    """The header's metrics, one row per scorer, key and metric.

    Args:
        log: The header.
        score_names: The scorers' names in the samples. A result that isn't among them is a key of its scorer's
            dict scores; without samples the results' own names tell.
    """
    rows = []
    for result in results(log):
        scorer, key = _scorer_and_key(result, score_names)
        numbers = {metric: number(value) for metric, value in result.metrics.items()}
        for metric, value in numbers.items():
            rows.append(
                ReportedMetric(
                    metric=clean(metric),
                    value=value,
                    scorer=plain(scorer),
                    key=plain(key),
                    reducer=plain(result.reducer),
                    stderr=standard_error(numbers.get("stderr")) if metric in MEANS else None,
                    n=result.scored_samples,
                )
            )
    return rows


def _scorer_and_key(result: ResultDoc, score_names: set[str]) -> tuple[str, str | None]:
    name, scorer = result.name, result.scorer or result.name
    if name == scorer or name in score_names:
        return name, None
    # A second scorer of the same name is called `match1` in the results and in the samples.
    if scorer not in score_names and name.startswith(scorer) and name[len(scorer) :].isdigit():
        return name, None
    return scorer, name


def number(metric: MetricDoc | float | None) -> float | None:
    """A metric's value; null (which NaN has become) and what isn't a number are missing."""
    value = metric.value if isinstance(metric, MetricDoc) else metric
    if not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _planned(log: LogDoc, config: ConfigDoc, dataset: DatasetDoc) -> int | None:
    """How many samples the whole dataset gives, epochs included, whatever a limit or chosen ids left of them.

    Where the log doesn't tell the dataset's size, what was to be run is all of it unless something limited that.
    """
    left = None if dataset.sample_ids is None else len(dataset.sample_ids)
    if dataset.samples:
        return max(dataset.samples, left or 0) * (config.epochs or 1)
    if config.limit is not None or config.sample_id is not None:
        return None
    if left:
        return left * (config.epochs or 1)
    return (log.results.total_samples or None) if log.results is not None else None


def _said(log: LogDoc, config: ConfigDoc, dataset: DatasetDoc) -> int | None:
    """How many samples the log says it has, epochs included."""
    if log.results is not None and log.results.total_samples:
        return log.results.total_samples
    samples = dataset.samples if dataset.sample_ids is None else len(dataset.sample_ids)
    return None if samples is None else samples * (config.epochs or 1)


def _tags_and_metadata(log: LogDoc, where: str) -> tuple[str | None, str | None]:
    """Tags (sorted) and metadata as they are after the edits that were made to the log."""
    tags = decode(ANY, log.eval.tags, where) or []
    if not isinstance(tags, list):
        raise Unreadable(f"{where}: eval.tags is not a list")
    current = {str(tag) for tag in tags}
    metadata = _object(log.eval.metadata, where)
    for edit in (edit for update in log.log_updates or [] for edit in update.edits):
        current = (current - set(edit.tags_remove)) | set(edit.tags_add)
        metadata = {key: value for key, value in metadata.items() if key not in edit.metadata_remove}
        metadata |= edit.metadata_set
    return _text(sorted(current)), _text(metadata)


def _generate_config(spec: SpecDoc, plan: PlanDoc, where: str) -> str | None:
    """The model's own generation config, overridden by the eval's."""
    own, override = _object(spec.model_generate_config, where), _object(plan.config, where)
    return _text(own | {key: value for key, value in override.items() if value is not None})


def _solver(spec: SpecDoc, plan: PlanDoc, where: str) -> str | None:
    """The solver as named, with its arguments, and the steps that it came to."""
    parts = {
        "solver": spec.solver,
        "solver_args": decode(ANY, spec.solver_args, where),
        "steps": decode(ANY, plan.steps, where),
    }
    return _text({name: part for name, part in parts.items() if part})


def _no_attachment(_key: str) -> None:
    """Headers have no attachments."""


def _object(raw: Raw, where: str) -> dict[str, Any]:
    value = decode(ANY, raw, where)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return msgspec.json.encode(clean_tree(value)).decode() if value else None
