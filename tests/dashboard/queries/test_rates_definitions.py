"""What counts as misaligned: every definition gives the counts that a plain recount of the samples gives."""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Sequence
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


Counts = tuple[int | None, ...]
"""k (None where n is 0), n, n_missing and n_all of one log under one definition."""


def counted_each(logs: Sequence[list[SampleRecord]], definitions: Sequence[dict[str, Any]]) -> list[list[Counts]]:
    """The counts of every log (outer list) under every definition: a store and a query for all of them."""
    store = StoreBuilder()
    names = [f"m{number}" for number in range(len(definitions))]
    for name, definition in zip(names, definitions, strict=True):
        store.metric(name, ["blackmail"], **definition)
    for step, held in enumerate(logs):
        store.add(log(held), step=step)
    with store.cursor() as cursor:
        frame = rates(cursor, RateQuery(metrics=tuple(names)), store.batch)
    found = {
        (row["step"], row["metric"]): tuple(row[name] for name in ("k", "n", "n_missing", "n_all"))
        for row in frame.to_dict("records")
    }
    assert len(found) == len(frame) == len(logs) * len(definitions)
    return [[found[step, name] for name in names] for step in range(len(logs))]


def counted(samples: list[SampleRecord], **definition: Any) -> Counts:
    """The counts of one log under one definition."""
    return counted_each([samples], [definition])[0][0]


HARMFUL = {"score": "judge", "op": "=", "value": 1}


def judged(**condition: Any) -> dict[str, Any]:
    """A definition by the judge's score."""
    return {"misaligned": {"score": "judge"} | condition}


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
    assert any("has no samples" in flag for flag in frame["flags"][2])


TEXT_SCORES = [
    ({"op": "=", "value": "succeeded"}, 1, 3),
    ({"op": "!=", "value": "succeeded"}, 2, 3),
    ({"op": "in", "value": ["succeeded", "fail"]}, 2, 3),
    ({"op": "not in", "value": ["succeeded", "fail"]}, 1, 3),
    ({"score": "jud*", "op": "=", "value": "fail"}, 1, 3),
    ({"score": "JUDGE", "op": "=", "value": "fail"}, None, 0),
    # A value of another type is unequal, and missing only where there is nothing to order.
    ({"op": "=", "value": 1}, 0, 3),
    ({"op": "not in", "value": [1, 2]}, 3, 3),
    ({"op": "<", "value": 1}, None, 0),
    ({"op": "in", "value": [1, "fail"]}, 1, 3),
]


def test_text_scores():
    held = samples(["succeeded", "fail", "none"])
    # A second scorer makes the definition apply even where the first is not what it asks for.
    held[0].scores.append(score(3, "JUDGE"))
    held[0].scores[-1].value_num = None
    (found,) = counted_each([held], [judged(**condition) for condition, _, _ in TEXT_SCORES])
    for (condition, k, n), counts in zip(TEXT_SCORES, found, strict=True):
        assert counts[:2] == (k, n), condition


def test_numbers_booleans_and_numeric_text_compare_as_numbers():
    ones, zeros = (1, 1.0, True, "1", "1.0"), (0, False, "0")
    logs = [samples([value]) for value in (*ones, *zeros)]
    found = counted_each(logs, [judged(op="=", value=wanted) for wanted in (1, True)])
    for value, counts in zip((*ones, *zeros), found, strict=True):
        k = int(value in ones)
        assert [one[:2] for one in counts] == [(k, 1), (k, 1)], value


def test_text_that_is_no_finite_number_is_missing_for_a_number():
    values = ["nan", "inf", "N", ""]
    found = counted_each([samples([value]) for value in values], [judged(op="<", value=75)])
    assert found == [[(None, 0, 1, 1)]] * len(values)


def test_what_stands_for_no_finite_number_is_missing_for_a_rule_of_numbers_alone():
    values = ["nan", "inf", "1e999", "N", "C", "I", "P", "", " "]
    rules = [judged(op=op, value=[0, 1] if "in" in op else 0) for op in ("=", "!=", "in", "not in")]
    found = counted_each([samples([value]) for value in values], rules)
    for value, counts in zip(values, found, strict=True):
        assert counts == [(None, 0, 1, 1)] * len(rules), value


OF_MIXED_TYPES = [
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
]


def test_a_value_of_another_type_is_unequal_and_not_missing():
    logs = [samples(["5", "1", "4", "REFUSAL", None]), samples([5, 1, 4, "REFUSAL", None])]
    for found in counted_each(logs, [judged(op=op, value=value) for op, value, _, _ in OF_MIXED_TYPES]):
        for (op, value, k, n), counts in zip(OF_MIXED_TYPES, found, strict=True):
            assert counts == (k, n, 5 - n, 5), (op, value)


def test_words_for_booleans_are_booleans():
    expected = [("True", 1), ("true", 1), (True, 1), ("YES", 1), (False, 0), ("x", 0)]
    (found,) = counted_each([samples([True, "YES", "NO", 7])], [judged(op="=", value=wanted) for wanted, _ in expected])
    for (wanted, k), counts in zip(expected, found, strict=True):
        assert counts[:2] == (k, 4), wanted


