"""The public functions of the loader: which files are the harness's, and reading one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.json_text import decode
from loaders.lm_eval import names
from loaders.lm_eval.results import arguments_and_tasks, filters_of, read_results
from loaders.lm_eval.samples import TaskSamples, read_rows
from loaders.packed import plain_name, read_plain, suffix_of
from loaders.records import EvalRecord, LoadedFile

FORMAT = "lm_eval"
IDENTITY = "name"
RESULTS_FIRST = re.compile(rb'^(?:\xef\xbb\xbf)?\s*\{\s*"results"\s*:\s*\{')
ROWS_FIRST = re.compile(rb'^(?:\xef\xbb\xbf)?\s*\[\s*\{\s*"doc_id"\s*:')
HEAD_BYTES = 4096
RESULTS_SIGNS = (b'_stderr"', b"_stderr,", b'"alias"', b'"configs"', b'"versions"')


def matches(path: Path, head: bytes) -> bool:
    """Whether `read` is the one to read this file, by its name and its first bytes."""
    if suffix_of(path.name) == ".jsonl":
        return b'"doc_id"' in head and (
            path.name.startswith(names.SAMPLES_PREFIX)
            or b'"arguments"' in head
            or b'"filtered_resps"' in head
            or bool(ROWS_FIRST.match(head))
        )
    if suffix_of(path.name) != ".json":
        return False
    if path.name.startswith("results_") and names.iso_stamp(path.name):
        return True
    if ROWS_FIRST.match(head):
        return True
    return bool(RESULTS_FIRST.match(head)) and any(sign in head for sign in RESULTS_SIGNS)


def companions(path: Path) -> list[Path]:
    """The samples files of the same evaluation beside a results file: those whose names carry its date.

    A `results.json` without a date has those `samples_*.jsonl` that carry none. Versions 0.4.0 to 0.4.2 called samples
    by the arguments of the model, which the results hold: there, a results file of any name is looked into.
    """
    return sorted(_companions(path, None))


def _companions(path: Path, document: dict[str, Any] | None) -> dict[Path, str]:
    """The companions of a results file, each with its task; `document` is what the file holds, where that is known."""
    if suffix_of(path.name) != ".json" or names.is_samples(path.name):
        return {}
    beside = list(path.parent.iterdir())
    stamp = names.iso_stamp(path.name)
    if stamp is not None:
        alike = [other for other in beside if names.is_samples(other.name) and names.iso_stamp(other.name) == stamp]
        return {other: names.samples_task(other.name) for other in alike}
    found: dict[Path, str] = {}
    if plain_name(path.name) == "results.json":
        undated = [other for other in beside if names.is_samples(other.name) and not names.iso_stamp(other.name)]
        found = {other: names.samples_task(other.name) for other in undated}
    early = [other for other in beside if names.NAMED_BY_ARGUMENTS.match(other.name)]
    if early:
        arguments, tasks = arguments_and_tasks(_peek(path) if document is None else document)
        for other in early:
            task = next((task for task in tasks if names.of_arguments(other.name, arguments, task)), None)
            if task is not None:
                found[other] = task
    return found


def _peek(path: Path) -> dict[str, Any]:
    """A results document, to learn what belongs to it; empty where the file is none."""
    try:
        # Only of what begins as results do, the rest is read: a log beside may be large.
        document = decode(read_plain(path)) if RESULTS_FIRST.match(read_plain(path, HEAD_BYTES)) else {}
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def read(path: Path) -> LoadedFile:
    """Read a results file with its companions, or a samples file by itself.

    A companion that can't be read leaves the results in, with a note that says what is wrong with it.

    Raises:
        RejectedFile: The file is broken; the reason says where.
    """
    loaded = LoadedFile(FORMAT)
    if suffix_of(path.name) == ".jsonl" or _holds_rows(path):
        return _alone(path, loaded)
    document = _document(path)
    found: dict[str, TaskSamples] = {}
    for companion, task in sorted(_companions(path, document).items()):
        try:
            found[task] = read_rows(companion, filters_of(document, task))
        except RejectedFile as error:
            loaded.notes.append(f"{companion.name} is left out: {error.reason}")
    loaded.evals = read_results(path, document, found, loaded.notes)
    return loaded


def _alone(path: Path, loaded: LoadedFile) -> LoadedFile:
    """Samples whose results file isn't there, as far as their name says what they are."""
    if not names.is_samples(path.name):
        raise RejectedFile(
            path,
            "these are samples of lm-evaluation-harness without their results file, which alone says of which task and"
            " model they are: put it (results.json of the same run) into this folder",
        )
    samples = read_rows(path)
    stamp = names.iso_stamp(path.name)
    loaded.evals.append(
        EvalRecord(names.samples_task(path.name), created=names.created(path.name), samples=samples.records)
    )
    wanted = f"results_{stamp}.json" if stamp else "results.json"
    loaded.notes.append(
        f"samples without their results file ({wanted} in the same folder): the model, the settings and what the"
        " harness reported are unknown"
    )
    loaded.notes += samples.notes
    return loaded


def _holds_rows(path: Path) -> bool:
    try:
        return bool(ROWS_FIRST.match(read_plain(path, HEAD_BYTES)))
    except OSError as error:
        raise RejectedFile(path, f"can't be read: {error}") from error


def _document(path: Path) -> dict[str, Any]:
    try:
        document = decode(read_plain(path))
    except (OSError, ValueError) as error:
        raise RejectedFile(path, f"can't be read as JSON: {error}") from error
    results = document.get("results") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(results, dict):
        said = "`results` is a list" if isinstance(results, list) else "there is no object `results`"
        raise RejectedFile(path, f"{said}, where every results file of lm-evaluation-harness has its tasks")
    return document
