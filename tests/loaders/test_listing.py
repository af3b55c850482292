"""Which files are read, and which are passed by without being opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loaders.errors import DriftlineError
from loaders.listing import list_root


def no_companions(_path: Path) -> list[Path]:
    return []


def touch(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_lists_logs_and_cards_and_counts_the_rest(tmp_path: Path) -> None:
    for name in ("a.eval", "deep/er/b.json", "c.jsonl", "d.CSV", "e.parquet", "run.yaml", "deep/study.yaml"):
        touch(tmp_path / name)
    for name in ("README.md", "other.yaml", "model.safetensors", "weights.pkl", "tokenizer.json", ".git/x.json"):
        touch(tmp_path / name)
    listing = list_root(tmp_path, no_companions)
    assert sorted(listing.items) == [
        "a.eval", "c.jsonl", "d.CSV", "deep/er/b.json", "deep/study.yaml", "e.parquet", "run.yaml",
    ]  # fmt: skip
    assert listing.others == 5  # what lies in .git is not even counted


def test_parts_of_a_merged_log_do_not_count_beside_it(tmp_path: Path) -> None:
    for name in ("a.eval", "a.shards/1/x.eval", "b.shards/1/y.eval"):
        touch(tmp_path / name)
    assert sorted(list_root(tmp_path, no_companions).items) == ["a.eval", "b.shards/1/y.eval"]


def test_one_file_is_a_root_of_its_own(tmp_path: Path) -> None:
    touch(tmp_path / "a.eval")
    touch(tmp_path / "b.eval")
    assert list(list_root(tmp_path / "a.eval", no_companions).items) == ["a.eval"]


def test_companions_are_part_of_their_file(tmp_path: Path) -> None:
    results = touch(tmp_path / "results_1.json", "12345")
    samples = touch(tmp_path / "samples_a_1.jsonl", "123")
    touch(tmp_path / "samples_a_2.jsonl", "1")
    listing = list_root(tmp_path, lambda path: [samples] if path == results else [])
    assert sorted(listing.items) == ["results_1.json", "samples_a_2.jsonl"]
    item = listing.items["results_1.json"]
    assert item.parts == (results, samples)
    assert item.size == 8
    os.utime(samples, ns=(5, 9_000_000_000_000_000_000))
    changed = list_root(tmp_path, lambda path: [samples] if path == results else []).items["results_1.json"]
    assert changed.mtime_ns == 9_000_000_000_000_000_000


def test_names_that_look_like_patterns_or_paths_are_taken_literally(tmp_path: Path) -> None:
    names = ["[a]*.eval", "ü b%2F.eval", "a\\b.eval", "-x.eval"]
    for name in names:
        touch(tmp_path / name)
    assert sorted(list_root(tmp_path, no_companions).items) == sorted(names)


def test_links_that_lead_round_in_a_circle_or_nowhere_are_nothing(tmp_path: Path) -> None:
    touch(tmp_path / "real/a.eval")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "real/up").symlink_to(tmp_path.parent, target_is_directory=True)
    (tmp_path / "gone.eval").symlink_to(tmp_path / "nowhere")
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "linked.eval").symlink_to(tmp_path / "real/a.eval")
    assert sorted(list_root(tmp_path, no_companions).items) == ["linked.eval", "real/a.eval"]


def test_links_to_folders_are_entered_each_folder_once_and_by_its_own_path_first(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    touch(root / "own/a.eval")
    (root / "0-own").symlink_to(root / "own")
    touch(elsewhere / "run1/checkpoint-5/b.eval")
    touch(elsewhere / "run2/c.eval")
    (elsewhere / "run2/back").symlink_to(root)
    (elsewhere / "run1/sister").symlink_to(elsewhere / "run2")
    (root / "runs").mkdir()
    (root / "runs/x").symlink_to(elsewhere / "run1")
    (root / "runs/y").symlink_to(elsewhere / "run2")
    (root / "zz").symlink_to(elsewhere)
    found = list_root(root, no_companions)
    assert sorted(found.items) == ["own/a.eval", "runs/x/checkpoint-5/b.eval", "runs/x/sister/c.eval"]
    assert not found.unreadable


def test_a_root_that_is_a_link_is_listed(tmp_path: Path) -> None:
    touch(tmp_path / "real/deep/a.eval")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert list(list_root(tmp_path / "link", no_companions).items) == ["deep/a.eval"]


def test_companions_of_a_log_that_is_being_written_are_passed_over(tmp_path: Path) -> None:
    for name in ("a.eval", ".buffer/a/manifest.json", ".buffer/a/segment.1.zip", "deep/.buffer/b/manifest.json"):
        touch(tmp_path / name)
    for name in ("._a.eval", "a.1234.db", "a.db-wal", "logs.json"):
        touch(tmp_path / name)
    assert sorted(list_root(tmp_path, no_companions).items) == ["a.eval"]


def test_names_that_are_no_utf8_are_listed_as_they_can_be_shown(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    for name in (b"bad\xff.eval", b"bad\\xff.eval", b"good.eval"):
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123 - the name is bytes
            file.write(b"x")
    names = list(list_root(tmp_path, no_companions).items)
    assert "good.eval" in names
    assert len(names) == 3
    assert all(name.encode() and name.startswith(("bad\\xff.eval", "good")) for name in names)


def test_a_folder_that_is_gone_when_companions_are_looked_for(tmp_path: Path) -> None:
    touch(tmp_path / "results_1.json")

    def gone(_path: Path) -> list[Path]:
        raise FileNotFoundError

    assert list(list_root(tmp_path, gone).items) == ["results_1.json"]


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "good.eval")
    touch(tmp_path / "shut" / "a.eval")
    scandir = os.scandir

    def refusing(folder: str) -> object:
        if folder.endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    found = list_root(tmp_path, no_companions)
    assert list(found.items) == ["good.eval"]
    assert found.unreadable == ["shut"]
    assert found.notes == ["shut: this folder can't be listed (Permission denied)"]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DriftlineError, match="no such file or folder"):
        list_root(tmp_path / "nowhere", no_companions)
