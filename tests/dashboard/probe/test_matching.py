"""Which checkpoint a served model is: by rules in order, and never by a guess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashboard.probe.clients.client import ServedModel
from dashboard.probe.endpoints import Match
from dashboard.probe.matching import Known, Matched, Run, folder_of, match_model
from dashboard.probe.matching import KnownCheckpoint as Checkpoint
from tests.real_stores import shared

RL = tuple(Checkpoint("rl", step, None, f"study/rl/checkpoint-{step}") for step in (100, 200))
SDF = (Checkpoint("sdf", 100, None, "study/sdf/checkpoint-100"), Checkpoint("sdf", 400, "final"))
KNOWN = Known(
    (*RL, *SDF, Checkpoint("odd@name", 5), Checkpoint("labelled", None, "final"), Checkpoint("gpt-4o")),
    (Run("rl", "org/Base-7B", first=False), Run("sdf", "org/Base-7B"), Run("other", "org/Other-7B")),
)


def matched(
    model: str, root: str | None = None, parent: str | None = None, *, known: Known = KNOWN, declared: Any = ()
) -> Matched:
    return match_model(ServedModel(model, parent, root), "here", known, declared)


def place(found: Matched) -> tuple[str | None, int | None, str | None, str | None]:
    return found.run, found.step, found.step_label, found.rule


NONE = (None, None, None, None)


@pytest.mark.parametrize(
    ("model", "root", "expected"),
    [
        ("rl@100", None, ("rl", 100, None, "id")),
        ("sdf@400", None, ("sdf", 400, "final", "id")),
        ("sdf@final", None, ("sdf", 400, "final", "id")),
        ("labelled@final", None, ("labelled", None, "final", "id")),
        ("odd@name@5", None, ("odd@name", 5, None, "id")),
        ("gpt-4o", None, ("gpt-4o", None, None, "id")),
        ("x", "/data/study/rl/checkpoint-200", ("rl", 200, None, "path")),
        ("x", "/data/study/rl/checkpoint-200/", ("rl", 200, None, "path")),
        ("x", "D:\\study\\rl\\checkpoint-200", ("rl", 200, None, "path")),
        ("rl-ckpt-200", None, ("rl", 200, None, "name")),
        ("org/rl-step100", None, ("rl", 100, None, "name")),
        ("RL-ckpt-200", None, ("rl", 200, None, "name")),
        ("sdf-checkpoint-final", None, ("sdf", 400, "final", "name")),
        ("x", "/elsewhere/rl/ckpt-200", ("rl", 200, None, "name")),
        ("org/gpt-4o", None, ("gpt-4o", None, None, "name")),
        ("Base-7B", None, ("sdf", 0, None, "base model")),
        ("base", "/models/org/Base-7B", ("sdf", 0, None, "base model")),
    ],
)
def test_matches(model: str, root: str | None, expected: Any) -> None:
    assert place(matched(model, root)) == expected


@pytest.mark.parametrize(
    ("model", "root"),
    [
        ("x", None),
        ("rl", None),  # a run of several checkpoints
        ("rl@300", None),
        ("rl@1", None),
        ("rl-ckpt-300", None),
        ("rl2-ckpt-100", None),
        ("ckpt-100", None),  # of which run?
        ("x", "/data/other/rl/checkpoint-999"),
        ("x", "/data/study/other/checkpoint-200"),
        ("x", "/data/restudy/rl2/checkpoint-200"),
        ("x", "checkpoint-200"),
        ("rl-7b", None),
        ("Base-70B", None),
        ("", ""),
    ],
)
def test_no_match_has_a_reason(model: str, root: str | None) -> None:
    found = matched(model, root)
    assert place(found) == NONE
    assert found.reason


def test_declared_comes_first_and_is_all_that_holds() -> None:
    declared = [Match("rl@100", "sdf@final", "here"), Match("rl@200", "sdf@100", "elsewhere"), Match("typo", "rl@7")]
    assert place(matched("rl@100", declared=declared)) == ("sdf", 400, "final", "declared")
    assert place(matched("rl@200", declared=declared)) == ("rl", 200, None, "id")  # for another endpoint
    found = matched("typo", declared=declared)
    assert place(found) == NONE
    assert "it was at: 100, 200" in found.reason
    assert place(matched("m", declared=[Match("m", "rl")])) == ("rl", 200, None, "declared")  # the latest


def test_the_id_says_more_than_the_path_and_the_path_more_than_the_name() -> None:
    assert place(matched("rl@100", "/study/rl/checkpoint-200"))[3] == "id"
    assert place(matched("sdf-ckpt-400", "/study/rl/checkpoint-200")) == ("rl", 200, None, "path")


def test_two_that_fit_are_none() -> None:
    twins = Known(
        (
            Checkpoint("a", 5, None, "x/ckpt-5"),
            Checkpoint("b", 5, None, "x/ckpt-5"),
            Checkpoint("A", 7),
            Checkpoint("a@5"),
        )
    )
    by_path = matched("m", "/y/x/ckpt-5", known=twins)
    assert place(by_path) == NONE
    assert "several checkpoints: a@5, b@5" in by_path.reason
    assert place(matched("a@5", known=twins)) == NONE  # the run a at 5, or the run a@5?
    assert place(matched("a-ckpt-7", known=Known((Checkpoint("A", 7),)))) == ("A", 7, None, "name")
    cases = Known((Checkpoint("Run", 7), Checkpoint("RUN", 7)))
    assert place(matched("run-ckpt-7", known=cases)) == NONE
    assert place(matched("RUN-ckpt-7", known=cases)) == ("RUN", 7, None, "name")


def test_the_longest_folder_says_the_most() -> None:
    known = Known((Checkpoint("a", 5, None, "run/ckpt-5"), Checkpoint("b", 5, None, "deep/run/ckpt-5")))
    assert place(matched("m", "/x/deep/run/ckpt-5", known=known)) == ("b", 5, None, "path")
    assert place(matched("m", "/x/flat/run/ckpt-5", known=known)) == ("a", 5, None, "path")


def test_a_folder_alone_needs_its_run_above_it() -> None:
    known = Known((Checkpoint("a", 5, None, "save-5"),))
    assert place(matched("m", "/x/a/save-5", known=known)) == ("a", 5, None, "path")
    assert place(matched("m", "/x/b/save-5", known=known)) == NONE


def test_one_checkpoint_told_of_twice_is_one() -> None:
    rows = (Checkpoint("a", 5), Checkpoint("a", 5, "final"), Checkpoint("a", 5, None, "w/a/ckpt-5", "base"))
    for model in ("a@5", "a-ckpt-5"):
        assert place(matched(model, known=Known(rows)))[:3] == ("a", 5, "final")


def test_the_base_of_several_runs_is_none_and_says_so() -> None:
    known = Known((), (Run("a", "org/Base"), Run("b", "org/Base"), Run("c", "org/Base", first=False)))
    found = matched("org/Base", known=known)
    assert place(found) == NONE
    assert "several runs (a, b)" in found.reason
    assert place(matched("Base", known=Known((), (Run("a", "org/Base"),)))) == ("a", 0, None, "base model")


def test_the_base_is_the_run_s_untrained_checkpoint() -> None:
    known = Known((Checkpoint("a", None, "base"), Checkpoint("a", 5)), (Run("a", "org/Base"),))
    assert place(matched("Base", known=known)) == ("a", None, "base", "base model")
    assert place(matched("Base", parent="x", known=known)) == NONE  # an adapter is no base


def test_checkpoints_tell_the_base_where_runs_do_not() -> None:
    known = Known((Checkpoint("a", 5, None, None, "org/Base"), Checkpoint("a", 6, None, None, "org/Base")))
    assert place(matched("org/base", known=known)) == ("a", 0, None, "base model")


def test_rows_of_frames_and_files() -> None:
    rows = [
        {
            "run": "a",
            "step": 5.0,
            "step_label": None,
            "path": "a/ckpt-5/adapter_config.json",
            "base_model": "b",
            "x": 1,
        },
        {"run": "a", "step": float("nan"), "step_label": "final", "path": "a/run.yaml", "base_model": float("nan")},
        {"run": "a", "step": np.int64(7), "step_label": None, "path": "a/logs/x.json"},
    ]
    runs = [{"run": "a", "base_model": "b", "parent_run": None}, {"run": "c", "base_model": None, "parent_run": "a"}]
    assert Known.of_rows(rows, runs) == Known(
        (Checkpoint("a", 5, None, "a/ckpt-5", "b"), Checkpoint("a", None, "final"), Checkpoint("a", 7)),
        (Run("a", "b", True), Run("c", None, False)),
    )
    assert folder_of("a/ckpt-5") == "a/ckpt-5"


def test_adapters_of_a_real_study_by_path_and_by_name(shared_data: Path) -> None:
    store = shared(shared_data / "emergent")
    known = Known.of_rows(store.rows("SELECT * FROM live_checkpoints($n)"), store.rows("SELECT * FROM live_runs($n)"))
    root = "/home/me/harvard-cs-2881-hw0/models/1b_medical_v2/checkpoint-110"
    assert place(matched("lora1", root, known=known)) == ("1b_medical_v2", 110, None, "path")
    assert place(matched("1b_risky_v2-checkpoint-187", known=known))[3] == "name"
    both = matched("meta-llama/Llama-3.2-1B-Instruct", known=known)
    assert place(both) == NONE
    assert "1b_medical_v2, 1b_risky_v2" in both.reason
    for each in known.checkpoints:
        served = matched("x", f"/weights/{each.path}", known=known)
        assert (served.run, served.step) == (each.run, each.step)
        assert (matched(each.name, known=known).run, matched(each.name, known=known).rule) == (each.run, "id")
