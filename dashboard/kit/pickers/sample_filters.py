"""The filter of samples as it stands in an address, and as a query takes it. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

from dashboard.links import HIGHEST_FIRST, LOWEST_FIRST, Parameters
from dashboard.queries.rows import parse_step
from dashboard.queries.samples import OUTCOMES, SORTS, SampleFilter, Sort
from loaders.errors import DriftlineError
from loaders.metrics.splits import parse_where
from loaders.study.conditions import Condition, Op, SampleTest, ScoreTest

NATURAL = "as logged"
ORDERS: dict[str, Sort] = {
    NATURAL: (),
    HIGHEST_FIRST: (("value", True),),
    LOWEST_FIRST: (("value", False),),
    **{f"{column}, descending": ((column, True),) for column in ("step", "time", "messages", "created")},
    **{column: ((column, False),) for column in SORTS if column not in ("value", "run")},
}
"""What the picker of the order offers; its words stand in the address."""

ORDER_TITLES = {
    NATURAL: "Log order",
    HIGHEST_FIRST: "Value (high to low)",
    LOWEST_FIRST: "Value (low to high)",
    **{
        name: name[:1].upper() + name[1:].replace(", descending", " (high to low)")
        for name in ORDERS
        if name != NATURAL
    },
}

COMPARISONS = ("<=", ">=", "!=", "<", ">", "=")
CONDITION = re.compile(rf"\s*(?P<subject>\S+?)\s*(?P<op>{'|'.join(COMPARISONS)})\s*(?P<value>.+?)\s*")
EITHER: dict[str, bool | None] = {"any": None, "only": True, "without": False}
ERRORS = {"any": "All", "only": "With", "without": "Without"}
LIMITS = {"any": "All", "only": "Yes", "without": "No"}


def filter_of(address: Parameters) -> SampleFilter:
    """Read a filter out of an address. What is not there, or empty, does not filter.

    Raises:
        DriftlineError: A condition that can't be read, or a field that is none.
    """

    def names(name: str) -> tuple[str, ...]:
        return tuple(value for value in address.get(name, []) if value)

    def one(name: str) -> str:
        return next(iter(names(name)), "")

    metrics = names("metric")
    try:
        where = tuple(parse_where(text) for text in names("where"))
    except ValueError as error:
        raise DriftlineError(f"where: {error}.") from error
    return SampleFilter(
        runs=names("run"),
        steps=tuple(parse_step(text) for text in names("step")),
        evals=names("eval"),
        logs=names("in_log"),
        metric=metrics[0] if len(metrics) == 1 else None,
        outcomes=tuple(outcome for outcome in OUTCOMES if outcome in names("outcome")),
        condition=parse_condition(one("score")) if one("score") else None,
        text=one("text") or None,
        errors=EITHER.get(one("errors")),
        limits=EITHER.get(one("limits")),
        where=where,
    )


PARTS = {
    "evals": "Evals", "runs": "Runs", "steps": "Steps", "logs": "Logs", "text": "Text", "condition": "Score",
    "errors": "Errors", "limits": "Hit a limit", "where": "Field in the link",
}  # fmt: skip
"""Parts of a filter, as the page calls them. Outcomes are left out: what has which depends on the definition."""


def parts_alone(wanted: SampleFilter) -> dict[str, SampleFilter]:
    """Each part of a filter that filters something, by itself, under the name that the page has for it."""
    nothing = SampleFilter()
    return {
        title: replace(nothing, **{part: getattr(wanted, part)})
        for part, title in PARTS.items()
        if getattr(wanted, part) != getattr(nothing, part)
    }


def order_of(address: Parameters) -> Sort:
    """Read the order of the samples out of an address."""
    return ORDERS.get(next(iter(address.get("sort", [])), NATURAL), ())


def parse_condition(text: str) -> Condition:
    """Read a condition on a score (`aligned < 30`, `judge.harmful = 1`) or on the sample (`metadata.goal = self`).

    The first dot parts a scorer's name from its key. Numbers, true and false are read as such, all else as text.

    Raises:
        DriftlineError: Not of the form NAME OP VALUE.
    """
    match = CONDITION.fullmatch(text)
    if match is None:
        raise DriftlineError(
            f'"{text}" is no condition (allowed: NAME {" ".join(COMPARISONS)} VALUE, like aligned < 30).'
        )
    subject, op, value = match["subject"], cast("Op", match["op"]), _scalar(match["value"])
    if isinstance(value, str) and op in ("<", "<=", ">", ">="):
        raise DriftlineError(f'"{text}": {op} needs a number, and "{value}" is none.')
    if subject.startswith("metadata.") or subject in ("error", "limit_type", "target", "reply", "stop_reason"):
        return SampleTest(sample=subject, op=op, value=value)
    scorer, _, key = subject.partition(".")
    if key.startswith("metadata."):
        return ScoreTest(score=scorer, field=key, op=op, value=value)
    return ScoreTest(score=scorer, key=key or None, op=op, value=value)


def _scalar(text: str) -> str | float | bool:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return float(text)
    except ValueError:
        return text.strip("\"'")
