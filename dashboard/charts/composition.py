"""What each mix is made of: its components side by side, in tokens or as shares."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.marks import FIT, SVG
from dashboard.charts.palette import INKS, PALETTE, Scheme

Amount = Literal["tokens", "share"]

UNKNOWN: dict[Amount, str] = {"tokens": "how many tokens of it is unknown", "share": "its share is unknown"}

NO_KIND = "unknown kind"
ROW_HEIGHT = 26
CHARACTER = 6.2
"""Pixels of one character of a label."""

PART_COLUMNS = ("bar", "mix", "component", "kind", "amount", "begin", "end", "total")
"""Columns of the parts: one row a component of a bar. `amount`, `begin`, `end` and `total` are in tokens or fractions;
`total` is missing where a part's amount is."""


@dataclass(frozen=True, slots=True)
class Composition:
    """What is known of the mixes."""

    parts: pd.DataFrame
    """`PART_COLUMNS`, in the order of the runs and of the components on the card."""
    untold: list[str]
    """Mixes, or parts of them, that can't be drawn, for people."""


def composition(runs: pd.DataFrame, amount: Amount) -> Composition:
    """The parts of every mix that these runs were trained on; a mix made up differently in two runs has two bars.

    A share is that of the card, else the part's tokens of the sum of all parts; tokens are those of the card. What is
    not told so is not drawn but named.

    Args:
        runs: Rows of `RUN_COLUMNS`.
        amount: What the bars measure.
    """
    by_content: dict[str, dict[str, Any]] = {}
    untold: dict[str, None] = {}
    for row in runs.to_dict("records"):
        mix = row["mix"] if isinstance(row["mix"], str) else None
        parts = row["mix_components"] or []
        if mix is None and not parts:
            untold[f"{row['run_label']}: no mix is known"] = None
        elif not parts:
            untold[f"{mix}: what it is made of is not told ({row['run_label']})"] = None
        else:
            content = json.dumps([mix, parts], sort_keys=True)
            by_content.setdefault(content, {"mix": mix or str(row["run"]), "parts": parts, "runs": []})
            by_content[content]["runs"].append(row["run_label"])
    names = [entry["mix"] for entry in by_content.values()]
    rows = []
    for entry in by_content.values():
        bar = entry["mix"] if names.count(entry["mix"]) == 1 else f"{entry['mix']} ({', '.join(entry['runs'])})"
        amounts = [_amount(part, entry["parts"], amount) for part in entry["parts"]]
        at = 0.0
        for part, size in zip(entry["parts"], amounts, strict=True):
            if size is None:
                untold[f"{bar}: {part['name']} is in it, {UNKNOWN[amount]}"] = None
                continue
            rows.append(
                {
                    "bar": bar, "mix": entry["mix"], "component": part["name"], "kind": part.get("kind") or NO_KIND,
                    "amount": size, "begin": at, "end": at + size, "total": _sum(amounts),
                }
            )  # fmt: skip
            at += size
    frame = pd.DataFrame(rows, columns=list(PART_COLUMNS)).astype(dict.fromkeys(PART_COLUMNS[4:], "float64"))
    return Composition(frame, list(untold))


def composition_chart(parts: pd.DataFrame, amount: Amount, scheme: Scheme, kinds: Sequence[str]) -> alt.LayerChart:
    """Draw the bars, the mixes below each other.

    Args:
        parts: From `composition`, at least one row.
        amount: What the bars measure.
        scheme: light or dark.
        kinds: All kinds of components that there are, so that a kind's colour does not depend on what is picked.
    """
    ink = INKS[scheme]
    bars = parts["bar"].drop_duplicates().tolist()
    longest = float(parts["end"].max())
    tokens = amount == "tokens"
    domain = [0.0, longest * 1.12 if tokens else max(1.0, longest)]
    number = numerals.d3_tokens("datum.value") if tokens else f"format(datum.value, '{numerals.D3_WHOLE_PERCENT}')"
    told = numerals.d3_tokens("datum.amount") if tokens else f"format(datum.amount, '{numerals.D3_PERCENT}')"
    row = alt.Y(
        "bar:N",
        scale=alt.Scale(domain=bars),
        title=None,
        axis=alt.Axis(labelLimit=170, labelOverlap=False, ticks=False, domain=False),
    )

    def place(column: str) -> alt.X:
        return alt.X(
            f"{column}:Q",
            title="Training tokens" if amount == "tokens" else "share of the mix",
            scale=alt.Scale(domain=domain, nice=False),
            axis=alt.Axis(labelExpr=number, gridColor=ink.faint, tickCount=6),
        )

    there = [kind for kind in kinds if kind in set(parts["kind"])]
    colours = {kind: PALETTE[at % len(PALETTE)] for at, kind in enumerate(kinds)}
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=there, range=[colours[kind] for kind in there]),
        legend=alt.Legend(
            title="kind", orient="top", direction="horizontal", symbolType="square",
            columns=alt.ExprRef("max(1, floor(width / 130))"),
        ),
    )  # fmt: skip
    base = alt.Chart(parts).transform_calculate(told=told)
    room = f"floor((datum.end - datum.begin) / {domain[1]} * width / {CHARACTER}) - 1"
    shortened = f"{room} > 5 ? slice(datum.component, 0, {room} - 1) + '…' : ''"
    named = f"length(datum.component) <= {room} ? datum.component : {shortened}"
    layers = [
        base.mark_bar(stroke=ink.paper, strokeWidth=1, height={"band": 0.74}).encode(
            y=row,
            x=place("begin"),
            x2=alt.X2("end:Q"),
            color=colour,
            tooltip=[
                alt.Tooltip(f"{name}:N", title=title)
                for name, title in (("bar", "mix"), ("component", "component"), ("kind", "kind"), ("told", amount))
            ],
        ),
        *(
            alt.Chart(some)
            .mark_text(align="left", dx=4, color=text, fontSize=10.5)
            .encode(y=row, x=place("begin"), text=alt.TextValue(alt.expr(named)))
            for text, some in parts.groupby(parts["kind"].map(lambda kind: _text_on(colours[kind])))
        ),
    ]
    if amount == "tokens":
        ends = parts.groupby("bar", sort=False).agg(end=("end", "max"), total=("total", "first")).reset_index()
        sums = alt.Chart(ends).transform_calculate(
            told=f"isValid(datum.total) ? {numerals.d3_tokens('datum.total')}"
            f" : 'at least ' + {numerals.d3_tokens('datum.end')}"
        )
        layers.append(
            sums.mark_text(align="left", dx=4, color=ink.muted, fontSize=10.5).encode(
                y=row, x=place("end"), text=alt.Text("told:N")
            )
        )
    chart: alt.LayerChart = alt.LayerChart(
        layer=layers, height=ROW_HEIGHT * max(2, len(bars)), autosize=FIT, usermeta=SVG
    )
    return chart


def _amount(part: dict[str, Any], parts: Sequence[dict[str, Any]], amount: Amount) -> float | None:
    told: float | None = part.get("tokens" if amount == "tokens" else "share")
    every: list[float | None] = [each.get("tokens") for each in parts]
    if told is not None or amount == "tokens":
        return told
    total = _sum(every)
    return part["tokens"] / total if total else None


def _sum(amounts: Sequence[float | None]) -> float | None:
    """Of what is known in every part; else None."""
    known = [each for each in amounts if each is not None]
    return sum(known) if len(known) == len(amounts) else None


def _text_on(colour: str) -> str:
    """Black or white, whichever stands out more on a colour: by relative luminance, as the WCAG define it."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "#000000"
