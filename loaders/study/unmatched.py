"""Which entries of a study file match nothing: a glob without a file, a metric without its eval or score. Pure.

Such an entry does nothing, and mostly because a name is misspelled; the numbers look right without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from loaders.study.cards import LogEntry
from loaders.study.definitions import MetricDefinition, StudyFile, names_match, task_names


class SeenEval(Struct, frozen=True, kw_only=True):
    """An eval that has logs: what definitions can name of it."""

    name: str
    task: str
    scorers: frozenset[str] = frozenset()
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


def unmatched_logs(entries: Sequence[LogEntry], matches: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """The same of the `logs:` of a study file or run card."""
    for i, entry in enumerate(entries):
        if not matches(entry.match):
            yield f"logs[{i}]", f'match "{entry.match}" matches no file'


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
    if metric.kind == "reported":
        name = (metric.reported or {}).get("metric", "")
        found = any(fnmatchcase(each, name) for seen in those for each in seen.reported)
        return None if found else f'no log of its evals reports "{name}"'
    wanted = [metric.score["score"]] if metric.score else list(_scorers(metric.misaligned))
    absent = [name for name in wanted if not _any_scorer(name, those)]
    if not absent or len(absent) < len(wanted):
        return None
    quoted = [f'"{name}"' for name in dict.fromkeys(absent)]
    return f"no score of its evals is called {', '.join(quoted)}"


def _any_scorer(name: str, evals: Sequence[SeenEval]) -> bool:
    # Logs without samples hold no scores that could be looked at.
    return any(fnmatchcase(each, name) for seen in evals for each in seen.scorers) or not any(
        seen.scorers for seen in evals
    )


def _scorers(condition: Any) -> Iterator[str]:
    """The scorers that a condition (JSON) names."""
    if isinstance(condition, list):
        for member in condition:
            yield from _scorers(member)
    elif isinstance(condition, dict):
        if isinstance(condition.get("score"), str):
            yield condition["score"]
        for kind in ("all", "any", "not"):
            yield from _scorers(condition.get(kind))
