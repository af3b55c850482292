"""What it means that a loaded Inspect log says the same as inspect_ai's own reader does."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from inspect_ai.log import EvalLog, EvalSample, resolve_sample_attachments
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageTool
from inspect_ai.scorer import Score

from loaders.records import EvalRecord, LoadedFile, MessageRecord, SampleRecord, ScoreRecord

DATA_URI = re.compile(r"data:([\w/.+-]+);base64,")


def assert_agrees(loaded: LoadedFile, log: EvalLog) -> None:
    """Every fact of the loaded log equals the oracle's.

    Args:
        loaded: What the loader made of the file.
        log: What `read_eval_log` made of it, attachments unresolved.
    """
    assert loaded.format == "inspect"
    assert len(loaded.evals) == 1
    record = loaded.evals[0]
    assert_header_agrees(record, log)
    samples = log.samples or []
    assert [sample_id(s) for s in record.samples] == [(s.id, s.epoch) for s in samples]
    for ours, theirs in zip(record.samples, samples, strict=True):
        assert_sample_agrees(ours, theirs)


def assert_header_agrees(record: EvalRecord, log: EvalLog) -> None:
    """The header's facts and metrics."""
    spec = log.eval
    assert record.task == spec.task
    assert record.status == log.status
    assert record.complete == (log.status != "started")
    assert record.model == spec.model
    assert record.log_run_id == (spec.run_id or None)
    assert record.task_id == (spec.task_id or None)
    # Without an id in the log, Inspect makes one up from other fields.
    assert record.log_eval_id in (spec.eval_id, None)
    assert record.task_version in (str(spec.task_version), None)
    assert record.task_file == spec.task_file
    assert record.epochs == spec.config.epochs
    assert record.created is not None
    assert record.created.isoformat() == spec.created
    completed = record.completed.isoformat() if record.completed else ""
    assert completed == log.stats.completed_at
    assert record.error == (log.error.message if log.error else None)
    assert parsed(record.tags_json, []) == log.tags
    assert parsed(record.metadata_json, {}) == log.metadata
    assert parsed(record.task_args_json, {}) == spec.task_args
    assert parsed(record.model_args_json, {}) == spec.model_args
    assert parsed(record.packages_json, {}) == spec.packages
    config = parsed(record.config_json, {})
    assert set_fields(spec.config).items() <= ({"message_limit": config.get("max_messages")} | config).items()
    revision = parsed(record.revision_json, {})
    assert revision.get("commit") == (spec.revision.commit if spec.revision else None)
    generate = {**set_fields(spec.model_generate_config), **set_fields(log.plan.config)}
    assert parsed(record.generate_config_json, {}) == generate
    steps = parsed(record.solver_json, {}).get("steps", [])
    assert [step["solver"] for step in steps] == [step.solver for step in log.plan.steps]
    roles = parsed(record.model_roles_json, {})
    assert set(roles) == set(spec.model_roles or {})
    ours = sorted((m.key or m.scorer or "", m.reducer or "", m.metric, m.value or 0.0) for m in record.reported)
    assert ours == sorted(
        (score.name, score.reducer or "", metric, 0.0 if math.isnan(value.value) else value.value)
        for score in (log.results.scores if log.results else [])
        for metric, value in score.metrics.items()
    )
    for metric in record.reported:
        assert metric.scorer in {name for s in log.results.scores for name in (s.scorer, s.name)}  # type: ignore[union-attr]
    if log.results and log.results.total_samples:
        assert record.n_samples_reported == log.results.total_samples


