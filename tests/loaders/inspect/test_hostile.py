"""Damaged, hostile and future logs: rejected by themselves with a reason, or read as far as they are sound."""

from __future__ import annotations

import gc
import json
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from inspect_ai.scorer import Score

from loaders.errors import RejectedFile
from loaders.inspect import limits
from loaders.inspect.log import read
from loaders.records import EvalRecord, SampleRecord
from tests.inspect_agreement import parsed, scores_of
from tests.inspect_writer import eval_log, eval_sample, write_log

HEADER: dict[str, Any] = {
    "version": 2,
    "status": "success",
    "eval": {
        "task": "t",
        "model": "m",
        "created": "2026-01-02T03:04:05+00:00",
        "dataset": {"samples": 1},
        "config": {"epochs": 1},
    },
}
SAMPLE: dict[str, Any] = {"id": 1, "epoch": 1, "input": "q", "target": "a"}
NAME = "samples/1_epoch_1.json"
DEEP = 100_000


def write_zip(path: Path, members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """An `.eval` log with a sound header and these members."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in ({"header.json": json.dumps(HEADER)} | members).items():
            archive.writestr(name, data)
    return path


def sample_log(tmp_path: Path, sample: str | bytes | dict[str, Any]) -> Path:
    """An `.eval` log with one sample."""
    data = json.dumps(SAMPLE | sample) if isinstance(sample, dict) else sample
    return write_zip(tmp_path / "log.eval", {NAME: data})


def json_log(tmp_path: Path, **fields: Any) -> Path:
    """A `.json` log."""
    path = tmp_path / "log.json"
    path.write_text(json.dumps(HEADER | fields))
    return path


def only(record: EvalRecord) -> SampleRecord:
    (sample,) = record.samples
    return sample


def patched(path: Path, change: Callable[[bytearray], None]) -> Path:
    """The file with some bytes changed."""
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def directory_entry(data: bytearray, name: str) -> int:
    """Where the central directory's entry of a member begins."""
    at = data.rfind(name.encode()) - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    return at


# Files that are no logs at all


@pytest.mark.parametrize("content", [b"", b"  \n\n"])
@pytest.mark.parametrize("name", ["log.eval", "log.json"])
def test_empty_files(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RejectedFile, match="is empty"):
        read(path)


@pytest.mark.parametrize("name", ["log.eval", "log.json"])
def test_git_lfs_pointers(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:be29138c\nsize 12345678\n")
    with pytest.raises(
        RejectedFile, match=r"Git LFS pointer \(size 12\.3 MB\), not the log itself: run `git lfs pull`"
    ):
        read(path)


def test_something_else_called_eval(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    path.write_text("<html>404</html>")
    with pytest.raises(RejectedFile, match="is not a zip"):
        read(path)


def test_a_zip_that_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(RejectedFile, match=r"neither header\.json nor _journal/start\.json"):
        read(path)


def test_an_empty_zip(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    zipfile.ZipFile(path, "w").close()
    with pytest.raises(RejectedFile, match="not an Inspect log"):
        read(path)


def test_files_that_can_t_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.eval"):
        with pytest.raises(RejectedFile, match="can't be read"):
            read(path)


# Damage


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_truncated_zips(tmp_path: Path, kept: float) -> None:
    path = write_log(eval_log([eval_sample(i) for i in range(20)]), tmp_path / "log.eval")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(RejectedFile, match="truncated zip: no central directory"):
        read(path)


def test_a_zip_that_lost_its_beginning(tmp_path: Path) -> None:
    path = write_log(eval_log([eval_sample(i) for i in range(20)]), tmp_path / "log.eval")
    path.write_bytes(b"PK\x03\x04" + path.read_bytes()[2000:])
    with pytest.raises(RejectedFile):
        read(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_flipped_bit_fails_the_checksum(tmp_path: Path, method: int) -> None:
    path = write_zip(tmp_path / "log.eval", {NAME: json.dumps(SAMPLE | {"input": "x" * 50})}, method)

    def flip(data: bytearray) -> None:
        at = data.find(b"x" * 20) if method == zipfile.ZIP_STORED else data.find(NAME.encode()) + len(NAME) + 10
        data[at] ^= 1

    with pytest.raises(
        RejectedFile, match=r"samples/1_epoch_1\.json (fails its checksum|can't be decompressed|should hold)"
    ):
        read(patched(path, flip))


def test_a_wrong_checksum(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "log.eval", {NAME: json.dumps(SAMPLE)})

    def change(data: bytearray) -> None:
        data[directory_entry(data, NAME) + 16] ^= 1

    with pytest.raises(RejectedFile, match=r"samples/1_epoch_1\.json fails its checksum \(CRC-32\)"):
        read(patched(path, change))


def test_a_directory_that_points_elsewhere(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "log.eval", {NAME: json.dumps(SAMPLE)})

    def change(data: bytearray) -> None:
        struct.pack_into("<I", data, directory_entry(data, NAME) + 42, 7)

    with pytest.raises(RejectedFile, match=r"samples/1_epoch_1\.json has no local header"):
        read(patched(path, change))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"id": 1, "epoch"', "ends in the middle of its JSON"),
        (b"not json", "is not JSON"),
        (b'{"id": 1, "epoch": 1, "metadata": {"a": "\xff"}}', "can't be read as JSON"),
        (b'{"id": 1, "epoch": 1, "input": "\xff"}', "can't be read as JSON"),
        (b"[1, 2]", "Expected `object`, got `array`"),
        (b"", "ends in the middle of its JSON"),
    ],
)
def test_bad_json_in_a_sample_names_the_sample(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(RejectedFile) as caught:
        read(sample_log(tmp_path, data))
    assert NAME in caught.value.reason
    assert reason in caught.value.reason or "is not UTF-8" in caught.value.reason


@pytest.mark.parametrize("field", ["packages", "metadata", "task"])
def test_a_header_that_is_not_utf8(tmp_path: Path, field: str) -> None:
    value: Any = "777" if field == "task" else {"a": "777"}
    path = json_log(tmp_path, eval=HEADER["eval"] | {field: value})
    path.write_bytes(path.read_bytes().replace(b"777", b"\xff"))
    with pytest.raises(RejectedFile, match="utf-8"):
        read(path)


def test_a_long_extra_field_before_a_member(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "log.eval", {})
    member = zipfile.ZipInfo(NAME)
    member.extra = struct.pack("<HH", 0xCAFE, 5000) + bytes(5000)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, json.dumps(SAMPLE))
    assert only(read(path).evals[0]).sample_key == "1"


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"id": None}, "`$.id`"),
        ({"epoch": "one"}, "`$.epoch`"),
        ({"messages": 3}, "`$.messages`"),
        ({"messages": [{"role": "user", "content": 3}]}, "`$.messages[0].content`"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 3}]}]}, "`$.text`"),
        ({"scores": {"s": 1}}, "`$.scores[...]`"),
        ({"attachments": {"k": 3}, "messages": [{"role": "user", "content": "attachment://k"}]}, "attachments"),
    ],
)
def test_wrong_types_name_member_and_field(tmp_path: Path, fields: dict[str, Any], where: str) -> None:
    with pytest.raises(RejectedFile) as caught:
        read(sample_log(tmp_path, fields))
    assert NAME in caught.value.reason
    assert where in caught.value.reason


