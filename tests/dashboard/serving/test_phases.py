"""What a server's log tells: how far it is, and why it died."""

from __future__ import annotations

import pytest

from dashboard.serving.phases import phase, why


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("(Worker pid=1) INFO 11-24 [cpu_model_runner.py:68] Starting to load model /tmp/base...", "loading weights"),
        ("Loading safetensors checkpoint shards:   0% Completed | 0/1 [00:00<?, ?it/s]", "loading weights"),
        ("INFO [serving.py:226] Loaded new LoRA adapter: name 'a@1', path '/a'", "loading adapters"),
        ("INFO:     Uvicorn running on http://127.0.0.1:8000", "answering soon"),
        ("WARNING [vllm.py:1] Enforce eager set, disabling torch.compile, CUDAGraphs, and JIT kernel warmup.", None),
        ("(EngineCore) WARNING [vllm.py:1] disabling torch.compile, and JIT kernel warmup.", None),
        ("anything else", None),
    ],
)
def test_lines_tell_phases(line: str, told: str | None) -> None:
    assert phase(line) == told


def test_the_cause_is_told_and_not_what_followed_from_it() -> None:
    log = [
        "(APIServer) WARNING ulimit ... OSError: [Errno 24] Too many open files",
        "(Worker pid=1) ERROR 11-24 [x.py:1] Traceback (most recent call last):",
        "(Worker pid=1) ERROR 11-24 [x.py:1] \x1b[31mValueError: Available memory is less than desired\x1b[0m",
        "(EngineCore) ERROR [core.py:1] Exception: WorkerProc initialization failed due to an exception in a process",
        "RuntimeError: Engine core initialization failed. See root cause above.",
    ]
    assert why(log) == "  ValueError: Available memory is less than desired"


def test_the_words_of_a_command_that_it_does_not_know_are_a_cause() -> None:
    assert "unrecognized arguments: --nonsense" in why(
        ["usage: vllm", "vllm: error: unrecognized arguments: --nonsense"]
    )


def test_without_a_cause_the_last_lines_are_told() -> None:
    assert why([f"line {i}" for i in range(20)] + [""], most=2) == "  line 18\n  line 19"
