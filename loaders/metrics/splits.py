"""Fields by which any eval can be split: metadata of the sample or its log, task args, and the variant. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loaders.store.sql import json_pointer
from loaders.study.settings import TASK_ARGS

METADATA, VARIANT = "metadata.", "variant"

ALLOWED = "metadata.NAME, task_args.NAME, variant"

MOST_SPLITS = 2
"""Fields in one question about rates: the columns `split` and `split2`."""

Where = tuple[tuple[str, str | None], ...]
"""Fields with the values that are wanted; None for "without the field"."""


def check_field(field: str) -> None:
    """Make sure that a text names a field.

    Raises:
        ValueError: It doesn't; the message says what does.
    """
    named = any(field.startswith(kind) and field != kind for kind in (METADATA, TASK_ARGS))
    if not named and field != VARIANT:
        raise ValueError(f'"{field}" is not a field to group by (allowed: {ALLOWED})')


def check_splits(splits: tuple[str, ...]) -> None:
    """Make sure that evals can be split by these fields together.

    Raises:
        ValueError: One is no field, one is given twice, or there are too many.
    """
    for field in splits:
        check_field(field)
    if len(set(splits)) < len(splits):
        raise ValueError(f"the same field is given twice: {', '.join(splits)}")
    if len(splits) > MOST_SPLITS:
        raise ValueError(f"{len(splits)} fields to group by: {', '.join(splits)} (allowed: at most {MOST_SPLITS})")


def parse_where(text: str) -> tuple[str, str | None]:
    """A field with a value that is wanted, as in an address: "metadata.ai_name=Claude"; alone: without the field.

    The first = parts the two.

    Raises:
        ValueError: What stands before it names no field.
    """
    field, equals, value = text.partition("=")
    check_field(field)
    return field, value if equals else None


def field_sql(field: str, bind: Callable[[Any], str], sample: str = "s", log: str = "l", place: str = "c") -> str:
    """SQL of a field's value as text: true or false, numbers as JSON has them, lists and objects as JSON.

    It is NULL where there is no such field, or JSON's null. What a sample's metadata lacks is looked up in its log's.

    Args:
        field: Its name.
        bind: Binds a value; returns its `$name`.
        sample: Alias of a row of samples, for `metadata_json`.
        log: Alias of a row of evals, for `metadata_json` and `task_args_json`.
        place: Alias of a row with `variant`.
    """
    if field == VARIANT:
        return f"{place}.{VARIANT}"
    kind = METADATA if field.startswith(METADATA) else TASK_ARGS
    path = field.removeprefix(kind)
    documents = [f"{sample}.metadata_json", f"{log}.metadata_json"] if kind == METADATA else [f"{log}.task_args_json"]
    # A dot goes deeper, and may as well stand in a name.
    pointers = dict.fromkeys([json_pointer(path), json_pointer(path, deep=False)])
    names = [bind(pointer) for pointer in pointers]
    found = [f"json_extract_string({document}, {name}::VARCHAR)" for document in documents for name in names]
    return f"coalesce({', '.join(found)})" if len(found) > 1 else found[0]


def where_sql(where: Where, bind: Callable[[Any], str]) -> str:
    """SQL that is true of samples whose fields have the values that are wanted; of several for one field, any."""
    wanted: dict[str, list[str | None]] = {}
    for field, value in where:
        wanted.setdefault(field, []).append(value)
    conditions = ["true"]
    for field, values in wanted.items():
        found = field_sql(field, bind)
        texts = [value for value in values if value is not None]
        either = [f"coalesce(list_contains({bind(texts)}::VARCHAR[], {found}), false)"] if texts else []
        either += [f"({found}) IS NULL"] if None in values else []
        conditions.append(f"({' OR '.join(either)})")
    return " AND ".join(conditions)


def value_order(value: str | None) -> tuple[int, float, str]:
    """Sorts values of a field: numbers by size, then texts, and what has no such field last."""
    if value is None:
        return (2, 0.0, "")
    try:
        number = float(value)
    except ValueError:
        return (1, 0.0, value)
    return (0, number, value) if number == number else (1, 0.0, value)
