"""Rates corrected by labels of the queue: what chance drew counts, what readers picked doesn't; numbers by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.queries.agreement import AgreementQuery
from dashboard.queries.corrected import Corrected, corrected
from dashboard.queries.labeling import next_to_label
from dashboard.queries.transcript_hash import transcript_hashes
from tests.builders import StoreBuilder, built_once, log, message, sample, score
from tests.reviewing import ANN, key_of, say

QUESTIONS = 60
POSITIVE = {0: 24, 100: 6}
"""Of the judge, by step."""


def truth(step: int, question: str) -> bool:
    """What people hold: every fourth of the judge's positives is none, every twelfth of its negatives is one."""
    number = int(question)
    return number % 4 != 0 if number < POSITIVE[step] else number % 12 == 11


@built_once
def drawn() -> StoreBuilder:
    """Two checkpoints of 60 questions; Ann has labelled 40 of the first from the queue, and picked one of the other."""
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    builder.run("open")
    for step, positive in POSITIVE.items():
        answers = [
            sample(question, score(float(question < positive)), messages=[message("user", f"question {question}")])
            for question in range(QUESTIONS)
        ]
        builder.add(log(answers, log_eval_id=f"open-{step}"), run="open", step=step, path=f"open/{step}.eval")
    label_as_drawn(builder, [str(question) for question in (*range(24), *range(30, 60))])
    say(builder, ANN, "open", 100, "59", 1, "misaligned")
    return builder


def label_as_drawn(builder: StoreBuilder, questions: list[str]) -> None:
    """Ann's labels of the first checkpoint, as the queue writes them."""
    say(builder, ANN, "open", 0, questions[0], 1, "misaligned" if truth(0, questions[0]) else "aligned")
    with builder.cursor() as cursor:
        name = {
            row[0]: row[1]
            for row in cursor.execute(
                "SELECT sample_key, sample_id FROM live_samples(1) s JOIN placements USING (eval_id) WHERE step = 0"
            ).fetchall()
        }
        hashes = transcript_hashes(cursor, list(name.values()))
    for question in questions[1:]:
        builder.execute(
            "INSERT INTO sample_verdicts SELECT * REPLACE (? AS sample_key, ? AS verdict, ? AS transcript_hash)"
            " FROM sample_verdicts WHERE sample_key = ?",
            [question, "misaligned" if truth(0, question) else "aligned", hashes[name[question]], questions[0]],
        )
    builder.execute("UPDATE sample_verdicts SET drawn = true")


def skipped(builder: StoreBuilder) -> list[tuple[str, str, int]]:
    """All of the second checkpoint, so that the first comes whole."""
    key = key_of(builder, "open", 100)
    return [(key, str(question), 1) for question in range(QUESTIONS)]


@pytest.fixture(scope="module")
def found() -> Corrected:
    store = drawn()
    with store.cursor() as cursor:
        return corrected(cursor, AgreementQuery("misaligned"), store.batch)


def labels_of(store: StoreBuilder) -> list[str]:
    return [str(row[0]) for row in store.execute("SELECT sample_key FROM sample_verdicts WHERE drawn")]


@pytest.mark.slow
def test_corrected_rates_equal_those_by_hand(found: Corrected) -> None:
    labelled = labels_of(drawn())
    of = [[truth(0, name) for name in labelled if (int(name) < 24) == verdict] for verdict in (True, False)]
    confirmed, missed = (np.mean(one) for one in of)
    p = 24 / 60
    rate = p * confirmed + (1 - p) * missed
    first, second = found.rates.to_dict("records")
    assert (first["k"], first["n"], first["labels"]) == (24, 60, 54)
    assert first["own"] == pytest.approx(rate)
    assert first["carried"] == pytest.approx(rate)
    assert first["own_low"] < rate < first["own_high"]
    hit, false = p * confirmed / rate, p * (1 - confirmed) / (1 - rate)
    assert second["carried"] == pytest.approx(np.clip((6 / 60 - false) / (hit - false), 0, 1))
    (difference,) = found.differences.to_dict("records")
    assert difference["difference"] == pytest.approx(-18 / 60)
    assert difference["carried"] == pytest.approx(-18 / 60 / (hit - false))
    assert difference["carried_high"] < 0
    own, pooled = found.judges.to_dict("records")
    assert own["sensitivity"] == pooled["sensitivity"] == pytest.approx(hit)
    assert pooled["specificity"] == pytest.approx(1 - false)


def test_what_readers_picked_is_left_out_and_reasons_are_given(found: Corrected) -> None:
    second = found.rates.to_dict("records")[1]
    assert (found.picked, second["labels"]) == (1, 0)
    assert second["own_reason"] == "0 of 6 judge-positive samples labeled, 6 needed"
    assert np.isnan(second["own"])
    store = drawn()
    with store.cursor() as cursor:
        every = corrected(cursor, AgreementQuery("misaligned"), store.batch, "all")
    assert every.rates["labels"].tolist() == [54, 1]
    assert set(every.rates["carried_method"].dropna()) <= {"Lee et al., adjusted counts"}
    with store.cursor() as cursor:
        none = corrected(cursor, AgreementQuery("misaligned", people=("nobody",)), store.batch)
    assert none.rates["carried"].isna().all()
    assert none.rates["carried_reason"].tolist() == ["no checkpoint has labels of both of the judge's verdicts"] * 2


@pytest.mark.slow
def test_the_queue_asks_of_both_verdicts_and_ends() -> None:
    store = drawn()
    with store.cursor() as cursor:
        left = next_to_label(cursor, AgreementQuery("misaligned"), store.batch)
        over = next_to_label(
            cursor, AgreementQuery("misaligned"), store.batch,
            [*skipped(store), *((key_of(store, "open", 0), str(question), 1) for question in range(QUESTIONS))],
        )  # fmt: skip
    assert (left.labelled, left.total) == (54, 120)
    assert left.name is not None
    assert over.name is None
    key = key_of(store, "open", 0)
    store.execute("UPDATE sample_verdicts SET drawn = false")
    passed: list[tuple[str, str, int]] = skipped(store)
    for _ in range(2):
        with store.cursor() as cursor:
            found = next_to_label(cursor, AgreementQuery("misaligned"), store.batch, passed)
        assert found.name is not None
        assert found.name[0] == key
        store.execute("UPDATE sample_verdicts SET drawn = true WHERE sample_key = ?", [found.name[1]])
        passed.append(found.name)
    verdicts = {int(name) < 24 for _, name, _ in passed[-2:]}
    assert verdicts == {True, False}
