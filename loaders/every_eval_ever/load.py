"""The public functions of the loader: which files are records, and reading one with its samples."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.every_eval_ever.names import samples_beside
from loaders.every_eval_ever.results import Eval, read_results
from loaders.every_eval_ever.samples import attach, read_rows
from loaders.json_text import decode
from loaders.lm_eval.settings import as_dict, whole
from loaders.packed import plain_name, read_plain, suffix_of
from loaders.records import LoadedFile

FORMAT = "every_eval_ever"
IDENTITY = "content"
RECORD_SIGNS = (b'"schema_version"', b'"evaluation_id"')
ROW_SIGNS = (*RECORD_SIGNS, b'"model_id"')
HASHES = ("sha256", "md5")


def matches(path: Path, head: bytes) -> bool:
    """Whether `read` is the one to read this file, by its name and its first bytes."""
    match suffix_of(path.name):
        case ".json":
            return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and all(sign in head for sign in RECORD_SIGNS)
        case ".jsonl":
            return all(sign in head for sign in ROW_SIGNS)
    return False


def is_document(document: Any) -> bool:
    """Whether a JSON document is a record, whatever stands in it first."""
    return isinstance(document, dict) and "evaluation_id" in document and "evaluation_results" in document


def companions(path: Path) -> list[Path]:
    """The samples of a record, which lie beside it under its name; none where there are none."""
    return samples_beside(path)


def read(path: Path) -> LoadedFile:
    """Read a record: an eval for each evaluation and dataset that it names, with the samples beside it.

    Samples that can't be read leave the record's numbers in, with a note that says what is wrong with them.

    Raises:
        RejectedFile: The record is broken, or the file holds samples alone; the reason says where, and what to do.
    """
    if suffix_of(path.name) == ".jsonl":
        record = plain_name(path.name).removesuffix(".jsonl").removesuffix("_samples") + ".json"
        raise RejectedFile(
            path,
            "these are samples of Every Eval Ever without their record, which alone says what their scores are: put"
            f" {record} into this folder",
        )
    document = _document(path)
    loaded = LoadedFile(FORMAT)
    evals = read_results(path, document, loaded.notes)
    beside = companions(path)
    for samples in beside:
        _read_samples(samples, document, evals, loaded.notes)
    if not beside and (told := as_dict(document, "detailed_evaluation_results")):
        name = told.get("file_path")
        called = f" ({name.rpartition('/')[2]})" if isinstance(name, str) and name else ""
        loaded.notes.append(f"its samples{called} are not beside it: only the numbers that it reports are read")
    loaded.evals = [one.record for one in evals]
    return loaded


def _document(path: Path) -> dict[str, Any]:
    try:
        document = decode(read_plain(path))
    except (OSError, ValueError) as error:
        raise RejectedFile(path, f"can't be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise RejectedFile(
            path, f"holds a JSON {type(document).__name__}, where a record of Every Eval Ever is an object"
        )
    return document


def _read_samples(path: Path, document: dict[str, Any], evals: list[Eval], notes: list[str]) -> None:
    """Give the evals their samples, all of a file or none of it."""
    told = as_dict(document, "detailed_evaluation_results")
    try:
        raw = read_plain(path)
        rows = read_rows(path, raw)
    except OSError as error:
        notes.append(f"{path.name} is left out: can't be read: {error}")
        return
    except RejectedFile as error:
        notes.append(f"{path.name} is left out: {error.reason}")
        return
    stated, algorithm = told.get("checksum"), told.get("hash_algorithm", "sha256")
    if isinstance(stated, str) and stated and algorithm in HASHES:
        found = hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest()
        if found != stated.strip().lower():
            notes.append(f"{path.name} is not what the record was made with: its {algorithm} is another one")
    total = whole(told.get("total_rows"))
    if total is not None and total != len(rows):
        notes.append(f"says {total} rows of samples and {path.name} holds {len(rows)}")
    attach(rows, document.get("evaluation_id"), evals, notes)
