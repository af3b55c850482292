"""Which files belong together: `UUID.json` and `UUID_samples.jsonl`."""

from __future__ import annotations

from pathlib import Path

from loaders.packed import ENDING, plain_name, suffix_of

SAMPLES = "_samples.jsonl"


def samples_names(name: str) -> tuple[str, ...]:
    """How the samples of a record are called, by its name; none for what is no record by name."""
    if suffix_of(name) != ".json":
        return ()
    beside = plain_name(name)[: -len(".json")] + SAMPLES
    return beside, beside + ENDING


def samples_beside(path: Path) -> list[Path]:
    """The samples beside a record; of the same plain and packed, the plain ones."""
    return [other for name in samples_names(path.name) if (other := path.with_name(name)).is_file()][:1]