def assert_sample_agrees(ours: SampleRecord, theirs: EvalSample) -> None:
    """One sample: its facts, its scores, its messages with attachments resolved."""
    attachments = theirs.attachments
    theirs = resolve_sample_attachments(theirs, "full")
    expected_input = (
        theirs.input if isinstance(theirs.input, str) else "\n".join(expected_text(m) for m in theirs.input)
    )
    assert ours.input == expected_input
    target = theirs.target
    if isinstance(target, list) and len(target) > 1:
        assert json.loads(ours.target or "") == target
    else:
        assert (ours.target or "") == (target if isinstance(target, str) else "".join(target))
    assert parsed(ours.choices_json, None) == (theirs.choices or None)
    if theirs.output.choices or theirs.output.completion:
        assert ours.reply == theirs.output.completion
    if theirs.output.choices:
        assert ours.stop_reason in (theirs.output.stop_reason, None)
    assert ours.uuid == theirs.uuid
    assert ours.error == (theirs.error.message if theirs.error else None)
    assert ours.error_traceback == (theirs.error.traceback if theirs.error else None)
    assert ours.retries == (None if theirs.error_retries is None else len(theirs.error_retries))
    assert ours.limit_type == (theirs.limit.type if theirs.limit else None)
    assert ours.limit_value == (theirs.limit.limit if theirs.limit else None)
    assert ours.invalidated == (theirs.invalidation is not None)
    assert ours.started_at == theirs.started_at
    assert ours.completed_at == theirs.completed_at
    assert ours.total_time == theirs.total_time
    assert ours.working_time == theirs.working_time
    assert parsed(ours.metadata_json, {}) == resolved(without_nonfinite(theirs.metadata), attachments)
    usage = {model: usage.model_dump(exclude_none=True) for model, usage in theirs.model_usage.items()}
    ours_usage = parsed(ours.model_usage_json, {})
    assert {m: {k: v for k, v in u.items() if v is not None} for m, u in ours_usage.items()} == usage
    assert scores_of(ours) == {
        (name, key): value
        for name, score in (theirs.scores or {}).items()
        for key, value in expected_values(score).items()
    }
    for row in ours.scores:
        assert_score_agrees(row, (theirs.scores or {})[row.scorer], attachments)
    assert len(ours.messages) == len(theirs.messages)
    for message, expected in zip(ours.messages, theirs.messages, strict=True):
        assert_message_agrees(message, expected, attachments)


def assert_score_agrees(row: ScoreRecord, score: Score, attachments: dict[str, str]) -> None:
    """What stands beside a score's value."""
    assert row.answer == resolved(score.answer, attachments)
    assert row.explanation == resolved(score.explanation, attachments)
    assert row.reason == score.reason
    assert parsed(row.metadata_json, {}) == resolved(without_nonfinite(score.metadata or {}), attachments)
    history = parsed(row.history_json, [])
    assert len(history) == len(score.history)
    for ours, theirs in zip(history, score.history, strict=True):
        assert ours["value"] == without_nonfinite(theirs.value)
        assert (ours.get("provenance") or {}).get("author") == (theirs.provenance.author if theirs.provenance else None)


def assert_message_agrees(ours: MessageRecord, theirs: ChatMessage, attachments: dict[str, str]) -> None:
    """One message."""
    assert ours.role == theirs.role
    assert ours.text == expected_text(theirs)
    assert ours.message_id == theirs.id
    assert ours.source == theirs.source
    assert parsed(ours.metadata_json, {}) == (theirs.metadata or {})
    parts = [] if isinstance(theirs.content, str) else theirs.content
    shown = [
        (part.summary if part.redacted else part.reasoning) or part.summary
        for part in parts
        if part.type == "reasoning"
    ]
    assert (ours.reasoning or "") == "\n".join(text for text in shown if text)
    if len(parts) > 1:
        content = parsed(ours.content_json, [])
        assert [part["type"] for part in content] == [part.type for part in parts]
        assert "attachment://" not in (ours.content_json or "")
    calls = parsed(ours.tool_calls_json, [])
    if isinstance(theirs, ChatMessageAssistant):
        assert ours.model == theirs.model
        assert [(c["id"], c["function"], c["arguments"]) for c in calls] == [
            # Inspect leaves references in the arguments of a message whose content is plain text.
            (c.id, c.function, resolved(c.arguments, attachments))
            for c in theirs.tool_calls or []
        ]
    if isinstance(theirs, ChatMessageTool):
        assert ours.tool_call_id == theirs.tool_call_id
        assert ours.function == theirs.function
        error = parsed(ours.error_json, None)
        assert (error and (error["type"], error["message"])) == (
            theirs.error and (theirs.error.type, theirs.error.message)
        )


