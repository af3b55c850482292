"""The JSON of Inspect logs as typed documents, of every log version, old fields included.

Only what ends in a record is declared: msgspec skips all else undecoded. Events, which are most of a log, are decoded
of audits alone.
`Raw` fields stay bytes until somebody needs them, most of them until they are stored as JSON text.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct

NULL = b"null"
ABSENT = Raw(NULL)
"""What a `Raw` field holds when the log doesn't have it."""


class PartDoc(Struct, gc=False):
    """One part of a message's content list; which fields are set depends on `type`."""

    type: str = "text"
    text: str | None = None
    refusal: bool | None = None
    reasoning: str | None = None
    summary: str | None = None
    redacted: bool = False
    image: str | None = None
    audio: str | None = None
    video: str | None = None
    document: str | None = None
    internal: Raw = ABSENT
    citations: Raw = ABSENT


class MessageDoc(Struct, gc=False):
    """A message of a conversation."""

    role: str
    content: str | list[Raw] | None = None
    id: str | None = None
    source: str | None = None
    model: str | None = None
    function: str | None = None
    tool_call_id: str | list[str] | None = None
    tool_error: str | None = None
    """Before 2024-06; `error` since."""
    reasoning: str | None = None
    """For some weeks of early 2025; a content part since."""
    tool_calls: Raw = ABSENT
    error: Raw = ABSENT
    metadata: Raw = ABSENT


class ScoreDoc(Struct, gc=False):
    """What one scorer said of one sample."""

    value: Any = None
    answer: str | None = None
    explanation: str | None = None
    reason: str | None = None
    metadata: Raw = ABSENT
    history: Raw = ABSENT


class ErrorDoc(Struct, gc=False):
    """An error of a sample or of the whole eval."""

    message: str = ""
    traceback: str | None = None


class CountedDoc(Struct, gc=False):
    """An entry of which only the number is kept: a repeated attempt, a change of configuration."""


class LimitDoc(Struct, gc=False):
    """The limit that stopped a sample."""

    type: str
    limit: float | None = None


class ChoiceDoc(Struct, gc=False):
    """One choice of a model's output."""

    message: Raw = ABSENT
    stop_reason: str | None = None


class OutputDoc(Struct, gc=False):
    """The model's last output. `completion` repeats the first choice's text, where it is written at all."""

    choices: list[ChoiceDoc] = []
    completion: str | None = None


class TranscriptDoc(Struct, gc=False):
    """Before 2025, attachments were kept beside the events as `transcript.content`."""

    content: Raw = ABSENT


class SampleDoc(Struct, gc=False):
    """A sample, whole or as the shell of a chunked one."""

    id: int | str
    epoch: int
    input: str | list[MessageDoc] | None = None
    target: str | list[str] | None = None
    messages: list[MessageDoc] = []
    output: OutputDoc | None = None
    scores: dict[str, ScoreDoc] | None = None
    score: ScoreDoc | None = None
    """Log version 1: the only score, without its scorer's name."""
    uuid: str | None = None
    error: ErrorDoc | None = None
    error_retries: list[CountedDoc] | None = None
    limit: LimitDoc | None = None
    started_at: str | None = None
    completed_at: str | None = None
    total_time: float | None = None
    working_time: float | None = None
    transcript: TranscriptDoc | None = None
    message_refs: list[tuple[int, int]] | None = None
    """Chunked samples: ranges of the message sequence that make up the conversation."""
    choices: Raw = ABSENT
    metadata: Raw = ABSENT
    model_usage: Raw = ABSENT
    invalidation: Raw = ABSENT
    attachments: Raw = ABSENT
    timelines: Raw = ABSENT
    events: Raw = ABSENT
    events_data: Raw = ABSENT
    """These three are decoded of audits alone (`loaders.inspect.audit`)."""


class SpanDoc(Struct, gc=False):
    """A span of a timeline with the branches off it, or, in `content`, an event: that has neither."""

    id: str = ""
    branched_from: str | None = None
    """The message after which a branch begins, "" where it begins anew."""
    content: list[SpanDoc] = []
    branches: list[SpanDoc] = []


