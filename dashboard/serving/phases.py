"""What a server is doing while it loads, as its log tells it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

PHASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), phase)
    for pattern, phase in (
        (r"Resolved architecture|non-default args", "reading the model's settings"),
        (r"Initializing a V1 LLM engine", "starting the engine"),
        (r"Starting to load model|Loading safetensors|llama_model_loader: loaded", "loading weights"),
        (r"Loading weights took|Model loading took|load_tensors", "weights are loaded"),
        (r"Dynamo bytecode transform|Compiling a graph|torch\.compile takes", "compiling"),
        (r"KV cache size|Available KV cache memory|llama_kv_cache", "setting memory aside"),
        (r"Capturing CUDA graph|Graph capturing|warmup|warming up", "warming up"),
        (r"Loaded new LoRA adapter", "loading adapters"),
        (r"Starting vLLM|Application startup complete|Uvicorn running|server is listening", "answering soon"),
    )
)
"""What a line of a log shows, in the order in which vLLM goes through them."""

CAUSE = re.compile(r"\b(?:[A-Za-z_]+\.)*[A-Z]\w*(?:Error|Exception|Interrupt): .+|\berror: .+|.*: error .+", re.ASCII)
"""What a Python program says last of why it failed, and what a command says of its words."""
NO_CAUSE = ("WARNING ", "Engine core initialization failed", "WorkerProc initialization failed")
"""Warnings, and what is said of the failure of a process below: its cause stands further up."""


def phase(line: str) -> str | None:
    """What a line tells that the server is doing; None where it tells nothing."""
    if "WARNING " in line:  # they tell of phases that are left out
        return None
    return next((name for pattern, name in PHASES if pattern.search(line)), None)


def why(lines: Sequence[str], most: int = 8) -> str:
    """Why a server died, as its log tells it: the errors that it names, else its last lines."""
    plain = [_plain(line) for line in lines if line.strip()]
    causes = [found[0] for line in plain if (found := CAUSE.search(line)) and not any(no in line for no in NO_CAUSE)]
    told = list(dict.fromkeys(causes))[-3:] or plain[-most:]
    return "\n".join(f"  {line}" for line in told)


def _plain(line: str) -> str:
    """A line without what would move the cursor or colour the terminal."""
    line = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line.rstrip())
    return "".join(c if c.isprintable() or c == "\t" else " " for c in line)[:600]
