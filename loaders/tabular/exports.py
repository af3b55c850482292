"""Charts that W&B exported as CSV: a column for each run, `RUN - METRIC`, with `__MIN` and `__MAX` beside it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from loaders.table_mapping import Lookup, Share, TableMapping
from loaders.tabular.shape import BOUNDS, CONTENT, VALUE

BETWEEN = " - "
"""Stands between the run and the metric in a column's name."""


def as_export(mapping: TableMapping, columns: Sequence[str]) -> tuple[TableMapping, list[str]]:
    """The mapping with its scores as reported numbers, and each run's column read, where the columns are an export's.

    The points of a chart are no samples. A mapping that reads the column of the one run that it names stands for all
    of them: no other entry of the study file is asked about the same file.
    """
    series = [column for column in columns if all(column + bound in columns for bound in BOUNDS)]
    if not series or len(mapping.scores) != 1 or mapping.reported or any(getattr(mapping, name) for name in CONTENT):
        return mapping, []
    ((name, source),) = mapping.scores.items()
    column = source.column if isinstance(source, Lookup) and not source.map else None
    spread = isinstance(mapping.run, Lookup) and mapping.run.header is not None
    if column is None or not (column in series or (spread and column == VALUE)):
        return mapping, []
    notes = [f"{name} is read as a number that the export reports, not as samples; write `reported:` to say so"]
    run = mapping.run.value if isinstance(mapping.run, Lookup) else mapping.run
    metric = column.removeprefix(f"{run}{BETWEEN}")
    others = [other for other in series if other.endswith(BETWEEN + metric) and other != column]
    read = column
    if not spread and run is not None and metric != column and others:
        header = f"^(.*){BETWEEN}{re.escape(metric)}$"
        named = ", ".join(f'"{other}"' for other in [column, *others])
        notes.append(f"each of these columns is a run: {named}; write `run: {{header: '{header}'}}` to say so")
        mapping, read = msgspec.structs.replace(mapping, run=Lookup(header=header)), VALUE
    return msgspec.structs.replace(mapping, scores={}, reported={name: Share(value=Lookup(column=read))}), notes
