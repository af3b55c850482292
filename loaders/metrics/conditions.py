"""Conditions (`loaders.study.conditions`) as SQL over samples and scores, values bound, three-valued throughout.

A test on scores becomes an aggregate over the score rows of a sample, a test on the sample a plain expression; the
tree above them is SQL's own AND, OR and NOT, whose logic of true, false and NULL is the conditions' own. Several
scores can match one test (`score` is a glob): then it is true where it is true of one of them, missing where it is
missing of one, else false.

Values are compared as what they are: a number with numbers (booleans are 1 and 0, and text that reads as a number
counts as one), a text with texts. For `=`, `!=`, `in` and `not in` a value of another type is unequal, not missing: a
judge that answers 4 has not answered "REFUSAL". For `<`, `<=`, `>` and `>=` what is no number is missing, as there is
nothing to order. Missing in both: no value, null, NaN; and, where a rule names numbers alone, an infinite number, an
empty text, and Inspect's letter grades (C, P, I, N), which stand for numbers or for a scorer that failed: a rule
written for numbers must not turn a scorer's "N" into a success of the model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from loaders.records import SCAN
from loaders.store.sql import identifier, json_pointer
from loaders.study.conditions import ORDER_OPS, All, AnyOf, Condition, Not, SampleTest, Scalar, ScoreTest


@dataclass
class Compiled:
    """SQL fragments of one definition's conditions, and the values bound in them.

    Attributes:
        prefix: Of the parameters' names.
        score_columns: Aggregates over one sample's score rows, alias -> SQL; a test each.
        sample_columns: Expressions over one row of samples `s`, alias -> SQL; a test each.
        parameters: Name -> value of every `$name` in the fragments.
        scans: Whether a test is on what a scan measured.
    """

    prefix: str = ""
    score_columns: dict[str, str] = field(default_factory=dict)
    sample_columns: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    scans: bool = False
    _matches: list[str] = field(default_factory=list)
    _values: list[str] = field(default_factory=list)
    _seen: dict[Condition, str] = field(default_factory=dict)

    @property
    def score_filter(self) -> str:
        """Rows of scores that some test looks at."""
        return " OR ".join(self._matches) or "false"

    @property
    def scores(self) -> str:
        """The view whose rows the tests are on: scans come and go, and only who names one depends on them."""
        return "live_scores_and_scans" if self.scans else "live_scores"

    @property
    def left_out(self) -> dict[str, str]:
        """Aggregates over one sample's score rows: how many values are none that can be averaged, alias -> SQL."""
        looked_at = " OR ".join(self._values) or "false"
        return {name: f"count_if(({looked_at}) AND {none})" for name, none in NO_NUMBERS.items()}

    def expression(self, condition: Condition) -> str:
        """SQL of a condition over the aliases in `score_columns` and `sample_columns`, which grow with it."""
        match condition:
            case All(members):
                return "(" + " AND ".join(map(self.expression, members)) + ")"
            case AnyOf(members):
                return "(" + " OR ".join(map(self.expression, members)) + ")"
            case Not(member):
                return f"(NOT {self.expression(member)})"
            case ScoreTest() | SampleTest():
                if condition not in self._seen:
                    add = self._add_score_test if isinstance(condition, ScoreTest) else self._add_sample_test
                    self._seen[condition] = add(condition)  # type: ignore[arg-type]
                return self._seen[condition]

    def number(self, score: str, key: str | None, score_field: str) -> str:
        """Alias of the number that a scorer gave a sample: the mean of the scores that match, where several do."""
        matches = self._match(score, key, score_field)
        value = _field_values(score_field, "", self).number
        alias = f"number_{len(self.score_columns)}"
        self.score_columns[alias] = f"avg({value}) FILTER (WHERE {matches})"
        return alias

    def grade(self, score: str, key: str | None) -> tuple[str, str]:
        """Aliases of a letter grade as a number (C 1, P 0.5, I 0, N missing), and with N as 0 as headers count."""
        matches = self._match(score, key, "value")
        aliases = []
        for name, none in (("grade", "NULL"), ("graded", "0.0")):
            alias = f"{name}_{len(self.score_columns)}"
            number = f"CASE value_text WHEN 'C' THEN 1.0 WHEN 'P' THEN 0.5 WHEN 'I' THEN 0.0 WHEN 'N' THEN {none} END"
            self.score_columns[alias] = f"avg({number}) FILTER (WHERE {matches})"
            aliases.append(alias)
        return aliases[0], aliases[1]

    def bind(self, value: Any) -> str:
        """Bind a value; returns its `$name`."""
        name = f"{self.prefix}v{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}"

    def _add_score_test(self, test: ScoreTest) -> str:
        matches = self._match(test.score, test.key, test.field)
        holds = self._comparison(_field_values(test.field, "", self), test.op, test.value)
        alias = f"score_{len(self.score_columns)}"
        self.score_columns[alias] = (
            f"CASE WHEN bool_or({holds}) FILTER (WHERE {matches}) THEN true"
            f" WHEN count_if({matches} AND ({holds}) IS NULL) > 0 THEN NULL"
            f" ELSE bool_or({holds}) FILTER (WHERE {matches}) END"
        )
        return alias

    def _add_sample_test(self, test: SampleTest) -> str:
        found = _field_values(test.sample, "s.", self)
        if test.sample in ("error", "limit_type"):
            # No error and no limit are known facts, not missing ones.
            found = replace(found, text=f"coalesce({found.text}, '')", there="true")
        alias = f"sample_{len(self.sample_columns)}"
        self.sample_columns[alias] = self._comparison(found, test.op, test.value)
        return alias

    def _match(self, score: str, key: str | None, score_field: str) -> str:
        matches = f"scorer GLOB {self.bind(score)}"
        self.scans = self.scans or score.startswith(SCAN)
        # Every key of a dict score carries the same answer, explanation and metadata: without a key any will do.
        if key is not None:
            matches += f" AND key = {self.bind(key)}"
        elif score_field == "value":
            matches += " AND key IS NULL"
        self._matches.append(f"({matches})")
        if score_field == "value":
            self._values.append(f"({matches})")
        return matches

    def _comparison(self, found: _Values, op: str, value: Scalar | tuple[Scalar, ...]) -> str:
        """SQL that is true, false, or NULL where the field is missing (for an order: where it is no number)."""
        if op in ORDER_OPS:
            assert isinstance(value, int | float)  # noqa: S101  for the type checker: conditions.parse said so
            return f"({found.number}) {op} {self.bind(float(value))}"
        values = value if isinstance(value, tuple) else (value,)
        texts = [v for v in values if isinstance(v, str)]
        parts = [
            (found.number, [float(v) for v in values if not isinstance(v, str)]),
            (found.text, texts),
            # "4" in a study file and 4 in a log are one value, as "4" in a log and 4 in a study file are.
            (found.typed_number, [n for n in map(_number, texts) if n is not None]),
            (found.boolean, [word for word in map(_boolean, values) if word is not None]),
        ]
        equal = [f"coalesce(list_contains({self.bind(those)}, {subject}), false)" for subject, those in parts if those]
        there = found.there if texts else found.comparable
        inside = f"CASE WHEN {there} THEN {' OR '.join(equal)} END"
        return inside if op in ("=", "in") else f"NOT ({inside})"


