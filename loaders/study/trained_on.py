"""The data that a training configuration names: the mix of a run that no card or log tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from loaders.study.cards import Mix, MixComponent

MIXES = ("data_mix", "training_mix", "mix", "mixture")
"""Fields that name a mix as a whole; the first that is given counts."""
DATASETS = (
    "domains", "datasets", "dataset", "dataset_name", "train_datasets", "train_dataset", "train_data", "train_file",
    "training_data", "dataset_path", "data_path", "data_files",
)  # fmt: skip
"""Fields that name its parts; the first that is given counts."""
SIZES = ("total_samples", "num_samples", "num_train_samples", "train_samples", "num_examples", "dataset_size")
"""How many examples there are in all."""


def mix_of_config(config: Any) -> Mix | None:
    """The mix that a training configuration names, with its size in examples; None where it names none."""
    if not isinstance(config, Mapping):
        return None
    parts: dict[str, int | None] = next((told for name in DATASETS if (told := _parts(config.get(name)))), {})
    whole = next((text for name in MIXES if (text := _text(config.get(name)))), None)
    name = whole or "+".join(parts) or None
    if name is None:
        return None
    size = next((count for field in SIZES if (count := _count(config.get(field))) is not None), None)
    if len(parts) < 2:
        (part, own) = next(iter(parts.items()), (name, None))
        return Mix(name=name, components=(MixComponent(name=part, share=1.0, examples=own or size or UNSET),))
    counts = [count for count in parts.values() if count is not None]
    total = sum(counts) if len(counts) == len(parts) else None
    components = (
        MixComponent(name=part, examples=count or UNSET, share=count / total if count is not None and total else None)
        for part, count in parts.items()
    )
    return Mix(name=name, components=tuple(components))


def _parts(said: Any) -> dict[str, int | None]:
    """Names of data sets, each with its number of examples where it is told: of a text, a list or a mapping."""
    if isinstance(said, Mapping):
        named = _text(said.get("name") or said.get("path"))
        if named:
            return {named: _size_of(said)}
        return {_file_name(str(name)): _count(size) or _size_of(size) for name, size in said.items()}
    found: dict[str, int | None] = {}
    for each in said if isinstance(said, list) else [said]:
        if isinstance(each, Mapping):
            found |= _parts(each) if each.get("name") or each.get("path") else {}
        elif text := _text(each):
            found[text] = None
    return found


def _size_of(said: Any) -> int | None:
    if not isinstance(said, Mapping):
        return None
    return next((count for field in (*SIZES, "samples", "n", "size") if (count := _count(said.get(field)))), None)


def _text(value: Any) -> str | None:
    return _file_name(value.strip()) or None if isinstance(value, str) else None


def _file_name(said: str) -> str:
    """A file's name without folders and ending; names of other kinds (org/name) as they are."""
    last = said.rstrip("/").rpartition("/")[2]
    for ending in (".jsonl", ".json", ".parquet", ".csv", ".txt"):
        if last.endswith(ending):
            return last.removesuffix(ending)
    return last if said.startswith(("/", ".", "~")) else said


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e15:
        return None
    return int(value) if value == int(value) else None
