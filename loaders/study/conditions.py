"""Conditions on a sample and its scores: what counts as misaligned, what is in the denominator, what is missing.

A condition is written in a study file as nested mappings and kept as a typed tree:

    {all: [C, ..]}  {any: [C, ..]}  {not: C}
    {score: SCORER_GLOB, key: KEY?, field: value|answer|explanation|reason|metadata.a.b, op: OP, value: X}
    {sample: metadata.a.b|error|limit_type|target|reply|stop_reason, op: OP, value: X}

Conditions are three-valued (true, false, missing) as SQL's are: a missing score makes a test missing, `all` with a
false member is false, `any` with a true member is true. Evaluation is in SQL (`dashboard.queries`), not here.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

from msgspec import Struct

from loaders.errors import DriftlineError

Op = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in"]
OPS: tuple[Op, ...] = get_args(Op)
ORDER_OPS: tuple[Op, ...] = ("<", "<=", ">", ">=")
LIST_OPS: tuple[Op, ...] = ("in", "not in")

Scalar: TypeAlias = str | int | float | bool
Path: TypeAlias = tuple[str | int, ...]
"""Where in a YAML or JSON document: ("metrics", 0, "misaligned")."""

SCORE_FIELDS = ("value", "answer", "explanation", "reason")
"""Fields of a score; besides them `metadata.a.b`."""
SAMPLE_FIELDS = ("error", "limit_type", "target", "reply", "stop_reason")
"""Fields of a sample; besides them `metadata.a.b`."""

MAX_DEPTH = 20
"""Conditions nested deeper than this are refused: nobody writes them, and SQL built from them grows with it."""

_METADATA = re.compile(r"metadata(\.[^.\s]+)+")
_PLAIN = re.compile(r"[\w.+-]+")
_NOT_TEXT = re.compile(r"[-+]?[\d.]+|true|false")


class ScoreTest(Struct, frozen=True, kw_only=True):
    """Compares one field of one score with a value."""

    score: str
    """Name of the scorer; a glob (`*_judge`)."""
    op: Op
    value: Scalar | tuple[Scalar, ...]
    """A tuple for `in` and `not in`, a number for the order operators."""
    key: str | None = None
    """Key of a dict score, index of a list score; None for a scalar score."""
    field: str = "value"
    """value, answer, explanation, reason or metadata.a.b."""


class SampleTest(Struct, frozen=True, kw_only=True):
    """Compares one field of the sample with a value."""

    sample: str
    """error, limit_type, target, reply, stop_reason or metadata.a.b."""
    op: Op
    value: Scalar | tuple[Scalar, ...]


class All(Struct, frozen=True):
    """True where every member is."""

    members: tuple[Condition, ...]


class AnyOf(Struct, frozen=True):
    """True where at least one member is."""

    members: tuple[Condition, ...]


class Not(Struct, frozen=True):
    """True where the member is false; missing where it is missing."""

    member: Condition


Condition: TypeAlias = All | AnyOf | Not | ScoreTest | SampleTest


class ConditionError(DriftlineError):
    """A condition that breaks the grammar.

    Args:
        problems: Path inside the condition, and what is wrong there and what is allowed.
    """

    def __init__(self, problems: list[tuple[Path, str]]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{dotted(path) or 'condition'}: {text}" for path, text in problems))


def dotted(path: Sequence[str | int]) -> str:
    """A path for people: ("metrics", 0, "title") as `metrics[0].title`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def unknown_field(name: str, allowed: Sequence[str]) -> str:
    """The sentence about a field that isn't one, with the nearest that is."""
    near = difflib.get_close_matches(name, allowed, n=1)
    hint = f", did you mean `{near[0]}`?" if near else ""
    return f"unknown field `{name}`{hint} (allowed: {', '.join(allowed)})"


def from_json(value: Any) -> Condition:
    """A condition from parsed JSON or YAML.

    Raises:
        ConditionError: With every problem that was found.
    """
    problems: list[tuple[Path, str]] = []
    condition = parse(value, (), problems)
    if condition is None or problems:
        raise ConditionError(problems)
    return condition


def parse(value: Any, path: Path, problems: list[tuple[Path, str]], depth: int = 0) -> Condition | None:
    """A condition from parsed JSON or YAML, or None; problems are added to the list, with their paths."""
    if depth > MAX_DEPTH:
        problems.append((path, f"conditions nested deeper than {MAX_DEPTH}"))
        return None
    if not isinstance(value, dict):
        problems.append((path, f"{value!r} is not a condition (allowed: a mapping with {_KINDS})"))
        return None
    kinds = [kind for kind in ("all", "any", "not", "score", "sample") if kind in value]
    if len(kinds) != 1:
        said = f"has {' and '.join(kinds)}" if kinds else f"has {', '.join(map(str, value)) or 'no field'}"
        problems.append((path, f"a condition {said}, and exactly one kind is wanted (allowed: {_KINDS})"))
        return None
    kind = kinds[0]
    if kind in ("score", "sample"):
        return _test(kind, value, path, problems)
    for extra in value.keys() - {kind}:
        problems.append(((*path, str(extra)), f"`{kind}` has no other field than itself"))
    here = (*path, kind)
    if kind == "not":
        member = parse(value[kind], here, problems, depth + 1)
        return None if member is None else Not(member)
    if not isinstance(value[kind], list) or not value[kind]:
        problems.append((here, f"`{kind}` wants a list of one or more conditions"))
        return None
    members = [parse(item, (*here, i), problems, depth + 1) for i, item in enumerate(value[kind])]
    whole = tuple(member for member in members if member is not None)
    if len(whole) < len(members):
        return None
    return All(whole) if kind == "all" else AnyOf(whole)


