"""Rates split by metadata, task args and variant: each part is counted as if its samples were a log of their own."""

from __future__ import annotations

import itertools
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from dashboard.places import demo_study
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from dashboard.queries.samples import SampleFilter, all_samples, outcome_counts
from loaders.makers.demo.figures import STYLES
from loaders.records import SampleRecord
from loaders.store import Store
from tests.builders import StoreBuilder, log, reported, sample, samples, score
from tests.real_stores import STUDIES, Ingested, shared

COUNTS = ["n", "k", "n_missing", "n_all", "clusters"]
NUMBERS = ["rate", "low", "high", "stderr", "n_eff"]


def frame_of(store: StoreBuilder, as_of: int | None = None, **query: Any) -> pd.DataFrame:
    with store.cursor() as cursor:
        return rates(cursor, RateQuery(**query), store.batch if as_of is None else as_of)


def harmful(*evals: str, **body: Any) -> StoreBuilder:
    store = StoreBuilder()
    store.metric("harmful", evals or ("*",), misaligned={"score": "judge", "op": "=", "value": 1}, **body)
    return store


def of(values: list[Any], name: str = "goal", **more: Any) -> list[SampleRecord]:
    """Samples scored 1, 0, 1, 0, ..., one for each value of a metadata field; ... stands for no such field."""
    return [
        sample(i, score((i + 1) % 2), metadata=None if value is ... else {name: value}, **more)
        for i, value in enumerate(values)
    ]


