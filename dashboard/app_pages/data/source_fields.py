"""The fields of a mapping as widgets: which column, constant or part of the path is what."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard.placing.logs import LONGEST
from loaders.proposals.tables import entry_of
from loaders.study.yaml_text import flow
from loaders.table_mapping import Lookup, Source

Choice = tuple[str, str]
"""Kind of a source, and the column that it is."""

NONE, CONSTANT, PATH, KEPT = ("none", ""), ("constant", ""), ("path", ""), ("kept", "")


def source_field(
    label: str,
    key: str,
    proposed: Source | None,
    columns: Sequence[str],
    *,
    required: bool = False,
    fixed: bool = False,
    help: str | None = None,
    none: str = "–",
) -> Source | None:
    """Pick where a field comes from.

    Args:
        label: Of the widget.
        key: Of the widget.
        proposed: Begun with.
        columns: That there are.
        required: Whether it can't be left out.
        fixed: Whether all rows of a file may share it: a constant, or a part of the path.
        help: Tooltip.
        none: What it says where nothing is picked.

    Raises:
        ValueError: What was typed makes no sense; the message says why.
    """
    begun = _choice(proposed, columns)
    options: list[Choice] = [] if required else [NONE]
    options += [("column", name) for name in columns]
    options += [CONSTANT, PATH] if fixed else []
    options += [KEPT] if begun == KEPT else []
    titles = {
        NONE: none,
        CONSTANT: "Constant ...",
        PATH: "From the path ...",
        KEPT: flow(entry_of(proposed)) if begun == KEPT else "",
    }
    picked = st.selectbox(
        label, options, index=options.index(begun) if begun in options else 0, key=key,
        format_func=lambda option: titles.get(option, option[1]), help=help,
    )  # fmt: skip
    if picked == CONSTANT:
        text = st.text_input(f"{label} (constant)", _constant(proposed), key=f"{key}_constant").strip()
        if not text:
            if required:
                raise ValueError(f"{label}: enter a name.")
            return None
        return Lookup(value=text) if text in columns else text
    if picked == PATH:
        begun_path = proposed.path if isinstance(proposed, Lookup) and proposed.path else "([^/]+)/[^/]*$"
        text = st.text_input(
            f"{label} (regular expression with a group)", begun_path, key=f"{key}_path", max_chars=LONGEST
        )
        return path_lookup(label, text)
    if picked == KEPT:
        return proposed
    return None if picked == NONE else Lookup(column=picked[1])


def path_lookup(label: str, regex: str) -> Lookup:
    """A field that is read from the path.

    Raises:
        ValueError: It is no regular expression with a group.
    """
    try:
        return Lookup(path=regex)
    except ValueError as error:
        raise ValueError(f"{label}: {error}") from error


def _choice(source: Source | None, columns: Sequence[str]) -> Choice:
    if source is None:
        return NONE
    if not isinstance(source, Lookup):
        return CONSTANT
    if source.map or source.columns or source.header:
        return KEPT
    if source.value is not None:
        return CONSTANT
    if source.path is not None:
        return PATH
    return ("column", source.column) if source.column is not None and source.column in columns else KEPT


def _constant(source: Source | None) -> str:
    value = source.value if isinstance(source, Lookup) else source
    return "" if value is None else str(value)
