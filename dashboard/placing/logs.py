"""Run, step, stage and mix of logs that don't tell them: said by people, or read from parts of their paths. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from loaders import regex
from loaders.proposals.paths import literal
from loaders.study.editing import Entries
from loaders.study.naming import as_step

FIELDS = ("run", "step", "stage", "mix", "variant")
"""What `logs:` of a study file says of a log."""

LONGEST = 200

Place = Mapping[str, Any]
"""What is said of a log, by field."""


def step_of(text: str) -> int | str | None:
    """A step as it stands in a study file: a number, else a label; None where nothing was typed.

    Raises:
        ValueError: It is neither.
    """
    if not text.strip():
        return None
    number, label = as_step(text)
    if number is None and label is None:
        raise ValueError(f'"{text}" is no step: a whole number, 0 or more, or a label such as base or final.')
    return number if number is not None else label


def compiled(pattern: str) -> regex.Pattern:
    """A pattern that reads places out of paths.

    Raises:
        ValueError: It is no regular expression, is too long, or names no field.
    """
    if len(pattern) > LONGEST:
        raise ValueError(f"At most {LONGEST} characters.")
    try:
        found = regex.compiled(pattern)
    except ValueError as error:
        raise ValueError(f"This is no regular expression: {error}.") from error
    named = set(found.groupindex)
    if not named or named - set(FIELDS):
        raise ValueError(f"Name groups (?P<NAME>...) by {', '.join(FIELDS)}: at least one of them, and no other.")
    return found


def read_paths(pattern: regex.Pattern, paths: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What a pattern finds in each path that it matches; what is no step in a group called so is left out."""
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        match = pattern.search(path)
        if match is None:
            continue
        told: dict[str, Any] = {name: value for name, value in match.groupdict().items() if value}
        if "step" in told:
            number, label = as_step(told["step"])
            told["step"] = number if number is not None else label
        found[path] = {name: value for name, value in told.items() if value is not None}
    return found


def entries_for(places: Mapping[str, Place]) -> Entries:
    """The entries of `logs:` that say so, each for one log alone: a pattern would take in what comes later, too.

    Args:
        places: By path, relative to the study file's folder.
    """
    told = {
        path: {name: place[name] for name in FIELDS if place.get(name) is not None} for path, place in places.items()
    }
    return {"logs": [{"match": literal(path), **place} for path, place in told.items() if place]}
