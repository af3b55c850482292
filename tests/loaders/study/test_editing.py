"""Entries are added to a study file, and all else in it stays as it was; what is not certain is refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from loaders.errors import StudyError
from loaders.study.editing import NotWritten, edit, with_entries, write
from loaders.study.reading import parse_study
from loaders.study.yaml_lines import parse
from loaders.study.yaml_text import field

LOG = {"match": "b.eval", "run": "b", "step": 2}
FILES = {
    "nothing": "",
    "a comment alone": "# mine\n",
    "another field": "title: T  # said\n# the end",
    "a list": "title: T\nlogs:\n  - match: a.eval  # first\n    run: a\n\n# metrics follow\nmetrics: []\n",
    "a list without indent": "logs:\n- {match: a.eval, run: a}\n- match: c.eval\nnotes: |\n  two\n\n  lines\n",
    "a list that ends in a literal": "runs:\n  - match: a\n    notes: |\n      one\n      # no comment\nlogs:\n",
    "an empty list": "logs: []  # none yet\ntitle: T\n",
    "a list in lines": "logs: [\n  {match: a.eval, run: a},  # one\n]\n",
    "no last line end": "logs:\n  - match: a.eval\n    step: 1",
    "an anchor": "logs:\n  - &one {match: a.eval, run: a}\n",
    "Windows": "title: T\r\nlogs:\r\n  - match: a.eval\r\n    run: a\r\n",
    "a mark": "\ufefftitle: T\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_everything_else_stays_as_it_was(text: str) -> None:
    after = with_entries(text.encode(), {"logs": [LOG], "ignore": ["x/*"]}).decode()
    before = parse(text.encode()).value
    assert parse(after.encode()).value == {
        **before, "logs": [*(before.get("logs") or []), LOG], "ignore": [*before.get("ignore", []), "x/*"],
    }  # fmt: skip
    # Every character of the file is still there, in its order.
    rest = iter(after)
    assert all(letter in rest for letter in text)
    assert ("\r\n" in text) == ("\r\n" in after)
    assert "\n" not in after.replace("\r\n", "") or "\r\n" not in after


def test_the_entry_stands_behind_the_last_one_and_before_the_comment_on_the_next_field() -> None:
    after = with_entries(FILES["a list"].encode(), {"logs": [LOG]}).decode()
    assert after == (
        "title: T\nlogs:\n  - match: a.eval  # first\n    run: a\n  - match: b.eval\n    run: b\n    step: 2\n"
        "\n# metrics follow\nmetrics: []\n"
    )


@pytest.mark.parametrize(
    "text",
    ["{title: T}\n", "title: T\n...\n", "title: &logs T\n---\n"],
)
def test_what_can_not_be_added_to_is_refused(text: str) -> None:
    with pytest.raises((NotWritten, StudyError)):
        with_entries(text.encode(), {"logs": [LOG]})


def test_a_file_in_one_line_takes_more_of_what_it_has() -> None:
    after = with_entries(b"{title: T, logs: [{match: a.eval, run: a}]}\n", {"logs": [LOG]}).decode()
    assert after == "{title: T, logs: [{match: a.eval, run: a}, {match: b.eval, run: b, step: 2}]}\n"


def test_a_file_that_is_wrong_already_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("titel: T\n")
    with pytest.raises(StudyError, match="did you mean"):
        edit(tmp_path / "study.yaml", {"logs": [LOG]})


def test_an_entry_that_breaks_the_schema_is_told_with_its_line() -> None:
    with pytest.raises(StudyError, match=r"line 3: logs\[0\]\.step"):
        with_entries(b"title: T\n", {"logs": [{"step": -1, "match": "a"}]})


def test_it_is_written_whole_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("title: T\n")
    path.chmod(0o640)
    change = edit(path, {"logs": [LOG]})
    assert path.read_text() == "title: T\n"
    write(change)
    assert path.read_bytes() == change.after
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_is_readable_as_any_other(tmp_path: Path) -> None:
    write(edit(tmp_path / "study.yaml", {"logs": [LOG]}))
    (tmp_path / "other").touch()
    assert (tmp_path / "study.yaml").stat().st_mode == (tmp_path / "other").stat().st_mode
    assert parse_study((tmp_path / "study.yaml").read_bytes(), "study.yaml").logs[0].run == "b"


def test_what_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    change = edit(path, {"logs": [LOG]})
    path.write_text("title: another\n")
    with pytest.raises(NotWritten, match="changed meanwhile"):
        write(change)
    assert path.read_text() == "title: another\n"


def test_a_file_that_is_read_only_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("title: T\n")
    change = edit(path, {"logs": [LOG]})
    # Whoever runs the tests may be root, whom permissions don't keep from writing.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(NotWritten, match=r"can't be written .*Copy the text"):
        write(change)
    assert path.read_text() == "title: T\n"


@pytest.mark.parametrize(
    "value",
    ["a", "true", "No", "007", "1e6", "a: b", "a #b", "- a", "*", "[x]", "é", "\U0001f600 \u2028\x7f", r"a/(\d+)'\"",
     r"\d", " a ", "~", "", "a\nb", 3, 0.5, -1, True, None, ["a", 1, []], {"b": {"c": [1]}, "1": "x" * 120}],
)  # fmt: skip
def test_values_are_read_back_as_they_were(value: object) -> None:
    entry = {"match": value, "more": {"x": value}}
    assert parse(field("tables", [entry, value]).encode()).value == {"tables": [entry, value]}
