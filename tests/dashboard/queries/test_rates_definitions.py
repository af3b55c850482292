"""What counts as misaligned: every definition gives the counts that a plain recount of the samples gives."""

from __future__ import annotations

import math
import operator
import random
from typing import Any

import pytest

from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from loaders.records import SampleRecord, ScoreRecord
from loaders.study.conditions import from_json
from tests.builders import StoreBuilder, log, sample, samples, score


def counts(store: StoreBuilder, metric: str = "m", **query: Any) -> dict[str, Any]:
    """The only row of the rates, for one metric."""
    with store.cursor() as cursor:
        frame = rates(cursor, RateQuery(metrics=(metric,), **query), store.batch)
    assert len(frame) == 1
    return frame.iloc[0].to_dict()


def counted(samples: list[SampleRecord], **definition: Any) -> tuple[int | None, ...]:
    """k (None where n is 0), n, n_missing and n_all of one log under one definition."""
    store = StoreBuilder()
    store.metric("m", ["blackmail"], **definition)
    store.add(log(samples), step=1)
    row = counts(store)
    return tuple(row[name] for name in ("k", "n", "n_missing", "n_all"))


HARMFUL = {"score": "judge", "op": "=", "value": 1}


def test_errored_unscored_and_invalidated_samples_are_missing_not_aligned():
    held = [
        sample(1, score(1)),
        sample(2, score(0)),
        sample(3, score(None)),
        sample(4, score(math.nan)),
        sample(5),
        sample(6, score(0), error="timeout"),
        sample(7, score(0), invalidated=True),
    ]
    assert counted(held, misaligned=HARMFUL) == (1, 2, 5, 7)


def test_samples_scored_on_purpose_after_an_error_count():
    store = StoreBuilder()
    store.metric("m", misaligned=HARMFUL)
    held = [sample(1, score(1), error="gave up"), sample(2, score(0))]
    store.add(log(held, config={"score_on_error": True}), step=1)
    assert (counts(store)["k"], counts(store)["n"]) == (1, 2)


def test_a_sample_stopped_by_a_limit_counts_with_its_score():
    assert counted([sample(1, score(1), limit_type="message")], misaligned=HARMFUL) == (1, 1, 0, 1)


def test_nobody_misaligned_is_a_rate_of_zero_with_an_upper_bound():
    store = StoreBuilder()
    store.metric("m", misaligned=HARMFUL)
    store.add(log(samples([0] * 100)), step=1)
    row = counts(store)
    assert (row["k"], row["n"], row["rate"], row["low"]) == (0, 100, 0.0, 0.0)
    assert f"{row['high']:.4f}" == "0.0370"
    assert row["interval"] == "Wilson"


def test_no_outcome_at_all_is_a_missing_rate():
    store = StoreBuilder()
    store.metric("m", misaligned=HARMFUL)
    store.add(log(samples([1, 0])), step=1)
    store.add(log(samples([None, None, None])), step=2)
    store.add(log([]), step=3)
    with store.cursor() as cursor:
        frame = rates(cursor, RateQuery(metrics=("m",)), 1)
    assert frame["n"].tolist() == [2, 0, 0]
    assert frame["n_missing"].tolist() == [0, 3, 0]
    assert frame[["rate", "low", "high"]].iloc[1:].isna().all(axis=None)
    assert frame[["k", "interval"]].iloc[1:].isna().all(axis=None)
    assert any("None of the 3 samples" in flag for flag in frame["flags"][1])
    assert any("holds no samples" in flag for flag in frame["flags"][2])


@pytest.mark.parametrize(
    ("condition", "k", "n"),
    [
        ({"score": "judge", "op": "=", "value": "succeeded"}, 1, 3),
        ({"score": "judge", "op": "!=", "value": "succeeded"}, 2, 3),
        ({"score": "judge", "op": "in", "value": ["succeeded", "fail"]}, 2, 3),
        ({"score": "judge", "op": "not in", "value": ["succeeded", "fail"]}, 1, 3),
        ({"score": "jud*", "op": "=", "value": "fail"}, 1, 3),
        ({"score": "JUDGE", "op": "=", "value": "fail"}, None, 0),
        # A value of another type is unequal, and missing only where there is nothing to order.
        ({"score": "judge", "op": "=", "value": 1}, 0, 3),
        ({"score": "judge", "op": "not in", "value": [1, 2]}, 3, 3),
        ({"score": "judge", "op": "<", "value": 1}, None, 0),
        ({"score": "judge", "op": "in", "value": [1, "fail"]}, 1, 3),
    ],
)
def test_text_scores(condition, k, n):
    held = samples(["succeeded", "fail", "none"])
    # A second scorer makes the definition apply even where the first is not what it asks for.
    held[0].scores.append(score(3, "JUDGE"))
    held[0].scores[-1].value_num = None
    assert counted(held, misaligned=condition)[:2] == (k, n)


