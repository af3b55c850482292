"""Bloom's run: `rollout.json`, with `judgment.json`, `ideation.json` and the transcripts beside it.

A variation of the scenario is a question and a repetition of it an epoch; the judge's dimensions are its scores. They
go from 1 to 10, and Bloom writes 0 where it found no rating in what the judge said: missing, as is a failed judgment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loaders.audits.conversation import (
    conversation,
    digest,
    is_number,
    object_of,
    objects_of,
    score_records,
    text_of,
)
from loaders.audits.folder import begins
from loaders.audits.petri import about, read_document
from loaders.errors import RejectedFile
from loaders.inspect.times import normal_time, parse_time
from loaders.json_text import json_text
from loaders.records import EvalRecord, LoadedFile, ReportedMetric, SampleRecord, ScoreRecord

FORMAT = "bloom"
IDENTITY = "content"
ROLLOUT, JUDGMENT = "rollout.json", "judgment.json"
OWNERS = (ROLLOUT, JUDGMENT)
"""Of the files of a run, the first of these that is there stands for it."""
OTHERS = (JUDGMENT, "ideation.json", "understanding.json")
TRANSCRIPTS = "transcripts"
"""A folder that they may lie in instead."""
TRANSCRIPT = re.compile(r"transcript_v(\d+)r(\d+)\.json")

SCORER = "judgment"
PRESENCE = "behavior_presence"
NO_SCORE = frozenset({"variation_number", "repetition_number", "num_samples"})
"""Numbers in a judgment that are no dimensions."""
LOWEST, HIGHEST = 1, 10
NOT_RATED = "not rated from 1 to 10"
SIGNS = {ROLLOUT: b'"rollouts"', JUDGMENT: b'"behavior_name"'}

Place = tuple[str, int]
"""Variation and repetition."""


@dataclass
class Run:
    """The documents of a run.

    Attributes:
        transcripts: By variation and repetition, where they lie in files of their own.
        notes: What is wrong with files beside the first.
    """

    rollout: dict[str, Any] = field(default_factory=dict)
    judgment: dict[str, Any] = field(default_factory=dict)
    ideation: dict[str, Any] = field(default_factory=dict)
    transcripts: dict[Place, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def matches(path: Path, head: bytes) -> bool:
    """Whether `read` is the one to read this file, by its name and its first bytes."""
    return path.name in SIGNS and SIGNS[path.name] in head


def is_document(document: Any) -> bool:
    """Whether a JSON document is a run's rollouts or judgments, whatever it is called and stands in it first."""
    rollouts, judgments = objects_of(document, "rollouts"), objects_of(document, "judgments")
    return any("variation_number" in one for one in (*rollouts[:1], *judgments[:1]))


def companions(path: Path) -> list[Path]:
    """The other files of the run that a file stands for; none where it stands for none."""
    if (
        path.name not in OWNERS
        or not begins(path, matches)
        or (path.name == JUDGMENT and begins(path.with_name(ROLLOUT), matches))
    ):
        return []
    beside = [path.with_name(name) for name in OTHERS if name != path.name and path.with_name(name).is_file()]
    for folder in (path.parent, path.parent / TRANSCRIPTS):
        if folder.is_dir():
            beside += sorted(other for other in folder.iterdir() if TRANSCRIPT.fullmatch(other.name))
    return beside


