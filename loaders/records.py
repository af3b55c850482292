"""What loaders hand to the store: plain typed records, one file's worth at a time.

Rules for every loader:
- A missing value is `None`, never 0, "" or NaN.
- Fields whose names end in `_json` hold JSON text that DuckDB can parse (no NaN or Infinity in it), or `None`.
- Texts are valid Unicode (lone surrogates replaced by U+FFFD) and contain no NUL.
- Records state what the file says. Which run, step, mix and eval name that means is decided later,
  from these facts and the run cards, by `loaders.placement`: a card can change without a log being read again.
"""

from __future__ import annotations

import math
from datetime import datetime

from msgspec import Struct, field


class MessageRecord(Struct, gc=False):
    """One message of a sample's conversation, in order."""

    role: str
    """system, user, assistant or tool."""
    text: str
    """The text parts, joined by newlines; media as placeholders ("[image/png, 25 kB]"). Reasoning is not in it."""
    content_json: str | None = None
    """The full content as a JSON list, attachments resolved, when it is more than one plain string."""
    reasoning: str | None = None
    """The reasoning parts, joined by newlines."""
    tool_calls_json: str | None = None
    """List of {id, function, arguments, ...}."""
    tool_call_id: str | None = None
    function: str | None = None
    error_json: str | None = None
    """A tool's error: {type, message}."""
    model: str | None = None
    source: str | None = None
    message_id: str | None = None
    metadata_json: str | None = None


class ScoreRecord(Struct, gc=False):
    """One scalar that one scorer gave one sample. A dict or list score is a row per key or index."""

    scorer: str
    key: str | None = None
    """Key of a dict score, index ("0", "1", ...) of a list score, None for a scalar."""
    value_num: float | None = None
    """Numbers; booleans as 1.0 and 0.0. None where the score is text, missing, NaN or infinite."""
    value_text: str | None = None
    """Text and letter scores ("C", "I", "P", "N", "0.5") and infinite numbers ("inf", "1e999"), as written."""
    value_type: str = "missing"
    """number, infinite, text, bool, missing (null) or nan (inspect's "unscored")."""
    answer: str | None = None
    explanation: str | None = None
    reason: str | None = None
    metadata_json: str | None = None
    history_json: str | None = None
    """The edits of this score, oldest first, when it was edited."""


class SampleRecord(Struct, gc=False):
    """One question in one epoch of it."""

    sample_key: str
    """The id as text."""
    epoch: int
    id_is_number: bool = False
    input: str | None = None
    """The prompt as text; the joined texts where the input is a list of messages."""
    target: str | None = None
    """The target as text; JSON where it is a list of several."""
    choices_json: str | None = None
    reply: str | None = None
    """The model's last reply (completion)."""
    stop_reason: str | None = None
    uuid: str | None = None
    error: str | None = None
    error_traceback: str | None = None
    retries: int | None = None
    limit_type: str | None = None
    limit_value: float | None = None
    invalidated: bool = False
    started_at: str | None = None
    completed_at: str | None = None
    total_time: float | None = None
    """Seconds."""
    working_time: float | None = None
    """Seconds."""
    metadata_json: str | None = None
    model_usage_json: str | None = None
    """{model: {input_tokens, output_tokens, ...}}."""
    scores: list[ScoreRecord] = field(default_factory=list)
    messages: list[MessageRecord] = field(default_factory=list)
    views: dict[str, list[MessageRecord]] = field(default_factory=dict)
    """Of an audit, whose messages are the target's in the end: what else was seen, by `AUDITOR_VIEW`, `COMBINED_VIEW`
    and `branch_view`."""


TARGET_VIEW = "target"
"""The view that the messages of a sample are: what counts, and what a transcript is in every eval that is no audit."""

AUDITOR_VIEW, COMBINED_VIEW = "auditor", "combined"
BRANCH = "branch-"


def branch_view(number: int) -> str:
    """The name of what the target saw in a branch that the auditor left, by its number from 1."""
    return f"{BRANCH}{number}"


class ReportedMetric(Struct, gc=False):
    """A number that the log itself reports over its samples (a header's metric, an lm-eval result)."""

    metric: str
    value: float | None
    scorer: str | None = None
    """Inspect: the score's name. lm-eval: the filter, where there is one."""
    key: str | None = None
    reducer: str | None = None
    stderr: float | None = None
    n: int | None = None
    k: int | None = None
    """Of a share: how many of the n it counts, where the log tells it."""


