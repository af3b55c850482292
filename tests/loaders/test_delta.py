"""What has to be read again, what has moved, what is a copy: decided from two lists."""

from __future__ import annotations

from pathlib import Path

from loaders.delta import Delta, Known, compute_delta
from loaders.listing import Item, Listing


def item(path: str, size: int = 1, mtime: int = 1) -> Item:
    return Item(path, (Path("/root") / path,), size, mtime)


def known(content: str, source: int = 1, size: int = 1, mtime: int = 1, **changes: object) -> Known:
    values: dict[str, object] = {
        "source_id": source, "content_hash": content, "reader": "1", "size": size, "mtime_ns": mtime,
        "status": "ingested", "format": "inspect", "identity": "content", **changes,
    }  # fmt: skip
    return Known(**values)  # type: ignore[arg-type]


def delta(listed: list[Item], stored: dict[str, Known], contents: dict[str, str], **more: object) -> Delta:
    listing = Listing(Path("/root"), {i.path: i for i in listed}, more.get("unreadable", []))  # type: ignore[arg-type]
    hashed: list[str] = []

    def hash_item(i: Item) -> str:
        hashed.append(i.path)
        return contents[i.path]

    result = compute_delta(
        listing, stored, more.get("elsewhere", {}), lambda _i, _format: str(more.get("reader", "1")), hash_item
    )  # type: ignore[arg-type]
    result.hashes["__hashed__"] = ",".join(hashed)
    return result


def test_an_unchanged_file_is_not_even_opened() -> None:
    result = delta([item("a.eval")], {"a.eval": known("A")}, {})
    assert [i.path for i, _ in result.unchanged] == ["a.eval"]
    assert result.hashes["__hashed__"] == ""


def test_a_new_time_and_the_same_content_is_only_touched() -> None:
    result = delta([item("a.eval", mtime=2)], {"a.eval": known("A")}, {"a.eval": "A"})
    assert [i.path for i, _ in result.touched] == ["a.eval"]
    assert not result.changed


def test_another_content_is_a_change() -> None:
    result = delta([item("a.eval", mtime=2)], {"a.eval": known("A")}, {"a.eval": "B"})
    assert [i.path for i, _ in result.changed] == ["a.eval"]


def test_another_reader_reads_the_same_content_again() -> None:
    result = delta([item("a.eval")], {"a.eval": known("A")}, {"a.eval": "A"}, reader="2")
    assert [i.path for i, _ in result.changed] == ["a.eval"]


def test_a_moved_file_is_not_a_new_one() -> None:
    result = delta([item("b/a.eval")], {"a.eval": known("A")}, {"b/a.eval": "A"})
    assert [(i.path, before) for i, _, before in result.moved] == [("b/a.eval", "a.eval")]
    assert not result.new
    assert not result.gone


def test_a_copy_of_a_log_with_an_id_is_the_same_log() -> None:
    result = delta([item("a.eval"), item("b.eval")], {"a.eval": known("A")}, {"b.eval": "A"})
    assert [i.path for i, _ in result.copies] == ["b.eval"]


def test_a_copy_of_a_file_whose_path_says_what_it_is_is_another() -> None:
    stored = {"step_1/r.json": known("A", identity="name", format="lm_eval")}
    result = delta([item("step_1/r.json"), item("step_2/r.json")], stored, {"step_2/r.json": "A"})
    assert [i.path for i in result.new] == ["step_2/r.json"]


def test_a_log_that_lies_below_another_root_is_a_copy() -> None:
    result = delta([item("b.eval")], {}, {"b.eval": "A"}, elsewhere={"A": known("A")})
    assert [i.path for i, _ in result.copies] == ["b.eval"]


def test_a_file_whose_folders_say_what_it_is_cannot_be_moved() -> None:
    stored = {"checkpoint-1/state.json": known("A", identity="path")}
    result = delta([item("checkpoint-2/state.json")], stored, {"checkpoint-2/state.json": "A"})
    assert [i.path for i in result.new] == ["checkpoint-2/state.json"]
    assert [path for path, _ in result.gone] == ["checkpoint-1/state.json"]


def test_a_file_whose_name_says_what_it_is_can_be_moved_and_not_renamed() -> None:
    stored = {"a/r_1.json": known("A", identity="name")}
    assert delta([item("b/r_1.json")], stored, {"b/r_1.json": "A"}).moved
    assert delta([item("a/r_2.json")], stored, {"a/r_2.json": "A"}).new


def test_two_copies_of_one_that_is_gone_are_one_move_and_one_copy() -> None:
    result = delta([item("b.eval"), item("c.eval")], {"a.eval": known("A")}, {"b.eval": "A", "c.eval": "A"})
    assert len(result.moved) == 1
    assert len(result.copies) == 1


def test_a_file_in_a_folder_that_cannot_be_listed_is_not_gone() -> None:
    stored = {"deep/a.eval": known("A"), "b.eval": known("B")}
    result = delta([], stored, {}, unreadable=["deep"])
    assert [path for path, _ in result.gone] == ["b.eval"]