def read(path: Path) -> LoadedFile:
    """Read a run: its rollouts with their judgments, or judgments alone.

    Another file of the run that can't be read leaves the rest in, with a note that says what is wrong with it.

    Raises:
        RejectedFile: The file is broken; the reason says where.
    """
    run = _read(path)
    rollouts, again = _by_place(objects_of(run.rollout, "rollouts"))
    judged, twice = _by_place(objects_of(run.judgment, "judgments"))
    failed, _ = _by_place(objects_of(run.judgment, "failed_judgments"))
    dimensions = _dimensions(judged.values())
    notes, samples = list(run.notes), list[SampleRecord]()
    for place in dict.fromkeys([*rollouts, *run.transcripts, *judged, *failed]):
        sample, problem = _sample(place, rollouts.get(place, {}), run)
        if place in judged:
            told = object_of(run.transcripts.get(place), "metadata")
            sample.scores = _scores({key: judged[place].get(key) for key in dimensions}, judged[place], told)
        elif place in failed:
            reason = text_of(failed[place].get("error")) or "the judgment failed"
            sample.scores = [ScoreRecord(SCORER, PRESENCE, reason=reason)]
        samples.append(sample)
        if problem:
            notes.append(f"variation {place[0]}, repetition {place[1]}: its conversation is left out: {problem}")
    if not samples:
        raise RejectedFile(path, "there is no rollout and no judgment in it: run Bloom's rollout stage again")
    notes += _notes(samples, len(failed.keys() - judged.keys()), again + twice)
    record = _eval(run, samples)
    record.reported = _reported(run.judgment, samples)
    return LoadedFile(FORMAT, evals=[record], notes=notes)


def _read(path: Path) -> Run:
    document = read_document(path)
    if not isinstance(document, dict):
        raise RejectedFile(path, f"holds a JSON {type(document).__name__}, where a run of Bloom is an object")
    run = Run(rollout=document) if "rollouts" in document else Run(judgment=document)
    for other in companions(path):
        try:
            told = read_document(other)
        except RejectedFile as error:
            run.notes.append(f"{other.name} is left out: {error.reason}")
            continue
        if not isinstance(told, dict):
            run.notes.append(f"{other.name} is left out: it is no JSON object")
        elif other.name == JUDGMENT:
            run.judgment = told
        elif other.name == "ideation.json":
            run.ideation = told
        elif named := TRANSCRIPT.fullmatch(other.name):
            run.transcripts.setdefault((_number(named[1]), int(named[2][:9])), told)
    return run


def _by_place(entries: list[dict[str, Any]]) -> tuple[dict[Place, dict[str, Any]], int]:
    """Entries by variation and repetition, and how many were of a place that had one already: the first counts."""
    found: dict[Place, dict[str, Any]] = {}
    for one in entries:
        repetition = one.get("repetition_number")
        counted = isinstance(repetition, int) and 0 < repetition < 2**31
        place = (_number(one.get("variation_number")), int(repetition) if counted and repetition else 1)
        found.setdefault(place, one)
    return found, len(entries) - len(found)


def _dimensions(judged: Iterable[dict[str, Any]]) -> list[str]:
    """What any of the judgments rates."""
    rated = [key for one in judged for key, value in one.items() if is_number(value) and key not in NO_SCORE]
    return list(dict.fromkeys(rated))


def _number(variation: Any) -> str:
    return text_of(str(variation)) or "?"


def _sample(place: Place, rollout: dict[str, Any], run: Run) -> tuple[SampleRecord, str | None]:
    """A rollout as a sample without its scores, and why its conversation is left out, where it is."""
    transcript = object_of(rollout, "transcript") or run.transcripts.get(place, {})
    talk = conversation(transcript)
    told = object_of(transcript, "metadata")
    scenario = text_of(rollout.get("variation_description")) or _described(place[0], run.ideation)
    # The scenarios are made anew with every ideation: variation 1 of another one is another question.
    key = f"{place[0]}-{digest(scenario)}" if scenario else place[0]
    modality = text_of(rollout.get("modality"))
    metadata = about(told, talk.edits) | {"variation": place[0]} | ({"modality": modality} if modality else {})
    sample = SampleRecord(
        key,
        place[1],
        input=scenario,
        reply=talk.reply,
        uuid=text_of(told.get("transcript_id")),
        error=text_of(rollout.get("error")),
        started_at=normal_time(text_of(told.get("created_at"))),
        completed_at=normal_time(text_of(told.get("updated_at"))),
        metadata_json=json_text(metadata),
        messages=talk.messages,
        views=talk.views,
    )
    return sample, talk.problem


def _described(variation: str, ideation: dict[str, Any]) -> str | None:
    """The scenario of a variation as the ideation has it: they are counted from 1."""
    scenarios = objects_of(ideation, "variations")
    number = int(variation) if variation.isdecimal() and len(variation) < 9 else 0
    return text_of(scenarios[number - 1].get("description")) if 0 < number <= len(scenarios) else None


