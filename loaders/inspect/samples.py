"""Samples as records."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Raw

from loaders.inspect.audit import show_target
from loaders.inspect.decode import decode, plain
from loaders.inspect.documents import NULL, MessageDoc, OutputDoc, SampleDoc
from loaders.inspect.messages import message_record, message_text
from loaders.inspect.recorded import Recorded, own_record
from loaders.inspect.resolve import Budget, Lookup, Resolver
from loaders.inspect.scores import LEGACY_SCORER, score_records
from loaders.inspect.times import normal_time
from loaders.json_text import clean_tree
from loaders.records import MessageRecord, SampleRecord, ScoreRecord

ATTACHMENTS = msgspec.json.Decoder(dict[str, Raw])
TEXT = msgspec.json.Decoder(str)
MESSAGE = msgspec.json.Decoder(MessageDoc)


def sample_record(
    sample: SampleDoc, budget: Budget, lookup: Lookup | None = None, recorded: Recorded | None = None
) -> SampleRecord:
    """A sample with its messages and scores.

    Args:
        sample: Whole; of a chunked sample the shell with messages and metadata put in.
        budget: How much text references may still bring in, shared by the samples of one file.
        lookup: Where attachments come from if not from the sample itself.
        recorded: Where events come from if not from the sample itself.

    Raises:
        Unreadable: A field that is decoded late has the wrong type, or the budget is spent.
    """
    others = show_target(sample, recorded or own_record(sample))
    resolver = Resolver(lookup or own_attachments(sample), budget)
    text, optional, json = resolver.text, resolver.optional, resolver.json
    prompt, target, error, limit, retries = (
        sample.input, sample.target, sample.error, sample.limit, sample.error_retries,
    )  # fmt: skip
    if isinstance(prompt, list):
        prompt = "\n".join(message_text(message, resolver) for message in prompt)
    elif prompt is not None:
        prompt = text(prompt)
    if isinstance(target, list):
        target = _several(target)
    messages = [message_record(message, resolver) for message in sample.messages]
    reply, stop_reason = _reply(sample.output, messages, resolver)
    return SampleRecord(
        sample_key=text(str(sample.id)),
        epoch=sample.epoch,
        id_is_number=not isinstance(sample.id, str),
        input=prompt,
        target=optional(target),
        choices_json=json(sample.choices),
        reply=reply,
        stop_reason=plain(stop_reason),
        uuid=plain(sample.uuid),
        error=None if error is None else text(error.message),
        error_traceback=None if error is None else optional(error.traceback),
        retries=None if retries is None else len(retries),
        limit_type=None if limit is None else text(limit.type),
        limit_value=None if limit is None else limit.limit,
        invalidated=json(sample.invalidation) is not None,
        started_at=normal_time(sample.started_at),
        completed_at=normal_time(sample.completed_at),
        total_time=sample.total_time,
        working_time=sample.working_time,
        metadata_json=json(sample.metadata),
        model_usage_json=json(sample.model_usage),
        scores=_scores(sample, resolver),
        messages=messages,
        views={view: [message_record(message, resolver) for message in seen] for view, seen in others.items()},
    )


def _several(targets: list[str]) -> str | None:
    if len(targets) < 2:
        return targets[0] if targets else None
    return msgspec.json.encode(clean_tree(targets)).decode()


def _scores(sample: SampleDoc, resolver: Resolver) -> list[ScoreRecord]:
    if sample.scores:
        rows: list[ScoreRecord] = []
        for scorer, score in sample.scores.items():
            rows += score_records(scorer, score, resolver)
        return rows
    return [] if sample.score is None else score_records(LEGACY_SCORER, sample.score, resolver)


def _reply(
    output: OutputDoc | None, messages: list[MessageRecord], resolver: Resolver
) -> tuple[str | None, str | None]:
    """The completion and why it ended; without an output the last assistant message."""
    if output is not None and output.choices:
        choice = output.choices[0]
        stop_reason = "max_tokens" if choice.stop_reason == "length" else choice.stop_reason
        if output.completion:
            return resolver.text(output.completion), stop_reason
        if bytes(choice.message) == NULL:
            return "", stop_reason
        return message_text(decode(MESSAGE, choice.message, "output"), resolver), stop_reason
    if output is not None and output.completion:
        return resolver.text(output.completion), None
    for message in reversed(messages):
        if message.role == "assistant":
            return message.text, None
    return None, None


def own_attachments(sample: SampleDoc) -> Callable[[str], str | None]:
    """Look attachments up in the sample, whose field is decoded only once somebody refers to one."""
    found: dict[str, Raw] | None = None
    texts: dict[str, str] = {}

    def lookup(key: str) -> str | None:
        nonlocal found
        if found is None:
            content = sample.transcript.content if sample.transcript is not None else sample.attachments
            found = decode(ATTACHMENTS, content, "attachments") if bytes(content) != NULL else {}
        if key not in texts:
            raw = found.get(key)
            if raw is None:
                return None
            texts[key] = decode(TEXT, raw, "attachments")
        return texts[key]

    return lookup
