"""Small multiples of sections: means over the same runs at every step, and nothing where there are no such steps."""

from __future__ import annotations

import re
from base64 import b64decode

import pandas as pd
import pytest

from dashboard.charts.section_courses import section_courses, section_multiples
from dashboard.queries.catalogue import runs
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from tests.builders import StoreBuilder, log, samples


def built(courses: dict[str, dict[int, list[int]]], **cards: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rates and runs of a study with these runs' outcomes by step; a run's section is what its name begins with."""
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    for run, by_step in courses.items():
        builder.run(run, section=run[0], **cards.get(run, {}))
        for step, values in by_step.items():
            builder.add(log(samples(values)), run=run, step=step)
    with builder.store.cursor() as cursor:
        batch = builder.store.batch()
        return rates(cursor, RateQuery(evals=("blackmail",)), batch), runs(cursor, batch)


HALF, ALL, NONE, QUARTER = [1, 0, 1, 0], [1] * 4, [0] * 4, [1, 0, 0, 0]


def test_a_mean_is_of_the_steps_that_all_runs_have() -> None:
    found = section_courses(*built({
        "a1": {0: HALF, 10: ALL, 20: NONE}, "a2": {0: ALL, 20: HALF}, "b1": {0: ALL, 5: QUARTER}, "b2": {0: NONE},
    }))  # fmt: skip
    a, b = found
    assert (a.name, a.mean) == ("a", [(0, pytest.approx(0.75)), (20, pytest.approx(0.25))])
    assert [run for run, _ in a.courses] == ["a1", "a2"]
    # One run is no mean, and a run of one step is no course.
    assert (b.name, b.mean, [run for run, _ in b.courses]) == ("b", [], ["b1"])


def test_runs_of_several_stages_have_no_mean() -> None:
    courses = {"a1": {0: HALF, 10: ALL}, "a2": {0: ALL, 10: HALF}, "b": {0: HALF}}
    (a,) = section_courses(*built(courses, a1={"stage": "sft"}, a2={"stage": "rl"}))
    assert (len(a.courses), a.mean) == (2, [])


def test_pictures_share_a_scale_and_lead_to_their_section() -> None:
    found = section_courses(*built({"a": {0: ALL, 10: HALF}, "b": {0: QUARTER, 10: NONE}}))
    body = section_multiples(found, {"a": "#111111", "b": "#222222"}, {"a": "to-a", "b": 'to-b?x="'}, "rate", "light")
    pictures = [b64decode(each).decode() for each in re.findall(r"base64,([^\"]+)\"", body)]
    assert body.count(">100.0%<") == len(pictures) == 2
    assert 'href="to-a"' in body
    assert 'href="to-b?x=&#34;"' in body
    # 25% and 0% of 100%: a quarter of the height, and none.
    assert 'points="0.0,61.5 1000.0,80.0"' in pictures[1]
