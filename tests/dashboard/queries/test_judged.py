"""What several judges say of the same transcripts: rates, agreement, differences, against statsmodels and by hand."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from dashboard.probe.rescoring.rescorer import Selected
from dashboard.probe.saving import RescoringItemRow, RescoringRow, RescoringVerdictRow, save
from dashboard.queries.judged import CURRENT, EARLIER, FIRST, GONE, judged
from dashboard.queries.judged_rates import agreement, disagreements, judged_rates, paired_rates
from dashboard.queries.rescoring_selection import select
from dashboard.queries.rescorings import NoSuchRescoring, all_rescorings, progress, read_rescoring, verdicts_of_sample
from dashboard.queries.sample_filter import SampleFilter
from tests.builders import StoreBuilder, log
from tests.rejudging import talk, talks

NOW = datetime(2026, 3, 4)
BAD, GOOD = "misaligned", "aligned"


def saved(store: StoreBuilder, name: str, says: Any, wanted: SampleFilter | None = None, **more: Any) -> str:
    """A judging as it is saved: `says` gives the verdict of (run, step, sample, epoch), None for no verdict."""
    with store.cursor() as cursor:
        chosen = select(cursor, wanted or SampleFilter(), None, 0, store.batch)
    address: dict[str, list[str]] = more.pop("address", {})
    selection = msgspec.json.encode(Selected(address, None, 0, chosen.found, chosen.silent, 0)).decode()
    rows: list[Any] = [
        RescoringRow(
            name, f"Title {name}", "ann", NOW, "0", "lab", "openai", "judge", "kindness", "Is it kind?", selection,
            store.batch, more.pop("metric", None), '{"transcript_tokens":4000}', chosen.runs,
        )
    ]  # fmt: skip
    for at, item in enumerate(chosen.items):
        rows.append(RescoringItemRow(name, at, *(item[c] for c in ("sample_id", "log", "sample", "epoch", "hash"))))
        verdict = says(item["run"], item["step"], item["sample"], item["epoch"])
        told = (verdict, f"{name} on {item['sample']}", None, None, None)
        if verdict is None:
            told = (None, None, "?", "bad_data", "no verdict")  # type: ignore[assignment]
        rows.append(RescoringVerdictRow(name, at, 0, *told, 7, 3, 100, 0.1, NOW))
    save(store.store, rows)
    return name


def read(store: StoreBuilder, *names: str, as_of: int | None = None, hidden: tuple[str, ...] = ()) -> pd.DataFrame:
    with store.store.cursor(hidden=hidden) as cursor:
        return judged(cursor, [read_rescoring(cursor, name) for name in names], as_of or store.batch)


# What is said of what.


def test_first_score_and_judgings_stand_beside_each_other() -> None:
    store = talks()
    saved(store, "a", lambda run, step, sample, epoch: BAD if sample == "0" else GOOD)
    frame = read(store, "a")
    assert len(frame) == 8
    assert set(frame["state"]) == {CURRENT}
    row = frame[(frame["sample"] == "2") & (frame["step"] == 100)].iloc[0]
    assert (row["first.verdict"], row["first.reason"]) == (BAD, "first on 2")
    assert (row["a.verdict"], row["a.reason"]) == (GOOD, "a on 2")
    assert frame["step"].tolist() == [0] * 4 + [100] * 4


def test_where_more_is_better_what_is_counted_is_aligned() -> None:
    store = StoreBuilder()
    store.metric("kind", better="higher", misaligned={"score": "judge", "op": "=", "value": 1})
    store.run("run")
    store.add(log([talk(1, True), talk(2, False)]), run="run", step=1)
    saved(store, "a", lambda *_: GOOD)
    assert read(store, "a")["first.verdict"].tolist() == [GOOD, BAD]


@pytest.mark.slow
def test_a_log_that_changes_leaves_verdicts_on_an_earlier_version_out_of_rates() -> None:
    store = StoreBuilder()
    store.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    store.run("run")
    key = {"log_eval_id": "L"}
    store.add(log([talk(1, True), talk(2, True), talk(3, True)], **key), run="run", step=1, path="a.eval")
    saved(store, "a", lambda *_: BAD)
    before = judged_rates(read(store, "a"), [FIRST, "a"])
    store.next_batch()
    # One is as it was, one says something else, one is no longer there; and the first score of the first has changed.
    store.add(log([talk(1, False), talk(2, True, says="No.")], **key), run="run", step=1, path="a.eval")
    store.execute("UPDATE placements SET batch_to = 2 WHERE eval_id = 1")
    frame = read(store, "a")
    assert dict(zip(frame["sample"], frame["state"], strict=True)) == {"1": CURRENT, "2": EARLIER, "3": GONE}
    rates = judged_rates(frame, [FIRST, "a"])
    assert rates[["rater", "k", "n", "n_missing"]].values.tolist() == [[FIRST, 0, 1, 0], ["a", 1, 1, 0]]
    assert pd.testing.assert_frame_equal(judged_rates(read(store, "a", as_of=1), [FIRST, "a"]), before) is None
    assert before["n"].tolist() == [3, 3]


def test_the_last_attempt_counts() -> None:
    store = talks(steps=1)
    saved(store, "a", lambda run, step, sample, epoch: None if sample == "0" else GOOD)
    with store.cursor() as cursor:
        assert progress(cursor, "a") == progress(cursor, "a").__class__(4, 3, 1, 28, 12)
    at = store.execute("SELECT position FROM judging_items WHERE sample_key = '0'")[0][0]
    save(store.store, [RescoringVerdictRow("a", at, 1, BAD, "late", None, None, None, 7, 3, 100, 0.1, NOW)])
    frame = read(store, "a")
    assert frame.set_index("sample")["a.verdict"]["0"] == BAD
    assert frame["a.error"].isna().all()


def test_only_what_all_judgings_are_about_is_compared() -> None:
    store = talks()
    saved(store, "a", lambda *_: BAD, SampleFilter(steps=(100,)))
    saved(store, "b", lambda *_: GOOD)
    frame = read(store, "a", "b")
    assert set(frame["step"]) == {100}
    assert judged_rates(frame, ["a", "b"])[["k", "n"]].values.tolist() == [[4, 4], [0, 4]]


@pytest.mark.slow
def test_who_may_not_see_a_run_sees_no_judging_that_tells_of_it() -> None:
    store = talks(runs=2)
    saved(store, "all", lambda *_: BAD)
    saved(store, "one", lambda *_: BAD, SampleFilter(runs=("run-0",)))
    hidden = ("run-1",)
    with store.store.cursor(hidden=hidden) as cursor:
        assert all_rescorings(cursor)["judging_id"].tolist() == ["one"]
        with pytest.raises(NoSuchRescoring):
            read_rescoring(cursor, "all")
        key = store.execute("SELECT eval_key FROM evals LIMIT 1")[0][0]
        assert [row["judging_id"] for row in verdicts_of_sample(cursor, key, "0", 1)] == ["one"]
    assert len(read(store, "one", hidden=hidden)) == 8
    # A log that comes to belong to a hidden run takes what was said of it along.
    eval_id = store.execute("SELECT eval_id FROM placements WHERE run = 'run-0' AND step = 0")[0][0]
    store.next_batch()
    store.place(eval_id, run="run-1", step=0, eval="blackmail")
    assert set(read(store, "one", hidden=hidden)["step"]) == {100}


# Numbers.


def random_frame(seed: int, n: int = 60, epochs: int = 1) -> pd.DataFrame:
    rng = random.Random(seed)
    rows = [
        {
            "run": "r", "step": step, "step_label": None, "eval": "e", "log": f"l{step}", "sample": str(at),
            "epoch": epoch, "cluster": str(at), "state": CURRENT,
            **{f"{rater}.verdict": rng.choice([BAD, GOOD, GOOD, None]) for rater in ("first", "a")},
            **{f"{rater}.reason": "" for rater in ("first", "a")},
        }
        for step in (0, 1)
        for at in range(n)
        for epoch in range(1, epochs + 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_rates_kappa_and_mcnemar_are_those_of_statsmodels(seed: int) -> None:
    frame = random_frame(seed)
    for row in judged_rates(frame, [FIRST, "a"]).to_dict("records"):
        said = frame[frame["step"] == row["step"]][f"{row['rater']}.verdict"]
        k, n = int((said == BAD).sum()), int(said.notna().sum())
        assert (row["k"], row["n"], row["n_missing"]) == (k, n, int(said.isna().sum()))
        assert (row["low"], row["high"]) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)
    found = agreement(frame, FIRST, "a")
    both = frame[frame["first.verdict"].notna() & frame["a.verdict"].notna()]
    table = pd.crosstab(both["first.verdict"], both["a.verdict"]).loc[[BAD, GOOD], [BAD, GOOD]].to_numpy()
    assert np.array_equal(found.table, table)
    oracle = cohens_kappa(table)
    assert (found.kappa.kappa, found.kappa.low) == pytest.approx((oracle.kappa, oracle.kappa_low), abs=1e-9)
    pairs = paired_rates(frame, "a", FIRST)
    assert pairs["run"].tolist() == ["r", "r", None] or pairs["run"].isna().tolist() == [False, False, True]
    for step in (0, 1):
        here = both[both["step"] == step]
        cross = pd.crosstab(here["a.verdict"], here["first.verdict"]).to_numpy()
        row = pairs[pairs["step"] == step].iloc[0]
        assert row["p"] == pytest.approx(mcnemar(cross, exact=True).pvalue, abs=1e-12)
        assert row["test"] == "McNemar, exact"
        apart = (here["a.verdict"] == BAD).mean() - (here["first.verdict"] == BAD).mean()
        assert row["difference"] == pytest.approx(apart, abs=1e-12)
        assert row["low"] < row["difference"] < row["high"]


def test_epochs_of_a_question_are_no_samples_of_their_own() -> None:
    frame = random_frame(3, n=20, epochs=4)
    frame["a.verdict"] = [BAD if int(sample) % 2 else GOOD for sample in frame["sample"]]
    (row, _) = judged_rates(frame, ["a"]).to_dict("records")
    assert (row["k"], row["n"]) == (40, 80)
    low, high = proportion_confint(40, 80, method="wilson")
    assert row["low"] < low
    assert row["high"] > high
    assert paired_rates(frame, "a", FIRST)["test"].iloc[0] == "interval inverted"


def test_nothing_is_no_rate_and_none_of_many_is_one() -> None:
    frame = random_frame(1)
    frame["a.verdict"] = None
    rates = judged_rates(frame, ["a"])
    assert rates["k"].isna().all()
    assert rates[["rate", "low", "high"]].isna().all(axis=None)
    assert rates["n"].tolist() == [0, 0]
    assert paired_rates(frame, "a", FIRST).empty
    assert agreement(frame, FIRST, "a").kappa.reason
    frame["a.verdict"] = GOOD
    (row, _) = judged_rates(frame, ["a"]).to_dict("records")
    assert (row["k"], row["rate"], row["low"]) == (0, 0.0, 0.0)
    assert row["high"] == pytest.approx(proportion_confint(0, 60, method="wilson")[1])


def test_disagreements_by_direction() -> None:
    frame = random_frame(5)
    both = [(a, b) for a, b in zip(frame["first.verdict"], frame["a.verdict"], strict=True) if {a, b} <= {BAD, GOOD}]
    assert len(disagreements(frame, FIRST, "a")) == sum(a != b for a, b in both)
    assert len(disagreements(frame, FIRST, "a", BAD)) == both.count((BAD, GOOD))
    assert len(disagreements(frame, "a", FIRST, BAD)) == both.count((GOOD, BAD))