_KINDS = "one of all, any, not, score, sample"


def _test(
    kind: str, value: dict[str, Any], path: Path, problems: list[tuple[Path, str]]
) -> ScoreTest | SampleTest | None:
    """A comparison; kind is score or sample."""
    before = len(problems)
    allowed = ("score", "key", "field", "op", "value") if kind == "score" else ("sample", "op", "value")
    for name in value:
        if name not in allowed:
            problems.append(((*path, str(name)), unknown_field(str(name), allowed)))
    subject = _text(value, kind, path, problems)
    if kind == "sample" and subject is not None:
        _one_of(subject, SAMPLE_FIELDS, (*path, "sample"), problems)
    key = _text(value, "key", path, problems) if "key" in value else None
    part = _text(value, "field", path, problems) if "field" in value else "value"
    if part is not None:
        _one_of(part, SCORE_FIELDS, (*path, "field"), problems)
    op: Op | None = next((known for known in OPS if known == value.get("op")), None)
    if op is None:
        said = f"{value['op']!r} is not an operator" if "op" in value else "`op` is missing"
        problems.append(((*path, "op") if "op" in value else path, f"{said} (allowed: {', '.join(OPS)})"))
    operand = _operand(value, op, path, problems)
    if len(problems) > before or subject is None or part is None or op is None or operand is None:
        return None
    if kind == "sample":
        return SampleTest(sample=subject, op=op, value=operand)
    return ScoreTest(score=subject, op=op, value=operand, key=key, field=part)


def _text(value: dict[str, Any], name: str, path: Path, problems: list[tuple[Path, str]]) -> str | None:
    text = value[name]
    # Keys of dict scores and indices of list scores are kept as text.
    if name == "key" and isinstance(text, int) and not isinstance(text, bool):
        return str(text)
    if isinstance(text, str) and text.strip():
        return text
    problems.append(((*path, name), f"`{name}` wants a text, not {text!r}"))
    return None


def _one_of(text: str, allowed: Sequence[str], path: Path, problems: list[tuple[Path, str]]) -> None:
    if text not in allowed and not _METADATA.fullmatch(text):
        near = difflib.get_close_matches(text, allowed, n=1)
        hint = f", did you mean `{near[0]}`?" if near else ""
        problems.append((path, f"unknown `{text}`{hint} (allowed: {', '.join(allowed)}, metadata.NAME)"))


def _operand(
    value: dict[str, Any], op: Op | None, path: Path, problems: list[tuple[Path, str]]
) -> Scalar | tuple[Scalar, ...] | None:
    if "value" not in value:
        problems.append((path, "`value` is missing"))
        return None
    operand = value["value"]
    here = (*path, "value")
    if op in LIST_OPS:
        if not isinstance(operand, list) or not operand or not all(map(_is_scalar, operand)):
            problems.append((here, f"`{op}` wants a list of texts, numbers or booleans, not {operand!r}"))
            return None
        return tuple(operand)
    if not _is_scalar(operand):
        problems.append((here, f"`value` wants a text, a number, true or false, not {operand!r}"))
        return None
    if op in ORDER_OPS and (isinstance(operand, (bool, str))):
        problems.append((here, f"`{op}` wants a number, not {operand!r}"))
        return None
    assert isinstance(operand, (str, int, float))  # noqa: S101  for the type checker: _is_scalar said so
    return operand


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value))


def to_json(condition: Condition) -> dict[str, Any]:
    """The condition as it would be written; `from_json` gives the same condition back."""
    match condition:
        case All(members):
            return {"all": [to_json(member) for member in members]}
        case AnyOf(members):
            return {"any": [to_json(member) for member in members]}
        case Not(member):
            return {"not": to_json(member)}
        case SampleTest():
            return {"sample": condition.sample, "op": condition.op, "value": _json_value(condition.value)}
        case ScoreTest():
            document: dict[str, Any] = {"score": condition.score}
            if condition.key is not None:
                document["key"] = condition.key
            if condition.field != "value":
                document["field"] = condition.field
            return document | {"op": condition.op, "value": _json_value(condition.value)}


def _json_value(value: Scalar | tuple[Scalar, ...]) -> Scalar | list[Scalar]:
    return list(value) if isinstance(value, tuple) else value


def score_name(score: str, key: str | None) -> str:
    """A score for people: `judge.harmful`; of all scorers "any scorer's harmful"."""
    if score == "*":
        return "any score" if key is None else f"any scorer's {key}"
    return score if key is None else f"{score}.{key}"


def describe(condition: Condition) -> str:
    """The condition for people, in one line: `aligned < 30 and coherent > 50`."""
    match condition:
        case All(members):
            return " and ".join(map(_member, members))
        case AnyOf(members):
            return " or ".join(map(_member, members))
        case Not(member):
            return f"not ({describe(member)})"
        case SampleTest():
            subject = condition.sample
        case ScoreTest():
            subject = score_name(condition.score, condition.key)
            if condition.field != "value":
                subject += f" {condition.field}"
    return f"{subject} {condition.op} {_shown(condition.value)}"


def _member(condition: Condition) -> str:
    text = describe(condition)
    return f"({text})" if isinstance(condition, (All, AnyOf)) and len(condition.members) > 1 else text


def _shown(value: Scalar | tuple[Scalar, ...]) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value) else f'"{value}"'
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
