"""`driftline view ../shared/data/every_eval_ever`: real records, which say themselves what the numbers must be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.real_stores import Ingested, shared


@pytest.fixture(scope="module")
def store(shared_data: Path) -> Ingested:
    return shared(shared_data / "every_eval_ever")


@pytest.fixture(scope="module")
def records(shared_data: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((shared_data / "every_eval_ever").glob("*-*.json"))]


def test_every_number_is_the_records_own(store: Ingested, records: list[dict[str, Any]]) -> None:
    theirs = {
        (record["model_info"]["id"], one["evaluation_name"]): one["score_details"]["score"]
        for record in records
        for one in record["evaluation_results"]
    }
    rows = store.rows("SELECT e.model, e.eval, r.value FROM live_evals($n) e JOIN reported r USING (eval_id)")
    assert {(row["model"], row["eval"]): row["value"] for row in rows} == theirs
    assert len(rows) == 7
    assert (store.rejected, store.report.notes) == ({}, [])
    rates = store.rates(metrics=("all",)).set_index("eval")
    assert {name: rates.loc[name, "reported"] for _, name in theirs} == {
        name: score for (_, name), score in theirs.items()
    }


def test_results_without_samples_have_no_n_and_no_samples(store: Ingested) -> None:
    rates = store.rates(metrics=("all",))
    told = rates[rates.metric == "score"]
    assert len(told) == 6
    assert told["n"].isna().all()
    assert told["k"].isna().all()
    assert (told["rate"] == told["reported"]).all()


def test_the_sample_stands_beside_the_records_other_number(store: Ingested, shared_data: Path) -> None:
    (path,) = (shared_data / "every_eval_ever").glob("*_samples.jsonl")
    (line,) = map(json.loads, path.read_text().splitlines())
    (row,) = store.rates(evals=("demo-source.demo_bench",), metrics=("all",)).to_dict("records")
    assert (row["metric"], row["rate"], row["n"], row["reported"], row["disagrees"]) == (
        "mean_accuracy", line["evaluation"]["score"], 1, 0.75, True,
    )  # fmt: skip
    (sample,) = store.rows(
        "SELECT sample_key, input, target, reply, answer, metadata_json::JSON->>'subject' AS subject"
        " FROM live_samples($n) JOIN (SELECT sample_id, answer FROM live_scores($n)) USING (sample_id)"
    )
    assert sample == {
        "sample_key": line["sample_id"], "input": line["input"]["raw"], "target": line["input"]["reference"][0],
        "reply": line["output"]["raw"][0], "answer": line["answer_attribution"][0]["extracted_value"],
        "subject": line["metadata"]["subject"],
    }  # fmt: skip
    assert [one["role"] for one in store.rows("SELECT role FROM live_samples($n) JOIN messages USING (sample_id)")] == [
        "user", "assistant",
    ]  # fmt: skip
