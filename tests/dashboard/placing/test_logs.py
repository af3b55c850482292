"""Places of logs, typed or read from their paths, and the study file that they are written into."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.placing.logs import compiled, entries_for, read_paths, step_of
from dashboard.placing.target import target_above, target_for
from loaders.study.editing import added_text
from loaders.study.globs import glob_matches
from loaders.study.reading import parse_study


@pytest.mark.parametrize(
    ("text", "step"), [("40", 40), (" 1,000 ", 1000), ("2k", 2000), ("base", "base"), ("forty", "forty"), ("", None)]
)
def test_a_step_is_a_number_or_a_label(text: str, step: object) -> None:
    assert step_of(text) == step


@pytest.mark.parametrize("text", ["-1", "1.5", "?"])
def test_what_is_no_step_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is no step"):
        step_of(text)


def test_named_groups_are_read_where_the_pattern_matches() -> None:
    pattern = compiled(r"(?P<run>\w+)/s(?P<step>\d+)(?:-(?P<stage>rl|sft))?")
    assert read_paths(pattern, ["a/s10-rl.eval", "b/s0020.eval", "c/other.eval"]) == {
        "a/s10-rl.eval": {"run": "a", "step": 10, "stage": "rl"},
        "b/s0020.eval": {"run": "b", "step": 20},
    }


@pytest.mark.parametrize("pattern", ["(", r"(\d+)", r"(?P<steps>\d+)", r"(?=(?P<step>\d+))x", "(?P<run>.)" + "x" * 200])
def test_a_pattern_that_says_nothing_or_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        compiled(pattern)


def test_each_entry_is_of_one_log_alone_whatever_it_is_called() -> None:
    entries = entries_for({"a [1]*.eval": {"run": "r", "step": 0, "stage": None}, "b.eval": {"run": None}})
    (log,) = parse_study(added_text(entries), "study.yaml").logs
    assert (log.run, log.step, log.stage) == ("r", 0, None)
    assert glob_matches(log.match, "a [1]*.eval")
    assert not glob_matches(log.match, "a 1x.eval")


CARDS = [
    ("/r", "study.yaml"), ("/r", "sub/study.yaml"), ("/r", "sub/run.yaml"), ("/r", "../study.yaml"),
    ("/s", "a/study.yaml"), ("/g", "given:/elsewhere/my.yaml"), ("/g", "sub/study.yaml"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("root", "path", "file", "within"),
    [
        ("/r", "x/t.csv", "/r/study.yaml", "x/t.csv"),
        ("/r", "sub/x/t.csv", "/r/sub/study.yaml", "x/t.csv"),
        ("/r", "sub.csv", "/r/study.yaml", "sub.csv"),
        ("/s", "t.csv", "/s/study.yaml", "t.csv"),  # a new one
        ("/s", "a/t.csv", "/s/a/study.yaml", "t.csv"),
        ("/g", "t.csv", "/elsewhere/my.yaml", "t.csv"),
        ("/g", "sub/t.csv", "/g/sub/study.yaml", "t.csv"),
    ],
)
def test_the_nearest_study_file_is_added_to(root: str, path: str, file: str, within: str) -> None:
    target = target_for(root, path, CARDS)
    assert (target.file.as_posix(), target.within(path)) == (file, within)
    assert target.at not in target.cards


def test_of_files_without_a_store_it_is_the_nearest_above_all_of_them(tmp_path: Path) -> None:
    files = [tmp_path / "r/a/t.csv", tmp_path / "r/b/t.csv"]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
    assert target_above(files).file == tmp_path / "r/study.yaml"
    assert target_above(files[:1]).file == tmp_path / "r/a/study.yaml"
    (tmp_path / "study.yaml").touch()
    assert target_above(files).file == tmp_path / "study.yaml"
