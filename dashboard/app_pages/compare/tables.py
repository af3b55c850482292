"""The parts of the Compare page: table of differences, questions that flipped, settings side by side, a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.compare.telling import TABLE, differing_lines, flips_of, samples_of, settings_table
from dashboard.charts.forest import ForestStyle, forest_chart, panel_titles
from dashboard.charts.marks import SELECTION
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.charts.frame import show
from dashboard.kit.data_table import data_table
from dashboard.kit.numbers import Write, outcome_words, written
from dashboard.kit.page import fragments
from dashboard.kit.pickers import controls
from dashboard.kit.tables import download_csv
from dashboard.kit.text.plain import escaped, listed
from dashboard.numerals import figures, p_value, percent, points, size_in_points
from dashboard.pages import page_file
from dashboard.queries.compare import Comparison
from dashboard.queries.planning import plan
from dashboard.queries.rows import is_missing
from dashboard.statistics.power import POWER
from dashboard.texts.verdicts import verdict_words

PAIR = "pair"
BESIDE = "beside"
MOST_ROWS = 12
"""Of a table that isn't scrolled."""
SHOWN_LINES = 6
"""Of what differs; the others are folded."""

WRITTEN: dict[str, Write] = {
    **{f"{whose}rate{end}": percent for whose in ("", "baseline_") for end in ("", "_low", "_high")},
    **dict.fromkeys(("difference", "low", "high"), points),
    **dict.fromkeys(("p", "p_corrected", "p_equivalence_corrected"), p_value),
    "detectable": size_in_points,
    "effect": figures,
}
"""How the table writes its numbers."""

OPTIONAL = frozenset(
    {"variant", "split", "split2", "k", "baseline_k", "effect", "effect_kind", "p_equivalence_corrected", "needed"}
)
"""Columns of the table that many comparisons have nothing in."""

EQUIVALENCE = (
    " Equivalent: two one-sided tests (TOST) at 5%, p corrected likewise; for one difference that is its 90% interval"
    " within the margin. Not enough data: neither is shown; questions needed are those that would show equivalence with"
    " 80% power if nothing differs."
)

