"""Tables as bytes for programs: JSON, CSV and Parquet of one Arrow table, with the same values."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dashboard.exports.csv import LINE_END, defused

Encoding = Literal["json", "csv", "parquet"]

NULLABLE = {
    **{kind: pd.Int64Dtype() for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())},
    pa.bool_(): pd.BooleanDtype(),
}
"""So that a missing whole number makes no others fractions."""


def table_of(frame: pd.DataFrame) -> pa.Table:
    """A frame as an Arrow table, without its index."""
    return pa.table([_column(frame.iloc[:, at]) for at in range(frame.shape[1])], names=[*map(str, frame.columns)])


def _column(column: pd.Series[Any]) -> pa.Array:
    """A column; what it holds tells Arrow what it is.

    Arrow looks for pandas once: where that was being imported just then, it takes a column for a list of anything.
    """
    values = column.array
    return pa.array(values if hasattr(values, "__arrow_array__") else column.to_numpy(), from_pandas=True)


def frame_from(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as a frame; whole numbers and booleans may be missing."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=NULLABLE.get)
    return frame


def encoded(table: pa.Table, encoding: Encoding) -> bytes:
    """A table as the bytes of a file: in JSON a list of objects."""
    if encoding == "parquet":
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        return buffer.getvalue()
    rows = [plain(row) for row in table.to_pylist()]
    if encoding == "json":
        return msgspec.json.encode(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=LINE_END)
    writer.writerow([defused(name) for name in table.column_names])
    writer.writerows([[defused(value) for value in row.values()] for row in rows])
    return text.getvalue().encode()


def plain(value: Any) -> Any:
    """A value as JSON has it: what is not a number is missing, an infinite one is a text, times are in ISO format."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, str | int) else msgspec.to_builtins(value, str_keys=True)
