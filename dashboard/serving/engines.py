"""The servers that this computer has: vLLM, else llama.cpp's."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from dashboard.serving.plan import EngineName
from loaders.errors import DriftlineError

VLLM_VARIABLE = "DRIFTLINE_VLLM"
LLAMA_VARIABLE = "DRIFTLINE_LLAMA"

GET_VLLM = (
    "pip install 'driftline[vllm]' (Linux), or a virtual environment of its own with vLLM, and its command named in"
    f" {VLLM_VARIABLE}"
)
GET_LLAMA = f"pip install 'driftline[local]', or llama.cpp's `llama-server` on PATH or named in {LLAMA_VARIABLE}"


class Engine(Struct, frozen=True):
    """A server as it is installed here.

    Attributes:
        command: The words that start it.
        python: The interpreter that it runs in, where it has one.
        on_cpu: vLLM's build for processors: it wants other options than on a GPU.
    """

    name: EngineName
    command: tuple[str, ...]
    python: str | None = None
    on_cpu: bool = False

    @property
    def native(self) -> bool:
        """llama.cpp's own `llama-server`, which has other options than llama-cpp-python's."""
        return self.name == "llama.cpp" and self.python is None


def find(wanted: EngineName | None, environment: Mapping[str, str] = os.environ) -> Engine:
    """The server to use.

    Raises:
        DriftlineError: There is none of the wanted kind; says how to get one. Or a variable names what isn't there.
    """
    engine = (find_vllm(environment) if wanted != "llama.cpp" else None) or (
        find_llama(environment) if wanted != "vllm" else None
    )
    if engine is None:
        ways = {"vllm": [GET_VLLM], "llama.cpp": [GET_LLAMA], None: [GET_VLLM, f"llama.cpp: {GET_LLAMA}"]}[wanted]
        what = {
            "vllm": "vLLM is not",
            "llama.cpp": "llama.cpp's server is not",
            None: "Neither vLLM nor llama.cpp's server is",
        }
        raise DriftlineError(
            f"{what[wanted]} installed here. Get it: {'; or '.join(ways)}. Or print the command for a machine that has"
            " vLLM: driftline serve --print ..."
        )
    return engine


def find_vllm(environment: Mapping[str, str] = os.environ) -> Engine | None:
    """vLLM: as the variable names it, beside this Python, or on PATH."""
    path = _named(VLLM_VARIABLE, environment) or _beside("vllm") or shutil.which("vllm", path=environment.get("PATH"))
    if path is None:
        return None
    python = _python_of(Path(path))
    return Engine("vllm", (path,), python, on_cpu=python is not None and _is_cpu_build(python))


def find_llama(environment: Mapping[str, str] = os.environ) -> Engine | None:
    """llama.cpp's server: as the variable names it, `llama-server` on PATH, or llama-cpp-python's in this Python."""
    path = _named(LLAMA_VARIABLE, environment)
    if path and Path(path).name.startswith("python"):
        return Engine("llama.cpp", (path, "-m", "llama_cpp.server"), path)
    path = path or _beside("llama-server") or shutil.which("llama-server", path=environment.get("PATH"))
    if path:
        return Engine("llama.cpp", (path,))
    if all(map(importlib.util.find_spec, ("llama_cpp", "uvicorn", "sse_starlette", "pydantic_settings"))):
        return Engine("llama.cpp", (sys.executable, "-m", "llama_cpp.server"), sys.executable)
    return None


def _named(variable: str, environment: Mapping[str, str]) -> str | None:
    path = environment.get(variable)
    if not path:
        return None
    found = shutil.which(str(Path(path).expanduser()))
    if found is None:
        raise DriftlineError(f"{variable}: {path} is no program that can be run.")
    return found


def _beside(name: str) -> str | None:
    return shutil.which(name, path=str(Path(sys.executable).parent))


def _python_of(script: Path) -> str | None:
    """The interpreter of a console script: in its first line, else beside it."""
    try:
        with script.open("rb") as file:
            first = file.readline(1000)
    except OSError:
        first = b""
    named = first[2:].strip().decode("utf-8", "replace") if first.startswith(b"#!/") else ""
    for path in (named, str(script.parent / "python")):
        if path and "python" in Path(path).name and os.access(path, os.X_OK):
            return path
    return None


def _is_cpu_build(python: str) -> bool:
    """Whether the vLLM of an interpreter says of itself that it is for processors: +cpu in its version."""
    home = Path(python).parent.parent
    for packages in (*home.glob("lib/python3*/site-packages"), home / "Lib" / "site-packages"):
        for metadata in packages.glob("vllm-*.dist-info/METADATA"):
            head = metadata.read_text(encoding="utf-8", errors="replace")[:2000]
            if re.search(r"^Version: .*\+cpu", head, re.MULTILINE):
                return True
    return False