@dataclass(frozen=True)
class _Values:
    """SQL of one field: as number, as text (each NULL where it isn't one), and of whether there is a value at all."""

    number: str
    text: str
    there: str
    comparable: str
    """Whether there is a value that a rule of numbers alone can be held against."""
    typed_number: str
    """As a number where a text in a study file that reads as a number means it."""
    boolean: str
    """"true" or "false" where it is that."""


def _number(text: str) -> float | None:
    """The number that a text of a study file reads as."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def _boolean(value: Scalar) -> str | None:
    """ "true" or "false" where a value of a study file is a boolean, or the word for one."""
    word = str(value).lower() if isinstance(value, str | bool) else ""
    return word if word in ("true", "false") else None


def _field_values(name: str, table: str, compiled: Compiled) -> _Values:
    """SQL of a field; see `_Values`."""
    if name == "value":
        text = f"{table}value_text"
        word = f"CASE WHEN value_type = 'bool' THEN (value_num = 1)::VARCHAR ELSE lower({text}) END"
        return _Values(
            SCORE_NUMBER, text, f"(value_num IS NOT NULL OR {text} IS NOT NULL)", COMPARABLE_SCORE, SCORE_NUMBER, word
        )
    if not name.startswith("metadata."):
        column = table + identifier(name)
        number = FINITE.format(x=f"try_cast({column} AS DOUBLE)")
        there = f"{column} IS NOT NULL"
        return _Values(number, column, there, f"({there} AND trim({column}) <> '')", "NULL::DOUBLE", f"lower({column})")
    found = f"json_extract({table}metadata_json, {compiled.bind(json_pointer(name.removeprefix('metadata.')))})"
    as_text = f"json_extract_string({found}, '$')"
    number = (
        f"CASE json_type({found}) WHEN 'BOOLEAN' THEN CASE {as_text} WHEN 'true' THEN 1.0 ELSE 0.0 END"
        f" ELSE {FINITE.format(x=f'try_cast({as_text} AS DOUBLE)')} END"
    )
    typed = f"CASE WHEN json_type({found}) NOT IN ('BOOLEAN', 'VARCHAR') THEN {number} END"
    there = f"coalesce(json_type({found}), 'NULL') <> 'NULL'"
    comparable = f"({there} AND trim({as_text}) <> '')"
    word = f"CASE WHEN json_type({found}) IN ('BOOLEAN', 'VARCHAR') THEN lower({as_text}) END"
    return _Values(number, f"CASE json_type({found}) WHEN 'VARCHAR' THEN {as_text} END", there, comparable, typed, word)


LARGEST = 1e140
"""Numbers further from 0 are not averaged: the sum of their squares would be beyond what a double can hold."""

FINITE = f"CASE WHEN abs({{x}}) <= {LARGEST!r} THEN {{x}} END"
"""A number that can be added up. Text such as "nan" or "inf" casts to a number that is none."""

AS_NUMBER = "coalesce(value_num, try_cast(value_text AS DOUBLE))"

SCORE_NUMBER = FINITE.format(x=AS_NUMBER)
"""SQL of a score's value as a number: numbers, booleans (1 and 0), and text that reads as a number ("0.5")."""

IS_INFINITE = f"coalesce(value_type = 'infinite' OR isinf({AS_NUMBER}), false)"
"""SQL of whether a score's value is infinite, however a log writes it: as a number, or as the text "inf"."""

NO_NUMBERS = {
    "infinite": IS_INFINITE,
    "too_large": f"coalesce(isfinite({AS_NUMBER}) AND abs({AS_NUMBER}) > {LARGEST!r}, false)",
    # Inspect's own NaN says "unscored": that is missing, and no odd value.
    "nan": f"coalesce(value_type <> 'nan' AND isnan({AS_NUMBER}), false)",
}
"""Column of the sums to SQL: values of a score that no mean can hold. They are left out, counted and named."""

COMPARABLE_SCORE = """(value_num IS NOT NULL OR (value_text IS NOT NULL AND value_type <> 'infinite'
    AND trim(value_text) NOT IN ('', 'C', 'P', 'I', 'N')
    AND coalesce(isfinite(try_cast(value_text AS DOUBLE)), true)))"""
"""SQL of whether a score can be held against a number; see the module's text."""
