"""Notes of running servers: left, believed, joined to what is declared, and gone with their process."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from dashboard.probe.endpoints import Declared, Endpoint, Match
from dashboard.serving import notes
from dashboard.serving.notes import Note

KEY = "a-key-that-nobody-else-may-read"


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def a_note(name: str = "rl (vLLM)") -> Note:
    return notes.note(name, "http://127.0.0.1:8123/v1", KEY, "vllm", {"base": None, "rl@100": "rl@100"}, 8)


def test_a_note_is_found_and_nobody_else_can_read_it() -> None:
    path = notes.leave(a_note())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    (found,) = notes.served()
    assert (found.url, found.key, found.models) == ("http://127.0.0.1:8123/v1", KEY, {"base": None, "rl@100": "rl@100"})
    assert KEY not in repr(found)
    notes.remove(found)
    assert notes.served() == []


def test_a_server_becomes_an_endpoint_whose_key_is_found_by_name_only() -> None:
    notes.leave(a_note())
    notes.leave(a_note())
    declared = Declared(
        (Endpoint("rl (vLLM)", "openai", "https://cluster/v1", key="CLUSTER_KEY"),), (Match("m", "rl@5"),)
    )
    joined = notes.joined(declared, notes.served())
    assert [(endpoint.name, endpoint.url) for endpoint in joined.endpoints] == [
        ("rl (vLLM)", "https://cluster/v1"),
        ("rl (vLLM) 2", "http://127.0.0.1:8123/v1"),
        ("rl (vLLM) 3", "http://127.0.0.1:8123/v1"),
    ]
    assert joined.matches == (
        Match("m", "rl@5"), Match("rl@100", "rl@100", "rl (vLLM) 2"), Match("rl@100", "rl@100", "rl (vLLM) 3"),
    )  # fmt: skip
    assert KEY not in repr(joined)
    assert [notes.key_of(endpoint.key or "") for endpoint in joined.endpoints] == [None, KEY, KEY]
    assert notes.key_of("driftline serve ../../etc/passwd") is None
    assert notes.key_of("HOME") is None


def test_a_note_of_a_dead_process_is_ignored_and_cleared_away() -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    path = notes.leave(replace(a_note(), pid=dead.pid, started="1"))
    reused = notes.leave(replace(a_note(), id="0" * 16, pid=os.getppid(), started="1"))
    assert notes.served() == []
    assert not path.exists()
    assert not reused.exists()


def test_a_note_of_another_computer_that_shares_the_folder_is_left_alone() -> None:
    path = notes.leave(replace(a_note(), host="another"))
    assert notes.served() == []
    assert path.exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.5:8123/v1", "https://127.0.0.1:8123/v1", "http://127.0.0.1.evil.example:80/v1",
        "http://localhost:8123/v1", "http://user@127.0.0.1:8123/v1", "file:///etc/passwd", "http://127.0.0.1:x/v1",
    ],
)  # fmt: skip
def test_only_loopback_is_believed(url: str) -> None:
    notes.leave(replace(a_note(), url=url))
    assert notes.served() == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_note_that_others_can_read_is_not_believed(mode: int) -> None:
    path = notes.leave(a_note())
    path.chmod(mode)
    assert notes.served() == []
    assert notes.key_of(notes.KEY_PREFIX + path.stem) is None


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a file away")
def test_a_note_of_another_user_is_not_believed() -> None:
    path = notes.leave(a_note())
    os.chown(path, 12345, 12345)
    assert notes.served() == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", json.dumps({"id": "x", "name": 7}).encode(), b"\xff\xfe", b"0" * 2_000_000]
)
def test_what_is_no_note_is_ignored(content: bytes) -> None:
    folder = notes.private_folder(notes.folder())
    path = folder / "0123456789abcdef.json"
    path.write_bytes(content)
    path.chmod(0o600)
    assert notes.served() == []


def test_a_link_a_pipe_or_a_note_under_another_name_is_ignored(tmp_path: Path) -> None:
    path = notes.leave(a_note())
    elsewhere = tmp_path / "elsewhere.json"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    os.mkfifo(path.with_name("fedcba9876543210.json"), 0o600)
    path.with_name("0123456789abcdef.json").write_bytes(elsewhere.read_bytes())
    path.with_name("0123456789abcdef.json").chmod(0o600)
    assert notes.served() == []


def test_a_folder_that_others_could_enter_is_closed_and_one_that_is_a_link_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    notes.private_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    link = tmp_path / "link"
    link.symlink_to(folder)
    with pytest.raises(PermissionError, match="not a folder of this user"):
        notes.private_folder(link)


def test_without_a_folder_nothing_is_served() -> None:
    assert notes.served() == []
