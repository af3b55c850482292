"""Petri's JSON transcripts (v3.0 and before), a file an audit: those of one folder are read together.

Audits of one target by one auditor are one eval, each of them a sample with a score for every dimension that its judge
rated. Which judge it was isn't written down. (Today's Petri writes Inspect logs.)
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loaders.audits.conversation import brief, conversation, digest, object_of, score_records, text_of
from loaders.audits.folder import looked_into, read_each
from loaders.errors import RejectedFile
from loaders.inspect.times import normal_time, parse_time
from loaders.json_text import decode, json_text
from loaders.packed import read_plain, suffix_of
from loaders.records import EvalRecord, LoadedFile, SampleRecord

FORMAT = "petri"
IDENTITY = "content"
TASK = "petri/audit"
SCORER = "alignment_judge"
"""What Petri calls its judge in the Inspect logs of the same audits."""

SIGN = re.compile(rb'^(?:\xef\xbb\xbf)?\s*\{\s*"metadata"\s*:\s*\{\s*"transcript_id"\s*:')
NAME = re.compile(r"transcript[-_].*\.json$")
"""`transcript_2026-01-15_13-30-22_1.json`, and Bloom's `transcript_v1r1.json`."""
ABOUT = ("transcript_id", "description", "short_name", "tags", "version")
"""What a transcript's metadata say of the audit."""
SEED = ("seed_instruction", "seed_instructions")
UNKNOWN = "unknown"
"""Stands for a model that wasn't told."""


@dataclass
class Audit:
    """One transcript, read.

    Attributes:
        roles: The models of target and auditor.
        question: What tells what was audited: equal briefs of the auditor have equal ones.
    """

    name: str
    roles: tuple[str | None, str | None]
    question: str
    sample: SampleRecord
    problem: str | None


def matches(path: Path, head: bytes) -> bool:
    """Whether `read` is the one to read this file, by its first bytes."""
    return suffix_of(path.name) == ".json" and bool(SIGN.match(head))


def is_document(document: Any) -> bool:
    """Whether a JSON document is a transcript, whatever stands in it first."""
    told = object_of(document, "metadata")
    return "transcript_id" in told and any(
        isinstance(document.get(key), list) for key in ("events", "messages", "target_messages")
    )


def group(path: str, size: int, mtime_ns: int) -> str | None:
    """The folder whose transcripts are read together; None for any other file.

    Args:
        path: Absolute.
        size: Bytes.
        mtime_ns: Last change: a file is looked into once for each.
    """
    folder, _, name = path.rpartition(os.sep)
    return folder if NAME.match(name) and looked_into(path, size, mtime_ns, matches) else None


def read(path: Path) -> LoadedFile:
    """Read one transcript (see `read_all`)."""
    return read_all([path])


def read_all(paths: Sequence[Path]) -> LoadedFile:
    """Read transcripts: an eval for each target and auditor among them.

    One that can't be read leaves the others in, with a note that says what is wrong with it.

    Raises:
        RejectedFile: None of them can be read.
    """
    loaded = LoadedFile(FORMAT)
    audits, odd = read_each(sorted(paths), _audit)
    loaded.notes += [f"{error.path.name} is left out: {error.reason}" for error in odd]
    loaded.notes += [f"{one.name}: its conversation is left out: {one.problem}" for one in audits if one.problem]
    for roles in dict.fromkeys(one.roles for one in audits):
        loaded.evals.append(_eval(roles, [one for one in audits if one.roles == roles]))
    return loaded


def _eval(roles: tuple[str | None, str | None], audits: list[Audit]) -> EvalRecord:
    target, auditor = roles
    epochs: dict[str, int] = {}
    for one in audits:
        one.sample.epoch = epochs[one.question] = epochs.get(one.question, 0) + 1
    times = [time for one in audits if (time := parse_time(one.sample.started_at))]
    return EvalRecord(
        TASK,
        model=target,
        created=min(times, default=None),
        epochs=max(epochs.values()),
        # Another auditor makes another measurement.
        task_args_json=json_text({"auditor": auditor}) if auditor else None,
        samples=[one.sample for one in audits],
    )


def _audit(path: Path) -> Audit:
    document = read_document(path)
    if not is_document(document):
        raise RejectedFile(path, "is no transcript of Petri: it has no `metadata.transcript_id`, or no `events`")
    told, judged = document["metadata"], object_of(document["metadata"], "judge_output")
    talk = conversation(document)
    asked, whole = _question(document)
    name = text_of(str(told["transcript_id"])) or path.stem
    question = f"seed-{digest(whole)}" if whole else name
    sample = SampleRecord(
        question,
        1,
        input=asked,
        reply=talk.reply,
        uuid=name,
        started_at=normal_time(text_of(told.get("created_at"))),
        completed_at=normal_time(text_of(told.get("updated_at"))),
        metadata_json=json_text(about(told, talk.edits) | {"file": path.name}),
        scores=judge_scores(SCORER, judged),
        messages=talk.messages,
        views=talk.views,
    )
    return Audit(
        path.name, (_model(told, "target_model"), _model(told, "auditor_model")), question, sample, talk.problem
    )


def _question(document: dict[str, Any]) -> tuple[str | None, str]:
    """What was audited, to be read, and all that tells it from another; empty where nothing does."""
    told = (text_of(document["metadata"].get(key)) for key in SEED)
    if seed := next(filter(None, told), None):
        return seed, seed
    messages = brief(document)
    asked = "\n\n".join(one.text for one in messages if one.role == "user")
    return asked or None, "\n\n".join(one.text for one in messages)


def read_document(path: Path) -> Any:
    """A JSON document of one of these tools.

    Raises:
        RejectedFile: It can't be read.
    """
    try:
        return decode(read_plain(path))
    except (OSError, ValueError) as error:
        raise RejectedFile(path, f"can't be read as JSON: {error}: copy it again, or delete it") from error


def about(told: dict[str, Any], edits: dict[str, int]) -> dict[str, Any]:
    """What a transcript's metadata say of the audit, and how often the auditor took messages back or changed them."""
    kept = {
        key: told[key] for key in ("transcript_id", "description", "short_name", "tags", "version") if told.get(key)
    }
    return kept | ({"edits": edits} if edits else {})


def judge_scores(scorer: str, judged: dict[str, Any]) -> Any:
    """The rows of what a judge left in a transcript; none where it left nothing."""
    more = {key: judged.get(key) for key in ("summary", "highlights", "score_descriptions")}
    return score_records(scorer, object_of(judged, "scores"), judged.get("justification"), more)


def _model(told: dict[str, Any], key: str) -> str | None:
    name = text_of(told.get(key))
    return None if name == UNKNOWN else name
