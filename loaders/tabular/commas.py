"""Decimal commas: `0,5` and `1.250,75`, as programs write numbers in much of Europe, made `0.5` and `1250.75`. Pure.

Whether a comma divides decimals or thousands is decided by column, not by cell: `1,250` alone could be either.
"""

from __future__ import annotations

import re

from loaders.tabular import cells

WITH_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d*),\d+(?:[eE][+-]?\d+)? ?%?")
WHOLE = re.compile(r"[+-]?\d+ ?%?")
THOUSANDS = re.compile(r"[+-]?(?:\d{1,3}(?:[.,]\d{3})+)")
"""Cells that say nothing of what a comma means: it may stand between thousands."""
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
"""Whole numbers whose thousands a point divides, where decimals have a comma."""
ZERO = re.compile(r"[+-]?0?,")
"""So begin numbers below 1, whose comma divides no thousands."""


def with_points(header: list[str], rows: list[list[str]], between_cells: bool) -> list[str]:
    """Replace decimal commas in the rows' cells; the names of the columns that had some.

    A column has decimal commas where at least half of its cells are numbers, one of them has a comma that can't be
    between thousands, and none has a decimal point. Where a column has them, points in whole numbers of other columns
    are between thousands.

    Args:
        between_cells: Whether commas stand between the cells too: then only numbers below 1 are certain, for programs
            that write decimal commas delimit by something else.
    """
    width = range(len(header))
    found = [index for index in width if _is_decimal(rows, index, between_cells)]
    if not found:
        return []
    grouped = [index for index in width if index not in found and _is_grouped(rows, index)]
    for row in rows:
        for index in found:
            if WITH_COMMA.fullmatch(row[index].strip()) or GROUPED.fullmatch(row[index].strip()):
                row[index] = row[index].replace(".", "").replace(",", ".")
        for index in grouped:
            row[index] = row[index].replace(".", "")
    return [header[index] for index in found]


def _is_decimal(rows: list[list[str]], index: int, between_cells: bool) -> bool:
    certain = numbers = others = 0
    for row in rows:
        cell = row[index].strip()
        if cell.lower() in cells.MISSING:
            continue
        if WITH_COMMA.fullmatch(cell):
            numbers += 1
            certain += bool(ZERO.match(cell)) or not (between_cells or THOUSANDS.fullmatch(cell))
        elif WHOLE.fullmatch(cell) or GROUPED.fullmatch(cell):
            numbers += 1
        elif cells.NUMBER.fullmatch(cell.rstrip(" %")):
            return False
        else:
            others += 1
    return certain > 0 and numbers >= others


def _is_grouped(rows: list[list[str]], index: int) -> bool:
    told = [cell for row in rows if (cell := row[index].strip()).lower() not in cells.MISSING]
    return any(GROUPED.fullmatch(cell) for cell in told) and all(
        GROUPED.fullmatch(cell) or WHOLE.fullmatch(cell) for cell in told
    )
