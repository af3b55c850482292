"""Parts of a checkpoint's noise: those of the questions' answers, and the judge's from re-scorings."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.queries.components import noise_components
from dashboard.queries.frame import RateQuery
from dashboard.statistics import components, judge_variance
from tests.builders import StoreBuilder, built_once, log, sample, score
from tests.reviewing import key_of


def outcome(question: int, epoch: int) -> float:
    return float((question * 5 + epoch * 3) % 7 < 3)


@built_once
def answered() -> StoreBuilder:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    builder.run("open")
    several = [sample(q, score(outcome(q, e)), epoch=e) for q in range(20) for e in (1, 2, 3)]
    builder.add(log(several, log_eval_id="several"), run="open", step=0, path="0.eval")
    single = [sample(q, score(outcome(q, 1))) for q in range(20)]
    builder.add(log(single, log_eval_id="single"), run="open", step=100, path="100.eval")
    return builder


def parts(store: StoreBuilder) -> list[dict[str, object]]:
    store.store.memory.forget()
    with store.cursor() as cursor:
        return noise_components(cursor, RateQuery(), store.batch).to_dict("records")  # type: ignore[return-value]


def test_shares_are_those_of_the_questions_answers():
    first, single = parts(answered())
    sums = [sum(outcome(q, e) for e in (1, 2, 3)) for q in range(20)]
    found = components([3] * 20, sums, sums)
    assert first["stderr"] == pytest.approx(np.sqrt(found.variance()))
    assert first["of_questions"] == pytest.approx(found.questions / 20 / found.variance())
    assert first["of_questions"] + first["of_answers"] == pytest.approx(1.0)
    assert first["twice_questions"] == pytest.approx(1 - 2**-0.5)
    assert np.isnan(first["of_judge"])
    assert single["reason"] == "one epoch: questions and answers can't be told apart"
    assert np.isnan(single["of_questions"])


def test_the_judges_part_comes_from_two_re_scorings_of_the_same_transcripts():
    store = answered()
    key = key_of(store, "open", 0)
    said = {"a": lambda q: q % 2 == 0, "b": lambda q: q % 3 == 0}
    for judging, verdict in said.items():
        store.execute("INSERT INTO judgings (judging_id, runs) VALUES (?, ['open'])", [judging])
        for q in range(20):
            store.execute(
                "INSERT INTO judging_items SELECT ?, ?, sample_id, ?, ?, 1, 'hash' FROM samples LIMIT 1",
                [judging, q, key, str(q)],
            )
            store.execute(
                "INSERT INTO judging_verdicts (judging_id, position, attempt, verdict) VALUES (?, ?, 0, ?)",
                [judging, q, "misaligned" if verdict(q) else "aligned"],
            )
    first = parts(store)[0]
    judge = judge_variance([2] * 20, [sum(verdict(q) for verdict in said.values()) for q in range(20)])
    assert first["of_judge"] == pytest.approx(judge / 60 / first["stderr"] ** 2)
    assert first["second_judge"] > 0
