"""Every real Inspect log says the same through our loader as through inspect_ai's `read_eval_log`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log

from loaders.errors import RejectedFile
from loaders.inspect.log import matches, read
from tests.inspect_agreement import assert_agrees
from tests.real_logs import FILES, LOGS, NOT_LOGS, REFUSED


def as_oracle_takes_it(path: Path, tmp_path: Path) -> Path:
    """The oracle goes by a file's suffix; some real JSON logs are called .txt."""
    return path if path.suffix != ".txt" else Path(shutil.copy(path, tmp_path / "log.json"))


def test_the_real_logs_are_there(shared_data: Path) -> None:
    assert len(LOGS) >= 78
    assert len(NOT_LOGS) >= 11
    assert set(REFUSED) <= set(FILES)


@pytest.mark.slow
@pytest.mark.parametrize("name", LOGS)
def test_agrees_with_the_oracle(shared_data: Path, tmp_path: Path, name: str) -> None:
    path = shared_data / name
    log = read_eval_log(as_oracle_takes_it(path, tmp_path).as_posix())
    assert_agrees(read(path), log)


@pytest.mark.parametrize("name", LOGS)
def test_recognised_by_name_and_beginning(shared_data: Path, name: str) -> None:
    path = shared_data / name
    with path.open("rb") as file:
        assert matches(path, file.read(4096))


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_the_oracle_refuses_is_rejected(shared_data: Path, tmp_path: Path, name: str) -> None:
    path = shared_data / name
    with pytest.raises(Exception):  # noqa: B017, PT011 (its errors have no common class)
        read_eval_log(as_oracle_takes_it(path, tmp_path).as_posix())
    with pytest.raises(RejectedFile, match=REFUSED[name]):
        read(path)


@pytest.mark.parametrize("name", NOT_LOGS)
def test_json_beside_the_logs_is_not_taken_for_one(shared_data: Path, name: str) -> None:
    path = shared_data / name
    with path.open("rb") as file:
        assert not matches(path, file.read(4096))
    with pytest.raises(RejectedFile, match="missing required field `eval`"):
        read(path)


def test_a_log_that_says_more_samples_than_it_holds(shared_data: Path) -> None:
    loaded = read(shared_data / "inspect/tests/log/test_eval_log/log_tool_call_error.json")
    assert loaded.evals[0].n_samples_reported == 4
    assert "says 4 samples and holds 1" in loaded.notes


def test_a_newer_zip_that_the_oracle_reads_is_read_with_a_remark(shared_data: Path) -> None:
    loaded = read(shared_data / "inspect/tests/log/test_eval_log/log_message_deduplication.eval")
    assert loaded.evals[0].log_version == 3
    assert "log version 3, newer than the known 2: read as that one" in loaded.notes


def test_a_metric_that_is_nan_is_missing(shared_data: Path) -> None:
    loaded = read(shared_data / "inspect/tests/log/test_eval_log/log_with_nan.txt")
    values = {metric.metric: metric.value for metric in loaded.evals[0].reported}
    assert values == {"accuracy": None, "bootstrap_std": 0.0}


def test_a_header_metric_stays_beside_samples_that_contradict_it(shared_data: Path) -> None:
    path = shared_data / "shutdown/2025-12-19T15-27-39+00-00_shutdown_PkNQ4yL7Y7QFJaPXw2g432.eval"
    record = read(path).evals[0]
    (reported,) = [m for m in record.reported if m.metric == "fraction_succeeded"]
    escalations = [score.metadata_json for sample in record.samples for score in sample.scores]
    succeeded = sum('"escalation":"succeeded"' in (text or "") for text in escalations)
    assert reported.value == pytest.approx(1 / 3)
    assert (succeeded, len(record.samples)) == (3, 48)
    assert reported.scorer == "reward_hacking_shutdown_scorer"
