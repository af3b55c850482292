"""What is known of a scanner from its validation set: beside what it found, and in a table."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.pages import html, opened, shown
from tests.real_stores import ingested
from tests.scan_files import row, write_scan, write_scanned_log


def views(app: AppTest) -> list[str]:
    """The views that the page offers."""
    return [option for each in app.button_group for option in each.options]


def test_a_scanner_has_its_precision_and_recall_beside_it(tmp_path: Path) -> None:
    uuids = write_scanned_log(tmp_path / "logs/checkpoint-10/log.eval")
    checks = [("true", "true"), ("true", "false"), ("false", "false"), (None, None)]
    write_scan(
        tmp_path / "scans",
        *(
            row(uuid, "true", "boolean", validation_target=target, validation_result=met)
            for uuid, (target, met) in zip(uuids, checks, strict=True)
        ),
    )
    found = ingested(tmp_path)
    (key,) = {one["eval_key"] for one in found.rows("SELECT eval_key FROM live_evals($n)")}
    with shown(found.store):
        assert "Scanners" in views(opened("agreement"))
        table = opened("agreement", view="scanners").dataframe[0].value
        assert table[["Scanner", "TP", "FP", "FN", "TN"]].to_numpy().tolist() == [["scan:hits", 1, 1, 1, 0]]
        said = html(opened("transcript", log=key, sample="1", epoch="1"))
        told = "Validation set: precision 50.0% [9.5%, 90.5%], 1 of 2, recall 50.0% [9.5%, 90.5%], 1 of 2"
        assert told in said


def test_without_a_validation_set_nothing_is_said_of_one(tmp_path: Path) -> None:
    uuids = write_scanned_log(tmp_path / "logs/checkpoint-10/log.eval")
    write_scan(tmp_path / "scans", row(uuids[0], "true", "boolean"))
    found = ingested(tmp_path)
    (key,) = {one["eval_key"] for one in found.rows("SELECT eval_key FROM live_evals($n)")}
    with shown(found.store):
        assert "Validation set" not in html(opened("transcript", log=key, sample="1", epoch="1"))
        assert views(opened("agreement")) == ["Agreement", "Label samples"]
