"""A table of a frame as every page shows it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler


def data_table(frame: pd.DataFrame | Styler | list[dict[str, Any]], **options: Any) -> Any:
    """Show a frame; what it has no value for stays empty, for "None" in a cell reads as a value.

    Args:
        frame: Its columns are shown in their order, its index is not; or rows.
        options: Further ones of `st.dataframe`.

    Returns:
        What `st.dataframe` does: what is selected, where `on_select` is among the options.
    """
    usual: dict[str, Any] = {"hide_index": True, "placeholder": ""}
    return st.dataframe(frame, **(usual | options))