def test_wrong_types_in_a_header(tmp_path: Path) -> None:
    with pytest.raises(RejectedFile, match=r"the log: Expected `str`, got `int` - at `\$\.eval\.task`"):
        read(json_log(tmp_path, eval=HEADER["eval"] | {"task": 1}))
    with pytest.raises(RejectedFile, match=r"status 'odd' \(allowed: success, error, cancelled, started\)"):
        read(json_log(tmp_path, status="odd"))
    with pytest.raises(RejectedFile, match=r"eval\.config: Expected `int \| null`"):
        read(json_log(tmp_path, eval=HEADER["eval"] | {"config": {"epochs": "two"}}))


def test_seeded_damage_never_gets_past_the_loader(tmp_path: Path) -> None:
    rng = random.Random(1)
    sources = [
        write_log(
            eval_log([eval_sample(i, scores={"s": Score(value=0.5)}) for i in range(2)]), tmp_path / f"log{suffix}"
        )
        for suffix in (".eval", ".json")
    ]
    rejected = 0
    for round_ in range(400):
        source = sources[round_ % 2]
        data = bytearray(source.read_bytes())
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path = tmp_path / f"damaged{source.suffix}"
        path.write_bytes(data)
        try:
            read(path)
        except RejectedFile:
            rejected += 1
    assert 100 < rejected < 400


# Bombs


