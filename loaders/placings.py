"""Where every eval belongs: the facts for `loaders.study.placement`; those of a file are read once for all of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import duckdb
from msgspec.structs import replace

from loaders.errors import unforeseen
from loaders.shelf import CardShelf
from loaders.store.reconcile import rows_of
from loaders.study.alone import by_epoch, told_apart
from loaders.study.evidence import Conflict, EvalEvidence, Placement
from loaders.study.naming import names_task
from loaders.study.placement import place, place_task
from loaders.study.together import Identity, brought_together, identity, own_ids
from loaders.study.tree import CardTree
from loaders.trained import from_json

AT_ONCE = 5000
"""So many evals are fetched together at the least: each has the settings of its whole file."""

OWN = ("eval_id", "task", "task_display")
"""What evals of one file, such as the tasks of one run of lm-evaluation-harness, differ in at the least."""


def place_evals(
    cursor: duckdb.DuckDBPyConnection, batch: int, shelf: CardShelf, without: Collection[int]
) -> tuple[dict[int, Placement], list[Conflict], dict[int, str]]:
    """Place every eval by each path that it lies at; the first counts, and where the others disagree is told.

    Returns:
        Placements by eval, conflicts, and the sources that can't be placed, whatever the cards say.
    """
    placements: dict[int, Placement] = {}
    odd: dict[int, str] = {}
    told: list[Conflict] = []
    first_path: dict[int, str] = {}
    files: dict[int, tuple[str, str]] = {}
    identities: dict[int, Identity] = {}
    seen: set[tuple[str, str]] = set()
    used = _used_models(cursor)
    places = _Places(shelf)
    for row in _evidence(cursor, batch):
        eval_id, root, path, source = row["eval_id"], row.pop("root"), row["path"], row.pop("source_id")
        if source in without:
            continue
        ids = row.pop("log_eval_id"), row.pop("task_id")
        row["used_models"] = used.get(eval_id, [])
        try:
            placement, who = places.place(row, root)
        except Exception as error:
            if not _fails_by_itself(row, root):
                raise
            odd[source] = unforeseen(error)
            continue
        if eval_id not in placements:
            placements[eval_id], first_path[eval_id] = placement, path
            files[eval_id] = (root, path)
            identities[eval_id] = replace(who, task=row["task"], ids=own_ids(ids))
            for conflict in placement.conflicts:
                # Once for a log and not for each of its evals.
                if (path, conflict.message) not in seen:
                    seen.add((path, conflict.message))
                    told.append(replace(conflict, path=path, eval_id=eval_id))
            continue
        for name in ("run", "step"):
            here, there = getattr(placement, name), getattr(placements[eval_id], name)
            if here != there and placement.placed and (path, f"copy {name}") not in seen:
                seen.add((path, f"copy {name}"))
                message = (
                    f"a copy of {first_path[eval_id]}, which is {name} {there}; here it would be {name} {here}:"
                    f" counted once, as {name} {there}"
                )
                candidates = [(f"path {first_path[eval_id]}", str(there)), (f"path {path}", str(here))]
                told.append(
                    Conflict(
                        kind="copy", field=name, message=message, candidates=candidates, path=path, eval_id=eval_id
                    )
                )
    together, lies = brought_together(placements, files, identities)
    return by_epoch(told_apart(together, lies)), told, odd


class _Places:
    """Places evals one by one; what a file tells of its weights and place is read once for all of its tasks."""

    def __init__(self, shelf: CardShelf) -> None:
        self._shelf = shelf
        self._file: tuple[str, str] | None = None
        self._told: dict[tuple[Any, ...], tuple[EvalEvidence, Placement, Identity]] = {}

    def place(self, row: dict[str, Any], root: str) -> tuple[Placement, Identity]:
        """Where the eval of a row belongs, and what it shares with others; its task and ids are still to be put in."""
        path = row["path"]
        if (root, path) != self._file:
            self._file = (root, path)
            self._told.clear()
        told = tuple(str(value) if isinstance(value, list) else value for name, value in row.items() if name not in OWN)
        key = (*told, row["task"] if names_task(path) else None)
        if key in self._told:
            evidence, placement, who = self._told[key]
            own = replace(evidence, **{name: row[name] for name in OWN})
            return place_task(own, placement, self._shelf.tree(root)), who
        evidence = eval_evidence(row)
        placement, who = place(evidence, self._shelf.tree(root)), identity(evidence, (None, None))
        self._told[key] = evidence, placement, who
        return placement, who


def _fails_by_itself(row: dict[str, Any], root: str) -> bool:
    """Whether an eval can't be placed where there are no cards either."""
    try:
        place(eval_evidence(row), CardTree([], [], root))
    except Exception:  # noqa: BLE001 - that it fails is the answer
        return True
    return False


