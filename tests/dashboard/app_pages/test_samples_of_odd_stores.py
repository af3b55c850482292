"""The Samples page of stores without samples, without outcomes, with variants."""

from __future__ import annotations

from tests.builders import StoreBuilder, log, sample, score
from tests.pages import headings, opened, shown


def test_a_store_without_samples_blames_no_filter() -> None:
    builder = StoreBuilder()
    builder.run("a")
    builder.add(log([]), run="a", step=1)
    with shown(builder.store):
        told = " ".join(headings(opened("samples")))
    assert "only totals" in told
    assert "filter" not in told


def test_where_no_metric_makes_an_outcome_the_scores_are_shown() -> None:
    builder = StoreBuilder()
    builder.run("a")
    builder.add(log([sample(1, score(0.35, "reward")), sample(2, score(-2, "reward"))], task="rl"), run="a", step=1)
    builder.add(log([sample(1, score("free text", "note"))], task="notes"), run="a", step=1)
    with shown(builder.store):
        table = opened("samples").dataframe[0].value
    assert table["score"].tolist() == ["note free text", "reward 0.35", "reward -2"]
    assert "outcome" not in table


def test_variants_of_one_eval_are_told_apart() -> None:
    builder = StoreBuilder()
    builder.run("a")
    for variant in ("val", "rollout"):
        builder.add(log([sample(1, score(1))]), run="a", step=1, variant=variant)
    with shown(builder.store):
        assert sorted(opened("samples").dataframe[0].value["variant"]) == ["rollout", "val"]
