"""Logs that tell neither run nor step stand alone, each under a name that nothing else has."""

from __future__ import annotations

from pathlib import Path

from inspect_ai.log import read_eval_log, write_eval_log

from loaders.study.alone import told_apart
from loaders.study.evidence import Placement
from tests.log_files import write_log
from tests.real_stores import ingested


def named(*logs: tuple[str, str, str], placed: bool = False) -> list[str]:
    """Names of logs that are given as root, path and readable name."""
    placements = {i: Placement(run=name, eval="e", placed=placed) for i, (_, _, name) in enumerate(logs)}
    files = {i: (root, path) for i, (root, path, _) in enumerate(logs)}
    return [placement.run for placement in told_apart(placements, files).values()]


def test_names_of_their_own_stay_as_they_are() -> None:
    assert named(("/a", "x.eval", "m x"), ("/a", "y.eval", "m y")) == ["m x", "m y"]


def test_evals_of_one_file_share_its_name() -> None:
    assert named(("/a", "x.json", "m x"), ("/a", "x.json", "m x")) == ["m x", "m x"]


def test_the_shortest_addition_that_tells_them_apart() -> None:
    assert named(("/a", "x.eval", "m x"), ("/a", "x.json", "m x")) == ["m x.eval", "m x.json"]
    assert named(("/a", "p/x.eval", "m x"), ("/a", "q/x.eval", "m x")) == ["m x (p/x.eval)", "m x (q/x.eval)"]
    assert named(("/a", "x.eval", "m x"), ("/b", "x.eval", "m x")) == ["m x (a/x.eval)", "m x (b/x.eval)"]
    assert named(("/a/c", "x.eval", "m x"), ("/b/c", "x.eval", "m x")) == ["m x (/a/c/x.eval)", "m x (/b/c/x.eval)"]


def test_a_longer_name_is_not_another_logs_name_either() -> None:
    names = named(("/a", "x.eval", "x"), ("/a", "x.json", "x"), ("/a", "x.eval.eval", "x.eval"))
    assert names == ["x (x.eval)", "x (x.json)", "x.eval"]


def test_a_log_alone_is_no_part_of_a_run_of_that_name() -> None:
    placements = {1: Placement(run="x", eval="e", step=5), 2: Placement(run="x", eval="e", placed=False)}
    told = told_apart(placements, {1: ("/a", "x/checkpoint-5/y.eval"), 2: ("/a", "x.eval")})
    assert [told[1].run, told[2].run] == ["x", "x.eval"]


def test_runs_that_rules_name_may_hold_many_logs() -> None:
    assert named(("/a", "x.eval", "run"), ("/a", "y.eval", "run"), placed=True) == ["run", "run"]


def test_two_forms_of_a_log_share_a_run_and_another_of_that_name_does_not(tmp_path: Path) -> None:
    """Two logs called alike were one run with two points; one evaluation in two forms was two runs."""
    write_log(tmp_path / "a/results.eval", [1, 0])
    write_eval_log(read_eval_log(str(tmp_path / "a/results.eval")), str(tmp_path / "a/results.json"))
    write_log(tmp_path / "b/results.eval", [1, 1])
    store = ingested(tmp_path / "a", tmp_path / "b")
    runs = [row["run"] for row in store.rows("SELECT run FROM live_evals($n) ORDER BY run")]
    assert runs == ["tiny results (a/results.eval)"] * 2 + ["tiny results (b/results.eval)"]
    frame = store.rates()
    assert dict(zip(frame["run"], frame["rate"], strict=True)) == dict(zip(runs[1:], [0.5, 1.0], strict=True))
