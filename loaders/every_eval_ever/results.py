"""The results of a record: an eval for each evaluation and dataset, with the numbers that the record reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loaders.audits.conversation import objects_of, text_of
from loaders.errors import RejectedFile
from loaders.inspect.times import parse_time
from loaders.json_text import json_text
from loaders.lm_eval.settings import as_dict, number, whole
from loaders.records import EvalRecord, ReportedMetric, standard_error
from loaders.shares import counted

UNNAMED = "score"
"""A metric that the record gives no name (0.2): what it is stands in its description alone."""
NAMED_BY = ("metric_name", "metric_id", "metric_kind")
UNKNOWN_LEVEL = -1
"""The score that stands for none, where `has_unknown_level` says so."""
NOT_GENERATION = frozenset({"execution_command", "prompt_template", "agentic_eval_config", "eval_plan", "eval_limits",
                            "sandbox", "max_attempts", "incorrect_attempt_feedback"})  # fmt: skip
"""Arguments of a generation config that don't say how replies were sampled."""
LIMITS = ("message_limit", "token_limit", "time_limit")
UNKNOWN = "unknown"


@dataclass
class Result:
    """One entry of `evaluation_results`.

    Attributes:
        id: By which samples name it, where it has one.
        scorer, key: What the scores of its samples are called.
        reported: Its number.
        unknown_level: Whether a score of -1 stands for none.
    """

    id: str | None
    scorer: str
    key: str | None
    reported: ReportedMetric
    unknown_level: bool


@dataclass
class Eval:
    """An evaluation of a record, with its results in their order."""

    record: EvalRecord
    results: list[Result] = field(default_factory=list)


def read_results(path: Path, document: dict[str, Any], notes: list[str]) -> list[Eval]:
    """Make the evals of a record: results of one evaluation on one dataset are one.

    Args:
        path: The file, for errors.
        document: As decoded.
        notes: Gets remarks.

    Raises:
        RejectedFile: There are no results, or one has no evaluation's name; the reason says which.
    """
    entries = document.get("evaluation_results")
    if not isinstance(entries, list) or not entries:
        raise RejectedFile(
            path,
            "`evaluation_results` is no list with results in it, without which its samples' scores are of nothing:"
            " ingest the log that it was made from",
        )
    common = _common(document)
    evals: dict[tuple[str, str], Eval] = {}
    without: list[str] = []
    for at, entry in enumerate(entries):
        name = text_of(entry.get("evaluation_name")) if isinstance(entry, dict) else None
        if name is None:
            raise RejectedFile(
                path, f"`evaluation_results[{at}]` is no object with an `evaluation_name`: export it again"
            )
        source = as_dict(entry, "source_data")
        known = evals.setdefault((name, json_text(source)), Eval(EvalRecord(name, **common)))
        if not known.results:
            _describe(known.record, entry, source)
        result = _result(entry, known.results)
        known.results.append(result)
        known.record.reported.append(result.reported)
        if result.reported.value is None:
            without.append(f"{name}: {result.reported.metric}")
    if without:
        notes.append(
            f"{len(without)} of {len(entries)} results have no finite number as their score: {', '.join(without[:5])}"
        )
    for one in evals.values():
        one.record.metadata_json = json_text(_metadata(document, entries, one.record.task))
    return list(evals.values())


def _result(entry: dict[str, Any], before: list[Result]) -> Result:
    config = as_dict(entry, "metric_config")
    identity = text_of(entry.get("evaluation_result_id"))
    metric = next((name for key in NAMED_BY if (name := text_of(config.get(key)))), UNNAMED)
    told, scorer, key = None, metric, None
    if identity and identity.endswith(f":{metric}"):  # Inspect: scorer:metric
        told = scorer = identity[: -len(metric) - 1] or metric
    elif identity and identity.startswith(f"{metric}:"):  # lm-eval: metric:filter; HELM: metric:split:perturbation
        told = key = identity[len(metric) + 1 :] or None
    unknown_level = config.get("has_unknown_level") is True
    reported = ReportedMetric(metric, None, told)
    # Named alike, results are told apart by their ids, or by what they are said to be.
    if any((one.reported.metric, one.reported.scorer) == (metric, told) for one in before):
        reported.key = key = identity or text_of(config.get("evaluation_description")) or str(len(before) + 1)
    taken = {one.reported.key for one in before if (one.reported.metric, one.reported.scorer) == (metric, told)}
    if reported.key is not None and reported.key in taken:
        reported.key = key = f"{reported.key} ({len(before) + 1})"
    details = as_dict(entry, "score_details")
    uncertainty = as_dict(details, "uncertainty")
    reported.value = number(details.get("score"))
    if unknown_level and reported.value == UNKNOWN_LEVEL:
        reported.value = None
    error = uncertainty.get("standard_error")
    reported.stderr = standard_error(number(error.get("value") if isinstance(error, dict) else error))
    reported.n = whole(uncertainty.get("num_samples"))
    reported.k = counted(metric, reported.value, reported.n, reported.stderr)
    return Result(identity, scorer, key, reported, unknown_level)


