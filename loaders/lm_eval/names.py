"""What the harness and its users put into file names: when it was, and of which task."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from loaders.packed import plain_name, suffix_of

ISO_STAMP = re.compile(r"_(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d{1,6})?)(?=\.jsonl?(?:\.gz)?$)")
"""Today's harness: `datetime.now().isoformat()` with its colons as dashes."""
NEOX_STAMP = re.compile(r"(?:^|_)eval_results_(\d{2}-\d{2}-\d{4}-\d{2}-\d{2}-\d{2})\.json(?:\.gz)?$")
"""GPT-NeoX's `evaluate.py`: month first."""
SAMPLES_PREFIX = "samples_"
SAMPLES_SUFFIXES = frozenset({".json", ".jsonl"})
"""`.json` was written for some weeks of 2024, before 0.4.3."""
NAMED_BY_ARGUMENTS = re.compile(r"^[A-Za-z]\w*?(?:__|=).*_.*\.jsonl(?:\.gz)?$")
"""Samples of 0.4.0 to 0.4.2: `pretrained__org__model,dtype__float_TASK.jsonl`, the model's arguments and the task."""
_UNSPOKEN = re.compile(r"[^A-Za-z0-9.,+-]+")
"""What those versions and their forks replaced in the arguments, one more than the other."""


def iso_stamp(name: str) -> str | None:
    """The date in a file name as the harness writes it, which results and samples of one evaluation share."""
    found = ISO_STAMP.search(name)
    return found[1] if found else None


def created(name: str) -> datetime | None:
    """When a file was written, where its name says so unambiguously; taken as UTC, for it names no timezone."""
    stamp = iso_stamp(name)
    if stamp:
        day, _, clock = stamp.partition("T")
        return _parsed(f"{day}T{clock.replace('-', ':')}", "%Y-%m-%dT%H:%M:%S" + (".%f" if "." in clock else ""))
    found = NEOX_STAMP.search(name)
    return _parsed(found[1], "%m-%d-%Y-%H-%M-%S") if found else None


def samples_task(name: str) -> str:
    """The task in the name of a samples file: `samples_TASK_DATE.jsonl`, with or without either end."""
    stem = plain_name(ISO_STAMP.sub("", name)).removeprefix(SAMPLES_PREFIX)
    return stem.removesuffix(".jsonl").removesuffix(".json")


def is_samples(name: str) -> bool:
    """Whether a file is called as the harness has called samples files since the middle of 2024."""
    return name.startswith(SAMPLES_PREFIX) and suffix_of(name) in SAMPLES_SUFFIXES


def of_arguments(name: str, model_args: str, task: str) -> bool:
    """Whether 0.4.0 to 0.4.2 called the samples of `task` so, given these arguments of the model."""
    stem = plain_name(name).removesuffix(".jsonl")
    return suffix_of(name) == ".jsonl" and _UNSPOKEN.sub("_", f"{model_args}_{task}") == _UNSPOKEN.sub("_", stem)


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None