@pytest.mark.parametrize(
    ("value", "counts_as_one"),
    [(1, True), (1.0, True), (True, True), ("1", True), ("1.0", True), (0, False), (False, False), ("0", False)],
)
def test_numbers_booleans_and_numeric_text_compare_as_numbers(value, counts_as_one):
    for wanted in (1, True):
        condition = {"score": "judge", "op": "=", "value": wanted}
        assert counted(samples([value]), misaligned=condition)[:2] == (int(counts_as_one), 1)


@pytest.mark.parametrize("value", ["nan", "inf", "N", ""])
def test_text_that_is_no_finite_number_is_missing_for_a_number(value):
    assert counted(samples([value]), misaligned={"score": "judge", "op": "<", "value": 75}) == (None, 0, 1, 1)


@pytest.mark.parametrize("value", ["nan", "inf", "1e999", "N", "C", "I", "P", "", " "])
@pytest.mark.parametrize("op", ["=", "!=", "in", "not in"])
def test_what_stands_for_no_finite_number_is_missing_for_a_rule_of_numbers_alone(value, op):
    wanted = [0, 1] if "in" in op else 0
    assert counted(samples([value]), misaligned={"score": "judge", "op": op, "value": wanted}) == (None, 0, 1, 1)


@pytest.mark.parametrize(
    ("op", "value", "k", "n"),
    [
        ("=", "REFUSAL", 1, 4),
        ("!=", "REFUSAL", 3, 4),
        ("in", ["4", "5"], 2, 4),
        ("in", [4, 5], 2, 4),
        ("in", [4, 5, "REFUSAL"], 3, 4),
        ("not in", ["4", 5], 2, 4),
        ("=", "4", 1, 4),
        ("!=", 4, 3, 4),
        ("=", "4.0", 1, 4),
        ("=", True, 1, 4),  # 1 and true are one value
        (">=", 4, 2, 3),
    ],
)
@pytest.mark.parametrize("as_text", [False, True])
def test_a_value_of_another_type_is_unequal_and_not_missing(op, value, k, n, as_text):
    held = samples(["5", "1", "4", "REFUSAL", None] if as_text else [5, 1, 4, "REFUSAL", None])
    counts = counted(held, misaligned={"score": "judge", "op": op, "value": value})
    assert counts == (k, n, 5 - n, 5)


@pytest.mark.parametrize(("wanted", "k"), [("True", 1), ("true", 1), (True, 1), ("YES", 1), (False, 0), ("x", 0)])
def test_words_for_booleans_are_booleans(wanted, k):
    held = samples([True, "YES", "NO", 7])
    assert counted(held, misaligned={"score": "judge", "op": "=", "value": wanted})[:2] == (k, 4)


@pytest.mark.parametrize(("wanted", "k"), [(4, 2), ("4", 2), ("REFUSAL", 1), (True, 1), ("true", 1), ("x", 0)])
def test_metadata_of_mixed_types_follows_the_same_rule(wanted, k):
    held = samples([1, 1, 1, 1, 1, 1])
    for one, cell in zip(held, ["4", '"4"', '"REFUSAL"', "true", '["4"]', "null"], strict=True):
        one.metadata_json = f'{{"v": {cell}}}'
    rule = {"sample": "metadata.v", "op": "=", "value": wanted}
    assert counted(held, misaligned=rule)[:3] == (k, 5, 1)


def test_keys_of_dict_scores():
    held = [
        sample(1, score(1, key="harmful"), score(0, key="classifier_verdict")),
        sample(2, score(0, key="harmful"), score(1, key="classifier_verdict")),
        sample(3, score(0, key="harmful"), score(1, key="classifier_verdict")),
    ]
    assert counted(held, misaligned=HARMFUL | {"key": "harmful"})[:2] == (1, 3)
    assert counted(held, misaligned=HARMFUL | {"key": "classifier_verdict"})[:2] == (2, 3)


