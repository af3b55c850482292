"""A vLLM server on loopback for as long as the eval runs: the base, and each checkpoint as a LoRA module."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .settings import BASE_RUN

PATIENCE = 300
"""Seconds that the server may take to load."""
ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}


@contextmanager
def served(command: str, base: Path, adapters: dict[str, Path], log: Path) -> Iterator[tuple[str, str]]:
    """Runs a server and gives its address (with /v1) and its key.

    Args:
        command: The `vllm` command.
        adapters: Names of LoRA modules, and the folders they lie in.
        log: Where the server's own output goes.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = secrets.token_hex(16)
    arguments = [command, "serve", str(base), "--served-model-name", BASE_RUN, "--host", "127.0.0.1"]
    arguments += ["--port", str(port), "--max-model-len", "1024", "--dtype", "bfloat16", "--enforce-eager"]
    arguments += ["--max-num-seqs", "16", "--api-key", key]
    if adapters:
        arguments += ["--enable-lora", "--max-lora-rank", "8", "--max-loras", "1", "--max-cpu-loras", "32"]
        arguments += ["--lora-modules", *(f"{name}={folder}" for name, folder in adapters.items())]
    with log.open("wb") as output:
        server = subprocess.Popen(arguments, env=os.environ | ENVIRONMENT, stdout=output, stderr=output)
        try:
            _wait(server, f"http://127.0.0.1:{port}/health", log)
            yield f"http://127.0.0.1:{port}/v1", key
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"vLLM ended with {server.returncode} before it was ready: see {log}")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise SystemExit(f"vLLM was not ready after {PATIENCE} s: see {log}")
