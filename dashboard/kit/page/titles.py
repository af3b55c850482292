"""Titles of the browser's tabs: what is shown, on which page. By them tabs and bookmarks are told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard import links
from dashboard.kit import caches
from dashboard.kit.pickers import controls
from dashboard.pages import Page

PRODUCT = "Driftline"
TAB = "_tab_title"
"""The page of the last run with its title: a run shows it until it knows its own, so that a tab does not flicker."""

MOST_NAMED = 2
"""Evals, runs or checkpoints that a title names one by one."""

LONGEST = 90


def last() -> str:
    """The tab's title as it stands."""
    _, told = st.session_state.get(TAB, ("", PRODUCT))
    return str(told)


def begin(page: str, title: str) -> None:
    """Title the tab as a page is begun.

    Args:
        page: Its name in addresses.
        title: Of the page.
    """
    before, told = st.session_state.get(TAB, ("", ""))
    st.set_page_config(page_title=told if before == page else _joined(title))


def end(page: Page, as_of: int) -> None:
    """Title the tab once a page has chosen what it shows.

    Args:
        page: Which one.
        as_of: Batch.
    """
    evals, metrics = caches.evals(as_of), caches.metrics_for((), as_of)
    told = tab_title(
        page,
        controls.state(),
        dict(zip(evals["eval"], evals["title"], strict=True)),
        dict(zip(metrics["metric"], metrics["title"], strict=True)),
    )
    st.session_state[TAB] = page.name, told
    st.set_page_config(page_title=told)


def tab_title(page: Page, state: links.Parameters, evals: Mapping[str, str], metrics: Mapping[str, str]) -> str:
    """What a tab is called: "Curves · Honeypots, misaligned · Driftline".

    Args:
        page: Which one.
        state: As it stands in its address.
        evals: Titles of evals by name.
        metrics: Titles of metrics by name.
    """
    sample = links.sample_of(state)
    if page.name == links.TRANSCRIPT and sample:
        _, name, epoch = sample
        return _joined(page.title, f"{name}, epoch {epoch}" if epoch > 1 else name)
    named = [
        _named([evals.get(name, name) for name in state.get("eval", []) if name], "evals"),
        _named([metrics.get(name, name) for name in state.get("metric", []) if name], "metrics"),
    ]
    return _joined(page.title, *state.get("sample", [])[:1], ", ".join(filter(None, named)))


def _named(names: Sequence[str], plural: str) -> str:
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} {plural}"


def _joined(*parts: str) -> str:
    told = [part if len(part) <= LONGEST else part[: LONGEST - 1] + "…" for part in parts if part]
    return " · ".join([*told, PRODUCT])