class TimelineDoc(Struct, gc=False):
    """One who took part in a sample, in the order of what they did."""

    root: SpanDoc
    name: str = ""


class EventDoc(Struct, gc=False):
    """An event. The names are those of spans, the rest is of model calls; other events have other things there."""

    event: str
    id: Any = None
    name: Any = None
    role: Any = None
    input: Raw = ABSENT
    input_refs: Raw = ABSENT
    output: Raw = ABSENT


class EventsDataDoc(Struct, gc=False):
    """What the events of a sample share."""

    messages: list[Raw] = []


class ConfigDoc(Struct):
    """The part of an eval's configuration that is a column of its own."""

    epochs: int | None = None
    limit: Any = None
    """A number of samples, or the first and the last."""
    sample_id: Any = None
    """The samples that were asked for by name."""


class DatasetDoc(Struct):
    """The part of an eval's dataset that tells how many samples were planned."""

    samples: int | None = None
    """Of the whole dataset."""
    sample_ids: list[Raw] | None = None
    """Of the samples that `limit` and the like left to be run."""


class ScorerDoc(Struct):
    """A scorer as the eval's spec names it."""

    name: str | None = None
    options: Any = None


class SpecDoc(Struct):
    """Header, `eval`: what was run."""

    task: str
    model: str | None = None
    created: str | None = None
    eval_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    task_version: Any = None
    task_display_name: Any = None
    task_file: str | None = None
    solver: str | None = None
    solver_args: Raw = ABSENT
    task_args: Raw = ABSENT
    model_args: Raw = ABSENT
    model_roles: Raw = ABSENT
    model_generate_config: Raw = ABSENT
    config: Raw = ABSENT
    dataset: Raw = ABSENT
    tags: Raw = ABSENT
    metadata: Raw = ABSENT
    revision: Raw = ABSENT
    scorers: Raw = ABSENT
    packages: Raw = ABSENT


class PlanDoc(Struct):
    """Header, `plan`: solvers and generation config."""

    steps: Raw = ABSENT
    config: Raw = ABSENT


class MetricDoc(Struct):
    """One metric over all samples. `value` is a number in every log that Inspect wrote."""

    value: Any = None


class ResultDoc(Struct):
    """The metrics of one scorer, or of one key of its dict scores, under one reducer."""

    name: str
    scorer: str | None = None
    reducer: str | None = None
    scored_samples: int | None = None
    params: Any = None
    metrics: dict[str, MetricDoc | float | None] = {}


class ResultsDoc(Struct):
    """Header, `results`."""

    total_samples: int | None = None
    scores: list[ResultDoc] = []
    scorer: ResultDoc | None = None
    """Log version 1: the only scorer, its metrics beside it."""
    metrics: dict[str, MetricDoc | float | None] | None = None


class StatsDoc(Struct):
    """The part of the header's `stats` that is a column of its own."""

    completed_at: str | None = None


class EditDoc(Struct):
    """One edit of tags or metadata after the eval."""

    tags_add: list[str] = []
    tags_remove: list[str] = []
    metadata_set: dict[str, Any] = {}
    metadata_remove: list[str] = []


class UpdateDoc(Struct):
    """Edits made together."""

    edits: list[EditDoc] = []


class LogDoc(Struct):
    """A header (`header.json`, or `_journal/start.json` while the eval runs), or a whole `.json` log."""

    eval: SpecDoc
    version: int | None = None
    status: str = "started"
    plan: PlanDoc | None = None
    results: ResultsDoc | None = None
    stats: Raw = ABSENT
    error: ErrorDoc | None = None
    log_updates: list[UpdateDoc] | None = None
    config_updates: list[CountedDoc] | None = None
    samples: list[SampleDoc] | None = None


class VersionDoc(Struct):
    """The version alone, to explain why the rest can't be read."""

    version: int | None = None
