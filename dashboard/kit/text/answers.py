"""Outcomes of a question, and how they changed along a run, in words and signs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import numerals
from dashboard.kit.numbers import outcome_words
from dashboard.kit.text.plain import escaped
from dashboard.queries.beside import Along
from dashboard.statistics.changes import Change, first_change, is_unknown

MIXED = "◐"
UNKNOWN = "–"

STYLE = """<style>
ol.bs-strip.bs-strip { list-style: none; display: flex; flex-wrap: wrap; gap: .15rem .1rem; margin: .2rem 0;
  padding: 0; }
ol.bs-strip.bs-strip li { margin: 0; min-width: 2.1rem; padding: .1rem .25rem; text-align: center;
  font-size: .74rem; line-height: 1.25; border: 1px solid transparent; border-radius: 4px; }
.bs-strip li b { display: block; font-size: .95rem; font-weight: 600; }
.bs-strip li.counted b { color: var(--dl-worse); } .bs-strip li.other b { color: var(--dl-better); }
.bs-strip li.unknown { opacity: .55; } .bs-strip li.first { border-color: #D55E00; }
.bs-strip li.now { background: rgba(128,128,128,.16); }
</style>"""
"""Of the marks along a run."""

Row = Mapping[Any, Any]


def told(value: float | None, kind: str, better: str | None) -> str:
    """An outcome in words: of a rate the outcome's, of anything else its number; a tie is neither.

    Args:
        value: From 0 to 1 for kind "rate"; None or NaN for no outcome.
        kind: Of the metric.
        better: Its direction.
    """
    words = outcome_words(better)
    if value is None or is_unknown(value):
        return words["missing"]
    if kind != "rate":
        return numerals.figures(value)
    if value in (0.0, 1.0):
        return words["misaligned" if value else "aligned"]
    return f"{MIXED} {numerals.whole_percent(value)} {words['misaligned'].split(maxsplit=1)[1]}"


def told_at(row: Row | None, kind: str, better: str | None) -> str:
    """The outcome of a question at a checkpoint, all epochs together: "● misaligned", "◐ 2/3 misaligned".

    Args:
        row: Of `ANSWER_COLUMNS`; None where the checkpoint lacks the question.
        kind: Of the metric.
        better: Its direction.
    """
    if row is None:
        return ""
    if is_unknown(row["value"]):
        return outcome_words(better)["outside" if all(row["outside"]) else "missing"]
    value, n = float(row["value"]), int(row["n"])
    if kind == "rate" and n > 1:
        word = told(float(value == 1), kind, better) if value in (0.0, 1.0) else f"{MIXED} {_counted(better)}"
        return f"{word} {round(value * n)}/{n}"
    return told(value, kind, better)


def _counted(better: str | None) -> str:
    return outcome_words(better)["misaligned"].split(maxsplit=1)[1]


def told_in_epoch(row: Row, epoch: int, kind: str, better: str | None) -> str:
    """The outcome of one epoch."""
    at = list(row["epochs"]).index(epoch)
    if row["outside"][at]:
        return outcome_words(better)["outside"]
    return told(row["values"][at], kind, better)


def change_lines(found: Along, sample: str, kind: str, better: str | None, several_epochs: bool) -> list[str]:
    """When the outcome of a question first changed along a run, in sentences.

    Args:
        found: Of the run.
        sample: The question.
        kind: Of the metric.
        better: Its direction.
        several_epochs: Whether the run's logs have more than one.
    """
    values = found.values.get(sample, [None] * len(found.steps))
    known = [at for at, value in enumerate(values) if not is_unknown(value)]
    epochs = ""
    if several_epochs:
        how = "the majority over epochs, ◐ for a tie" if kind == "rate" else "the mean over epochs"
        epochs = f" The outcome of a step is {how}."
    lacking = len(values) - len(known)
    missing = f" Unscored at {lacking} of {len(values)} steps." if lacking else ""
    if len(known) < 2:
        return [f"Scored at {len(known)} of {len(values)} steps: no flip possible."]
    change = first_change(values)
    if change is None:
        word = told(values[known[0]], kind, better)
        return [f"No flip: {word} at all {len(known)} scored steps.{missing}{epochs}"]
    ways = f"{told(values[change.start], kind, better)} → {told(values[change.first], kind, better)}"
    lines = [f"First flip at {_at(found, change.first)}{_how_it_went_on(found, change)}: {ways}."]
    if change.before + 1 != change.first:
        lines.append(f"Last as at first at {_at(found, change.before)}; unscored between the two.")
    if change.back is not None:
        lines.append(f"Differs from the first step at {change.differing} of {change.known - 1} later steps.")
    if missing or epochs:
        lines.append(f"{missing}{epochs}".strip())
    return lines


def _at(found: Along, at: int) -> str:
    """A step of the run, or the label that stands for it."""
    step = found.steps[at]
    return f"step {numerals.step(step)}" if isinstance(step, int) else str(step)


def _how_it_went_on(found: Along, change: Change) -> str:
    if change.back is not None:
        return f"; reverted at {_at(found, change.back).removeprefix('step ')}"
    if found.steps[change.first] == found.steps[-1]:
        return " (the last step)"
    return "; persistent"


def strip_html(found: Along, sample: str, kind: str, better: str | None, now: Sequence[str] = ()) -> str:
    """A mark for each step of a run: the outcome of a question there.

    Args:
        found: Of the run.
        sample: The question.
        kind: Of the metric.
        better: Its direction.
        now: Names of the checkpoints that are being looked at.
    """
    values = found.values.get(sample, [None] * len(found.steps))
    change = first_change(values)
    marks = []
    for at, (name, step, value) in enumerate(zip(found.checkpoints, found.steps, values, strict=True)):
        unknown = value is None or is_unknown(value)
        css = "unknown" if unknown else "counted" if kind == "rate" and value == 1 else "other" if value == 0 else ""
        if kind != "rate" and not unknown:
            css = ""
        css += " first" if change is not None and change.first == at else ""
        css += " now" if name in now else ""
        word = told(value, kind, better)
        sign = UNKNOWN if unknown else word.split(maxsplit=1)[0]
        label = f"step {name if step is None else step}: {word}"
        marks.append(
            f'<li class="{css.strip()}" aria-label="{escaped(label)}" title="{escaped(label)}"><b>{escaped(sign)}</b>'
            f"{escaped('' if step is None else step)}</li>"
        )
    return f'<ol class="bs-strip" aria-label="Outcome at each step">{"".join(marks)}</ol>'
