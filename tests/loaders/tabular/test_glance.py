"""The beginning of a table is seen whatever it is written as, and however large it is."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.tabular.glance import HEAD, ROWS, glance


def test_whatever_a_table_is_written_as_its_columns_are_seen(tmp_path: Path) -> None:
    rows = [{"id": "a", "score": 1}, {"id": "b", "score": 0, "note": "late"}]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "t.json").write_text(json.dumps(rows))
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"id,score,note\na,1,\n"))
    (tmp_path / "u.csv").write_bytes("id,score,note\na,1,\n".encode("utf-16"))
    pq.write_table(pa.Table.from_pylist([{"id": "a", "score": 1, "note": ""}]), tmp_path / "t.parquet")
    for name in ("t.jsonl", "t.json", "t.csv.gz", "u.csv", "t.parquet"):
        assert glance(tmp_path / name).columns == ["id", "score", "note"], name


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"PAR1 and nothing more", b"[1, 2]"])
@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl", "t.parquet", "t.csv.gz"])
def test_what_cannot_be_read_has_no_rows(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert not glance(tmp_path / name).rows
    assert glance(tmp_path / "gone.csv").problem is not None


def test_of_a_large_table_the_beginning_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id,score,reply\n" + "".join(f'{i},1,"é\n{"é" * 300}"\n' for i in range(HEAD // 600 + ROWS))
    )
    found = glance(tmp_path / "t.csv")
    assert found.columns == ["id", "score", "reply"]
    assert [row["id"] for row in found.rows] == [str(i) for i in range(ROWS)]


def test_of_two_columns_with_one_name_the_first_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,score,id\na,1,b\n")
    assert glance(tmp_path / "t.csv").rows == [{"id": "a", "score": "1"}]