def zstd_member(path: Path, name: str, content: bytes, says: int | None = None, *, frame_size: bool = True) -> Path:
    """Append a zstd member whose directory entry may lie about its size."""
    compressed = zstandard.ZstdCompressor(write_content_size=frame_size).compress(content)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(name, compressed)

    def relabel(data: bytearray) -> None:
        entry = directory_entry(data, name)
        struct.pack_into("<H", data, entry + 10, 93)
        struct.pack_into("<I", data, entry + 24, len(content) if says is None else says)

    return patched(path, relabel)


def rejected_within(path: Path, megabytes: int) -> str:
    """The reason of a rejection that took no more memory than this."""
    tracemalloc.start()
    try:
        with pytest.raises(RejectedFile) as caught:
            read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < megabytes * 1024**2
    return caught.value.reason


@pytest.mark.parametrize("frame_size", [True, False])
def test_a_member_that_unpacks_to_more_than_it_says(tmp_path: Path, frame_size: bool) -> None:
    path = write_zip(tmp_path / "log.eval", {})
    zstd_member(path, NAME, bytes(300 * 1024**2), says=1000, frame_size=frame_size)
    assert "should hold 1,000 bytes and holds more" in rejected_within(path, 20)


def test_a_deflated_member_that_unpacks_to_more_than_it_says(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "log.eval", {NAME: bytes(100 * 1024**2)})

    def change(data: bytearray) -> None:
        struct.pack_into("<I", data, directory_entry(data, NAME) + 24, 1000)

    patched(path, change)
    assert "should hold 1,000 bytes and holds more" in rejected_within(path, 20)


def test_a_member_that_unpacks_to_less_than_it_says(tmp_path: Path) -> None:
    path = zstd_member(write_zip(tmp_path / "log.eval", {}), NAME, json.dumps(SAMPLE).encode(), says=5_000)
    assert "should hold 5,000 bytes and holds only 50" in rejected_within(path, 20)


def test_an_honest_bomb(tmp_path: Path) -> None:
    path = zstd_member(write_zip(tmp_path / "log.eval", {}), NAME, bytes(200 * 1024**2))
    assert "more than 1000 times: a zip bomb" in rejected_within(path, 20)


def test_many_small_bombs(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "log.eval", {})
    for number in range(5):
        zstd_member(path, f"samples/{number}_epoch_1.json", b"[" + b" " * 30 * 1024**2 + b"]")
    with pytest.raises(RejectedFile):
        read(path)


def test_a_member_that_says_it_is_enormous(tmp_path: Path) -> None:
    path = zstd_member(write_zip(tmp_path / "log.eval", {}), NAME, b"{}", says=2 * 1024**3)
    assert "says 2,147,483,648 bytes uncompressed (allowed: 1,073,741,824)" in rejected_within(path, 20)


def test_frames_in_a_row_are_one_member(tmp_path: Path) -> None:
    content = json.dumps(SAMPLE | {"input": "x" * 10_000}).encode()
    path = write_zip(tmp_path / "log.eval", {})
    frames = b"".join(zstandard.compress(content[at : at + 4000]) for at in range(0, len(content), 4000))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(NAME, frames)

    def relabel(data: bytearray) -> None:
        entry = directory_entry(data, NAME)
        struct.pack_into("<H", data, entry + 10, 93)
        struct.pack_into("<I", data, entry + 24, len(content))
        struct.pack_into("<I", data, entry + 16, zipfile.crc32(content))

    assert only(read(patched(path, relabel)).evals[0]).input == "x" * 10_000


def test_totals_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path / "log.eval", {f"samples/{i}_epoch_1.json": json.dumps(SAMPLE) for i in range(50)})
    monkeypatch.setattr(limits, "MAX_TOTAL_BYTES", 2000)
    with pytest.raises(RejectedFile, match="more than 2,000 bytes uncompressed"):
        read(path)


def test_json_logs_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_MEMBER_BYTES", 100)
    with pytest.raises(RejectedFile, match=r"is JSON of \d+ bytes \(allowed: 100;"):
        read(json_log(tmp_path))


@pytest.mark.parametrize(("limit", "value"), [("MAX_MEMBERS", 30), ("MAX_DIRECTORY_BYTES", 1000)])
def test_directories_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    path = write_zip(tmp_path / "log.eval", {f"samples/{i}_epoch_1.json": "{}" for i in range(50)})
    monkeypatch.setattr(limits, limit, value)
    with pytest.raises(RejectedFile, match=r"zip with 51 members and a directory of 3,\d+ bytes \(allowed: "):
        read(path)


