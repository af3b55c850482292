"""`driftline view ../shared/data/helm`: real runs, whose `stats.json` says what the numbers must be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loaders import helm
from loaders.helm.statistics import BOOKKEEPING
from tests.real_stores import shared

DERIVED = {"num_instances", "perplexity", "bits_per_byte", "logprob_per_byte"}
"""What HELM computes over all instances at once: no mean of what each came to."""


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "helm"


def told(folder: Path) -> Iterator[tuple[str, str, str, float]]:
    """What HELM reports of unperturbed instances: run, split, metric and mean."""
    for path in sorted(folder.glob("*/stats.json")):
        for stat in json.loads(path.read_text()):
            name = stat["name"]
            if stat["count"] and "perturbation" not in name:
                yield path.parent.name, name["split"], name["name"], stat["mean"]


def test_the_mean_of_what_each_instance_came_to_is_the_reported_one(folder: Path) -> None:
    evals = {
        (path.parent.name, json.loads(one.dataset_json or "")["split"]): one
        for path in folder.glob("*/run_spec.json")
        for one in helm.read(path).evals
    }
    assert len(evals) == 5
    checked = 0
    for run, split, metric, value in told(folder):
        record = evals[run, split]
        reported = {one.metric: one for one in record.reported if one.key is None}
        assert reported[metric].value == value
        each: list[Any] = [
            json.loads(sample.metadata_json or "")["statistics"].get(metric)
            if BOOKKEEPING.fullmatch(metric)
            else next((score.value_num for score in sample.scores if score.scorer == metric), None)
            for sample in record.samples
        ]
        assert reported[metric].n == (None if metric in DERIVED else len(each))
        assert (metric in DERIVED) == (None in each)
        if metric not in DERIVED:
            assert sum(each) / len(each) == pytest.approx(value, rel=1e-12)
            checked += 1
        elif metric == "num_instances":
            assert value == len(record.samples) == record.n_samples_reported
    assert checked == 121


@pytest.mark.slow
def test_splits_are_never_pooled_and_rates_are_helms(folder: Path) -> None:
    store = shared(folder)
    assert (store.rejected, store.report.notes) == ({}, [])
    rates = store.rates(metrics=("all",))
    assert rates["disagrees"].fillna(False).sum() == 0
    means = {
        (str(row["eval"]).rpartition("split=")[2], str(row["eval"])[:4], str(row["metric"])): row["rate"]
        for row in rates.to_dict("records")
    }
    scored = [row for row in told(folder) if f"mean_{row[2]}" in set(rates["metric"])]
    assert len(scored) == len(rates) == 46
    for run, split, metric, value in scored:
        assert means[split, run[:4], f"mean_{metric}"] == pytest.approx(value, rel=1e-12)


def test_a_sample_is_what_was_asked_and_what_came_back(folder: Path) -> None:
    (path,) = folder.glob("mmlu*/scenario_state.json")
    theirs = json.loads(path.read_text())["request_states"][0]
    test = next(one for one in helm.read(path.with_name("run_spec.json")).evals if "split=test" in one.task)
    (sample,) = [one for one in test.samples if one.sample_key == theirs["instance"]["id"]]
    assert sample.input == theirs["instance"]["input"]["text"]
    assert [one.text for one in sample.messages] == [
        theirs["request"]["prompt"], theirs["result"]["completions"][0]["text"],
    ]  # fmt: skip
    assert sample.target == next(
        one["output"]["text"] for one in theirs["instance"]["references"] if "correct" in one["tags"]
    )
    assert json.loads(sample.choices_json or "") == list(theirs["output_mapping"].values())
    assert sample.scores[0].answer == theirs["output_mapping"][sample.reply.strip() if sample.reply else ""]
    assert (test.model, test.task) == ("openai/gpt2", "mmlu:subject=philosophy,method=multiple_choice_joint,split=test")
