"""Runs and their lineage: every run of a card or a log once, offsets along the tree, what can't be reported."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from loaders.store import Store
from loaders.study.evidence import Conflict, EvalEvidence, Placement, RunRow
from loaders.study.lineage import _natural, offsets
from loaders.study.lineage import runs_of as runs_and_conflicts
from loaders.study.placement import place
from loaders.study.tree import CardTree
from tests.study_trees import tree


def runs_of(
    cards: CardTree, *paths: str, facts: dict[str, Any] | None = None
) -> tuple[dict[str, RunRow], list[Conflict]]:
    logs = [place(EvalEvidence(eval_id=i, path=path, task="t", **(facts or {})), cards) for i, path in enumerate(paths)]
    rows, conflicts = runs_and_conflicts([cards], logs)
    assert [row.position for row in rows] == list(range(len(rows)))
    return {row.run: row for row in rows}, conflicts


FAMILY = {
    "sdf/run.yaml": "name: sdf\nstage: sdf",
    "sft/run.yaml": "name: sft\nstage: sft\nparent: sdf@400",
    **{f"rl{i}/run.yaml": f"name: rl{i}\nstage: rl\nparent: {{run: sft, step: {i * 100}}}" for i in range(1, 5)},
}


def test_a_tree_of_runs_is_one_lineage() -> None:
    logs = ["sdf/step_400/x.eval", "sft/step_900/x.eval", "rl1/step_5/x.eval"]
    rows, conflicts = runs_of(tree(FAMILY), *logs)
    assert conflicts == []
    assert list(rows) == ["sdf", "sft", "rl1", "rl2", "rl3", "rl4"]
    assert [row.lineage_offset for row in rows.values()] == [0, 400, 500, 600, 700, 800]
    assert [(row.parent_run, row.parent_step) for row in rows.values()][:3] == [
        (None, None),
        ("sdf", 400),
        ("sft", 100),
    ]
    assert [row.stage for row in rows.values()][:3] == ["sdf", "sft", "rl"]


def test_the_order_of_runs_does_not_matter_for_offsets() -> None:
    rows, _ = runs_of(tree(dict(reversed(FAMILY.items()))))
    assert {run: row.lineage_offset for run, row in rows.items()} == {
        "sdf": 0, "sft": 400, "rl1": 500, "rl2": 600, "rl3": 700, "rl4": 800,
    }  # fmt: skip


def test_circles_are_reported_once_and_have_no_offset() -> None:
    cards = {
        "a/run.yaml": "name: a\nparent: b@1",
        "b/run.yaml": "name: b\nparent: c@2",
        "c/run.yaml": "name: c\nparent: a@3",
        "d/run.yaml": "name: d\nparent: a@4",
        "e/run.yaml": "name: e\nparent: e@1",
    }
    rows, conflicts = runs_of(tree(cards))
    assert {run: row.lineage_offset for run, row in rows.items()} == dict.fromkeys("abcde")
    assert [each.kind for each in conflicts] == ["lineage", "lineage"]
    assert conflicts[0].message == "run a: its parents run in a circle: a from b from c from a."
    assert conflicts[1].message == "run e: its parents run in a circle: e from e."
    assert conflicts[0].candidates == [("run card a/run.yaml", "b@1")]


def test_unknown_parents_are_reported_with_the_nearest_name() -> None:
    cards = {
        "a/run.yaml": "name: sft\nparent: sdff@1",
        "b/run.yaml": "name: sdf",
        "c/run.yaml": "name: rl\nparent: sft@1",
    }
    rows, conflicts = runs_of(tree(cards))
    assert (rows["sft"].parent_run, rows["sft"].parent_step) == ("sdff", 1)
    assert (rows["sft"].lineage_offset, rows["rl"].lineage_offset) == (None, None)
    (conflict,) = conflicts
    assert conflict.message == (
        "run sft: its parent sdff is no run that is known from a card or a log; did you mean sdf?"
    )
    assert conflict.field == "parent"


def test_a_parent_that_only_its_logs_know_is_known() -> None:
    rows, conflicts = runs_of(tree({"a/run.yaml": "name: a\nparent: base@5"}), "base/step_5/x.eval")
    assert (rows["a"].lineage_offset, conflicts) == (5, [])


def test_a_parent_step_beyond_the_last_known_one_is_reported() -> None:
    cards = tree({"sdf/run.yaml": "name: sdf", "a/run.yaml": "name: a\nparent: sdf@500"})
    _, conflicts = runs_of(cards, "sdf/step_400/x.eval")
    (conflict,) = conflicts
    assert conflict.message == "run a: its parent step 500 is beyond sdf's last known step 400."
    assert conflict.candidates == [("run card a/run.yaml", "sdf@500"), ("last known step of sdf", "400")]
    _, conflicts = runs_of(cards, "sdf/step_400/x.eval", "sdf/step_600/x.eval")
    assert conflicts == []
    _, conflicts = runs_of(cards)
    assert conflicts == []
    told = tree({"sdf/run.yaml": "name: sdf\ncheckpoints: [{step: 500}]", "a/run.yaml": "name: a\nparent: sdf@500"})
    assert runs_of(told, "sdf/step_400/x.eval")[1] == []


def test_a_parent_without_a_step_leaves_the_offset_unknown() -> None:
    rows, conflicts = runs_of(tree({"a/run.yaml": "name: a\nparent: b", "b/run.yaml": "name: b"}))
    assert (rows["a"].lineage_offset, rows["b"].lineage_offset, conflicts) == (None, 0, [])


def test_offsets_of_a_very_long_lineage() -> None:
    rows = [RunRow(run="0"), *(RunRow(run=str(i), parent_run=str(i - 1), parent_step=1) for i in range(1, 3000))]
    assert offsets(rows[::-1])["2999"] == 2999


def test_everything_a_card_tells_is_in_the_row() -> None:
    card = """
