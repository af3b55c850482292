"""Frames on their way to the browser, and what tells one from another."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa


def table_of(frame: pd.DataFrame) -> pa.Table | pd.DataFrame:
    """A frame as Arrow sends it to the browser; as it is where a column holds what only Streamlit can put into one."""
    try:
        return pa.Table.from_pandas(frame)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return frame


def content_of(table: pa.Table | pd.DataFrame) -> bytes:
    """All that a table of `table_of` holds: two with the same bytes look the same in any chart."""
    if isinstance(table, pd.DataFrame):
        return repr((table.dtypes.to_dict(), table.to_dict("split"))).encode()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