def test_metadata_answer_and_explanation_of_a_score_are_within_reach():
    held = [
        sample(1, score(0, metadata={"escalation": "succeeded", "a": {"b/c": [7]}}, answer="yes", explanation="x")),
        sample(2, score(1, metadata={"escalation": "none", "a": {"b/c": [8]}}, answer="no", explanation="y")),
        sample(3, score(1)),
    ]

    def test(field: str, value: Any) -> tuple[int, ...]:
        return counted(held, misaligned={"score": "judge", "field": field, "op": "=", "value": value})[:3]

    assert test("metadata.escalation", "succeeded") == (1, 2, 1)
    assert test("metadata.a.b/c.0", 7) == (1, 2, 1)
    assert test("answer", "yes") == (1, 2, 1)
    assert test("explanation", "y") == (1, 2, 1)
    assert test("reason", "z") == (None, 0, 3)


def test_metadata_booleans_and_numbers():
    held = [
        sample(1, score(0, metadata={"x": True})),
        sample(2, score(0, metadata={"x": 0})),
        sample(3, score(0, metadata={"x": None})),
        sample(4, score(0, metadata={"x": [1]})),
    ]
    condition = {"score": "judge", "field": "metadata.x", "op": "=", "value": True}
    assert counted(held, misaligned=condition) == (1, 3, 1, 4)  # a list is another type


def test_fields_of_the_sample():
    held = [
        sample(1, score(1), limit_type="token", reply="I refuse", metadata={"urgency": "high"}),
        sample(2, score(1), stop_reason="stop", target="a", metadata={"urgency": "low"}),
    ]

    def test(field: str, op: str, value: Any) -> tuple[int, ...]:
        return counted(held, misaligned={"sample": field, "op": op, "value": value})[:3]

    # Having no limit is a fact, not a gap ...
    assert test("limit_type", "=", "token") == (1, 2, 0)
    assert test("limit_type", "!=", "token") == (1, 2, 0)
    # ... while text that isn't there is one.
    assert test("reply", "=", "I refuse") == (1, 1, 1)
    assert test("stop_reason", "=", "stop") == (1, 1, 1)
    assert test("target", "!=", "a") == (0, 1, 1)
    assert test("metadata.urgency", "in", ["high"]) == (1, 2, 0)


def two_scores(aligned: Any, coherent: Any, key: int) -> SampleRecord:
    return sample(key, score(aligned, "aligned"), score(coherent, "coherent"))


LOW = {"score": "aligned", "op": "<", "value": 30}
CLEAR = {"score": "coherent", "op": ">", "value": 50}


def test_the_threshold_and_the_denominator_make_the_finding():
    held = [two_scores(*pair, key=i) for i, pair in enumerate([(20, 80), (20, 40), (60, 80), (90, 80), (None, 90)])]
    assert counted(held, misaligned=LOW | {"value": 75}) == (3, 4, 1, 5)
    assert counted(held, misaligned={"all": [LOW, CLEAR]}) == (1, 4, 1, 5)
    # Among coherent answers: one fewer in the denominator, and it is outside, not missing.
    assert counted(held, misaligned=LOW, among=CLEAR) == (1, 3, 1, 5)
    assert counted(held, misaligned=LOW, missing={"score": "aligned", "op": "=", "value": 60}) == (2, 3, 2, 5)


def test_a_sample_of_which_it_is_unknown_whether_it_belongs_is_missing():
    assert counted([two_scores(20, None, 1), two_scores(20, 80, 2)], misaligned=LOW, among=CLEAR) == (1, 1, 1, 2)


@pytest.mark.parametrize(
    ("tree", "unknown", "clear"),
    [
        ({"all": [LOW, CLEAR]}, False, False),
        ({"any": [LOW, CLEAR]}, None, True),
        ({"not": {"any": [LOW, CLEAR]}}, None, False),
        ({"all": [{"not": LOW}, CLEAR]}, None, True),
        ({"any": [{"not": LOW}, CLEAR]}, True, True),
    ],
)
def test_three_valued_logic(tree, unknown, clear):
    """Neither sample is low; of one it is unknown whether it is clear, the other is."""
    for coherent, expected in ((None, unknown), (80, clear)):
        k, n = counted([two_scores(90, coherent, 1)], misaligned=tree)[:2]
        assert (k, n) == ((None, 0) if expected is None else (int(expected), 1))


def test_of_several_scores_that_match_one_is_enough():
    held = [
        sample(1, score(1, "judge_a"), score(0, "judge_b")),
        sample(2, score(0, "judge_a"), score(0, "judge_b")),
        sample(3, score(1, "judge_a"), score(None, "judge_b")),
        sample(4, score(0, "judge_a"), score(None, "judge_b")),
    ]
    assert counted(held, misaligned={"score": "judge_*", "op": "=", "value": 1}) == (2, 3, 1, 4)


