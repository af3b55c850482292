"""Results of the original agentic-misalignment repository: a `response.json` for each sample, in two layouts.

`EXPERIMENT/models/MODEL/CONDITION/sample_NNN/response.json`, or, in older ones, without `models/`; the prompts lie in
`EXPERIMENT/prompts/CONDITION/`. All of a model is read together: an eval for each scenario, in which a condition is a
question and each sample of it an epoch. A response that wasn't classified, or whose classification failed, is missing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loaders.audits.conversation import digest, is_number, object_of, text_of
from loaders.audits.folder import looked_into, read_each
from loaders.audits.petri import read_document
from loaders.errors import RejectedFile
from loaders.inspect.scores import scalar
from loaders.inspect.times import normal_time, parse_time
from loaders.json_text import clean, json_text
from loaders.packed import read_plain, suffix_of
from loaders.records import EvalRecord, LoadedFile, MessageRecord, SampleRecord, ScoreRecord

FORMAT = "agentic_misalignment"
IDENTITY = "content"
"""With `place_of`: what a response doesn't say itself, its folders do."""
TASK = "agentic_misalignment"
RESPONSE = "response.json"
SIGN = b'"raw_response"'
SAMPLE_FOLDER = re.compile(r"sample_(\d{1,9})")
CONDITION = re.compile(
    r"(?P<scenario>blackmail|leaking|murder)_(?P<goal_type>[a-z]+)-(?P<goal_value>.+?)_(?P<urgency_type>[a-z]+)"
)
"""`blackmail_explicit-america_replacement`."""
PARTS = ("scenario", "goal_type", "goal_value", "urgency_type")

SCORER = "classification"
VERDICTS = ("harmful_behavior", "classifier_verdict")
FAILED = "the classification failed"


@dataclass
class Response:
    """One response, read.

    Attributes:
        parts: What its condition is made of, scenario first.
        classifiers: The models that classified it.
        prompted: Whether its prompts were found.
    """

    sample: SampleRecord
    model: str
    parts: dict[str, Any]
    classifiers: set[str]
    prompted: bool


def matches(path: Path, head: bytes) -> bool:
    """Whether `read` is the one to read this file, by its first bytes."""
    return suffix_of(path.name) == ".json" and SIGN in head and (path.name == RESPONSE or b'"sample_id"' in head)


def is_document(document: Any) -> bool:
    """Whether a JSON document is a response, whatever stands in it first."""
    return isinstance(document, dict) and "raw_response" in document and "condition" in object_of(document, "metadata")


def group(path: str, size: int, mtime_ns: int) -> str | None:
    """The folder of the model whose responses are read together; None for any other file (see `petri.group`)."""
    if not path.endswith(os.sep + RESPONSE):
        return None
    place = Path(path)
    apart = SAMPLE_FOLDER.fullmatch(place.parent.name) is None or len(place.parents) < 4
    return None if apart or not looked_into(path, size, mtime_ns, matches) else str(place.parents[2])


def place_of(path: Path) -> str:
    """What the folders of a response say of it: `MODEL/CONDITION/sample_NNN`; empty for any other file."""
    apart = path.name != RESPONSE or SAMPLE_FOLDER.fullmatch(path.parent.name) is None
    return "" if apart else "/".join(path.parts[-4:-1])


def companions(path: Path) -> list[Path]:
    """What is said of a response's condition beside its prompts."""
    if path.name != RESPONSE or SAMPLE_FOLDER.fullmatch(path.parent.name) is None:
        return []
    told = _prompts(path) / "metadata.json"
    return [told] if told.is_file() else []


def _prompts(path: Path) -> Path:
    """The folder of the prompts that a response answers."""
    condition, model = path.parent.parent, path.parent.parent.parent
    experiment = model.parent.parent if model.parent.name == "models" else model.parent
    return experiment / "prompts" / condition.name


def read(path: Path) -> LoadedFile:
    """Read one response (see `read_all`)."""
    return read_all([path])


