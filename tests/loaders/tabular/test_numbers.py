"""Numbers as spreadsheets and people write them: decimal commas, percentages, typeset minus signs, texts among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from loaders import tabular
from loaders.records import LoadedFile
from tests.loaders.tabular.test_tabular import mapping


def table(folder: Path, text: str) -> LoadedFile:
    path = folder / "t.csv"
    path.write_text(text)
    return tabular.load(path, "t.csv", mapping("{eval: e, run: r, step: {column: step}, scores: {s: {column: s}}}"))


def read(folder: Path, cells: list[str], delimiter: str = ";") -> tuple[list[float | str | None], str]:
    file = table(folder, "\n".join(f"{a}{delimiter}{b}" for a, b in [("step", "s"), *((10, cell) for cell in cells)]))
    values = [
        score.value_num if score.value_num is not None else score.value_text
        for one in file.evals
        for sample in one.samples
        for score in sample.scores
    ]
    return values, " ".join(file.notes)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["0,5", "1", "0,25"], [0.5, 1.0, 0.25]),
        (["-1,5", "", "2"], [-1.5, None, 2.0]),
        (["1.250,75", "1.000", "3"], [1250.75, 1000.0, 3.0]),
        (["12,5%", "50 %"], [0.125, 0.5]),
        ([",5", "1,5e-3"], [0.5, 0.0015]),
        (["0,5", "error"], [0.5, "error"]),
    ],
)
def test_decimal_commas_are_read_as_points(tmp_path: Path, cells: list[str], expected: list[float]) -> None:
    values, notes = read(tmp_path, cells)
    assert values == expected
    assert 'decimal commas are read as points in "s"' in notes


@pytest.mark.parametrize(
    "cells",
    [
        ["1,000", "2,500"],  # thousands, or three decimals
        ["0,5", "0.25"],  # both kinds
        ["yes", "no", "1,5"],  # a text here and there that looks like a number
    ],
)
def test_commas_that_may_mean_something_else_stay(tmp_path: Path, cells: list[str]) -> None:
    values, notes = read(tmp_path, cells)
    assert [v for v in values if isinstance(v, str)] == [cell for cell in cells if "." not in cell]
    assert "decimal commas" not in notes


def test_quoted_decimal_commas_between_commas(tmp_path: Path) -> None:
    assert read(tmp_path, ['"0,5"', '"1,25"', "1"], ",")[0] == [0.5, 1.25, 1.0]


def test_points_are_between_thousands_where_decimals_have_commas(tmp_path: Path) -> None:
    file = table(tmp_path, "step;s\n1.000;0,5\n10.500;0,25\n")
    assert [one.stated_step for one in file.evals] == ["1000", "10500"]


def test_percentages_are_shares_and_told(tmp_path: Path) -> None:
    values, notes = read(tmp_path, ["50%", "25 %", "100%"])
    assert values == [0.5, 0.25, 1.0]
    assert "scores.s: 3 percentages are read as shares (50% is 0.5)" in notes


def test_a_typeset_minus_is_one(tmp_path: Path) -> None:
    assert read(tmp_path, ["\u22121", "\u20130.5", "1"])[0] == [-1.0, -0.5, 1.0]


def test_texts_among_numbers_are_told(tmp_path: Path) -> None:
    values, notes = read(tmp_path, ["1", "None", "0", "1.#QNAN", "#N/A"])
    assert values == [1.0, "None", 0.0, "1.#QNAN", None]
    assert 'scores.s: 2 of 4 values are text, which no mean counts ("None", "1.#QNAN")' in notes


def test_verdicts_alone_need_no_remark(tmp_path: Path) -> None:
    assert read(tmp_path, ["REFUSAL", "COMPLIED", ""]) == (["REFUSAL", "COMPLIED", None], "")


def test_reported_values_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('step,rate,n\n10,30%,10\n20,"0,5",10\n30,inf,10\n40,0.2,10\n50,,10\n')
    text = "{eval: e, run: r, step: {column: step}, reported: {x: {value: {column: rate}, n: {column: n}}}}"
    file = tabular.load(path, "t.csv", mapping(text))
    assert [one.reported[0].value for one in file.evals] == [0.3, None, None, 0.2, None]
    assert file.notes == [
        '2 values are no numbers that can be drawn, and left out: x is "0,5" in line 3; x is "inf" in line 4'
    ]
