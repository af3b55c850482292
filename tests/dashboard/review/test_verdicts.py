"""People's verdicts: the last one of each person counts, beside the judge's; what was read is remembered."""

from __future__ import annotations

import pytest

from dashboard.access import NotAllowed
from dashboard.queries.transcript import NoSuchSample
from dashboard.queries.verdicts import (
    judged_metrics,
    judges_outcome,
    newest_verdict,
    people,
    verdict_counts,
    verdicts,
    verdicts_on,
)
from dashboard.review.verdicts import give_verdict
from loaders.errors import DriftlineError
from tests.builders import StoreBuilder, log, sample, score
from tests.reviewing import ANN, BEN, OUTSIDER, VIEWER, key_of, reviewed, say


@pytest.fixture
def store() -> StoreBuilder:
    return reviewed()


@pytest.mark.slow
def test_the_last_verdict_of_each_person_counts_and_can_be_taken_back(store: StoreBuilder) -> None:
    key = key_of(store, "open", 0)
    for who, verdict in ((ANN, "misaligned"), (BEN, "aligned"), (ANN, "aligned")):
        say(store, who, "open", 0, "1", 1, verdict)
    with store.cursor() as cursor:
        assert [(one.author, one.verdict) for one in verdicts_on(cursor, "misaligned", key, "1", 1)] == [
            ("ben", "aligned"), ("ann", "aligned"),
        ]  # fmt: skip
        assert verdict_counts(cursor, [key]) == {(key, "1", 1): 2}
        before = newest_verdict(cursor)
    say(store, ANN, "open", 0, "1", 1, None)
    with store.cursor() as cursor:
        assert [one.author for one in verdicts_on(cursor, "misaligned", key, "1", 1)] == ["ben"]
        assert [one.author for one in verdicts(cursor, "misaligned", [key], before)] == ["ben", "ann"]
        assert verdicts_on(cursor, "other", key, "1", 1) == []
        assert judged_metrics(cursor) == ["misaligned"]
        assert people(cursor) == ["ann", "ben"]
    assert len(store.execute("FROM sample_verdicts")) == 4


def test_the_judges_outcome_stays_what_it_is(store: StoreBuilder) -> None:
    key = key_of(store, "open", 0)

    def judge(question: str, epoch: int) -> str | None:
        with store.cursor() as cursor:
            return judges_outcome(cursor, "blackmail", "misaligned", key, question, epoch, 1)

    assert judge("1", 2) == "misaligned"
    assert judge("1", 1) == "aligned"
    assert judge("gone", 1) is None
    say(store, ANN, "open", 0, "1", 2, "aligned")
    assert judge("1", 2) == "misaligned"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"verdict": "evil"}, '"evil" is no verdict'),
        ({"note": "x" * 5_001}, "5,001 characters"),
        ({"metric": "gone"}, '"gone" is no yes-or-no metric of blackmail'),
        ({"sample": "gone"}, "holds no sample gone"),
        ({"log": "gone"}, "No log with the key gone"),
    ],
)
def test_what_is_wrong_with_a_verdict_is_said(store: StoreBuilder, bad: dict[str, object], told: str) -> None:
    good = {"log": key_of(store, "open", 0), "sample": "1", "epoch": 1, "metric": "misaligned", "verdict": "aligned"}
    with pytest.raises(DriftlineError, match=told):
        give_verdict(store.store, ANN, as_of=1, **(good | bad))  # type: ignore[arg-type]
    assert store.execute("FROM sample_verdicts") == []


def test_a_mean_has_no_verdicts(store: StoreBuilder) -> None:
    store.add(log([sample(1, score(0.5, "scale")), sample(2, score(7.0, "scale"))], "ratings"), run="open", step=9)
    with pytest.raises(DriftlineError, match="no yes-or-no metric"):
        give_verdict(
            store.store, ANN, log=key_of(store, "open", 9), sample="1", epoch=1, metric="mean_scale",
            verdict="aligned", as_of=1,
        )  # fmt: skip


def test_viewers_give_no_verdicts_and_nobody_one_on_what_is_hidden(store: StoreBuilder) -> None:
    with pytest.raises(NotAllowed):
        say(store, VIEWER, "open", 0, "1", 1, "aligned")
    with pytest.raises(NoSuchSample):
        say(store, OUTSIDER, "secret", 0, "1", 1, "aligned")
    assert store.execute("FROM sample_verdicts") == []


def test_verdicts_on_a_hidden_run_are_not_there(store: StoreBuilder) -> None:
    say(store, ANN, "secret", 0, "1", 1, "aligned")
    key = key_of(store, "secret", 0)
    with store.store.cursor(hidden=OUTSIDER.hidden) as cursor:
        assert verdicts_on(cursor, "misaligned", key, "1", 1) == []
        assert verdict_counts(cursor, [key]) == {}
        assert (people(cursor), judged_metrics(cursor), newest_verdict(cursor)) == ([], [], None)
        assert judges_outcome(cursor, "blackmail", "misaligned", key, "1", 1, 1) is None


def test_each_verdict_is_in_the_audit_log(store: StoreBuilder) -> None:
    say(store, ANN, "open", 0, "1", 1, "aligned")
    say(store, ANN, "open", 0, "1", 1, None)
    rows = store.execute("SELECT who, action, subject, runs FROM audit ORDER BY happened_at")
    assert [(who, action, runs) for who, action, _, runs in rows] == [("ann", "verdict", ["open"])] * 2
    assert "took back" in rows[1][2]
