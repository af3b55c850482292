"""Scans of Inspect Scout: measures of samples whose logs come in before or after them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from dashboard.queries.sample_filter import SampleFilter
from dashboard.queries.samples import all_samples
from dashboard.queries.scan_validation import scan_validations
from dashboard.queries.transcript import transcript
from loaders.audits import scout
from loaders.errors import RejectedFile
from loaders.ingest import ingest
from loaders.records import ScanRecord
from tests.real_stores import ingested
from tests.scan_files import row, write_scan, write_scanned_log


@pytest.fixture
def log(tmp_path: Path) -> list[str]:
    """A log of four samples in `logs/`; their uuids."""
    return write_scanned_log(tmp_path / "logs/checkpoint-10/log.eval")


def read(folder: Path, *rows: dict[str, Any]) -> list[ScanRecord]:
    return scout.read(write_scan(folder, *rows)).scans


@pytest.mark.parametrize(
    ("value", "kind", "number", "text", "as_read"),
    [
        ("34", "number", 34, None, "number"),
        ("0.5", "number", 0.5, None, "number"),
        ("true", "boolean", 1, None, "bool"),
        ("False", "boolean", 0, None, "bool"),
        ("refusal", "string", None, "refusal", "text"),
        ("[1, 2]", "array", None, "[1, 2]", "text"),
        ('[{"label": "a", "value": true}, {"label": "b", "value": true}]', "resultset", 2, None, "number"),
        ("[]", "resultset", 0, None, "number"),
        (None, "null", None, None, "missing"),
        ("many", "number", None, None, "missing"),
        ("maybe", "boolean", None, None, "missing"),
    ],
)
def test_values_are_what_their_type_says(
    tmp_path: Path, value: Any, kind: str, number: float | None, text: str | None, as_read: str
) -> None:
    (found,) = read(tmp_path, row("u", value, kind))
    assert (found.value_num, found.value_text, found.value_type) == (number, text, as_read)
    assert (found.sample_uuid, found.scorer, found.explanation) == ("u", "scan:hits", "why u")


def test_an_object_is_a_row_for_each_key(tmp_path: Path) -> None:
    found = read(tmp_path, row("u", '{"a": 1, "b": true, "c": null}', "object"))
    assert [(one.key, one.value_num) for one in found] == [("a", 1), ("b", 1), ("c", None)]


def test_failed_scans_are_missing_and_parts_of_transcripts_left_out(tmp_path: Path) -> None:
    failed = row("u", "0", "number", scan_error="time-out")
    loaded = scout.read(write_scan(tmp_path, failed, row("u", "1", "number", input_type="message")))
    assert [(one.value_num, one.value_type, one.reason) for one in loaded.scans] == [(None, "missing", "time-out")]
    assert loaded.notes == [
        "1 of 2 transcripts could not be scanned, and are missing",
        "1 of 2 results are of messages or events, and are left out",
    ]


def test_other_parameters_are_another_measure(tmp_path: Path) -> None:
    names = [
        read(tmp_path, row("u", "1", "number", scanner_params=json.dumps(params)))[0].scorer
        for params in ({}, {"word": "the"}, {"pattern": "a*"}, {"question": "?" * 100}, {"question": "!" * 100})
    ]
    assert names[:2] == ["scan:hits", "scan:hits(word=the)"]
    assert len(set(names)) == 5
    assert all(len(name) < 24 and not set("*?[") & set(name) for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["logs", "scans"])
def test_a_scan_is_joined_whether_it_comes_before_or_after_its_log(tmp_path: Path, log: list[str], first: str) -> None:
    results = zip(log, ["true", "false", None, "true"], strict=True)
    rows = [row(one, value, "boolean", scan_error=None if value else "failed") for one, value in results]
    write_scan(tmp_path / "scans", *rows, row("of no log here", "true", "boolean"))
    found = ingested(tmp_path / first)
    ingest([tmp_path / "logs", tmp_path / "scans"], found.store)
    assert [line for line in found.report.lines if line.outcome not in ("new", "unchanged")] == []
    (rate,) = found.rates(metrics=("mean_scan:hits",)).itertuples()
    assert (rate.step, rate.kind, rate.n, rate.k, rate.n_missing) == (10, "rate", 3, 2, 1)


def test_what_a_scan_said_stands_beside_the_transcript_and_the_samples(tmp_path: Path, log: list[str]) -> None:
    write_scan(tmp_path / "scans", *(row(one, "true", "boolean") for one in log))
    found = ingested(tmp_path)
    (key,) = {one["eval_key"] for one in found.rows("SELECT eval_key FROM live_evals($n)")}
    with found.store.cursor() as cursor:
        scores = transcript(cursor, key, "1", 1, found.store.batch()).scores
        table = all_samples(cursor, SampleFilter(metric="mean_scan:hits"), found.store.batch())
    assert [one["explanation"] for one in scores if one["scorer"] == "scan:hits"] == [f"why {log[0]}"]
    assert sorted(table["explanation"]) == sorted(f"why {one}" for one in log)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("true", True), ("false", False), ("0", False), ("2", True), ('"NONE"', False), ('""', False), ("[]", False),
        ('["a"]', True), ("null", None), (None, None), ("{", None),
    ],
)  # fmt: skip
def test_what_a_validation_set_expects_is_as_scout_counts_it(
    tmp_path: Path, target: Any, expected: bool | None
) -> None:
    (found,) = read(tmp_path, row("u", "true", "boolean", validation_target=target, validation_result="true"))
    told = json.loads(found.metadata_json or "{}").get("validation")
    assert told == (None if expected is None else [{"expected": expected, "met": True}])


def test_a_scanner_on_its_validation_set(tmp_path: Path, log: list[str]) -> None:
    def of(target: str | None, met: str | None, split: str | None = None) -> dict[str, Any]:
        return {"validation_target": target, "validation_result": met, "validation_split": split}

    plain = [of("true", "true"), of("true", "false"), of("false", "false"), of(None, None)]
    write_scan(tmp_path / "scans", *(row(u, "true", "boolean", **each) for u, each in zip(log, plain, strict=True)))
    both = ['{"a": true, "b": false}', '{"a": true, "b": true}']
    labels = [of(both[0], '{"a": true, "b": true}', "dev"), of(both[1], '{"a": false, "b": true}', "dev")]
    keyed = [
        row(u, '{"a": true, "b": true}', "object", scanner_key="keyed", **each)
        for u, each in zip(log[:2], labels, strict=True)
    ]
    write_scan(tmp_path / "scans", *keyed, row("of no log here", "true", "boolean", **plain[0]), scan="T", name="keyed")
    found = ingested(tmp_path)
    with found.store.cursor() as cursor:
        checked = scan_validations(cursor, found.store.batch())
        hidden = found.store.cursor(hidden=["*"])
    assert [(each.scorer, each.label, each.split, each.precision, each.recall) for each in checked] == [
        ("scan:hits", None, None, (1, 2), (1, 2)),
        ("scan:keyed", "a", "dev", (1, 1), (1, 2)),
        ("scan:keyed", "b", "dev", (1, 1), (1, 1)),
    ]
    assert [each.true_negatives for each in checked] == [0, 0, 1]
    with hidden as cursor:
        assert scan_validations(cursor, found.store.batch()) == []


@pytest.mark.slow
def test_links_to_an_earlier_state_do_not_see_a_later_scan(tmp_path: Path, log: list[str]) -> None:
    found = ingested(tmp_path / "logs")
    write_scan(tmp_path / "scans", *(row(one, "1", "number") for one in log))
    ingest([tmp_path / "scans"], found.store)
    write_scan(tmp_path / "scans", *(row(one, "5", "number") for one in log))
    ingest([tmp_path / "scans"], found.store)
    means = {}
    with found.store.cursor() as cursor:
        for batch in (1, 2, 3):
            frame = rates(cursor, RateQuery(metrics=("all",)), batch).set_index("metric")["rate"]
            means[batch] = frame.get("mean_scan:hits")
    assert means == {1: None, 2: 1, 3: 5}
    shutil.rmtree(tmp_path / "scans/scan_id=S")
    ingest([tmp_path / "scans"], found.store)
    assert "mean_scan:hits" not in set(found.rates(metrics=("all",))["metric"])


def test_of_several_scans_the_newest_that_did_not_fail_counts(tmp_path: Path, log: list[str]) -> None:
    def scan(name: str, day: int, value: str, **more: Any) -> None:
        each = (row(one, value, "number", timestamp=f"2026-01-0{day}T00:00:00+00:00", **more) for one in log)
        write_scan(tmp_path / "scans", *each, scan=name)

    scan("A", 1, "1")
    scan("B", 3, "3")
    scan("C", 2, "2")
    scan("D", 4, "0", scan_error="failed")
    assert ingested(tmp_path).rates(metrics=("mean_scan:hits",))["rate"].tolist() == [3]


def test_a_study_can_define_a_rate_of_what_a_scan_measured(tmp_path: Path, log: list[str]) -> None:
    write_scan(
        tmp_path / "scans", *(row(one, str(value), "number") for one, value in zip(log, (1, 5, 7, 9), strict=True))
    )
    (tmp_path / "study.yaml").write_text(
        'metrics: [{name: many, evals: [honeypot], misaligned: {score: "scan:hits", op: ">=", value: 5}}]\n',
        encoding="utf-8",
    )
    found = ingested(tmp_path)
    (rate,) = found.rates(metrics=("many",)).itertuples()
    assert (rate.n, rate.k) == (4, 3)
    assert found.report.notes == []


@pytest.mark.slow
def test_rules_for_any_scorer_do_not_see_scans(tmp_path: Path, log: list[str]) -> None:
    write_scan(tmp_path / "scans", *(row(one, "0", "number") for one in log))
    (tmp_path / "study.yaml").write_text(
        'metrics: [{name: any, evals: [honeypot], misaligned: {score: "*", op: "=", value: 1}}]\n', encoding="utf-8"
    )
    (rate,) = ingested(tmp_path).rates(metrics=("any",)).itertuples()
    assert (rate.n, rate.k) == (4, 3)


def test_files_that_are_no_results_are_rejected_or_left(tmp_path: Path) -> None:
    path = write_scan(tmp_path, row("u", "1", "number"))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RejectedFile, match="no sound Parquet file"):
        scout.read(path)
    pq.write_table(pa.Table.from_pylist([{"a": 1}]), path)
    with pytest.raises(RejectedFile, match="no column transcript_id, value, value_type"):
        scout.read(path)
    shutil.copy(path, tmp_path / "other.parquet")
    assert (found := ingested(tmp_path).report).rejected == 1
    assert found.left == 1


@pytest.mark.slow
def test_scans_of_hidden_runs_are_hidden(tmp_path: Path, log: list[str]) -> None:
    write_scan(tmp_path / "scans", *(row(one, "1", "number") for one in log))
    found = ingested(tmp_path)
    (run,) = {one["run"] for one in found.rows("SELECT run FROM live_evals($n)")}
    for hidden, seen in (((), 4), ((run,), 0)):
        with found.store.cursor(hidden=hidden) as cursor:
            assert cursor.execute("SELECT count(*) FROM live_scans(1)").fetchone() == (seen,)
            assert cursor.execute("SELECT count(*) FROM live_scores_and_scans(1)").fetchone() == (2 * seen,)
