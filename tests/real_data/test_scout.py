"""`driftline view ../shared/data/scout`: four logs and a real scan of three of them."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow.parquet as pq
import pytest
from inspect_ai.log import read_eval_log

from tests.real_stores import Ingested, shared

LENGTH, WORDS = "scan:message_length", "scan:word_counter(target_word=the)"


@pytest.fixture(scope="module")
def scanned(shared_data: Path) -> Ingested:
    return shared(shared_data / "scout")


def results(shared_data: Path, scanner: str) -> list[dict[str, Any]]:
    (path,) = (shared_data / "scout/scans").rglob(f"{scanner}.parquet")
    return pq.read_table(path).to_pylist()


def test_logs_and_scanners_are_read_and_nothing_beside_them_is_rejected(scanned: Ingested) -> None:
    assert (scanned.report.ingested, scanned.report.rejected, scanned.report.left) == (6, 0, 0)
    assert scanned.report.notes == []


@pytest.mark.parametrize(("scanner", "scorer"), [("message_length", LENGTH), ("word_counter", WORDS)])
def test_every_result_is_joined_to_its_sample(scanned: Ingested, shared_data: Path, scanner: str, scorer: str) -> None:
    theirs = {row["transcript_id"]: (float(row["value"]), row["explanation"]) for row in results(shared_data, scanner)}
    assert len(theirs) == 216
    rows = scanned.rows(
        "SELECT s.uuid, e.log_eval_id, x.value_num, x.explanation FROM live_scans($n) x"
        " JOIN live_samples($n) s USING (sample_id) JOIN live_evals($n) e ON e.eval_id = s.eval_id"
        " WHERE x.scorer = $scorer",
        scorer=scorer,
    )
    assert {row["uuid"]: (row["value_num"], row["explanation"]) for row in rows} == theirs
    assert {row["uuid"]: row["log_eval_id"] for row in rows} == {
        row["transcript_id"]: row["transcript_source_id"] for row in results(shared_data, scanner)
    }


def test_means_are_those_of_the_scan_and_of_the_logs_themselves(scanned: Ingested, shared_data: Path) -> None:
    means = scanned.rates(metrics=(f"mean_{LENGTH}", f"mean_{WORDS}")).set_index(["eval", "metric"])
    for scanner, metric in (("message_length", LENGTH), ("word_counter", WORDS)):
        by_task: dict[str, list[float]] = {}
        for row in results(shared_data, scanner):
            by_task.setdefault(row["task_name"], []).append(float(row["value"]))
        for task, values in by_task.items():
            ours = means.loc[(task, f"mean_{metric}")]
            assert (ours["n"], ours["rate"], ours["n_missing"]) == (len(values), pytest.approx(fmean(values)), 0)
    # What message_length counted is there to be counted again.
    (path,) = (shared_data / "scout/logs").glob("*_security-guide_*.eval")
    log = read_eval_log(path.as_posix())
    lengths = [sum(len(m.text) for m in sample.messages if m.role == "user") for sample in log.samples]
    assert means.loc[(log.eval.task, f"mean_{LENGTH}"), "rate"] == pytest.approx(fmean(lengths))
