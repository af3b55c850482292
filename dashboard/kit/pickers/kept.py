"""What was chosen by hand on one page and holds on the others, too: the section, runs, baseline, equivalence margins.

What an address names is its own page's alone; what is chosen by hand is everybody's, until another choice is made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import streamlit as st

from dashboard import links
from dashboard.kit.pickers import controls

SECTION = "section"
_SECTION, _RUNS, _BASELINE, _NUMBERS = "_section", "_runs", "_baseline", "_numbers"

OF_RUNS = ("run", "mix", "checkpoint", "baseline", "against", "stage", "point", "pair")
"""Names of what a page begins with anew where other runs are chosen."""

NARROWED = (*OF_RUNS, "eval", "metric", "split")
"""The same where another section is picked."""

OF_ONE_CHOICE = frozenset(
    {links.OVERVIEW, links.CURVES, links.MIXES, links.PERSISTENCE, links.ASSESSMENT, links.COMPARE}
)
"""Pages that show the same runs. On others runs are a filter."""


def section() -> str | None:
    """The section that was picked; None where none was."""
    found: str | None = st.session_state.get(_SECTION)
    return found


def runs(known: Iterable[str]) -> list[str]:
    """Of the runs that a page can show, those that were chosen; none where nothing was, or none of them is there.

    Args:
        known: Names of runs, in the order in which they are wanted.
    """
    chosen = set(st.session_state.get(_RUNS, ()))
    return [run for run in known if run in chosen]


def baseline() -> str | None:
    """The run that others are compared with; None where none was chosen."""
    found: str | None = st.session_state.get(_BASELINE)
    return found


def number(name: str) -> float | None:
    """A number that was written on one page for all; None where none was.

    Args:
        name: Of its query parameter.
    """
    found: float | None = st.session_state.get(_NUMBERS, {}).get(name)
    return found


def keep_number(name: str, value: float) -> None:
    """Let the other pages begin with a number, too."""
    st.session_state.setdefault(_NUMBERS, {})[name] = value
    _forget((name,), OF_ONE_CHOICE)


def keep_section(picked: str) -> None:
    """Let the other pages begin with a section, too: what was picked on them was of another."""
    session = st.session_state
    if session.get(_SECTION) == picked:
        return
    session[_SECTION] = picked
    _forget((SECTION, *NARROWED), session[controls.KEPT])


def keep_runs(names: Sequence[str]) -> None:
    """Let the other pages begin with some runs, and with the section of this page.

    Args:
        names: Of the runs; where there are none, they begin as their data suggest.
    """
    session = st.session_state
    session[_RUNS] = list(names)
    of = next(iter(controls.state().get(SECTION, [])), session.get(_SECTION))
    if of is not None:
        session[_SECTION] = of
    same = {page for page, left in session[controls.KEPT].items() if left.get(SECTION, [of]) == [of]}
    _forget(OF_RUNS, OF_ONE_CHOICE & same)
    _forget((SECTION, *NARROWED), OF_ONE_CHOICE - same)


def keep_baseline(run: str) -> None:
    """Let the other pages compare with a run."""
    st.session_state[_BASELINE] = run
    _forget(("baseline",), OF_ONE_CHOICE)


def forget_runs() -> None:
    """Let the pages begin as their data suggest."""
    for name in (_RUNS, _BASELINE):
        st.session_state.pop(name, None)


def _forget(names: Collection[str], pages: Collection[str]) -> None:
    """Let the other pages begin anew with some of what stands in their addresses."""
    for page, left in st.session_state[controls.KEPT].items():
        if page in pages and page != controls.page():
            for name in set(names) & set(left):
                del left[name]
