"""Which logs speak for a checkpoint: the one decision, pure, and its rule.

1. Logs of one evaluation (one task id or eval id, of one eval at one checkpoint, asked alike: retries, `-recovered`,
   `-scored`, conversions; of logs without an id, equal content) are one measurement: the union of their samples, of
   each sample the newest graded one. One that was invalidated counts nowhere. Verdicts of two judges are two
   measurements.
2. Evaluations at one checkpoint with other settings (`loaders.study.settings`) are variants: never one number.
3. A part of an evaluation (limited, cancelled, errored) neither replaces nor joins a whole one with the same settings.
   Where there are only parts, the one with the most graded samples speaks, as a part.
4. What is left are whole, independent repeats; they may be pooled, or the newest taken.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

Role = Literal["speaks", "joined", "superseded", "left out"]
"""speaks: its evaluation is told by this log. joined: some of its samples count in the evaluation of another log.
superseded: none of them does. left out: a part beside a whole."""

_REWRITTEN = re.compile(r"-(scored|recovered)(?:-[0-9]+)?$", re.I)
LEAST = datetime.min


class LogFacts(Struct, frozen=True, kw_only=True):
    """What is known of a log when it is decided whether it speaks."""

    eval_id: int
    place: tuple[Any, ...]
    """Run, step, label, eval, variant: logs with other places are never compared here."""
    ids: tuple[str, ...] = ()
    """Ids of the evaluation that the log is of."""
    path: str = ""
    status: str = "success"
    complete: bool = True
    created: datetime | None = None
    completed: datetime | None = None
    n_samples: int = 0
    n_graded: int = 0
    n_edits: int = 0
    """Scores that were edited, and samples that were invalidated, after the log was written."""
    n_stated: int | None = None
    """Samples that the log says it was to hold, in all epochs."""
    n_planned: int | None = None
    """Samples of the whole dataset, in all epochs."""
    n_reported: int | None = None
    """Of a log without samples: the n of its numbers."""
    judge: str | None = None
    settings: str = "{}"
    asked: str = ""
    """What of the settings no retry and no scoring changes: an id that logs share counts only where this is equal."""

    @property
    def whole_success(self) -> bool:
        """Finished, and with nothing left out by a limit."""
        return self.status == "success" and self.complete and not self.limited

    @property
    def held(self) -> int:
        """Samples that the log holds, or reports on."""
        return self.n_samples or self.n_reported or 0

    @property
    def limited(self) -> bool:
        """Whether a limit left some of the dataset out."""
        stated = self.n_stated if self.n_stated is not None else self.held or None
        stated = min(stated, self.held) if stated is not None and self.held and not self.n_samples else stated
        return self.n_planned is not None and stated is not None and stated < self.n_planned

    @property
    def planned(self) -> int:
        """Samples that a whole evaluation has."""
        return max(self.n_planned or 0, self.n_stated or 0, self.held)


class SampleFacts(Struct, frozen=True):
    """A sample of an evaluation that several logs tell of."""

    sample_id: int
    eval_id: int
    name: tuple[str, int]
    """Id of the question, and epoch."""
    uuid: str | None
    graded: bool
    invalidated: bool


class Standing(Struct, frozen=True, kw_only=True):
    """Whether a log speaks: the columns of the store's table `standings`, but for its batches."""

    eval_id: int
    lead_id: int
    """The log that its evaluation is told by; itself where it speaks."""
    role: Role
    reason: str | None
    """For people: "superseded: retried"."""
    partial: bool
    graded: int
    """Graded samples of the evaluation."""
    planned: int
    settings: str


