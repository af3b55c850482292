"""Pages run in this process, on a store of a test's own."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest, local_script_runner
from streamlit.util import calc_hash

from dashboard import runtime
from dashboard.access import Policy
from dashboard.probe.endpoints import Declared
from dashboard.probe.service import ProbeService
from loaders.ingest import ingest
from loaders.store import Store
from tests.builders import StoreBuilder
from tests.empty_stores import empty_store

# Each AppTest looks through all packages of the environment for components, which takes longer than most pages; and no
# page uses one of a package.
manifest_scanner.scan_component_manifests = list


def _ended(runner: local_script_runner.LocalScriptRunner, timeout: float = 3) -> None:
    """Wait for the script's thread: to look each millisecond takes a tenth of what the page itself does."""
    if runner._script_thread is not None:
        runner._script_thread.join(timeout)
    if not runner.script_stopped():
        _stop_it(runner, 0)


_stop_it = local_script_runner.require_widgets_deltas
local_script_runner.require_widgets_deltas = _ended

# As the dashboard's server has it; each run of a page would look for magic in its source.
config.set_option("runner.magicEnabled", False)

APP = Path(__file__).resolve().parents[1] / "dashboard" / "app.py"


@contextmanager
def shown(
    store: Store,
    declared: Declared | None = None,
    keys: Mapping[str, str] | None = None,
    access: Policy | None = None,
) -> Iterator[ProbeService]:
    """Make a store the one that pages show.

    Args:
        store: The store.
        declared: The endpoints that pages may ask; none where nothing is declared.
        keys: Of the endpoints.
        access: Who may see what; everybody sees all where nothing is said.
    """
    st.cache_data.clear()
    probes = ProbeService(store, lambda: declared or Declared(), dict(keys or {}).get)
    runtime.use(store, probes, access)
    try:
        yield probes
    finally:
        runtime.use(None)
        probes.close()
        st.cache_data.clear()


def showing(build: Callable[[], StoreBuilder]) -> Any:
    """A fixture: what a function builds, as the store that pages show."""

    def store() -> Iterator[StoreBuilder]:
        builder = build()
        with shown(builder.store):
            yield builder

    return pytest.fixture(store)


@contextmanager
def ingested(folder: Path, access: Policy | None = None) -> Iterator[Store]:
    """Make a store with what a folder holds the one that pages show."""
    store = empty_store()
    ingest([folder], store)
    with shown(store, access=access):
        yield store


def previewed(app: AppTest) -> list[list[str]]:
    """The rows of the last table of a page: a preview stands below what it is of."""
    rows: list[list[str]] = app.dataframe[-1].value.to_numpy().tolist()
    return rows


def opened(page: str, /, **address: Any) -> AppTest:
    """A page in a fresh session, as its address opens it.

    Args:
        page: Its name.
        address: Query parameters; lists for repeated ones.
    """
    return opened_by(None, page, **address)


def opened_by(claims: Mapping[str, Any] | None, page: str, /, **address: Any) -> AppTest:
    """The same for somebody who has signed in, of whom the provider says this; None for somebody who has not.

    Args:
        claims: Of the provider. They sign in now, where the claims don't say when.
        page: Its name.
        address: Query parameters; lists for repeated ones.
    """
    app = AppTest.from_file(str(APP), default_timeout=300)
    if claims is not None:
        app.user = {"is_logged_in": True, "sub": claims.get("email", "somebody"), "iat": time.time(), **claims}
    begin_at(app, page)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def begin_at(app: AppTest, page: str) -> None:
    """Let an app that has not run yet begin with a page, as its address does."""
    # Before any run AppTest knows pages by their files' names alone, and a session by their names in addresses.
    app._page_hash = calc_hash(page)


def address(app: AppTest) -> dict[str, list[str]]:
    """The page's address as it stands now."""
    return {name: value if isinstance(value, list) else [value] for name, value in app.query_params.items()}


def chosen(app: AppTest, name: str) -> list[str]:
    """The names that the panel of a page shows: `curves_run`."""
    found: list[str] = app.session_state[name]
    return found


def offered(app: AppTest, name: str) -> list[str]:
    """The titles that the panel of a page offers."""
    titles: list[str] = app.dataframe(key=f"{name}_rows").value["title"].tolist()
    return titles


def choose(app: AppTest, name: str, names: Sequence[str]) -> None:
    """Choose in the panel of a page, in this order, as its checkboxes do."""
    app.session_state[name] = list(names)
    app.run()


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


def everything(app: AppTest) -> bytes:
    """All that the page sent to the browser: every element, as bytes, with its data; and the address."""
    sent: list[bytes] = []

    def walk(node: Any) -> None:
        proto = getattr(node, "proto", None)
        if hasattr(proto, "SerializeToString"):
            sent.append(proto.SerializeToString())
        for child in getattr(node, "children", {}).values():
            walk(child)

    walk(app._tree)
    return b"\n".join([*sent, json.dumps(address(app)).encode()])


READ = {"label", "help", "placeholder", "body", "content", "options", "alt"}
"""Fields of elements whose texts people read."""

IN_JSON = re.compile(r'"(?:label|help|title|text)":\s*"((?:[^"\\]|\\.)*)"')
MARKUP = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL)


def texts_read(app: AppTest) -> list[str]:
    """The labels and sentences of a page as people read them: of widgets, of its own HTML, of tables and charts."""
    found: list[str] = []

    def read(message: Any) -> None:
        for field, value in message.ListFields():
            repeated = not isinstance(value, (str, bytes)) and hasattr(value, "__iter__")
            for each in value if repeated else [value]:
                if hasattr(each, "ListFields"):
                    read(each)
                elif isinstance(each, str) and field.name in READ:
                    found.extend(line.strip() for line in unescape(MARKUP.sub("\n", each)).splitlines() if line.strip())
                elif isinstance(each, str) and field.name in ("spec", "columns"):
                    found.extend(json.loads(f'"{text}"') for text in IN_JSON.findall(each))

    def walk(node: Any) -> None:
        proto = getattr(node, "proto", None)
        if hasattr(proto, "ListFields"):
            read(proto)
        for child in getattr(node, "children", {}).values():
            walk(child)

    walk(app._tree)
    return found