@pytest.mark.slow
def test_more_members_than_a_plain_zip_can_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members: dict[str, bytes | str] = {f"_journal/summaries/{i}.json": "" for i in range(66_000)}
    path = write_zip(tmp_path / "log.eval", members | {NAME: json.dumps(SAMPLE)}, zipfile.ZIP_STORED)
    assert only(read(path).evals[0]).sample_key == "1"
    monkeypatch.setattr(limits, "MAX_MEMBERS", 66_000)
    with pytest.raises(RejectedFile, match="zip with 66,002 members and a directory of"):
        read(path)


def test_a_reference_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"attachments": {"k": "x" * 10_000}, "metadata": {"a": ["attachment://k"] * 1000}}
    assert len(only(read(sample_log(tmp_path, fields)).evals[0]).metadata_json or "") > 10_000_000
    monkeypatch.setattr(limits, "MAX_RESOLVED_BYTES", 1_000_000)
    with pytest.raises(RejectedFile, match=r"references that unfold to more than 1,000,000 bytes"):
        read(sample_log(tmp_path, fields))


def chunked_log(tmp_path: Path, refs: list[list[int]], **members: Any) -> Path:
    """A log with one chunked sample."""
    folder = "samples/1_epoch_1"
    messages = json.dumps(
        [{"role": "user", "content": "attachment://0"}, {"role": "user", "content": "attachment://7"}]
    )
    written = {
        f"{folder}/sample.json": json.dumps(SAMPLE | {"message_refs": refs}),
        f"{folder}/messages/0.json": messages,
        f"{folder}/attachments/0.json": json.dumps(["zero"]),
    } | {f"{folder}/{name}": json.dumps(content) for name, content in members.items()}
    return write_zip(tmp_path / "log.eval", written)


def test_chunked_references(tmp_path: Path) -> None:
    sample = only(read(chunked_log(tmp_path, [[0, 2], [0, 1], [5, 3]])).evals[0])
    assert [message.text for message in sample.messages] == ["zero", "attachment://7", "zero"]


@pytest.mark.parametrize(
    ("refs", "reason"),
    [
        ([[0, 10**12]], "refers to more than 1,000,000 messages"),
        ([[0, 2]] * 600_000, "refers to more than 1,000,000 messages"),
        ([[0, 3]], "refers to message 2, which is not there"),
        ([[-1, 1]], "refers to message -1, which is not there"),
        ([["a", 1]], r"`$.message_refs[0][0]`"),
    ],
)
def test_absurd_chunked_references(tmp_path: Path, refs: list[list[Any]], reason: str) -> None:
    with pytest.raises(RejectedFile) as caught:
        read(chunked_log(tmp_path, refs))
    assert "samples/1_epoch_1/sample.json" in caught.value.reason
    assert reason in caught.value.reason


# What zipfile can do and Inspect doesn't


@pytest.mark.parametrize(("method", "number"), [(zipfile.ZIP_BZIP2, 12), (zipfile.ZIP_LZMA, 14)])
def test_other_compression_methods(tmp_path: Path, method: int, number: int) -> None:
    path = write_zip(tmp_path / "log.eval", {NAME: json.dumps(SAMPLE)}, method)
    with pytest.raises(RejectedFile, match=rf"header\.json uses compression method {number} \(Inspect writes 0 stored"):
        read(path)


def test_encrypted_members(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "log.eval", {NAME: json.dumps(SAMPLE)})

    def change(data: bytearray) -> None:
        data[directory_entry(data, NAME) + 8] |= 1

    with pytest.raises(RejectedFile, match=r"samples/1_epoch_1\.json is encrypted"):
        read(patched(path, change))


@pytest.mark.parametrize(
    "name", ["samples/../../etc/passwd_epoch_1.json", "samples//_epoch_1.json", "samples/\x1b[31m_epoch_1.json"]
)
def test_absurd_names_do_nothing(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "log.eval", {name: json.dumps(SAMPLE), "/etc/x": "1", "C:\\x": "2"})
    assert only(read(path).evals[0]).sample_key == "1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log.eval"]


