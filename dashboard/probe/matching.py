"""Which checkpoint of the store a served model is. Pure; never a guess: where two would fit, none is taken.

In this order: what is declared (`matches`), the model's id as the checkpoint's name (RUN@STEP), the folder of its
weights or adapter, step and run as its name tells them, and the base model of runs, which is their step 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

from msgspec import Struct

from dashboard.probe.clients.client import ServedModel
from dashboard.probe.endpoints import Match
from dashboard.queries.checkpoints import checkpoints_meant
from dashboard.queries.rows import is_missing
from loaders.checkpoint import Checkpoint
from loaders.errors import DriftlineError
from loaders.study.cards import is_untrained
from loaders.study.naming import as_step, short_model, steps_in_model

Rule = Literal["declared", "id", "path", "name", "base model"]

IN_THE_FOLDER = ("trainer_state.json", "adapter_config.json")
"""Files that lie in the folder of the checkpoint that they tell of."""
ELSEWHERE = (".yaml", ".yml", ".json", ".jsonl", ".eval", ".csv", ".parquet")

MOST_NAMED = 5
"""Candidates that a reason names."""


class KnownCheckpoint(Checkpoint, frozen=True):
    """A checkpoint that the store knows: a row of live_checkpoints, or of an eval or card.

    Attributes:
        path: The folder of its weights or adapter, relative to what was ingested.
        base_model: The model that its run started from.
    """

    path: str | None = None
    base_model: str | None = None


class Run(Struct, frozen=True):
    """A run that the store knows. `first`: whether it starts from its base model, and not from another run."""

    run: str
    base_model: str | None = None
    first: bool = True


class Matched(Struct, frozen=True, omit_defaults=True):
    """The checkpoint that a model is; or none, and why.

    Attributes:
        rule: The rule that found it.
        reason: For people: what it was found by, or why none was taken.
    """

    reason: str
    run: str | None = None
    step: int | None = None
    step_label: str | None = None
    rule: Rule | None = None


class Known(Struct, frozen=True):
    """The checkpoints and runs of the store, as matching needs them."""

    checkpoints: tuple[KnownCheckpoint, ...] = ()
    runs: tuple[Run, ...] = ()

    @classmethod
    def of_rows(cls, checkpoints: Iterable[Mapping[str, Any]], runs: Iterable[Mapping[str, Any]] = ()) -> Known:
        """Out of rows of live_checkpoints, live_evals or both, and of live_runs; further columns don't matter."""
        return cls(
            tuple(dict.fromkeys(map(_checkpoint, checkpoints))),
            tuple(Run(row["run"], _text(row.get("base_model")), _text(row.get("parent_run")) is None) for row in runs),
        )


def _checkpoint(row: Mapping[str, Any]) -> KnownCheckpoint:
    return KnownCheckpoint(
        row["run"],
        _whole(row.get("step")),
        _text(row.get("step_label")),
        folder_of(row.get("path")),
        _text(row.get("base_model")),
    )


def match_model(served: ServedModel, endpoint: str, known: Known, declared: Sequence[Match] = ()) -> Matched:
    """The checkpoint that a served model is.

    Args:
        served: As the server lists it.
        endpoint: Name of the endpoint that serves it.
        known: What the store holds.
        declared: Of the models file; the first that is for this model and endpoint holds, and nothing else then.
    """
    for said in declared:
        if said.model == served.id and said.endpoint in (None, endpoint):
            return _declared(said, known)
    rules: tuple[Callable[[ServedModel, Known], Matched | None], ...] = (_by_id, _by_path, _by_name, _by_base)
    for rule in rules:
        matched = rule(served, known)
        if matched is not None:
            return matched
    return Matched("its id, path and base name no checkpoint of the store")


def _declared(said: Match, known: Known) -> Matched:
    try:
        meant = checkpoints_meant([said.checkpoint], known.checkpoints)[0]
    except DriftlineError as e:
        return Matched(f"declared as a checkpoint that the store does not have: {e}")
    found = [each for each in known.checkpoints if each.identity == meant]
    return _one(found, "declared", f"declared as {said.checkpoint}")


def _by_id(served: ServedModel, known: Known) -> Matched | None:
    found = [each for each in known.checkpoints if served.id in each.names]
    return _one(found, "id", "its id is the checkpoint's name") if found else None


