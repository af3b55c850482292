"""`driftline view ../shared/data/inspect_rl`: reward over RL step, validation and rollouts apart."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import fmean, stdev

import pandas as pd
import pytest
from inspect_ai.log import EvalLog, read_eval_log
from scipy.stats import t

from tests.real_stores import Ingested, shared

REWARDS = re.compile(
    r"\[eval (?P<val>\d+)\] eval/tldr_reward/accuracy=(?P<mean>-?[\d.]+)"
    r"|\[step (?P<rollout>\d+)/5\] tldr_reward=(?P<reward>-?[\d.]+)"
)
"""What the trainer wrote into its own log."""

FOLDER = re.compile(r"eval_logs/(\d+)_(val|rollout)/")


@pytest.fixture(scope="module")
def run(shared_data: Path) -> Ingested:
    return shared(shared_data / "inspect_rl")


@pytest.fixture(scope="module")
def frame(run: Ingested) -> pd.DataFrame:
    return run.rates()


@pytest.fixture(scope="module")
def logs(shared_data: Path) -> dict[tuple[str, int], EvalLog]:
    """The logs as inspect_ai reads them, by variant and step as their folders say."""
    found = {}
    for path in sorted((shared_data / "inspect_rl").rglob("*.eval")):
        step, variant = FOLDER.search(path.as_posix()).groups()
        found[variant, int(step)] = read_eval_log(path.as_posix())
    return found


def test_validation_and_rollouts_are_two_lines_of_one_run(frame: pd.DataFrame) -> None:
    assert set(frame["run"]) == {"example_run"}
    assert frame["placed"].all()
    lines = {variant: line["step"].tolist() for variant, line in frame.groupby("variant")}
    assert lines == {"rollout": [1, 2, 3, 4, 5], "val": [0, 2, 4, 5]}
    # Steps 2, 4 and 5 have one of each: other settings of one checkpoint, and no repeats of each other.
    assert (frame["repeat"] == 0).all()


def test_rewards_are_means_in_their_own_unit(frame: pd.DataFrame) -> None:
    assert set(frame["metric"]) == {"mean_tldr_reward"}
    assert set(frame["kind"]) == {"mean"}
    assert frame["k"].isna().all()
    assert (frame["rate"] < -100).all()  # characters, not fractions of anything


def test_means_and_intervals_equal_a_plain_recount(frame: pd.DataFrame, logs: dict[tuple[str, int], EvalLog]) -> None:
    assert len(frame) == len(logs) == 9
    for row in frame.itertuples():
        rewards = [score.value for sample in logs[row.variant, row.step].samples for score in sample.scores.values()]
        stderr = stdev(rewards) / len(rewards) ** 0.5
        half = t.ppf(0.975, len(rewards) - 1) * stderr
        assert (row.n, row.n_missing) == (len(rewards), 0)
        assert row.rate == fmean(rewards)
        assert row.stderr == pytest.approx(stderr)
        assert (row.low, row.high) == pytest.approx((row.rate - half, row.rate + half))


def test_headers_agree(frame: pd.DataFrame, logs: dict[tuple[str, int], EvalLog]) -> None:
    assert not frame["disagrees"].any()
    for row in frame.itertuples():
        (score,) = logs[row.variant, row.step].results.scores
        assert row.reported == row.rate == score.metrics["accuracy"].value


def test_the_trainers_own_log_says_the_same(frame: pd.DataFrame, shared_data: Path) -> None:
    theirs = {}
    for found in REWARDS.finditer((shared_data / "inspect_rl/docs/example_run/train.log").read_text()):
        if found["val"] is not None:
            theirs["val", int(found["val"])] = float(found["mean"])
        else:
            theirs["rollout", int(found["rollout"])] = float(found["reward"])
    ours = {(row.variant, row.step): round(row.rate, 4) for row in frame.itertuples()}
    assert ours == theirs


def test_the_manifest_tells_the_base_model_of_the_run(run: Ingested) -> None:
    (row,) = run.rows("SELECT run, base_model FROM live_runs($n)")
    assert row == {"run": "example_run", "base_model": "google/gemma-3-270m-it"}
    assert run.report.rejected == 0
