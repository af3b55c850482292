"""Pages run in this process, on a store of a test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from dashboard import runtime
from dashboard.probe.endpoints import Declared
from dashboard.probe.service import ProbeService
from loaders.store import Store

APP = Path(__file__).resolve().parents[1] / "dashboard" / "app.py"


@contextmanager
def shown(
    store: Store, declared: Declared | None = None, keys: Mapping[str, str] | None = None
) -> Iterator[ProbeService]:
    """Make a store the one that pages show, with the endpoints that they may ask; none where nothing is declared."""
    st.cache_data.clear()
    probes = ProbeService(store, lambda: declared or Declared(), dict(keys or {}).get)
    runtime.use(store, probes)
    try:
        yield probes
    finally:
        runtime.use(None)
        probes.close()
        st.cache_data.clear()


def opened(page: str, /, **address: Any) -> AppTest:
    """A page in a fresh session, as its address opens it.

    Args:
        page: Name of a file in app_pages.
        address: Query parameters; lists for repeated ones.
    """
    app = AppTest.from_file(str(APP), default_timeout=60)
    # Known by its file's name before any run: pages have the same name in addresses.
    app.switch_page(f"app_pages/{page}.py")
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def address(app: AppTest) -> dict[str, list[str]]:
    """The page's address as it stands now."""
    return {name: value if isinstance(value, list) else [value] for name, value in app.query_params.items()}


def headings(app: AppTest) -> list[str]:
    """What the page says in Markdown: headings of empty states, captions."""
    return [element.value for element in [*app.markdown, *app.caption]]


def html(app: AppTest) -> str:
    """All HTML that the page made by itself."""
    return "".join(element.proto.body for element in app.get("html"))


def specs(app: AppTest) -> list[dict[str, Any]]:
    """The specification of every chart of the page."""
    return [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]


def datasets(app: AppTest) -> list[tuple[int, pd.DataFrame]]:
    """What the layers of the page's charts draw: each frame with the number of its chart."""
    return [
        (number, convert_arrow_bytes_to_pandas_df(dataset.data.data))
        for number, chart in enumerate(app.get("vega_lite_chart"))
        for dataset in chart.proto.datasets
    ]
