"""A sample in words: what was found in it, what was said of it, where it comes from. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard import numerals
from dashboard.kit.page import clock
from dashboard.queries.rows import origin, step_of
from dashboard.texts.finding import Sought
from dashboard.texts.messages import Message, Part, as_text
from dashboard.texts.rendering import FOLDED, Judgement

MESSAGES_A_PART = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a text was found.

    Attributes:
        hits: How often in messages.
        messages: Indices of those that hold it.
        judged: How often in what scorers and judges say.
    """

    hits: int
    messages: tuple[int, ...]
    judged: int = 0


def find(messages: Sequence[Message], judged: Sequence[Judgement], wanted: Sought) -> Finding:
    """Find a text in messages, and in what was said of them."""
    counts = [wanted.count(message.texts) for message in messages]
    holding = tuple(index for index, count in enumerate(counts) if count)
    return Finding(sum(counts), holding, wanted.count(text for one in judged for _, text in one.texts))


def found_in_words(found: Finding, messages: int) -> str:
    """Where a text was found, of how many messages."""
    beside = f", and {numerals.plural(found.judged, 'time')} in scores and explanations" if found.judged else ""
    of = f"{numerals.count(len(found.messages))} of {numerals.plural(messages, 'message')}"
    return f"found {numerals.plural(found.hits, 'time')} in {of}{beside}"


def score_value(score: Mapping[str, Any]) -> str:
    """The value of a score; its type where it has none."""
    value = score["value_text"] if score["value_num"] is None else f"{score['value_num']:g}"
    return str(score["value_type"] if value is None else value)


def judgements_of(scores: Sequence[Mapping[str, Any]]) -> list[Judgement]:
    """Scores, an entry for each scorer: its values, answer, the judge's explanation, metadata and edits.

    A score of several keys has one explanation for all of them; it is told once.
    """
    entries: dict[str, list[Mapping[str, Any]]] = {}
    for score in scores:
        told = [score[part] for part in ("scorer", "answer", "explanation", "reason", "metadata", "history")]
        entries.setdefault(json.dumps(told, default=str), []).append(score)
    return [_judgement(same) for same in entries.values()]


def _judgement(scores: Sequence[Mapping[str, Any]]) -> Judgement:
    first = scores[0]
    told = {name: str(first[name]) for name in ("explanation", "reason", "answer") if first[name]}
    if told.get("answer") == told.get("explanation"):
        told.pop("answer", None)
    return Judgement(
        by=str(first["scorer"]),
        values=[("" if score["key"] is None else str(score["key"]), score_value(score)) for score in scores],
        texts=list(told.items()),
        folded=unfolded([("Metadata", first["metadata"]), ("Edits", first["history"])]),
    )


def score_parts(scores: Sequence[Mapping[str, Any]]) -> list[Part]:
    """Scores with the judge's words; those that several keys share are told once."""
    told: dict[str, list[str]] = {}
    for score in scores:
        name = str(score["scorer"]) + (f".{score['key']}" if score["key"] is not None else "")
        said = dict.fromkeys(str(score[part]) for part in ("answer", "explanation", "reason") if score[part])
        told.setdefault("\n\n".join(said), []).append(f"{name} = {score_value(score)}")
    return [Part("verdict", words, ", ".join(names)) for words, names in told.items()]


def provenance(log: Mapping[str, Any], sample: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Where a sample comes from and how it was made, as names and values.

    Args:
        log: `Transcript.log`.
        sample: `Transcript.sample`.
    """

    def by(value: object, rule: object) -> object:
        return f"{value} ({origin(rule)})" if value is not None and rule else value

    usage = sample["model_usage"] or {}
    tokens = [f"{model}: {used.get('total_tokens', '?')}" for model, used in usage.items() if isinstance(used, dict)]
    seconds = sample["total_time"]
    return [
        ("Log", log["path"]),
        ("Folder", log["root"]),
        ("SHA-256", log["content_hash"]),
        ("Import", log["batch"]),
        ("Run", by(log["run"], log["run_rule"])),
        ("Step", by(step_of(log), log["step_rule"])),
        ("Mix", log["mix"]),
        ("Stage", log["stage"]),
        ("Variant", log["variant"]),
        ("Task", log["task"]),
        ("Task version", log["task_version"]),
        ("Model", log["target_model"] or log["model"]),
        ("Judge", log["judge"]),
        ("Log status", log["status"]),
        ("Created", log["created"] and clock.exact_time_html(log["created"])),
        ("Target", str(sample["target"] or "")[:FOLDED]),
        ("Stop reason", sample["stop_reason"]),
        ("Time", None if seconds is None else numerals.seconds(seconds, 1)),
        ("Tokens", "; ".join(tokens)),
        ("Edits of the conversation", edits_of(sample["metadata"])),
    ]


def edits_of(metadata: object) -> str | None:
    """How often the auditor of an audit left the conversation or changed it, where the loader counted."""
    edits = metadata.get("edits") if isinstance(metadata, Mapping) else None
    if not isinstance(edits, Mapping) or not all(type(times) is int for times in edits.values()):
        return None
    return ", ".join(numerals.plural(times, str(operation)) for operation, times in edits.items())


def extras(log: Mapping[str, Any], sample: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is looked up now and then, by title."""
    return unfolded(
        [
            ("Sample metadata", sample["metadata"]),
            ("Choices", sample["choices"]),
            ("Traceback", sample["error_traceback"]),
            ("Task arguments", log["task_args"]),
            ("Generation settings", log["generate_config"]),
            ("Model roles", log["model_roles"]),
        ]
    )


def unfolded(titled: Sequence[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Values as texts; those that are empty are left out."""
    return [(title, as_text(value)) for title, value in titled if value]
