"""Numbers as a paper states them: a sentence each, the same in LaTeX, and as rows of a LaTeX table. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd

from dashboard import numerals
from dashboard.exports.facts import Facts
from dashboard.queries.rows import checkpoint_name, is_missing
from dashboard.texts.verdicts import verdict_words

Row = Mapping[Any, Any]

MOST_STATEMENTS = 200
"""Sentences of one chart: more are a table, not a text."""

PLACE = ("variant", "split", "split2")

LATEX = {
    "\\": r"\textbackslash{}", "%": r"\%", "&": r"\&", "_": r"\_", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": r"\textbar{}",
    numerals.MINUS: "$-$", "±": r"$\pm$", "×": r"$\times$", "→": r"$\to$", "–": "--", "—": "---", "…": r"\dots{}",
}  # fmt: skip


def statements(data: pd.DataFrame, facts: Facts) -> list[str]:
    """A sentence for each number of a chart, then once what all of them are of.

    Args:
        data: Rates (`RATE_COLUMNS`), differences (`DIFFERENCE_COLUMNS`), or steps of a line (`STEP_COLUMNS`); of other
            numbers nothing is said.
        facts: Of the chart, for the data that it is of.

    Returns:
        At most `MOST_STATEMENTS` sentences, and last the definition of each metric and the data; nothing where there is
        no number.
    """
    rows = [(row, said) for row in data.head(MOST_STATEMENTS).to_dict("records") if (said := _said(row))]
    defined = dict.fromkeys(_definition(row) for row, _ in rows)
    about = " ".join([*filter(None, defined), f"{facts.batch}."])
    return [*(said for _, said in rows), about] if rows else []


def statement(row: Row, batch: str) -> str:
    """One number as a sentence, with all that it needs to stand alone; "" for what is neither a rate nor a difference.

    Args:
        row: One row, as for `statements`.
        batch: Of which data it is, in words.
    """
    said = _said(row)
    return " ".join(filter(None, [said, _definition(row), f"{batch}."])) if said else ""


def _said(row: Row) -> str:
    of = kind_of(row)
    said = _difference(row) if of == "difference" else _rate(row) if of == "rate" else ""
    return f"{' '.join(said.split())}." if said else ""


def _definition(row: Row) -> str:
    definition = _at(row, "definition")
    return "" if is_missing(definition) else " ".join(f"{_at(row, 'metric')}: {definition}.".split())


def kind_of(columns: Iterable[Any]) -> str:
    """What rows with these columns state: "difference", "rate", or "" for other numbers.

    Leads, which have other signs and units than differences, are neither.
    """
    there = set(columns)
    if "eval" not in there or not ("checkpoint" in there or there >= {"run", "step", "step_label"}):
        return ""
    if "difference" in there:
        compared = there & {"baseline_rate", "against_rate"}
        return "difference" if compared and there >= {"low", "high", "kind", "method"} else ""
    return "rate" if there >= {"rate", "low", "high", "kind", "interval"} else ""


def latex(text: str) -> str:
    """A text as LaTeX prints it."""
    return "".join(LATEX.get(letter, letter) for letter in text)


def latex_table(data: pd.DataFrame, facts: Facts) -> str:
    """The numbers of a chart as a LaTeX table (booktabs), a row each; "" where there are none.

    Args:
        data: As for `statements`.
        facts: Of the chart: its title, definitions and data are the caption.
    """
    rows = [row for row in data.head(MOST_STATEMENTS).to_dict("records") if _said(row)]
    if not rows:
        return ""
    compared = kind_of(data) == "difference"
    heads = ["Checkpoint", "Eval", "Difference" if compared else "Rate", "95% CI", "p" if compared else "k/n"]
    lines = [[_who(row), _what(row), *(_difference_cells if compared else _rate_cells)(row)] for row in rows]
    caption = " ".join(f"{line}." for line in [facts.title, *facts.definitions, *_methods_of(rows), facts.batch])
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex(caption)}}}",
            r"\begin{tabular}{llrrr}",
            r"\toprule",
            " & ".join(map(latex, heads)) + r" \\",
            r"\midrule",
            *(" & ".join(map(latex, line)) + r" \\" for line in lines),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _at(row: Row, name: str) -> Any:
    """A value of a row; None where it has no such column."""
    return row.get(name)


def _rate(row: Row) -> str:
    """22.0% (66 of 300; 95% CI 17.7 to 27.0; Wilson, clustered by question)."""
    if is_missing(_at(row, "rate")):
        return ""
    low, high = _at(row, "low"), _at(row, "high")
    inside = [_counted(row)]
    inside.append("no interval" if is_missing(low) else f"{_level(row)} CI {_between(low, high, _size(row))}")
    inside += [] if is_missing(_at(row, "interval")) else [str(row["interval"])]
    if not is_missing(_at(row, "band_low")):
        inside.append(f"simultaneous band {_between(row['band_low'], row['band_high'], _size(row))}")
    missing = _at(row, "n_missing")
    inside += [f"{numerals.count(missing)} without an outcome"] if not is_missing(missing) and missing else []
    value = numerals.value_of(row["rate"], str(_at(row, "kind")))
    return f"{_who(row)}, {_what(row)}: {value}{_unit(row)} ({'; '.join(filter(None, inside))})"


def _difference(row: Row) -> str:
    """−7.0 pp (95% CI −13.2 to −0.8; Newcombe, paired; 300 questions; p (Holm over 6) = 0.028, McNemar, exact)."""
    if is_missing(row["difference"]):
        return ""
    low, high = _at(row, "low"), _at(row, "high")
    inside = ["no interval" if is_missing(low) else f"{_level(row)} CI {_between(low, high, _signed(row))}"]
    inside += [] if is_missing(_at(row, "method")) else [str(row["method"])]
    if not is_missing(_at(row, "band_low")):
        inside.append(f"simultaneous band {_between(row['band_low'], row['band_high'], _signed(row))}")
    if not is_missing(_at(row, "questions")):
        inside.append(numerals.plural(row["questions"], "question"))
    inside += filter(None, [_p(row), _equivalence(row)])
    unit = " pp" if _at(row, "kind") == "rate" else _unit(row)
    against = next((row[name] for name in ("baseline", "against") if not is_missing(_at(row, name))), "baseline")
    sides = [_side(row, ""), _side(row, "baseline_") or _side(row, "against_")]
    compared = f", {sides[0]} vs {sides[1]}" if all(sides) else ""
    value = _signed(row)(row["difference"]) + unit
    return f"{_who(row)} vs {against}, {_what(row)}: {value} ({'; '.join(inside)}){compared}"


def _p(row: Row) -> str:
    """The p-value after correction, with its family and test."""
    corrected, correction = _at(row, "p_corrected"), _at(row, "correction")
    if is_missing(corrected):
        return "" if is_missing(_at(row, "p")) else f"{numerals.p_equals(row['p'])}, {_at(row, 'test')}"
    name = "Holm" if is_missing(correction) else str(correction)
    family = _at(row, "family")
    over = "" if is_missing(family) else f" over {numerals.count(family)}"
    told = numerals.p_equals(corrected) if name == "none" else numerals.p_equals(corrected, name + over)
    return told if is_missing(_at(row, "test")) else f"{told}, {row['test']}"


def _equivalence(row: Row) -> str:
    """What the difference shows by the margin, where one is set."""
    if is_missing(_at(row, "margin")):
        return ""
    told, p = verdict_words(row, str(_at(row, "kind"))), _at(row, "p_equivalence_corrected")
    if told == "significant":
        # The p-value of the difference says so.
        return ""
    return told if is_missing(p) else f"{told}, TOST {numerals.p_equals(p)}"


def _side(row: Row, prefix: str) -> str:
    """A rate of a comparison with its counts."""
    rate, k, n = (_at(row, f"{prefix}{name}") for name in ("rate", "k", "n"))
    if is_missing(rate):
        return ""
    counted = "" if is_missing(k) or is_missing(n) else f" ({numerals.count(k)} of {numerals.count(n)})"
    return numerals.value_of(rate, str(_at(row, "kind"))) + counted


def _who(row: Row) -> str:
    checkpoint = _at(row, "checkpoint")
    return str(checkpoint_name(row) if is_missing(checkpoint) else checkpoint)


def _what(row: Row) -> str:
    return ", ".join(str(row[name]) for name in ("eval", *PLACE) if not is_missing(_at(row, name)))


def _counted(row: Row) -> str:
    k, n = _at(row, "k"), _at(row, "n")
    if is_missing(n):
        return ""
    return f"n = {numerals.count(n)}" if is_missing(k) else numerals.part(k, n)


def _level(row: Row) -> str:
    level = _at(row, "level")
    return numerals.whole_percent(0.95 if is_missing(level) else level)


def _unit(row: Row) -> str:
    return "" if _at(row, "kind") == "rate" or is_missing(_at(row, "unit")) else f" {row['unit']}"


def _between(low: float, high: float, write: Callable[[float], str]) -> str:
    return f"{write(low)} to {write(high)}"


def _size(row: Row) -> Callable[[float], str]:
    return numerals.size_in_points if _at(row, "kind") == "rate" else numerals.figures


def _signed(row: Row) -> Callable[[float], str]:
    return numerals.points if _at(row, "kind") == "rate" else numerals.signed


def _rate_cells(row: Row) -> list[str]:
    ends = "" if is_missing(_at(row, "low")) else f"[{_size(row)(row['low'])}, {_size(row)(row['high'])}]"
    k, n = _at(row, "k"), _at(row, "n")
    counts = "" if is_missing(n) else numerals.count(n) if is_missing(k) else f"{numerals.count(k)}/{numerals.count(n)}"
    return [numerals.value_of(row["rate"], str(_at(row, "kind"))), ends, counts]


def _difference_cells(row: Row) -> list[str]:
    if is_missing(_at(row, "difference")):
        return ["", "", ""]
    ends = "" if is_missing(_at(row, "low")) else f"[{_signed(row)(row['low'])}, {_signed(row)(row['high'])}]"
    p = _at(row, "p_corrected") if not is_missing(_at(row, "p_corrected")) else _at(row, "p")
    unit = " pp" if _at(row, "kind") == "rate" else ""
    return [_signed(row)(row["difference"]) + unit, ends, "" if is_missing(p) else numerals.p_value(p)]


def _methods_of(rows: list[dict[Any, Any]]) -> list[str]:
    """The intervals' methods, each once, without what is one row's own (its effective sample size)."""
    found = [_at(row, name) for row in rows for name in ("interval", "method")]
    return list(dict.fromkeys(str(name).partition(" (")[0] for name in found if not is_missing(name)))