def test_names_in_reasons_are_printable_and_short(tmp_path: Path) -> None:
    with pytest.raises(RejectedFile) as caught:
        read(write_zip(tmp_path / "log.eval", {f"samples/\x1b[31m{'x' * 5000}_epoch_1.json": "?"}))
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 400


# Texts and numbers


def test_lone_surrogates_and_nul_become_replacement_characters(tmp_path: Path) -> None:
    odd = "a\ud800b\x00c\U0001f388"
    sample = {
        "id": odd,
        "input": odd,
        "messages": [
            {"role": "user", "content": odd},
            {"role": "user", "content": [{"type": "text", "text": odd}, {"type": "reasoning", "reasoning": odd}]},
        ],
        "metadata": {odd: [odd]},
        "scores": {odd: {"value": {odd: odd}, "explanation": odd, "metadata": {"x": odd}}},
        "error": {"message": odd, "traceback": odd},
    }
    good = "a\ufffdb\ufffdc\U0001f388"
    record = only(read(sample_log(tmp_path, sample)).evals[0])
    assert (record.sample_key, record.input, record.error, record.error_traceback) == (good, good, good, good)
    assert [message.text for message in record.messages] == [good, good]
    assert record.messages[1].reasoning == good
    assert parsed(record.metadata_json, None) == {good: [good]}
    (row,) = record.scores
    assert (row.scorer, row.key, row.value_text, row.explanation) == (good, good, good, good)
    assert parsed(row.metadata_json, None) == {"x": good}


def test_nul_alone_in_an_otherwise_strict_document(tmp_path: Path) -> None:
    odd, good = "a\x00b", "a\ufffdb"
    fields = {
        "id": odd,
        "messages": [{"role": "user", "content": odd}],
        "metadata": {odd: odd},
        "scores": {odd: {"value": {odd: odd}, "reason": odd}},
        "target": [odd, "x"],
        "uuid": odd,
        "limit": {"type": odd, "limit": 1},
        "started_at": odd,
    }
    record = only(read(sample_log(tmp_path, fields)).evals[0])
    assert (record.sample_key, record.messages[0].text, record.uuid, record.limit_type) == (good, good, good, good)
    assert record.started_at is None, "a time that can't be read is missing"
    assert parsed(record.metadata_json, None) == {good: good}
    (row,) = record.scores
    assert (row.scorer, row.key, row.value_text, row.reason) == (good, good, good, good)
    assert parsed(record.target, None) == [good, "x"]


def test_nul_in_a_header(tmp_path: Path) -> None:
    odd, good = "a\x00b", "a\ufffdb"
    spec = HEADER["eval"] | {"task": odd, "model": odd, "tags": [odd], "metadata": {odd: odd}, "task_args": {odd: odd}}
    metrics = {odd: {"name": odd, "value": 1}}
    results = {"scores": [{"name": odd, "scorer": odd, "reducer": odd, "metrics": metrics}]}
    record = read(json_log(tmp_path, eval=spec, results=results)).evals[0]
    assert (record.task, record.model) == (good, good)
    assert parsed(record.tags_json, None) == [good]
    assert parsed(record.metadata_json, None) == parsed(record.task_args_json, None) == {good: good}
    (metric,) = record.reported
    assert (metric.metric, metric.scorer, metric.reducer) == (good, good, good)


def test_nan_anywhere_in_a_sample(tmp_path: Path) -> None:
    nan = float("nan")
    fields = {
        "metadata": {"a": nan, "b": [float("inf"), 1]},
        "events": [{"x": nan}],
        "scores": {"s": {"value": {"k": nan, "l": 1}, "metadata": {"m": nan}}, "t": {"value": [float("-inf"), "x"]}},
        "messages": [{"role": "assistant", "content": "", "tool_calls": [{"id": "1", "arguments": {"n": nan}}]}],
    }
    for path in (sample_log(tmp_path, fields), json_log(tmp_path, samples=[SAMPLE | fields])):
        record = only(read(path).evals[0])
        assert parsed(record.metadata_json, None) == {"a": None, "b": [None, 1]}
        assert parsed(record.messages[0].tool_calls_json, None)[0]["arguments"] == {"n": None}
        assert scores_of(record) == {("s", "k"): "nan", ("s", "l"): 1, ("t", "0"): float("-inf"), ("t", "1"): "x"}
        assert parsed(record.scores[0].metadata_json, None) == {"m": None}


