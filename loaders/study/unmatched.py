"""Which entries of a study file do nothing: a glob without a file, a step that is none, a metric without score. Pure.

Such an entry does nothing, and mostly because a name is misspelled; the numbers look right without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from loaders.study.cards import LogEntry, RunCard
from loaders.study.definitions import MetricDefinition, StudyFile, names_match, task_names
from loaders.study.naming import LABELS, epoch_of

MOST_KEYS = 5
LABEL = "is read as a label, with no place among steps: write a number, or a label such as base or final"


class SeenEval(Struct, frozen=True, kw_only=True):
    """An eval that has logs: what definitions can name of it."""

    name: str
    task: str
    scores: frozenset[tuple[str, str | None]] = frozenset()
    """Scorers, each with the keys of its scores."""
    reported: frozenset[str] = frozenset()
    """Names of the numbers that its logs report themselves."""


def unmatched(
    study: StudyFile, matches: Callable[[str], bool], is_table: Callable[[str], bool], evals: Collection[SeenEval]
) -> Iterator[tuple[str, str]]:
    """The entries that match nothing: each one's place in the file (`logs[0]`), and a sentence.

    Args:
        study: The file.
        matches: Whether a glob of it matches any file.
        is_table: The same, of the files that can be tables.
        evals: All that have logs.
    """
    for i, card in enumerate(study.runs):
        # A run whose checkpoints are listed is known by them.
        if card.match is not None and not card.checkpoints and not matches(card.match):
            yield f"runs[{i}]", f'match "{card.match}" matches no file'
    yield from unmatched_logs(study.logs, matches)
    for i, table in enumerate(study.tables):
        if not is_table(table.match):
            yield f"tables[{i}]", f'match "{table.match}" matches no table'
    for i, card in enumerate(study.runs):
        yield from ((f"runs[{i}]", said) for said in odd_steps(card))
    names = {seen.name for seen in evals}
    for definition in study.evals:
        if definition.name not in names:
            yield f"evals.{definition.name}", f'no log is of this eval (task "{definition.task}")'
    for i, metric in enumerate(study.metrics):
        if said := _unmatched_metric(metric, evals):
            yield f"metrics[{i}]", f'"{metric.name}": {said}'
    for group in study.groups:
        missing = [f'"{name}"' for name in group.evals if name not in names]
        if missing:
            yield f"groups.{group.name}", f"no log is of its eval{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
    names |= {group.name for group in study.groups}
    for i, figure in enumerate(study.figures):
        for number in figure.published:
            if number.eval is not None and number.eval not in names:
                yield f"figures[{i}]", f'no log is of its eval "{number.eval}"'


def unmatched_logs(entries: Sequence[LogEntry], matches: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """The same of the `logs:` of a study file or run card."""
    for i, entry in enumerate(entries):
        if not matches(entry.match):
            yield f"logs[{i}]", f'match "{entry.match}" matches no file'
        if _is_odd(entry.step):
            yield f"logs[{i}]", f'step "{entry.step}" {LABEL}'


def odd_steps(card: RunCard) -> Iterator[str]:
    """Sentences on steps of a card that are neither numbers nor labels that are known to mean a checkpoint."""
    if _is_odd(card.step):
        yield f'step "{card.step}" {LABEL}'
    for i, checkpoint in enumerate(card.checkpoints):
        if checkpoint.step is None and _is_odd(checkpoint.label):
            yield f'checkpoints[{i}]: step "{checkpoint.label}" {LABEL}'


def _is_odd(step: int | str | None) -> bool:
    return isinstance(step, str) and step.strip().lower() not in LABELS and epoch_of(step) is None


def unmatched_ignore(study: StudyFile, matches: Callable[[str], bool]) -> Iterator[str]:
    """Sentences on the globs of `ignore:` that match nothing, each with its line."""
    for i, glob in enumerate(study.ignore):
        if not matches(glob):
            yield at_line(study.lines, f"ignore[{i}]", f'"{glob}" matches no file')


def at_line(lines: Mapping[str, int], entry: str, said: str) -> str:
    """A sentence on an entry, with its line where that is known: `line 3: logs[0]: ...`."""
    return f"line {lines[entry]}: {entry}: {said}" if entry in lines else f"{entry}: {said}"


def _unmatched_metric(metric: MetricDefinition, evals: Collection[SeenEval]) -> str | None:
    those = [seen for seen in evals if names_match(metric.evals, seen.name, *task_names(seen.task))]
    if not those:
        return f"no log is of its evals ({', '.join(metric.evals)})"
    named = [(seen.name, *task_names(seen.task)) for seen in those]
    idle = [glob for glob in metric.evals if not any(names_match([glob], *names) for names in named)]
    if idle:
        return f"no log is of its eval{'s' if len(idle) > 1 else ''} {', '.join(idle)}"
    if metric.kind == "reported":
        name = (metric.reported or {}).get("metric", "")
        found = any(fnmatchcase(each, name) for seen in those for each in seen.reported)
        return None if found else f'no log of its evals reports "{name}"'
    scores = frozenset().union(*(seen.scores for seen in those))
    if not scores:
        return None  # logs without samples hold no scores that could be looked at
    conditions = [metric.score] if metric.score else [metric.misaligned, metric.among, metric.missing]
    absent = dict.fromkeys(name for condition in conditions for name in _absent(condition, scores))
    return f"no score of its evals is called {', '.join(absent)}" if absent else None


def _absent(condition: Any, scores: Collection[tuple[str, str | None]]) -> list[str]:
    """The scores that a condition (JSON) can't do without, and that there are none of."""
    if not isinstance(condition, dict):
        return []
    if isinstance(name := condition.get("score"), str):
        key = condition.get("key")
        # Each key of a score that is a mapping has the same answer and metadata, and a value of its own.
        any_key = key is None and condition.get("field", "value") != "value"
        keys = [of for scorer, of in scores if fnmatchcase(scorer, name)]
        if (any_key and keys) or key in keys:
            return []
        if key is None and keys:
            return [f'"{name}" without a key (`key:` takes one of {", ".join(sorted(map(str, keys))[:MOST_KEYS])})']
        return [f'"{name}"' if key is None else f'"{name}" with a key "{key}"']
    if isinstance(members := condition.get("any"), list):
        absent = [_absent(member, scores) for member in members]
        return [name for names in absent for name in names] if all(absent) else []
    members = condition.get("all")
    needed = [*(members if isinstance(members, list) else []), condition.get("not")]
    return [name for member in needed for name in _absent(member, scores)]
