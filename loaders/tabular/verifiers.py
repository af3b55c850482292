"""The metadata.json that the library verifiers writes beside a table of rollouts: what it says of the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.json_text import decode, json_text
from loaders.packed import plain_name, read_plain
from loaders.records import LoadedFile, ReportedMetric

TABLE, METADATA = "results.jsonl", "metadata.json"
SIGNS = (b'"env_id"', b'"env"', b'"rollouts_per_example"')


def companion(path: Path) -> list[Path]:
    """The metadata beside a table of rollouts; none where it is no file of verifiers."""
    if plain_name(path.name) != TABLE:
        return []
    beside = path.with_name(METADATA)
    try:
        with beside.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return []
    return [beside] if any(sign in head for sign in SIGNS) else []


def complete(loaded: LoadedFile, metadata: Path) -> None:
    """Add what the metadata says to a table that is one eval: its model, how many rollouts were planned, the reward.

    Raises:
        RejectedFile: It is no JSON object.
    """
    try:
        told = decode(read_plain(metadata))
    except (OSError, ValueError) as error:
        raise RejectedFile(metadata, f"{METADATA} beside it can't be read: {error}") from error
    if not isinstance(told, dict):
        raise RejectedFile(metadata, f"{METADATA} beside it holds a JSON {type(told).__name__}, not an object")
    for record in loaded.evals:
        model = told.get("model")
        record.model = record.model or (model if isinstance(model, str) else None)
        record.metadata_json = record.metadata_json or json_text(told)
    if len(loaded.evals) != 1:
        return
    (record,) = loaded.evals
    examples, rollouts = _count(told.get("num_examples")), _count(told.get("rollouts_per_example")) or 1
    if examples:
        record.n_planned = examples * rollouts
    if isinstance(reward := told.get("avg_reward"), int | float) and not isinstance(reward, bool):
        record.reported.append(ReportedMetric("mean", float(reward), scorer="reward"))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else None
