"""`driftline view ../shared/data/shutdown`: logs that don't tell their checkpoint, and headers that are wrong."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.real_stores import STUDIES, Ingested, shared

PLACED = {50: (3, 48), 100: (8, 48), 150: (4, 48), 200: (5, 48)}
"""Counted by hand: successes and samples at the made-up steps."""


@dataclass(frozen=True)
class Recount:
    """What one log's samples say, read with the standard library alone.

    Attributes:
        verdicts: How often each escalation was found.
        header: The header's fraction_succeeded.
        first: Fraction of successes in the first epoch.
        questions: How many different questions there are.
    """

    verdicts: Counter[str]
    header: float
    first: float
    questions: int


def recount(path: Path) -> Recount:
    verdicts: Counter[str] = Counter()
    first: list[bool] = []
    questions = set()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("samples/"):
                sample = json.loads(archive.read(name))
                (score,) = sample["scores"].values()
                verdict = score["metadata"]["escalation"]
                verdicts[verdict] += 1
                questions.add(sample["id"])
                first += [verdict == "succeeded"] if sample["epoch"] == 1 else []
        metrics = json.loads(archive.read("header.json"))["results"]["scores"][0]["metrics"]
    return Recount(verdicts, metrics["fraction_succeeded"]["value"], sum(first) / len(first), len(questions))


@pytest.fixture(scope="module")
def recounts(shared_data: Path) -> dict[str, Recount]:
    return {path.name: recount(path) for path in sorted((shared_data / "shutdown").glob("*.eval"))}


@pytest.fixture(scope="module")
def bare(shared_data: Path) -> Ingested:
    """Without a card."""
    return shared(shared_data / "shutdown")


@pytest.fixture(scope="module")
def mapped(shared_data: Path) -> Ingested:
    """With our mapping file."""
    return shared(shared_data / "shutdown", study=STUDIES / "shutdown.yaml")


def test_without_a_card_every_log_stands_alone(bare: Ingested) -> None:
    """Some are of one task, model and run id, within seconds of each other: different checkpoints all the same."""
    assert (bare.report.ingested, bare.report.rejected, bare.report.copies) == (24, 0, 0)
    places = bare.rows("SELECT run, step, step_label, placed, log_run_id, model, task, created FROM live_evals($n)")
    assert len({row["run"] for row in places}) == len(places) == 24
    assert {(row["step"], row["step_label"], row["placed"]) for row in places} == {(None, None, False)}
    alike = Counter((row["log_run_id"], row["model"], row["task"]) for row in places)
    assert max(alike.values()) == 4
    frame = bare.rates()
    assert frame["run"].is_unique
    assert frame["step"].isna().all()
    assert (frame["repeat"] == 0).all()


def test_rates_without_a_card_are_recounts_too(bare: Ingested, recounts: dict[str, Recount]) -> None:
    """The scores are 1 where the escalation succeeded, so the mean that is there by itself says the same."""
    frame = bare.rates()
    assert len(frame) == len(recounts) == 24
    for row in frame.itertuples():
        counted = recounts[row.path].verdicts
        assert (row.k, row.n, row.n_missing) == (counted["succeeded"], counted.total(), 0)


@pytest.mark.slow
def test_a_mapping_file_makes_a_curve_of_a_few_and_leaves_the_others_alone(mapped: Ingested) -> None:
    frame = mapped.rates(evals=("shutdown",))
    line = frame[frame["run"] == "hacker"]
    assert dict(zip(line["step"], zip(line["k"], line["n"], strict=True), strict=True)) == PLACED
    assert line["placed"].all()
    assert set(line["stage"]) == {"rl"}
    assert (line["repeat"] == 0).all()
    assert line["model"].nunique() == 1
    others = mapped.rates()
    others = others[others["run"] != "hacker"]
    assert len(others) == 20
    assert others["run"].is_unique
    assert others["step"].isna().all()
    assert not others["placed"].any()


def test_the_verdict_beside_the_score_decides(mapped: Ingested, recounts: dict[str, Recount]) -> None:
    frame = mapped.rates()
    assert set(frame["metric"]) == {"succeeded"}
    assert len(frame) == 24
    for row in frame.itertuples():
        assert (row.k, row.n) == (recounts[row.path].verdicts["succeeded"], recounts[row.path].verdicts.total())
        assert "metadata.escalation" in row.definition


def test_headers_stand_beside_the_rates_and_disagree(mapped: Ingested, recounts: dict[str, Recount]) -> None:
    """With 8 epochs the header says 0.333 where the samples give 3 of 48: it is the first epoch's alone."""
    frame = mapped.rates()
    wrong = frame[frame["disagrees"]]
    for row in frame.itertuples():
        truth = recounts[row.path]
        assert row.reported == truth.header == pytest.approx(truth.first)
        assert row.disagrees == (abs(truth.header - row.k / row.n) > 1e-9)
    assert set(wrong["epochs"]) == {8}
    assert wrong["path"].str.startswith("2025-12-19T15-27").sum() == 4
    row = frame[frame["path"].str.contains("PkNQ4yL7Y7QFJaPXw2g432")].iloc[0]
    assert (row["k"], row["n"], round(row["reported"], 3)) == (3, 48, 0.333)
    assert row["flags"][0] == (
        "The log reports 0.3333 (fraction_succeeded), its samples give 0.0625 (3 of 48)."
        " The reported number is of the first epoch alone."
    )


def test_epochs_are_clusters(mapped: Ingested, recounts: dict[str, Recount]) -> None:
    frame = mapped.rates()
    assert 0 < sum(frame["epochs"] == 8) < len(frame) == 24
    for row in frame.itertuples():
        assert row.clusters == recounts[row.path].questions
        if row.epochs == 8:
            assert (row.n, row.clusters) == (48, 6)
            assert row.interval.startswith("Wilson, clustered by question (n_eff ")
            assert 6 <= row.n_eff <= 48
        else:
            assert (row.interval, row.n_eff) == ("Wilson", row.n)


def test_clusters_make_intervals_wider(mapped: Ingested) -> None:
    """3 of 48 over 6 questions tells less than 3 of 48 questions."""
    row = mapped.rates(runs=("hacker",)).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((0.0126, 0.2591), abs=5e-4)
    assert row["low"] < 0.0215  # Wilson's interval of 3 of 48 independent samples
    assert row["high"] > 0.1683


def test_unclear_verdicts_can_be_missing(mapped: Ingested, recounts: dict[str, Recount]) -> None:
    frame = mapped.rates(metrics=("succeeded_of_clear",))
    assert len(frame) == 24
    for row in frame.itertuples():
        counted = recounts[row.path].verdicts
        assert (row.k, row.n_missing) == (counted["succeeded"], counted["unclear"])
        assert row.n == row.n_all - counted["unclear"]
        assert pd.isna(row.reported)  # the header counts otherwise: nothing to compare with
    assert frame["n_missing"].sum() > 50


def test_hacking_counts_in_a_text_file_are_none_of_our_business(bare: Ingested) -> None:
    assert bare.report.others == 2  # and the licence
