"""Which card speaks of a log: the nearest and most specific; two of the same rank that differ are reported."""

from __future__ import annotations

import pytest

from loaders.study.evidence import EvalEvidence, Placement
from loaders.study.placement import place
from loaders.study.reading import parse_study
from loaders.study.tree import CardTree
from tests.study_trees import tree


def at(path: str, cards: CardTree) -> Placement:
    return place(EvalEvidence(eval_id=1, path=path, task="t"), cards)


NESTED = {
    "run.yaml": "name: top\nstage: pretrain",
    "sdf/run.yaml": "name: sdf\nstep: 400",
    "sdf/rl/run.yaml": "name: rl",
}


@pytest.mark.parametrize(
    ("path", "run", "step", "stage"),
    [
        ("x.eval", "top", None, "pretrain"),
        ("other/deep/x.eval", "top", None, "pretrain"),
        ("sdf/x.eval", "sdf", 400, None),
        ("sdf/logs/x.eval", "sdf", 400, None),
        ("sdf/rl/x.eval", "rl", None, None),
        ("sdf2/x.eval", "top", None, "pretrain"),
    ],
)
def test_the_nearest_card_and_nothing_of_those_above(path: str, run: str, step: int | None, stage: str | None) -> None:
    placement = at(path, tree(NESTED))
    assert (placement.run, placement.step, placement.stage, placement.conflicts) == (run, step, stage, [])


def test_a_card_without_a_name_adds_to_the_named_one_around_it() -> None:
    cards = tree(
        {"sdf/run.yaml": "name: sdf\nmix: documents\nstage: sdf", "sdf/late/run.yaml": "step: final\nstage: rl"}
    )
    placement = at("sdf/late/x.eval", cards)
    assert (placement.run, placement.step_label, placement.mix, placement.stage) == ("sdf", "final", "documents", "rl")
    assert placement.run_rule == "run card sdf/run.yaml"
    assert placement.step_rule == "run card sdf/late/run.yaml"


def test_a_card_without_any_name_around_takes_its_folders() -> None:
    cards = tree({"sdf/run.yaml": "stage: sdf", "run.yaml": "notes: all of it"}, root="/home/me/project")
    assert at("sdf/logs/x.eval", cards).run == "sdf"
    assert at("sdf/logs/x.eval", cards).run_rule == "folder of run card sdf/run.yaml"
    assert at("sdf/logs/x.eval", cards).placed
    assert at("sdf/org-run-step_5.json", cards).run == "org-run"
    assert at("other/x.eval", cards).run == "project"


def test_globs_of_a_card_are_relative_to_its_folder() -> None:
    card = "name: r\nlogs:\n  - {match: '*a.eval', step: 1}\n  - {match: 'sub/*.eval', step: 2, variant: v}"
    cards = tree({"r/run.yaml": card})
    assert [at(path, cards).step for path in ("r/a.eval", "r/sub/a.eval", "r/sub/sub/a.eval", "a.eval")] == [
        1,
        2,
        None,
        None,
    ]
    assert at("r/sub/x.eval", cards).variant == "v"
    assert at("r/sub/x.eval", cards).step_rule == "run card r/run.yaml, logs[1]"


def test_a_pattern_is_an_exception_to_its_folders_own_step() -> None:
    placement = at("r/a.eval", tree({"r/run.yaml": "name: r\nstep: 400\nlogs: [{match: a.eval, step: 1}]"}))
    assert (placement.step, placement.conflicts) == (1, [])


def test_two_patterns_of_one_rank_that_differ_are_reported() -> None:
    study = "logs:\n  - {match: '*.eval', run: a, step: 1}\n  - {match: 'x*', run: b, step: 1}"
    placement = at("x.eval", tree(studies={"study.yaml": study}))
    (conflict,) = placement.conflicts
    assert (conflict.field, placement.run) == ("run", "a")
    assert conflict.candidates == [
        ("run card study.yaml, logs[0]", "a"),
        ("run card study.yaml, logs[1]", "b"),
    ]


def test_the_more_specific_pattern_wins_and_the_others_fill_in() -> None:
    study = (
        "logs:\n  - {match: '**/*.eval', run: rest, mix: m}\n  - {match: 'rl/*.eval', run: rl}\n"
        "  - {match: rl/x.eval, step: 10}"
    )
    placement = at("rl/x.eval", tree(studies={"study.yaml": study}))
    assert (placement.run, placement.step, placement.mix, placement.conflicts) == ("rl", 10, "m", [])


def test_cards_in_a_study_file() -> None:
    study = (
        "runs:\n  - {match: 'models/1b_medical_v2/**', name: medical, stage: sft, step: 7}\n"
        "  - {match: 'models/1b_risky_v2', name: risky, logs: [{match: 'models/1b_risky_v2/a.eval', step: 3}]}"
    )
    cards = tree(studies={"in/study.yaml": study})
    medical = at("in/models/1b_medical_v2/deep/x.eval", cards)
    assert (medical.run, medical.step, medical.stage) == ("medical", 7, "sft")
    assert medical.run_rule == "run card in/study.yaml, runs[0]"
    assert (at("in/models/1b_risky_v2/a.eval", cards).run, at("in/models/1b_risky_v2/a.eval", cards).step) == (
        "risky",
        3,
    )
    assert at("models/1b_medical_v2/x.eval", cards).placed is False


