"""The tools that models were offered, as real logs keep them."""

from __future__ import annotations

from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log, resolve_sample_attachments

from loaders.errors import RejectedFile
from loaders.inspect.log import read
from loaders.inspect.offered import offered_tools
from tests.inspect_writer import eval_log, eval_sample, write_log
from tests.real_logs import LOGS, WITHOUT_SAMPLES

READABLE = [name for name in LOGS if not name.endswith(".txt")]


@pytest.mark.slow
@pytest.mark.parametrize("name", READABLE)
def test_agrees_with_the_oracle(shared_data: Path, name: str):
    path = shared_data / name
    samples = read_eval_log(path.as_posix()).samples or []
    assert bool(samples) != name.endswith(WITHOUT_SAMPLES)
    for sample in samples[:3]:
        sample = resolve_sample_attachments(sample, "full")
        asked = [event for event in sample.events if event.event == "model" and event.role is None]
        expected = {tool.name: tool.description for event in reversed(asked) for tool in reversed(event.tools)}
        found = offered_tools(path, str(sample.id), sample.epoch)
        if not asked:
            assert found is None
            continue
        assert found is not None
        assert {tool["name"]: tool["description"] for tool in found} == expected
        assert all(tool["parameters"]["type"] == "object" for tool in found)


def test_real_logs_offer_tools(shared_data: Path):
    path = shared_data / "inspect/tests/log/test_eval_log/log_message_deduplication.eval"
    sample = read(path).evals[0].samples[0]
    found = offered_tools(path, sample.sample_key, sample.epoch)
    assert [tool["name"] for tool in found or []] == ["bash", "python"]


def test_what_is_not_there_is_none_and_what_is_damaged_is_said(tmp_path: Path):
    path = write_log(eval_log([eval_sample("a/b")]), tmp_path / "log.eval")
    assert offered_tools(path, "a/b", 1) is None
    assert offered_tools(path, "a/b", 2) is None
    with pytest.raises(RejectedFile, match="can't be read"):
        offered_tools(tmp_path / "none.eval", "a", 1)
    (tmp_path / "bad.eval").write_bytes(path.read_bytes()[:200])
    with pytest.raises(RejectedFile, match="truncated zip"):
        offered_tools(tmp_path / "bad.eval", "a/b", 1)