def _evidence(cursor: duckdb.DuckDBPyConnection, batch: int) -> Iterator[dict[str, Any]]:
    """The rows of `EVIDENCE` in the order of their paths, some files at a time: all of them may be too much to hold."""
    first: tuple[str, str] | None = None
    waiting = 0
    files = cursor.execute(FILES, {"batch": batch}).fetchall()
    for at, (root, path, evals) in enumerate(files, start=1):
        first, waiting = first or (root, path), waiting + evals
        if waiting >= AT_ONCE or at == len(files):
            between = {"root": first[0], "path": first[1], "last_root": root, "last_path": path}
            yield from rows_of(cursor, EVIDENCE, batch, between)
            first, waiting = None, 0


def _used_models(cursor: duckdb.DuckDBPyConnection) -> dict[int, list[str]]:
    """Names of models that only samples tell: under which they count their tokens, and which wrote their replies."""
    found: dict[int, list[str]] = {}
    for eval_id, name in cursor.execute(USED_MODELS).fetchall():
        found.setdefault(eval_id, []).append(name)
    return found


def eval_evidence(row: dict[str, Any]) -> EvalEvidence:
    """What a log says of itself; a field of another type than it must have says nothing."""
    decoded: dict[str, Any] = {}
    for column in [column for column in row if column.endswith("_json")]:
        name, value = column.removesuffix("_json"), from_json(row[column])
        if name == "model_args" and isinstance(value, str):
            value = _pairs(value)
        kind = list if name == "tags" else dict
        decoded[name] = value if isinstance(value, kind) else kind()
    return EvalEvidence(**{name: value for name, value in row.items() if not name.endswith("_json")}, **decoded)


def _pairs(text: str) -> dict[str, str]:
    """Model args as lm-evaluation-harness takes them: `pretrained=org/model,revision=step1000`."""
    pairs = (part.partition("=") for part in text.split(","))
    return {key.strip(): value.strip() for key, equals, value in pairs if equals and key.strip()}


FILES = """
SELECT l.root, l.path, count(*)
FROM evals e JOIN live_sources($batch) s USING (source_id) JOIN live_locations($batch) l USING (source_id)
GROUP BY ALL ORDER BY ALL
"""

EVIDENCE = """
SELECT e.eval_id, source_id, l.root, l.path, e.task, e.task_display, e.model,
       e.target_model, e.metadata_json, e.tags_json, e.task_args_json,
       e.model_args_json, e.generate_config_json, e.model_roles_json, e.log_eval_id,
       e.task_id, e.stated_run, e.stated_step, e.stated_mix, e.stated_stage,
       e.stated_variant, e.stated_rule
FROM evals e JOIN live_sources($batch) s USING (source_id) JOIN live_locations($batch) l USING (source_id)
WHERE (l.root > $root OR (l.root = $root AND l.path >= $path))
  AND (l.root < $last_root OR (l.root = $last_root AND l.path <= $last_path))
ORDER BY l.root, l.path, e.eval_id
"""

USED_MODELS = """
SELECT DISTINCT eval_id, name FROM (
    SELECT eval_id, unnest(json_keys(model_usage_json)) AS name FROM samples
    WHERE json_valid(model_usage_json) AND json_type(model_usage_json) = 'OBJECT'
    UNION ALL
    SELECT s.eval_id, m.model FROM messages m JOIN samples s USING (sample_id)
    WHERE m.model IS NOT NULL AND m.role = 'assistant'
) ORDER BY eval_id, name
"""
