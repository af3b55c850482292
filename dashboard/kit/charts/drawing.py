"""A chart that is put together once for the same numbers: Altair takes longer over it than a page over its queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, ParamSpec

import pandas as pd
import streamlit as st

from dashboard.charts.frames import content_of, table_of
from dashboard.charts.palette import Scheme
from dashboard.charts.room import room_of
from dashboard.charts.spec import page_spec

P = ParamSpec("P")

ENTRIES = 300
"""Charts kept of all pages together, for all readers; one is some 100 kB."""


class OnPage(NamedTuple):
    """What a page shows of a chart; nobody changes it.

    Attributes:
        spec: Vega-Lite's, with its tables.
        room: Pixels of height, about.
    """

    spec: dict[str, Any]
    room: int


@dataclass(frozen=True)
class Drawing:
    """How a chart is made; it is made where it hasn't been for the same numbers, and for files.

    Attributes:
        make: A pure function of `dashboard.charts`.
        args: Its arguments.
        keywords: Those that are named.
    """

    make: Callable[..., Any]
    args: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()

    def chart(self) -> Any:
        """The chart itself, Altair's."""
        return self.make(*self.args, **dict(self.keywords))

    def on_page(self, scheme: Scheme) -> OnPage:
        """What a page shows of it. The same numbers give the same picture, whoever reads them."""
        name = f"{self.make.__module__}.{self.make.__qualname__}"
        return _on_page(self.make, name, self.args, self.keywords, scheme)


def drawing(make: Callable[P, Any], /, *args: P.args, **keywords: P.kwargs) -> Drawing:
    """A chart that `make` makes of these arguments."""
    return Drawing(make, args, tuple(keywords.items()))


def _content(frame: pd.DataFrame) -> bytes:
    return content_of(table_of(frame))


# Of large frames Streamlit itself looks at a part.
@st.cache_resource(max_entries=ENTRIES, show_spinner=False, hash_funcs={pd.DataFrame: _content})
def _on_page(
    _make: Callable[..., Any],
    name: str,  # noqa: ARG001 - tells what is made, as part of the key
    args: tuple[Any, ...],
    keywords: tuple[tuple[str, Any], ...],
    scheme: Scheme,
) -> OnPage:
    chart = _make(*args, **dict(keywords))
    return OnPage(page_spec(chart, scheme), room_of(chart))