def standard_error(told: float | None) -> float | None:
    """A standard error as a log tells it; None where it can be none: negative, infinite or not a number."""
    return told if told is not None and 0 <= told < math.inf else None


class EvalRecord(Struct):
    """One log of one task on one checkpoint."""

    task: str
    task_display: str | None = None
    """The task's name for people, where the log gives one besides its own."""
    log_eval_id: str | None = None
    """The log's own unique id, where its format has one."""
    log_run_id: str | None = None
    task_id: str | None = None
    task_version: str | None = None
    task_file: str | None = None
    model: str | None = None
    """The model that was evaluated, as the log names it."""
    target_model: str | None = None
    """The evaluated model where `model` is another, or a placeholder (Petri: model_roles.target)."""
    judge: str | None = None
    """The model that graded, where the log names one (model_roles.grader or judge, scorer args)."""
    status: str = "success"
    """success, error, cancelled or started."""
    complete: bool = True
    """False while the log is still being written."""
    created: datetime | None = None
    """With timezone; naive times in logs are taken as UTC."""
    completed: datetime | None = None
    error: str | None = None
    epochs: int | None = None
    log_version: int | None = None
    n_samples_reported: int | None = None
    """How many samples the log says it has (dataset or results), to be compared with those it holds."""
    n_planned: int | None = None
    """How many samples the whole dataset gives, in all epochs, whatever a limit left of them."""
    task_args_json: str | None = None
    model_args_json: str | None = None
    model_roles_json: str | None = None
    config_json: str | None = None
    generate_config_json: str | None = None
    dataset_json: str | None = None
    tags_json: str | None = None
    metadata_json: str | None = None
    revision_json: str | None = None
    scorers_json: str | None = None
    solver_json: str | None = None
    stats_json: str | None = None
    packages_json: str | None = None
    stated_run: str | None = None
    """Run, mix, stage, step as a table mapping gives them, row by row (tabular files only)."""
    stated_step: str | None = None
    stated_mix: str | None = None
    stated_stage: str | None = None
    stated_variant: str | None = None
    stated_rule: str | None = None
    """Where the stated fields come from, for people: "study.yaml, tables[0]: column step"."""
    samples: list[SampleRecord] = field(default_factory=list)
    reported: list[ReportedMetric] = field(default_factory=list)


class CheckpointRecord(Struct):
    """One checkpoint that a trainer left on disk, evaluated or not."""

    folder: str | None
    """Relative to the folder of the file that was read: "." or "checkpoint-100"; None where no folder holds it."""
    step: int | None = None
    epoch: float | None = None
    tokens: int | None = None
    base_model: str | None = None
    lora_rank: int | None = None
    lora_alpha: float | None = None
    trainer_json: str | None = None
    """What else its file says, as a training configuration; the logged metrics are `TrainingSeries`."""
    step_label: str | None = None
    """Instead of a step: `final`."""


class TrainingSeries(Struct):
    """One metric that a trainer logged, in the order of steps: a value a step."""

    metric: str
    """As its writer names it, but `tokens` for the tokens that training had seen (`loaders.training_series`)."""
    steps: list[int]
    readings: list[float | None]
    """None where NaN or an infinite number was logged."""
    rank: float = 0.0
    """Of several files of one format and run that tell a metric at the same step, the highest rank counts."""


SCAN = "scan:"
"""Begins the name of what a scan measured, where a log's scorers have theirs."""


class ScanRecord(Struct, gc=False):
    """What a scanner found in one transcript: as `ScoreRecord`, but of a sample of another file."""

    sample_uuid: str
    scorer: str
    """Begins with `SCAN`."""
    key: str | None = None
    value_num: float | None = None
    value_text: str | None = None
    value_type: str = "missing"
    answer: str | None = None
    explanation: str | None = None
    reason: str | None = None
    """Why there is no value, where the scan failed."""
    metadata_json: str | None = None
    scanned_at: str | None = None


class LoadedFile(Struct):
    """All that one file holds."""

    format: str
    evals: list[EvalRecord] = field(default_factory=list)
    checkpoints: list[CheckpointRecord] = field(default_factory=list)
    training: list[TrainingSeries] = field(default_factory=list)
    growing: bool = False
    """Whether its writer appends to it while training goes on: its states are passing (`loaders.store.forget`)."""
    scans: list[ScanRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Remarks that stay visible on the Data page: "says 4 samples and holds 1"."""
    characters: int | None = None
    """Of all samples (`loaders.bounds`), as soon as they are counted."""