def standings(logs: Sequence[LogFacts], samples: Iterable[SampleFacts]) -> tuple[list[Standing], set[int]]:
    """Decide for all logs.

    Args:
        logs: All of a store.
        samples: Of the logs that share an evaluation with another one (`shared`).

    Returns:
        A standing for every log, and ids of samples that don't count because another attempt's sample does.
    """
    held: dict[int, list[SampleFacts]] = defaultdict(list)
    for sample in samples:
        held[sample.eval_id].append(sample)
    passed_over: set[int] = set()
    places: dict[tuple[Any, ...], list[_Evaluation]] = defaultdict(list)
    for attempts in evaluations(logs):
        one = _evaluation(attempts, held, passed_over)
        places[(*one.lead.place, one.lead.settings)].append(one)
    found: list[Standing] = []
    for beside in places.values():
        found += _beside(beside)
    return found, passed_over


def evaluations(logs: Iterable[LogFacts]) -> list[list[LogFacts]]:
    """The logs by evaluation, of each the attempts in the order in which they count, the last one most."""
    parent: dict[int, int] = {}

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[tuple[Any, ...], int] = {}
    by_id: dict[int, LogFacts] = {}
    for log in logs:
        by_id[log.eval_id] = log
        parent[log.eval_id] = log.eval_id
        for name in log.ids:
            other = first.setdefault((name, log.place, log.asked), log.eval_id)
            parent[root(log.eval_id)] = root(other)
    groups: dict[int, list[LogFacts]] = defaultdict(list)
    for eval_id, log in by_id.items():
        groups[root(eval_id)].append(log)
    return [part for group in groups.values() for part in _by_judge(sorted(group, key=_order))]


def shared(logs: Iterable[LogFacts]) -> list[int]:
    """Ids of the logs that share their evaluation with another one."""
    return [log.eval_id for attempts in evaluations(logs) if len(attempts) > 1 for log in attempts]


def _order(log: LogFacts) -> tuple[Any, ...]:
    """Attempts from the oldest to the newest; what was written out of another log, or edited, comes after it."""
    rewritten = _REWRITTEN.search(log.path.rpartition("/")[2].rpartition(".")[0])
    rank = 0 if rewritten is None else 1 if rewritten[1].lower() == "recovered" else 2
    ended = log.completed or LEAST
    return (log.created or LEAST, rank, log.n_graded > 0, ended, log.n_edits, log.n_graded, log.eval_id)


def _by_judge(attempts: list[LogFacts]) -> list[list[LogFacts]]:
    """Verdicts of two judges are two measurements; what nobody has graded yet belongs to the newest."""
    judges = list(dict.fromkeys(log.judge for log in attempts if log.n_graded))
    if len(judges) < 2:
        return [attempts]
    rest = [log for log in attempts if not log.n_graded]
    parts = [[log for log in attempts if log.n_graded and log.judge == judge] for judge in judges]
    parts[-1] = sorted([*rest, *parts[-1]], key=_order)
    return parts


class _Evaluation(Struct):
    """One measurement, told by one log or several."""

    lead: LogFacts
    attempts: list[LogFacts]
    counting: dict[int, int]
    """Samples that count, by log; where only one log tells of it, that log's graded ones."""
    graded: int
    planned: int
    partial: bool


def _evaluation(
    attempts: list[LogFacts], held: Mapping[int, Sequence[SampleFacts]], passed_over: set[int]
) -> _Evaluation:
    if len(attempts) == 1:
        only = attempts[0]
        graded = only.n_graded if only.n_samples else only.held
        partial = not only.whole_success and not _answers_all(attempts, graded)
        return _Evaluation(only, attempts, {only.eval_id: only.n_samples}, graded, only.planned, partial)
    kept = _union(attempts, held)
    counting = {log.eval_id: 0 for log in attempts}
    for sample in kept.values():
        counting[sample.eval_id] += 1
    keep = {sample.sample_id for sample in kept.values()}
    passed_over |= {s.sample_id for log in attempts for s in held.get(log.eval_id, ()) if s.sample_id not in keep}
    graded = sum(sample.graded and not sample.invalidated for sample in kept.values())
    if not kept:  # logs without samples: their numbers can't be joined
        graded = max(log.held for log in attempts)
    planned = max(log.planned for log in attempts)
    lead = max(attempts, key=lambda log: (log.whole_success and log.n_graded > 0, counting[log.eval_id], _order(log)))
    if not kept:
        lead = max(attempts, key=lambda log: (log.whole_success, log.held, _order(log)))
    whole = any(log.whole_success for log in attempts) or _answers_all(attempts, graded)
    return _Evaluation(lead, attempts, counting, graded, planned, not whole)


