"""Colors that the reader gave runs: on every page in place of those that runs have by their names and cards."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import pandas as pd
import streamlit as st

COLOR = "color"
"""The query parameter: RUN=RRGGBB for each."""

GIVEN = re.compile(r"(?P<run>.+)=(?P<color>[0-9a-fA-F]{6})", re.DOTALL)

_GIVEN = "_run_colors"


def given() -> dict[str, str]:
    """Run to its color, of those that the reader gave one."""
    found: dict[str, str] = st.session_state.get(_GIVEN, {})
    return found


def give(runs: Collection[str], color: str | None) -> None:
    """Give runs a color.

    Args:
        runs: Names.
        color: "#rrggbb"; None for that of their names or cards.
    """
    kept = {run: old for run, old in given().items() if run not in set(runs)}
    st.session_state[_GIVEN] = kept if color is None else kept | dict.fromkeys(runs, color.upper())


def read(told: Sequence[str]) -> None:
    """Take the colors over that an address gives runs; what is no color is left out."""
    for run, color in parsed(told).items():
        give([run], color)


def parsed(told: Sequence[str]) -> dict[str, str]:
    """The colors of runs out of an address."""
    found = (GIVEN.fullmatch(text) for text in told)
    return {each["run"]: f"#{each['color'].upper()}" for each in found if each is not None}


def written(runs: Collection[str], colors: Mapping[str, str]) -> list[str] | None:
    """The colors of some runs for an address; None where they have their own.

    Args:
        runs: Those that the page shows.
        colors: Run to "#rrggbb".
    """
    return [f"{run}={colors[run][1:]}" for run in runs if run in colors] or None


def recolored(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs with the colors that the reader gave them.

    Args:
        runs: `RUN_COLUMNS`.
    """
    colors = given()
    if not colors:
        return runs
    return runs.assign(colour=runs["run"].map(colors).fillna(runs["colour"]))
