"""A part that is missing: skipped on a reader's computer, a failure where all are meant to be there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import real_parts


@pytest.fixture(params=[None, "1"])
def outcome(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[BaseException]:
    """What a missing part comes to; a CI that only says that it is one is a reader's computer."""
    monkeypatch.setenv("CI", "true")
    if request.param is None:
        monkeypatch.delenv(real_parts.ALL_PARTS, raising=False)
        return pytest.skip.Exception
    monkeypatch.setenv(real_parts.ALL_PARTS, request.param)
    return pytest.fail.Exception


def test_a_folder_that_is_not_there(outcome: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(outcome, match=r"missing: .*logs"):
        real_parts.folder(tmp_path / "logs")
    assert real_parts.folder(tmp_path) == tmp_path


def test_a_program_under_none_of_its_names(outcome: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(outcome, match=r"no one on this computer \(looked for one, other\)"):
        real_parts.program("one", "other", path=str(tmp_path))
    (tmp_path / "other").touch(0o755)
    assert real_parts.program("one", "other", path=str(tmp_path)) == str(tmp_path / "other")


def test_a_server_that_nothing_names(outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_VLLM", "")
    with pytest.raises(outcome, match="DRIFTLINE_VLLM names no server"):
        real_parts.server("DRIFTLINE_VLLM")
    monkeypatch.setenv("DRIFTLINE_VLLM", "/bin/vllm")
    assert real_parts.server("DRIFTLINE_VLLM") == "/bin/vllm"
