"""The `tables:` entry that is proposed for a table which none matches: it names scores where there are any."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from loaders.ingest import ingest
from loaders.tabular.sketch import HEAD, entry, glance
from tests.empty_stores import empty_store

JUDGED = "step,id,question,aligned_score,response\n10,a,why?,80,because\n10,b,how?,20,so\n"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (JUDGED, ["aligned_score"]),  # the last column is a reply
        ("step,id,question,response\n10,a,why?,because\n", []),
        ("id,harmful,explanation\na,true,it lies\n", ["harmful"]),
        ("id,alignedScore,coherent,n_tokens\na,3,4,128\n", ["alignedScore", "coherent"]),
        ("id,ppl,seed\na,3.2,1\n", ["ppl"]),  # of no known name: a number that is no count and no setting
        ("id,verdict,verdict\na,REFUSAL,REFUSAL\n", ["verdict"]),
        ("Step,a - harm_rate,a - harm_rate__MIN,a - harm_rate__MAX\n1,0.5,0.5,0.5\n", ["a - harm_rate"]),
        ("id;score\na;1\n", ["score"]),
    ],
)
def test_a_score_is_only_proposed_where_a_column_is_one(tmp_path: Path, text: str, columns: list[str]) -> None:
    (tmp_path / "t.csv").write_text(text)
    (mapping,) = yaml.safe_load(entry("t.csv", glance(tmp_path / "t.csv")))["tables"]
    named = [each["column"] for each in mapping["scores"].values()]
    assert named == (columns or ["name-of-a-column"])


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
def test_what_cannot_be_read_has_no_columns_and_still_an_entry(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert yaml.safe_load(entry(name, glance(tmp_path / name)))["tables"]
    assert yaml.safe_load(entry("gone.csv", glance(tmp_path / "gone.csv")))["tables"]


def test_of_a_large_table_the_beginning_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id,score,reply\n" + "".join(f'{i},1,"é\n{"é" * 900}"\n' for i in range(HEAD // 900))
    )
    found = glance(tmp_path / "t.csv")
    assert found.columns == ["id", "score", "reply"]
    assert [row["id"] for row in found.rows] == [str(i) for i in range(20)]


def test_the_entry_reads_the_table_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "t: [1].csv").write_text(JUDGED)
    (tmp_path / "study.yaml").write_text(entry("**/*.csv", glance(tmp_path / "t: [1].csv")))
    report = ingest([tmp_path], store := empty_store())
    assert report.rejected == 0
    with store.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM samples").fetchone() == (2,)
