"""People against the judge: tables, kappa and rates equal what is counted by hand from the same verdicts."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa as oracle
from statsmodels.stats.proportion import proportion_confint

from dashboard.queries.agreement import TIED, Agreement, AgreementQuery, agreement, majority
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from dashboard.queries.verdicts import VERDICTS, newest_verdict
from dashboard.statistics import cluster_sums, clustered_proportion_interval
from tests.builders import StoreBuilder, built_once, log, message, sample, score
from tests.reviewing import ANN, BEN, CAT, OUTSIDER, reviewed, say

PEOPLE = (ANN, BEN, CAT)


@built_once
def judged_by_three() -> StoreBuilder:
    """Three people have judged much of the open run and of the secret one, each their own way."""
    builder = reviewed()
    rng = np.random.default_rng(11)
    for run, step, question, epoch in itertools.product(("open", "secret"), (0, 100), range(4), (1, 2)):
        for who, share in zip(PEOPLE, (0.9, 0.6, 0.5), strict=True):
            if rng.random() < share:
                judged = (question + epoch + step) % 3 == 0
                agrees = rng.random() < 0.7
                say(builder, who, run, step, str(question), epoch, VERDICTS[0 if judged == agrees else 1])
    return builder


@pytest.fixture(scope="module")
def store() -> StoreBuilder:
    return judged_by_three()


def compared(store: StoreBuilder, hidden: tuple[str, ...] = (), **query: object) -> Agreement:
    with store.store.cursor(hidden=hidden) as cursor:
        return agreement(cursor, AgreementQuery("misaligned", **query), store.batch)  # type: ignore[arg-type]


def by_hand(
    store: StoreBuilder, runs: tuple[str, ...], people: tuple[str, ...] = ()
) -> dict[tuple[object, ...], list[str]]:
    """Verdicts by run, step, question and epoch."""
    rows = store.execute(
        "SELECT p.run, p.step, v.sample_key, v.epoch, v.verdict, v.author FROM sample_verdicts v"
        " JOIN evals e USING (eval_key) JOIN placements p USING (eval_id) ORDER BY v.marked_at"
    )
    said: dict[tuple[object, ...], list[str]] = {}
    for run, step, question, epoch, verdict, author in rows:
        if run in runs and (not people or author in people):
            said.setdefault((run, step, int(question), epoch), []).append(verdict)
    return said


def judged(name: tuple[object, ...]) -> str:
    _, step, question, epoch = name
    return VERDICTS[0 if (int(str(question)) + int(str(epoch)) + int(str(step))) % 3 == 0 else 1]


@pytest.mark.slow
@pytest.mark.parametrize(("runs", "people"), [((), ()), (("open",), ()), (("open", "secret"), ("ann", "ben"))])
def test_table_agreement_and_kappa_equal_a_count_by_hand(
    store: StoreBuilder, runs: tuple[str, ...], people: tuple[str, ...]
) -> None:
    found = compared(store, runs=runs, people=people)
    said = by_hand(store, runs or ("open", "secret"), people)
    held = {name: Counter(of) for name, of in said.items()}
    tied = [name for name, of in held.items() if of["misaligned"] == of["aligned"]]
    clear = {name: of.most_common(1)[0][0] for name, of in held.items() if name not in tied}
    table = [[sum(judged(n) == j and w == p for n, w in clear.items()) for p in VERDICTS] for j in VERDICTS]
    assert found.table.tolist() == table
    assert (found.tied, len(found.samples)) == (len(tied), len(said))
    theirs = oracle(np.array(table))
    assert found.judge.kappa == pytest.approx(theirs.kappa)
    assert found.judge.low == pytest.approx(max(-1, theirs.kappa_low))
    k, n = table[0][0] + table[1][1], sum(map(sum, table))
    low, high = proportion_confint(k, n, method="wilson")
    assert found.agreement == pytest.approx((k / n, low, high))


def test_pairs_of_people_equal_a_count_by_hand(store: StoreBuilder) -> None:
    found = compared(store).pairs
    assert list(zip(found["one"], found["other"], strict=True)) == [("ann", "ben"), ("ann", "cat"), ("ben", "cat")]
    for row in found.to_dict("records"):
        one, other = (by_hand(store, ("open", "secret"), (row[name],)) for name in ("one", "other"))
        both = [(one[name][0], other[name][0]) for name in one if name in other]
        table = np.array([[both.count((a, b)) for b in VERDICTS] for a in VERDICTS])
        assert (row["n"], row["agreed"]) == (len(both), int(np.trace(table)))
        assert row["kappa"] == pytest.approx(oracle(table).kappa)


def test_rates_equal_those_of_the_curves_and_a_replacement_by_hand(store: StoreBuilder) -> None:
    found = compared(store).rates
    with store.cursor() as cursor:
        theirs = rates(cursor, RateQuery(evals=("blackmail",), metrics=("misaligned",)), store.batch)
    said = by_hand(store, ("open", "secret"))
    assert len(found) == 4
    for row in found.to_dict("records"):
        judge = theirs[(theirs["run"] == row["run"]) & (theirs["step"] == row["step"])].iloc[0]
        assert (row["n"], row["judge_k"]) == (judge["n"], judge["k"])
        assert (row["judge_rate"], row["judge_low"], row["judge_high"]) == pytest.approx(
            (judge["rate"], judge["low"], judge["high"]), abs=1e-12
        )
        names = [(row["run"], row["step"], question, epoch) for question in range(4) for epoch in (1, 2)]
        values = []
        for name in names:
            word = majority(said[name]) if name in said else TIED
            values.append(float((judged(name) if word == TIED else word) == "misaligned"))
        assert row["k"] == sum(values)
        assert row["rate"] == pytest.approx(np.mean(values))
        interval = clustered_proportion_interval(cluster_sums(values, [name[2] for name in names]))
        assert (row["low"], row["high"]) == pytest.approx((float(interval.low), float(interval.high)))
        assert row["changed"] == sum(v != (judged(n) == "misaligned") for v, n in zip(values, names, strict=True))
        assert row["judged"] == sum(name in said for name in names)


@pytest.mark.slow
def test_only_what_was_said_until_then_counts() -> None:
    store = judged_by_three()
    with store.cursor() as cursor:
        at = newest_verdict(cursor)
    assert at is not None
    before = compared(store)
    for epoch in (1, 2):
        say(store, ANN, "open", 0, "0", epoch, "misaligned")
        say(store, BEN, "open", 0, "0", epoch, None)
    pinned = compared(store, until=at)
    assert pinned.table.tolist() == before.table.tolist()
    assert pinned.judge == before.judge
    assert pinned.rates.equals(before.rates)
    assert pinned.pairs.equals(before.pairs)
    assert compared(store, until=at - timedelta(days=1)).samples.empty
    assert not compared(store).rates.equals(before.rates)


def test_nothing_of_a_hidden_run_is_counted(store: StoreBuilder) -> None:
    found, open_alone = compared(store, OUTSIDER.hidden), compared(store, runs=("open",))
    assert found.table.tolist() == open_alone.table.tolist()
    assert set(found.rates["run"]) == {"open"}
    assert found.rates.equals(open_alone.rates)
    assert compared(store, OUTSIDER.hidden, runs=("secret",)).samples.empty


@pytest.mark.slow
def test_a_verdict_on_a_transcript_that_changed_since_is_left_out_and_counted_as_such() -> None:
    store = reviewed()
    for question in ("0", "1", "2"):
        say(store, ANN, "open", 0, question, 1, "misaligned")
    store.next_batch()
    changed = [
        sample(
            question, score(1.0),
            messages=[message("user", f"question {question}"), message("assistant", "answer 1" if question else "new")],
        )
        for question in (0, 1)
    ]  # fmt: skip
    store.add(log(changed, log_eval_id="open-0"), run="open", step=0, path="open/0.eval")
    found = compared(store)
    assert found.samples["sample"].tolist() == ["1"]
    assert found.earlier == 2
    assert found.rates["k"].tolist() == [2]
    assert found.table.tolist() == [[1, 0], [0, 0]]


@pytest.mark.slow
def test_samples_without_an_outcome_of_the_judge_stay_out_of_table_and_rates() -> None:
    store = reviewed()
    mixed = [sample("yes", score(1.0)), sample("void", score(1.0), invalidated=True), sample("none", score(None))]
    store.add(log(mixed, log_eval_id="mixed"), run="open", step=7)
    for name in ("yes", "void", "none"):
        say(store, ANN, "open", 7, name, 1, "aligned")
    found = compared(store)
    assert found.without_outcome == 2
    assert found.table.tolist() == [[0, 1], [0, 0]]
    assert found.rates[["n", "judged", "changed", "judge_k", "k"]].to_numpy().tolist() == [[1, 1, 1, 1, 0]]
    assert found.rates["low"].tolist() == [0.0]


def test_without_a_verdict_everything_is_missing_and_nothing_is_0() -> None:
    found = compared(reviewed())
    assert found.samples.empty
    assert found.rates.empty
    assert found.pairs.empty
    assert math.isnan(found.judge.kappa)
    assert all(map(math.isnan, found.agreement))


def test_as_many_for_as_against_are_tied() -> None:
    assert majority(["misaligned", "aligned"]) == TIED
    assert majority(["aligned"]) == "aligned"
    assert majority(["aligned", "misaligned", "misaligned"]) == "misaligned"