def _scores(values: dict[str, Any], judged: dict[str, Any], told: dict[str, Any]) -> list[ScoreRecord]:
    # The transcript's copy of the highlights names their messages.
    highlights = object_of(told, "judge_output").get("highlights") or judged.get("highlights")
    each = judged.get("individual_samples")
    metadata = {
        "summary": judged.get("summary"),
        "highlights": highlights,
        "individual_samples": each if isinstance(each, list) and len(each) > 1 else None,
    }
    scores = score_records(SCORER, values, judged.get("justification"), metadata)
    for score in scores:
        if score.value_num is not None and not LOWEST <= score.value_num <= HIGHEST:
            score.value_num, score.value_type, score.reason = None, "missing", NOT_RATED
    return scores


def _notes(samples: list[SampleRecord], failed: int, twice: int) -> Iterator[str]:
    if failed:
        yield f"{failed} of {len(samples)} judgments failed: without scores, not scored 1"
    odd = sum(score.reason == NOT_RATED for sample in samples for score in sample.scores)
    if odd:
        yield f"{odd} scores are {NOT_RATED} (Bloom writes 0 where its judge gave none), and are missing"
    alone = sum(not sample.messages for sample in samples)
    if alone:
        yield f"{alone} of {len(samples)} rollouts are without their conversation"
    if twice:
        yield f"{twice} rollouts or judgments are there twice: the first counts"


def _eval(run: Run, samples: list[SampleRecord]) -> EvalRecord:
    config = object_of(run.rollout, "metadata")
    told = [object_of(object_of(one, "transcript"), "metadata") for one in objects_of(run.rollout, "rollouts")]
    told += [object_of(one, "metadata") for one in run.transcripts.values()]
    documents = (run.judgment, run.ideation)
    behavior = next((name for one in documents if (name := text_of(one.get("behavior_name")))), None)
    times = [time for sample in samples if (time := parse_time(sample.started_at))]
    arguments = {key: config.get(key) for key in ("modality", "max_turns", "no_user_mode")}
    arguments["evaluator"] = _only(told, "auditor_model") or text_of(config.get("evaluator"))
    scenarios = sorted({sample.input for sample in samples if sample.input})
    dataset = f"{behavior or 'scenarios'} {digest(json_text(scenarios))}" if scenarios else behavior
    return EvalRecord(
        f"bloom/{behavior}" if behavior else "bloom",
        model=_only(told, "target_model") or text_of(config.get("target")),
        judge=text_of(run.judgment.get("model")),
        created=min(times, default=None),
        epochs=max(sample.epoch for sample in samples),
        n_samples_reported=_count(run.rollout, "successful_count"),
        n_planned=_count(run.rollout, "total_count"),
        task_args_json=json_text({key: value for key, value in arguments.items() if value is not None}),
        dataset_json=json_text({"name": dataset}) if dataset else None,
        samples=samples,
    )


def _only(told: list[dict[str, Any]], key: str) -> str | None:
    """What all transcripts say alike; None where they differ or say nothing."""
    names = {name for one in told if (name := text_of(one.get(key)))}
    return names.pop() if len(names) == 1 else None


def _count(document: dict[str, Any], key: str) -> int | None:
    value = document.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else None


def _reported(judgment: dict[str, Any], samples: list[SampleRecord]) -> list[ReportedMetric]:
    """Bloom's averages where they aren't those of its own judgments, rounded as Bloom rounds them: to be shown."""
    summary = object_of(judgment, "summary_statistics")
    values: dict[str, list[float]] = {}
    for score in (score for sample in samples for score in sample.scores):
        if score.key is not None and score.value_num is not None:
            values.setdefault(score.key, []).append(score.value_num)
    found = []
    for key, numbers in values.items():
        told = summary.get(f"average_{key}_score" if key == PRESENCE else f"average_{key}")
        if isinstance(told, int | float) and abs(told - sum(numbers) / len(numbers)) > 0.005 + 1e-9:
            found.append(ReportedMetric("mean", float(told), scorer=SCORER, key=key, n=len(numbers)))
    return found
