"""The rows of `UUID_samples.jsonl`: one a sample and result that it counts in; a sample of all rows of its id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loaders.audits.conversation import is_number, objects_of, text_of
from loaders.errors import RejectedFile
from loaders.every_eval_ever.results import UNKNOWN_LEVEL, UNNAMED, Eval, Result
from loaders.inspect.scores import scalar
from loaders.json_text import clean, decode, json_text
from loaders.lm_eval.settings import as_dict, whole
from loaders.records import EvalRecord, MessageRecord, SampleRecord, ScoreRecord

KEPT = ("sample_hash", "interaction_type", "performance")
"""Fields that become metadata of the sample as they are."""
OF_NO_RESULT = "its row names none of the record's results"
"""Why a score is missing: converters write 0 there, or guess from the reply."""
NO_NUMBER = "its row's score is no number"
NOT_KNOWN = "the level is unknown (-1)"
ROLES = {"system": "system", "developer": "system", "assistant": "assistant", "tool": "tool"}
"""Of speakers; any other asks."""

Row = dict[str, Any]
Place = tuple[str, int]
"""Sample and epoch."""


def read_rows(path: Path, raw: bytes) -> list[Row]:
    """The rows of a file.

    Raises:
        RejectedFile: A line is no JSON object with a `sample_id`; the reason names it.
    """
    rows = []
    for at, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = decode(line)
        except ValueError as error:
            raise RejectedFile(path, f"line {at} is no JSON: {error}") from error
        identity = row.get("sample_id") if isinstance(row, dict) else None
        if isinstance(identity, bool) or not isinstance(identity, str | int):
            raise RejectedFile(path, f"line {at} is no JSON object with a `sample_id`")
        rows.append(row)
    return rows


def attach(rows: list[Row], evaluation_id: Any, evals: list[Eval], notes: list[str]) -> None:
    """Give the evals of a record their samples.

    A row belongs to the eval with the result that it names, else to the one of its evaluation's name; rows of neither
    become an eval by themselves, and rows of another record are left out. Notes say so.

    Args:
        rows: As `read_rows` gives them.
        evaluation_id: The record's.
        evals: Those of the record; further ones are added.
        notes: Gets remarks.
    """
    ours = [row for row in rows if row.get("evaluation_id", evaluation_id) == evaluation_id]
    if len(ours) < len(rows):
        notes.append(f"{_rows(len(rows) - len(ours))} of another record (`evaluation_id`), left out")
    found: dict[int, list[Row]] = {}
    for row in ours:
        found.setdefault(_eval_of(row, evals, notes), []).append(row)
    missing = twice = 0
    for at, its in found.items():
        gathered = _Gathered(evals[at])
        for row in its:
            gathered.add(row)
        evals[at].record.samples = list(gathered.samples.values())
        missing, twice = missing + gathered.missing, twice + gathered.twice
        for result in evals[at].results:  # the record's number beside what the samples give
            if result.reported.scorer is None and result.key is None:
                result.reported.scorer = result.scorer
    if missing:
        notes.append(f"{_rows(missing)} without a score of any result: missing, not 0")
    if twice:
        notes.append(f"{_rows(twice)} there a second time: the first counts")


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'} of samples"


def _eval_of(row: Row, evals: list[Eval], notes: list[str]) -> int:
    """Which of the evals a row is of; one is added where it is of none."""
    name, identity = text_of(row.get("evaluation_name")), text_of(row.get("evaluation_result_id"))
    named = [at for at, one in enumerate(evals) if one.record.task == name]
    for among in (named, range(len(evals))) if identity else ():
        holding = [at for at in among if any(result.id == identity for result in evals[at].results)]
        if len(holding) == 1:
            return holding[0]
    if len(named) == 1:
        return named[0]
    if name is None and len(evals) == 1:
        return 0
    first = evals[0].record
    task = name or "samples"
    if len(named) > 1 and not evals[named[-1]].results:
        return named[-1]
    notes.append(f"samples of {task} are of none of the record's results, or of several alike: an eval of their own")
    evals.append(
        Eval(EvalRecord(task, model=first.model, created=first.created, model_args_json=first.model_args_json))
    )
    return len(evals) - 1


class _Gathered:
    """The samples of one eval, row by row."""

    def __init__(self, eval: Eval) -> None:
        self.samples: dict[Place, SampleRecord] = {}
        self.missing = self.twice = 0
        self._results = {one.id: one for one in eval.results if one.id}
        self._only = eval.results[0] if len(eval.results) == 1 else None
        self._seen: dict[tuple[str, str | None], int] = {}
        self._told: set[tuple[str, str | None, int]] = set()

    def add(self, row: Row) -> None:
        key, identity = clean(str(row["sample_id"])), text_of(row.get("evaluation_result_id"))
        self._seen[key, identity] = self._seen.get((key, identity), 0) + 1
        # Converters of Inspect logs keep the epoch; elsewhere a sample that stands there again is a further one.
        epoch = _epoch(row) or self._seen[key, identity]
        if (key, identity, epoch) in self._told:
            self.twice += 1
            return
        self._told.add((key, identity, epoch))
        sample = self.samples.get((key, epoch))
        if sample is None:
            sample = self.samples[key, epoch] = _sample(key, epoch, row)
        self._score(sample, row, identity)

    def _score(self, sample: SampleRecord, row: Row, identity: str | None) -> None:
        result = self._results.get(identity) if identity else None
        unnamed = identity is None and bool(self._results)
        if identity is None and result is None and not unnamed:
            result = self._only
        score = _score(row, result, identity, OF_NO_RESULT if unnamed else None)
        self.missing += score.value_type == "missing"
        if unnamed:
            return self._unscored(sample, score)
        known = [one for one in sample.scores if (one.scorer, one.key) == (score.scorer, score.key)]
        if not known:
            sample.scores.append(score)
        elif any((one.value_num, one.value_type) != (score.value_num, score.value_type) for one in known):
            # Several metrics of one scorer repeat its score; where they don't, each is one of its own.
            score.key = identity
            sample.scores.append(score)
        return None

    def _unscored(self, sample: SampleRecord, score: ScoreRecord) -> None:
        """Every result that has samples lacks this one."""
        for result in self._results.values():
            if not any((one.scorer, one.key) == (result.scorer, result.key) for one in sample.scores):
                sample.scores.append(ScoreRecord(result.scorer, result.key, reason=score.reason))


def _epoch(row: Row) -> int | None:
    told = as_dict(row, "metadata").get("epoch")
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) < 9:
        told = int(told)
    found = whole(told)
    return found if found and found < 2**31 else None


def _score(row: Row, result: Result | None, identity: str | None, missing: str | None) -> ScoreRecord:
    evaluation = as_dict(row, "evaluation")
    scorer, key = (result.scorer, result.key) if result else (identity or UNNAMED, None)
    score = ScoreRecord(clean(scorer), key)
    value = evaluation.get("score")
    if missing is not None or not (is_number(value) or isinstance(value, bool)):
        score.reason = missing or NO_NUMBER
    elif result and result.unknown_level and value == UNKNOWN_LEVEL:
        score.reason = NOT_KNOWN
    else:
        score.value_num, score.value_text, score.value_type = scalar(value)
    answers = [one for one in objects_of(row, "answer_attribution") if one.get("is_terminal", True)]
    score.answer = text_of(answers[-1].get("extracted_value")) if answers else None
    if isinstance(evaluation.get("is_correct"), bool):
        score.metadata_json = json_text({"is_correct": evaluation["is_correct"]})
    return score


def _sample(key: str, epoch: int, row: Row) -> SampleRecord:
    asked, output = as_dict(row, "input"), as_dict(row, "output")
    replies = _texts(output.get("raw"))
    messages = [_message(turn) for turn in objects_of(row, "messages")]
    if messages:
        reply = next((one.text for one in reversed(messages) if one.role == "assistant"), None)
    else:
        reply = replies[0] if replies else None
        messages = _exchange(asked, reply, _texts(output.get("reasoning_trace")))
    references, choices = _texts(asked.get("reference")), _texts(asked.get("choices"))
    usage, model = as_dict(row, "token_usage"), text_of(row.get("model_id"))
    metadata = {**as_dict(row, "metadata"), **{name: row[name] for name in KEPT if row.get(name) is not None}}
    if len(replies) > 1:
        metadata["replies"] = replies
    return SampleRecord(
        key,
        epoch,
        id_is_number=isinstance(row["sample_id"], int),
        input=text_of(asked.get("raw")),
        target=references[0] if len(references) == 1 else json_text(references) if references else None,
        choices_json=json_text(choices) if choices else None,
        reply=reply,
        error=text_of(row.get("error")),
        metadata_json=json_text(metadata) if metadata else None,
        model_usage_json=json_text({model: usage}) if usage and model else None,
        messages=messages,
    )


def _exchange(asked: Row, reply: str | None, reasoning: list[str]) -> list[MessageRecord]:
    """One question and its reply, as the model saw them."""
    prompt = text_of(asked.get("formatted")) or text_of(asked.get("raw"))
    messages = [MessageRecord("user", prompt)] if prompt else []
    if reply is not None:
        messages.append(MessageRecord("assistant", reply, reasoning="\n".join(reasoning) or None))
    return messages


def _message(turn: Row) -> MessageRecord:
    role, content, calls = str(turn.get("role")).lower(), turn.get("content"), objects_of(turn, "tool_calls")
    answered = _texts(turn.get("tool_call_id"))
    return MessageRecord(
        ROLES.get(role, "user"),
        clean(content) if isinstance(content, str) else "",
        reasoning=text_of(turn.get("reasoning_trace")),
        tool_calls_json=json_text([_call(one) for one in calls]) if calls else None,
        tool_call_id=answered[0] if answered else None,
    )


def _call(call: Row) -> Row:
    return {"id": call.get("id"), "function": call.get("name"), "arguments": call.get("arguments") or {}}


def _texts(value: Any) -> list[str]:
    """The texts of a list; a text alone is one."""
    listed = value if isinstance(value, list) else [value]
    return [clean(one) for one in listed if isinstance(one, str)]