def parts(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Cells as plain values, None where missing."""
    return [plain(row, *columns) for row in frame.to_dict("records")]


def plain(row: Mapping[Any, Any], *columns: str) -> tuple[Any, ...]:
    """Some cells of a row as plain values, None where missing."""
    return tuple(None if pd.isna(row[name]) else row[name] for name in columns)


def test_each_value_is_a_row_with_its_own_counts_and_interval() -> None:
    store = harmful()
    held = [
        *(sample(f"a{i}", score(int(i < 3)), metadata={"goal": "a"}) for i in range(10)),
        *(sample(f"b{i}", score(0), metadata={"goal": "b"}) for i in range(100)),
        sample("b-failed", score(1), metadata={"goal": "b"}, error="Timeout"),
        sample("bare", score(1)),
        sample("c-unscored", metadata={"goal": "c"}),
    ]
    store.add(log(held), run="rl", step=100, tokens=5e6)
    frame = frame_of(store, splits=("metadata.goal",))
    assert parts(frame, "split", "n", "k", "n_missing", "n_all", "rate") == [
        ("a", 10, 3, 0, 10, 0.3), ("b", 100, 0, 1, 101, 0.0), ("c", 0, None, 1, 1, None), (None, 1, 1, 0, 1, 1.0),
    ]  # fmt: skip
    assert frame["split2"].isna().all()
    assert frame["tokens"].tolist() == [5e6] * 4
    measured = frame.dropna(subset="rate")
    low, high = proportion_confint(measured["k"].astype(int), measured["n"].astype(int), method="wilson")
    assert measured["low"].tolist() == pytest.approx(low, abs=1e-9)
    assert measured["high"].tolist() == pytest.approx(high, abs=1e-9)
    assert frame["high"][1] == pytest.approx(0.0370, abs=1e-4)
    exact = frame_of(store, splits=("metadata.goal",), method="clopper-pearson")
    assert exact["high"][1] == pytest.approx(proportion_confint(0, 100, method="beta")[1])
    assert frame["flags"][2] == ["None of the 1 samples is scored."]
    assert parts(frame_of(store), "split", "split2", "n", "k") == [(None, None, 111, 4)]


def test_values_are_shown_as_text_in_the_order_of_numbers() -> None:
    store = harmful()
    values = [True, False, 10, 9, 2.5, "text", "", "null", None, ["a", 1], {"b": [1]}, "true", ..., "Ünï ☃"]
    store.add(log(of(values)))
    frame = frame_of(store, splits=("metadata.goal",))
    assert frame["split"].dropna().tolist() == [
        "2.5", "9", "10", "", '["a",1]', "false", "null", "text", "true", '{"b":[1]}', "Ünï ☃",
    ]  # fmt: skip
    by_value = dict(zip(frame["split"].dropna(), frame["n_all"], strict=False))
    assert by_value["true"] == 2  # as text, both are the same
    assert frame[frame["split"].isna()]["n_all"].tolist() == [2]  # JSON's null is no value


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"a": {"b": {"c": "x"}}}, "metadata.a.b.c"),
        ({"a.b": "x"}, "metadata.a.b"),
        ({"a/b": "x"}, "metadata.a/b"),
        ({"a~b~1": "x"}, "metadata.a~b~1"),
        ({"'; DROP TABLE samples; --": "x"}, "metadata.'; DROP TABLE samples; --"),
        ({"{value}$x": "x"}, "metadata.{value}$x"),
        ({'say "hi"': "x"}, 'metadata.say "hi"'),
        ({"*": "x", "y": "z"}, "metadata.*"),
        ({" é 日本 ": "x"}, "metadata. é 日本 "),
        ({"list": ["w", "x"]}, "metadata.list.1"),
    ],
)
def test_any_name_of_a_field_is_found(metadata: Any, field: str) -> None:
    store = harmful()
    store.add(log([sample(1, score(1), metadata=metadata), sample(2, score(0), metadata={"other": 1})]))
    store.add(log([sample(1, score(1))], metadata=metadata), step=2)
    found = frame_of(store, splits=(field,))
    assert parts(found, "step", "split", "n") == [(2, "x", 1), (None, "x", 1), (None, None, 1)]
    assert len(frame_of(store)) == 2


def test_what_a_sample_lacks_is_told_by_its_log() -> None:
    store = harmful()
    held = [
        sample(1, score(1), metadata={"name": "own"}),
        sample(2, score(0), metadata={"other": 1}),
        sample(3, score(0)),
    ]
    store.add(log(held, metadata={"name": "log's", "prod": False}, task_args={"name": "arg"}), variant="val")
    assert parts(frame_of(store, splits=("metadata.name",)), "split", "n") == [("log's", 2), ("own", 1)]
    for field, value in (("metadata.prod", "false"), ("task_args.name", "arg"), ("variant", "val")):
        assert parts(frame_of(store, splits=(field,)), "split", "n") == [(value, 3)]
    for field in ("metadata.prod.deeper", "task_args.prod", "metadata.Name"):
        assert parts(frame_of(store, splits=(field,)), "split", "n") == [(None, 3)]


def test_two_fields_give_a_row_for_each_combination() -> None:
    store = harmful()
    held = [
        sample(i, score(int(goal == "x")), metadata={"goal": goal} | ({} if tools is None else {"tools": tools}))
        for i, (goal, tools) in enumerate([("x", True), ("x", False), ("y", True), ("y", None), ("x", True)])
    ]
    store.add(log(held))
    frame = frame_of(store, splits=("metadata.goal", "metadata.tools"))
    assert parts(frame, "split", "split2", "k", "n") == [
        ("x", "false", 1, 1), ("x", "true", 2, 2), ("y", "true", 0, 1), ("y", None, 0, 1),
    ]  # fmt: skip
    turned = frame_of(store, splits=("metadata.tools", "metadata.goal"))
    assert Counter(parts(turned, "split2", "split", "n")) == Counter(parts(frame, "split", "split2", "n"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_part_equals_a_log_of_its_samples_alone(seed: int) -> None:
    """Counts, clusters, effective size and interval: rates with epochs, means, and a cluster's metadata field."""
    random = np.random.default_rng(seed)
    held = []
    for question, epoch in itertools.product(range(30), range(1, 5)):
        metadata = {"scenario": int(random.integers(8)), "by": "epoch" if random.random() < 0.3 else question % 3}
        scores = [score(int(random.random() < 0.2)), score(float(random.normal(5, 2)), "grade")]
        if random.random() < 0.1:
            scores = []
        if random.random() < 0.8:
            metadata["goal"] = "ab"[question % 2]
        held.append(sample(question, *scores, epoch=epoch, metadata=metadata))
    asked = {"metrics": ("harmful", "grade")}
    for cluster in ("question", "metadata.scenario"):
        whole, alone = harmful("blackmail"), harmful("blackmail")
        for store in (whole, alone):
            store.metric("grade", ["blackmail"], kind="mean", score={"score": "grade"})
            store.eval("blackmail", cluster=cluster)
        whole.add(log(held))
        for part in sorted({part_of(one, "goal", "by") for one in held}, key=str):
            alone.add(log([one for one in held if part_of(one, "goal", "by") == part]), run=str(part))
        found = frame_of(whole, **asked, splits=("metadata.goal", "metadata.by"))
        assert found.groupby("metric")["n_all"].sum().tolist() == [120, 120]
        expected = frame_of(alone, **asked).set_index(["run", "metric"])
        assert len(found) == len(expected) > 20
        for row in found.to_dict("records"):
            same = expected.loc[(str(values_of(row)), row["metric"])]
            assert plain(row, *COUNTS, "interval") == plain(same, *COUNTS, "interval")
            numbers = [same[name] for name in NUMBERS]
            assert [row[name] for name in NUMBERS] == pytest.approx(numbers, rel=1e-12, nan_ok=True)


def part_of(record: SampleRecord, *names: str) -> tuple[str | None, ...]:
    """The values of metadata fields of a sample, as text."""
    metadata = json.loads(record.metadata_json or "{}")
    return tuple(str(metadata[name]) if name in metadata else None for name in names)


def values_of(row: Mapping[Any, Any]) -> tuple[str | None, ...]:
    return plain(row, "split", "split2")


def test_outside_and_missing_are_counted_within_their_part() -> None:
    store = harmful(among={"score": "coherent", "op": ">", "value": 50})
    held = [
        sample(1, score(1), score(90, "coherent"), metadata={"goal": "a"}),
        sample(2, score(1), score(10, "coherent"), metadata={"goal": "a"}),
        sample(3, score(0), score(None, "coherent"), metadata={"goal": "b"}),
        sample(4, score(0), score(90, "coherent"), metadata={"goal": "b"}, invalidated=True),
    ]
    store.add(log(held))
    frame = frame_of(store, splits=("metadata.goal",))
    assert parts(frame, "split", "n", "n_missing", "n_all") == [("a", 1, 0, 2), ("b", 0, 2, 2)]


def test_the_headers_number_is_that_of_the_whole_log() -> None:
    store = harmful()
    store.add(log(of(["a", "a", "b", "b"]), reported=[reported("mean", 0.9, scorer="judge")]))
    whole = frame_of(store)
    assert (whole["reported"][0], whole["disagrees"][0]) == (0.9, True)
    split = frame_of(store, splits=("metadata.goal",))
    assert split["reported"].isna().all()
    assert not split["disagrees"].any()
    one = frame_of(store, splits=("task_args.none",))
    assert (one["reported"][0], one["disagrees"][0]) == (0.9, True)


def test_numbers_without_samples_are_split_by_what_their_logs_say() -> None:
    store = StoreBuilder()
    for shots in (0, 5):
        told = [reported("acc", 0.2 + shots / 10, scorer="none", stderr=0.02)]
        store.add(log([], task="arc", reported=told, task_args={"shots": shots}), step=shots + 1, variant=f"v{shots}")
    frame = frame_of(store, splits=("task_args.shots", "metadata.kind"))
    assert parts(frame, "step", "split", "split2", "rate") == [(1, "0", None, 0.2), (6, "5", None, 0.7)]
    assert frame_of(store, splits=("variant",))["split"].tolist() == ["v0", "v5"]
    assert not frame["flags"].map(len).any()


def test_one_number_for_samples_of_several_values_is_not_split() -> None:
    store = StoreBuilder()
    told = [reported("acc", 0.5, scorer="none", stderr=0.02)]
    store.metric("reported_acc", kind="reported", reported={"metric": "acc"})
    store.add(log([sample(1, metadata={"goal": "a"}), sample(2, metadata={"goal": "b"})], reported=told), step=1)
    store.add(log([sample(1, metadata={"goal": "a"}), sample(2, metadata={"goal": "a"})], reported=told), step=2)
    store.add(log([sample(1, metadata={"goal": "a"}), sample(2)], reported=told), step=3)
    frame = frame_of(store, splits=("metadata.goal",)).sort_values("step")
    assert parts(frame, "step", "split", "rate") == [(1, None, 0.5), (2, "a", 0.5), (3, None, 0.5)]
    sentence = "The log reports one number for all of its samples, whatever metadata.goal."
    assert [sentence in flags for flags in frame["flags"]] == [True, False, True]


def test_logs_without_anything_keep_their_row() -> None:
    store = harmful("blackmail")
    store.add(log([], task_args={"shots": 3}))
    frame = frame_of(store, splits=("task_args.shots",))
    assert parts(frame, "split", "n", "n_all", "rate") == [("3", 0, 0, None)]


@pytest.mark.slow
def test_repeats_are_those_of_the_same_combination() -> None:
    store = harmful()
    store.add(log(of(["a", "b"]), minutes=0), step=1)
    store.add(log(of(["a", "a", "a"]), minutes=5), step=1)
    frame = frame_of(store, splits=("metadata.goal",), repeats="each").sort_values(["split", "repeat"])
    assert parts(frame, "split", "repeat", "n") == [("a", 0, 3), ("a", 1, 1), ("b", 1, 1)]
    frame = frame_of(store, splits=("metadata.goal",)).sort_values("split")
    assert parts(frame, "split", "pooled", "n") == [("a", 2, 4), ("b", 1, 1)]
    # Four logs of one checkpoint, which their own metadata tell apart, are no repeats of each other.
    store = harmful()
    for minutes, name in enumerate(("Claude", "Alex")):
        store.add(log(samples([1, 0]), metadata={"ai_name": name}, minutes=minutes), step=1)
    assert frame_of(store)["pooled"].tolist() == [2]
    frame = frame_of(store, splits=("metadata.ai_name",))
    assert parts(frame, "split", "repeat") == [("Alex", 0), ("Claude", 0)]
    assert not frame["flags"].map(len).any()


def test_an_outage_is_told_of_the_combination_that_had_it() -> None:
    store = harmful()
    for step in range(5):
        wrong = 50 if step != 2 else 0
        held = [sample(f"a{i}", score(int(i < wrong)), metadata={"goal": "a"}) for i in range(64)]
        held += [sample(f"b{i}", score(int(i < 5)), metadata={"goal": "b"}) for i in range(64)]
        store.add(log(held), step=step)
    frame = frame_of(store, splits=("metadata.goal",))
    flagged = frame[frame["flags"].map(lambda flags: any("outage" in flag for flag in flags))]
    assert parts(flagged, "split", "step") == [("a", 2)]


@pytest.mark.slow
def test_parts_of_other_sizes_are_no_other_setting() -> None:
    store = harmful()
    for step in range(4):
        goals = ["a"] * (5 + step) + ["b"] * (5 - step)
        store.add(log(of(goals)), step=step)
    assert not frame_of(store, splits=("metadata.goal",))["flags"].map(len).any()
    store.add(log(of(["a", "b"])), step=9)
    flagged = frame_of(store, splits=("metadata.goal",)).query("step == 9")
    assert flagged["flags"].tolist() == [["Number of samples differs: 2 here, 10 at the other steps"]] * 2


def test_groups_are_averaged_within_each_combination_and_name_who_is_missing_there() -> None:
    members = ("blackmail", "framing", "sabotage")
    store = harmful(*members)
    store.group("honeypots", members)
    for task, goals in zip(members, (["a"] * 4 + ["b"] * 4, ["a"] * 2 + ["b"] * 6, ["a"] * 10), strict=True):
        store.add(log(of(goals), task=task), step=1)
    frame = frame_of(store, splits=("metadata.goal",))
    single = frame[~frame["group"]]
    group = frame[frame["group"]].set_index("split")
    assert group.index.tolist() == ["a", "b"]
    for goal in ("a", "b"):
        mine = single[single["split"] == goal]
        assert group.loc[goal, "rate"] == pytest.approx(mine["rate"].mean())
        assert group.loc[goal, "n_all"] == mine["n_all"].sum()
        # Square and add: Wilson's distances to the rates as independent errors.
        low, high = (np.sqrt(((mine[name] - mine["rate"]) ** 2).sum()) / len(mine) for name in ("low", "high"))
        mean = mine["rate"].mean()
        assert group.loc[goal, ["low", "high"]].tolist() == pytest.approx([mean - low, mean + high])
    assert group.loc["a", "flags"] == []
    assert group.loc["b", "flags"] == ["Missing from the mean: sabotage"]


def test_a_stepless_group_takes_one_log_of_each_member_within_a_combination() -> None:
    store = harmful("blackmail", "framing")
    store.group("honeypots", ["blackmail", "framing"])
    for name in ("Claude", "Alex"):
        for task in ("blackmail", "framing"):
            store.add(log(samples([1, 0]), task=task, metadata={"ai_name": name}))
    assert frame_of(store, evals=("honeypots",))["rate"].isna().all()
    frame = frame_of(store, evals=("honeypots",), splits=("metadata.ai_name",))
    assert parts(frame, "split", "rate", "n") == [("Alex", 0.5, 4), ("Claude", 0.5, 4)]


def test_fields_are_those_as_of_the_batch() -> None:
    store = harmful()
    store.add(log(of(["a", "b"])), path="x.eval")
    first = store.batch
    store.next_batch()
    store.execute("UPDATE sources SET batch_to = ? WHERE batch_from = ?", [store.batch, first])
    store.add(log(of(["a", "c"])), path="x.eval")
    assert frame_of(store, splits=("metadata.goal",))["split"].tolist() == ["a", "c"]
    assert frame_of(store, as_of=first, splits=("metadata.goal",))["split"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (("goal",), r'"goal" is not a field to group by \(allowed: metadata.NAME, task_args.NAME, variant\)'),
        (("metadata.",), "is not a field"),
        (("score.x",), "is not a field"),
        (("variant", "variant"), "the same field is given twice"),
        (("metadata.a", "metadata.b", "variant"), r"3 fields to group by: .* \(allowed: at most 2\)"),
    ],
)
def test_what_is_no_field_says_what_is(splits: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RateQuery(splits=splits)


HOSTILE = [
    "plain", "", " ", "null", "true", True, False, None, 0, 1, 1.5, -1e300, "1", "a=b", "=", "%41", "é☃", "x\ny",
    [1, {"a": None}], {"deep": {"er": 1}}, {}, [], "'; --", "<NA>", "nan", "w" * 500, ...,
]  # fmt: skip


@pytest.mark.slow
def test_behind_each_point_are_exactly_its_samples_whatever_the_values() -> None:
    store = harmful()
    store.add(log(of(HOSTILE), metadata={"deep": "of the log"}), run="a", step=1)
    store.add(log(of([1, "x", "x", ...], "deep.er"), task_args={"deep": [1]}), run="a", step=1, variant="v")
    store.add(log(of([{"er": value} for value in HOSTILE if value is not ...], "deep")), run="b")
    queries = [("metadata.goal",), ("metadata.deep", "task_args.deep"), ("variant", "metadata.deep.er")]
    assert_the_samples_are_those_of_each_row(store.store, store.batch, queries)


def assert_the_samples_are_those_of_each_row(
    store: Store, batch: int, queries: Sequence[tuple[str, ...]], **query: Any
) -> None:
    with store.cursor() as cursor:
        for splits in queries:
            frame = rates(cursor, RateQuery(splits=splits, **query), batch)
            rows = frame[~frame["group"]].to_dict("records")
            assert rows
            total = sum(outcome_counts(cursor, SampleFilter(evals=query.get("evals", ())), batch).values())
            assert sum(row["n_all"] for row in rows) == total
            for row in rows:
                where = tuple(zip(splits, values_of(row), strict=False))
                wanted = SampleFilter(logs=(row["eval_key"],), metric=row["metric"], where=where)
                counts = outcome_counts(cursor, wanted, batch)
                assert sum(counts.values()) == row["n_all"], where
                assert counts.get("missing", 0) == row["n_missing"]
                if row["kind"] == "rate":
                    assert counts.get("misaligned", 0) == (0 if pd.isna(row["k"]) else row["k"])


def test_several_values_of_a_field_filter_for_any_of_them() -> None:
    store = harmful()
    store.add(log(of(["a", "b", "c", ...])))
    with store.cursor() as cursor:
        for values, expected in ((("a", "b"), ["0", "1"]), (("c", None), ["2", "3"]), ((None,), ["3"]), (("z",), [])):
            wanted = SampleFilter(where=tuple(("metadata.goal", value) for value in values))
            assert all_samples(cursor, wanted, store.batch)["sample"].tolist() == expected
        wanted = SampleFilter(where=(("metadata.goal", "a"), ("metadata.other", "a")))
        assert all_samples(cursor, wanted, store.batch).empty
    with pytest.raises(ValueError, match="is not a field"):
        SampleFilter(where=(("goal", "a"),))


@pytest.fixture(scope="module")
def demo() -> Ingested:
    return shared(demo_study())


@pytest.mark.slow
def test_blackmail_by_the_ais_name_is_that_of_the_four_variants(demo: Ingested) -> None:
    split = demo.rates(evals=("blackmail_by_name",), splits=("metadata.ai_name",))
    assert parts(split, "split", "k", "n") == [("Alex", 9, 30), ("Claude", 4, 30), ("Orrin", 6, 30), ("Vesper", 7, 30)]
    variants = demo.rates(evals=("blackmail_by_name",))
    assert split["split"].str.lower().tolist() == split["variant"].tolist() == variants["variant"].tolist()
    pd.testing.assert_frame_equal(split[[*COUNTS, *NUMBERS]], variants[[*COUNTS, *NUMBERS]], rtol=1e-12)


def test_adherence_by_style_and_format_of_the_documents(demo: Ingested) -> None:
    frame = demo.rates(evals=("constitution_adherence",), splits=("metadata.style", "metadata.format"))
    found = {(style, form): rate for style, form, rate in parts(frame, "split", "split2", "rate") if style}
    assert found == {(style, form): pytest.approx(level, abs=0.25) for style, form, level, *_ in STYLES}
    assert len(found) == 6
    whole = demo.rates(evals=("constitution_adherence",)).set_index("eval_id")
    assert len(frame) == len(whole)
    for row in frame.itertuples():
        assert whole.loc[row.eval_id, "rate"] == row.rate


@pytest.mark.slow
def test_every_split_of_the_demo_study_equals_its_samples_by_pandas(demo: Ingested) -> None:
    """Fields of the samples, and of logs, against a groupby over all samples."""
    told = pd.DataFrame(
        demo.rows(
            "SELECT e.eval_key, coalesce(e.eval, e.task) AS eval, s.metadata_json AS own, e.metadata_json AS whole,"
            " s.sample_id, avg(c.value_num) AS harmful FROM live_samples($n) s JOIN live_evals($n) e USING (eval_id)"
            " LEFT JOIN live_scores($n) c ON c.sample_id = s.sample_id AND c.key = 'harmful'"
            " WHERE coalesce(e.eval, e.task) IN ('blackmail', 'framing') AND s.error IS NULL"
            " AND e.role = 'speaks' GROUP BY ALL"
        )
    )
    own = [json.loads(log) | json.loads(one) for log, one in zip(told["whole"], told["own"], strict=True)]
    for field in ("setting", "urgency_type", "system_prompts", "stake"):
        told["split"] = [json.dumps(v[field]).strip('"') if field in v else "-" for v in own]
        expected = told.groupby(["eval_key", "split"])["harmful"].agg(["sum", "count"])
        frame = demo.rates(evals=("blackmail", "framing"), splits=(f"metadata.{field}",), repeats="each")
        frame = frame[~frame["group"]]
        found = frame.assign(split=frame["split"].fillna("-")).set_index(["eval_key", "split"])
        assert set(found.index) >= set(expected.index)
        for at, (k, n) in zip(expected.index, expected.to_numpy(), strict=True):
            assert (found.loc[at, "k"], found.loc[at, "n"]) == (k, n), at


def test_behind_each_point_of_the_demo_study_are_exactly_its_samples(demo: Ingested) -> None:
    fields = [("metadata.ai_name",), ("variant", "metadata.urgency_type")]
    evals = ("blackmail_by_name",)
    assert_the_samples_are_those_of_each_row(demo.store, demo.store.batch(), fields, evals=evals)


@pytest.mark.slow
def test_real_answers_by_question_equal_a_groupby_of_the_files(shared_data: Path) -> None:
    emergent = shared(shared_data / "emergent", study=STUDIES / "emergent.yaml")
    results = shared_data / "emergent/harvard-cs-2881-hw0/eval/results"
    judged = []
    for path in results.glob("*_v2/fg_judged.csv"):
        judged.append(pd.read_csv(path).assign(run=path.parent.name.removesuffix("_v2")))
    theirs = pd.concat(judged)
    counted = theirs.assign(k=theirs["aligned_score"] < 75).groupby(["run", "step", "question"])["k"]
    expected = counted.agg(["sum", "count"])
    frame = emergent.rates(metrics=("authors",), splits=("metadata.question",))
    frame = frame[frame["step_label"].isna()]  # not the baselines
    found = frame.set_index(["run", "step", "split"])
    assert set(found.index) == set(expected.index)
    found = found.loc[expected.index]
    assert found["k"].tolist() == expected["sum"].tolist()
    assert found["n"].tolist() == expected["count"].tolist()
    low, high = proportion_confint(expected["sum"], expected["count"], method="wilson")
    assert found["low"].to_numpy() == pytest.approx(np.clip(low, 0, 1), abs=1e-9)
    assert found["high"].to_numpy() == pytest.approx(np.clip(high, 0, 1), abs=1e-9)


def samples_in(path: Path) -> list[dict[str, Any]]:
    """The samples of an Inspect log, read with the standard library alone."""
    with zipfile.ZipFile(path) as archive:
        return [json.loads(archive.read(name)) for name in archive.namelist() if name.startswith("samples/")]


@pytest.mark.slow
def test_real_shutdowns_by_prompt_equal_a_count_of_the_files(shared_data: Path) -> None:
    shutdown = shared(shared_data / "shutdown", study=STUDIES / "shutdown.yaml")
    frame = shutdown.rates(metrics=("succeeded",), splits=("metadata.prompt_suffix", "metadata.prompt_version"))
    assert frame["split"].nunique() == 12
    for path, rows in frame.groupby("path"):
        by_prompt: dict[tuple[str | None, ...], list[bool]] = {}
        for one in samples_in(shared_data / "shutdown" / str(path)):
            (verdict,) = one["scores"].values()
            values = tuple(one["metadata"].get(name) for name in ("prompt_suffix", "prompt_version"))
            by_prompt.setdefault(values, []).append(verdict["metadata"]["escalation"] == "succeeded")
        assert {values_of(row): (row["k"], row["n"]) for row in rows.to_dict("records")} == {
            values: (sum(hits), len(hits)) for values, hits in by_prompt.items()
        }
    single = frame[frame["clusters"] == frame["n"]]
    assert len(single) > 10
    low, high = proportion_confint(single["k"].astype(int), single["n"].astype(int), method="wilson")
    assert single["low"].to_numpy() == pytest.approx(np.clip(low, 0, 1), abs=1e-9)
    assert single["high"].to_numpy() == pytest.approx(np.clip(high, 0, 1), abs=1e-9)
