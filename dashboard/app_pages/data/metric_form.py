"""Define a metric: score, operator, value and direction in a form, with the rates that it gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.app_pages.data import writing
from dashboard.app_pages.data.tables import preview_table
from dashboard.kit import caches
from dashboard.kit.data_table import data_table
from dashboard.kit.page.reader import cursor
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import escaped
from dashboard.placing.preview import rate_texts
from dashboard.placing.target import target_for
from dashboard.queries.rows import is_missing
from dashboard.queries.tried_metrics import tried
from loaders.errors import DriftlineError
from loaders.proposals.paths import literal
from loaders.study.conditions import LIST_OPS, OPS
from loaders.study.editing import added_text
from loaders.study.reading import parse_study
from loaders.study.yaml_lines import YamlProblem, parse

RATE, MEAN = "Rate: samples that meet a condition", "Mean of a score"
LOWER, HIGHER = "Lower is better", "Higher is better"
MOST_CONDITIONS = 4
VALUE = "value"


def metric_form(as_of: int) -> None:
    """Draw the section.

    Args:
        as_of: Batch.
    """
    if writing.outcome():
        return
    every = caches.evals(as_of)
    names = [str(name) for name in every[~every["group"]]["eval"]]
    if not names:
        st.caption("No evals yet.")
        return
    st.caption(
        "A metric says which samples count as misaligned, or which score is averaged, and which direction is better."
    )
    evals = tuple(controls.pick_many("Evals", "eval", names, default=names[:1], placeholder="Select evals"))
    scores = caches.scores_of(evals, as_of) if evals else pd.DataFrame()
    if scores.empty:
        st.caption("Samples of these evals have no scores." if evals else "Select at least one eval.")
        return
    try:
        metric = _metric(list(evals), scores)
    except ValueError as error:
        st.html(f'<div class="dl-notice" role="alert">{escaped(error)}</div>')
        return
    entries = {"metrics": [metric]}
    try:
        (definition,) = parse_study(added_text(entries), "study.yaml").metrics
    except DriftlineError as error:
        st.html(f'<div class="dl-notice" role="alert">{escaped(error)}</div>')
        return
    with cursor() as con:
        rows = tried(con, definition, as_of)
    st.markdown("##### Preview")
    if rows:
        data_table(
            preview_table([rate_texts(row) for row in rows]),
            height="content" if len(rows) <= 15 else 420, alt="Rates that this metric gives",
        )  # fmt: skip
    missing = sum(int(row["n_missing"]) for row in rows if not is_missing(row.get("n_missing")))
    outcomes = sum(int(row["n"]) for row in rows if not is_missing(row.get("n")))
    st.caption(f"{numerals.plural(outcomes, 'sample')} counted, {numerals.count(missing)} without an outcome.")
    roots = caches.roots_of(evals, as_of)
    root = roots[0] if len(roots) == 1 else st.selectbox("Study file in", roots, key="metric_root")
    writing.panel(target_for(str(Path(str(root))), "", caches.card_places(as_of)), entries, ready=outcomes > 0)


def _metric(evals: list[str], scores: pd.DataFrame) -> dict[str, Any]:
    """The metric that the widgets say.

    Raises:
        ValueError: What was typed makes no sense.
    """
    left, right = st.columns([3, 2])
    kind = left.segmented_control("Kind", [RATE, MEAN], default=RATE, required=True, key="metric_kind")
    better = right.segmented_control("Direction", [LOWER, HIGHER], default=LOWER, required=True, key="metric_better")
    if kind == MEAN:
        score = _score(scores, 0)
        body: dict[str, Any] = {"kind": "mean", "score": score}
        begun = "mean_" + _word(score["score"], score.get("key"))
    else:
        conditions = [_condition(scores, 0)]
        while len(conditions) < MOST_CONDITIONS and st.toggle(
            "And another condition", key=f"metric_and_{len(conditions)}"
        ):
            conditions.append(_condition(scores, len(conditions)))
        body = {"misaligned": conditions[0] if len(conditions) == 1 else {"all": conditions}}
        begun = _word(conditions[0]["score"], conditions[0].get("key"), str(conditions[0].get("field", "")))
    left, right = st.columns(2)
    # Its key holds what it was begun with: another score begins another name.
    name = left.text_input("Name", begun, key=f"metric_name {begun}", help="In links and files.").strip()
    title = right.text_input("Label", "", key="metric_title", placeholder="Shown in place of the name").strip()
    if not name:
        raise ValueError("Enter a name.")
    told = {"title": title} if title else {}
    return {"name": name, **told, "evals": evals, **body, "better": "lower" if better == LOWER else "higher"}


def _score(scores: pd.DataFrame, at: int) -> dict[str, Any]:
    """The score that is picked, as a study file names it."""
    rows: list[dict[Any, Any]] = scores.to_dict("records")
    picked = st.selectbox(
        "Score", range(len(rows)), key=f"metric_score_{at}", format_func=lambda index: _told(rows[index])
    )
    row = rows[picked]
    score = {"score": literal(str(row["scorer"]))}
    if not is_missing(row["key"]):
        score["key"] = str(row["key"])
    return score


def _condition(scores: pd.DataFrame, at: int) -> dict[str, Any]:
    columns = st.columns([4, 2, 1, 2])
    with columns[0]:
        score = _score(scores, at)
    row = scores.iloc[int(st.session_state[f"metric_score_{at}"])]
    fields = [VALUE, "answer", *(f"metadata.{name}" for name in row["fields"] or () if " " not in name)]
    field = columns[1].selectbox("Field", fields, key=f"metric_field_{at} {len(fields)}")
    operator = columns[2].selectbox("Operator", OPS, key=f"metric_op_{at}")
    text = columns[3].text_input("Value", "1", key=f"metric_value_{at}").strip()
    if not text:
        raise ValueError("Enter a value.")
    listed = operator in LIST_OPS
    value = [_typed(part.strip()) for part in text.split(",") if part.strip()] if listed else _typed(text)
    return {**score, **({} if field == VALUE else {"field": field}), "op": operator, "value": value}


def _typed(text: str) -> Any:
    """A value as YAML reads it: a number or boolean where it is one."""
    try:
        value = parse(f"- {text}".encode()).value[0]
    except YamlProblem:
        return text
    return text if value is None or isinstance(value, (list, dict)) else value


def _word(*parts: str | None) -> str:
    """A name made of some parts."""
    return "_".join(filter(None, (re.sub(r"[^\w-]+", "_", part).strip("_") for part in parts if part)))


def _told(row: dict[Any, Any]) -> str:
    """A score with what it holds, for a picker."""
    name = str(row["scorer"]) if is_missing(row["key"]) else f"{row['scorer']} · {row['key']}"
    held = []
    if row["numbers"]:
        held.append(f"{numerals.figures(row['least'])} to {numerals.figures(row['most'])}")
    texts = [str(text) for text in row["texts"] or ()]
    if texts:
        held.append(", ".join(text[:20] for text in texts[:4]) + (", ..." if len(texts) > 4 else ""))
    return f"{name} ({'; '.join(held)})" if held else name
