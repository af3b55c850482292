"""Of several candidates for a field, the one that counts, and the report of those that disagree with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

from msgspec import Struct

from loaders.study.cards import is_untrained
from loaders.study.evidence import Conflict, Field
from loaders.study.naming import alike, epoch_of


class Rule(IntEnum):
    """Who says something, in the order in which they count."""

    STATED = 0
    CARD = 1
    MODEL = 2
    FILE = 3
    FOLDER = 4


class Candidate(Struct, frozen=True, kw_only=True):
    """What one rule says of one field."""

    field: Field
    rule: Rule
    source: str
    """For people: "run card sdf/run.yaml"."""
    value: str | int
    """A step that is a text is a label: `final`."""
    by_glob: bool = False
    """A card that claims the log by a pattern on its path."""


def in_order(told: Iterable[Candidate], field: Field) -> list[Candidate]:
    """The candidates for a field, the one that counts first."""
    return sorted((each for each in told if each.field == field), key=lambda each: each.rule)


def settle_step(told: Sequence[Candidate], conflicts: list[Conflict]) -> tuple[Candidate | None, Candidate | None]:
    """The step as a number and as a label, each None where nothing says it.

    The two go together (`final`, 1000), except that an untrained model has no other step than 0.
    """
    said = in_order(told, "step")
    numbers = [each for each in said if isinstance(each.value, int)]
    labels = [each for each in said if isinstance(each.value, str)]
    if numbers or any(epoch_of(str(each.value)) is None for each in labels):
        # An epoch stands in for a step that nothing tells; beside one it says nothing else.
        labels = [each for each in labels if epoch_of(str(each.value)) is None]
    rivals = [each for each in numbers[1:] if each.value != numbers[0].value]
    rivals += [each for each in labels[1:] if str(each.value).lower() != str(labels[0].value).lower()]
    if numbers and labels and is_untrained(str(labels[0].value)) and numbers[0].value != 0:
        rivals.append(max(numbers[0], labels[0], key=said.index))
    if rivals:
        conflicts.append(disagreement("step", said, rivals))
    return numbers[0] if numbers else None, labels[0] if labels else None


def settle_run(told: Sequence[Candidate], conflicts: list[Conflict]) -> Candidate | None:
    """The run, None where nothing says it."""
    said = in_order(told, "run")
    if not said:
        return None
    rivals = [each for each in said[1:] if _runs_differ(said[0], each)]
    if rivals:
        conflicts.append(disagreement("run", said, rivals))
    return said[0]


def settle_text(field: Field, told: Sequence[Candidate], conflicts: list[Conflict]) -> str | None:
    """The mix or stage, None where nothing says it."""
    said = in_order(told, field)
    rivals = [each for each in said if each.value != said[0].value]
    if rivals:
        conflicts.append(disagreement(field, said, rivals))
    return str(said[0].value) if said else None


def disagreement(field: Field, said: Sequence[Candidate], rivals: Sequence[Candidate]) -> Conflict:
    """The report: who says what, and what counts."""
    first = said[0]
    others = "; ".join(dict.fromkeys(f"{each.source} says {each.value}" for each in rivals if each is not first))
    message = f"{field}: {first.source} says {first.value}, but {others}. {first.value} counts."
    return Conflict(field=field, message=message, candidates=[(each.source, str(each.value)) for each in said])


def _runs_differ(first: Candidate, other: Candidate) -> bool:
    if other.rule <= Rule.CARD:
        return first.value != other.value
    if first.rule is Rule.CARD and (other.rule is Rule.FOLDER or (other.rule is Rule.FILE and first.by_glob)):
        # A card names the folder that it lies in, and the files that its pattern was written for.
        return False
    return not alike(str(first.value), str(other.value))