name: advice
label: Difficult advice
base_model: llama
weights: model
stage: sft
section: mixes
mix: {name: m, components: [{name: a, kind: k, tokens: 3e6, share: 0.5}, {name: b, tokens: 1e6}]}
seed: 0
colour: "#0072B2"
links: {log: "https://example.org"}
notes: some
"""
    row = runs_of(tree({"x/run.yaml": card}))[0]["advice"]
    assert msgspec.structs.asdict(row) == {
        "run": "advice", "label": "Difficult advice", "base_model": "llama", "weights": "x/model",
        "parent_run": None, "parent_step": None, "stage": "sft", "section": "mixes",
        "mix": "m", "mix_json": row.mix_json, "mix_tokens": 4e6, "seed": 0, "colour": "#0072B2",
        "links_json": row.links_json, "notes": "some", "card": "x/run.yaml", "lineage_offset": 0, "position": 0,
    }  # fmt: skip
    assert json.loads(row.links_json or "") == {"log": "https://example.org"}
    assert json.loads(row.mix_json or "")["components"][0] == {"name": "a", "kind": "k", "tokens": 3e6, "share": 0.5}


def test_rows_are_the_columns_of_the_store() -> None:
    with Store.open(":memory:").cursor() as cursor:
        names = [row[0] for row in cursor.execute("DESCRIBE runs").fetchall()]
    assert {*RunRow.__struct_fields__, "batch_from", "batch_to"} == set(names)


def test_tokens_of_a_mix_are_unknown_unless_every_part_tells_them() -> None:
    card = "name: r\nmix: {components: [{name: a, tokens: 5}, {name: b}]}"
    assert runs_of(tree({"run.yaml": card}))[0]["r"].mix_tokens is None
    assert runs_of(tree({"run.yaml": "name: r\nmix: m"}))[0]["r"].mix_tokens is None


def test_runs_that_only_logs_know_come_after_the_cards_and_unplaced_ones_last() -> None:
    cards = tree({"z/run.yaml": "name: z"}, {"study.yaml": "runs: [{match: y, name: y}]"})
    rows, _ = runs_of(cards, "run10/step_1/x.eval", "run2/step_1/x.eval", "alone.eval", "z/step_1/x.eval")
    assert list(rows) == ["y", "z", "run2", "run10", "alone"]
    assert rows["run2"] == RunRow(run="run2", label="run2", lineage_offset=0, position=2)


def test_mix_and_stage_that_all_logs_of_a_run_agree_on() -> None:
    rows, _ = runs_of(tree(), "r/step_1/x.eval", "r/step_2/x.eval", facts={"metadata": {"mix": "m", "stage": "rl"}})
    assert (rows["r"].mix, rows["r"].stage) == ("m", "rl")
    assert rows["r"].section is None
    logs = [Placement(run="r", eval="t", mix=mix) for mix in ("a", "b")]
    assert runs_and_conflicts([], logs)[0][0].mix is None


@pytest.mark.parametrize(
    ("facts", "section"),
    [
        ({"tags": ["x", "section=advice", "step: 5"]}, "advice"),
        ({"metadata": {"section": "advice"}}, "advice"),
        ({"metadata": {"driftline": {"section": "advice"}}}, "advice"),
        ({"task_args": {"section": "algebra"}, "model_args": {"section": "a"}}, None),
        ({"metadata": {"section": True}, "tags": ["section"]}, None),
    ],
)
def test_the_section_of_a_run_is_what_its_logs_state_where_no_card_says_one(
    facts: dict[str, Any], section: str | None
) -> None:
    rows, _ = runs_of(tree(), "r/step_1/x.eval", facts=facts)
    assert rows["r"].section == section
    carded, conflicts = runs_of(tree({"r/run.yaml": "name: r\nsection: other"}), "r/step_1/x.eval", facts=facts)
    assert (carded["r"].section, conflicts) == ("other", [])


def test_a_card_without_a_name_gives_its_facts_to_the_runs_of_its_logs() -> None:
    cards = tree({"all/run.yaml": "base_model: llama\nseed: 3"})
    rows, _ = runs_of(cards, "all/a-step_1.json", "all/b-step_1.json")
    assert list(rows) == ["a", "b"]
    assert [(row.base_model, row.seed) for row in rows.values()] == [("llama", 3)] * 2


def test_a_card_without_a_name_and_without_logs_is_the_run_of_its_folder() -> None:
    rows, _ = runs_of(tree({"sdf/run.yaml": "base_model: llama"}))
    assert [(row.run, row.base_model, row.card) for row in rows.values()] == [("sdf", "llama", "sdf/run.yaml")]


def test_a_card_inside_of_a_named_one_is_no_run_of_its_own() -> None:
    cards = tree({"x/run.yaml": "name: sdf\nseed: 1", "x/late/run.yaml": "step: 5\nbase_model: llama"})
    rows, _ = runs_of(cards, "x/late/a.eval")
    assert list(rows) == ["sdf"]
    assert (rows["sdf"].seed, rows["sdf"].base_model, rows["sdf"].card) == (1, "llama", "x/run.yaml")


def test_two_cards_that_contradict_each_other_about_a_run() -> None:
    cards = tree(
        {
            "a/run.yaml": "name: r\nseed: 1\nstage: rl",
            "b/run.yaml": "name: r\nseed: 2\nparent: p@1",
            "p/run.yaml": "name: p",
        }
    )
    rows, conflicts = runs_of(cards)
    assert (rows["r"].seed, rows["r"].stage, rows["r"].parent_run) == (1, "rl", "p")
    (conflict,) = conflicts
    assert (conflict.kind, conflict.field) == ("card", "seed")
    assert conflict.candidates == [("run card a/run.yaml", "1"), ("run card b/run.yaml", "2")]


def test_runs_of_several_roots_with_one_name_are_one() -> None:
    first, second = tree({"run.yaml": "name: r\nseed: 1"}), tree({"run.yaml": "name: r\nstage: rl"})
    (row,), conflicts = runs_and_conflicts([first, second], [])
    assert (row.seed, row.stage, conflicts) == (1, "rl", [])


def test_runs_are_sorted_by_their_numbers_however_long() -> None:
    names = ["run10", "run2", "run" + "9" * 5000, "run02b", "run0", "a"]
    assert sorted(names, key=_natural) == ["a", "run0", "run2", "run02b", "run10", "run" + "9" * 5000]
