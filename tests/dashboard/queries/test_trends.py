"""Trends of runs: changes from the start, leads over a baseline and whether they last, on the same questions."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, norm, t
from statsmodels.stats.multitest import multipletests

from dashboard.app_pages.persistence.telling import lead_in_words
from dashboard.charts.curve_data import with_bands
from dashboard.kit.text.trends import change_in_words
from dashboard.queries.compare import CompareQuery, compare
from dashboard.queries.equivalence import Margins
from dashboard.queries.frame import RateQuery
from dashboard.queries.line_bands import interval_at, line_bands
from dashboard.queries.rates import rates
from dashboard.queries.trends import LEAD_COLUMNS, LINE_COLUMNS, STEP_COLUMNS, TrendQuery, Trends, lines_of, trends
from dashboard.statistics import wilson_interval
from loaders.makers.demo.writer import DEMO
from tests.builders import StoreBuilder, log, reported, sample, samples, score
from tests.real_stores import shared

START = [1] * 14 + [0] * 6
RUN = {100: START, 200: [1] * 12 + [0] * 8, 300: [1] * 4 + [0] * 16, 400: [1] * 2 + [0] * 18}
OTHER = {100: START, 200: [1] * 15 + [0] * 5, 300: START, 400: [0] + [1] * 13 + [0] * 6}


def store_with(**runs: dict[int, list[float]]) -> StoreBuilder:
    """A store with the answers of each run at each step to the same questions of `blackmail`."""
    store = StoreBuilder()
    store.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    for run, steps in runs.items():
        for step, values in steps.items():
            store.add(log(samples(values)), run=run, step=step)
    return store


def asked(store: StoreBuilder, *runs: str, as_of: int | None = None, **query) -> Trends:
    with store.cursor() as cursor:
        return trends(cursor, TrendQuery(runs or ("a",), **query), as_of or store.batch)


def only(frame: pd.DataFrame) -> dict:
    (row,) = frame.to_dict("records")
    return row


# From the start


@pytest.mark.slow
def test_every_step_is_paired_with_the_first_and_corrected_over_the_steps():
    found = asked(store_with(a=RUN))
    changes = found.changes
    assert changes["step"].tolist() == [200, 300, 400]
    assert changes["paired"].all()
    assert set(changes["against"]) == {"a@100"}
    assert changes["difference"].tolist() == pytest.approx([-0.1, -0.5, -0.6])
    p = [binomtest(0, lost).pvalue for lost in (2, 10, 12)]
    assert changes["p"].tolist() == pytest.approx(p)
    assert changes["p_corrected"].tolist() == pytest.approx(list(multipletests(p, method="holm")[1]))
    line = only(found.lines)
    assert (line["first_shown"], line["lasting_from"], line["tests"]) == (300, 300, 3)
    assert (line["start_rate"], line["last_rate"], line["change"]) == pytest.approx((0.7, 0.1, -0.6))
    assert line["change_p"] == pytest.approx(changes["p_corrected"].iloc[-1])


def test_the_slope_is_that_of_the_points_per_100_steps_and_its_error_knows_the_questions():
    """By hand: correlations over the questions, less one answer's worth of chance, and variances of Wilson's."""
    line = only(asked(store_with(a=RUN)).lines)
    rates = [0.7, 0.6, 0.2, 0.1]
    assert line["slope"] == pytest.approx(np.polyfit([1, 2, 3, 4], rates, 1)[0])
    low, high = wilson_interval([14, 12, 4, 2], [20] * 4)
    spread = (high - low) / (2 * norm.ppf(0.975))
    shrink = 1 - 1 / (2 * 20**2) / np.mean(spread**2)
    correlation = np.corrcoef(list(RUN.values())) * shrink
    np.fill_diagonal(correlation, 1)
    k = (np.arange(4) - 1.5) / 5
    error = math.sqrt((k * spread) @ correlation @ (k * spread))
    assert line["slope_high"] - line["slope"] == pytest.approx(norm.ppf(0.975) * error)


@pytest.mark.slow
def test_a_slope_by_tokens_is_per_factor_of_ten():
    store = store_with()
    for step, tokens, values in ((1, 1e6, [1, 1, 1, 0]), (2, 1e7, [1, 1, 0, 0]), (3, 1e8, [1, 0, 0, 0])):
        store.add(log(samples(values)), run="a", step=step, tokens=tokens)
    line = only(asked(store).lines)
    assert line["tenfold"] == pytest.approx(-0.25)
    assert line["tenfold_low"] < -0.25 < line["tenfold_high"]
    assert pd.isna(only(asked(store_with(a=RUN)).lines)["tenfold"])


def test_zero_of_n_all_along_has_bounds_and_no_change_is_claimed():
    found = asked(store_with(a=dict.fromkeys((1, 2, 3), [0] * 50), b=dict.fromkeys((1, 2, 3), [0] * 50)), baseline="b")
    line, lead = found.lines[found.lines["run"] == "a"].iloc[0], only(found.lead_lines)
    assert (line["change"], line["slope"], lead["mean"]) == (0, 0, 0)
    assert line["change_low"] < -0.05 < 0.05 < line["change_high"]
    assert line["slope_low"] < 0 < line["slope_high"]
    assert lead["mean_low"] < -0.05 < 0.05 < lead["mean_high"]
    assert lead["span_low"] < 0 < lead["span_high"]
    assert pd.isna(line["first_shown"])
    assert lead["direction"] == "no significant change"


def test_other_questions_are_not_paired_and_that_is_said():
    store = store_with(a={1: START})
    store.add(log([sample(f"other {i}", score(i % 2)) for i in range(20)]), run="a", step=2)
    found = asked(store)
    assert not only(found.changes)["paired"]
    assert only(found.lines)["notes"] == ["not paired, for lack of questions in common, at step 2"]


def test_no_pairing_is_claimed_of_logs_without_samples():
    store = StoreBuilder()
    for step, value in ((1, 0.5), (2, 0.6), (3, 0.7)):
        store.add(log([], task="arc", reported=[reported("acc", value, stderr=0.02)]), run="a", step=step)
    found = asked(store, "a")
    row = only(found.lines)
    assert not row["paired"]
    assert row["notes"] == ["not paired: the logs hold no samples"]
    assert not found.changes["paired"].any()
    told = change_in_words(row, {})
    assert "(paired)" not in told
    assert "+20.0 pp [" in told
    assert "(not paired)" in told


def test_another_judge_is_said():
    store = store_with(a={1: START, 2: START})
    store.add(log(samples(START), judge="other"), run="a", step=3)
    assert only(asked(store).lines)["notes"] == ["another judge at step 3"]


def test_a_line_goes_through_whole_logs_and_one_a_step():
    store = store_with(a={1: START})
    store.add(log(samples([0] * 20), minutes=1), run="a", step=2)
    store.add(log(samples([1] * 20), minutes=2, status="error"), run="a", step=2)
    store.add(log(samples([1] * 20), minutes=0), run="a", step=2)
    # Two whole repeats are pooled, the errored log is left out.
    assert only(asked(store).changes)["rate"] == 0.5


def test_as_of_an_earlier_batch_later_steps_are_unknown():
    store = store_with(a={1: START, 2: START})
    before = store.batch
    store.next_batch()
    store.add(log(samples(START)), run="a", step=3)
    assert only(asked(store, as_of=before).lines)["last_step"] == 2
    assert only(asked(store).lines)["last_step"] == 3


def test_nothing_asked_is_answered_by_empty_frames():
    found = asked(store_with(a={1: START}), "nobody", baseline="a")
    for frame, columns in (
        (found.lines, LINE_COLUMNS),
        (found.changes, STEP_COLUMNS),
        (found.leads, STEP_COLUMNS),
        (found.lead_lines, LEAD_COLUMNS),
    ):
        assert frame.empty
        assert frame.dtypes.astype(str).to_dict() == columns


# Leads


def test_a_lead_is_the_difference_at_the_common_steps():
    found = asked(store_with(a=RUN | {500: START}, b=OTHER), "a", "b", baseline="b")
    assert found.leads["step"].tolist() == [100, 200, 300, 400]
    difference = [np.mean(RUN[step]) - np.mean(OTHER[step]) for step in RUN]
    assert found.leads["difference"].tolist() == pytest.approx(difference)
    lead = only(found.lead_lines)
    assert (lead["first"], lead["last"], lead["points"]) == (difference[0], pytest.approx(difference[-1]), 4)
    assert lead["mean"] == pytest.approx(np.trapezoid(difference, [100, 200, 300, 400]) / 300)
    assert lead["slope"] == pytest.approx(np.polyfit([1, 2, 3, 4], difference, 1)[0])
    assert lead["span"] == pytest.approx(3 * lead["slope"])
    assert (lead["first_shown"], lead["lasting_from"]) == (300, 300)


def test_leads_of_means_are_t_tests_of_the_questions_correlated_over_steps():
    rng = np.random.default_rng(3)
    difficulty = rng.normal(size=15)
    here, there = (m + difficulty + rng.normal(size=(3, 15)) for m in (7, 5))
    store = StoreBuilder()
    store.metric("mean", kind="mean", score={"score": "judge"}, better="higher")
    for run, values in (("a", here), ("b", there)):
        for step, row in zip((1, 2, 3), values, strict=True):
            store.add(log(samples(row.tolist())), run=run, step=step)
    lead = only(asked(store, baseline="b").lead_lines)
    d = here - there
    z = t.ppf(0.975, 14) / norm.ppf(0.975)
    covariance = np.cov(d) / 15 * z**2
    w, k = np.array([0.25, 0.5, 0.25]), np.array([-50.0, 0.0, 50.0])
    for name, weights in (("mean", w), ("slope", k)):
        assert lead[name] == pytest.approx(weights @ d.mean(axis=1))
        half = norm.ppf(0.975) * math.sqrt(weights @ covariance @ weights)
        assert lead[f"{name}_high"] - lead[name] == pytest.approx(half)


def test_shrinking_is_claimed_only_where_it_is_shown_over_the_whole_family():
    many = {100: [1] * 0 + [0] * 60, 400: [1] * 30 + [0] * 30}
    steady = dict.fromkeys((100, 400), [1] * 36 + [0] * 24)
    found = asked(store_with(a=many, b=steady, c=steady), "a", "b", "c", baseline="b").lead_lines.set_index("run")
    assert found["family"].tolist() == [2, 2]
    assert found.loc["a", "direction"] == "shrinks"
    assert found.loc["a", "slope"] > 0
    assert found.loc["c", "direction"] == "no significant change"
    assert found.loc["a", "slope_p_corrected"] == pytest.approx(2 * found.loc["a", "slope_p"])


@pytest.mark.slow
def test_a_lead_that_begins_at_0_grows_on_whichever_side_chance_put_its_first_step():
    """The side that a run is on is that of its mean lead: the words on the page say the same."""
    steady = dict.fromkeys((100, 200, 300), [1] * 30 + [0] * 30)
    for first in (29, 31):
        run = {100: [1] * first + [0] * (60 - first), 200: [1] * 20 + [0] * 40, 300: [1] * 5 + [0] * 55}
        lead = only(asked(store_with(a=run, b=steady), baseline="b").lead_lines)
        assert lead["direction"] == "grows"
        assert "the lead grows" in lead_in_words(lead, {})


@pytest.mark.slow
def test_step_0_is_the_parents_checkpoint_where_it_was_evaluated():
    store = store_with(a=RUN, sft={300: [1] * 20})
    store.run("sft")
    store.run("a", parent_run="sft", parent_step=300)
    assert only(asked(store).lines)["first_step"] == 100
    line = only(asked(store, from_parent=True).lines)
    assert (line["first_step"], line["start"], line["start_rate"], line["points"]) == (0, "sft@300", 1, 5)
    store.add(log(samples(START)), run="a", step=0)
    assert only(asked(store, from_parent=True).lines)["start"] == "a@0"


def test_two_runs_from_one_checkpoint_are_not_compared_there():
    store = store_with(a=RUN, b=OTHER, sft={300: START})
    store.run("sft")
    for run in ("a", "b"):
        store.run(run, parent_run="sft", parent_step=300)
    found = asked(store, "a", "b", baseline="b", from_parent=True)
    assert found.leads["step"].min() == 100
    assert only(found.lead_lines)["notes"] == ["at step 0 both are the same checkpoint, which is left out"]


def test_groups_average_their_members_at_the_steps_that_all_have():
    store = StoreBuilder()
    store.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    store.group("honeypots", ["blackmail", "framing"])
    for run, shift in (("a", 0), ("b", 4)):
        for step in (1, 2, 3):
            for task in ("blackmail", "framing"):
                if (task, step) != ("framing", 2):
                    values = [1] * (6 + shift - step) + [0] * (14 - shift + step)
                    store.add(log(samples(values), task=task), run=run, step=step)
    found = asked(store, evals=("honeypots",), baseline="b")
    line, lead = only(found.lines), only(found.lead_lines)
    assert (line["points"], line["start_rate"], line["last_rate"]) == (2, 0.25, pytest.approx(0.15))
    assert line["notes"] == ["framing was not measured at step 2, which is left out of the mean"]
    assert (lead["first"], lead["mean"]) == pytest.approx((-0.2, -0.2))
    single = only(asked(store, evals=("framing",), baseline="b").lead_lines)
    # Two evals of one size, independent of each other: half the variance.
    width = (lead["mean_high"] - lead["mean_low"]) / (single["mean_high"] - single["mean_low"])
    assert width == pytest.approx(0.5**0.5, rel=0.02)


def test_members_that_an_average_lacks_are_named():
    store = StoreBuilder()
    store.metric("harmful", ["blackmail", "framing"], misaligned={"score": "judge", "op": "=", "value": 1})
    store.metric("mean", ["praise"], kind="mean", score={"score": "judge"}, better="higher")
    store.group("honeypots", ["blackmail", "framing", "sabotage", "praise"])
    for run, tasks in (("a", ["blackmail", "framing", "praise"]), ("b", ["blackmail"])):
        for step in (1, 2):
            for task in tasks:
                store.add(log(samples(START), task=task), run=run, step=step)
    unlike = "left out of the mean (other kind, unit or direction): praise"
    found = asked(store, "a", "b", evals=("honeypots",), baseline="b")
    assert [line["notes"] for line in found.lines.to_dict("records")] == [
        ["missing from the mean: sabotage", unlike],
        ["missing from the mean: framing, sabotage, praise"],
    ]
    assert only(found.lead_lines)["notes"][-1] == "b was never measured on framing"
    assert "missing from the mean: sabotage" in only(found.lead_lines)["notes"]


def test_steps_without_an_interval_are_named_and_are_no_tests():
    """Slope and mean rest on the others: without spread nobody knows what such a step weighs."""
    store = StoreBuilder()
    store.metric("mean", kind="mean", score={"score": "judge"}, better="higher")
    for run, steps in (("a", [[1, 2, 3, 4], [2, 3, 3, 5], [5] * 4]), ("b", [[1, 1, 1, 2], [1, 2, 1, 2], [4] * 4])):
        for step, values in enumerate(steps, 1):
            store.add(log(samples(values)), run=run, step=step)
    found = asked(store, "a", "b", baseline="b")
    line, lead = found.lines.set_index("run").loc["a"], only(found.lead_lines)
    (note,) = line["notes"]
    assert note == "no interval at step 3, which slopes leave out"
    assert lead["notes"] == ["no interval at step 3, which mean and slope leave out"]
    assert line["slope"] == pytest.approx(75)
    assert lead["slope"] == pytest.approx(50)
    assert lead["mean"] == pytest.approx((1.25 + 1.75) / 2)
    # The last step is tested, the mean of all 5 against the first step's; the lead there, of all 1, is not.
    assert line["tests"] == 2
    assert found.leads["p"].isna().tolist() == [False, False, True]


def test_a_lead_without_any_p_value_is_no_member_of_the_family():
    store = StoreBuilder()
    store.metric("mean", kind="mean", score={"score": "judge"}, better="higher")
    for run, value in (("a", 5), ("b", 4)):
        for step in (1, 2):
            store.add(log(samples([value, value * step, 2, value + value * step])), run=run, step=step)
            store.add(log(samples([value] * 6), task="praise"), run=run, step=step)
    leads = asked(store, baseline="b").lead_lines.set_index("eval")
    assert pd.isna(leads.loc["praise", "slope_p"])
    assert leads["family"].tolist() == [1, 1]
    assert leads.loc["blackmail", "slope_p_corrected"] == leads.loc["blackmail", "slope_p"]


def test_split_lines_are_lines_of_their_own():
    store = store_with()
    for step, (yes, no) in {1: (1, 0), 2: (0, 1)}.items():
        values = [sample(i, score(yes if i % 2 else no), metadata={"goal": "x" if i % 2 else "y"}) for i in range(20)]
        store.add(log(values), run="a", step=step)
    found = asked(store, splits=("metadata.goal",)).lines.set_index("split")
    assert found["change"].to_dict() == {"x": -1, "y": 1}


def test_queries_that_can_not_be_are_refused():
    with pytest.raises(ValueError, match="level"):
        TrendQuery(("a",), level=95)


# The demo study


@pytest.mark.slow
def test_the_demo_study_keeps_its_leads_and_numbers_are_those_of_compare():
    runs = ("plain-rl", "documents-rl", "stories-rl", "advice-rl")
    demo = shared(DEMO).store
    with demo.cursor() as cursor:
        query = TrendQuery(runs, "plain-rl", ("honeypots", "constitution_adherence"), from_parent=True)
        found = trends(cursor, query, demo.batch())
        compared = compare(
            cursor, CompareQuery(("plain-rl@200", "advice-rl@200"), evals=("honeypots",)), demo.batch()
        ).differences
    lead = found.leads[(found.leads["run"] == "advice-rl") & (found.leads["step"] == 200)].set_index("eval")
    theirs = compared.set_index("eval").loc["honeypots"]
    for name in ("difference", "low", "high", "p", "rate"):
        assert lead.loc["honeypots", name] == pytest.approx(theirs[name])
    leads = found.lead_lines
    assert set(leads["direction"]) == {"no significant change"}
    assert len(leads) == 6
    assert (leads["mean_p_corrected"] < 0.001).all()
    better = np.where(leads["better"] == "lower", -leads["mean"], leads["mean"])
    assert (better > 0).all()


# Did it last


def test_a_run_lasted_where_its_one_sided_bound_is_under_the_margin():
    flat = [1] * 20 + [0] * 380
    store = store_with(
        a={0: flat, 100: [0, *flat[1:-1], 1]},
        b={0: flat, 100: [1] * 80 + [0] * 320},
        c={0: flat[::20], 100: flat[::20]},
    )
    found = asked(store, "a", "b", "c", margins=Margins(0.05)).lines.set_index("run")
    assert found["verdict"].tolist() == ["equivalent", "significant", "inconclusive"]
    assert found["bound"]["a"] < 0.05 < found["bound"]["b"]
    assert found["bound"]["a"] < found["change_high"]["a"]
    assert found["p_equivalence_corrected"]["a"] == pytest.approx(3 * found["p_equivalence"]["a"])
    assert found["needed"]["c"] > 20
    assert asked(store, "a").lines["margin"].isna().all()


# Bands


def test_a_lines_band_is_its_own_intervals_taken_wider():
    store = store_with(a=RUN | {500: [0] * 20})
    store.add(log([sample(1, score(1)), sample(2, score(0))]), run="b", step=1)
    with store.cursor() as cursor:
        own = rates(cursor, RateQuery(runs=("a",)), store.batch)
        for method in ("wilson", "clopper-pearson"):
            found = line_bands(cursor, TrendQuery(("a", "b")), store.batch, method)
            # One checkpoint is no line.
            assert set(found["run"]) == {"a"}
            shown = with_bands(own, found)
            (level,) = set(found["band_level"])
            assert 0.95 < level < 0.95 ** (1 / 5) + 0.001
            expected = [wilson_interval(k, n, level) for k, n in zip(own["k"], own["n"], strict=True)]
            if method == "wilson":
                assert shown["band_low"].tolist() == pytest.approx([float(low) for low, _ in expected])
                assert shown["band_high"].tolist() == pytest.approx([float(high) for _, high in expected])
            assert (shown["band_high"] > shown["high"] - 1e-9).all()
            assert (shown["band_low"] <= shown["low"]).all()
        assert np.allclose(interval_at_level_of_page(cursor, store), own[["low", "high"]].to_numpy())


def interval_at_level_of_page(cursor, store: StoreBuilder) -> list:
    """The same intervals at the page's level are those of the page."""
    (line,) = lines_of(cursor, TrendQuery(("a",)), store.batch)
    return [list(interval_at(line.at(step)[0], 0.95, "wilson")) for step in line.steps]
