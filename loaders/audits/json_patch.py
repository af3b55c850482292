"""JSON Patch (RFC 6902): how Petri writes down what became of a list of messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
END = "-"
"""Names the place behind the last item of a list."""


def patched(document: Any, patch: Any) -> Any:
    """A document after a patch. The document stays as it was; what the patch doesn't touch, both share.

    Args:
        document: JSON as decoded.
        patch: A list of operations, each `{"op": ..., "path": ...}`.

    Raises:
        ValueError: An operation names a place that isn't there, tests in vain, or is none.
    """
    root = {"": document}  # so that the whole document has a place, too
    for change in patch if isinstance(patch, list) else [patch]:
        try:
            root = _after(root, change)
        except (LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"a change that can't be applied: {str(change)[:120]}") from error
    return root[""]


def _after(root: dict[str, Any], change: dict[str, Any]) -> Any:
    place = _steps(change["path"])
    match change["op"]:
        case "add":
            return _changed(root, place, _adding(change["value"]))
        case "remove" if len(place) > 1:
            return _changed(root, place, _removing)
        case "replace":
            _at(root, place)
            return _changed(root, place, _replacing(change["value"]))
        case "move":
            source = _steps(change["from"])
            if place[: len(source)] == source and place != source:
                raise LookupError("a value can't be moved into itself")
            return _changed(_changed(root, source, _removing), place, _adding(_at(root, source)))
        case "copy":
            return _changed(root, place, _adding(_at(root, _steps(change["from"]))))
        case "test" if _at(root, place) == change["value"]:
            return root
    raise LookupError("no such operation, or another value is there")


def _steps(pointer: str) -> list[str]:
    """A JSON pointer's steps, from the place of the whole document."""
    if pointer and not pointer.startswith("/"):
        raise LookupError("no pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")]


def _at(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = value[_key(value, step)]
    return value


def _changed(value: Any, steps: list[str], change: Callable[[Any, str], None]) -> Any:
    """A copy of a value in which the container that the last step leads into is changed."""
    container = value.copy()
    if len(steps) == 1:
        change(container, steps[0])
    else:
        key = _key(container, steps[0])
        container[key] = _changed(container[key], steps[1:], change)
    return container


def _adding(new: Any) -> Callable[[Any, str], None]:
    def change(container: Any, step: str) -> None:
        if isinstance(container, list):
            container.insert(len(container) if step == END else _index(step, len(container) + 1), new)
        else:
            container[step] = new

    return change


def _replacing(new: Any) -> Callable[[Any, str], None]:
    def change(container: Any, step: str) -> None:
        container[_key(container, step)] = new

    return change


def _removing(container: Any, step: str) -> None:
    del container[_key(container, step)]


def _key(container: Any, step: str) -> int | str:
    return _index(step, len(container)) if isinstance(container, list) else step


def _index(step: str, length: int) -> int:
    if not INDEX.fullmatch(step) or int(step) >= length:
        raise LookupError("no such item")
    return int(step)
