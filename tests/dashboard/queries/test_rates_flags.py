"""What must be known of a point before it is compared: the header's number, repeats, other settings, jumps."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.queries.flags import tells_outage
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from tests.builders import StoreBuilder, log, reported, sample, samples, score


def frame_of(store: StoreBuilder, **query) -> pd.DataFrame:
    with store.cursor() as cursor:
        return rates(cursor, RateQuery(**query), store.batch)


def with_harmful(**more) -> StoreBuilder:
    store = StoreBuilder()
    store.metric("harmful", ["blackmail"], misaligned={"score": "judge", "op": "=", "value": 1}, **more)
    return store


def flags_by_step(store: StoreBuilder, **query) -> dict[int, list[str]]:
    return {int(row.step): row.flags for row in frame_of(store, **query).itertuples()}


def escalations(*questions: str) -> list:
    """Samples whose verdict stands in the score's metadata: a question each, an epoch a letter."""
    words = {"s": "succeeded", "n": "none", "u": "unclear"}
    return [
        sample(i, score(float(verdict == "s"), metadata={"escalation": words[verdict]}), epoch=epoch)
        for i, question in enumerate(questions)
        for epoch, verdict in enumerate(question, start=1)
    ]


def test_a_header_that_disagrees_with_its_samples_is_shown_beside_them():
    """As in the shutdown logs: the header counts the first epoch's verdicts alone."""
    store = StoreBuilder()
    verdict = {"score": "judge", "field": "metadata.escalation", "op": "=", "value": "succeeded"}
    store.metric("succeeded", ["shutdown"], misaligned=verdict, reported={"metric": "fraction_succeeded"})
    held = escalations("snnn", "snnn", "nnnu", "nnnn", "unnn", "nsnn")
    store.add(log(held, task="shutdown", reported=[reported("fraction_succeeded", 2 / 6, scorer="judge")]), step=1)
    store.add(log(held, task="shutdown", reported=[reported("fraction_succeeded", 3 / 24, scorer="judge")]), step=2)
    store.add(log(held, task="shutdown", reported=[reported("fraction_succeeded", 0.9, scorer="judge")]), step=3)
    frame = frame_of(store)
    assert frame["k"].tolist() == [3, 3, 3]
    assert frame["rate"].tolist() == [3 / 24] * 3
    assert frame["reported"].tolist() == [2 / 6, 3 / 24, 0.9]
    assert frame["disagrees"].tolist() == [True, False, True]
    assert frame["flags"][0] == [
        "The log reports 0.3333 (fraction_succeeded), its samples give 0.125 (3 of 24)."
        " The reported number is of the first epoch alone."
    ]
    assert frame["flags"][1] == []
    assert "first epoch" not in frame["flags"][2][0]


@pytest.mark.parametrize(("name", "header", "disagrees"), [("mean", 0.5, False), ("accuracy", 0.75, True)])
def test_the_headers_own_mean_is_recomputed_without_being_asked(name, header, disagrees):
    store = with_harmful()
    store.add(log(samples([1, 0, 1, 0]), reported=[reported(name, header, scorer="judge")]), step=1)
    row = frame_of(store).iloc[0]
    assert (row["reported"], row["disagrees"]) == (header, disagrees)


def test_the_mean_of_a_scale_is_not_the_rate_of_its_lowest_mark():
    store = with_harmful()
    store.add(log(samples([1, 10, 10]), reported=[reported("mean", 7.0, scorer="judge")]), step=1)
    row = frame_of(store).iloc[0]
    assert (row["k"], row["n"], row["disagrees"]) == (1, 3, False)
    assert pd.isna(row["reported"])
    mean = frame_of(store, metrics=("mean_judge",)).iloc[0]
    assert (mean["rate"], mean["reported"], mean["disagrees"]) == (7.0, 7.0, False)


def test_headers_of_other_scorers_keys_and_reducers_are_other_numbers():
    store = with_harmful()
    others = [
        reported("mean", 0.9, scorer="another"),
        reported("mean", 0.9, scorer="judge", key="x"),
        reported("mean", 0.9, scorer="judge", reducer="max"),
        reported("stderr", 0.9, scorer="judge"),
    ]
    store.add(log(samples([1, 0]), reported=others), step=1)
    row = frame_of(store).iloc[0]
    assert pd.isna(row["reported"])
    assert not row["disagrees"]


