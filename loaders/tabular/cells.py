"""What a cell means: missing, number, boolean or text. CSV has only text, so it is typed here and nowhere else."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from loaders.json_text import decode, json_text
from loaders.records import ScoreRecord
from loaders.table_mapping import YAML_WORDS, Lookup, scalar_text

MISSING = frozenset({"", "nan", "-nan", "n/a", "#n/a", "na", "null", "<na>"})
"""Spellings of a missing value, in lower case. "none" is not one of them: it can be a verdict."""

INFINITE = frozenset({"inf", "infinity"})
"""Spellings of an infinite number, in lower case and without their sign."""

BOOLEANS = {"true": True, "false": False}
BOOLEAN_WORDS = frozenset(word for words in YAML_WORDS.values() for word in words)
NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
"""Numbers; not "007", which is a name."""
MINUS = str.maketrans("\u2212\u2013", "--")
"""The minus signs of typeset numbers."""

LONGEST_WHOLE = 400
"""Characters of a whole number: longer ones are beyond every float, and Python refuses thousands of digits."""

LIST_OR_OBJECT = re.compile(r"\s*(?:\[.*\]|\{.*\})\s*", re.S)
GROUPED = re.compile(r"([+-]?\d{1,3}(?:[,_]\d{3})+)(?:\.0*)?")
"""Whole numbers with their thousands apart: 1,000 and 143,000."""

THOUSANDS = re.compile(r"(\d+(?:\.\d+)?) ?([kKmM])")
"""Steps as people write them: 1k, 1.5k, 2M."""

POWER = re.compile(r"\d+(?:\.\d+)?[eE]\+?\d{1,2}")
"""Steps as spreadsheets write them: 1.00E+05."""

WHOLE = re.compile(r"([+-]?\d+)(?:\.0*)?")


def typed(cell: Any) -> Any:
    """A cell as None, bool, int, float or text; lists and objects of JSON stay."""
    if not isinstance(cell, str):
        return None if cell != cell else cell
    text = cell.strip()
    lower = text.lower()
    if lower in MISSING:
        return None
    if lower in BOOLEANS:
        return BOOLEANS[lower]
    if lower.lstrip("+-") in INFINITE:
        return -math.inf if lower.startswith("-") else math.inf
    if not text.isascii():
        text = text.translate(MINUS)
    if NUMBER.fullmatch(text):
        return int(text) if len(text) <= LONGEST_WHOLE and text.lstrip("+-").isdigit() else float(text)
    return cell


def number(cell: Any) -> Any:
    """A cell that is typed, with "63.4%" as 0.634."""
    value = typed(cell)
    if isinstance(value, str) and value.rstrip().endswith("%"):
        share = typed(value.rstrip()[:-1])
        return _float(share) / 100 if isinstance(share, int | float) and not isinstance(share, bool) else value
    return value


def percentage(cell: Any) -> Any:
    """A cell whose number is a percentage, with the sign that it lacks; any other cell as it is."""
    value = typed(cell)
    return f"{as_text(cell)}%" if isinstance(value, int | float) and not isinstance(value, bool) else cell


def scores(scorer: str, cell: Any) -> list[ScoreRecord]:
    """The scores that a cell holds: one, or one for each item of a list and each key of an object.

    CSV holds a list as its JSON; an empty one is a missing score.
    """
    held = listed(cell)
    if isinstance(held, list) and held:
        return [score(scorer, item, str(index)) for index, item in enumerate(held)]
    if isinstance(held, dict) and held:
        return [score(scorer, item, str(key)) for key, item in held.items()]
    return [score(scorer, None if held in ([], {}) else cell)]


def listed(cell: Any) -> Any:
    """A list or object, also where it is the JSON in a text; None for any other cell."""
    if isinstance(cell, list | dict):
        return cell
    if not isinstance(cell, str) or not LIST_OR_OBJECT.fullmatch(cell):
        return None
    try:
        found = decode(cell.encode("utf-8", "replace"))
    except ValueError:
        return None
    return found if isinstance(found, list | dict) else None


def score(scorer: str, cell: Any, key: str | None = None) -> ScoreRecord:
    """The score that a scalar holds; a list within a list stays JSON."""
    value = number(cell)
    if value is None:
        return ScoreRecord(scorer, key)
    if isinstance(value, bool):
        return ScoreRecord(scorer, key, value_num=float(value), value_type="bool")
    if isinstance(value, int | float):
        finite = _float(value)
        if math.isinf(finite):
            # The same word whether a CSV's text or a JSON number said it; never a number that sums would run over.
            return ScoreRecord(scorer, key, value_text=(as_text(cell) or "").strip(), value_type="infinite")
        return ScoreRecord(scorer, key, value_num=finite, value_type="number")
    return ScoreRecord(scorer, key, value_text=as_text(value), value_type="text")


def _float(value: float) -> float:
    """A number as a float; an integer beyond all floats is infinite."""
    try:
        return float(value)
    except OverflowError:
        return -math.inf if value < 0 else math.inf


def label(cell: Any) -> str | None:
    """A cell that names something (run, step, model): text without space around it; None where it is missing."""
    text = as_text(cell)
    text = text.strip() if text is not None else None
    return None if text is None or text.lower() in MISSING else text


def step(cell: Any) -> str | None:
    """A cell that holds a step, as text: "0", "313", "base".

    "313.0", which pandas makes of 313, is "313"; "1,000", "1k" and "1.00E+03" are "1000".
    """
    text = label(cell)
    number = _whole(text) if text is not None else None
    return text if number is None else number


def whole_number(cell: Any) -> int | None:
    """A cell as a whole number; None where it is anything else."""
    text = label(cell)
    number = _whole(text) if text is not None else None
    return int(number) if number is not None and len(number) <= LONGEST_WHOLE else None


def _whole(text: str) -> str | None:
    """The digits of a whole number, however its thousands are written; None for any other text."""
    if found := WHOLE.fullmatch(text):
        return found[1]
    if found := GROUPED.fullmatch(text):
        return re.sub("[,_]", "", found[1])
    if found := THOUSANDS.fullmatch(text):
        number = Decimal(found[1]) * (1000 if found[2] in "kK" else 1_000_000)
    elif POWER.fullmatch(text):
        number = Decimal(text)
    else:
        return None
    return str(int(number)) if number == int(number) else None


def as_text(cell: Any) -> str | None:
    """A cell as text, as it stands; None where there is nothing in it."""
    if cell is None or cell == "" or cell != cell:
        return None
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return scalar_text(cell) if isinstance(cell, bool | int | float) else json_text(cell)


def renamed(cell: Any, lookup: Lookup) -> Any:
    """What a lookup's `map` makes of a cell; the cell itself where the map does not name it."""
    if not lookup.map:
        return cell
    text = (as_text(cell) or "").strip()
    if text in lookup.map:
        return lookup.map[text]
    lower = text.lower()
    return lookup.map.get(lower, cell) if lower in BOOLEAN_WORDS else cell
