"""The instances of a run as samples: what was asked, what came back, and the statistics of each as its scores.

A training trial (other examples in the prompt) is an epoch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from loaders.audits.conversation import is_number, objects_of, text_of
from loaders.chat import chat_messages
from loaders.helm.names import Context, context_of, perturbation
from loaders.helm.statistics import BOOKKEEPING, values
from loaders.json_text import clean, json_text
from loaders.lm_eval.settings import as_dict, whole
from loaders.records import MessageRecord, SampleRecord, ScoreRecord

CORRECT = "correct"
NOT_COUNTED = "HELM counts no value for this instance"
INPUT_TOKENS, OUTPUT_TOKENS = "num_prompt_tokens", "num_output_tokens"

Place = tuple[str, str | None, int]
"""Instance, perturbation and trial, by which HELM joins its files."""


@dataclass
class Instance:
    """One instance in one trial: its requests, and its statistics by name."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    stats: dict[str, float | None] = field(default_factory=dict)


def samples_by_context(state: Any, per_instance: Any, notes: list[str]) -> dict[Context, list[SampleRecord]]:
    """The samples of each split and perturbation.

    Args:
        state: `scenario_state.json`, decoded; None where it isn't there.
        per_instance: `per_instance_stats.json` likewise.
        notes: Gets remarks.
    """
    found: dict[tuple[Context, Place], Instance] = {}
    contexts: dict[Place, Context] = {}
    for at, request in enumerate(objects_of(state, "request_states")):
        instance = as_dict(request, "instance")
        identity = _identity(instance.get("id"))
        place = (
            f"#{at + 1}" if identity is None else identity,
            perturbation(instance.get("perturbation")),
            whole(request.get("train_trial_index")) or 0,
        )
        contexts.setdefault(place, context_of(instance))
        found.setdefault((contexts[place], place), Instance()).requests.append(request)
    unknown = 0
    for entry in per_instance if isinstance(per_instance, list) else ():
        identity = _identity(entry.get("instance_id")) if isinstance(entry, dict) else None
        if identity is None:
            unknown += 1
            continue
        place = (identity, perturbation(entry.get("perturbation")), whole(entry.get("train_trial_index")) or 0)
        for context, metric, value in values(entry):
            its = found.setdefault((contexts.get(place, context), place), Instance()).stats
            if its.get(metric) is None:
                its[metric] = value
    if unknown:
        notes.append(f"{unknown} entries of per_instance_stats.json name no instance: left out")
    grouped: dict[Context, dict[Place, Instance]] = {}
    for (context, place), its_own in found.items():
        grouped.setdefault(context, {})[place] = its_own
    return {context: _samples(its) for context, its in grouped.items()}


def _identity(value: Any) -> str | None:
    return clean(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def _samples(instances: dict[Place, Instance]) -> list[SampleRecord]:
    """Samples of one context. What some of its instances have a number for is missing in the others, not 0."""
    measured = dict.fromkeys(
        metric
        for instance in instances.values()
        for metric, value in instance.stats.items()
        if value is not None and not BOOKKEEPING.fullmatch(metric)
    )
    samples: dict[tuple[str, int], SampleRecord] = {}
    for (identity, _, trial), instance in instances.items():
        samples[identity, trial] = _sample(identity, trial + 1, instance, measured)
    return list(samples.values())


def _sample(key: str, epoch: int, instance: Instance, measured: Iterable[str]) -> SampleRecord:
    request = instance.requests[0] if instance.requests else {}
    asked, result = as_dict(request, "instance"), as_dict(request, "result")
    completions = objects_of(result, "completions")
    texts = [clean(text) for one in completions if isinstance(text := one.get("text"), str)]
    # Where each reference was a request of its own, completions repeat it: the model replied nothing.
    reply = texts[0] if texts and request.get("reference_index") is None else None
    answer = None if reply is None else as_dict(request, "output_mapping").get(reply.strip())
    correct = [_output(one) for one in objects_of(asked, "references") if _is_correct(one)]
    target = [text for text in correct if text is not None]
    choices = _choices(request, asked)
    sample = SampleRecord(
        key,
        epoch,
        input=text_of(as_dict(asked, "input").get("text")),
        target=target[0] if len(target) == 1 else json_text(target) if target else None,
        choices_json=json_text(choices) if choices else None,
        reply=reply,
        stop_reason=text_of(as_dict(completions[0], "finish_reason").get("reason")) if completions else None,
        error=_error(result),
        messages=_messages(request, reply),
        model_usage_json=_usage(request, instance.stats),
        scores=[_score(metric, instance.stats.get(metric), text_of(answer)) for metric in measured],
    )
    metadata = {
        "statistics": {name: one for name, one in instance.stats.items() if BOOKKEEPING.fullmatch(name)},
        "completions": texts[1:],
        "requests": len(instance.requests) if len(instance.requests) > 1 else None,
        "annotations": request.get("annotations"),
    }
    kept = {name: value for name, value in metadata.items() if value}
    sample.metadata_json = json_text(kept) if kept else None
    return sample


def _score(metric: str, value: float | None, answer: str | None) -> ScoreRecord:
    if value is None:
        return ScoreRecord(metric, reason=NOT_COUNTED)
    return ScoreRecord(metric, None, value, value_type="number", answer=answer)


def _choices(request: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    """The answers that were offered, or that each were a request of their own."""
    offered: list[Any] = list(as_dict(request, "output_mapping").values())
    if not offered and request.get("reference_index") is not None:
        offered = [_output(one) for one in objects_of(asked, "references")]
    return [clean(one) for one in offered if isinstance(one, str)]


def _output(reference: dict[str, Any]) -> str | None:
    return text_of(as_dict(reference, "output").get("text"))


def _is_correct(reference: dict[str, Any]) -> bool:
    tags = reference.get("tags")
    return isinstance(tags, list) and CORRECT in tags


def _messages(request: dict[str, Any], reply: str | None) -> list[MessageRecord]:
    """The prompt as it was sent, with its examples, and the reply."""
    sent = as_dict(request, "request")
    messages = chat_messages(sent.get("messages")) or []
    if not messages and (prompt := text_of(sent.get("prompt"))):
        messages = [MessageRecord("user", prompt)]
    return messages if reply is None else [*messages, MessageRecord("assistant", reply)]


def _error(result: dict[str, Any]) -> str | None:
    """Why a request failed, where it did."""
    return (text_of(result.get("error")) or "the request failed") if result.get("success") is False else None


def _usage(request: dict[str, Any], stats: dict[str, float | None]) -> str | None:
    model = text_of(as_dict(request, "request").get("model"))
    tokens = {"input_tokens": whole(stats.get(INPUT_TOKENS)), "output_tokens": whole(stats.get(OUTPUT_TOKENS))}
    told = {name: count for name, count in tokens.items() if is_number(count)}
    return json_text({model: told}) if model and told else None
