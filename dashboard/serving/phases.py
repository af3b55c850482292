"""What a server is doing while it loads, as its log tells it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

PHASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), phase)
    for pattern, phase in (
        (r"Resolved architecture|non-default args", "reading the model's settings"),
        (r"Initializing a V1 LLM engine", "starting the engine"),
        (r"Starting to load model|Loading safetensors|llama_model_loader: loaded", "loading weights"),
        (r"Loading weights took|Model loading took|load_tensors", "weights are loaded"),
        (r"torch\.compile|Dynamo bytecode|Compiling", "compiling"),
        (r"KV cache size|Available KV cache memory|llama_kv_cache", "setting memory aside"),
        (r"Capturing CUDA graph|Graph capturing|warmup|warming up", "warming up"),
        (r"Loaded new LoRA adapter", "loading adapters"),
        (r"Starting vLLM|Application startup complete|Uvicorn running|server is listening", "answering soon"),
    )
)
"""What a line of a log shows, in the order in which vLLM goes through them."""

NOISE = re.compile(r"^\s*(?:$|File \"|\^+\s*$|~+)|NUMA binding|FutureWarning|ERROR .*\]\s*$")


def phase(line: str) -> str | None:
    """What a line tells that the server is doing; None where it tells nothing."""
    return next((name for pattern, name in PHASES if pattern.search(line)), None)


def why(lines: Iterable[str], most: int = 12) -> str:
    """The last lines of a log that may say why a server died."""
    told = [line.rstrip() for line in lines if not NOISE.search(line)]
    return "\n".join(f"  {_plain(line)}" for line in told[-most:])


def _plain(line: str) -> str:
    """A line without what would move the cursor or colour the terminal."""
    line = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)
    return "".join(c if c.isprintable() or c == "\t" else " " for c in line)[:500]