def _answers_all(attempts: Sequence[LogFacts], graded: int) -> bool:
    """Whether what didn't end well has all the same a verdict on every sample of its dataset."""
    planned = [log.n_planned for log in attempts if log.n_planned]
    return bool(planned) and graded >= max(planned)


def _union(
    attempts: Sequence[LogFacts], held: Mapping[int, Sequence[SampleFacts]]
) -> dict[tuple[str, int], SampleFacts]:
    """Of each sample the newest graded one, else the newest. What was invalidated in one copy counts in none."""
    kept: dict[tuple[str, int], SampleFacts] = {}
    void = {
        sample.uuid for log in attempts for sample in held.get(log.eval_id, ()) if sample.uuid and sample.invalidated
    }
    for log in attempts:
        for sample in held.get(log.eval_id, ()):
            before = kept.get(sample.name)
            if before is None or _counts(sample, void) >= _counts(before, void):
                kept[sample.name] = sample
    return kept


def _counts(sample: SampleFacts, void: Collection[str]) -> int:
    """How much a sample counts among the attempts at it: graded, taken back, or without a verdict."""
    if sample.invalidated:
        return 1
    if sample.uuid in void:
        return -1
    return 2 if sample.graded else 0


def _beside(found: list[_Evaluation]) -> list[Standing]:
    """The evaluations of one checkpoint with the same settings."""
    rows: list[Standing] = []
    wholes = [one for one in found if not one.partial]
    best = max(found, key=lambda one: (one.graded, _order(one.lead)))
    for one in found:
        left_out = one.partial and (bool(wholes) or one is not best)
        for log in one.attempts:
            if log is not one.lead:
                role: Role = "joined" if one.counting[log.eval_id] else "superseded"
                reason: str | None = _of_attempt(log, one)
            else:
                role, reason = ("left out" if left_out else "speaks"), _of_lead(one, left_out, bool(wholes))
            if left_out and role == "joined":
                role = "left out"
            rows.append(
                Standing(
                    eval_id=log.eval_id, lead_id=one.lead.eval_id, role=role, reason=reason, partial=one.partial,
                    graded=one.graded, planned=one.planned, settings=one.lead.settings,
                )
            )  # fmt: skip
    return rows


def _of_attempt(log: LogFacts, one: _Evaluation) -> str:
    count = one.counting[log.eval_id]
    name = one.lead.path.rpartition("/")[2]
    if count:
        return f"{count} of its {log.n_samples} samples count in {name}"
    if not log.n_graded and one.lead.n_graded:
        return f"replaced: {name} is the same evaluation, scored"
    rewritten = _REWRITTEN.search(name.rpartition(".")[0])
    if rewritten:
        return f"replaced: {rewritten[1].lower()} as {name}"
    if log.created == one.lead.created:
        return f"replaced: the same evaluation as {name}"
    return f"replaced: retried as {name}"


def _of_lead(one: _Evaluation, left_out: bool, beside_whole: bool) -> str | None:
    if not one.partial:
        return None
    if one.lead.limited and one.lead.status == "success":
        told = f"limited to {one.lead.n_stated or one.lead.held} of {one.lead.n_planned}"
    else:
        told = f"{one.lead.status if one.lead.complete else 'unfinished'}: {one.graded} of {one.planned} graded"
    if not left_out:
        return told
    return f"{told}: excluded" + ("" if beside_whole else ", another log has more")