def epoch_time(value: Any) -> datetime | None:
    """A time as records write it: seconds since 1970 as text, or ISO 8601."""
    if isinstance(value, str) and (parsed := parse_time(value)) is not None and not value.strip().isdecimal():
        return parsed
    try:
        return datetime.fromtimestamp(float(value), UTC) if isinstance(value, str | int | float) else None
    except (ValueError, OverflowError, OSError):
        return None


def _common(document: dict[str, Any]) -> dict[str, Any]:
    """Fields that all evals of a record share."""
    model, library = as_dict(document, "model_info"), as_dict(document, "eval_library")
    engine = as_dict(model, "inference_engine")
    arguments = {
        **as_dict(model, "additional_details"),
        "inference_platform": _known(model.get("inference_platform")),
        "inference_engine": _known(engine.get("name")),
    }
    name, version = _known(library.get("name")), _known(library.get("version"))
    return {
        "model": text_of(model.get("id")) or text_of(model.get("name")),
        "created": epoch_time(document.get("evaluation_timestamp")),
        "model_args_json": _json(arguments),
        "packages_json": _json({name: version}) if name else None,
    }


def _describe(record: EvalRecord, entry: dict[str, Any], source: dict[str, Any]) -> None:
    """Set what an eval's first result says of how it was measured."""
    config = as_dict(entry, "generation_config")
    arguments = as_dict(config, "generation_args")
    scoring = as_dict(as_dict(entry, "metric_config"), "llm_scoring")
    judges = [text_of(as_dict(one, "model_info").get("id")) for one in objects_of(scoring, "judges")]
    limits = as_dict(arguments, "eval_limits")
    record.created = epoch_time(entry.get("evaluation_timestamp")) or record.created
    record.judge = ", ".join(one for one in judges if one) or None
    record.n_planned = whole(source.get("samples_number")) or None
    record.dataset_json = _json(
        {"name": source.get("dataset_name"), "path": source.get("hf_repo"), "split": source.get("hf_split")}
    )
    record.generate_config_json = _json({key: one for key, one in arguments.items() if key not in NOT_GENERATION})
    record.config_json = _json({**as_dict(config, "additional_details"), **{key: limits.get(key) for key in LIMITS}})


def _metadata(document: dict[str, Any], entries: list[Any], task: str) -> dict[str, Any]:
    """Where a record is from, and what it says of its metrics besides their numbers."""
    source = as_dict(document, "source_metadata")
    said = {key: document.get(key) for key in ("evaluation_id", "schema_version", "retrieved_timestamp")}
    metrics = [
        {**as_dict(entry, "metric_config"), "evaluation_result_id": entry.get("evaluation_result_id"),
         "uncertainty": as_dict(as_dict(entry, "score_details"), "uncertainty") or None}
        for entry in entries
        if entry["evaluation_name"] == task
    ]  # fmt: skip
    return {
        **said,
        "source_metadata": source,
        "metrics": [{k: v for k, v in one.items() if v is not None} for one in metrics],
    }


def _known(value: Any) -> str | None:
    text = text_of(value)
    return None if text == UNKNOWN else text


def _json(value: dict[str, Any]) -> str | None:
    """JSON text of what is set; None where nothing is."""
    kept = {key: item for key, item in value.items() if item is not None and item != ""}
    return json_text(kept) if kept else None