def expected_text(message: ChatMessage) -> str:
    """The oracle's text, with a placeholder where a medium stands."""
    if isinstance(message.content, str):
        return message.content
    lines = []
    for part in message.content:
        if part.type == "text":
            lines.append(part.text)
        elif part.type in ("image", "audio", "video", "document"):
            lines.append(expected_placeholder(part.type, getattr(part, part.type)))
    return "\n".join(lines)


def expected_placeholder(kind: str, source: str) -> str:
    """`[image/png, 12 kB]` or `[image: address]`."""
    match = DATA_URI.match(source)
    if match is None:
        return f"[{kind}: {source}]"
    size = (len(source) - match.end()) * 3 // 4
    return f"[{match[1]}, {size:,} bytes]" if size < 10_000 else f"[{match[1]}, {size / 1000:,.0f} kB]"


def expected_values(score: Score) -> dict[str | None, Any]:
    """A score's value by key, NaN as the text "nan" (it doesn't equal itself)."""
    value: Any = score.value
    if isinstance(value, dict):
        keyed: dict[str | None, Any] = dict(value)
    elif isinstance(value, list):
        keyed = {str(index): item for index, item in enumerate(value)}
    else:
        keyed = {None: value}
    return {key: "nan" if isinstance(item, float) and math.isnan(item) else item for key, item in keyed.items()}


def scores_of(sample: SampleRecord) -> dict[tuple[str, str | None], Any]:
    """Our rows as the values that they stand for."""
    values: dict[tuple[str, str | None], Any] = {}
    for row in sample.scores:
        value: Any
        if row.value_type == "bool":
            value = bool(row.value_num)
        elif row.value_type == "number":
            value = row.value_num
        elif row.value_type == "text":
            value = row.value_text
        elif row.value_type == "infinite":
            value = float(row.value_text or "")
        elif row.value_type == "nan":
            value = "nan"
        else:
            assert row.value_type == "missing"
            value = None
        if row.value_type not in ("bool", "number"):
            assert row.value_num is None
        if row.value_type not in ("text", "infinite"):
            assert row.value_text is None
        values[row.scorer, row.key] = value
    assert len(values) == len(sample.scores)
    return values


def sample_id(sample: SampleRecord) -> tuple[int | str, int]:
    """The id with its type, and the epoch."""
    return (int(sample.sample_key) if sample.id_is_number else sample.sample_key), sample.epoch


def parsed(text: str | None, absent: Any) -> Any:
    """A JSON column, strictly: NaN and Infinity are not allowed in it."""
    return absent if text is None else json.loads(text, parse_constant=refuse_constant)


def refuse_constant(name: str) -> None:
    """For json.loads."""
    raise AssertionError(f"{name} in a JSON column")


def set_fields(model: Any) -> dict[str, Any]:
    """The fields of a pydantic model that say something."""
    fields: dict[str, Any] = model.model_dump(mode="json", exclude_none=True)
    return fields


def resolved(value: Any, attachments: dict[str, str]) -> Any:
    """A value with attachment references replaced, wherever they stand."""
    if isinstance(value, str) and value.startswith("attachment://"):
        return attachments.get(value.removeprefix("attachment://"), value)
    if isinstance(value, dict):
        return {key: resolved(item, attachments) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, attachments) for item in value]
    return value


def without_nonfinite(value: Any) -> Any:
    """NaN and infinities as null, as JSON columns have them."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: without_nonfinite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nonfinite(item) for item in value]
    return value
