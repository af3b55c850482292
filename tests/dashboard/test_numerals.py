"""Each kind of number has one form, and is written in one place."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import dashboard
from dashboard import numerals

ROOT = Path(dashboard.__file__).parent
BY_HAND = re.compile(r"""^[+<>^0-9]*(?:,|,?\.\d+[%fgGe]|%[a-zA-Z].*|.*%)$""")
"""Format specs that write a number or a time for people."""
D3_OR_PRINTF = re.compile(r"""(?<![\w.])[+]?,?\.\d~?[%gs]|%\.\d[gf]|(?<![\w])~[sg]\b|(?<!\w),d\b""")
"""Formats that Vega or Streamlit reads."""
ALLOWED = {
    "charts/categories.py": "names of places on an axis, which nobody sees",
    "charts/heatmap.py": "names of places on an axis, which nobody sees",
    "charts/lineages.py": "names of places on an axis, which nobody sees",
    "charts/intervals.py": "an expression that Vega reckons with",
    "charts/line_ends.py": "outlines of marks",
    "exports/figure.py": "lengths of drawings",
}


def specs(tree: ast.AST) -> list[tuple[int, str]]:
    """The format specs of f-strings and of "{:...}" in a module."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
            parts = [each.value for each in node.format_spec.values if isinstance(each, ast.Constant)]
            found.append((node.lineno, "".join(map(str, parts))))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [(node.lineno, spec) for spec in re.findall(r"\{\w*:([^{}]+)\}", node.value)]
    return found


@cache
def modules() -> list[tuple[str, ast.Module]]:
    paths = [path for path in ROOT.rglob("*.py") if path.name != "numerals.py"]
    assert len(paths) > 200
    return [(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())) for path in paths]


def test_numbers_for_people_are_written_nowhere_else() -> None:
    found = [
        f"{name}:{line} {spec}"
        for name, tree in modules()
        for line, spec in specs(tree)
        if BY_HAND.match(spec) and name not in ALLOWED
    ]
    assert found == []


def test_formats_of_charts_and_tables_are_stated_nowhere_else() -> None:
    found = []
    for name, tree in modules():
        docstrings = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docstrings:
                continue
            if name not in ALLOWED and D3_OR_PRINTF.search(node.value):
                found.append(f"{name}:{node.lineno} {node.value[:60]}")
    assert found == []


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (numerals.percent(0.22), "22.0%"),
        (numerals.percent(0.0625), "6.2%"),
        (numerals.whole_percent(1 / 3), "33%"),
        (numerals.points(0.013), "+1.3"),
        (numerals.points(-0.27), "−27.0"),
        (numerals.points(-0.0001), "0.0"),
        (numerals.size_in_points(-0.00001), "0.0"),
        (numerals.size_in_points(-0.02), "−2.0"),
        (numerals.figures(-3.14159), "−3.142"),
        (numerals.figures(1e-7), "1e-07"),
        (numerals.signed(0.25), "+0.25"),
        (numerals.signed(0.0), "0"),
        (numerals.signed(-3.0), "−3"),
        (numerals.decimals(-0.049, 2), "−0.05"),
        (numerals.decimals(-0.001, 2), "0.00"),
        (numerals.signed_decimals(0.6, 1), "+0.6"),
        (numerals.signed_decimals(-0.04, 1), "0.0"),
        (numerals.value_of(0.5, "rate"), "50.0%"),
        (numerals.value_of(0.5, "mean"), "0.5"),
        (numerals.between(0.177, 0.27, "rate"), "[17.7%, 27.0%]"),
        (numerals.p_value(0.0009), "< 0.001"),
        (numerals.p_value(0.0073), "0.0073"),
        (numerals.p_equals(0.0), "p < 0.001"),
        (numerals.p_equals(0.184), "p = 0.18"),
        (numerals.count(1234), "1,234"),
        (numerals.step(10_000), "10,000"),
        (numerals.step("final"), "final"),
        (numerals.tokens(3e6), "3M"),
        (numerals.tokens(999_950), "1M"),
        (numerals.tokens(1.2e9), "1.2B"),
        (numerals.tokens(12), "12"),
        (numerals.seconds(1.25, 1), "1.2 s"),
        (numerals.megabytes(1_234_500_000), "1,234.5 MB"),
        (numerals.time(datetime(2026, 11, 29, 1, 3, 7)), "29 Nov 2026, 01:03 UTC"),
        (numerals.exact_time(datetime(2026, 11, 29, 1, 3, 7)), "29 Nov 2026, 01:03:07 UTC"),
        (numerals.clock(datetime(2026, 11, 29, 1, 3, 7)), "01:03:07 UTC"),
        (numerals.time(datetime(2026, 11, 29, 23, 3), ZoneInfo("Europe/Berlin")), "30 Nov 2026, 00:03 CET"),
        (numerals.time(datetime(2026, 7, 1, 1, 3, tzinfo=UTC), ZoneInfo("Europe/Berlin")), "01 Jul 2026, 03:03 CEST"),
        (numerals.clock(datetime(2026, 11, 29, 1, 3, 7), ZoneInfo("America/Sao_Paulo")), "22:03:07 UTC−03"),
        (numerals.plural(1, "run"), "1 run"),
        (numerals.plural(1234, "run"), "1,234 runs"),
        (numerals.plural(2, "reply", "replies"), "2 replies"),
        (numerals.p_equals(0.2, "Holm"), "p (Holm) = 0.2"),
        (numerals.data_of("29 Nov 2026, 01:53 UTC", 1), "Data of 29 Nov 2026, 01:53 UTC (import 1)"),
        (numerals.data_of("", 2), "Data of import 2"),
    ],
)
def test_a_kind_of_number_has_one_form(made: str, text: str) -> None:
    assert made == text