def test_a_card_in_the_folder_and_one_for_the_folder_contradict_each_other() -> None:
    cards = tree({"r/run.yaml": "name: here"}, {"study.yaml": "runs: [{match: 'r/**', name: there}]"})
    (conflict,) = at("r/x.eval", cards).conflicts
    assert conflict.candidates == [("run card study.yaml, runs[0]", "there"), ("run card r/run.yaml", "here")]
    same = tree({"r/run.yaml": "name: here"}, {"study.yaml": "runs: [{match: 'r/**', name: here}]"})
    assert at("r/x.eval", same).conflicts == []


def test_cards_name_their_folders_and_what_their_patterns_say_but_not_the_model() -> None:
    by_folder = tree({"run7/run.yaml": "name: advice"})
    assert at("run7/step_5/x.eval", by_folder).conflicts == []
    by_pattern = tree(studies={"study.yaml": "runs: [{match: '**/run7-*', name: advice}]"})
    assert at("logs/run7-step5.json", by_pattern).conflicts == []
    assert [each.field for each in at("run7/other-step5.json", by_folder).conflicts] == ["run"]
    log = EvalEvidence(eval_id=1, path="run7/x.eval", task="t", model="org/refusals-ckpt-5")
    assert [each.field for each in place(log, by_folder).conflicts] == ["run"]


def test_mix_and_stage_that_disagree_are_reported() -> None:
    log = EvalEvidence(eval_id=1, path="x.eval", task="t", metadata={"mix": "a", "stage": "rl"})
    placement = place(log, tree({"run.yaml": "name: r\nmix: b\nstage: sft"}))
    assert (placement.mix, placement.stage) == ("a", "rl")
    assert [(each.field, each.candidates) for each in placement.conflicts] == [
        ("mix", [("metadata.mix", "a"), ("run card run.yaml", "b")]),
        ("stage", [("metadata.stage", "rl"), ("run card run.yaml", "sft")]),
    ]


def test_cards_above_the_root() -> None:
    cards = {
        "../run.yaml": "name: above\nlogs:\n  - {match: 'logs/*a.eval', step: 1}",
        "../../run.yaml": "name: far",
    }
    assert at("x.eval", tree(cards)).run == "above"
    assert at("a.eval", tree(cards, root="/home/me/r/logs")).step == 1
    assert at("a.eval", tree(cards, root="/home/me/r/other")).step is None
    assert at("sub/x.eval", tree({**cards, "sub/run.yaml": "name: sub"})).run == "sub"


def test_a_study_that_was_given_comes_before_the_one_at_the_root() -> None:
    given = ("study.yaml", parse_study("evals: {mine: {task: t}}", "given"))
    own = ("study.yaml", parse_study("evals: {own: {task: t}}", "own"))
    assert at("x.eval", CardTree([], [given, own])).eval == "mine"


@pytest.mark.parametrize(
    ("card", "tokens"),
    [
        ("step: 100", None),
        ("step: 100\ntokens_per_step: 7500", 750_000),
        ("step: 100\ntokens_per_step: 7500\ncheckpoints: [{step: 100, tokens: 5}]", 5),
        ("step: 100\ntokens_per_step: 7500\ncheckpoints: [{step: 100}]", 750_000),
        ("step: 0\ntokens_per_step: 7500", 0),
        ("step: final\ntokens_per_step: 7500", None),
        ("step: final\ncheckpoints: [{step: final, tokens: 9}]", 9),
        ("tokens_per_step: 7500", None),
        ("checkpoints: [{step: final, tokens: 9}]", None),
    ],
)
def test_tokens_of_a_checkpoint(card: str, tokens: float | None) -> None:
    assert at("x.eval", tree({"run.yaml": f"name: r\n{card}"})).tokens == tokens


def test_tables_of_the_nearest_study_and_the_path_as_it_sees_it() -> None:
    study = "tables: [{match: 'results/*.csv', eval: %s}]"
    cards = tree(studies={"study.yaml": study % "outer", "in/study.yaml": study % "inner"})
    found = cards.table_for("in/results/a.csv")
    assert found is not None
    assert (found[0].eval, found[1]) == ("inner", "results/a.csv")
    outer = cards.table_for("results/a.csv")
    assert outer is not None
    assert (outer[0].eval, outer[1]) == ("outer", "results/a.csv")
    assert cards.table_for("other/a.csv") is None


def test_checkpoints_that_cards_tell_of() -> None:
    cards = tree(
        {
            "sdf/run.yaml": "checkpoints: [{step: 100, tokens: 5}]",
            "a/run.yaml": "name: b\ncheckpoints: [{step: final}]",
        },
        {"study.yaml": "runs: [{match: x, name: c, checkpoints: [{step: 1}]}]"},
    )
    told = [(path, run, each.step, each.label, each.tokens) for path, run, each in cards.told_checkpoints()]
    assert told == [
        ("study.yaml", "c", 1, None, None),
        ("sdf/run.yaml", "sdf", 100, None, 5),
        ("a/run.yaml", "b", None, "final", None),
    ]