def test_metadata_of_mixed_types_follows_the_same_rule():
    expected = [(4, 2), ("4", 2), ("REFUSAL", 1), (True, 1), ("true", 1), ("x", 0)]
    held = samples([1, 1, 1, 1, 1, 1])
    for one, cell in zip(held, ["4", '"4"', '"REFUSAL"', "true", '["4"]', "null"], strict=True):
        one.metadata_json = f'{{"v": {cell}}}'
    rules = [{"misaligned": {"sample": "metadata.v", "op": "=", "value": wanted}} for wanted, _ in expected]
    (found,) = counted_each([held], rules)
    for (wanted, k), counts in zip(expected, found, strict=True):
        assert counts[:3] == (k, 5, 1), wanted


def test_keys_of_dict_scores():
    held = [
        sample(1, score(1, key="harmful"), score(0, key="classifier_verdict")),
        sample(2, score(0, key="harmful"), score(1, key="classifier_verdict")),
        sample(3, score(0, key="harmful"), score(1, key="classifier_verdict")),
    ]
    rules = [judged(op="=", value=1, key=key) for key in ("harmful", "classifier_verdict")]
    ((harmful, verdict),) = counted_each([held], rules)
    assert (harmful[:2], verdict[:2]) == ((1, 3), (2, 3))


def test_metadata_answer_and_explanation_of_a_score_are_within_reach():
    held = [
        sample(1, score(0, metadata={"escalation": "succeeded", "a": {"b/c": [7]}}, answer="yes", explanation="x")),
        sample(2, score(1, metadata={"escalation": "none", "a": {"b/c": [8]}}, answer="no", explanation="y")),
        sample(3, score(1)),
    ]

    expected = {
        ("metadata.escalation", "succeeded"): (1, 2, 1),
        ("metadata.a.b/c.0", 7): (1, 2, 1),
        ("answer", "yes"): (1, 2, 1),
        ("explanation", "y"): (1, 2, 1),
        ("reason", "z"): (None, 0, 3),
    }
    (found,) = counted_each([held], [judged(field=field, op="=", value=value) for field, value in expected])
    assert dict(zip(expected, (counts[:3] for counts in found), strict=True)) == expected


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

    expected = [
        # Having no limit is a fact, not a gap ...
        ("limit_type", "=", "token", (1, 2, 0)),
        ("limit_type", "!=", "token", (1, 2, 0)),
        # ... while text that isn't there is one.
        ("reply", "=", "I refuse", (1, 1, 1)),
        ("stop_reason", "=", "stop", (1, 1, 1)),
        ("target", "!=", "a", (0, 1, 1)),
        ("metadata.urgency", "in", ["high"], (1, 2, 0)),
    ]
    rules = [{"misaligned": {"sample": field, "op": op, "value": value}} for field, op, value, _ in expected]
    (found,) = counted_each([held], rules)
    for (field, op, _, wanted), counts in zip(expected, found, strict=True):
        assert counts[:3] == wanted, (field, op)


def two_scores(aligned: Any, coherent: Any, key: int) -> SampleRecord:
    return sample(key, score(aligned, "aligned"), score(coherent, "coherent"))


LOW = {"score": "aligned", "op": "<", "value": 30}
CLEAR = {"score": "coherent", "op": ">", "value": 50}


def test_the_threshold_and_the_denominator_make_the_finding():
    held = [two_scores(*pair, key=i) for i, pair in enumerate([(20, 80), (20, 40), (60, 80), (90, 80), (None, 90)])]
    rules: list[dict[str, Any]] = [
        {"misaligned": LOW | {"value": 75}},
        {"misaligned": {"all": [LOW, CLEAR]}},
        {"misaligned": LOW, "among": CLEAR},
        {"misaligned": LOW, "missing": {"score": "aligned", "op": "=", "value": 60}},
    ]
    higher, both, among, missing = counted_each([held], rules)[0]
    assert higher == (3, 4, 1, 5)
    assert both == (1, 4, 1, 5)
    # Among coherent answers: one fewer in the denominator, and it is outside, not missing.
    assert among == (1, 3, 1, 5)
    assert missing == (2, 3, 2, 5)


def test_a_sample_of_which_it_is_unknown_whether_it_belongs_is_missing():
    assert counted([two_scores(20, None, 1), two_scores(20, 80, 2)], misaligned=LOW, among=CLEAR) == (1, 1, 1, 2)


def test_three_valued_logic():
    """Neither sample is low; of one it is unknown whether it is clear, the other is."""
    expected: list[tuple[dict[str, Any], bool | None, bool | None]] = [
        ({"all": [LOW, CLEAR]}, False, False),
        ({"any": [LOW, CLEAR]}, None, True),
        ({"not": {"any": [LOW, CLEAR]}}, None, False),
        ({"all": [{"not": LOW}, CLEAR]}, None, True),
        ({"any": [{"not": LOW}, CLEAR]}, True, True),
    ]
    logs = [[two_scores(90, coherent, 1)] for coherent in (None, 80)]
    found = counted_each(logs, [{"misaligned": tree} for tree, _, _ in expected])
    for at, (tree, *outcomes) in enumerate(expected):
        for counts, outcome in zip(found, outcomes, strict=True):
            assert counts[at][:2] == ((None, 0) if outcome is None else (int(outcome), 1)), tree


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


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))])
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