Row = Mapping[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Words:
    """How a page names what it compares."""

    checkpoints: Mapping[str, str]
    """Checkpoint to its title."""
    evals: Mapping[str, str]
    """Eval or group to its title."""
    members: Mapping[str, Sequence[str]]
    """Group to its evals."""
    splits: Sequence[str]
    """The fields that evals are split by."""

    def checkpoint(self, name: str) -> str:
        """A checkpoint's title."""
        return self.checkpoints.get(name, name)


def not_comparable(found: Comparison, words: Words) -> None:
    """Say what differs besides the checkpoints, before any number."""
    lines = differing_lines(found.incomparable, len(found.checkpoints) - 1, words.checkpoints, words.evals)
    if not lines:
        st.html(
            '<div class="dl-note">No settings differ between these logs (judge, task version, prompts, epochs,'
            " sampling, questions), as far as the logs record them.</div>"
        )
        return
    with st.container(border=True):
        st.html('<div class="dl-head"><b>Settings that differ between these logs</b></div>')
        st.html(listed(lines[:SHOWN_LINES]))
        if len(lines) > SHOWN_LINES:
            with st.expander(f"{len(lines) - SHOWN_LINES} more"):
                st.html(listed(lines[SHOWN_LINES:]))


def forest(found: Comparison, rows: pd.DataFrame, metrics: Mapping[str, str], style: ForestStyle, chosen: str) -> None:
    """Draw a panel for each unit and direction; a click on a row chooses it."""
    runs = found.rates["run"].unique().tolist()
    for panel, title in panel_titles(rows, metrics).items():
        key = f"forest {panel}"

        def choose(key: str = key) -> None:
            """Take over the row that was clicked."""
            clicked = st.session_state[key].selection.get(SELECTION) or [{}]
            if clicked[0].get("point"):
                controls.put(PAIR, clicked[0]["point"])

        some = rows[rows["panel"] == panel]
        chart = drawing(forest_chart, some, style, title=title, selected=chosen)
        numbers = found.differences.loc[some["row"]]
        show(chart, key, f"Differences from {style.baseline}: {title}", numbers, on_select=choose, runs=runs)


def difference_table(found: Comparison, words: Words) -> None:
    """The numbers of every difference, as `driftline compare --format json` has them, and as a file."""
    frame = found.differences
    rates = frame["kind"] == "rate"
    for some in (frame[rates], frame[~rates]):
        if len(some):
            _table(some, words)
    family = int(frame["family"].max()) if len(frame) else 0
    corrected = f"corrected ({found.correction})" if found.correction != "none" else "not corrected"
    kinds = ", ".join(frame["effect_kind"].dropna().unique())
    st.caption(
        f"p is two-sided, {corrected} over all {numerals.plural(family, 'difference')} of this page. Intervals are 95%,"
        f" not corrected. Effect: {kinds}. Minimum detectable effect: the difference found with 80% power (McNemar's"
        " exact test of few questions: somewhat less). Where paired, counts and rates are of the questions in common."
        + (EQUIVALENCE if frame["margin"].notna().any() else "")
    )
    download_csv(frame, "driftline-compare")


def _table(frame: pd.DataFrame, words: Words) -> None:
    """One table, of rates or of numbers in their own units; columns without anything in them are left out."""
    rates = frame["kind"] == "rate"
    headed = TABLE | dict(zip(("split", "split2"), words.splits, strict=False))
    headed |= {name: f"{headed[name]}, pp" for name in ("difference", "detectable") if rates.all()}
    columns = [name for name in TABLE if name not in OPTIONAL or frame[name].notna().any()]
    config: dict[str, Any] = {
        name: st.column_config.Column(headed[name], pinned=name in ("eval", "checkpoint")) for name in columns
    }
    if "needed" in config:
        config["needed"] = st.column_config.NumberColumn(
            TABLE["needed"], format="localized", help="To show equivalence with 80% power; of a group, in each eval."
        )
    height: Any = "content" if len(frame) <= 2 * MOST_ROWS else 800
    alt = "Differences, intervals and p-values"
    # How many questions it would take has a column of its own.
    told = [verdict_words(row, row["kind"], needed=False) for row in frame.to_dict("records")]
    table = written(frame.assign(verdict=told)[columns], WRITTEN, rates.tolist())
    data_table(table, height=height, column_config=config, alt=alt)


def flipped(found: Comparison, row: Row, places: Mapping[str, Row], words: Words) -> None:
    """The questions behind one difference that came out otherwise, each a click from its two transcripts.

    Args:
        found: The comparison.
        row: A row of its differences.
        places: Checkpoint to a row with its run, step and step_label.
        words: Names.
    """
    members = words.members.get(row["eval"], [])
    rate = row["kind"] == "rate"
    flips = flips_of(found.flips if rate else found.changes, row, members)
    st.html(f'<div class="dl-note">{_counts(flips, row, words)}</div>')
    if flips.empty:
        return
    sides = {"": f"▸ {words.checkpoint(row['checkpoint'])}", "baseline_": f"▸ {words.checkpoint(row['baseline'])}"}
    if rate:
        told = outcome_words(row["better"])
        cells = {
            prefix: [
                f"{told[outcome]} {k}/{n}"
                for outcome, k, n in zip(flips[end], flips[f"{prefix}k"], flips[f"{prefix}n"], strict=True)
            ]
            for prefix, end in (("", "to"), ("baseline_", "from"))
        }
    else:
        cells = {prefix: flips[f"{prefix}value"].tolist() for prefix in sides}
    table = pd.DataFrame(
        {
            "question": flips["sample"],
            sides["baseline_"]: cells["baseline_"],
            sides[""]: cells[""],
            "change": flips["change"],
            BESIDE: "▸ side by side",
            "eval": flips["eval"].map(lambda name: words.evals.get(name, name)),
        }
    )
    if not row["group"]:
        table = table.drop(columns="eval")
    st.caption("Click a cell to open the transcript.")

    def open_cell() -> None:
        """Open the transcript of the side that was clicked; of any other cell the checkpoint's."""
        chosen = st.session_state["flips"].selection.cells
        if chosen:
            at, column = chosen[0]
            side = "baseline_" if column == sides["baseline_"] else ""
            flip = flips.iloc[at]
            if column == BESIDE:
                both = [row["baseline"], row["checkpoint"]]
                fragments.switch_page(
                    page_file(links.BESIDE),
                    query_params=links.beside(flip["eval"], flip["sample"], both, metric=flip["metric"]),
                )
            place = places[row["baseline" if side else "checkpoint"]]
            within = samples_of(flip.to_dict(), side, place, words.splits)
            to = links.transcript(flip[f"{side}eval_key"], flip["sample"], int(flip[f"{side}epoch"]), within=within)
            fragments.switch_page(page_file(links.TRANSCRIPT), query_params=to)

    data_table(
        written(table, {"change": points}, [rate] * len(table)),
        key="flips",
        on_select=fragments.sure(open_cell),
        selection_mode="single-cell",
        height="content" if len(table) <= MOST_ROWS else 420,
        column_config={
            "question": st.column_config.TextColumn("Question", width=120),
            sides["baseline_"]: st.column_config.Column(width=210),
            sides[""]: st.column_config.Column(width=210),
            "change": st.column_config.Column("Change (pp)" if rate else "Change", width=130),
            BESIDE: st.column_config.TextColumn("Both", width=110),
            "eval": st.column_config.TextColumn("Eval", width=150),
        },
        alt="Flipped questions; click a cell to open the transcript",
    )


def _counts(flips: pd.DataFrame, row: Row, words: Words) -> str:
    """How many questions went which way, of those that both answered; logs may hold none."""
    if flips.empty and is_missing(row["questions"]):
        return "No questions: at least one of the two logs has no samples, only totals."
    if flips.empty and not row["questions"]:
        return "No questions in common."
    if row["kind"] != "rate":
        return (
            f"Largest changes: {numerals.plural(len(flips), 'question')} in common."
            if len(flips)
            else "No question in common changed."
        )
    if flips.empty:
        return "No question in common flipped."
    told = outcome_words(row["better"])
    ways = []
    for start, end, sign in (("misaligned", "aligned", -1), ("aligned", "misaligned", 1)):
        count = int((flips["change"] * sign > 0).sum())
        ways.append(f"<b>{count}</b> {_word(told[start])} → {_word(told[end])}")
    epochs = " (in some epochs)" if (flips["n"] > 1).any() else ""
    test = f" · McNemar's exact {numerals.p_equals(row['p'])}" if str(row["test"]).startswith("McNemar") else ""
    where = f"{escaped(words.checkpoint(row['baseline']))} → {escaped(words.checkpoint(row['checkpoint']))}"
    return f"{where}: {', '.join(ways)}{epochs}{test}"


def _word(outcome: str) -> str:
    """An outcome without its sign."""
    return outcome.partition(" ")[2]


def configs(found: Comparison, words: Words) -> None:
    """The settings of every eval side by side."""
    only = st.toggle("Only differences", key="differing", bind="query-params")
    settings = found.settings
    st.caption("≠: differs from the baseline.")
    for (key, variant), some in settings.groupby(["eval", "variant"], sort=False, dropna=False):
        name = str(key)
        heading = words.evals.get(name, name) + ("" if is_missing(variant) else f" · {variant}")
        st.html(f'<div class="dl-head"><b>{escaped(heading)}</b></div>')
        table = settings_table(some, found.checkpoints, found.baseline, only_differing=only)
        absent = [words.checkpoint(each) for each in found.checkpoints if each not in table]
        if table.empty:
            st.html('<div class="dl-note">No setting differs.</div>')
        else:
            config: dict[str, Any] = {
                each: st.column_config.TextColumn(words.checkpoint(each) + " (baseline)" * (each == found.baseline))
                for each in table.columns.tolist()
            }
            config |= {
                "differs": st.column_config.TextColumn("", width=36, pinned=True),
                "setting": st.column_config.TextColumn("Setting", width=190, pinned=True),
            }
            data_table(table, height="content", column_config=config, alt=f"Settings of {heading}")
        if absent:
            st.html(f'<div class="dl-note">No results at: {escaped(", ".join(absent))}</div>')


def planning(found: Comparison, words: Words) -> None:
    """How many questions it would take to find a difference that the reader names."""
    basis = found.basis
    rates, scores = basis[basis["kind"] == "rate"], basis[basis["kind"] != "rate"]
    parts = []
    with st.container(horizontal=True):
        for name, label, some, unit, first in (
            ("target", "Target difference (pp)", rates, 0.01, 5.0),
            ("target_score", "Target difference (score)", scores, 1.0, 1.0),
        ):
            if len(some):
                most = 100.0 if unit < 1 else None
                target = controls.number(label, name, default=first, least=0.01, most=most)
                parts.append((some, target * unit))
    planned = pd.concat([plan(some, target) for some, target in parts], ignore_index=True)
    table = pd.DataFrame(
        {
            "eval": planned["eval"].map(lambda name: words.evals.get(name, name)),
            **{field: planned[column] for field, column in zip(words.splits, ("split", "split2"), strict=False)},
            "checkpoint": planned["checkpoint"].map(words.checkpoint),
            "questions": planned["questions"],
            "needed": planned["needed"],
            "epochs": planned["epochs"],
            "method": planned["method"],
        }
    )
    data_table(
        table,
        column_config={
            "eval": st.column_config.TextColumn("Eval", pinned=True),
            "checkpoint": st.column_config.TextColumn("Checkpoint", pinned=True),
            "questions": st.column_config.NumberColumn("Current questions"),
            "needed": st.column_config.NumberColumn("Questions needed", format="localized"),
            "epochs": st.column_config.NumberColumn("Epochs", format=numerals.COLUMN_SHORT),
            "method": st.column_config.TextColumn("Method", width=330),
        },
        alt="Questions needed to find a difference",
    )
    st.caption(
        f"Questions that find such a difference from the baseline with {numerals.whole_percent(POWER)} power at the 5%"
        " level, with the current number of epochs, for one comparison: corrections over several take more. Normal"
        " approximation (paired: Miller 2024; unpaired rates: Fleiss), so an exact test takes some more. For a group:"
        " questions in each eval."
    )