def test_values_are_data_and_never_sql():
    nasty = "x' OR 1=1 --"
    held = samples([nasty, "y"])
    assert counted(held, misaligned={"score": "judge", "op": "=", "value": nasty})[:2] == (1, 2)
    named = [sample(1, score(1, nasty, metadata={nasty: 1}))]
    condition = {"score": nasty, "field": f"metadata.{nasty.replace(' ', '_')}", "op": "=", "value": 1}
    assert counted(named, misaligned=condition)[:3] == (None, 0, 1)


COMPARE = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def holds(tree: dict[str, Any], scores: list[ScoreRecord]) -> bool | None:
    """A plain evaluation of a condition on scores, three-valued, to compare with."""
    if "not" in tree:
        inner = holds(tree["not"], scores)
        return None if inner is None else not inner
    for word, decisive in (("all", False), ("any", True)):
        if word in tree:
            parts = [holds(part, scores) for part in tree[word]]
            return decisive if decisive in parts else None if None in parts else not decisive
    results = []
    for one in scores:
        if one.scorer != tree["score"]:
            continue
        number = one.value_num
        if number is None and one.value_text is not None:
            try:
                number = float(one.value_text)
            except ValueError:
                number = None
        wanted, op = tree["value"], tree["op"]
        if op in COMPARE and op not in ("=", "!="):
            results.append(None if number is None else COMPARE[op](number, wanted))
            continue
        members = wanted if isinstance(wanted, list) else [wanted]
        numbers_alone = not any(isinstance(w, str) for w in members)
        if (number is None and one.value_text is None) or (numbers_alone and one.value_text in ("C", "N")):
            results.append(None)
        else:
            results.append(any(v in members for v in (number, one.value_text)) == (op in ("=", "in")))
    if True in results:
        return True
    return None if None in results or not results else False


def random_tree(rng: random.Random, depth: int = 3) -> dict[str, Any]:
    kind = rng.choice(["all", "any", "not", "test", "test"]) if depth else "test"
    if kind in ("all", "any"):
        return {kind: [random_tree(rng, depth - 1) for _ in range(rng.randint(1, 3))]}
    if kind == "not":
        return {"not": random_tree(rng, depth - 1)}
    test = {"score": rng.choice("ab")}
    op = rng.choice(["=", "!=", "<", "<=", ">", ">=", "in", "not in"])
    if op in ("in", "not in"):
        return test | {"op": op, "value": rng.sample([0, 1, 2, "C", "N"], 2)}
    value = rng.choice([0, 1, 2]) if op in ("<", "<=", ">", ">=") else rng.choice([0, 1, 2, "C", "N"])
    return test | {"op": op, "value": value}


@pytest.mark.parametrize("seed", range(12))
def test_every_rate_equals_a_plain_recount(seed):
    rng = random.Random(seed)
    store = StoreBuilder()
    trees = {f"m{i}": (random_tree(rng), random_tree(rng) if i % 2 else None) for i in range(8)}
    for name, (misaligned, among) in trees.items():
        from_json(misaligned)
        store.metric(name, ["task"], misaligned=misaligned, among=among)
    logs: dict[int, list[SampleRecord]] = {}
    for _ in range(3):
        held = []
        for question in range(10):
            for epoch in (1, 2, 3):
                values = [(s, rng.choice([0, 1, 2, "C", "N", "2", None, True, math.nan])) for s in "aabb"]
                chosen = [score(v, s) for s, v in values if rng.random() < 0.6]
                error = "broken" if rng.random() < 0.1 else None
                held.append(sample(question, *chosen, epoch=epoch, error=error))
        eval_id = store.add(log(held, task="task"), step=rng.randint(1, 1000))
        logs[eval_id] = held
    with store.cursor() as cursor:
        frame = rates(cursor, RateQuery(metrics=tuple(trees)), 1)
    for row in frame.itertuples():
        misaligned, among = trees[row.metric]
        k = n = missing = 0
        for one in logs[row.eval_id]:
            inside = True if among is None else holds(among, one.scores)
            outcome = holds(misaligned, one.scores)
            if one.error or inside is None or (inside and outcome is None):
                missing += 1
            elif inside:
                n += 1
                k += bool(outcome)
        assert (row.n, row.n_missing, row.n_all) == (n, missing, 30), row.definition
        if n:
            assert row.k == k
            assert row.rate == pytest.approx(k / n)
    assert frame["n"].sum() > 0
    assert frame["n_missing"].sum() > 0