def test_numbers_beyond_a_double(tmp_path: Path) -> None:
    huge = 10**400
    fields = {"scores": {"s": {"value": huge}, "t": {"value": 10**30}}, "metadata": {"n": huge}}
    record = only(read(sample_log(tmp_path, fields)).evals[0])
    assert (record.scores[0].value_type, record.scores[0].value_text) == ("infinite", str(huge))
    assert record.scores[1].value_num == 1e30
    assert parsed(record.metadata_json, None)["n"] == huge
    text = json.dumps(SAMPLE | {"scores": {"s": {"value": 7777}}}).replace("7777", "1e999")
    assert scores_of(only(read(sample_log(tmp_path, text)).evals[0])) == {("s", None): float("inf")}


@pytest.mark.parametrize("field", ["metadata", "scores", "id"])
def test_integers_that_python_won_t_parse(tmp_path: Path, field: str) -> None:
    value: Any = {"metadata": {"n": [0, 777]}, "scores": {"s": {"value": 777}}, "id": 777}[field]
    data = json.dumps(SAMPLE | {field: value}).replace("777", "7" * 5000)
    with pytest.raises(RejectedFile, match=r"samples/1_epoch_1\.json.*(integer|digits)"):
        read(sample_log(tmp_path, data))


def test_a_text_of_thousands_of_digits_is_fine(tmp_path: Path) -> None:
    digits = "7" * 20_000
    record = only(read(sample_log(tmp_path, {"metadata": {"n": digits}, "target": digits})).evals[0])
    assert parsed(record.metadata_json, None) == {"n": digits}


@pytest.mark.parametrize("field", ["samples", "scores", "messages", "metadata", "output", "score"])
def test_nan_where_something_else_belongs_is_null(tmp_path: Path, field: str) -> None:
    fields = {"samples": float("nan")} if field == "samples" else {"samples": [SAMPLE | {field: float("nan")}]}
    if field == "messages":
        with pytest.raises(RejectedFile, match=r"Expected `array`, got `null` - at `\$\.samples\[0\]\.messages`"):
            read(json_log(tmp_path, **fields))
    else:
        assert len(read(json_log(tmp_path, **fields)).evals[0].samples) == (field != "samples")


@pytest.mark.parametrize("field", ["metadata", "events", "messages", "target", "attachments"])
def test_deep_nesting_is_rejected(tmp_path: Path, field: str) -> None:
    data = json.dumps(SAMPLE)[:-1] + f', "{field}": ' + "[" * DEEP + "]" * DEEP + "}"
    with pytest.raises(RejectedFile, match=r"samples/1_epoch_1\.json"):
        read(sample_log(tmp_path, data))


def test_nesting_that_can_be_read_is_kept_with_its_references(tmp_path: Path) -> None:
    deep: Any = "attachment://k"
    for _ in range(100):
        deep = [deep]
    record = only(read(sample_log(tmp_path, {"metadata": {"d": deep}, "attachments": {"k": "text"}})).evals[0])
    assert (record.metadata_json or "").count("[") == 100
    assert "text" in (record.metadata_json or "")


# Logs from the future


def test_a_newer_json_log_is_rejected(tmp_path: Path) -> None:
    reason = "written by a newer Inspect: log version 3, known up to 2"
    with pytest.raises(RejectedFile, match=reason):
        read(json_log(tmp_path, version=3))
    with pytest.raises(RejectedFile, match=reason):
        read(json_log(tmp_path, version=3, eval={"tasks": []}))


def test_a_newer_zip_says_so_when_it_can_t_be_read(tmp_path: Path) -> None:
    header = json.dumps(HEADER | {"version": 9})
    path = write_zip(tmp_path / "log.eval", {"header.json": header, NAME: json.dumps(SAMPLE | {"input": {"new": 1}})})
    with pytest.raises(
        RejectedFile, match=r"newer Inspect: log version 9, known up to 2: samples/1_epoch_1\.json: Exp"
    ):
        read(path)
    path = write_zip(tmp_path / "log.eval", {"header.json": header, NAME: json.dumps(SAMPLE | {"new": {"field": 1}})})
    assert read(path).notes == ["log version 9, newer than the known 2: read as that one"]


# The process around it


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_collection_is_left_as_it_was(tmp_path: Path, enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        read(sample_log(tmp_path, {}))
        assert gc.isenabled() == enabled
        with pytest.raises(RejectedFile):
            read(sample_log(tmp_path, "?"))
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()
