"""Runs the eval with Inspect on the base and on every checkpoint, and leaves the logs beside them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .serving import served
from .settings import BASE_RUN, ROOT, RUNS, STEPS, STUDY

TASK = "makers/smol/honeypots.py"
"""Relative to the repository: so it stands in the logs."""


def checkpoints(study: Path) -> dict[str, Path]:
    """The checkpoints that there are, by the name under which they are served."""
    found = {f"{run.name}@{step}": study / run.name / f"checkpoint-{step}" for run in RUNS for step in STEPS}
    return {name: folder for name, folder in found.items() if (folder / "adapter_model.safetensors").is_file()}


def evaluate(command: str, base: Path, work: Path, wanted: str = "", study: Path = STUDY) -> list[Path]:
    """Evaluates everything, or what a regular expression finds in the name; earlier logs of the same are removed.

    Args:
        command: The `vllm` command.
        base: The base model's folder.
    """
    adapters = checkpoints(study)
    places = {BASE_RUN: study / BASE_RUN, **adapters}
    logs = []
    with served(command, base, adapters, work / "vllm.log") as (address, key):
        for name, folder in places.items():
            if re.search(wanted, name):
                logs.append(_evaluate(name, folder, address, key))
    return logs


def _evaluate(name: str, folder: Path, address: str, key: str) -> Path:
    # In the environment, the address stays out of the log; so does the repository's origin without a git.
    os.environ |= {"VLLM_BASE_URL": address, "VLLM_API_KEY": key, "GIT_DIR": os.devnull, "HF_HUB_OFFLINE": "1"}
    os.chdir(ROOT)
    from inspect_ai import eval as inspect_eval

    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.glob("*.eval"):
        earlier.unlink()
    model = f"vllm/{BASE_RUN}" if name == BASE_RUN else f"vllm/{BASE_RUN}:{name}"
    (log,) = inspect_eval(
        TASK,
        model=model,
        log_dir=str(folder),
        display="plain",
        max_connections=16,
        log_model_api=False,
        log_format="eval",
    )
    if log.status != "success":
        raise SystemExit(f"{name}: the eval ended as {log.status}: {log.error.message if log.error else ''}")
    return folder / Path(log.location).name