def test_a_header_averages_epochs_within_questions_first():
    held = [sample(1, score(1)), sample(1, score(1), epoch=2), sample(2, score(0)), sample(2, score(None), epoch=2)]
    store = with_harmful()
    store.add(log(held, reported=[reported("mean", 0.5, scorer="judge")]), step=1)
    row = frame_of(store).iloc[0]
    assert (row["rate"], row["disagrees"]) == (pytest.approx(2 / 3), False)


def test_a_header_counts_no_answer_as_wrong():
    store = StoreBuilder()
    held = samples(["C", "I", "N", "N"], "match")
    store.add(log(held, task="gsm8k", reported=[reported("accuracy", 0.25, scorer="match")]), step=1)
    row = frame_of(store).iloc[0]
    assert (row["rate"], row["n"], row["n_missing"]) == (0.5, 2, 2)
    assert (row["reported"], row["disagrees"]) == (0.25, False)


def test_a_log_without_its_samples_gives_the_number_that_it_reports():
    store = with_harmful()
    store.add(log(samples([1, 0, 0, 0])), step=1)
    store.add(log([], reported=[reported("mean", 0.25, scorer="judge", stderr=0.05, n=80)]), step=2)
    store.add(log([]), step=3)
    frame = frame_of(store)
    assert frame["rate"].tolist()[:2] == [0.25, 0.25]
    row = frame.iloc[1]
    assert (row["n"], row["interval"]) == (80, "Wilson")
    assert row["k"] == 20
    assert row[["n_missing", "n_all"]].isna().all()
    assert row["flags"][0] == "The log has no samples: this is the number that it reports."
    assert pd.isna(frame["rate"][2])
    assert frame["flags"][2][0] == "The log has no samples."


def test_repeats_of_a_checkpoint_are_kept_and_numbered():
    store = with_harmful()
    store.add(log(samples([1, 1]), minutes=0), step=1)
    store.add(log(samples([1, 0]), minutes=5), step=1)
    store.add(log(samples([0, 0]), minutes=9, status="cancelled"), step=1)
    store.add(log(samples([0, 0]), minutes=1), step=2)
    frame = frame_of(store, repeats="each").sort_values(["step", "repeat"])
    assert frame[["step", "repeat", "k"]].values.tolist() == [[1, 0, 1], [1, 1, 2], [2, 0, 0]]
    flags = frame["flags"].tolist()
    assert flags[0][0].startswith("2 logs of this checkpoint")
    assert any("cancelled" in flag and "excluded" in flag for flag in flags[0])
    assert flags[1] == ["A repeated eval: the line goes through the log of 01 Jan 2025, 00:05:00 UTC."]
    assert flags[2] == []
    pooled = frame_of(store).sort_values("step")
    assert pooled[["step", "repeat", "pooled", "k", "n"]].values.tolist() == [[1, 0, 2, 3, 4], [2, 0, 1, 0, 2]]
    newest = frame_of(store, repeats="newest").sort_values("step")
    assert newest[["step", "k", "n"]].values.tolist() == [[1, 1, 2], [2, 0, 2]]


def test_logs_that_stand_alone_and_variants_are_no_repeats():
    store = with_harmful()
    for run in ("log 1", "log 2"):
        store.add(log(samples([1, 0])), run=run, placed=False)
    for variant in ("val", "rollout"):
        store.add(log(samples([1, 0])), run="rl", step=1, variant=variant)
    # Of a run that a card names without a step, nobody knows whether these are the same checkpoint.
    for _ in range(2):
        store.add(log(samples([1, 0])), run="card")
    frame = frame_of(store)
    assert frame["repeat"].tolist() == [0] * 6
    assert frame["placed"].tolist().count(False) == 2


def test_logs_of_a_checkpoint_without_a_number_are_repeats():
    store = with_harmful()
    for minutes in (0, 1):
        store.add(log(samples([1, 0]), minutes=minutes), step_label="final")
    assert sorted(frame_of(store, repeats="each")["repeat"]) == [0, 1]
    assert frame_of(store)[["n", "pooled"]].values.tolist() == [[4, 2]]


