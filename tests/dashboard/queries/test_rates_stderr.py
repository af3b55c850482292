"""Clustered standard errors of the store's samples equal those of inspect_ai's own metric on the same logs."""

from __future__ import annotations

import math

import pytest
from inspect_ai.log import read_eval_log
from inspect_ai.scorer import SampleScore, Score, stderr

from loaders.makers.demo.writer import DEMO
from tests.real_stores import shared

pytestmark = pytest.mark.slow

MEASURED = {
    # eval: metric, scorer, key of its value, metadata field of the cluster (None: the question)
    "blackmail": ("misaligned", None, "harmful", None),
    "framing": ("misaligned", None, "harmful", None),
    "constitution_adherence": ("adherence", "constitution_scorer", None, "topic"),
    "audit": ("admirable_mean", "alignment_judge", "admirable", None),
}


@pytest.mark.parametrize("name", MEASURED)
def test_stderr_equals_inspect_ai_on_the_same_logs(name: str) -> None:
    metric, scorer, key, field = MEASURED[name]
    rates = shared(DEMO).rates(evals=(name,), metrics=(metric,), repeats="each")
    rates = rates[rates["n"].notna() & (rates["n"] > 1)]
    assert len(rates) >= 5
    for row in rates.to_dict("records"):
        scores = []
        for sample in read_eval_log(str(DEMO / row["path"])).samples or []:
            found = {} if sample.error else sample.scores or {}
            for by, score in found.items():
                if scorer in (None, by):
                    value = score.value[key] if key and isinstance(score.value, dict) else score.value
                    cluster = (sample.metadata or {})[field] if field else sample.id
                    scores.append(SampleScore(score=Score(value=float(value)), sample_metadata={"cluster": cluster}))
        assert len(scores) == row["n"], row["path"]
        theirs = stderr(cluster="cluster")(scores)
        if len({score.score.as_float() for score in scores}) == 1:
            # inspect_ai says 0 where nothing varied; a missing number claims less, and the interval tells more.
            assert theirs == 0
            assert math.isnan(row["stderr"])
            assert row["low"] < row["high"]
        else:
            assert row["stderr"] == pytest.approx(theirs, abs=1e-9), row["path"]
