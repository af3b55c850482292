"""The point that was clicked: it stands in the address, is ringed in the charts, and opens what is behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import links, numerals
from dashboard.charts.keys import Key
from dashboard.charts.marks import SELECTION
from dashboard.exports.statements import statement
from dashboard.kit import caches
from dashboard.kit.along import along_this_run
from dashboard.kit.charts.drawing import Drawing
from dashboard.kit.charts.frame import show
from dashboard.kit.charts.in_sight import PLACE, STYLE, bring_into_sight
from dashboard.kit.notes.threads import point_notes
from dashboard.kit.page import absent, fragments, shell
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.sample_filters import filter_of, order_of
from dashboard.kit.tables import sample_table
from dashboard.kit.text.plain import escaped, facts
from dashboard.pages import page_file
from dashboard.queries.rows import checkpoint_name

POINT = "point"

FIRST_SAMPLES = 8


def chosen_point() -> str:
    """The point that is chosen, by its name in `MARK_COLUMNS`; "" for none. Call it before the charts are drawn."""
    key = _key()
    restored = controls.restored(POINT)
    if restored is not None or key not in st.session_state:
        st.session_state[key] = restored[0] if restored else ""
    return str(st.session_state[key])


def chosen_now() -> str:
    """The same within a fragment, which is drawn anew without the page: a click may have changed it."""
    return str(st.session_state.get(_key(), ""))


def choose(point: str) -> None:
    """Choose a point by something else than a click on it."""
    st.session_state[_key()] = point


def clickable(
    drawing: Drawing,
    key: str,
    alt: str,
    data: pd.DataFrame,
    *,
    keys: Sequence[Key] = (),
    runs: Sequence[str] = (),
) -> None:
    """Show a chart of which a point can be clicked, with its menu of files beneath.

    Args:
        drawing: A chart that holds `dashboard.charts.marks.click`.
        key: Of the widget; every chart of a page has its own.
        alt: What is to be seen, for those who don't see it, and for who reads the file.
        data: The numbers behind it, as they are exported.
        keys: Of a legend that stands outside it.
        runs: Runs that it tells of besides those of column `run`.
    """
    show(drawing, key, alt, data, on_select=partial(_choose, key), keys=keys, runs=runs)


def behind_point(
    points: pd.DataFrame, rates: pd.DataFrame, evals: pd.DataFrame, splits: Sequence[str], as_of: int
) -> None:
    """Show what is behind the point that is chosen, if it is among those drawn, and let it stand in the address.

    Args:
        points: What is drawn, with columns `point` and `row`.
        rates: What `row` is an index of: rows of `RATE_COLUMNS`.
        evals: `EVAL_COLUMNS`.
        splits: The fields that the rates are split by.
        as_of: Batch.
    """
    key = _key()
    behind = points[points["point"] == st.session_state[key]]
    if len(behind):
        row = rates.loc[behind["row"].iloc[0]].to_dict()
        members = evals.loc[evals["eval"] == row["eval"], "members"].iloc[0]
        point_panel(row, list(members), splits, as_of)
    else:
        absent.tell(POINT, controls.restored(POINT) or [], points["point"].dropna().unique().tolist())
        st.session_state[key] = ""
    controls.remember(POINT, st.session_state[key] or None)


def clicked_in() -> str:
    """The key of the chart in which the point was clicked; "" where the address named it."""
    return str(st.session_state.get(f"{_key()}_in", ""))


def _key() -> str:
    """Each page remembers its own."""
    return f"{controls.page()}_{POINT}"


def _choose(key: str) -> None:
    """Take over the point that was clicked."""
    clicked = st.session_state[key].selection.get(SELECTION) or [{}]
    st.session_state[f"{_key()}_in"] = key
    fragments.ask_for_page()
    st.session_state[_key()] = clicked[0].get("point") or st.session_state[_key()]


def point_panel(row: Mapping[Any, Any], members: list[str], splits: Sequence[str], as_of: int) -> None:
    """Show what is behind one point: what it says, and its first samples, the bad ones first.

    Args:
        row: A row of the rates.
        members: The evals of its group, or its own.
        splits: The fields that the rates are split by.
        as_of: Batch.
    """
    to = links.samples_of_rate(row, splits)
    wanted = filter_of(to)
    frame = caches.samples_page(wanted, order_of(to), 0, FIRST_SAMPLES, as_of=as_of)
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.html(f'{STYLE}<div class="dl-head {PLACE}">{_headline(row)}</div>', width="content")
            if len(frame):
                total = sum(caches.outcome_counts(wanted, as_of).values())
                with st.container(horizontal=True, width="content", gap="small"):
                    along_this_run(frame.to_dict("records"), as_of)
                    st.page_link(
                        page_file(links.SAMPLES), label=_all_of(total), icon=":material/list:", query_params=to
                    )
        if len(frame):
            sample_table(
                frame, "point_samples", to, row["better"], fixed=["checkpoint"] + ["eval"] * (not row["group"])
            )
        else:
            st.caption("The log has no samples, only reported numbers.")
        with st.expander("Details"):
            st.code(statement(row, numerals.data_of(shell.when(as_of), as_of)), language=None, wrap_lines=True)
            st.html(facts(_about(row, members, splits)))
        point_notes(row, as_of)
    bring_into_sight(str(st.session_state.get(_key(), "")))


def _all_of(total: int) -> str:
    """What leads to the samples behind a point."""
    return f"All {numerals.plural(total, 'sample')}" if total > 1 else numerals.plural(total, "sample")


def _headline(row: Mapping[Any, Any]) -> str:
    counted = f"{row['k']} of {row['n']}" if pd.notna(row["k"]) else f"n = {row['n']}" if pd.notna(row["n"]) else ""
    between = numerals.between(row["low"], row["high"], row["kind"]) if pd.notna(row["low"]) else ""
    checkpoint = checkpoint_name(row)
    split = "".join(f" · {escaped(row[name])}" for name in ("split", "split2") if pd.notna(row[name]))
    value = numerals.value_of(row["rate"], row["kind"])
    return (
        f"<b>{escaped(checkpoint)}</b> · {escaped(row['eval'])}{split} · <b>{escaped(value)}</b>"
        f" {escaped(between)} · {escaped(counted)}"
    )


def _about(row: Mapping[Any, Any], members: list[str], splits: Sequence[str]) -> list[tuple[str, object]]:
    reported = None
    if row["disagrees"]:
        reported = f"{numerals.figures(row['reported'], 6)}, and its samples give {numerals.figures(row['rate'], 6)}"
    return [
        ("Definition", f"{row['metric']}: {row['definition']}"),
        ("Samples with", ", ".join(links.samples_of_rate(row, splits).get("where", []))),
        ("Interval", row["interval"]),
        ("Unscored", row["n_missing"]),
        ("Mean of", ", ".join(members) if row["group"] else None),
        ("Log reports", reported),
        ("Mix", row["mix"]),
        ("Stage", row["stage"]),
        ("Tokens", numerals.count(row["tokens"]) if pd.notna(row["tokens"]) else None),
        ("Model", row["model"]),
        ("Judge", row["judge"]),
        ("Task", row["task"]),
        ("Task version", row["task_version"]),
        ("Epochs", row["epochs"]),
        ("Status", row["status"]),
        ("Created", row["created"]),
        ("Log", row["path"]),
        ("Warnings", "; ".join(row["flags"])),
    ]
