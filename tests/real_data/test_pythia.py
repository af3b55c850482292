"""`driftline view ../shared/data/pythia`: the published numbers of the Pythia suite, as lines over training step."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

from loaders.metrics.definitions import PROPORTIONS
from tests.real_stores import STUDIES, Ingested, ingested, shared

pytestmark = pytest.mark.slow

NAMED = re.compile(r"((?:long-)?(?:intervention|pythia)-[\w.-]+?)-step(\d+)_eval_results")
BIAS = "evals/bias-evals/"

LINES = {
    "pythia-1.3b-deduped": 24,
    "intervention-1.3b-deduped": 9,
    "long-intervention-1.3b-deduped": 30,
    "pythia-350m-deduped": 24,
    "intervention-350m-deduped": 10,
}
"""Runs with the number of their checkpoints; the 350m model was never trained on the long intervention."""


@pytest.fixture(scope="module")
def pythia(shared_data: Path) -> Ingested:
    return shared(shared_data / "pythia")


def published(folder: Path) -> dict[tuple[str, str, str], tuple[float, float | None]]:
    """Value and standard error of every metric in every file, by file, task and metric."""
    numbers = {}
    for path in folder.rglob("*.json"):
        for task, metrics in json.loads(path.read_text())["results"].items():
            for name, value in metrics.items():
                if not name.endswith("_stderr"):
                    key = (path.relative_to(folder).as_posix(), task, name)
                    numbers[key] = (value, metrics.get(f"{name}_stderr"))
    return numbers


def test_every_file_comes_in_and_none_is_a_copy(pythia: Ingested) -> None:
    assert (pythia.report.ingested, pythia.report.rejected, pythia.report.copies) == (151, 0, 0)
    assert pythia.report.conflicts == []


def test_every_published_number_is_a_point_to_the_last_digit(pythia: Ingested, shared_data: Path) -> None:
    theirs = published(shared_data / "pythia")
    frame = pythia.rates(metrics=("all",))
    ours = {(row.path, row.eval, row.metric): (row.rate, row.stderr) for row in frame.itertuples()}
    assert len(ours) == len(frame)  # nothing twice
    assert len(theirs) > 14_000
    assert sum(task.startswith("crows_pairs") for _, task, _ in theirs) > 6_000
    assert ours == theirs  # exactly: no tolerance


def test_no_n_is_invented(pythia: Ingested) -> None:
    frame = pythia.rates(metrics=("all",))
    assert frame[["n", "k", "n_all", "n_missing", "clusters"]].isna().all(axis=None)
    assert set(frame["kind"]) == {"reported", "rate"}
    shares = frame[frame["kind"] == "rate"]
    assert set(shares["metric"]) <= PROPORTIONS
    assert set(shares["interval"].dropna()) == {"Wilson, from the reported stderr"}
    assert set(frame[frame["kind"] == "reported"]["interval"].dropna()) == {"reported stderr"}


def test_intervals_rest_on_the_reported_standard_errors(pythia: Ingested) -> None:
    frame = pythia.rates(metrics=("all",))
    known = frame[frame["stderr"] > 0]
    # Of numbers that are no shares: the value and 1.96 standard errors.
    others = known[known["kind"] == "reported"]
    assert len(others) > 1000
    quantile = norm.ppf(0.975)
    np.testing.assert_allclose(others["low"], others["rate"] - quantile * others["stderr"], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(others["high"], others["rate"] + quantile * others["stderr"], rtol=1e-12, atol=1e-15)
    # Of shares: Wilson's, as statsmodels has it, of the n that the standard error stands for.
    shares = known[(known["kind"] == "rate") & known["rate"].between(0, 1, inclusive="neither")]
    assert len(shares) > 1000
    assert shares["low"].between(0, shares["rate"]).all()
    assert shares["high"].between(shares["rate"], 1).all()
    n = shares["rate"] * (1 - shares["rate"]) / shares["stderr"] ** 2 + 1
    low, high = proportion_confint(shares["rate"] * n, n, method="wilson")
    np.testing.assert_allclose(shares["low"], low, rtol=1e-9)
    np.testing.assert_allclose(shares["high"], high, rtol=1e-9)
    # Rates of exactly 0 or 1 have a reported error of 0: certainty that nobody has, so no interval is drawn.
    certain = frame[frame["stderr"] == 0]
    assert len(certain) > 0
    assert set(certain["rate"]) <= {0.0, 1.0}
    assert certain[["low", "high", "interval"]].isna().all(axis=None)
    assert len(known) + len(certain) == len(frame)


def test_the_data_mixes_of_both_models_are_lines_over_step(pythia: Ingested) -> None:
    frame = pythia.rates(evals=("crows_pairs_english_gender",))
    frame = frame[frame["path"].str.startswith(BIAS)]
    assert set(frame["metric"]) == {"pct_stereotype"}
    assert frame["placed"].all()
    assert (frame["repeat"] == 0).all()
    assert frame.groupby("run").size().to_dict() == LINES
    for row in frame.itertuples():
        run, step = NAMED.match(row.path.removeprefix(BIAS)).groups()
        assert (row.run, row.step) == (run, int(step))
    for _, line in frame.groupby("run"):
        assert line["step"].is_monotonic_increasing  # as numbers: 1500, 6500, 11500
        assert line["step"].is_unique


def test_steps_over_the_whole_of_training_begin_at_0_and_1(pythia: Ingested) -> None:
    frame = pythia.rates(runs=("pythia-v1.1-160m",), evals=("lambada_openai",), metrics=("acc",))
    assert frame["step"].tolist()[:12] == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000]
    assert frame["step"].tolist()[-1] == 143_000


def test_a_study_file_says_which_data_each_run_saw(shared_data: Path) -> None:
    told = shared(shared_data / "pythia", study=STUDIES / "pythia.yaml")
    assert told.report.conflicts == []
    frame = told.rates(evals=("crows_pairs_english_gender",), stages=("pretrain",))
    mixes = frame.groupby(["mix", "run"])["step"].nunique().to_dict()
    assert {run: count for (_, run), count in mixes.items()} == LINES
    assert {mix for mix, _ in mixes} == {"untouched", "last-7-percent-swapped", "last-21-percent-swapped"}
    long = told.rates(mixes=("last-21-percent-swapped",), evals=("crows_pairs_english_gender",))
    assert set(long["run"]) == {"long-intervention-1.3b-deduped"}


def evaluated_again(source: Path, target: Path, change: float) -> dict[str, Any]:
    """A results file as a second evaluation of the same checkpoint would leave it, all numbers a little off."""
    document = json.loads(source.read_text())
    for metrics in document["results"].values():
        for name in metrics:
            metrics[name] += change
    target.write_text(json.dumps(document))
    return document["results"]


@pytest.mark.parametrize("change", [0.0, 0.125])
def test_a_step_evaluated_twice_is_a_repeat_and_not_an_average(
    shared_data: Path, tmp_path: Path, change: float
) -> None:
    """As in Pythia v0, whose files are not among ours: the same step under two timestamps, equal or not."""
    steps = sorted((shared_data / "pythia" / BIAS).glob("intervention-350m-deduped-step6[78]*.json"))
    for path in steps:
        shutil.copy(path, tmp_path)
    name = "intervention-350m-deduped-step67500_eval_results_01-21-2023-22-12-20.json"
    later = evaluated_again(tmp_path / name, tmp_path / name.replace("01-21", "01-28"), change)
    store = ingested(tmp_path)
    assert store.report.copies == 0

    frame = store.rates(evals=("crows_pairs_english_gender",), repeats="each")
    twice = frame[frame["step"] == 67_500].sort_values("repeat")
    assert frame.groupby("step").size().to_dict() == {67_000: 1, 67_500: 2, 68_000: 1, 68_500: 1}
    assert twice["repeat"].tolist() == [0, 1]
    earlier = json.loads((tmp_path / name).read_text())["results"]
    values = [results["crows_pairs_english_gender"]["pct_stereotype"] for results in (later, earlier)]
    assert twice["rate"].tolist() == values  # the line goes through the later one, and both are there
    assert any("A repeated eval" in flag for flag in twice["flags"].iloc[1])
    # Numbers that logs only report can't be pooled: the newer one is the point.
    pooled = store.rates(evals=("crows_pairs_english_gender",))
    assert pooled[pooled["step"] == 67_500]["rate"].tolist() == values[:1]
    assert (frame[frame["step"] != 67_500]["repeat"] == 0).all()
