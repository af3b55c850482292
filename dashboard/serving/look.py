"""What lies where the weights of a checkpoint are said to be: an adapter with its rank, whole weights, or nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dashboard.queries.servable import Servable
from dashboard.serving.plan import Adapter, Wanted
from loaders.errors import DriftlineError
from loaders.study.weights import HUB, PACKAGE

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
CONFIG = "adapter_config.json"
ADAPTER_FILES = ("adapter_model.safetensors", "adapter_model.bin", "adapter_model.pt")


def look(one: Servable) -> Wanted:
    """The checkpoint with what lies there.

    Raises:
        DriftlineError: Nothing lies there, or nothing that can be served; or nothing says what the adapter's base is.
    """
    folder = one.adapter or (one.folder if one.folder and Path(one.folder, CONFIG).is_file() else None)
    if one.weights:
        return Wanted(name=one.name, weights=_weights(one.name, one.weights, "run card"), told_by="run card")
    if folder:
        return _adapted(one, Path(folder))
    if one.untrained and one.base:
        base_name = _short(one.base_model)
        weights = _weights(one.name, one.base, "run card")
        return Wanted(name=one.name, weights=weights, told_by="run card", base_name=base_name)
    if one.folder and Path(one.folder, "config.json").is_file():
        return Wanted(name=one.name, weights=one.folder, told_by="the trainer's folder")
    raise DriftlineError(
        f"{one.name}: {one.folder} holds neither an adapter ({CONFIG}) nor whole weights (config.json). Name them in"
        f" the run.yaml of {one.run}: `adapter:` or `weights:` below `checkpoints:`."
    )


def _adapted(one: Servable, folder: Path) -> Wanted:
    file = folder / CONFIG
    try:
        config = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise DriftlineError(f"{one.name}: its adapter can't be read: {file}: {error}.") from error
    if not isinstance(config, dict):
        raise DriftlineError(f"{one.name}: {file} holds no JSON object, which PEFT writes.")
    if not any((folder / name).is_file() for name in ADAPTER_FILES):
        raise DriftlineError(f"{one.name}: {folder} has no {ADAPTER_FILES[0]}.")
    adapter = Adapter(str(folder), _rank(one, file, config))
    stated = config.get("base_model_name_or_path")
    base_name = _short(one.base_model) or _short(stated)
    if one.base:
        weights, told_by = one.base, "run card"
    elif isinstance(stated, str) and (HUB_NAME.fullmatch(stated) or Path(stated).is_absolute()):
        weights, told_by = stated if Path(stated).is_absolute() else HUB + stated, CONFIG
    else:
        raise DriftlineError(
            f"{one.name}: the path of the base weights of its adapter is unknown. Name them as `weights:` in the"
            f" run.yaml of {one.run}: a path, package:MODULE/FILE or hub:ORG/NAME."
        )
    weights = _weights(one.name, weights, told_by)
    return Wanted(name=one.name, weights=weights, told_by=told_by, adapter=adapter, base_name=base_name)


def _rank(one: Servable, file: Path, config: dict[str, Any]) -> int:
    """The highest rank of an adapter that can be served.

    Raises:
        DriftlineError: It is no plain LoRA.
    """
    kind = config.get("peft_type", "LORA")
    for wrong, what in (
        (kind != "LORA", f"peft_type {kind}"),
        (bool(config.get("use_dora")), "use_dora"),
        (bool(config.get("modules_to_save")), "modules_to_save"),
        (config.get("bias", "none") not in ("none", None), "a bias"),
    ):
        if wrong:
            raise DriftlineError(
                f"{one.name}: {file} has {what}, and only plain LoRA adapters can be served beside their base. Merge"
                " it into the base, and name the merged weights in the run card."
            )
    patterns = config.get("rank_pattern")
    ranks = [config.get("r"), *(patterns.values() if isinstance(patterns, dict) else ())]
    if not all(isinstance(rank, int) and not isinstance(rank, bool) and rank > 0 for rank in ranks):
        raise DriftlineError(f"{one.name}: {file} has no whole number above 0 as rank `r`.")
    return int(max(ranks))


def _weights(name: str, weights: str, told_by: str) -> str:
    if not weights.startswith((HUB, PACKAGE)) and not Path(weights).exists():
        raise DriftlineError(f"{name}: its weights are not there: {weights} ({told_by}).")
    return weights


def _short(model: object) -> str | None:
    """The name of a model without its organisation or folders."""
    if not isinstance(model, str):
        return None
    return model.rstrip("/").rpartition("/")[2] or None