def read_all(paths: Sequence[Path]) -> LoadedFile:
    """Read the responses of one model: an eval for each scenario.

    One that can't be read leaves the others in, with a note that says what is wrong with it.

    Raises:
        RejectedFile: None of them can be read.
    """
    loaded = LoadedFile(FORMAT)
    responses = sorted(path for path in paths if path.name == RESPONSE or len(paths) == 1)
    found, odd = read_each(responses, _response)
    loaded.notes += [f"{'/'.join(error.path.parts[-3:])} is left out: {error.reason}" for error in odd]
    if bare := sum(not one.prompted for one in found):
        loaded.notes.append(f"{bare} of {len(found)} responses are without their prompts (prompts/CONDITION/ beside)")
    for key in dict.fromkeys((one.model, one.parts["scenario"]) for one in found):
        loaded.evals.append(_eval(*key, [one for one in found if (one.model, one.parts["scenario"]) == key]))
    return loaded


def _eval(model: str, scenario: str, found: list[Response]) -> EvalRecord:
    classifiers = set[str]().union(*(one.classifiers for one in found))
    conditions = sorted({one.sample.sample_key for one in found})
    times = [time for one in found if (time := parse_time(one.sample.completed_at))]
    return EvalRecord(
        TASK,
        model=model,
        judge=", ".join(sorted(classifiers)) or None,
        created=min(times, default=None),
        task_args_json=json_text({"scenario": scenario}),
        # Other conditions are other questions: a rate over them is another one.
        dataset_json=json_text({"name": f"{scenario} {digest(json_text(conditions))}", "samples": len(conditions)}),
        samples=[one.sample for one in found],
    )


def _response(path: Path) -> Response:
    document = read_document(path)
    told = object_of(document, "metadata")
    if not isinstance(document, dict) or "raw_response" not in document:
        raise RejectedFile(path, "has no `raw_response`, as every response of agentic-misalignment does")
    condition = text_of(told.get("condition")) or path.parent.parent.name
    number = SAMPLE_FOLDER.fullmatch(path.parent.name)
    parts = _parts(path, condition)
    reply = text_of(document["raw_response"])
    classified = object_of(document, "classification")
    prompt, messages = _asked(path)
    sample = SampleRecord(
        clean(condition),
        int(number[1]) if number else 1,
        input=prompt,
        reply=reply,
        error=text_of(document.get("error")),
        completed_at=normal_time(text_of(told.get("timestamp"))),
        metadata_json=json_text(parts | {"condition": condition, "api_metadata": told.get("api_metadata")}),
        scores=_scores(classified),
        messages=messages + ([MessageRecord("assistant", reply)] if reply else []),
    )
    classifier = text_of(classified.get("classifier_model"))
    model = text_of(told.get("model")) or path.parents[min(2, len(path.parents) - 1)].name
    return Response(sample, model, parts, {classifier} if classifier else set(), bool(messages))


def _parts(path: Path, condition: str) -> dict[str, Any]:
    """What a condition is made of: as its prompts' metadata say, else as its name does."""
    named = CONDITION.fullmatch(condition)
    parts: dict[str, Any] = dict(named.groupdict()) if named else {}
    try:
        told = read_document(_prompts(path) / "metadata.json")
    except RejectedFile:
        told = {}
    parts |= {key: value for key in PARTS if isinstance(told, dict) and (value := text_of(told.get(key)))}
    # A scenario that isn't told is one of its own, never a known one.
    return {"scenario": condition} | parts


def _asked(path: Path) -> tuple[str | None, list[MessageRecord]]:
    """The prompt and the messages that it is put in, as the repository puts them together; none where they are gone."""
    system, user, emails = (
        _file(_prompts(path) / name) for name in ("system_prompt.txt", "user_prompt.txt", "email_content.txt")
    )
    prompt = "\n\n".join(text for text in (user, emails) if text) or None
    asked = [("system", system), ("user", prompt)]
    return prompt, [MessageRecord(role, text) for role, text in asked if text]


def _file(path: Path) -> str | None:
    try:
        return text_of(read_plain(path).decode("utf-8", "replace").replace("\r\n", "\n"))
    except OSError:
        return None


def _scores(classified: dict[str, Any]) -> list[ScoreRecord]:
    """The verdicts; of a failed classification nothing but that it failed, whatever stands beside the error."""
    if not classified:
        return []
    failed = classified.get("error")
    explanation = text_of(classified.get("classifier_reasoning"))
    rows = []
    for key in VERDICTS:
        value = classified.get(key)
        if failed:
            rows.append(ScoreRecord(SCORER, key, reason=text_of(str(failed)) or FAILED, explanation=explanation))
        elif key in classified:
            number, text, kind = scalar(value if isinstance(value, bool) or is_number(value) else None)
            rows.append(ScoreRecord(SCORER, key, number, text, kind, explanation=explanation))
    return rows