def _by_path(served: ServedModel, known: Known) -> Matched | None:
    """The path that ends in a checkpoint's folder; where several do, the longest folder says the most."""
    if not served.root:
        return None
    root = _parts(served.root)
    fits: dict[int, list[KnownCheckpoint]] = {}
    for each in known.checkpoints:
        folder = _parts(each.path) if each.path else ()
        # A folder alone (checkpoint-500) is like that of any other run: then the run must stand above it.
        telling = len(folder) > 1 or each.run in root[:-1]
        if folder and telling and root[-len(folder) :] == folder:
            fits.setdefault(len(folder), []).append(each)
    return _one(fits[max(fits)], "path", f"its weights lie in {'/'.join(root[-2:])}") if fits else None


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.replace("\\", "/").split("/") if part not in ("", "."))


def _by_name(served: ServedModel, known: Known) -> Matched | None:
    """Run and step as the id tells them, else as the path of its weights does; or a run without steps of its name."""
    runs = {each.run for each in known.checkpoints}
    for name in (served.id, served.root):
        told = steps_in_model(name)[:1]
        found = [each for step in told for each in known.checkpoints if each.run in _called(step.run, runs)
                 and (each.step == step.step if step.step is not None else each.step_label == step.label)]  # fmt: skip
        if found:
            return _one(found, "name", f"its name tells run and step: {told[0].name}")
    named = _called(short_model(served.id), runs)
    alone = [each for each in known.checkpoints if each.run in named and each.at is None]
    return _one(alone, "name", "a run without steps has its name") if alone else None


def _called(run: str | None, runs: set[str]) -> set[str]:
    """The runs of this name; of the same but for upper and lower case where there is none."""
    if run is None or run in runs:
        return runs & {run}
    return {each for each in runs if each.casefold() == run.casefold()}


def _by_base(served: ServedModel, known: Known) -> Matched | None:
    """A model that runs started from is their step 0; of one run only, since a probe has one run for a column."""
    if served.parent is not None:
        return None
    names = {name.casefold() for name in _base_names(served)}
    of_runs = {run.run: run.base_model for run in known.runs if run.first}
    of_cards = {run.run for run in known.runs}
    of_runs |= {each.run: each.base_model for each in known.checkpoints if each.base_model and each.run not in of_cards}
    runs = sorted(run for run, base in of_runs.items() if base is not None and names & _forms(base))
    if not runs:
        return None
    if len(runs) > 1:
        return Matched(f"the base model of several runs ({_listed(runs)}): declare which one's step 0 it stands for")
    untrained = [
        each for each in known.checkpoints if each.run == runs[0] and (each.step == 0 or is_untrained(each.step_label))
    ]
    if untrained:
        return _one(untrained, "base model", f"the base model of {runs[0]}")
    return Matched(f"the base model of {runs[0]}", runs[0], 0, None, "base model")


def _base_names(served: ServedModel) -> set[str]:
    return set().union(*(_forms(name) for name in (served.id, served.root) if name))


def _forms(name: str) -> set[str]:
    """A model's name in full and without organisation, in lower case."""
    short = short_model(name)
    return {form.casefold() for form in (name, short) if form}


def _one(found: Sequence[KnownCheckpoint], rule: Rule, reason: str) -> Matched:
    """The checkpoint that all of the found rows are of; none where they are of several."""
    if len({each.identity for each in found}) > 1:
        names = _listed(sorted({each.name for each in found}))
        return Matched(f"{reason}, and that fits several checkpoints: {names}. Declare which one it is")
    first = next((each for each in found if each.step_label is not None), found[0])
    return Matched(reason, first.run, first.step, first.step_label, rule)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def folder_of(path: Any) -> str | None:
    """A checkpoint's folder, out of the file in it that told of it; None of cards and logs, which lie elsewhere."""
    text = _text(path)
    if text is None:
        return None
    file = PurePosixPath(text)
    if file.name in IN_THE_FOLDER:
        return str(file.parent)
    return None if file.suffix in ELSEWHERE else text


def _whole(value: Any) -> int | None:
    step, _ = (None, None) if is_missing(value) else as_step(value)
    return step


def _text(value: Any) -> str | None:
    return None if is_missing(value) or not str(value) else str(value)
