"""What a format of another package does, checked before anything believes it: its answers, and what it raises."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from loaders.errors import TOLD, RejectedFile
from loaders.json_text import clean
from loaders.records import EvalRecord, LoadedFile, SampleRecord, ScoreRecord, standard_error

T = TypeVar("T")

STATUSES = ("success", "error", "cancelled", "started")
ROLES = ("system", "user", "assistant", "tool")
MOST = 2**63
"""Whole numbers are kept in 64 bits."""
NAMED = 3
"""So many faults of a file are named."""


class Faulty(Exception):
    """What a format did that it may not: the end of a sentence that begins with its name."""


def guarded(what: str, call: Callable[[], T]) -> T:
    """Call a function of a format.

    Args:
        what: The function, for people.
        call: Calls it.

    Raises:
        RejectedFile: The format rejects the file.
        Faulty: It raised anything else. `sys.exit` is no end of an ingest either; Ctrl+C is.
    """
    try:
        return call()
    except RejectedFile as error:
        if isinstance(error.reason, str):
            raise
        raise Faulty(f"rejects the file without a reason in {what}") from error
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        told = " ".join(str(error).split()) or "without a word"
        told = told if len(told) <= TOLD else f"{told[:TOLD]}..."
        raise Faulty(f"raised {type(error).__name__} in {what} ({told})") from error


def yes_or_no(what: str, value: Any) -> bool:
    """What `matches` and `is_document` return.

    Raises:
        Faulty: It is no boolean.
    """
    if not isinstance(value, bool):
        raise Faulty(f"returned a {type(value).__name__} from `{what}`, where True or False is expected")
    return value


def paths(value: Any) -> list[Path]:
    """What `companions` returns.

    Raises:
        Faulty: It is no list of paths.
    """
    if not isinstance(value, list) or not all(isinstance(path, Path) for path in value):
        raise Faulty("returned something else from `companions` than a list of paths")
    return value


def endings(value: Any) -> tuple[str, ...]:
    """A format's ENDINGS.

    Raises:
        Faulty: They are no endings.
    """
    if not isinstance(value, tuple | list | set | frozenset) or not all(
        isinstance(one, str) and one.startswith(".") and len(one) > 1 and one == one.lower() for one in value
    ):
        raise Faulty(f"has ENDINGS {value!r} (expected: a tuple such as ('.log',), in lower case)")
    return tuple(sorted(value))


def loaded(value: Any, name: str) -> LoadedFile:
    """What `read` returned, as records that the store can hold.

    Raises:
        Faulty: It is something else, or breaks a rule of `loaders.records`; names where.
    """
    if not isinstance(value, LoadedFile):
        raise Faulty(f"returned a {type(value).__name__} from `read`, where a LoadedFile is expected")
    try:
        plain = msgspec.to_builtins(value)
        file = msgspec.convert(plain, LoadedFile)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
        raise Faulty(f"returned records that can't be kept from `read` ({error})") from error
    if file.format != name:
        raise Faulty(f"returned a file of format {file.format!r} from `read`, and is registered as {name!r}")
    if not file.evals and not file.checkpoints:
        raise Faulty("returned neither evals nor checkpoints from `read`")
    found = list(islice(_problems(plain, file), NAMED))
    if found:
        raise Faulty(f"returned records that can't be kept from `read` ({'; '.join(found)})")
    return file


def _problems(plain: Any, file: LoadedFile) -> Iterator[str]:
    yield from _values(plain, "")
    for at, record in enumerate(file.evals):
        yield from _of_eval(record, f"evals[{at}]")


def _values(value: Any, where: str) -> Iterator[str]:
    """Texts, numbers and JSON anywhere in the records that break a rule."""
    if isinstance(value, dict):
        for name, item in value.items():
            inner = f"{where}.{name}".lstrip(".")
            if name.endswith("_json") and isinstance(item, str):
                yield from _json(item, inner)
            yield from _values(item, inner)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _values(item, f"{where}[{at}]")
    elif isinstance(value, str):
        if clean(value) != value:
            yield f"{where} holds NUL or half a surrogate: see loaders.json_text.clean"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{where} is {value}: None where it is missing"
    elif isinstance(value, int) and not -MOST <= value < MOST:
        yield f"{where} needs more than 64 bits"


def _json(text: str, where: str) -> Iterator[str]:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        yield f"{where} is no JSON ({error})"


def _of_eval(record: EvalRecord, where: str) -> Iterator[str]:
    if not record.task:
        yield f"{where}.task is empty"
    if record.status not in STATUSES:
        yield f"{where}.status is {record.status!r} (allowed: {', '.join(STATUSES)})"
    seen: set[tuple[str, int]] = set()
    for at, sample in enumerate(record.samples):
        key = (sample.sample_key, sample.epoch)
        if key in seen:
            yield f"{where}.samples[{at}] is sample {sample.sample_key!r} in epoch {sample.epoch} a second time"
        seen.add(key)
        yield from _of_sample(sample, f"{where}.samples[{at}]")
    for at, metric in enumerate(record.reported):
        inner = f"{where}.reported[{at}]"
        if metric.stderr is not None and standard_error(metric.stderr) is None:
            yield f"{inner}.stderr is {metric.stderr:g}: no standard error"
        if metric.k is not None and not 0 <= metric.k <= (metric.n if metric.n is not None else -1):
            yield f"{inner}.k is {metric.k}, of n = {metric.n}"


def _of_sample(sample: SampleRecord, where: str) -> Iterator[str]:
    if sample.epoch < 1:
        yield f"{where}.epoch is {sample.epoch}: the first is 1"
    given: set[tuple[str, str | None]] = set()
    for at, score in enumerate(sample.scores):
        if (score.scorer, score.key) in given:
            yield f"{where}.scores[{at}] is scorer {score.scorer!r}, key {score.key!r} a second time"
        given.add((score.scorer, score.key))
        if not _agrees(score):
            yield f"{where}.scores[{at}] has value_type {score.value_type!r} and another value"
    for at, message in enumerate(sample.messages):
        if message.role not in ROLES:
            yield f"{where}.messages[{at}].role is {message.role!r} (allowed: {', '.join(ROLES)})"


def _agrees(score: ScoreRecord) -> bool:
    """Whether a score has the value that its type says."""
    number, text = score.value_num, score.value_text
    return {
        "number": number is not None,
        "bool": number in (0.0, 1.0),
        "text": number is None and text is not None,
        "infinite": number is None and text is not None,
        "missing": number is None and text is None,
        "nan": number is None and text is None,
    }.get(score.value_type, False)
