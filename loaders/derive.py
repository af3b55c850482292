"""Deciding anew, from the facts in a store and the cards, what is which: runs, places, conflicts, definitions.

The decisions are pure (`loaders.study`); here the facts are fetched for them, and what differs from the decisions in
force is written under the batch. A file of which nothing can be decided keeps no other out: it is left out and named.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import duckdb
import msgspec

from loaders.errors import unforeseen
from loaders.formats import may_be_table
from loaders.placings import place_evals
from loaders.shelf import GIVEN, CardShelf
from loaders.standings import settle_standings
from loaders.store.reconcile import reconcile
from loaders.study.definitions import StudyFile, StudyRow, study_rows
from loaders.study.evidence import Conflict, Placement
from loaders.study.lineage import runs_of
from loaders.study.reading import builtin_study
from loaders.study.unmatched import SeenEval, at_line, odd_steps, unmatched, unmatched_logs
from loaders.trained import (
    checkpoint_rows,
    place_logged,
    place_trained,
    with_base_models,
    with_mixes,
    with_runs_of_weights,
)


class _Odd(Exception):
    """Files of which nothing can be decided."""

    def __init__(self, reasons: Mapping[int, str]) -> None:
        self.reasons = reasons
        super().__init__(reasons)


def derive(cursor: duckdb.DuckDBPyConnection, batch: int) -> tuple[list[str], dict[int, str]]:
    """Decide everything anew as of `batch`, and write what differs under it, all or nothing.

    Returns:
        The conflicts, for people; and the sources of which nothing can be decided, each with the reason. Nothing is
        written of those, and they are still live: it is for the caller to take them out.
    """
    odd: dict[int, str] = {}
    while True:
        try:
            return _derive(cursor, batch, odd), odd
        except _Odd as found:
            odd |= found.reasons
        except Exception as error:  # noqa: BLE001 - whatever is in one file, the others are decided
            odd[_culprit(cursor, batch, odd, error)] = unforeseen(error)


def _culprit(cursor: duckdb.DuckDBPyConnection, batch: int, odd: Collection[int], error: Exception) -> int:
    """The first source with which deciding fails where it doesn't without it, logs before cards.

    Raises:
        Exception: The error itself, where it fails without any source: then no file is at fault.
    """
    sources = [row[0] for row in cursor.execute(SOURCES, [batch]).fetchall() if row[0] not in odd]

    def fails(count: int) -> bool:
        try:
            _derive(cursor, batch, {*odd, *sources[count:]}, keep=False)
        except Exception:  # noqa: BLE001 - that it fails is the answer
            return True
        return False

    if fails(0) or not fails(len(sources)):
        raise error
    sound, failing = 0, len(sources)
    while failing - sound > 1:
        middle = (sound + failing) // 2
        sound, failing = (sound, middle) if fails(middle) else (middle, failing)
    return int(sources[failing - 1])


def _derive(cursor: duckdb.DuckDBPyConnection, batch: int, without: Collection[int], keep: bool = True) -> list[str]:
    """Decide without some sources; the conflicts, for people."""
    shelf = CardShelf.load(cursor, batch, without)
    placements, conflicts, odd = place_evals(cursor, batch, shelf, without)
    trained, more = place_trained(cursor, batch, shelf, without)
    if odd := {**shelf.odd, **odd}:
        raise _Odd(odd)
    logged = place_logged(cursor, batch, shelf, without, trained)
    placements = with_runs_of_weights(placements, trained)
    places = [*placements.values(), *(t.placement for t in trained), *logged.placements]
    runs, lineage = runs_of(shelf.trees.values(), places)
    runs = with_mixes(with_base_models(runs, trained), trained)
    told = [*conflicts, *more, *lineage]
    told += _unmatched(cursor, batch, shelf, {i: p.eval for i, p in placements.items()})
    studies = [*shelf.studies, ("built-in", builtin_study())]
    cursor.execute("BEGIN")
    try:
        reconcile(cursor, batch, "placements", [_placement_row(i, p, logged.tokens) for i, p in placements.items()])
        settle_standings(cursor, batch)
        reconcile(cursor, batch, "runs", [msgspec.structs.asdict(run) for run in runs])
        reconcile(cursor, batch, "checkpoints", checkpoint_rows(trained, shelf, logged.tokens))
        reconcile(cursor, batch, "training_places", logged.places)
        reconcile(cursor, batch, "conflicts", [_conflict_row(conflict) for conflict in told])
        reconcile(cursor, batch, "study", [_study_row(row) for row in study_rows(studies)])
    except BaseException:
        cursor.execute("ROLLBACK")
        raise
    cursor.execute("COMMIT" if keep else "ROLLBACK")
    return _causes(told)


def _causes(told: Sequence[Conflict]) -> list[str]:
    """One line for each cause, with how many logs it concerns: the same rules that disagree about the same field."""
    by_cause: dict[Any, list[tuple[str, str]]] = {}
    for conflict in told:
        cause: Any = conflict.message
        if conflict.path is not None:
            cause = (conflict.kind, conflict.field, tuple(_kind(source) for source, _ in conflict.candidates))
        by_cause.setdefault(cause, []).append((conflict.path or "", conflict.message))
    lines = []
    for members in by_cause.values():
        path, message = min(members)
        more = len({path for path, _ in members}) - 1
        line = f"{path}: {message}" if path else message
        lines.append(f"{line} So it is with {more} more log{'s' if more > 1 else ''}." if more else line)
    return sorted(lines)


def _kind(source: str) -> str:
    """The kind of rule that a source is: `model name`, `metadata.step`, or a card by its own name."""
    if source.startswith("run card"):
        return source
    two = " ".join(source.split(" ", 2)[:2])
    return two if two in ("model name", "file name", "folder name", "trainer state") else source.split(" ", 1)[0]


def _unmatched(
    cursor: duckdb.DuckDBPyConnection, batch: int, shelf: CardShelf, names: dict[int, str]
) -> Iterator[Conflict]:
    """The entries of cards and study files that match nothing. Those above a root speak of other folders too."""
    if not any(tree.studies or tree.cards for tree in shelf.trees.values()):
        return
    paths: dict[str, list[str]] = {}
    for root, path in cursor.execute(PATHS, {"batch": batch}).fetchall():
        paths.setdefault(root, []).append(path)
    has_study = any(tree.studies for tree in shelf.trees.values())
    seen = cursor.execute(SEEN, {"batch": batch}).fetchall() if has_study else []
    evals = [
        SeenEval(name=names[i], task=task, scores=_pairs(scores), reported=frozenset(reported or ()))
        for i, task, scores, reported in seen
        if i in names
    ]
    idle: dict[bytes, list[set[tuple[str, str]]]] = {}
    files: dict[bytes, tuple[str, StudyFile]] = {}
    for root, tree in shelf.trees.items():
        files_there = [path for path in paths.get(root, ()) if not _is_card(path)]
        tables = [path for path in paths.get(root, ()) if may_be_table(path)]
        for each in tree.cards:
            if not each.path.startswith("../"):
                idle_logs = unmatched_logs(each.card.logs, partial(tree.matches_any, each.path, files_there))
                for entry, said in idle_logs:
                    yield _study_conflict(each.path, each.card.lines, entry, said)
                for said in odd_steps(each.card):
                    yield _study_conflict(each.path, each.card.lines, "run card", said)
        for file, study in tree.studies:
            if file.startswith("../"):
                continue

            matches, is_table = partial(tree.matches_any, file, files_there), partial(tree.matches_any, file, tables)
            found = set(unmatched(study, matches, is_table, evals))
            key = msgspec.json.encode([file, study])
            files[key] = (file, study)
            idle.setdefault(key, []).append(found)
    # One file given with --study to several roots: an entry does its part where it matches in one of them.
    for key, sets in idle.items():
        file, study = files[key]
        for entry, said in sorted(set.intersection(*sets), key=lambda pair: study.lines.get(pair[0], 0)):
            yield _study_conflict(file, study.lines, entry, said)


def _pairs(scored: Sequence[Mapping[str, Any]] | None) -> frozenset[tuple[str, str | None]]:
    return frozenset((each["scorer"], each["key"]) for each in scored or ())


def _study_conflict(path: str, lines: Mapping[str, int], entry: str, said: str) -> Conflict:
    return Conflict(kind="study", field=entry, message=at_line(lines, entry, said), candidates=[], path=path)


def _is_card(path: str) -> bool:
    return path.startswith(GIVEN) or path.rpartition("/")[2] in ("run.yaml", "study.yaml")


def _placement_row(eval_id: int, placement: Placement, tokens: dict[tuple[str, int], float]) -> dict[str, Any]:
    measured = tokens.get((placement.run, placement.step)) if placement.step is not None else None
    told = placement.tokens if measured is None else measured
    return msgspec.structs.asdict(placement) | {"eval_id": eval_id, "tokens": told}


def _conflict_row(conflict: Conflict) -> dict[str, Any]:
    candidates = json.dumps([list(pair) for pair in conflict.candidates])
    return msgspec.structs.asdict(conflict) | {"candidates_json": candidates}


def _study_row(row: StudyRow) -> dict[str, Any]:
    body = msgspec.json.encode(row.body).decode()
    return {"kind": row.kind, "name": row.name, "position": row.position, "body": body, "origin": row.origin}


SOURCES = """
SELECT source_id FROM live_sources($1) ORDER BY source_id IN (SELECT source_id FROM live_cards($1)), source_id
"""
"""Cards last: where a log can't be placed beside a card and can without, the card is at fault."""

PATHS = "SELECT DISTINCT root, path FROM live_locations($batch) ORDER BY root, path"

SEEN = """
SELECT eval_id, task, scored, reported
FROM evals e JOIN live_sources($batch) s USING (source_id)
LEFT JOIN (SELECT eval_id, list(DISTINCT {'scorer': scorer, 'key': key}) AS scored FROM (
        SELECT eval_id, scorer, key FROM scores
        UNION ALL SELECT eval_id, scorer, key FROM live_scans($batch)
    ) GROUP BY eval_id) USING (eval_id)
LEFT JOIN (SELECT eval_id, list(DISTINCT metric) AS reported FROM reported GROUP BY eval_id) USING (eval_id)
"""