def test_other_settings_on_one_line_are_flagged():
    store = with_harmful()
    usual = {"judge": "a", "task_version": "1", "epochs": 1, "dataset": {"name": "d"}}
    for step in (1, 2, 3):
        store.add(log(samples([1, 0]), generate_config={"temperature": 1.0, "max_retries": step}, **usual), step=step)
    other = {"judge": "b", "task_version": "2", "epochs": 2, "dataset": {"name": "e"}}
    store.add(log(samples([1, 0, 0, 0], epochs=2), generate_config={"seed": 7}, **other), step=4)
    flags = flags_by_step(store)
    assert flags[1] == flags[2] == flags[3] == []
    assert flags[4] == [
        "Dataset differs: e here, d at the other steps",
        "Epochs differ: 2 here, 1 at the other steps",
        "Judge differs: b here, a at the other steps",
        "Number of samples differs: 4 here, 2 at the other steps",
        "Seed differs: 7 here, not given at the other steps",
        "Task version differs: 2 here, 1 at the other steps",
        "Temperature differs: not given here, 1.0 at the other steps",
    ]


def test_a_run_judged_by_another_judge_throughout_is_flagged_against_the_others():
    store = with_harmful()
    for run, judge in (("a", "x"), ("b", "x"), ("c", "y")):
        for step in (1, 2):
            store.add(log(samples([1, 0]), judge=judge), run=run, step=step)
    frame = frame_of(store)
    assert {tuple(f) for f in frame[frame["run"] != "c"]["flags"]} == {()}
    assert frame[frame["run"] == "c"]["flags"].tolist() == [["Judge differs: y here, x in the other runs"]] * 2


def test_another_number_of_samples_is_told_within_a_line_and_not_between_lines():
    store = with_harmful()
    for run, n in (("a", 4), ("b", 4), ("c", 2)):
        for step in (1, 2, 3):
            store.add(log(samples([0] * (n if (run, step) != ("c", 3) else 1))), run=run, step=step)
    flags = {(row.run, row.step): row.flags for row in frame_of(store).itertuples()}
    assert flags.pop(("c", 3)) == ["Number of samples differs: 1 here, 2 at the other steps"]
    assert set(map(tuple, flags.values())) == {()}


def test_a_number_without_samples_is_of_as_many_as_it_says():
    store = with_harmful()
    for step, n in ((1, 4), (2, 4), (3, 8)):
        told = [reported("mean", 0.25, scorer="judge", stderr=0.05, n=n)]
        store.add(log(samples([1, 0, 0, 0]) if step == 1 else [], reported=told), step=step)
    sizes = {
        step: [flag for flag in flags if "Number of samples" in flag] for step, flags in flags_by_step(store).items()
    }
    assert sizes == {1: [], 2: [], 3: ["Number of samples differs: 8 here, 4 at the other steps"]}


def test_an_outage_between_neighbours_is_flagged():
    store = with_harmful()
    for step, hits in ((100, 63), (200, 62), (300, 0), (400, 63), (500, 64)):
        store.add(log(samples([1] * hits + [0] * (64 - hits))), step=step)
    flags = flags_by_step(store)
    assert flags[300] == ["0 of 64 between neighbours at 98%: an outage of a scorer?"]
    assert [flags[step] for step in (100, 200, 400, 500)] == [[], [], [], []]
    assert tells_outage(flags[300][0])


def test_a_setting_that_is_called_an_outage_is_none():
    store = with_harmful()
    for step, name in enumerate(("none", "none", "an outage")):
        store.add(log(samples([1, 0, 0, 0]), judge=name), step=step)
    ((flag,),) = [flags for flags in flags_by_step(store).values() if flags]
    assert "an outage" in flag
    assert not tells_outage(flag)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rates_of_100", "flagged"),
    [
        ((98, 98, 100, 98, 98), False),  # within the intervals
        ((90, 60, 0, 0, 0), False),  # a fall that lasts
        ((10, 0, 60, 90, 95), False),  # neighbours that don't agree
        ((50, 50, 0, 50, 50), True),
        ((10, 10, 80, 10, 10), True),
        ((40, 40, 70, 40, 40), False),  # apart, but neither at an end nor far away
    ],
)
def test_only_leaps_away_and_back_are_outages(rates_of_100, flagged):
    store = with_harmful()
    for step, hits in enumerate(rates_of_100):
        store.add(log(samples([1] * hits + [0] * (100 - hits))), step=step)
    assert any("outage" in flag for flags in flags_by_step(store).values() for flag in flags) == flagged


def test_unfinished_logs_say_so():
    store = with_harmful()
    store.add(log(samples([1, 0]), complete=False, status="started"), step=1)
    assert any("still being written: 2 samples" in flag for flag in frame_of(store)["flags"][0])
